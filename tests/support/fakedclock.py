"""The wall clock of another process, as a test sets it: libfaketime, from Debian's `faketime`."""

from __future__ import annotations

import os
import time
from pathlib import Path


class Faked:
    """A wall clock that a test sets, for another process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, seconds: float) -> None:
        """From now on it is so far ahead."""
        self.ahead_s = seconds
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{seconds:+.0f}\n")
        draft.replace(self._file)

    def now_s(self) -> float:
        return time.time() + self.ahead_s

    @property
    def environment(self) -> dict[str, str]:
        library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
        return {
            "LD_PRELOAD": library.replace("x86_64", os.uname().machine),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
            "TZ": "Europe/Berlin",
        }
