"""A small disk of its own for a test, that can be filled to its last byte."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, megabytes: int = 64) -> Iterator[Path]:
    """A tmpfs at `place`. Skips the test where this machine lets nobody mount one."""
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class Ballast:
    """A file of another program that takes all the room that there is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def grow(self, leave: int = 0) -> int:
        """Take all room but `leave` bytes; how many bytes that were."""
        taken = 0
        with self.path.open("ab", buffering=0) as file, suppress(OSError):
            while (room := self.room() - leave) > 0:
                written = file.write(bytes(min(room, 1 << 20)))
                taken += written
        return taken

    def room(self) -> int:
        found = os.statvfs(self.path.parent)
        return found.f_bavail * found.f_frsize

    def vanish(self) -> None:
        self.path.unlink()
