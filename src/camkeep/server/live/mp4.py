"""Live pictures and sound as an endless fragmented MP4, for VLC, ffplay and OpenCV.

It goes on over the reconnects of a camera, with a gap in time. Other params (another size, another
codec) end it: such a file has one header.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter
from starlette.responses import Response

from camkeep.errors import MediaError
from camkeep.media.mp4.livestream import Beginning, LiveStream
from camkeep.media.mp4.livetimes import EVERY_SOUND
from camkeep.model import Codec, Sample
from camkeep.server.desk import DeskOf
from camkeep.server.live.answer import LiveResponse, first_of
from camkeep.server.live.viewers import Viewer, Which, stream_of
from camkeep.server.web.guard import MediaLooker, watched

router = APIRouter(tags=["live"])


@router.get(
    "/cameras/{camera_id}/live.mp4",
    response_class=Response,
    responses={200: {"content": {"video/mp4": {}}, "description": "Until you go"}},
    openapi_extra={"x-lasting": True},
)
async def live_mp4(
    camera_id: str,
    who: MediaLooker,
    desk: DeskOf,
    stream: Which = Which.MAIN,
    sound: bool = True,
) -> Response:
    """Live pictures and sound as a fragmented MP4 without an end, each key frame with its wall
    time (`prft`)."""
    source = stream_of(watched(desk, who, camera_id), stream)
    viewer = desk.live.viewers.open(source, "mp4", who.name, desk.clock)
    try:
        first = await first_of(source.feed, viewer.next)
    except BaseException:
        viewer.close()
        raise
    return LiveResponse(viewer, _body(viewer, first, sound), "video/mp4", desk, who)


async def _body(viewer: Viewer, first: Sample, sound: bool) -> AsyncIterator[bytes]:
    feed = viewer.stream.feed
    announced = (feed.hub.audio or feed.notes.audio) if sound else None
    sounds = EVERY_SOUND if sound else frozenset[Codec]()
    stream = LiveStream(viewer.stream.name, announced, sounds, stamped=True, steady=True)
    breaks = viewer.breaks
    begun = False
    sample: Sample | None = first
    while sample is not None:
        if viewer.breaks != breaks:
            breaks = viewer.breaks
            stream.lose()
        try:
            made = stream.add(sample)
        except MediaError:
            return
        for each in made:
            if isinstance(each, Beginning):
                if begun:
                    return
                begun = True
            else:
                viewer.frames += each.picture
            yield each.data
        sample = await viewer.next()
