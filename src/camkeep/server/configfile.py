"""All that people decided, as a TOML file that can be read, compared and kept in git. Pure; what
reads such a file is in `configread`.

Only what is not as it would be anyway is written, in an order that never changes without cause, so
that a change of one thing changes one line. Without secrets the file has none: what is missing is
kept where it is known already (`configapply`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tomli_w

from camkeep.model import CameraId
from camkeep.server.access import Role
from camkeep.server.amounts import size_text, time_text
from camkeep.server.camerasettings import CameraSettings
from camkeep.server.cameraurl import bare, login_of
from camkeep.server.keeppolicy import KEY as POLICY

VERSION = 1
ALL = "all"
"""In place of a list of cameras."""

FIRST_LINE = "# The settings of camkeep: cameras, users, and what else was set."
"""By which such a file is known."""

_HEADER = f"""\
{FIRST_LINE}
# `camkeep config export` wrote it, and `camkeep config import` applies it; where camkeep listens,
# and where its data is, stands in camkeep.toml.
{{secrets}}
# What is not named of a camera is as usual. In place of a password: password_file = "FILE" (its
# first line), or password_env = "VARIABLE".
"""
_WITHOUT = """\
# It holds no secret. Where it is imported, the passwords that are known there stay.
"""
_WITH = """\
# IT HOLDS SECRETS: the passwords of cameras, and the hashes of those of users. Keep it to yourself.
"""


@dataclass(frozen=True, slots=True)
class UserEntry:
    """A user as the file has one."""

    name: str
    role: Role
    cameras: tuple[str, ...] | None
    """Names or ids; None for all."""
    disabled: bool = False
    password_hash: str | None = None


@dataclass(frozen=True, slots=True)
class CameraEntry:
    """A camera as the file has one."""

    id: CameraId | None
    values: Mapping[str, object]
    """As `camerasettings.changed` takes them: all that are no secret, and those that it has."""

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.values["name"])


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file."""

    cameras: tuple[CameraEntry, ...] = ()
    users: tuple[UserEntry, ...] = ()
    settings: Mapping[str, object] | None = None
    """None where the file says nothing of them."""


@dataclass(slots=True)
class Report:
    """What an import did, or would do: a line each."""

    changes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What a person has to do now."""


# writing


def write_document(
    cameras: list[CameraSettings],
    users: list[UserEntry],
    settings: Mapping[str, object],
    *,
    secrets: bool,
) -> str:
    """The file. `users` have hashes only where `secrets` are to be in it."""
    header = _HEADER.format(secrets=(_WITH if secrets else _WITHOUT).rstrip("\n"))
    blocks = [header, tomli_w.dumps({"version": VERSION})]
    keep = _keep(settings.get(POLICY))
    if keep is not None:
        blocks.append("[keep]\n" + tomli_w.dumps(keep))
    names = sorted(key for key in settings if key != POLICY or keep is None)
    if names:
        blocks.append("[settings]\n" + "".join(_setting(key, settings[key]) for key in names))
    blocks += ["[[camera]]\n" + tomli_w.dumps(_camera(each, secrets)) for each in cameras]
    users = sorted(users, key=lambda user: (user.name.casefold(), user.name))
    blocks += ["[[user]]\n" + tomli_w.dumps(_user(each, secrets)) for each in users]
    return "\n".join(blocks)


def _camera(camera: CameraSettings, secrets: bool) -> dict[str, object]:
    """Its keys and values, without those that are as usual."""
    public = camera.public()
    usual = CameraSettings(camera.id, "x", "testcard:").open_part()
    found: dict[str, object] = {"id": camera.id, "name": camera.name}
    for prefix, url in (("", camera.url), ("sub_", camera.sub_url or "")):
        login = login_of(url)
        if url:
            found[f"{prefix}address"] = public[f"{prefix}address"]
        if url and secrets:
            found[f"{prefix}address"] = bare(url)
        if login is not None:
            found[f"{prefix}user"] = login.user
        if login is not None and login.password and secrets:
            found[f"{prefix}password"] = login.password
    found["mode"] = public["mode"]
    for key, value in camera.open_part().items():
        if key != "mode" and value != usual[key] and value is not None:
            name, write = _WRITTEN.get(key, (key, None))
            found[name] = write(value) if write else value
    return found


def _user(user: UserEntry, secrets: bool) -> dict[str, object]:
    cameras = ALL if user.cameras is None else sorted(user.cameras)
    found: dict[str, object] = {"name": user.name, "role": user.role.value, "cameras": cameras}
    if user.disabled:
        found["disabled"] = True
    if secrets and user.password_hash is not None:
        found["password_hash"] = user.password_hash
    return found


def _keep(policy: object) -> dict[str, str] | None:
    """How much is kept of all cameras, where that was set, in words; None where it was not."""
    match policy:
        case {
            "max_bytes": int() | None as size,
            "max_age_s": int() | float() | None as age_s,
            "keep_free_bytes": int() as free,
            **others,
        } if not others:
            found = {"max_size": size and size_text(size), "max_age": age_s and time_text(age_s)}
            found["keep_free"] = size_text(free) if free else "0"
            return {key: text for key, text in found.items() if text}
    return None


def _setting(key: str, value: object) -> str:
    """A line of [settings]; the value as JSON where TOML has no such thing (null, tables)."""
    if _is_plain(value):
        return tomli_w.dumps({key: value})
    name = tomli_w.dumps({key: 0}).rpartition(" = ")[0]
    text = tomli_w.dumps({"json": json.dumps(value, sort_keys=True)}).strip()
    return f"{name} = {{ {text} }}\n"


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(_is_plain(each) for each in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 2**63
    return isinstance(value, str | bool | float)


_WRITTEN: dict[str, tuple[str, Callable[[Any], str]]] = {
    "pre_roll_s": ("pre_roll", time_text),
    "segment_s": ("segment", time_text),
    "flush_s": ("flush", time_text),
    "timeout_s": ("timeout", time_text),
    "max_bytes": ("max_size", size_text),
    "max_age_s": ("max_age", time_text),
}
"""What people write as text: the name and value in the file."""
