"""Where somebody is logged in, and the tokens of their programs: one's own, and for administrators
those of all. A token may not see or make others: it could be worth less than they."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from camkeep.model import CameraId
from camkeep.server.access import How, Principal, Right, Role
from camkeep.server.accounts.users import MOST_GRANTS
from camkeep.server.accounts.values import Session, Token
from camkeep.server.api.instants import Instant
from camkeep.server.api.login import person
from camkeep.server.desk import Desk, DeskOf
from camkeep.server.problems import Problem, not_found
from camkeep.server.web.guard import Looker
from camkeep.server.web.visit import VisitOf

router = APIRouter()

Everyone = Annotated[bool, Query(description="Those of all users: for administrators")]


class SessionTold(BaseModel):
    """A login in one browser."""

    id: str
    user: str = Field(description="Its user's id")
    user_name: str
    created_us: int
    used_us: int = Field(description="When it was shown last, to about an hour")
    expires_us: int
    address: str
    agent: str = Field(description="What the browser calls itself")
    current: bool = Field(description="Whether it is the one that asks")


class SessionList(BaseModel):
    """Sessions that have not ended, the oldest first."""

    sessions: list[SessionTold]


class TokenTold(BaseModel):
    """What a program shows in place of a password."""

    id: str
    user: str = Field(description="Its user's id")
    user_name: str
    name: str
    role: Role = Field(description="At most; never more than the user's")
    cameras: list[str] | None = Field(description="At most; null for all that the user sees")
    created_us: int
    expires_us: int | None = Field(description="null for never")
    used_us: int | None = Field(description="When it was shown last, to about an hour")


class TokenList(BaseModel):
    """Tokens, the oldest first; those that ended in the last 30 days too."""

    tokens: list[TokenTold]


class NewToken(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=256, description="What it is for")
    role: Role = Role.VIEWER
    cameras: list[Annotated[str, Field(max_length=64)]] | None = Field(
        None, max_length=MOST_GRANTS, description="Ids; null for all that you see"
    )
    expires: Instant | None = Field(None, description="RFC 3339, or µs since 1970; null for never")


class MadeToken(TokenTold):
    """A new token."""

    token: str = Field(description="The token itself: it is shown this once")


@router.get("/sessions", tags=["sessions"])
async def sessions(who: Looker, desk: DeskOf, everyone: Everyone = False) -> SessionList:
    """Where you are logged in."""
    found = desk.accounts.sessions.all(_whose(who, everyone))
    return SessionList(sessions=[_session_told(desk, each, who) for each in found])


@router.delete("/sessions", status_code=204, tags=["sessions"])
async def end_others(who: Looker, desk: DeskOf, visit: VisitOf) -> None:
    """Log out everywhere but here."""
    user_id = person(who)
    await desk.accounts.sessions.end_all(user_id, keep=who.login_id)
    await desk.accounts.audit.note(who, "session.end", "all others", visit.address)


@router.delete("/sessions/{session_id}", status_code=204, tags=["sessions"])
async def end(session_id: str, who: Looker, desk: DeskOf, visit: VisitOf) -> None:
    """End a session, and all that it has open."""
    session = desk.accounts.sessions.by_id(session_id)
    if session is None or not _theirs(who, session.user):
        raise not_found("session")
    await desk.accounts.sessions.end(session.id)
    await desk.accounts.audit.note(who, "session.end", session.id, visit.address)


@router.get("/tokens", tags=["tokens"])
async def tokens(who: Looker, desk: DeskOf, everyone: Everyone = False) -> TokenList:
    """Your tokens."""
    found = desk.accounts.tokens.all(_whose(who, everyone))
    return TokenList(tokens=[_token_told(desk, each) for each in found])


@router.post("/tokens", status_code=201, tags=["tokens"])
async def make(wanted: NewToken, who: Looker, desk: DeskOf, visit: VisitOf) -> MadeToken:
    """Make a token. It is sent as `Authorization: Bearer ck_...`; for media, which players open
    by URL alone, also as `?token=ck_...`."""
    user_id = person(who)
    cameras = wanted.cameras
    granted = None if cameras is None else frozenset(CameraId(each) for each in cameras)
    secret, token = await desk.accounts.tokens.make(
        user_id, wanted.name, wanted.role, granted, wanted.expires
    )
    await desk.accounts.audit.note(
        who, "token.make", token.id, visit.address, name=token.name, role=token.role
    )
    return MadeToken(token=secret, **_token_told(desk, token).model_dump())


@router.delete("/tokens/{token_id}", status_code=204, tags=["tokens"])
async def revoke(token_id: str, who: Looker, desk: DeskOf, visit: VisitOf) -> None:
    """Revoke a token; what it has open ends."""
    token = next((each for each in desk.accounts.tokens.all() if each.id == token_id), None)
    if token is None or not _theirs(who, token.user):
        raise not_found("token")
    await desk.accounts.tokens.revoke(token.id)
    await desk.accounts.audit.note(who, "token.revoke", token.id, visit.address, name=token.name)


def _whose(who: Principal, everyone: bool) -> str | None:
    """The user whose are asked for; None for all. Raises Problem 403."""
    if not everyone:
        return person(who)
    if not who.has(Right.ADMIN):
        raise Problem(403, "Not allowed", f"{who.role} may not do this: ask an administrator")
    return None


def _theirs(who: Principal, user_id: str) -> bool:
    """Whether they may end what belongs to that user."""
    own = who.user_id == user_id and who.how is How.SESSION
    return own or who.has(Right.ADMIN)


def _name(desk: Desk, user_id: str) -> str:
    user = desk.accounts.users.by_id(user_id)
    return "" if user is None else user.name


def _session_told(desk: Desk, session: Session, who: Principal) -> SessionTold:
    return SessionTold(
        id=session.id,
        user=session.user,
        user_name=_name(desk, session.user),
        created_us=session.created,
        used_us=session.used,
        expires_us=session.expires,
        address=session.address,
        agent=session.agent,
        current=who.login_id == session.id,
    )


def _token_told(desk: Desk, token: Token) -> TokenTold:
    return TokenTold(
        id=token.id,
        user=token.user,
        user_name=_name(desk, token.user),
        name=token.name,
        role=token.role,
        cameras=None if token.cameras is None else sorted(token.cameras),
        created_us=token.created,
        expires_us=token.expires,
        used_us=token.used,
    )
