"""The first account, made on the page from another machine: whoever does it types a code that
stands on the service's console, where only those see it who run the service."""

from __future__ import annotations

from collections.abc import Callable

from camkeep.clock import Clock
from camkeep.server.accounts.onetime import OneTimeCode, make_code

ANOTHER_S = 60.0
"""No new code comes sooner, however many wrong ones are typed."""


class FirstAccount:
    """Shows a code, and another one when that is used up. On the event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._show: Callable[[str], object] | None = None
        self._code: OneTimeCode | None = None
        self._made_ns = 0

    def offer(self, show: Callable[[str], object]) -> None:
        """From now on accounts may be made with a code; `show` is given each: ABCD-EFGH-JKLM, for
        the console and nowhere else."""
        self._show = show
        self._renew()

    @property
    def offered(self) -> bool:
        """Whether a code stands on the console."""
        return self._code is not None

    def accepts(self, text: str) -> bool:
        """Whether `text` is the code. Where none is good any more, another one is shown."""
        if self._code is None:
            return False
        if self._code.accepts(text):
            return True
        if self._code.over and self._clock.mono() - self._made_ns >= ANOTHER_S * 1e9:
            self._renew()
        return False

    def _renew(self) -> None:
        if self._show is not None:
            self._code, shown = make_code(self._clock)
            self._made_ns = self._clock.mono()
            self._show(shown)
