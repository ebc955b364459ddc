"""The audit log, for administrators: who did what, when, from where."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from camkeep.server.accounts.audit import PAGE
from camkeep.server.desk import DeskOf
from camkeep.server.web.guard import Admin

router = APIRouter(prefix="/audit", tags=["audit"])


class EntryTold(BaseModel):
    """Something that somebody did."""

    id: int
    wall_us: int
    who: str
    how: str = Field(description="session, token, loopback; empty for one who was not known")
    address: str
    action: str = Field(description="camera.remove, login.refused ...")
    object: str = Field(description="The id of what it was done to")
    detail: dict[str, str | int | float | bool | None]


class EntryList(BaseModel):
    """Entries, the newest first."""

    entries: list[EntryTold]


@router.get("")
async def audit(
    who: Admin,
    desk: DeskOf,
    before: Annotated[int | None, Query(ge=0, le=2**62, description="The last id so far")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = 100,
) -> EntryList:
    """What was done, the newest first."""
    found = await desk.accounts.audit.page(before, limit)
    entries = [
        EntryTold(
            id=each.id,
            wall_us=each.wall,
            who=each.who,
            how=each.how,
            address=each.address,
            action=each.action,
            object=each.object,
            detail=dict(each.detail),
        )
        for each in found
    ]
    return EntryList(entries=entries)
