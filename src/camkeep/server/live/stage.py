"""What live pictures need around them, wherever they are shown."""

from __future__ import annotations

from typing import Protocol

from camkeep.clock import Clock
from camkeep.server.live.live import Live
from camkeep.server.web.closers import Closers


class Stage(Protocol):
    """The service's `Desk` is one, and so is the preview of a recording."""

    @property
    def clock(self) -> Clock:
        """What time it is."""

    @property
    def closers(self) -> Closers:
        """How to end answers that last."""

    @property
    def live(self) -> Live:
        """Who watches, and what is made for them."""
