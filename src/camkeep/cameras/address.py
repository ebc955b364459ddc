"""Where a camera is, and the login for it, kept apart so that no text can hold both.

`str(address)` is what messages, logs and file headers show: no login, and the values of what
looks like a secret in path and query are replaced. Only `Address.target` has them, for the wire.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, unquote, urlsplit

from camkeep.errors import UsageError

DEFAULT_PORTS = {
    "http": 80,
    "https": 443,
    "easyn": 80,
    "easyns": 443,
    "rtsp": 554,
    "rtsps": 322,
}
SCHEMES = (*DEFAULT_PORTS, "v4l2", "testcard")
"""What camkeep opens; nothing else, by allowlist."""

_SECRET_KEYS = re.compile(r"pass|pwd|pas$|secret|token|key|auth|sig|credential", re.IGNORECASE)
_PATH_VALUE = re.compile(r"([A-Za-z]+)=(.*?)(?=_[A-Za-z]+=|[&;,/?]|\Z)", re.DOTALL)
"""Some recorders want the login in the path: /user=admin_password=secret_channel=1."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A login. The password is in no repr."""

    user: str
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A camera's URL without its login.

    `host` and `port` are empty and 0 for devices of this machine; `path` then is the device.
    """

    scheme: str
    host: str = ""
    port: int = 0
    path: str = "/"
    query: str = ""

    @property
    def authority(self) -> str:
        """host:port as a Host header or URL has it; the port only where it is not the usual."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """Path and query as they go over the wire. May hold secrets: never show it."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def options(self) -> dict[str, str]:
        """The query as names and values; the last of a repeated name counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def with_target(self, path: str, query: str = "") -> Address:
        """Another path on the same camera."""
        return replace(self, path=path, query=query)

    def __str__(self) -> str:
        path, query = redact_path(self.path), redact_query(self.query)
        tail = f"{path}?{query}" if query else path
        if self.scheme == "v4l2":
            return tail
        if not self.host:
            return f"{self.scheme}:{tail}"
        return f"{self.scheme}://{self.authority}{tail}"

    def __repr__(self) -> str:
        return f"<Address {self}>"


def redact_path(path: str) -> str:
    """`path` with the values in it that look like secrets replaced."""

    def shown(match: re.Match[str]) -> str:
        return f"{match[1]}=***" if _SECRET_KEYS.search(match[1]) else match[0]

    return _PATH_VALUE.sub(shown, path)


def path_secrets(path: str) -> list[str]:
    """The values in `path` that look like secrets."""
    found = _PATH_VALUE.finditer(path)
    return [match[2] for match in found if match[2] and _SECRET_KEYS.search(match[1])]


def redact_query(query: str) -> str:
    """`query` with the values of all parameters that look like secrets replaced."""
    parts = re.split("([&;])", query)
    for at in range(0, len(parts), 2):
        name, equals, _ = parts[at].partition("=")
        if equals and _SECRET_KEYS.search(unquote(name)):
            parts[at] = f"{name}=***"
    return "".join(parts)


def parse_address(text: str) -> tuple[Address, Credentials | None]:
    """Read what a person types for a camera: a URL, ``0`` or ``/dev/video0``.

    Raises UsageError, whose message does not repeat `text`: it may hold a password.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return Address("v4l2", path=f"/dev/video{int(text)}"), None
    if re.search(r"[\x00-\x20\x7f]", text):
        raise UsageError("a camera's address holds no spaces or control characters (write %20)")
    if text.startswith("/dev/"):
        path, _, query = text.partition("?")
        return Address("v4l2", path=path, query=query), None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError("that is not a camera's address: its host or port is malformed") from None
    scheme = parts.scheme.lower()
    if scheme not in SCHEMES:
        raise UsageError(
            "a camera's address is rtsp://HOST/PATH, http://HOST/PATH or easyn://HOST/ (with "
            "TLS: rtsps, https, easyns), testcard:, or a webcam's number such as 0"
        )
    if scheme in ("v4l2", "testcard"):
        return Address(scheme, path=parts.path or "/", query=parts.query), None
    if not parts.hostname:
        raise UsageError(f"the address has no host: write {scheme}://HOST/...")
    credentials = None
    if parts.username is not None:
        credentials = Credentials(unquote(parts.username), unquote(parts.password or ""))
    address = Address(
        scheme, parts.hostname, port or DEFAULT_PORTS[scheme], parts.path or "/", parts.query
    )
    return address, credentials
