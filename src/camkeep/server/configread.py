"""The file that `configfile` writes, or a person: read, and checked as far as it can be by itself.

Blocks where it names files with passwords.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server.access import Role
from camkeep.server.accounts.values import checked_name, folded
from camkeep.server.amounts import read_age, read_between, read_size
from camkeep.server.camerasettings import CameraSettings
from camkeep.server.configfile import ALL, VERSION, CameraEntry, Document, UserEntry
from camkeep.server.keeppolicy import KEY as POLICY

LARGEST = 10_000_000
"""Bytes of a file."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HASH = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,3}),p=([0-9]{1,2})"
    r"\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}"
)
_MOST_MEMORY_KIB, _MOST_ROUNDS, _MOST_LANES = 1_048_576, 20, 16
"""Of a hash: verifying it costs that much, at each login."""


class Reader:
    """Reads one file. Paths in it begin at its `folder`."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._name = name
        self._folder = folder
        self._environment = environment

    def document(self, data: bytes) -> Document:
        """What the file says. Raises UsageError with where in it, and what to write."""
        if len(data) > LARGEST:
            raise self._wrong("it is too large")
        try:
            found = tomllib.loads(data.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._wrong(f"it is not TOML: {error}") from None
        unknown = set(found) - {"version", "keep", "settings", "camera", "user"}
        if unknown:
            raise self._wrong(
                f"{min(unknown)!r} is unknown: write [keep], [settings], [[camera]] or [[user]]"
            )
        if found.get("version", VERSION) != VERSION:
            raise self._wrong("it was written by a newer camkeep")
        cameras = tuple(
            self._entry("camera", n, table, self._camera)
            for n, table in self._tables(found, "camera")
        )
        users = tuple(
            self._entry("user", n, table, self._user) for n, table in self._tables(found, "user")
        )
        self._check_unique("camera", [entry.name.strip().casefold() for entry in cameras])
        self._check_unique("camera", [entry.id for entry in cameras if entry.id], "id")
        self._check_unique("user", [folded(entry.name) for entry in users])
        return Document(cameras, users, self._settings(found))

    def _tables(self, found: Mapping[str, Any], kind: str) -> list[tuple[int, dict[str, Any]]]:
        tables = found.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            raise self._wrong(f"write [[{kind}]] above each {kind}")
        return list(enumerate(tables, 1))

    def _entry(
        self, kind: str, number: int, table: dict[str, Any], read: Callable[[dict[str, Any]], Any]
    ) -> Any:
        try:
            return read(table)
        except UsageError as error:
            name = table.get("name")
            which = name if isinstance(name, str) and name else f"number {number}"
            raise self._wrong(f"{kind} {which}: {error}") from None

    def _camera(self, table: dict[str, Any]) -> CameraEntry:
        values: dict[str, object] = CameraSettings(CameraId("x"), "x", "testcard:").open_part()
        for key, value in table.items():
            if key == "id" or key.endswith(("password_file", "password_env")):
                continue
            name, read = _READ.get(key, (key, None))
            if key not in _AS_THEY_ARE and read is None:
                raise UsageError(f"{key!r} is unknown: it has {', '.join(CAMERA_KEYS)}")
            try:
                values[name] = value if read is None else read(_text(value))
            except UsageError as error:
                raise UsageError(f"{key}: {error}") from None
        for prefix in ("", "sub_"):
            self._add_password(table, prefix, values)
        if not isinstance(values.get("name"), str):
            raise UsageError("name: a camera needs one")
        camera = table.get("id")
        if camera is not None and not (isinstance(camera, str) and _ID.fullmatch(camera)):
            raise UsageError("id: that is none; leave it out for a new camera")
        return CameraEntry(None if camera is None else CameraId(camera), values)

    def _add_password(self, table: Mapping[str, Any], prefix: str, values: dict[str, Any]) -> None:
        """The password from where the file says that it is."""
        ways = [
            f"{prefix}{way}"
            for way in ("password", "password_file", "password_env")
            if f"{prefix}{way}" in table
        ]
        if len(ways) > 1:
            raise UsageError(f"{ways[0]}, {ways[1]}: one of them is enough")
        if not ways or ways[0] == f"{prefix}password":
            return
        named = _text(table[ways[0]])
        if ways[0].endswith("_env"):
            if named not in self._environment:
                raise UsageError(f"{ways[0]}: there is no variable {named}")
            values[f"{prefix}password"] = self._environment[named]
            return
        try:
            with (self._folder / named).open(encoding="utf-8") as file:
                values[f"{prefix}password"] = file.readline(4096).rstrip("\r\n")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise UsageError(f"{ways[0]}: cannot read {named}: {reason}") from None

    def _user(self, table: dict[str, Any]) -> UserEntry:
        unknown = set(table) - {"name", "role", "cameras", "disabled", "password_hash"}
        if unknown:
            raise UsageError(
                f"{min(unknown)!r} is unknown: it has name, role, cameras, disabled, password_hash"
            )
        name = checked_name(_text(table.get("name")))
        if table.get("role") not in list(Role):
            raise UsageError(f"role: write {', '.join(Role)}")
        cameras = table.get("cameras")
        listed = isinstance(cameras, list) and all(isinstance(each, str) for each in cameras)
        if cameras != ALL and not listed:
            raise UsageError(f'cameras: write "{ALL}", or a list of the names of cameras')
        disabled = table.get("disabled", False)
        if not isinstance(disabled, bool):
            raise UsageError("disabled: write true or false")
        return UserEntry(
            name,
            Role(table["role"]),
            None if cameras == ALL else tuple(cameras or ()),
            disabled,
            _hash(table.get("password_hash")),
        )

    def _settings(self, document: Mapping[str, Any]) -> Mapping[str, object] | None:
        if "keep" not in document and "settings" not in document:
            return None
        found = document.get("settings", {})
        if not isinstance(found, dict):
            raise self._wrong("write [settings] above what is set")
        values: dict[str, object] = {}
        for key, value in found.items():
            if not 1 <= len(key) <= 100:
                raise self._wrong("a setting is called by 1 to 100 characters")
            try:
                packed = isinstance(value, dict) and set(value) == {"json"}
                values[key] = json.loads(value["json"]) if packed else value
                json.dumps(values[key], allow_nan=False)
            except (TypeError, ValueError, RecursionError):
                raise self._wrong(f"settings.{key[:100]}: that cannot be set") from None
        if "keep" in document:
            values[POLICY] = self._keep(document["keep"])
        return values

    def _keep(self, table: object) -> dict[str, float | None]:
        """How much is kept of all cameras, as `keeppolicy` has it."""
        if not isinstance(table, dict) or set(table) - {"max_size", "max_age", "keep_free"}:
            raise self._wrong("[keep] has max_size, max_age and keep_free")
        texts = {key: _text(value) for key, value in table.items()}
        try:
            size, age_s = texts.get("max_size"), texts.get("max_age")
            free = texts.get("keep_free", "0")
            return {
                "max_bytes": None if size is None else read_size(size),
                "max_age_s": None if age_s is None else read_age(age_s),
                "keep_free_bytes": 0 if free == "0" else read_size(free),
            }
        except UsageError as error:
            raise self._wrong(f"keep: {error}") from None

    def _check_unique(self, kind: str, names: list[str], what: str = "name") -> None:
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise self._wrong(f"two [[{kind}]] have the {what} {twice[0]}")

    def _wrong(self, told: str) -> UsageError:
        return UsageError(f"{self._name}: {told}")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError('write a text: "..."')
    return value


def _hash(value: object) -> str | None:
    """A hash that can be verified at an effort that is bearable."""
    if value is None:
        return None
    found = _HASH.fullmatch(value) if isinstance(value, str) else None
    costs = [int(cost) for cost in found.groups()] if found else []
    most = (_MOST_MEMORY_KIB, _MOST_ROUNDS, _MOST_LANES)
    if not costs or not all(0 < cost <= limit for cost, limit in zip(costs, most, strict=True)):
        raise UsageError("password_hash: that is no hash that camkeep made")
    return str(value)


_READ: dict[str, tuple[str, Callable[[str], object]]] = {
    "pre_roll": ("pre_roll_s", lambda text: read_between(text, 0, 300)),
    "segment": ("segment_s", lambda text: read_between(text, 5, 600)),
    "flush": ("flush_s", lambda text: read_between(text, 1, 60)),
    "timeout": ("timeout_s", lambda text: read_between(text, 1, 300)),
    "max_size": ("max_bytes", read_size),
    "max_age": ("max_age_s", read_age),
}
"""What people write as text: what it is called outside the file, and how it is read."""
_AS_THEY_ARE = (
    "name",
    "address",
    "user",
    "password",
    "sub_address",
    "sub_user",
    "sub_password",
    "mode",
    "schedule",
    "zone",
    "transport",
    "trust",
    "audio",
)
CAMERA_KEYS = (
    "id",
    *_AS_THEY_ARE,
    "password_file",
    "password_env",
    "sub_password_file",
    "sub_password_env",
    *_READ,
)
