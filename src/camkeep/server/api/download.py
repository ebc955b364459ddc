"""Footage as MP4, to be saved or played: of a clip, of any interval of a camera, of a shared clip.

The movie is virtual: nothing is written for it, the first byte comes at once, and any range of it
can be asked for (``curl -C -`` goes on where it was). Its ETag is the same for the same bytes. One
MP4 cannot hold every change of a camera (another codec, a gap of hours): then there are parts.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from camkeep.archive.layout import moment
from camkeep.clock import WallUs
from camkeep.model import CameraId, Clip
from camkeep.server.access import Principal
from camkeep.server.api.clips import BookOf, granted
from camkeep.server.api.instants import From, To, interval
from camkeep.server.desk import Desk, DeskOf
from camkeep.server.movies import movie_response
from camkeep.server.openclips import Wish
from camkeep.server.problems import Problem, not_found
from camkeep.server.shelf import Shelf, ShelfOf
from camkeep.server.web.guard import Anybody, MediaLooker, seen

router = APIRouter(tags=["movies"])

Evidence = Annotated[bool, Query(description="It can be verified away from the archive")]
CutGaps = Annotated[bool, Query(description="What follows a gap comes right after what was before")]
Part = Annotated[int, Query(ge=0, le=10_000, description="Which part, where there are several")]
OfCamera = Annotated[
    str | None, Query(max_length=64, description="Its id, where the clip has several")
]
MOVIE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"video/mp4": {}}, "description": "The movie"},
    206: {"content": {"video/mp4": {}}, "description": "The ranges of it that were asked for"},
    304: {"description": "It is the one that the client has"},
}


class Shown(BaseModel):
    """A stretch without a gap: which time of the movie is which instant."""

    at_us: int = Field(description="Since the start of the movie")
    wall_us: int = Field(description="The instant that is shown then")
    length_us: int


class PartTold(BaseModel):
    """One movie."""

    part: int
    start_us: int = Field(description="The instant that is shown at time 0")
    duration_us: int
    bytes: int
    etag: str = Field(description="Without its quotation marks")
    spans: list[Shown]


class MissingTold(BaseModel):
    """Footage that should be in it and cannot be read."""

    start_us: int
    end_us: int
    reason: str


class Parts(BaseModel):
    """The movies that an interval comes to: mostly one."""

    parts: list[PartTold]
    missing: list[MissingTold]


class SharedTold(BaseModel):
    """A clip that somebody shared."""

    name: str
    start_us: int
    end_us: int | None
    cameras: int = Field(description="How many: `camera=0` is the first")
    expires_us: int = Field(description="When the link ends")
    movies: list[list[int]] = Field(
        description="Of each camera the sizes in bytes of its parts: none where nothing is kept"
    )


@router.get("/cameras/{camera_id}/video.mp4", response_class=Response, responses=MOVIE)
@router.head("/cameras/{camera_id}/video.mp4", include_in_schema=False)
async def camera_movie(
    request: Request,
    camera_id: str,
    start: From,
    who: MediaLooker,
    desk: DeskOf,
    shelf: ShelfOf,
    end: To = None,
    evidence: Evidence = False,
    cut_gaps: CutGaps = False,
    part: Part = 0,
) -> Response:
    """What a camera saw from one instant to another."""

    def answer() -> Response:
        camera = seen(desk, who, camera_id)
        wish = _wish(desk, camera.id, start, end, evidence, cut_gaps)
        name = f"{camera.name} {_when(start)}"
        return movie_response(request, desk, shelf, who, wish, name, part)

    return await shelf.build(answer)


@router.get("/cameras/{camera_id}/video.mp4/parts")
async def camera_parts(
    camera_id: str,
    start: From,
    who: MediaLooker,
    desk: DeskOf,
    shelf: ShelfOf,
    end: To = None,
    evidence: Evidence = False,
    cut_gaps: CutGaps = False,
) -> Parts:
    """The movies that it comes to, and what of it is shown when."""

    def answer() -> Parts:
        camera = seen(desk, who, camera_id)
        return _parts(shelf, _wish(desk, camera.id, start, end, evidence, cut_gaps))

    return await shelf.build(answer)


@router.get("/clips/{clip_id}/video.mp4", response_class=Response, responses=MOVIE)
@router.head("/clips/{clip_id}/video.mp4", include_in_schema=False)
async def clip_movie(
    request: Request,
    clip_id: str,
    who: MediaLooker,
    desk: DeskOf,
    shelf: ShelfOf,
    camera: OfCamera = None,
    evidence: Evidence = False,
    cut_gaps: CutGaps = False,
    part: Part = 0,
) -> Response:
    """A clip as a movie; of its first camera unless another is asked for."""

    def answer() -> Response:
        clip = _clip(shelf, who, clip_id)
        of = _camera_of(clip, who, camera)
        called = seen(desk, who, of).name
        name = clip.name if len(clip.cameras) == 1 else f"{clip.name} {called}"
        wish = clip_wish(clip, of, evidence, cut_gaps)
        return movie_response(request, desk, shelf, who, wish, name, part)

    return await shelf.build(answer)


@router.get("/clips/{clip_id}/video.mp4/parts")
async def clip_parts(
    clip_id: str,
    who: MediaLooker,
    shelf: ShelfOf,
    camera: OfCamera = None,
    evidence: Evidence = False,
    cut_gaps: CutGaps = False,
) -> Parts:
    """The movies that it comes to, and what of it is shown when."""

    def answer() -> Parts:
        clip = _clip(shelf, who, clip_id)
        return _parts(shelf, clip_wish(clip, _camera_of(clip, who, camera), evidence, cut_gaps))

    return await shelf.build(answer)


@router.get("/shared/{secret}")
async def shared(
    secret: str, who: Anybody, desk: DeskOf, shelf: ShelfOf, book: BookOf
) -> SharedTold:
    """What a link leads to. Whoever has the link needs no login."""
    clip, cameras, expires = await _shared(desk, book, secret)

    def movies() -> list[list[int]]:
        found = [_parts(shelf, clip_wish(clip, camera, False, False)) for camera in cameras]
        return [[part.bytes for part in each.parts] for each in found]

    return SharedTold(
        name=clip.name,
        start_us=clip.start,
        end_us=clip.end,
        cameras=len(cameras),
        expires_us=expires,
        movies=await shelf.build(movies),
    )


@router.get("/shared/{secret}/video.mp4", response_class=Response, responses=MOVIE)
@router.head("/shared/{secret}/video.mp4", include_in_schema=False)
async def shared_movie(
    request: Request,
    secret: str,
    who: Anybody,
    desk: DeskOf,
    shelf: ShelfOf,
    book: BookOf,
    camera: Annotated[int, Query(ge=0, le=1000, description="Which of its cameras")] = 0,
    part: Part = 0,
) -> Response:
    """A shared clip as a movie."""
    clip, cameras, _ = await _shared(desk, book, secret)
    if camera >= len(cameras):
        raise not_found("camera of this clip")
    wish = clip_wish(clip, cameras[camera], False, False)
    answer = await shelf.build(
        lambda: movie_response(request, desk, shelf, None, wish, clip.name, part)
    )
    if request.method == "GET" and "range" not in request.headers:
        share = desk.accounts.shares.find(secret)
        if share is not None:
            await desk.accounts.shares.count(share)
    return answer


async def _shared(desk: Desk, book: BookOf, secret: str) -> tuple[Clip, list[CameraId], WallUs]:
    """The clip of a link, those of its cameras that who made it may see, and when it ends. Raises
    the same Problem for links that ended, were taken back, or never were."""
    share = desk.accounts.shares.find(secret)
    if share is None:
        raise _no_link()
    maker = desk.accounts.shares.maker(share)
    try:
        clip = await book.get(share.clip)
    except Problem:
        raise _no_link() from None
    cameras = [of for of in clip.cameras if maker is None or maker.may_see(of)]
    if not cameras:
        raise _no_link()
    return clip, cameras, share.expires


def _no_link() -> Problem:
    told = "this link has ended or was taken back: ask whoever sent it for another"
    return Problem(404, "Not found", told)


def clip_wish(clip: Clip, camera: CameraId, evidence: bool, cut_gaps: bool) -> Wish:
    """What a clip is of one of its cameras."""
    start, end = clip.start, clip.end
    if end is not None and end <= start:  # the clock was set back while it was recorded
        start, end = end, WallUs(max(start, end + 1))
    return Wish(camera, start, end, evidence, cut_gaps)


def _wish(
    desk: Desk, camera: CameraId, start: WallUs, end: WallUs | None, evidence: bool, cut_gaps: bool
) -> Wish:
    interval(start, desk.clock.wall() if end is None else end)
    return Wish(camera, start, end, evidence, cut_gaps)


def _clip(shelf: Shelf, who: Principal, clip_id: str) -> Clip:
    with shelf.catalog() as catalog:
        clip = catalog.clip(clip_id)
    if clip is None:
        raise not_found("clip")
    return granted(clip, who)


def _camera_of(clip: Clip, who: Principal, asked: str | None) -> CameraId:
    """The one that was asked for, or the first that somebody may see."""
    found = [of for of in clip.cameras if who.may_see(of) and asked in (None, of)]
    if not found:
        raise not_found("camera of this clip")
    return found[0]


def _parts(shelf: Shelf, wish: Wish) -> Parts:
    opened = shelf.clips.take(wish)
    try:
        return Parts(
            parts=[
                PartTold(
                    part=number,
                    start_us=movie.start,
                    duration_us=movie.duration_us,
                    bytes=movie.size,
                    etag=movie.etag,
                    spans=[
                        Shown(at_us=span.at_us, wall_us=span.wall, length_us=span.length_us)
                        for span in movie.spans
                    ],
                )
                for number, movie in enumerate(opened.clip)
            ],
            missing=[
                MissingTold(start_us=m.segment.start, end_us=m.segment.end, reason=m.reason)
                for m in opened.clip.missing
            ],
        )
    finally:
        shelf.clips.give_back(opened)


def _when(start: WallUs) -> str:
    """In UTC, as files of the archive are called."""
    return f"{moment(start):%Y-%m-%d %H-%M-%SZ}"
