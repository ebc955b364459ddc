"""The newest picture of a camera, as a JPEG. The stream is fetched where nobody does."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from camkeep.engine.sessions import Off
from camkeep.errors import MediaError, Stalled
from camkeep.model import Codec
from camkeep.server.desk import DeskOf
from camkeep.server.live.answer import switched_off
from camkeep.server.live.viewers import Which, stream_of
from camkeep.server.problems import Problem
from camkeep.server.web.guard import MediaLooker, watched

router = APIRouter(tags=["live"])

TIMEOUT_S = 8.0


@router.get(
    "/cameras/{camera_id}/snapshot.jpg",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "The picture"}},
)
async def snapshot(
    camera_id: str, who: MediaLooker, desk: DeskOf, stream: Which = Which.MAIN
) -> Response:
    """The newest picture: as the camera sent it, or the newest key frame of video. `X-Timestamp`
    says when it was taken (seconds since 1970, UTC), `Age` how many seconds ago that is."""
    source = stream_of(watched(desk, who, camera_id), stream)
    if isinstance(source.feed.state, Off):
        raise switched_off()
    try:
        sample = await source.feed.picture(TIMEOUT_S)
    except Stalled as error:
        raise Problem(
            504, "Gateway Timeout", error.message, kind="urn:camkeep:unreachable"
        ) from None
    jpeg = sample.data
    if sample.params.codec is not Codec.JPEG:
        try:
            jpeg = await desk.live.pictures.single(source, sample)
        except MediaError as error:
            raise Problem(502, "Bad Gateway", str(error), kind="urn:camkeep:camera") from None
    wall = sample.wall
    age_s = max(0, desk.clock.wall() - wall) // 1_000_000
    headers = {
        "cache-control": "no-store",
        "age": str(age_s),
        "x-timestamp": f"{wall // 1_000_000}.{wall % 1_000_000:06}",
    }
    return Response(jpeg, media_type="image/jpeg", headers=headers)
