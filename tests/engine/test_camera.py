"""The camera for programs, against a server that is not ours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

import camkeep
from camkeep.cameras.address import parse_address
from camkeep.cameras.pacer import pacer
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.engine.sources import make_source
from camkeep.errors import NotFound, NotSupported, NotWritable, Unreachable, UsageError
from camkeep.model import Sample
from support.gst import GstServer, gst_server, play


@pytest.fixture(scope="module")
def server() -> Iterator[GstServer]:
    mounts = {"/live": play("h264-aac", "h264", "aac"), "/jpeg": play("jpeg", "jpeg")}
    with gst_server(mounts) as started:
        yield started


def test_three_lines(server: GstServer, tmp_path: Path) -> None:
    with camkeep.open(server.url()) as camera:
        summary = camera.record(tmp_path / "garage.mp4", seconds=1)
    assert summary.error is None
    assert summary.seconds == pytest.approx(1, abs=0.1)  # the sound ends with its packet
    with av.open(str(tmp_path / "garage.mp4")) as movie:
        assert {s.type for s in movie.streams} == {"video", "audio"}
        assert sum(1 for _ in movie.decode(video=0)) == summary.frames


def test_samples_in_a_plain_loop(server: GstServer) -> None:
    before = threading.active_count()
    with camkeep.open(server.url()) as camera:
        seen = []
        for sample in camera.samples():
            seen.append(sample)
            if sum(s.is_video for s in seen) == 20:
                break
    pictures = [s for s in seen if s.is_video]
    assert pictures[0].key
    assert [s.wall for s in pictures] == sorted(s.wall for s in pictures)
    assert {s.params.codec for s in seen} == {camkeep.Codec.H264, camkeep.Codec.AAC}
    assert str(camera.address) == server.url()
    assert threading.active_count() == before


async def test_samples_asynchronously(server: GstServer) -> None:
    async with camkeep.aopen(server.url(), audio=False) as camera:
        numbers = []
        async for sample in camera.samples():
            numbers.append(sample.ticks)
            if len(numbers) == 10:
                break
    assert numbers == sorted(set(numbers))
    assert len(asyncio.all_tasks()) == 1


def test_a_picture_of_a_jpeg_camera(server: GstServer, tmp_path: Path) -> None:
    with camkeep.open(server.url("/jpeg")) as camera:
        picture = camera.snapshot(tmp_path / "now.jpg")
        assert camera.snapshot(repair=True)[:2] == b"\xff\xd8"
    assert (tmp_path / "now.jpg").read_bytes() == picture
    assert picture[:2] == b"\xff\xd8"
    assert picture[-2:] == b"\xff\xd9"
    assert [p.name for p in tmp_path.iterdir()] == ["now.jpg"]


def test_a_picture_of_a_camera_without_jpeg(server: GstServer, tmp_path: Path) -> None:
    with camkeep.open(server.url()) as camera:
        with pytest.raises(NotSupported, match=r"\.mp4"):
            camera.snapshot(tmp_path / "now.jpg")
        made = camera.snapshot(tmp_path / "now.mp4")
    assert (tmp_path / "now.mp4").read_bytes() == made
    with av.open(str(tmp_path / "now.mp4")) as movie:
        assert sum(1 for _ in movie.decode(video=0)) == 1
    assert not (tmp_path / "now.jpg").exists()


def test_a_picture_is_not_written_over_another_unless_asked(
    server: GstServer, tmp_path: Path
) -> None:
    path = tmp_path / "now.jpg"
    path.write_bytes(b"mine")
    with camkeep.open(server.url("/jpeg")) as camera:
        with pytest.raises(NotWritable, match="exists already"):
            camera.snapshot(path, overwrite=False)
        assert path.read_bytes() == b"mine"
        camera.snapshot(path)
    assert path.read_bytes() != b"mine"


def test_probing(server: GstServer) -> None:
    with camkeep.open(server.url()) as camera:
        report = camera.probe(seconds=1.5)
    assert report.video is not None
    assert (report.video.width, report.video.height) == (320, 240)
    assert report.audio is not None
    assert report.gop == (10, 10)
    assert report.measured_fps is not None
    assert report.audio_samples > 0


def test_errors_name_the_camera(server: GstServer) -> None:
    with camkeep.open(server.url("/none")) as camera:
        with pytest.raises(NotFound) as caught:
            camera.probe()
        assert str(caught.value).startswith(f"{server.url('/none')}: ")
        with pytest.raises(NotFound):
            next(camera.samples())
    with (
        camkeep.open("rtsp://me:hunter2@127.0.0.1:1/x") as camera,
        pytest.raises(Unreachable) as refused,
    ):
        camera.snapshot()
    assert "hunter2" not in str(refused.value)
    assert "refused the connection" in str(refused.value)


def test_what_makes_no_sense_is_refused_at_once() -> None:
    with pytest.raises(UsageError):
        camkeep.open("file:///etc/passwd")
    with pytest.raises(UsageError):
        camkeep.open("rtsp://cam/", transport="carrier pigeon")


@pytest.mark.parametrize("exact", [True, False])
async def test_who_measures_arrivals_is_woken_for_each(server: GstServer, exact: bool) -> None:
    source = make_source(parse_address(server.url())[0], SourceOptions(exact_arrivals=exact))
    paced: list[bool] = []
    enough = asyncio.Event()

    def sink(sample: Sample) -> None:
        paced.append(len(pacer()) > 0)
        if len(paced) == 10:
            enough.set()

    session = asyncio.create_task(source.run(sink, Notes()))
    await asyncio.wait_for(enough.wait(), 20)
    session.cancel()
    await asyncio.gather(session, return_exceptions=True)
    assert paced[9] is not exact
