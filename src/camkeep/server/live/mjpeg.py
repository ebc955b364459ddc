"""Live pictures as JPEGs one after the other (multipart/x-mixed-replace), for `<img>`, OpenCV,
Home Assistant and whatever else shows a picture at an address.

Cameras that send JPEG are handed on as they are. Of those that send video the key frames are
decoded, which is cheap and gives a picture every second or so; with ``fps=`` all frames are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from camkeep.clock import WallUs
from camkeep.model import Codec, Sample
from camkeep.server.access import Principal
from camkeep.server.desk import DeskOf
from camkeep.server.live.answer import LiveResponse, first_of
from camkeep.server.live.pictures import PictureStream, Taken
from camkeep.server.live.stage import Stage
from camkeep.server.live.viewers import Viewer, Watched, Which, stream_of
from camkeep.server.web.guard import MediaLooker, watched

router = APIRouter(tags=["live"])

BOUNDARY = b"camkeep"
MULTIPART = f"multipart/x-mixed-replace; boundary={BOUNDARY.decode()}"


@router.get(
    "/cameras/{camera_id}/live.mjpeg",
    response_class=Response,
    responses={200: {"content": {"multipart/x-mixed-replace": {}}, "description": "Until you go"}},
)
async def live_mjpeg(
    camera_id: str,
    who: MediaLooker,
    desk: DeskOf,
    stream: Which = Which.MAIN,
    fps: Annotated[
        float | None, Query(gt=0, le=120, description="Pictures a second at most")
    ] = None,
) -> Response:
    """Live pictures as JPEGs, each with `X-Timestamp`: seconds since 1970, UTC. Cameras that send
    video give about one a second, unless `fps` is said."""
    return await jpegs(desk, who, stream_of(watched(desk, who, camera_id), stream), fps)


async def jpegs(
    stage: Stage, who: Principal, source: Watched, fps: float | None = None
) -> LiveResponse:
    """The pictures of a stream. Raises Problem."""
    viewer = stage.live.viewers.open(source, "mjpeg", who.name, stage.clock)
    try:
        first = await first_of(source.feed, viewer.newest)
        pace = Pace(fps)
        if first.params.codec is Codec.JPEG:
            body = _as_they_came(viewer, first, pace)
            return LiveResponse(viewer, body, MULTIPART, stage, who)
        viewer.stop_reading()
        async with AsyncExitStack() as stack:
            opening = stage.live.pictures.open(source, every=fps is not None)
            pictures = await stack.enter_async_context(opening)
            taken = await first_of(source.feed, lambda: pictures.after(0))
            body = _decoded(viewer, pictures, taken, pace)
            return LiveResponse(viewer, body, MULTIPART, stage, who, stack.pop_all())
    except BaseException:
        viewer.close()
        raise


async def _as_they_came(viewer: Viewer, first: Sample, pace: Pace) -> AsyncIterator[bytes]:
    yield BEGIN
    sample: Sample | None = first
    while sample is not None and sample.params.codec is Codec.JPEG:
        if pace.due(sample.wall):
            viewer.frames += 1
            yield part(sample.data, sample.wall)
        sample = await viewer.newest()


async def _decoded(
    viewer: Viewer, pictures: PictureStream, first: Taken, pace: Pace
) -> AsyncIterator[bytes]:
    yield BEGIN
    taken: Taken | None = first
    while taken is not None:
        if pace.due(taken.wall):
            viewer.frames += 1
            yield part(taken.jpeg, taken.wall)
        taken = await pictures.after(taken.number)


class Pace:
    """Says which pictures are to be sent, so that they are not too many."""

    def __init__(self, fps: float | None) -> None:
        self._step_us = 0.0 if fps is None else 1e6 / fps
        self._next = 0.0

    def due(self, wall: WallUs) -> bool:
        """Whether that one is."""
        early = self._next - wall
        if 0 < early - self._step_us / 4 <= self._step_us:
            return False
        follows = -self._step_us < early <= self._step_us
        self._next = (self._next if follows else wall) + self._step_us
        return True


BEGIN = b"--" + BOUNDARY + b"\r\n"


def part(jpeg: bytes, wall: WallUs) -> bytes:
    """One picture, and the boundary behind it: browsers show a picture once they have that."""
    head = (
        f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
        f"X-Timestamp: {wall // 1_000_000}.{wall % 1_000_000:06}\r\n\r\n"
    )
    return b"".join((head.encode(), jpeg, b"\r\n", BEGIN))
