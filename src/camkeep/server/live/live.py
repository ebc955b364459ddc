"""What live pictures need beside the cameras: who watches, and what is made for them."""

from __future__ import annotations

from dataclasses import dataclass, field

from camkeep.server.live.packagers import Packagers
from camkeep.server.live.pictures import Pictures
from camkeep.server.live.viewers import Viewers


@dataclass(slots=True)
class Live:
    """That of a service; `desk.live`."""

    viewers: Viewers = field(default_factory=Viewers)
    pictures: Pictures = field(default_factory=Pictures)
    packagers: Packagers = field(default_factory=Packagers)
