"""A process with a terminal of its own, as a person sits before it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import selectors
import subprocess
import sys
import termios
import time
from types import TracebackType
from typing import Any, Self

_CLEAR = re.compile(r"\x1b\[K|\r")


class Terminal:
    """Runs Python with `arguments` in a terminal; killed at the end of the block if need be."""

    def __init__(self, *arguments: object, columns: int = 80) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        self._read = b""
        self.process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)

    @property
    def shown(self) -> str:
        """All that was ever shown, line by line; what was overwritten is a line of its own."""
        return _CLEAR.sub("\n", self._read.decode("utf-8", "replace")).replace("\n\n", "\n")

    @property
    def words(self) -> str:
        """The same in one line, as if nothing were folded."""
        return " ".join(self.shown.split())

    @property
    def modes(self) -> list[Any]:
        """How the terminal is set."""
        return termios.tcgetattr(self._ours)

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def says(self, words: str, timeout_s: float = 30.0) -> None:
        """Wait until `words` were shown."""
        until = time.monotonic() + timeout_s
        while words not in self.words:
            assert time.monotonic() < until, f"it never said {words!r}: {self.shown}"
            assert self._more(until), f"it ended without {words!r}: {self.shown}"

    def done(self, timeout_s: float = 30.0) -> int:
        """Wait for its end; the exit code."""
        until = time.monotonic() + timeout_s
        while self._more(until):
            assert time.monotonic() < until, f"it does not end: {self.shown}"
        return self.process.wait(timeout_s)

    def hang_up(self) -> None:
        """Close the window."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()

    def _more(self, until: float) -> bool:
        """Read what is shown; False once there can be no more."""
        with selectors.DefaultSelector() as selector:  # any number of files may be open
            selector.register(self._ours, selectors.EVENT_READ)
            ready = selector.select(max(0, until - time.monotonic()))
        try:
            data = os.read(self._ours, 65536) if ready else b""
        except OSError:  # EIO: everybody has closed it
            return False
        self._read += data
        return bool(data) or not ready


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
