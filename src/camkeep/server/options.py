"""camkeep.toml: where the service listens, where its data is, how much is kept. Frozen values.

What people change while it runs (cameras, users) stands in the database; here stands what the one
who installs it decides. Nothing in it is needed: without a file all is as `ServeOptions` says.
"""

from __future__ import annotations

import logging
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from camkeep.archive.retention import Limits
from camkeep.errors import UsageError
from camkeep.server.amounts import Room, read_age, read_room, read_size
from camkeep.server.urlpolicy import UrlPolicy
from camkeep.server.web.options import DEFAULT_PORT, Certificate, Network, WebOptions

VARIABLE = "CAMKEEP_CONFIG"
"""Names the file where no option does."""
_LISTEN = (("127.0.0.1", DEFAULT_PORT),)
LARGEST = 1_000_000
"""Bytes of a file."""

_LEVELS = ("debug", "info", "warning", "error")
_HOST = re.compile(r"\[[0-9a-fA-F:.]+(?:%[\w.-]+)?\]|[A-Za-z0-9._-]{1,253}|\*")


@dataclass(frozen=True, slots=True)
class KeepPolicy:
    """How much is kept of all cameras."""

    limits: Limits = field(default_factory=Limits)
    keep_free: Room = field(default_factory=lambda: Room(share=0.05))


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What camkeep.toml says."""

    web: WebOptions = field(default_factory=lambda: WebOptions(listen=_LISTEN))
    data: Path | None = None
    """The folder of the archive; None where it says nothing."""
    log_format: str = "text"
    """"text" or "json"."""
    log_level: int = logging.INFO
    cameras: UrlPolicy = field(default_factory=UrlPolicy)
    """Where cameras may be."""
    keep: KeepPolicy = field(default_factory=KeepPolicy)
    file: Path | None = None
    """Where that was read; None for nowhere."""


def find_options(chosen: Path | None, environment: Mapping[str, str] | None = None) -> ServeOptions:
    """The options in `chosen`, else in the file that $CAMKEEP_CONFIG names, else in
    ~/.config/camkeep/camkeep.toml or /etc/camkeep/camkeep.toml; defaults where none is there.
    Blocks; raises UsageError."""
    environment = os.environ if environment is None else environment
    if chosen is None and environment.get(VARIABLE):
        chosen = Path(environment[VARIABLE])
    if chosen is not None:
        return read_options(chosen)
    for path in usual_places(environment):
        if os.path.lexists(path):
            return read_options(path)
    return ServeOptions()


def usual_places(environment: Mapping[str, str]) -> list[Path]:
    """Where the file is looked for."""
    home = environment.get("HOME")
    base = environment.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    own = [Path(base, "camkeep", "camkeep.toml")] if base.startswith("/") else []
    return [*own, Path("/etc/camkeep/camkeep.toml")]


def read_options(path: Path) -> ServeOptions:
    """The options in a file. Raises UsageError with file, key, and what to write."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > LARGEST:
        raise UsageError(f"{path} is too large to be a camkeep.toml")
    return replace(parse_options(data, str(path), path.parent), file=path)


def parse_options(data: bytes, name: str, folder: Path) -> ServeOptions:
    """The options in the text of a file; paths in it begin at its `folder`. Raises UsageError."""
    try:
        found = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{name} is not TOML: {error}") from None
    values: dict[str, Any] = {}
    for section, keys in found.items():
        if section not in _KEYS or not isinstance(keys, dict):
            raise UsageError(f"{name}: {section!r} is unknown: write [server] or [keep] above it")
        for key, value in keys.items():
            read = _KEYS[section].get(key)
            if read is None:
                known = ", ".join(_KEYS[section])
                raise UsageError(f"{name}: [{section}] has no {key!r}: it has {known}")
            try:
                values[key] = read(value, folder)
            except UsageError as error:
                raise UsageError(f"{name}: {section}.{key}: {error}") from None
    try:
        return _options(values)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None


