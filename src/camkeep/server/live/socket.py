"""A camera's live pictures over a WebSocket: ``/api/v1/cameras/{id}/live?stream=main&sound=1``.

Text messages are JSON objects; their `type` says what they tell:

| type      | further members |
|-----------|-----------------|
| `state`   | `state`: connecting, live, waiting, refused, idle or off; `told`: why no pictures come, one sentence or ""; `retry_s`: when the next attempt is made, or null |
| `header`  | what follows is to be decoded by this. `header`: its number, from 0; `mime`: `video/mp4; codecs="..."`, or `image/jpeg`; `codecs`: a list; `width`, `height`; `stream`: main or sub; `sound`: whether there is any; `sound_left_out`: the codec of sound that browsers cannot play, or null; `wall_us`: the wall time of media time 0; `now_us`: the server's clock at this moment |
| `skipped` | the viewer did not keep up, and `frames` were left out; it goes on with a key frame |
| `end`     | there will be no more: `why` is one of off, removed, stopped, rights, slow, failed; `told`: a sentence |

Binary messages begin with 24 bytes, big endian:

    offset  size  what
    0       1     0: initialization segment; 1: fragment (moof and mdat); 2: JPEG
    1       1     flags: 1 decoding can begin here; 2 holds a picture; 4 holds sound
    2       2     number of the header that it belongs to, modulo 65536
    4       4     duration, µs; a guess, until the next one is there
    8       8     wall time at which it was taken, µs since 1970 in UTC, signed
    16      8     media time (presentation), µs, signed
    24            the initialization segment, the fragment or the JPEG

After each `header` of `video/mp4` comes its initialization segment, then a fragment for each
frame, at once. Where media time leaps, there was a gap. The viewer may send ``{"type":"pause"}``
and ``{"type":"resume"}``: while all viewers of a stream pause, and nobody records it, it is not
fetched. docs/live.md has the reasons.
"""  # noqa: E501 - a table

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Container
from contextlib import suppress
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from camkeep.engine.health import reason_of, word_of
from camkeep.engine.sessions import Off, Refused, Waiting
from camkeep.errors import MediaError
from camkeep.media.mp4.livestream import Beginning, LiveStream, Piece
from camkeep.model import AudioParams, CameraId, Codec, Sample, VideoParams
from camkeep.server.access import Principal
from camkeep.server.desk import DeskOf
from camkeep.server.live.said import ENDS, said
from camkeep.server.live.stage import Stage
from camkeep.server.live.viewers import Viewer, Watched, Which, stream_of
from camkeep.server.web.guard import Looker, watched

router = APIRouter(tags=["live"])

HEADER = struct.Struct(">BBHIqq")
INIT, FRAGMENT, JPEG = 0, 1, 2
KEY, PICTURE, SOUND = 1, 2, 4
PLAYABLE = frozenset({Codec.AAC, Codec.OPUS})
"""Sound that browsers play in MP4."""
FAREWELL_S = 1.0
"""How long somebody who is let go may take to be told so."""


@router.websocket("/cameras/{camera_id}/live")
async def live(
    websocket: WebSocket,
    camera_id: str,
    who: Looker,
    desk: DeskOf,
    stream: Which = Which.MAIN,
    sound: bool = True,
) -> None:
    """Live pictures; the module says how."""
    shown = stream_of(watched(desk, who, camera_id), stream)
    await show(websocket, desk, who, shown, sound=sound, there=desk.service.cameras)


async def show(
    websocket: WebSocket,
    stage: Stage,
    who: Principal,
    shown: Watched,
    *,
    sound: bool,
    there: Container[CameraId],
) -> None:
    """Show somebody a stream until it ends; `there` are the cameras that are watched."""
    with stage.live.viewers.open(shown, "socket", who.name, stage.clock) as viewer:
        await _Socket(websocket, stage, who, viewer, sound, there).run()


