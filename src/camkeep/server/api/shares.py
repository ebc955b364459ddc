"""Links to one clip, for people without an account: made, listed, taken back. What a link leads to
is served elsewhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from camkeep.errors import CamkeepError
from camkeep.server.access import How, Principal, Right
from camkeep.server.accounts.values import Share
from camkeep.server.api.clips import BookOf, to_change
from camkeep.server.api.instants import Instant
from camkeep.server.clipbook import ClipBook
from camkeep.server.desk import Desk, DeskOf
from camkeep.server.problems import Problem, not_found
from camkeep.server.web.guard import Operator
from camkeep.server.web.visit import VisitOf

router = APIRouter(prefix="/shares", tags=["shares"])


class ShareTold(BaseModel):
    """A link."""

    id: str
    clip: str
    name: str = Field(description="Whom it is for")
    user: str | None = Field(description="The id of whoever made it")
    user_name: str
    created_us: int
    expires_us: int
    over: bool = Field(description="Whether it has ended, or was taken back")
    revoked: bool
    downloads: int


class ShareList(BaseModel):
    """Links, the oldest first; those that ended in the last 30 days too."""

    shares: list[ShareTold]


class NewShare(BaseModel):
    """A link to be made."""

    model_config = ConfigDict(extra="forbid")

    clip: str = Field(max_length=64, description="Its id")
    name: str = Field("", max_length=256, description="Whom it is for")
    expires: Instant = Field(description="RFC 3339, or µs since 1970 in UTC; within a year")


class MadeShare(ShareTold):
    """A new link."""

    secret: str = Field(description="What makes the link: it is shown this once")


@router.get("")
async def shares(
    who: Operator,
    desk: DeskOf,
    book: BookOf,
    clip: Annotated[str | None, Query(max_length=64, description="Only to that one")] = None,
) -> ShareList:
    """Links to a clip; without one those that you made, for administrators all."""
    if clip is not None:
        to_change(await book.get(clip), who)
    found = [
        share
        for share in await desk.accounts.shares.all(clip)
        if clip is not None or who.has(Right.ADMIN) or await _is_own(who, share, book)
    ]
    return ShareList(shares=[_told(desk, share) for share in found])


@router.post("", status_code=201)
async def make(
    wanted: NewShare, who: Operator, desk: DeskOf, book: BookOf, visit: VisitOf
) -> MadeShare:
    """Make a link to a clip of which you may see every camera."""
    clip = to_change(await book.get(wanted.clip), who)
    if clip.end is None:
        raise Problem(409, "Being recorded", "stop the recording first, then share the clip")
    secret, share = await desk.accounts.shares.make(
        clip.id, wanted.name, wanted.expires, who.user_id
    )
    await desk.accounts.audit.note(
        who, "share.make", share.id, visit.address, clip=clip.id, name=share.name
    )
    return MadeShare(secret=secret, **_told(desk, share).model_dump())


@router.delete("/{share_id}", status_code=204)
async def revoke(share_id: str, who: Operator, desk: DeskOf, book: BookOf, visit: VisitOf) -> None:
    """Take a link back."""
    found = await desk.accounts.shares.all()
    share = next((each for each in found if each.id == share_id), None)
    if share is None or not await _may_revoke(who, share, book):
        raise not_found("link")
    await desk.accounts.shares.revoke(share.id)
    await desk.accounts.audit.note(who, "share.revoke", share.id, visit.address, clip=share.clip)


async def _may_revoke(who: Principal, share: Share, book: ClipBook) -> bool:
    """Whoever made it, whoever may change its clip, administrators."""
    return (
        who.has(Right.ADMIN)
        or await _is_own(who, share, book)
        or await _may_change(who, share, book)
    )


async def _is_own(who: Principal, share: Share, book: ClipBook) -> bool:
    """Whether they made it. A token may see less than its user, whose the link is."""
    if share.user is None or share.user != who.user_id:
        return False
    return who.how is not How.TOKEN or await _may_change(who, share, book)


async def _may_change(who: Principal, share: Share, book: ClipBook) -> bool:
    """Whether they see all cameras of its clip, if that is there."""
    try:
        to_change(await book.get(share.clip), who)
    except (Problem, CamkeepError):
        return False
    return True


def _told(desk: Desk, share: Share) -> ShareTold:
    maker = desk.accounts.shares.maker(share)
    return ShareTold(
        id=share.id,
        clip=share.clip,
        name=share.name,
        user=share.user,
        user_name="" if maker is None else maker.name,
        created_us=share.created,
        expires_us=share.expires,
        over=desk.accounts.shares.is_over(share),
        revoked=share.revoked,
        downloads=share.downloads,
    )
