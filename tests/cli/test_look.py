"""`camkeep probe` and `camkeep snapshot` as a person runs them."""

from __future__ import annotations

import json
from pathlib import Path

from camkeep.cameras.simulate import Fault, Kind, Simulator, SimulatorOptions
from camkeep.cameras.testcard import picture, read_number
from support.command import run
from support.files import pictures_of
from support.gst import gst_server, play

SMALL = SimulatorOptions(width=320, height=240, fps=20)


async def test_probing_for_a_person(tmp_path: Path) -> None:
    halved = SimulatorOptions(width=320, height=240, fps=20, deliver=0.5)
    async with Simulator("easyn", halved) as camera:
        url = f"{camera.url}?rate=20"
        done = await run("probe", url, "--duration", "3s", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.startswith(url)
    for words in ("Netwave IP Camera", "JPEG 320x240", "20 promised", "delivers 10."):
        assert words in done.out
    assert max(map(len, done.out.splitlines())) <= 90


async def test_probing_for_a_program(tmp_path: Path) -> None:
    faults = frozenset({Fault(Kind.NO_LENGTH)})
    options = SimulatorOptions(width=320, height=240, faults=faults)
    async with Simulator("mjpeg", options) as camera:
        done = await run("probe", camera.url, "--duration", "1s", "--json", cwd=tmp_path)
    report = json.loads(done.out)
    assert report["video"]["codec"] == "jpeg"
    assert (report["video"]["width"], report["video"]["height"]) == (320, 240)
    assert report["trouble"]["part-length-missing"] > 0
    assert any("Content-Length" in words for words in report["advice"])
    assert report["audio"] is None


async def test_probing_nobody(tmp_path: Path) -> None:
    done = await run("probe", "rtsp://127.0.0.1:1/x", "--json", cwd=tmp_path)
    assert done.code == 3
    assert done.out == ""
    assert "refused the connection" in done.err


async def test_a_picture(tmp_path: Path) -> None:
    async with Simulator("easyn", SMALL) as camera:
        done = await run("snapshot", camera.url, "now.jpg", cwd=tmp_path)
        again = await run("snapshot", camera.url, "now.jpg", cwd=tmp_path)
    assert (done.code, again.code) == (0, 7)
    taken = (tmp_path / "now.jpg").read_bytes()
    assert taken == picture(read_number(taken), 320, 240)
    assert "320x240" in done.out
    assert "exists already" in again.err


async def test_a_malformed_picture_can_be_repaired(tmp_path: Path) -> None:
    faults = frozenset({Fault(Kind.NULLS_BEFORE_END, 1), Fault(Kind.JUNK_AFTER, 1)})
    options = SimulatorOptions(width=320, height=240, faults=faults)
    async with Simulator("easyn", options) as camera:
        await run("snapshot", camera.url, "as-it-came.jpg", cwd=tmp_path)
        await run("snapshot", camera.url, "repaired.jpg", "--repair", cwd=tmp_path)
    as_it_came = (tmp_path / "as-it-came.jpg").read_bytes()
    repaired = (tmp_path / "repaired.jpg").read_bytes()
    number = read_number(as_it_came)
    assert as_it_came != picture(number, 320, 240)
    assert repaired == picture(read_number(repaired), 320, 240)


async def test_a_key_frame_of_a_camera_without_jpeg(tmp_path: Path) -> None:
    with gst_server({"/live": play("h264", "h264")}) as server:
        refused = await run("snapshot", server.url(), "now.jpg", cwd=tmp_path)
        done = await run("snapshot", server.url(), "now.mp4", cwd=tmp_path)
    assert refused.code == 5
    assert ".mp4" in refused.err
    assert done.code == 0, done.err
    assert len(pictures_of(tmp_path / "now.mp4")) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["now.mp4"]
