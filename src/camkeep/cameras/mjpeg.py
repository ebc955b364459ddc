"""Cameras that send JPEG over HTTP: as an endless stream, or one picture for each request.

Which of the two an address gives is seen from its answer. Neither carries a clock, so arrival
is its clock, and a frame's time is when its first byte was here.

A frozen camera, which goes on sending the same picture, is taken at its word: a picture equal
to the last one is a frame like any other, because a still scene can look the same, and because
a movie of a frozen camera shows that it was frozen.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import NoReturn

from camkeep.cameras.address import Address
from camkeep.cameras.http import MAX_BODY, Body, Exchange, HttpClient, product
from camkeep.cameras.multipart import MultipartParser
from camkeep.cameras.source import Notes, Sink, SourceOptions
from camkeep.cameras.trouble import Trouble
from camkeep.cameras.wire import Wire
from camkeep.clock import MonoNs, WallUs
from camkeep.errors import RetrySoon, Stalled, StreamBroken, UsageError, WrongProtocol
from camkeep.media.jpeg import jpeg_params
from camkeep.media.timeline import Timeline
from camkeep.model import Sample, VideoParams

POLL_FPS = 5.0
MAX_POLL_FPS = 60.0
SNIFF = 1024
"""Most bytes looked at to see what an answer is."""
POLL_AGAIN_S = 1.0
"""Pause after a poll that failed."""

_boundary = re.compile(r'boundary\s*=\s*("[^"]*"|[^;]+)', re.IGNORECASE).search
_Taker = Callable[[bytes, int, int, MonoNs, WallUs], None]


class HttpSource:
    """An http: or https: camera.

    `poll_fps` is how often a camera that sends single pictures is asked; it may answer more
    slowly. `client` is for callers who know how this camera wants its login.
    """

    def __init__(
        self,
        address: Address,
        options: SourceOptions,
        *,
        poll_fps: float = POLL_FPS,
        client: HttpClient | None = None,
    ) -> None:
        if not 0 < poll_fps <= MAX_POLL_FPS:
            raise UsageError(f"a camera can be polled up to {MAX_POLL_FPS:g} times a second")
        self._address = address
        self._options = options
        self._interval_s = 1 / poll_fps
        self._client = client or HttpClient(options)

    @property
    def address(self) -> Address:
        """Where it is."""
        return self._address

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        """One session; see `Source.run`."""
        frames = _Frames(sink, notes)
        if await self._ask(frames.take, notes, single=False):
            await self._poll(frames.take, notes)
        raise StreamBroken("the camera ended the stream")

    async def snapshot(self, notes: Notes) -> bytes:
        """One picture: the answer itself, or the first of the stream."""
        taken: list[bytes] = []

        def take(data: bytes, *_: object) -> None:
            taken.append(data)

        await self._ask(take, notes, single=True)
        return taken[0]

    async def _ask(self, take: _Taker, notes: Notes, *, single: bool) -> bool:
        """GET once and take what comes: one picture if `single`, else all of them.

        Returns whether the answer was a single picture. Raises StreamBroken or WrongProtocol
        where there was none.
        """
        answer = _Answer(take, notes, single=single)
        exchange = await self._client.open(self._address, answer.begin)
        try:
            if self._client.login.scheme != "none" or notes.login is None:
                notes.login = self._client.login.scheme
            await exchange.finished(self._options.stall_s)
        finally:
            exchange.close()
        return answer.end()

    async def _poll(self, take: _Taker, notes: Notes) -> NoReturn:
        """Ask for picture after picture, and pass over single failures."""
        now = asyncio.get_running_loop().time
        notes.transport = "JPEG polling over HTTP"
        if notes.promised_fps is None:
            notes.promised_fps = 1 / self._interval_s
        good = due = now()
        while True:
            due = max(due + self._interval_s, now())
            await asyncio.sleep(due - now())
            try:
                async with asyncio.timeout(self._options.stall_s):
                    await self._ask(take, notes, single=True)
                good = now()
            except TimeoutError:
                raise Stalled(
                    f"the camera has sent no whole picture for {self._options.stall_s:g} s"
                ) from None
            except RetrySoon:
                if now() - good > self._options.stall_s:
                    raise
                due = max(due, now() + POLL_AGAIN_S - self._interval_s)


class _Frames:
    """Makes samples of pictures."""

    def __init__(self, sink: Sink, notes: Notes) -> None:
        self._sink = sink
        self._notes = notes
        self._timeline = Timeline(1_000_000, wrap_bits=0)
        self._params: VideoParams | None = None

    def take(self, data: bytes, width: int, height: int, arrival: MonoNs, wall: WallUs) -> None:
        params = self._params
        if params is None or params.width != width or params.height != height:
            params = self._params = self._notes.video = jpeg_params(width, height)
        ticks, placed, run, _ = self._timeline.place(arrival // 1000, arrival, wall)
        self._sink(Sample(params, data, ticks, arrival, placed, True, run))


class _Answer:
    """Reads one answer, of whatever kind it turns out to be."""

    def __init__(self, take: _Taker, notes: Notes, *, single: bool) -> None:
        self._take = take
        self._notes = notes
        self._single = single
        self._exchange: Exchange
        self._parser: MultipartParser | None = None
        self._multipart = False
        self._reader: Body | None = None
        self._sniffed = bytearray()

    def begin(self, exchange: Exchange) -> Body:
        """The head is here: decide who reads the body."""
        self._exchange = exchange
        head = exchange.head
        self._notes.product = product(head) or self._notes.product
        if head.media_type.startswith("multipart/"):
            declared = _boundary(head.get("content-type"))
            self._notes.transport = "MJPEG over HTTP"
            self._multipart = True
            return self._read(declared[1] if declared else None)
        if head.media_type in ("image/jpeg", "image/jpg", "image/pjpeg"):
            self._single = self._single or 0 < (head.content_length or 0) <= MAX_BODY
            return self._read(None)
        return self._sniff

    def end(self) -> bool:
        """The body has ended: whether it was a single picture."""
        parser = self._parser
        if parser is None or not parser.pictures:
            if parser is not None:
                parser.finish()
            kind = self._exchange.head.media_type or "nothing known"
            if self._multipart:
                raise StreamBroken("the camera ended the stream before its first picture")
            if kind.startswith("image/"):
                raise StreamBroken("the camera's answer holds no whole picture")
            raise _no_pictures(kind)
        if not self._single:
            parser.finish()
        return not self._multipart and parser.pictures == 1

    def _read(self, boundary: str | None) -> Body:
        parser = self._parser = MultipartParser(boundary, self._picture, self._notes.trouble)
        wire = self._wire()
        feed = parser.feed

        def read(data: memoryview) -> None:
            feed(data, wire.arrival, wire.arrival_wall)

        return read

    def _sniff(self, data: memoryview) -> None:
        """The Content-Type says nothing of use: look at how the body begins."""
        if self._reader is not None:
            self._reader(data)
            return
        self._sniffed += data
        begin = bytes(self._sniffed[:SNIFF]).lstrip()
        if len(begin) < 3 and len(self._sniffed) < SNIFF:
            return
        if not begin.startswith((b"\xff\xd8\xff", b"--")):
            raise _no_pictures(self._exchange.head.media_type)
        self._reader = self._read(None)
        self._reader(memoryview(self._sniffed))
        self._sniffed = bytearray()

    def _picture(self, data: bytes, width: int, height: int, arrival: MonoNs, wall: WallUs) -> None:
        parser, wire = self._parser, self._wire()
        assert parser is not None
        if self._single:
            if parser.pictures == 1:
                self._take(data, width, height, arrival, wall)
                wire.close()
            return
        if parser.pictures == 2 and not self._multipart:
            self._notes.transport = "MJPEG over HTTP"
            self._notes.trouble[Trouble.NOT_MULTIPART] += 1
        wire.progress()
        self._take(data, width, height, arrival, wall)

    def _wire(self) -> Wire:
        wire = self._exchange.wire
        assert wire is not None  # no body without a connection
        return wire


def _no_pictures(kind: str) -> WrongProtocol:
    sent = "a web page" if kind == "text/html" else f"{kind[:60] or 'something unknown'}"
    return WrongProtocol(
        f"this address sends {sent}, not pictures: look in the camera's manual for the address "
        "of its MJPEG stream or snapshot"
    )
