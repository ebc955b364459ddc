"""What the service does not start with: versions of what it stands on that are known to have a
hole, or to damage data. Checked at each start; `make audit` asks the public lists."""

from __future__ import annotations

import re
import sqlite3
import ssl
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version

from camkeep.errors import UsageError

Version = tuple[int, ...]

PACKAGES: Mapping[str, tuple[Version, str]] = {
    "cryptography": ((44, 0, 1), "CVE-2024-12797"),
    "h11": ((0, 16), "CVE-2025-43859"),
    "starlette": ((0, 49, 1), "CVE-2025-62727"),
    "av": ((18, 1), "holes of the FFmpeg that older ones bring"),
}
"""The oldest of each that will do, and what is wrong with those before."""
SQLITE: Version = (3, 37)
"""Has STRICT tables. One older than 3.51.3 can damage a WAL that two connections write: ours has
one that does, and the settings have none (docs/service.md)."""
OPENSSL: Version = (3, 0)
"""Older ones get no fixes any more."""


def check_versions(
    installed: Callable[[str], str] = version,
    sqlite: Version = sqlite3.sqlite_version_info,
    openssl: Version = ssl.OPENSSL_VERSION_INFO,
) -> None:
    """Raise UsageError, which says what to install, where something is too old."""
    for name, (least, why) in PACKAGES.items():
        try:
            found = installed(name)
        except PackageNotFoundError:
            continue
        if parsed(found) < least:
            raise UsageError(
                f"{name} {found} is not safe to serve with ({why}): "
                f"pip install --upgrade '{name}>={'.'.join(map(str, least))}'"
            )
    for what, have, needed in (("SQLite", sqlite, SQLITE), ("OpenSSL", openssl, OPENSSL)):
        if have < needed:
            shown = ".".join(map(str, needed))
            raise UsageError(f"this Python's {what} is too old: the service needs {shown} or newer")


def parsed(text: str) -> Version:
    """The numbers at the start of a version: 1.2.3rc1 is (1, 2, 3)."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()
