"""`camkeep record` as a person runs it: installed alone, against real servers."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import av
import cv2
import pytest

from camkeep.cameras.simulate import Fault, Kind, Simulator, SimulatorOptions
from camkeep.cameras.testcard import picture, read_number
from support.clips import clip, packets, slices
from support.command import run, start
from support.files import movie_of, pictures_of
from support.gst import GstServer, gst_server, play

SMALL = SimulatorOptions(width=320, height=240, fps=20)


@pytest.fixture(scope="module")
def rtsp() -> Iterator[GstServer]:
    mounts = {
        "/h264": play("h264-aac", "h264", "aac"),
        "/b": play("h264-b", "h264"),
        "/h265": play("h265-b", "h265"),
    }
    with gst_server(mounts) as server:
        yield server


def opens_everywhere(path: Path, frames: int) -> None:
    """ffprobe, PyAV and OpenCV count the same frames, and OpenCV seeks."""
    shown = subprocess.run(
        [
            *("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v"),
            *("-show_entries", "stream=nb_frames,nb_read_frames", "-of", "json", str(path)),
        ],
        check=True,
        capture_output=True,
    )
    assert shown.stderr == b""
    (stream,) = json.loads(shown.stdout)["streams"]
    assert (stream["nb_frames"], stream["nb_read_frames"]) == (str(frames), str(frames))
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == frames
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == frames
    capture.set(cv2.CAP_PROP_POS_FRAMES, frames // 2)
    assert capture.read()[0]
    capture.release()


async def test_an_easyn_camera(tmp_path: Path) -> None:
    async with Simulator("easyn", SMALL) as camera:
        done = await run("record", camera.url, "birds.mp4", "--frames", 30, cwd=tmp_path)
    assert done.code == 0, done.err
    path = tmp_path / "birds.mp4"
    kept = [shown.data for shown in pictures_of(path)]
    first = read_number(kept[0])
    assert kept == [picture(n, 320, 240) for n in range(first, first + 30)]
    assert "birds.mp4" in done.out
    assert "30 frames" in done.out
    assert "noticed" not in done.out
    opens_everywhere(path, 30)


@pytest.mark.parametrize(
    ("mount", "source", "h265"),
    [("h264", "h264-aac", False), ("b", "h264-b", False), ("h265", "h265-b", True)],
)
async def test_a_server_that_is_not_ours(
    rtsp: GstServer, tmp_path: Path, mount: str, source: str, h265: bool
) -> None:
    url = rtsp.url(f"/{mount}")
    done = await run("record", url, "garage.mp4", "--frames", 40, cwd=tmp_path)
    assert done.code == 0, done.err
    path = tmp_path / "garage.mp4"
    opens_everywhere(path, 40)
    sent = [slices(p.data, h265=h265) for p in packets(clip(source))]
    kept = [slices(shown.data, h265=h265) for shown in pictures_of(path)]
    begin = sent.index(kept[0])
    assert kept == sent[begin : begin + 40]


async def test_ctrl_c_ends_it_and_the_file_is_whole(tmp_path: Path) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        path = tmp_path / f"{number.name}.mp4"
        async with Simulator("mjpeg", SMALL) as camera:
            command = await start("record", camera.url, path.name, cwd=tmp_path)
            await command.told("recording")
            command.send(number)
            done = await command.done()
        assert done.code == 0, done.err
        assert movie_of(path).whole
        assert "MB" in done.out or "kB" in done.out


async def test_it_comes_back_after_a_reboot_and_names_the_gap(tmp_path: Path) -> None:
    async with Simulator("mjpeg", SMALL) as camera:
        command = await start("record", camera.url, "birds.mp4", cwd=tmp_path)
        await command.told("recording")
        await camera.go_away(3)
        away = camera.number
        while camera.viewers == 0:
            await asyncio.sleep(0.02)
        back = camera.number
        while camera.number < back + 20:
            await asyncio.sleep(0.02)
        command.send(signal.SIGINT)
        done = await command.done()
    assert done.code == 0, done.err
    assert "reconnected once" in done.out
    assert "  gap      " in done.out
    kept = pictures_of(tmp_path / "birds.mp4")
    numbers = [read_number(shown.data) for shown in kept]
    assert any(n <= away for n in numbers)
    assert any(n > back for n in numbers)
    jump = next(n for n, (a, b) in enumerate(pairwise(numbers)) if b > a + 1)
    real_s = (numbers[jump + 1] - numbers[jump]) / 20
    assert kept[jump + 1].seconds - kept[jump].seconds == pytest.approx(real_s, abs=0.3)
    assert real_s < 3 + 3  # recording again within 3 s of its answering again


async def test_waiting_for_a_camera_that_is_still_off(tmp_path: Path) -> None:
    refuse = SimulatorOptions(width=320, height=240, faults=frozenset({Fault(Kind.REFUSE, 2)}))
    async with Simulator("easyn", refuse) as camera:
        at_once = await run("record", camera.url, "no.mp4", cwd=tmp_path)
        waited = await run("record", camera.url, "birds.mp4", "--wait", "--frames", 5, cwd=tmp_path)
    assert at_once.code == 3
    assert "refused the connection" in at_once.err
    assert waited.code == 0, waited.err
    assert [p.name for p in tmp_path.iterdir()] == ["birds.mp4"]


async def fails(tmp_path: Path, options: SimulatorOptions, *more: object) -> tuple[int, str]:
    async with Simulator("mjpeg", options) as camera:
        done = await run("record", camera.url, "birds.mp4", *more, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert done.out == ""
    assert "Traceback" not in done.err
    return done.code, done.err


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        (Kind.UNAUTHORIZED, 4, "login"),
        (Kind.NOT_FOUND, 5, "404"),
        (Kind.HTML, 5, "web page"),
        (Kind.REDIRECT_HOST, 5, "another host"),
        (Kind.SERVER_ERROR, 6, "500"),
    ],
)
async def test_every_failure_has_its_exit_code(
    tmp_path: Path, kind: Kind, code: int, words: str
) -> None:
    options = SimulatorOptions(width=320, height=240, faults=frozenset({Fault(kind)}))
    got, said = await fails(tmp_path, options)
    assert (got, words in said) == (code, True), said


async def test_a_camera_that_falls_silent(tmp_path: Path) -> None:
    faults = frozenset({Fault(Kind.STALL, 1)})
    options = SimulatorOptions(width=320, height=240, faults=faults, max_frames=None)
    async with Simulator("mjpeg", options) as camera:
        done = await run(
            *("record", camera.url, "birds.mp4", "--timeout", "1s", "--duration", "2s"),
            cwd=tmp_path,
        )
    assert done.code in (0, 6)
    assert "nothing of use for 1 s" in done.out + done.err


async def test_nobody_there(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = await run("record", f"rtsp://127.0.0.1:{port}/x", "birds.mp4", cwd=tmp_path)
    assert done.code == 3
    assert "refused the connection" in done.err
    done = await run("record", "rtsp://camera.invalid/x", "birds.mp4", cwd=tmp_path)
    assert done.code == 3
    assert "no such host" in done.err


@pytest.mark.parametrize(
    ("scheme", "answer", "words"),
    [
        ("rtsp", b"HTTP/1.1 400 Bad Request\r\n\r\n", "web server"),
        ("rtsp", b"SSH-2.0-OpenSSH_9\r\n", "does not speak RTSP"),
        ("http", b"SSH-2.0-OpenSSH_9\r\n", "HTTP"),
        ("http", b"RTSP/1.0 400 Bad Request\r\n\r\n", "RTSP"),
        ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "TLS"),
    ],
)
async def test_a_port_that_is_something_else(
    tmp_path: Path, scheme: str, answer: bytes, words: str
) -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(other, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        done = await run("record", f"{scheme}://127.0.0.1:{port}/x", "birds.mp4", cwd=tmp_path)
    assert (done.code, words in done.err) == (5, True), done.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("testcard:", "birds.avi"), 2, "birds.mp4"),
        (("file:///etc/passwd", "birds.mp4"), 2, "address is rtsp://"),
        (("testcard:?fps=x", "birds.mp4"), 2, "fps"),
        (("testcard:", "birds.mp4", "--duration", "soon"), 2, "no length of time"),
        (("testcard:", "birds.mp4", "--fps", "0"), 2, "more than 0"),
        (("testcard:", "no/birds.mp4"), 7, "there is no folder"),
        (("/dev/video99", "birds.mp4"), 3, "/dev/video99"),
    ],
)
async def test_what_cannot_be_done_is_said_in_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = await run("record", *arguments, cwd=tmp_path)
    assert (done.code, words in done.err) == (code, True), done
    assert "Traceback" not in done.err


async def test_a_file_that_is_there_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "birds.mp4"
    path.write_bytes(b"mine")
    done = await run("record", "testcard:?size=160x128", path, "--frames", 3, cwd=tmp_path)
    assert (done.code, path.read_bytes()) == (7, b"mine")
    assert "--overwrite" in done.err
    done = await run(
        "record", "testcard:?size=160x128", path, "--frames", 3, "--overwrite", cwd=tmp_path
    )
    assert done.code == 0
    assert len(pictures_of(path)) == 3


async def test_a_password_is_nowhere(tmp_path: Path) -> None:
    secret = "hunter2hunter2"
    options = SimulatorOptions(width=320, height=240, user="admin", password=secret, login="query")
    (tmp_path / "pw").write_text(f"{secret}\n")
    async with Simulator("easyn", options) as camera:
        host = camera.url.removeprefix("easyn://")
        for arguments in (
            (f"easyn://admin:{secret}@{host}",),
            (f"easyn://admin@{host}", "--password-file", "pw"),
        ):
            command = await start("record", *arguments, "birds.mp4", "--overwrite", cwd=tmp_path)
            await command.told("recording")
            process = Path(f"/proc/{command.pid}")
            assert secret.encode() not in (process / "cmdline").read_bytes()
            assert secret.encode() not in (process / "environ").read_bytes()
            command.send(signal.SIGINT)
            done = await command.done()
            assert done.code == 0, done.err
            assert secret not in done.out + done.err
            assert secret.encode() not in (tmp_path / "birds.mp4").read_bytes()
        wrong = await run("record", f"easyn://admin:x{secret}@{host}", "no.mp4", cwd=tmp_path)
    assert wrong.code == 4
    assert "refused the user or password" in wrong.err
    assert secret not in wrong.err
