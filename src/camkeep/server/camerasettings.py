"""What people decided about one camera. Frozen and pure.

`public` is what may be shown and `changed` takes the same names back, so that pages, commands and
files speak of the same things. Secrets (the password, and the address where it may hold one) are
in `url` and `sub_url` and go nowhere but into the sealed part of the database.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from camkeep.archive.retention import Limits
from camkeep.cameras.address import parse_address
from camkeep.cameras.source import TIMEOUT_S, parse_trust
from camkeep.engine.schedule import Mode, Schedule, parse_span, span_text
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server.cameraurl import login_of, renewed, shown

LONGEST_NAME = 100
LONGEST_TRUST = 1000
LONGEST_SPAN = 100


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """One camera. Raises UsageError where something about it cannot be."""

    id: CameraId
    name: str
    """Unique without regard to case."""
    url: str = field(repr=False)
    """Address and login: a secret. Empty where it was lost together with its key."""
    sub_url: str | None = field(default=None, repr=False)
    """The same of its small stream. Without a login of its own it has that of `url`, if it is in
    the same place."""
    transport: str = "tcp"
    """How RTSP comes: tcp or udp."""
    trust: str | None = None
    """Which certificate it may show: sha256:FINGERPRINT, or the name of a PEM file."""
    mode: Mode = Mode.ALWAYS
    schedule: Schedule = field(default_factory=Schedule)
    audio: bool = True
    pre_roll_s: float = 5.0
    """What a clip has of the time before Record was pressed."""
    segment_s: float = 60.0
    """Length of a file."""
    flush_s: float = 5.0
    """How often it is flushed to the disk: what a power cut can cost."""
    max_bytes: int | None = None
    max_age_s: float | None = None
    """How much of it is kept; None for no limit of its own."""
    timeout_s: float = TIMEOUT_S
    """How long to wait for a connection, and for a whole frame."""

    def __post_init__(self) -> None:
        _check_name(self.name)
        for url in (self.url, self.sub_url):
            if url:
                parse_address(url)
        if self.transport not in ("tcp", "udp"):
            raise UsageError(f"transport: RTSP comes over tcp or udp, not {self.transport[:20]!r}")
        parse_trust(self.trust)
        if self.mode is Mode.SCHEDULE and not self.schedule.spans:
            raise UsageError("schedule: name at least one interval, such as mon-fri 08:00-18:00")
        _within("pre_roll_s", self.pre_roll_s, 0, 300)
        _within("segment_s", self.segment_s, 5, 600)
        _within("flush_s", self.flush_s, 1, 60)
        _within("timeout_s", self.timeout_s, 1, 300)
        Limits(self.max_bytes, self.max_age_s)

    def public(self) -> dict[str, Any]:
        """All that may be shown, as JSON values. `password_set` says whether there is one."""
        login, sub_login = login_of(self.url), login_of(self.sub_url or "")
        return {
            "id": self.id,
            "name": self.name,
            "address": shown(self.url),
            "user": login.user if login else None,
            "password_set": bool(login and login.password),
            "sub_address": shown(self.sub_url) if self.sub_url else None,
            "sub_user": sub_login.user if sub_login else None,
            "sub_password_set": bool(sub_login and sub_login.password),
            **self.open_part(),
        }

    def open_part(self) -> dict[str, Any]:
        """All but name and addresses, as JSON values: no secret among them."""
        return {
            "transport": self.transport,
            "trust": self.trust,
            "mode": self.mode.value,
            "schedule": [span_text(span) for span in self.schedule.spans],
            "zone": self.schedule.zone,
            "audio": self.audio,
            "pre_roll_s": self.pre_roll_s,
            "segment_s": self.segment_s,
            "flush_s": self.flush_s,
            "max_bytes": self.max_bytes,
            "max_age_s": self.max_age_s,
            "timeout_s": self.timeout_s,
        }

    def secret_part(self) -> str:
        """The rest, to be sealed."""
        return json.dumps({"url": self.url, "sub_url": self.sub_url})


def new_settings(
    camera: CameraId, values: Mapping[str, object], *, unfilled: bool = False
) -> CameraSettings:
    """A new camera of these values (see `changed`, and `cameraurl.renewed` for `unfilled`); it
    needs `name` and `address`. Raises UsageError."""
    for key in ("name", "address"):
        if not values.get(key):
            raise UsageError(f"{key}: a camera needs one")
    url = _url(None, values, "", unfilled)
    others = {k: v for k, v in values.items() if k not in ("address", "user", "password")}
    return changed(
        CameraSettings(camera, _text("name", values["name"]), url), others, unfilled=unfilled
    )


def changed(
    settings: CameraSettings, values: Mapping[str, object], *, unfilled: bool = False
) -> CameraSettings:
    """`settings` with these values: the names of `public`, and `password`, `sub_password`.

    What is not named stays. A password stays where it is for the same camera and user
    (`cameraurl`); an empty user is for no login, and `sub_address` None for no small stream.
    Raises UsageError with the name of the value.
    """
    unknown = sorted(set(values) - WRITABLE)
    if unknown:
        names = ", ".join(sorted(WRITABLE))
        raise UsageError(f"a camera has no {unknown[0][:40]!r}: it has {names}")
    found: dict[str, Any] = {
        attribute: read(key, values[key])
        for key, (attribute, read) in _PLAIN.items()
        if key in values
    }
    if {"schedule", "zone"} & set(values):
        found["schedule"] = Schedule(
            _spans(values["schedule"]) if "schedule" in values else settings.schedule.spans,
            _text("zone", values.get("zone", settings.schedule.zone)),
        )
    if {"address", "user", "password"} & set(values):
        found["url"] = _url(settings.url or None, values, "", unfilled)
    if {"sub_address", "sub_user", "sub_password"} & set(values):
        gone = "sub_address" in values and not values["sub_address"]
        found["sub_url"] = None if gone else _url(settings.sub_url, values, "sub_", unfilled)
    return replace(settings, **found)


def from_parts(camera: str, name: str, open_part: str, secret_part: str | None) -> CameraSettings:
    """What was written down with `open_part` and `secret_part`. Raises UsageError."""
    try:
        urls: dict[str, Any] = {"url": "", "sub_url": None}
        if secret_part is not None:
            urls = json.loads(secret_part)
        bare = CameraSettings(CameraId(camera), name, urls["url"], urls["sub_url"])
        values = {k: v for k, v in json.loads(open_part).items() if k in WRITABLE}
        return changed(bare, values)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"the settings of the camera {name!r} do not read: set it anew") from None


def _url(old: str | None, values: Mapping[str, object], prefix: str, unfilled: bool) -> str:
    address, user, password = (
        _text_or_none(prefix + key, values[prefix + key]) if prefix + key in values else None
        for key in ("address", "user", "password")
    )
    if user is None and f"{prefix}user" in values:  # null takes the login away
        user = ""
    try:
        return renewed(address, old, user, password, unfilled=unfilled)
    except UsageError as error:
        raise UsageError(f"{prefix}address: {error}") from None


def _check_name(name: str) -> None:
    if not name or name != name.strip():
        raise UsageError("name: a camera's name is not empty, and has no spaces around it")
    if len(name) > LONGEST_NAME:
        raise UsageError(f"name: a camera's name has at most {LONGEST_NAME} characters")
    if not name.isprintable():
        raise UsageError("name: a camera's name holds letters, digits and signs only")


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{key}: that is no text")
    return value


def _text_or_none(key: str, value: object) -> str | None:
    return None if value is None else _text(key, value)


def _trust(key: str, value: object) -> str | None:
    text = _text_or_none(key, value) or None
    if text is not None and (len(text) > LONGEST_TRUST or re.search(r"[\x00-\x1f\x7f]", text)):
        raise UsageError(f"{key}: write sha256: and a fingerprint, or the name of a PEM file")
    return text


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{key}: write true or false")
    return value


def _number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{key}: that is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UsageError(f"{key}: that is no number")
    return number


def _within(key: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise UsageError(f"{key}: {value:g} is not within {least:g} to {most:g} seconds")


def _bytes(key: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**60:
        raise UsageError(f"{key}: write a whole number of bytes above 0, or nothing for no limit")
    return value


def _age(key: str, value: object) -> float | None:
    if value is None:
        return None
    number = _number(key, value)
    if not 0 < number <= 1e10:
        raise UsageError(f"{key}: write a number of seconds above 0, or nothing for no limit")
    return number


def _mode(key: str, value: object) -> Mode:
    try:
        return Mode(_text(key, value))
    except ValueError:
        raise UsageError(f"{key}: write {', '.join(Mode)}") from None


def _spans(value: object) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise UsageError("schedule: write a list of intervals, such as mon-fri 08:00-18:00")
    texts = [_text("schedule", each) for each in value]
    if any(len(text) > LONGEST_SPAN for text in texts):
        raise UsageError(f"schedule: an interval has at most {LONGEST_SPAN} characters")
    return tuple(parse_span(text) for text in texts)


_PLAIN: dict[str, tuple[str, Callable[[str, object], Any]]] = {
    "name": ("name", lambda key, value: _text(key, value).strip()),
    "transport": ("transport", _text),
    "trust": ("trust", _trust),
    "mode": ("mode", _mode),
    "audio": ("audio", _flag),
    "pre_roll_s": ("pre_roll_s", _number),
    "segment_s": ("segment_s", _number),
    "flush_s": ("flush_s", _number),
    "max_bytes": ("max_bytes", _bytes),
    "max_age_s": ("max_age_s", _age),
    "timeout_s": ("timeout_s", _number),
}
"""What is one value in both: its name outside, its attribute, and how it is read."""

_LOGINS = {f"{of}{what}" for of in ("", "sub_") for what in ("address", "user", "password")}
WRITABLE = frozenset({*_PLAIN, "schedule", "zone", *_LOGINS})
"""What `changed` takes."""
