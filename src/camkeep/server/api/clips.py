"""Clips: what people marked, to be kept and handed on. Instants are microseconds since 1970, UTC.

A person sees of a clip the cameras that were granted to them; one of which none was does not
exist for them. To change a clip one must have been granted all of its cameras.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection

from camkeep.archive.layout import moment, new_clip_id
from camkeep.clock import WallUs
from camkeep.errors import UsageError
from camkeep.model import CameraId, Clip
from camkeep.server.access import Principal
from camkeep.server.api.instants import Instant
from camkeep.server.clipbook import ClipBook
from camkeep.server.desk import DeskOf, desk_of
from camkeep.server.problems import Problem, not_found
from camkeep.server.shelf import ShelfOf
from camkeep.server.web.guard import Looker, Operator
from camkeep.server.web.visit import VisitOf

router = APIRouter(prefix="/clips", tags=["clips"])

LONGEST_NAME = 200
MOST_CAMERAS = 64
MOST_CLIPS = 5000
"""In one archive: they are read into memory."""
PAGE = 500


async def book_of(connection: HTTPConnection) -> ClipBook:
    """That of the application which got the request, made for the first of them."""
    state, desk = connection.app.state, desk_of(connection)
    book: ClipBook | None = getattr(state, "clipbook", None)
    if book is None:
        book = ClipBook(desk.archive, desk.clock, lambda: desk.service.cameras)
        state.clipbook = book
    return book


BookOf = Annotated[ClipBook, Depends(book_of)]
Name = Annotated[str, Field(max_length=LONGEST_NAME, description="As a person calls it")]


class ClipTold(BaseModel):
    """A clip, as far as its cameras may be seen."""

    id: str
    name: str
    cameras: list[str] = Field(description="Ids, without those that were not granted")
    start_us: int
    end_us: int | None = Field(description="null while it is being recorded")
    held: bool = Field(description="Its footage is kept, whatever the quotas say")
    created_us: int


class ClipList(BaseModel):
    """Clips, the newest first."""

    clips: list[ClipTold]
    left_out: int = Field(description="How many more there are: ask for those before the last")


class NewClip(BaseModel):
    """A clip to be made."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    cameras: list[Annotated[str, Field(max_length=64)]] = Field(
        min_length=1, max_length=MOST_CAMERAS, description="Their ids"
    )
    start: Instant = Field(alias="from", description="RFC 3339, or µs since 1970 in UTC")
    end: Instant = Field(alias="to", description="Likewise")
    name: Name = ""
    held: bool = Field(True, description="Keep its footage, whatever the quotas say")


