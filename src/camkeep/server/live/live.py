"""What live pictures need beside the cameras: who watches."""

from __future__ import annotations

from dataclasses import dataclass, field

from camkeep.server.live.viewers import Viewers


@dataclass(slots=True)
class Live:
    """That of a service; `desk.live`."""

    viewers: Viewers = field(default_factory=Viewers)
