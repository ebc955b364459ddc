"""How the service itself is: its pauses, its parts, its log, what it was asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from camkeep.clock import SystemClock
from camkeep.server.logs import Ring
from camkeep.server.looplag import LoopLag
from camkeep.server.vitals import Vitals
from camkeep.server.webcounts import WebCounts


def _nobody() -> Vitals:
    return Vitals([], SystemClock())


@dataclass(slots=True)
class Monitor:
    """What handlers of health, figures and logs look at."""

    vitals: Vitals = field(default_factory=_nobody)
    lag: LoopLag = field(default_factory=LoopLag)
    log: Ring = field(default_factory=Ring)
    web: WebCounts = field(default_factory=WebCounts)
    started_s: float = field(default_factory=time.monotonic)

    @property
    def uptime_s(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.started_s
