"""What the server needs of a kind of camera, and what a kind of camera needs of the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from camkeep.cameras.simulate.messages import Answer, Request
from camkeep.cameras.simulate.viewer import Style


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that is the live stream."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a kind of camera may do to the server it runs in."""

    take: Callable[[], bytes]
    """A snapshot."""
    promise: Callable[[float], None]
    """Set the rate."""
    reboot: Callable[[], None]
    port: Callable[[], int]


class Camera(Protocol):
    """A kind of camera."""

    @property
    def style(self) -> Style: ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height that it is set to."""
        ...

    @property
    def stream_path(self) -> str: ...

    @property
    def snapshot_path(self) -> str: ...

    def aim(self) -> tuple[float, float]:
        """Where it looks to now, right and down, from -1 to 1."""
        ...

    def open_to_all(self, request: Request) -> bool:
        """Whether `request` needs no login."""
        ...

    def answer(self, request: Request) -> Answer | Stream:
        """What `request` gets."""
        ...
