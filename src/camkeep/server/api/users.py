"""Users: who there is, what they may. For administrators, logged in with their password."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from camkeep.model import CameraId
from camkeep.server.access import How, Principal, Role
from camkeep.server.accounts.passwords import LONGEST, check_password
from camkeep.server.accounts.users import MOST_GRANTS
from camkeep.server.accounts.values import Cameras, User
from camkeep.server.desk import Desk, DeskOf
from camkeep.server.problems import Problem, not_found
from camkeep.server.web.guard import Admin
from camkeep.server.web.visit import VisitOf

router = APIRouter(prefix="/users", tags=["users"])

Name = Annotated[str, Field(max_length=256)]
Grants = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=64)]] | None,
    Field(max_length=MOST_GRANTS, description="Ids of cameras; null for all"),
]


class UserTold(BaseModel):
    """A user."""

    id: str
    name: str
    role: Role
    cameras: list[str] | None = Field(description="Ids of those that were granted; null for all")
    disabled: bool
    created_us: int


class UserList(BaseModel):
    """All users, the oldest first."""

    users: list[UserTold]


class NewUser(BaseModel):
    """A user to be made."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    password: Annotated[SecretStr, Field(max_length=LONGEST)]
    role: Role = Role.VIEWER
    cameras: Grants


class UserChange(BaseModel):
    """What of a user is to be another; what is left away stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    password: Annotated[SecretStr, Field(max_length=LONGEST)] | None = None
    role: Role | None = None
    cameras: Grants = None
    disabled: bool | None = None


@router.get("")
async def users(who: Admin, desk: DeskOf) -> UserList:
    """All users."""
    return UserList(users=[user_told(user) for user in desk.accounts.users.all()])


@router.post("", status_code=201)
async def make(wanted: NewUser, who: Admin, desk: DeskOf, visit: VisitOf) -> UserTold:
    """Make a user. The first is an administrator."""
    _no_token(who)
    password = wanted.password.get_secret_value()
    cameras = _granted(wanted.cameras)
    user = await desk.accounts.users.create(wanted.name, password, wanted.role, cameras)
    await desk.accounts.audit.note(
        who, "user.add", user.id, visit.address, name=user.name, role=user.role
    )
    return user_told(user)


@router.get("/{user_id}")
async def one(user_id: str, who: Admin, desk: DeskOf) -> UserTold:
    """One user."""
    return user_told(_user(desk, user_id))


@router.patch("/{user_id}")
async def change(
    user_id: str, wanted: UserChange, who: Admin, desk: DeskOf, visit: VisitOf
) -> UserTold:
    """Change a user. With another role or password, or disabled, they are logged out everywhere;
    what they have open ends at any change."""
    _no_token(who)
    user = _user(desk, user_id)
    own = who.user_id == user_id
    if wanted.password is not None and own:
        told = "change your own password with the old one: PUT /api/v1/me/password"
        raise Problem(409, "Your own password", told)
    after = _changed(user, wanted)
    if wanted.password is not None:
        check_password(wanted.password.get_secret_value(), after.name)
    if after != user:
        user = await desk.accounts.users.change(after, keep=who.login_id if own else None)
        grants = "all" if user.cameras is None else ",".join(sorted(user.cameras))
        await desk.accounts.audit.note(
            who,
            "user.change",
            user.id,
            visit.address,
            name=user.name,
            role=user.role,
            disabled=user.disabled,
            cameras=grants,
        )
    if wanted.password is not None:
        await desk.accounts.users.set_password(user_id, wanted.password.get_secret_value())
        await desk.accounts.audit.note(who, "user.password", user.id, visit.address)
    return user_told(_user(desk, user_id))


@router.delete("/{user_id}", status_code=204)
async def remove(user_id: str, who: Admin, desk: DeskOf, visit: VisitOf) -> None:
    """Remove a user, with their sessions, tokens and links."""
    _no_token(who)
    user = _user(desk, user_id)
    await desk.accounts.users.remove(user.id)
    await desk.accounts.audit.note(who, "user.remove", user.id, visit.address, name=user.name)


def user_told(user: User) -> UserTold:
    """As answers have it."""
    return UserTold(
        id=user.id,
        name=user.name,
        role=user.role,
        cameras=None if user.cameras is None else sorted(user.cameras),
        disabled=user.disabled,
        created_us=user.created,
    )


def _changed(user: User, wanted: UserChange) -> User:
    fields = wanted.model_fields_set
    return replace(
        user,
        name=user.name if wanted.name is None else wanted.name,
        role=user.role if wanted.role is None else wanted.role,
        cameras=_granted(wanted.cameras) if "cameras" in fields else user.cameras,
        disabled=user.disabled if wanted.disabled is None else wanted.disabled,
    )


def _granted(cameras: list[str] | None) -> Cameras:
    return None if cameras is None else frozenset(CameraId(each) for each in cameras)


def _user(desk: Desk, user_id: str) -> User:
    user = desk.accounts.users.by_id(user_id)
    if user is None:
        raise not_found("user")
    return user


def _no_token(who: Principal) -> None:
    """A token ends, or is revoked: what it made of users would outlive it."""
    if who.how is How.TOKEN:
        raise Problem(403, "Not allowed", "no token may do this: log in with a password")
