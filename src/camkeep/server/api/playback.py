"""Footage as a stream that a page plays while it comes, from any instant, either way.

The body (`application/x-camkeep-play`) is a row of messages:

    4 bytes   length of the JSON, big endian
    4 bytes   length of the payload, big endian; may be 0
    JSON      an object, UTF-8; its "type" says what the payload is
    payload

| type       | payload | further members |
|------------|---------|-----------------|
| `header`   | an initialization segment (ISO BMFF byte stream for Media Source Extensions); nothing where pictures follow | `wall_us`: the instant of media time 0 of what follows; `codecs`; `why`: `start`, `params` (another size or codec: times go on), `gap` (what follows does not follow in time) |
| `fragment` | a media segment: `moof` and `mdat` | `wall_us`: when its first frame was taken; `at_us`: its media time; `duration_us` |
| `picture`  | a JPEG, for cameras that send those: without sound | as of a fragment |
| `skipped`  | | footage that cannot be read: `start_us`, `end_us`, `reason` |
| `error`    | | `told`: the stream ends here because of this |
| `end`      | | `wall_us`: where it ended; `next_us`: where there is more (null for nowhere); `live`: what follows is being recorded now: go live |

Decoding begins at the key frame at or before the instant asked for, so the first fragment may be
earlier than that. Over a gap the stream goes on by itself. It comes as fast as it is read: a page
that has enough stops reading, and nothing piles up for it here.

Key frames alone (`density=key`) are for playing fast, at most one each `every` seconds, and for
playing back (`direction=back`): from `to` to `from`, the last one first, each segment with a
`header` of its own.
"""  # noqa: E501 - a table

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from typing import Annotated

from anyio import CancelScope, to_thread
from fastapi import APIRouter, Query
from starlette.responses import Response

from camkeep.archive.playback import Density, Fragment, Header, Picture, Played, Skipped, play
from camkeep.archive.playsamples import sample_of
from camkeep.clock import WallUs
from camkeep.errors import CamkeepError, MediaError, UsageError
from camkeep.model import CameraId, Codec, VideoParams
from camkeep.server.api.instants import FromOrFirst, Instant, To, interval
from camkeep.server.desk import DeskOf
from camkeep.server.lasting import LastingResponse
from camkeep.server.playing import backward, following, forward, preceding
from camkeep.server.problems import Problem
from camkeep.server.shelf import Shelf, ShelfOf
from camkeep.server.web.guard import MediaLooker, seen

router = APIRouter(tags=["playback"])

PLAY = "application/x-camkeep-play"
JPEG = "mp4v.6C"
KEPT = "private, max-age=86400"
"""What was recorded stays what it is."""
SETTLED_US = 30_000_000
"""But a picture that is newer may be followed by one that is nearer to the instant."""
_LENGTHS = struct.Struct(">II")


class Direction(StrEnum):
    """Which way."""

    FORWARD = "forward"
    BACK = "back"


@router.get(
    "/cameras/{camera_id}/play",
    response_class=Response,
    responses={200: {"content": {PLAY: {}}, "description": "Messages, see the documentation"}},
)
def stream(
    camera_id: str,
    who: MediaLooker,
    desk: DeskOf,
    shelf: ShelfOf,
    start: FromOrFirst = None,
    end: To = None,
    density: Annotated[Density, Query(description="`key`: key frames alone")] = Density.ALL,
    direction: Direction = Direction.FORWARD,
    every: Annotated[
        float, Query(ge=0, le=3600, description="Seconds between two key frames at least")
    ] = 0,
    sound: Annotated[bool, Query(description="With its sound, if it has any")] = True,
) -> Response:
    """Footage from an instant on, for a page that plays it: see docs/service.md for the bytes."""
    camera = seen(desk, who, camera_id)
    begin = WallUs(0) if start is None else start
    until = desk.clock.wall() if end is None else end
    interval(begin, until)
    every_us = round(every * 1e6)
    if direction is Direction.BACK:
        if density is not Density.KEY:
            raise UsageError("only key frames can be played back: say density=key")
        messages = _back(shelf, camera.id, begin, until, every_us)
    elif start is None:
        raise UsageError("say `from` where to begin")
    else:
        messages = _on(shelf, camera.id, start, end, density, every_us, sound)
    return LastingResponse(
        _sent(shelf, messages), 200, {"content-type": PLAY}, closers=desk.closers, who=who
    )


