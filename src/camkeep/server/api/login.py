"""Logging in and out, the first account, and who somebody is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from camkeep.server.access import How, Principal, Role
from camkeep.server.accounts.passwords import LONGEST, check_password
from camkeep.server.accounts.sessions import LONGEST_US
from camkeep.server.accounts.values import Session, checked_name
from camkeep.server.desk import Desk, DeskOf
from camkeep.server.problems import Problem
from camkeep.server.web.guard import Anybody, Looker
from camkeep.server.web.identify import cookie_name
from camkeep.server.web.visit import Visit, VisitOf

router = APIRouter(tags=["login"])

Name = Annotated[str, Field(max_length=256, description="Of the user; case does not matter")]
Password = Annotated[SecretStr, Field(max_length=LONGEST)]


class Login(BaseModel):
    """What a person types."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    password: Password


class Setup(Login):
    """The first account, which is an administrator's."""

    code: SecretStr | None = Field(
        None, max_length=100, description="From the service's console; not needed on its machine"
    )


class NewPassword(BaseModel):
    """Another password."""

    model_config = ConfigDict(extra="forbid")

    old: Password = Field(description="The one until now")
    new: Password


class Person(BaseModel):
    """Somebody who is known."""

    id: str | None = Field(description="null for this machine while there is no account")
    name: str
    role: Role
    cameras: list[str] | None = Field(description="Ids of those that were granted; null for all")
    how: How
    login: str | None = Field(description="Which session or token it is, as lists name it")


class Me(BaseModel):
    """Who asks."""

    user: Person | None = Field(description="null where nobody is logged in")
    accounts: bool = Field(description="Whether there is any account; if not, make the first")
    code_wanted: bool = Field(description="Whether making the first needs a code from here")


@router.get("/me")
async def me(who: Anybody, desk: DeskOf, visit: VisitOf) -> Me:
    """Who am I, and is there any account?"""
    return _me(desk, visit, who)


@router.post("/login")
async def login(
    wanted: Login, request: Request, response: Response, who: Anybody, desk: DeskOf, visit: VisitOf
) -> Me:
    """Log in: the answer sets a cookie that scripts cannot read."""
    agent = request.headers.get("user-agent", "")
    password = wanted.password.get_secret_value()
    opened = await desk.accounts.login(wanted.name, password, visit.address, agent)
    return _logged_in(desk, visit, response, *opened)


@router.post("/logout", status_code=204)
async def logout(response: Response, who: Anybody, desk: DeskOf, visit: VisitOf) -> None:
    """End the session, and all that it has open."""
    if who is not None and who.how is How.SESSION and who.login_id is not None:
        await desk.accounts.sessions.end(who.login_id)
        await desk.accounts.audit.note(who, "logout", who.login_id, visit.address)
    _set_cookie(response, visit, "", 0)


@router.post("/setup", status_code=201)
async def setup(
    wanted: Setup, request: Request, response: Response, who: Anybody, desk: DeskOf, visit: VisitOf
) -> Me:
    """Make the first account, and log in to it. From another machine it needs the code that
    stands on the service's console."""
    users, password = desk.accounts.users, wanted.password.get_secret_value()
    if desk.accounts.any_account():
        raise Problem(409, "There is an account", "there is an account already: log in with it")
    name = checked_name(wanted.name)
    check_password(password, name)  # so that no code is used up for nothing
    if not visit.local:
        code = wanted.code.get_secret_value() if wanted.code else ""
        if not desk.first_account.accepts(code):
            told = "type the code that stands on the console of the service"
            if not desk.first_account.offered:
                told = "make the first account where camkeep runs: camkeep user add NAME"
            raise Problem(403, "Code needed", told, kind="urn:camkeep:code")
    user = await users.create(name, password, Role.ADMIN, first=True)
    await desk.accounts.audit.note(who or name, "setup", user.id, visit.address)
    agent = request.headers.get("user-agent", "")
    opened = await desk.accounts.sessions.open(user.id, visit.address, agent)
    if opened is None:
        raise Problem(409, "Gone", "the account was removed meanwhile: make another")
    return _logged_in(desk, visit, response, *opened)


@router.put("/me/password", status_code=204)
async def change_password(wanted: NewPassword, who: Looker, desk: DeskOf, visit: VisitOf) -> None:
    """Change one's own password. All other sessions end."""
    user_id = person(who)
    new = wanted.new.get_secret_value()
    await desk.accounts.confirm(user_id, wanted.old.get_secret_value(), visit.address)
    await desk.accounts.users.set_password(user_id, new, keep=who.login_id)
    await desk.accounts.audit.note(who, "user.password", user_id, visit.address)


def person(who: Principal) -> str:
    """The id of the user who asks, logged in with their password: a token, which may end or be
    worth less, is not enough for what would outlive it. Raises Problem 403."""
    if who.how is not How.SESSION or who.user_id is None:
        told = "make an account first" if who.how is How.LOOPBACK else "no token may do this"
        raise Problem(403, "Not allowed", f"{told}: log in with a password")
    return who.user_id


def _logged_in(desk: Desk, visit: Visit, response: Response, secret: str, session: Session) -> Me:
    _set_cookie(response, visit, secret, LONGEST_US // 1_000_000)
    return _me(desk, visit, desk.accounts.sessions.principal(session))


def _set_cookie(response: Response, visit: Visit, value: str, age_s: int) -> None:
    """For this host alone, never for scripts, never from another site's page."""
    response.set_cookie(
        cookie_name(visit),
        value,
        max_age=age_s,
        path="/",
        secure=visit.secure,
        httponly=True,
        samesite="strict",
    )


def _me(desk: Desk, visit: Visit, who: Principal | None) -> Me:
    accounts = desk.accounts.any_account()
    user = None
    if who is not None:
        user = Person(
            id=who.user_id,
            name=who.name,
            role=who.role,
            cameras=None if who.cameras is None else sorted(who.cameras),
            how=who.how,
            login=who.login_id,
        )
    return Me(user=user, accounts=accounts, code_wanted=not accounts and not visit.local)