def _options(values: Mapping[str, Any]) -> ServeOptions:
    """What the values come to together."""
    plain = ServeOptions()
    certificate, key = values.get("tls_certificate"), values.get("tls_key")
    if key is not None and certificate is None:
        raise UsageError("server.tls_key needs a server.tls_certificate")
    web = replace(
        plain.web,
        listen=values.get("listen", plain.web.listen),
        certificate=None if certificate is None else Certificate(certificate, key or certificate),
        public_url=values.get("public_url"),
        allowed_hosts=values.get("allowed_hosts", ()),
        trusted_proxies=values.get("trusted_proxies", ()),
    )
    return ServeOptions(
        web=web,
        data=values.get("data"),
        log_format=values.get("log_format", plain.log_format),
        log_level=values.get("log_level", plain.log_level),
        cameras=UrlPolicy(loopback=values.get("allow_loopback_cameras", False)),
        keep=KeepPolicy(
            Limits(values.get("max_size"), values.get("max_age")),
            values.get("keep_free", plain.keep.keep_free),
        ),
    )


def parse_listen(text: str) -> tuple[str, int]:
    """``127.0.0.1:8090``, ``[::1]:8090``, ``8090`` on loopback, ``192.0.2.7`` with the usual port.
    Raises UsageError."""
    host, port = text.strip(), str(DEFAULT_PORT)
    if re.fullmatch(r"[0-9]{1,5}", host):
        host, port = "127.0.0.1", host
    elif found := re.fullmatch(r"(.*):([0-9]{1,5})", host):
        host, port = found[1], found[2]
    if not _HOST.fullmatch(host) or int(port) > 65535:
        raise UsageError(f"{text!r} is no address to listen on: write 127.0.0.1:{DEFAULT_PORT}")
    return ("0.0.0.0" if host == "*" else host.strip("[]")), int(port)


# one reader for each kind of value


def _text(value: object, _: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError('write a text: "..."')
    return value.strip()


def _texts(value: object, folder: Path) -> tuple[str, ...]:
    """One or several."""
    if isinstance(value, list):
        return tuple(_text(each, folder) for each in value)
    return (_text(value, folder),)


def _listen(value: object, folder: Path) -> tuple[tuple[str, int], ...]:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    found = tuple(parse_listen(text) for text in _texts(value, folder))
    if not found:
        raise UsageError(f'name at least one address: "127.0.0.1:{DEFAULT_PORT}"')
    return found


def _networks(value: object, folder: Path) -> tuple[Network, ...]:
    found = []
    for text in _texts(value, folder):
        try:
            found.append(ip_network(text))
        except ValueError:
            raise UsageError(
                f'{text!r} is no address of a proxy: write "127.0.0.1" or "10.1.0.0/16"'
            ) from None
    return tuple(found)


def _hosts(value: object, folder: Path) -> tuple[str, ...]:
    found = _texts(value, folder)
    for text in found:
        if not _HOST.fullmatch(text) or "*" in text:
            raise UsageError(f'{text!r} is no name of a host: write "cams.example.com"')
    return tuple(text.lower() for text in found)


def _public_url(value: object, folder: Path) -> str:
    text = _text(value, folder)
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise UsageError(f'{text!r} is no address of a page: write "https://cams.example.com/"')
    return text


def _path(value: object, folder: Path) -> Path:
    return folder / Path(_text(value, folder)).expanduser()


def _flag(value: object, _: Path) -> bool:
    if not isinstance(value, bool):
        raise UsageError("write true or false")
    return value


def _choice(*choices: str) -> Callable[[object, Path], str]:
    def read(value: object, folder: Path) -> str:
        text = _text(value, folder).lower()
        if text not in choices:
            raise UsageError(f"write {', '.join(choices[:-1])} or {choices[-1]}")
        return text

    return read


def _level(value: object, folder: Path) -> int:
    text = _choice(*_LEVELS)(value, folder)
    return logging.getLevelNamesMapping()[text.upper()]


_KEYS: dict[str, dict[str, Callable[[Any, Path], Any]]] = {
    "server": {
        "listen": _listen,
        "data": _path,
        "tls_certificate": _path,
        "tls_key": _path,
        "public_url": _public_url,
        "allowed_hosts": _hosts,
        "trusted_proxies": _networks,
        "allow_loopback_cameras": _flag,
        "log_format": _choice("text", "json"),
        "log_level": _level,
    },
    "keep": {
        "max_size": lambda value, folder: read_size(_text(value, folder)),
        "max_age": lambda value, folder: read_age(_text(value, folder)),
        "keep_free": lambda value, folder: read_room(
            str(value) if value == 0 else _text(value, folder)
        ),
    },
}
"""All there is, and how each is read."""
