"""Streams and snapshots over real HTTP: what an address turns out to be, and hostile cameras."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from itertools import pairwise

import pytest

from camkeep.cameras.address import parse_address
from camkeep.cameras.mjpeg import HttpSource
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.cameras.trouble import Trouble
from camkeep.errors import CameraError, NotFound, Stalled, StreamBroken, UsageError, WrongProtocol
from camkeep.model import Codec
from support.http_server import Request, Server, serving
from support.mjpeg import part, picture
from support.watch import watch

OPTIONS = SourceOptions(connect_timeout_s=2, stall_s=5)
PICTURES = [picture(n) for n in range(20)]
MULTIPART = "multipart/x-mixed-replace;boundary=ipcamera"
MULTIPART_HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {MULTIPART}\r\n\r\n"


def source(server: Server, options: SourceOptions = OPTIONS, **more) -> HttpSource:
    return HttpSource(parse_address(server.url + "/video?pwd=hunter2")[0], options, **more)


def stream(body: bytes, kind: str = MULTIPART, *, more: str = "", end: bool = False):
    """A handler that sends this body under this Content-Type, then waits or ends."""

    async def handler(request: Request) -> None:
        typed = f"Content-Type: {kind}\r\n" if kind else ""
        head = f"HTTP/1.0 200 OK\r\nServer: Netwave\r\n{typed}{more}\r\n"
        await request.send(head.encode() + body)
        if not end:
            await request.forever()

    return handler


PARTS = b"".join(part(p) for p in PICTURES)
STREAMS = {
    "multipart": (stream(PARTS), {}),
    "quoted boundary": (stream(PARTS, 'multipart/x-mixed-replace; boundary="--ipcamera"'), {}),
    "no boundary declared": (stream(PARTS, "multipart/x-mixed-replace"), {}),
    "lying length": (stream(PARTS, more="Content-Length: 17\r\n"), {}),
    "declared JPEG": (stream(PARTS, "image/jpeg"), {Trouble.NOT_MULTIPART: 1}),
    "bare": (stream(b"".join(PICTURES), "image/jpeg"), {Trouble.NOT_MULTIPART: 1}),
    "no type": (stream(PARTS, ""), {Trouble.NOT_MULTIPART: 1}),
    "text/plain": (stream(b"\r\n" + PARTS, "text/plain"), {Trouble.NOT_MULTIPART: 1}),
}


@pytest.mark.parametrize("form", STREAMS)
async def test_streams(form: str) -> None:
    handler, trouble = STREAMS[form]
    async with serving(handler) as server:
        notes = Notes()
        samples = await watch(source(server), len(PICTURES), notes)
        assert [s.data for s in samples] == PICTURES
        assert notes.trouble == trouble
        assert (notes.product, notes.login) == ("Netwave", "none")
        assert notes.transport == "MJPEG over HTTP"
        assert notes.video is samples[0].params
        assert (notes.video.codec, notes.video.width, notes.video.height) == (Codec.JPEG, 64, 48)
        assert all(s.key and s.params is notes.video and s.run == 0 for s in samples)
        assert all(a.wall <= b.wall and a.ticks < b.ticks for a, b in pairwise(samples))
        assert await source(server).snapshot(Notes()) == PICTURES[0]


async def test_a_chunked_stream() -> None:
    async def handler(request: Request) -> None:
        await request.send(
            f"HTTP/1.1 200 OK\r\nContent-Type: {MULTIPART}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        for begin in range(0, len(PARTS), 333):
            piece = PARTS[begin : begin + 333]
            await request.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await request.forever()

    async with serving(handler) as server:
        samples = await watch(source(server), len(PICTURES))
        assert [s.data for s in samples] == PICTURES


async def test_a_change_of_size_makes_new_params() -> None:
    large = picture(7, width=320, height=240)
    async with serving(stream(part(PICTURES[0]) * 2 + part(large))) as server:
        first, second, third = await watch(source(server), 3)
        assert first.params is second.params
        assert (third.params.width, third.params.height) == (320, 240)


async def test_the_end_of_a_stream() -> None:
    notes = Notes()
    async with serving(stream(PARTS[:-100], end=True)) as server:
        with pytest.raises(StreamBroken, match="ended the stream"):
            await watch(source(server), 99, notes)
        assert notes.trouble == {Trouble.JPEG_NO_END: 1}


@pytest.mark.parametrize("framed", [True, False], ids=["length", "until close"])
async def test_single_pictures_are_polled(framed: bool) -> None:
    count = 0

    async def handler(request: Request) -> None:
        nonlocal count
        count += 1
        data = b"\0" + PICTURES[count % 20] + b"\r\n"
        if framed:
            await request.answer(data, "image/jpeg")
        else:
            await stream(data, "image/jpeg", end=True)(request)

    async with serving(handler) as server:
        notes = Notes()
        samples = await watch(source(server, poll_fps=50), 6, notes)
        assert [s.data for s in samples] == PICTURES[1:7]
        assert notes.transport == "JPEG polling over HTTP"
        assert notes.promised_fps == pytest.approx(50)
        assert all(a.wall < b.wall for a, b in pairwise(samples))


async def test_a_poll_that_fails_now_and_then_does_not_end_the_session() -> None:
    count = 0

    async def handler(request: Request) -> None:
        nonlocal count
        count += 1
        if count == 3:
            await request.answer(status=503)
        else:
            await request.answer(PICTURES[count % 20], "image/jpeg")

    async with serving(handler) as server:
        samples = await watch(source(server, poll_fps=50), 4)
        assert [s.data for s in samples] == [PICTURES[n] for n in (1, 2, 4, 5)]


REFUSED = {
    "web page": (stream(b"<html>hunter2", "text/html", end=True), WrongProtocol, "a web page"),
    "other": (stream(b"OggS", "video/ogg", end=True), WrongProtocol, "sends video/ogg"),
    "empty": (stream(b"", "", end=True), WrongProtocol, "not pictures"),
    "no picture": (stream(b"GIF89a", "image/jpeg", end=True), StreamBroken, "no whole picture"),
    "no part": (stream(b"", end=True), StreamBroken, "before its first picture"),
    "404": (lambda request: request.answer(status=404), NotFound, "nothing at this path"),
}


@pytest.mark.parametrize("form", REFUSED)
async def test_what_is_no_camera(form: str) -> None:
    handler, kind, words = REFUSED[form]
    async with serving(handler) as server:
        for attempt in (watch(source(server), 1), source(server).snapshot(Notes())):
            with pytest.raises(kind, match=words) as caught:
                await attempt
            assert "hunter2" not in str(caught.value)


async def test_a_rate_that_makes_no_sense() -> None:
    for fps in (0, -1, 1000, float("nan")):
        with pytest.raises(UsageError):
            HttpSource(parse_address("http://x/")[0], OPTIONS, poll_fps=fps)


async def forever(request: Request, piece: bytes, pause_s: float = 0) -> None:
    while True:
        await request.send(piece)
        await asyncio.sleep(pause_s)


async def _endless_headers(request: Request) -> None:
    await request.send(b"HTTP/1.1 200 OK\r\n")
    await forever(request, b"X-Header: value\r\n" * 500)


async def _endless_part_headers(request: Request) -> None:
    await request.send(f"{MULTIPART_HEAD}--ipcamera\r\n".encode())
    await forever(request, b"X-Header: value\r\n" * 500)


async def _no_boundary_ever(request: Request) -> None:
    await request.send(MULTIPART_HEAD.encode())
    await forever(request, b"nothing of the kind. " * 500)


async def _byte_by_byte(request: Request) -> None:
    await request.send(MULTIPART_HEAD.encode())
    for byte in PARTS:
        await request.send(bytes([byte]))
        await asyncio.sleep(0.05)


async def _four_gb(request: Request) -> None:
    await request.send(
        b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 4294967295\r\n\r\n"
        + PICTURES[0][:-9]
    )
    await forever(request, bytes(range(1, 250)) * 100)


HOSTILE = {
    "endless headers": _endless_headers,
    "endless part headers": _endless_part_headers,
    "no boundary": _no_boundary_ever,
    "byte by byte": _byte_by_byte,
    "4 GB": _four_gb,
    "silence": Request.forever,
}


@pytest.mark.parametrize("form", HOSTILE)
async def test_hostile_cameras_are_given_up(form: str) -> None:
    options = SourceOptions(connect_timeout_s=1, stall_s=0.5)
    async with serving(HOSTILE[form]) as server, asyncio.timeout(15):
        with pytest.raises(CameraError) as caught:
            await watch(source(server, options), 1)
    assert isinstance(caught.value, WrongProtocol if form == "endless headers" else Stalled)


def test_a_hostile_camera_costs_less_than_16_mb() -> None:
    """In a process of its own: the client's alone, fed as a network would."""
    code = """
        import resource
        from collections import Counter
        from camkeep.cameras.multipart import MultipartParser
        from camkeep.cameras.mjpeg import HttpSource
        from support.mjpeg import part, picture
        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        chunk = bytearray(bytes(range(1, 250)) * 1000)
        before = peak()
        parser = MultipartParser("ipcamera", print, Counter())
        parser.feed(memoryview(part(picture(1), 2**32)[:-4]), 1, 1)
        for _ in range(400):  # 100 MB
            parser.feed(memoryview(chunk), 1, 1)
        for _ in range(20_000):
            parser.feed(memoryview(b"x"), 1, 1)
        print(peak() - before, end='')
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={"PYTHONPATH": "src:tests"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(done.stdout) < 16 * 2**20
