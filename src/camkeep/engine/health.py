"""How a camera is: what people and monitors want to know of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from camkeep.clock import MonoNs, WallUs
from camkeep.engine.feed import FeedState
from camkeep.engine.hub import Hub
from camkeep.engine.sessions import Connecting, Idle, Live, Off, Refused, Waiting

WINDOW = 11
"""Looks at the counters, a second apart, over which a rate is measured."""


@dataclass(frozen=True, slots=True)
class Health:
    """One camera at one moment."""

    state: FeedState
    since: WallUs
    """Since when it is in that state."""
    recording: bool
    """Whether pictures are being kept."""
    fps: float | None
    """As measured over the last seconds; None while that is not known."""
    bits_per_s: float | None
    age_s: float | None
    """How long ago the newest frame came; None where none came in this session."""
    frames: int
    bytes: int
    """What was kept since the start."""
    drops: int
    """Frames that were not kept: the disk was slow, full or failing, or nobody could decode
    them."""
    reconnects: int
    clock_offset_s: float | None
    """The camera's clock minus ours, where it tells its own."""
    viewers: int
    trouble: str | None
    """What is wrong with the disk."""

    @property
    def word(self) -> str:
        """The state in one word: connecting, live, waiting, refused, idle or off."""
        return word_of(self.state)

    @property
    def told(self) -> str:
        """What is wrong, in a sentence; empty where nothing is."""
        return self.trouble or reason_of(self.state)


def word_of(state: FeedState) -> str:
    """A state in one word."""
    match state:
        case Connecting():
            return "connecting"
        case Live():
            return "live"
        case Waiting():
            return "waiting"
        case Refused():
            return "refused"
        case Idle():
            return "idle"
        case Off():
            return "off"


def reason_of(state: FeedState) -> str:
    """Why no pictures come, in a sentence; empty where there is no such reason."""
    match state:
        case Waiting(error, _) | Refused(error, _):
            return error.message
        case _:
            return ""


class Pace:
    """How fast pictures come, from counters looked at about once a second."""

    def __init__(self) -> None:
        self.fps: float | None = None
        self.bits_per_s: float | None = None
        self._looks: deque[tuple[int, int, int]] = deque(maxlen=WINDOW)

    def look(self, now: MonoNs, hub: Hub) -> None:
        """Note how far the counters are."""
        self._looks.append((now, hub.frames, hub.bytes))
        then, frames, size = self._looks[0]
        if (passed_s := (now - then) / 1e9) >= 1:
            self.fps = (hub.frames - frames) / passed_s
            self.bits_per_s = (hub.bytes - size) * 8 / passed_s