@router.get(
    "/cameras/{camera_id}/picture.jpg",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "The picture"}},
)
async def picture(
    camera_id: str,
    at: Annotated[Instant, Query(description="RFC 3339, or µs since 1970 in UTC")],
    who: MediaLooker,
    desk: DeskOf,
    shelf: ShelfOf,
    width: Annotated[
        int, Query(ge=0, le=4096, description="Pixels at most, of video; 0: as it is")
    ] = 0,
) -> Response:
    """The picture that was on show at an instant; of video, the key frame at or before it.
    `x-camkeep-wall-us` says when it was taken."""
    camera = await shelf.read(lambda: seen(desk, who, camera_id))
    found = await to_thread.run_sync(_single, shelf, camera.id, at, limiter=shelf.readers)
    if found is None:
        raise Problem(404, "Nothing recorded", "nothing of that instant is kept")
    jpeg, video, wall = found
    if video.codec is not Codec.JPEG:
        try:
            jpeg = await desk.live.pictures.decode(video, jpeg, width)
        except MediaError as error:
            raise Problem(502, "Not decoded", str(error), kind="urn:camkeep:camera") from None
    keep = KEPT if at < desk.clock.wall() - SETTLED_US else "no-store"
    headers = {"x-camkeep-wall-us": str(wall), "cache-control": keep}
    return Response(jpeg, media_type="image/jpeg", headers=headers)


def _single(shelf: Shelf, camera: CameraId, at: WallUs) -> tuple[bytes, VideoParams, WallUs] | None:
    """The frame that can be decoded by itself, what it is, and when it was taken."""
    with shelf.catalog() as catalog:
        segments = catalog.segments(camera, at, WallUs(at + 1))
    soon = WallUs(at + 1000)  # the first one that comes is the one on show
    video: VideoParams | None = None
    for piece in play(
        shelf.root, segments, at, soon, density=Density.KEY, pictures=True, sound=False
    ):
        match piece:
            case Header():
                video = piece.video
            case Picture() if video is not None:
                return piece.data, video, piece.wall
            case Fragment() if video is not None:
                return sample_of(piece.data), video, piece.wall
    return None


def _on(
    shelf: Shelf,
    camera: CameraId,
    since: WallUs,
    until: WallUs | None,
    density: Density,
    every_us: int,
    sound: bool,
) -> Iterator[bytes]:
    at = since
    try:
        segments = forward(shelf, camera, since, until)
        for piece in play(
            shelf.root,
            segments,
            since,
            until,
            density=density,
            pictures=True,
            every_us=every_us,
            sound=sound,
        ):
            if isinstance(piece, Fragment | Picture):
                at = WallUs(piece.wall + piece.duration_us)
            yield _told(piece)
        more, live = following(shelf, camera, at, until)
        yield message("end", wall_us=at, next_us=more, live=live)
    except CamkeepError as error:
        yield message("error", told=str(error))


def _back(
    shelf: Shelf, camera: CameraId, since: WallUs, until: WallUs, every_us: int
) -> Iterator[bytes]:
    at = until
    try:
        segments = backward(shelf, camera, since, until)
        for piece in play(
            shelf.root,
            segments,
            since,
            until,
            density=Density.KEY,
            pictures=True,
            back=True,
            every_us=every_us,
        ):
            if isinstance(piece, Fragment | Picture):
                at = piece.wall
            yield _told(piece)
        at = min(at, since)
        yield message("end", wall_us=at, next_us=preceding(shelf, camera, at), live=False)
    except CamkeepError as error:
        yield message("error", told=str(error))


def _told(piece: Played) -> bytes:
    match piece:
        case Header(data, wall, codecs, why, _):
            data = b"" if codecs == JPEG else data  # nothing that a player could use
            return message("header", data, wall_us=wall, codecs=codecs, why=why.value)
        case Fragment(data, wall, at_us, duration_us):
            return message("fragment", data, wall_us=wall, at_us=at_us, duration_us=duration_us)
        case Picture(data, wall, at_us, duration_us):
            return message("picture", data, wall_us=wall, at_us=at_us, duration_us=duration_us)
        case Skipped(segment, reason):
            return message("skipped", start_us=segment.start, end_us=segment.end, reason=reason)


def message(kind: str, payload: bytes = b"", **members: str | int | bool | None) -> bytes:
    """One message of the stream."""
    told = json.dumps({"type": kind, **members}).encode()
    return b"".join((_LENGTHS.pack(len(told), len(payload)), told, payload))


async def _sent(shelf: Shelf, messages: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The messages, each made by a thread when the one before was taken."""
    try:
        while True:
            found = await to_thread.run_sync(next, messages, None, limiter=shelf.readers)
            if found is None:
                return
            yield found
    finally:
        with CancelScope(shield=True):  # the files it reads are closed in any case
            await to_thread.run_sync(_close, messages)


def _close(messages: Iterator[bytes]) -> None:
    close = getattr(messages, "close", None)
    if close is not None:
        close()
