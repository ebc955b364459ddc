"""Single keys from a terminal, while something else goes on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self


class Keys:
    """Calls functions when their keys are pressed, as long as it is entered. Does nothing where
    standard input is no terminal, or belongs to another process."""

    def __init__(self, actions: dict[str, Callable[[], object]]) -> None:
        self._actions = actions
        self._fd = -1
        self._before: list[Any] = []

    @property
    def heard(self) -> bool:
        """Whether there is a terminal that they come from."""
        return self._fd >= 0

    def __enter__(self) -> Self:
        try:
            import termios
            import tty

            fd = sys.stdin.fileno()
            if not os.isatty(fd) or os.tcgetpgrp(fd) != os.getpgrp():
                return self
            self._before = termios.tcgetattr(fd)
            tty.setcbreak(fd)
        except (ImportError, OSError, ValueError, AttributeError, termios.error):
            return self
        self._fd = fd
        asyncio.get_running_loop().add_reader(fd, self._read)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._fd < 0:
            return
        import termios

        asyncio.get_running_loop().remove_reader(self._fd)
        with suppress(OSError, termios.error):  # the terminal has gone
            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)
        self._fd = -1

    def _read(self) -> None:
        try:
            pressed = os.read(self._fd, 64)
        except OSError:
            pressed = b""
        if not pressed:  # the terminal has gone
            asyncio.get_running_loop().remove_reader(self._fd)
            return
        for key in pressed.decode("utf-8", "replace"):
            if key in self._actions:
                self._actions[key]()