class _Socket:
    """One viewer's connection."""

    def __init__(
        self,
        websocket: WebSocket,
        stage: Stage,
        who: Principal,
        viewer: Viewer,
        sound: bool,
        there: Container[CameraId],
    ) -> None:
        self._websocket = websocket
        self._stage = stage
        self._there = there
        self._who = who
        self._viewer = viewer
        self._sound = sound
        self._over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._state: object = None
        self._telling: asyncio.Task[None] | None = None
        self._stream: LiveStream | None = None
        self._jpeg: VideoParams | None = None
        self._origin = 0
        self._header = -1
        self._breaks = self._skipped = 0
        self._run = 0

    async def run(self) -> None:
        """Until either side ends it."""
        await self._websocket.accept()
        self._viewer.on_look = self._look
        self._viewer.on_slow = lambda: self._end("slow")
        self._look()
        tasks = [asyncio.create_task(self._pump()), asyncio.create_task(self._listen())]
        waiting: list[asyncio.Future[Any]] = [self._over, *tasks]
        try:
            with self._stage.closers.open(self._who, self._closed):
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            if self._telling is not None:
                await asyncio.wait([self._telling], timeout=FAREWELL_S)
                self._telling.cancel()
        for error in ended:
            if isinstance(error, Exception) and not isinstance(error, WebSocketDisconnect):
                raise error
        if self._over.done():
            await self._say_farewell(self._over.result())

    # how it ends

    def _end(self, why: str) -> None:
        if not self._over.done():
            self._over.set_result(why)

    def _closed(self) -> None:
        """The service ends, or the rights of whoever watches."""
        self._end("stopped" if self._stage.closers.ended else "rights")

    def _why_no_more(self) -> str:
        """The stream gives nothing any more."""
        gone = self._viewer.stream.camera not in self._there
        if isinstance(self._viewer.stream.feed.state, Off):
            return "off"
        return "removed" if gone and not self._stage.closers.ended else "stopped"

    async def _say_farewell(self, why: str) -> None:
        code, told = ENDS[why]
        with suppress(TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(FAREWELL_S):
                await self._tell("end", why=why, told=told)
                await self._websocket.close(code, told)

    # what is told

    async def _tell(self, kind: str, **members: object) -> None:
        await self._websocket.send_text(json.dumps({"type": kind, **members}))

    def _look(self) -> None:
        """Tell of another state, where it is one."""
        state = self._viewer.stream.feed.state
        if state is self._state or (self._telling is not None and not self._telling.done()):
            return
        self._state = state
        self._telling = asyncio.create_task(self._tell_state())

    async def _tell_state(self) -> None:
        state = self._viewer.stream.feed.state
        retry_s = None
        if isinstance(state, Waiting | Refused):
            retry_s = round(state.retry_s, 1)
        with suppress(WebSocketDisconnect):
            await self._tell("state", state=word_of(state), told=reason_of(state), retry_s=retry_s)
        if isinstance(state, Off):
            self._end("off")

    async def _listen(self) -> None:
        """What the viewer says."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            match said(message.get("text")):
                case "pause":
                    self._viewer.pause()
                case "resume":
                    self._viewer.resume()
                case _:
                    self._end("words")
                    return

    # the pictures

    async def _pump(self) -> None:
        """Send the samples."""
        viewer = self._viewer
        try:
            while (sample := await viewer.next()) is not None:
                if viewer.stream.feed.state is not self._state:
                    self._state = viewer.stream.feed.state  # before the pictures that it explains
                    await self._tell_state()
                if viewer.breaks != self._breaks or self._follows_not(sample):
                    await self._tell_skipped()
                if sample.params.codec is Codec.JPEG:
                    await self._picture(sample)
                elif self._jpeg is None or isinstance(sample.params, VideoParams):
                    await self._fragments(sample)
        except MediaError:
            self._end("failed")
        else:
            self._end(self._why_no_more())

    def _follows_not(self, sample: Sample) -> bool:
        """Whether frames are missing before it: the reader says so by another run."""
        if not sample.is_video or sample.run == self._run:
            return False
        self._run = sample.run
        return True

    async def _tell_skipped(self) -> None:
        if self._viewer.breaks != self._breaks and self._stream is not None:
            self._stream.lose()
        skipped = self._viewer.skipped - self._skipped
        self._breaks, self._skipped = self._viewer.breaks, self._viewer.skipped
        if skipped:
            await self._tell("skipped", frames=skipped)

    async def _fragments(self, sample: Sample) -> None:
        if self._stream is None:
            self._stream = self._new_stream()
        self._jpeg = None
        for made in self._stream.add(sample):
            match made:
                case Piece():
                    flags = KEY * made.key | PICTURE * made.picture | SOUND * made.sound
                    await self._send(
                        FRAGMENT, flags, made.duration_us, made.wall, made.time_us, made.data
                    )
                case Beginning():
                    await self._begin(made)

    def _new_stream(self) -> LiveStream:
        feed = self._viewer.stream.feed
        announced = (feed.hub.audio or feed.notes.audio) if self._sound else None
        wanted = PLAYABLE if self._sound else frozenset[Codec]()
        return LiveStream(self._viewer.stream.name, announced, wanted)

    async def _begin(self, made: Beginning) -> None:
        """Another initialization segment."""
        codecs = [made.video.codec_string]
        if made.audio is not None:
            codecs.append(made.audio.codec_string)
        mime = f'video/mp4; codecs="{",".join(codecs)}"'
        await self._tell_header(made.video, mime, codecs, made.origin)
        await self._send(INIT, 0, 0, made.origin, 0, made.data)

    async def _picture(self, sample: Sample) -> None:
        params = sample.params
        if not isinstance(params, VideoParams):
            return
        if params != self._jpeg:
            if self._jpeg is None:
                self._origin = sample.wall
                self._stream = None
            self._jpeg = params
            await self._tell_header(params, "image/jpeg", ["jpeg"], self._origin)
        time_us = sample.wall - self._origin
        await self._send(JPEG, KEY | PICTURE, 0, sample.wall, time_us, sample.data)

    async def _tell_header(
        self, video: VideoParams, mime: str, codecs: list[str], origin: int
    ) -> None:
        self._header += 1
        await self._tell(
            "header",
            header=self._header,
            mime=mime,
            codecs=codecs,
            width=video.width,
            height=video.height,
            stream=self._viewer.stream.which.value,
            sound=len(codecs) > 1,
            sound_left_out=self._left_out(),
            wall_us=origin,
            now_us=self._stage.clock.wall(),
        )

    def _left_out(self) -> str | None:
        feed = self._viewer.stream.feed
        audio: AudioParams | None = feed.hub.audio or feed.notes.audio
        unplayable = audio is not None and audio.codec not in PLAYABLE
        return audio.codec_string if audio is not None and unplayable and self._sound else None

    async def _send(
        self, kind: int, flags: int, duration_us: int, wall: int, time_us: int, data: bytes
    ) -> None:
        viewer = self._viewer
        head = HEADER.pack(kind, flags, self._header & 0xFFFF, duration_us, wall, time_us)
        viewer.sending()
        await self._websocket.send_bytes(head + data)
        viewer.sent(len(data))
        viewer.frames += flags >> 1 & 1
