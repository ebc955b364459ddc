"""What the time zone of this machine is called."""

from __future__ import annotations

import os
from pathlib import Path

from camkeep.engine.schedule import zone_of
from camkeep.errors import UsageError

LINK = Path("/etc/localtime")


def local_zone(link: Path = LINK) -> str:
    """Its name in the IANA database: of the variable TZ, or of the file that /etc/localtime leads
    to. UTC where there is none."""
    names = [os.environ.get("TZ", "").lstrip(":")]
    try:
        names.append(os.path.realpath(link).partition("zoneinfo/")[2])
    except OSError:
        pass
    for name in names:
        try:
            if name and not name.startswith("/"):
                zone_of(name)
                return "UTC" if name == "Etc/UTC" else name
        except UsageError:
            continue
    return "UTC"
