"""Live pictures and sound as low-latency HLS (RFC 8216bis): a playlist, an initialization segment,
segments and partial segments. For players that know nothing else, and over proxies.

Playlists and partial segments are waited for: a request for what is next is answered when it is
there (`_HLS_msn`, `_HLS_part`, EXT-X-PRELOAD-HINT). A token in the playlist's address goes on to
those of its segments.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from camkeep.server.desk import Desk, DeskOf
from camkeep.server.live.answer import first_of
from camkeep.server.live.hlsstream import HlsStream
from camkeep.server.live.packagers import Packager
from camkeep.server.live.viewers import Watched, Which, stream_of
from camkeep.server.problems import Problem, not_found
from camkeep.server.web.guard import MediaLooker, watched

router = APIRouter(tags=["live"])

PLAYLIST = "application/vnd.apple.mpegurl"
WAIT_S = 10.0
"""How long a request may wait for what comes next."""
_NAME = re.compile(r"(?:init(\d{1,6})\.mp4|seg(\d{1,12})\.m4s|part(\d{1,12})\.(\d{1,4})\.m4s)")
Number = Annotated[int | None, Query(ge=0, lt=10**12)]


@router.get(
    "/cameras/{camera_id}/live.m3u8",
    response_class=Response,
    responses={200: {"content": {PLAYLIST: {}}, "description": "The playlist of this moment"}},
)
async def live_m3u8(
    request: Request,
    camera_id: str,
    who: MediaLooker,
    desk: DeskOf,
    stream: Which = Which.MAIN,
    msn: Annotated[Number, Query(alias="_HLS_msn")] = None,
    part: Annotated[Number, Query(alias="_HLS_part")] = None,
) -> Response:
    """Live pictures and sound as low-latency HLS, of cameras that send H.264 or H.265."""
    source = stream_of(watched(desk, who, camera_id), stream)
    packager, hls = await _playing(desk, source)
    if part is not None and msn is None:
        raise Problem(400, "Not understood", "say _HLS_msn with _HLS_part")
    if msn is not None:
        if msn > hls.coming[0] + 2:
            raise Problem(400, "Not understood", "that segment lies too far in the future")
        wanted = msn
        await _until(packager, lambda: hls.reached(wanted, part))
    token = request.query_params.get("token")
    query = "?" + urlencode({"token": token}) if token is not None else ""
    text = hls.playlist(f"hls/{source.which.value}/", query)
    return Response(text, media_type=PLAYLIST, headers={"cache-control": "no-store"})


@router.get(
    "/cameras/{camera_id}/hls/{stream}/{name}",
    response_class=Response,
    responses={200: {"content": {"video/mp4": {}}, "description": "A piece of the stream"}},
)
async def piece(
    camera_id: str, stream: Which, name: str, who: MediaLooker, desk: DeskOf
) -> Response:
    """What a playlist names."""
    source = stream_of(watched(desk, who, camera_id), stream)
    packager = desk.live.packagers.there(source)
    found = _NAME.fullmatch(name)
    if packager is None or packager.stream is None or found is None:
        raise not_found("piece of the stream, or not any more")
    init, segment, of, part = (None if n is None else int(n) for n in found.groups())
    hls = packager.stream
    if init is not None:
        data = hls.maps.get(init)
    elif segment is not None:
        data = _whole(hls, segment)
    else:
        assert of is not None
        assert part is not None
        data = await _part(packager, hls, of, part)
    if data is None:
        raise not_found("piece of the stream, or not any more")
    return Response(data, media_type="video/mp4", headers={"cache-control": "no-store"})


async def _playing(desk: Desk, source: Watched) -> tuple[Packager, HlsStream]:
    """The stream's packager, once there is something to play. Raises Problem."""
    packager = desk.live.packagers.get(source, desk.clock)

    async def something() -> bool | None:
        while not packager.ready and not packager.jpeg and not packager.over:
            await packager.change()
        return None if packager.over and not packager.ready else True

    await first_of(source.feed, something)
    if packager.jpeg or packager.stream is None:
        packager.close()
        raise Problem(
            409,
            "Not supported",
            "the camera sends JPEGs, and HLS has none: use live.mjpeg",
            kind="urn:camkeep:not-supported",
        )
    return packager, packager.stream


async def _until(packager: Packager, there: Callable[[], bool]) -> None:
    """Wait for what comes. Raises Problem 503 where it does not."""
    try:
        async with asyncio.timeout(WAIT_S):
            while not there() and not packager.over:
                await packager.change()
    except TimeoutError:
        told = "the camera has sent nothing new for a while: try again"
        raise Problem(503, "Nothing new", told, headers={"retry-after": "1"}) from None


async def _part(packager: Packager, hls: HlsStream, segment: int, part: int) -> bytes | None:
    """A partial segment; the one that is next is waited for."""
    if (segment, part) == hls.coming:
        await _until(packager, lambda: hls.coming != (segment, part))
    return hls.part(segment, part)


def _whole(hls: HlsStream, number: int) -> bytes | None:
    segment = hls.segment(number)
    if segment is None or not segment.complete:
        return None
    return b"".join(part.data for part in segment.parts)
