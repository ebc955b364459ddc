"""A copy of the settings to take along, for administrators: as `camkeep backup` writes it.

It is without the key, so it tells no password of a camera; those of people are hashed, sessions
and tokens digested. It is asked for by POST: nothing fetches it by accident.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.responses import Response

from camkeep.server.access import How
from camkeep.server.backup import make_backup
from camkeep.server.desk import DeskOf
from camkeep.server.problems import Problem
from camkeep.server.web.guard import Admin
from camkeep.server.web.visit import VisitOf

router = APIRouter(tags=["system"])

TAR = "application/x-tar"


@router.post(
    "/backup",
    response_class=Response,
    responses={200: {"content": {TAR: {}}, "description": "What `camkeep restore` takes"}},
)
async def backup(who: Admin, desk: DeskOf, visit: VisitOf) -> Response:
    """All settings in one file. The key to the passwords in them is not in it, and no recording.
    Not for tokens: the hashes in it would be of use to somebody when the token is not any more."""
    if who.how is How.TOKEN:
        raise Problem(403, "Not allowed", "no token may do this: log in with a password")
    made = await asyncio.to_thread(make_backup, desk.database.path.parent)
    await desk.accounts.audit.note(who, "backup.make", "", visit.address)
    day = datetime.fromtimestamp(desk.clock.wall() / 1e6, UTC).date()
    name = f'attachment; filename="camkeep-{day}.tar"'
    return Response(made, media_type=TAR, headers={"content-disposition": name})
