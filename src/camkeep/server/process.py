"""This process as the system sees it. Linux tells all; elsewhere some figures are not known."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import camkeep

_PROC = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class Process:
    """Figures of one moment."""

    memory_bytes: int | None
    """What is resident."""
    descriptors: int | None
    threads: int
    cpu_s: float


def look() -> Process:
    """Look at it. Takes a fraction of a millisecond, of files that are in memory."""
    times = os.times()
    return Process(_memory(), _descriptors(), threading.active_count(), times.user + times.system)


def _memory() -> int | None:
    try:
        pages = int((_PROC / "statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _descriptors() -> int | None:
    try:
        return len(os.listdir(_PROC / "fd")) - 1  # noqa: PTH208 - names, and quick
    except OSError:
        return None


def versions() -> dict[str, str]:
    """What it consists of."""
    return {
        "camkeep": camkeep.__version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "implementation": sys.implementation.name,
    }