class ClipChange(BaseModel):
    """What of a clip is to be another; what is left away stays."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: Name | None = None
    held: bool | None = None
    start: Instant | None = Field(None, alias="from", description="Where it begins")
    end: Instant | None = Field(None, alias="to", description="Where it ends")


@router.get("")
def clips(
    who: Looker,
    shelf: ShelfOf,
    camera: Annotated[str | None, Query(max_length=64, description="Only of that one")] = None,
    before: Annotated[
        Instant | None, Query(description="Only those that begin before then, for more of them")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = 100,
) -> ClipList:
    """Clips, the newest first."""
    with shelf.catalog() as catalog:
        found = catalog.clips()
    visible = [
        clip
        for clip in reversed(found)
        if any(who.may_see(of) for of in clip.cameras)
        and (camera is None or (camera in clip.cameras and who.may_see(CameraId(camera))))
        and (before is None or clip.start < before)
    ]
    return ClipList(
        clips=[clip_told(clip, who) for clip in visible[:limit]],
        left_out=max(0, len(visible) - limit),
    )


@router.post("", status_code=201)
async def make(
    wanted: NewClip, who: Operator, desk: DeskOf, shelf: ShelfOf, book: BookOf, visit: VisitOf
) -> ClipTold:
    """Make a clip of what was recorded."""
    if wanted.start >= wanted.end:
        raise UsageError("the clip ends before it begins")
    ids = tuple(CameraId(each) for each in dict.fromkeys(wanted.cameras))
    known = await shelf.cameras()
    for each in ids:
        if each not in known or not who.may_see(each):
            raise not_found("camera")
    if await shelf.count_clips() >= MOST_CLIPS:
        raise UsageError(f"there are {MOST_CLIPS} clips: delete some first")
    shown = known[ids[0]].name if len(ids) == 1 else f"{len(ids)} cameras"  # all of them read it
    name = checked_name(wanted.name) or default_name(shown, wanted.start)
    now = desk.clock.wall()
    clip = Clip(new_clip_id(), name, ids, wanted.start, wanted.end, wanted.held, now)
    await book.add(clip)
    await desk.accounts.audit.note(who, "clip.make", clip.id, visit.address)
    return clip_told(clip, who)


@router.get("/{clip_id}")
async def one(clip_id: str, who: Looker, book: BookOf) -> ClipTold:
    """One clip."""
    return clip_told(granted(await book.get(clip_id), who), who)


@router.patch("/{clip_id}")
async def change(
    clip_id: str, wanted: ClipChange, who: Operator, desk: DeskOf, book: BookOf, visit: VisitOf
) -> ClipTold:
    """Rename a clip, hold it or let it go, move its ends."""
    clip = to_change(await book.get(clip_id), who)
    if wanted.end is not None and book.recorder(clip_id) is not None:
        raise Problem(409, "Being recorded", "stop the recording first, then move its end")
    changed = await book.change(clip_id, lambda clip: _changed(clip, wanted))
    await desk.accounts.audit.note(who, "clip.change", clip.id, visit.address)
    return clip_told(changed, who)


@router.delete("/{clip_id}")
async def delete(
    clip_id: str, who: Operator, desk: DeskOf, book: BookOf, visit: VisitOf
) -> ClipTold:
    """Delete a clip. Its footage stays as long as the quotas let it; for an hour the clip can be
    brought back."""
    to_change(await book.get(clip_id), who)
    clip = await book.delete(clip_id)
    await desk.accounts.audit.note(who, "clip.delete", clip.id, visit.address)
    return clip_told(clip, who)


@router.post("/{clip_id}/restore")
async def restore(
    clip_id: str, who: Operator, desk: DeskOf, book: BookOf, visit: VisitOf
) -> ClipTold:
    """Bring back a clip that was deleted within the last hour, since the service began."""
    to_change(book.deleted(clip_id), who)
    clip = await book.restore(clip_id)
    await desk.accounts.audit.note(who, "clip.restore", clip.id, visit.address)
    return clip_told(clip, who)


def granted(clip: Clip, who: Principal) -> Clip:
    """`clip`, of which somebody may see a camera at least. Raises Problem 404."""
    if not any(who.may_see(camera) for camera in clip.cameras):
        raise not_found("clip")
    return clip


def to_change(clip: Clip, who: Principal) -> Clip:
    """The same where they may see them all. Raises Problem 404 or 403."""
    granted(clip, who)
    if not all(who.may_see(camera) for camera in clip.cameras):
        raise Problem(403, "Not allowed", "the clip also shows cameras that you may not see")
    return clip


def clip_told(clip: Clip, who: Principal) -> ClipTold:
    """As answers have it."""
    return ClipTold(
        id=clip.id,
        name=clip.name,
        cameras=[camera for camera in clip.cameras if who.may_see(camera)],
        start_us=clip.start,
        end_us=clip.end,
        held=clip.held,
        created_us=clip.created,
    )


def checked_name(name: str) -> str:
    """As it is kept. Raises UsageError."""
    found = unicodedata.normalize("NFC", name).strip()
    if not found.isprintable():
        raise UsageError("the name holds signs that cannot be shown")
    return found


def default_name(camera: str, start: WallUs) -> str:
    """Of a clip that nobody gave a name."""
    return f"{camera} {moment(start).astimezone():%Y-%m-%d %H:%M:%S}"[:LONGEST_NAME]


def _changed(clip: Clip, wanted: ClipChange) -> Clip:
    name = clip.name if wanted.name is None else checked_name(wanted.name) or clip.name
    held = clip.held if wanted.held is None else wanted.held
    start = clip.start if wanted.start is None else wanted.start
    end = clip.end if wanted.end is None else wanted.end
    moved = wanted.start is not None or wanted.end is not None
    if moved and end is not None and start >= end:
        raise UsageError("the clip ends before it begins")
    return replace(clip, name=name, held=held, start=start, end=end)
