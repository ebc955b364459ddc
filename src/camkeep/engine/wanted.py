"""What somebody wants of one camera: where it is, when it is recorded, and how."""

from __future__ import annotations

from dataclasses import dataclass, field

from camkeep.archive.retention import Limits
from camkeep.cameras.source import Source
from camkeep.clock import WallUs
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.schedule import Mode, Schedule
from camkeep.model import CameraId, Cause


@dataclass(frozen=True, slots=True)
class Wanted:
    """A camera that somebody wants watched."""

    name: str
    source: Source
    """The same object as before: the connection stays as it is."""
    options: KeepOptions = field(default_factory=KeepOptions)
    limits: Limits = field(default_factory=Limits)
    """How much of it is kept."""
    sub: Source | None = None
    """Its small stream, where it has one; only to be watched."""
    id: CameraId | None = None
    """None for the camera of that name, or a new one."""
    mode: Mode = Mode.ALWAYS
    schedule: Schedule = field(default_factory=Schedule)

    def at_rest(self, now: WallUs) -> Cause | None:
        """Why it is not to be recorded at that moment unless somebody presses Record; None where
        it is to be."""
        match self.mode:
            case Mode.ALWAYS:
                return None
            case Mode.SCHEDULE:
                return None if self.schedule.covers(now) else Cause.NOT_WANTED
            case Mode.ASKED:
                return Cause.NOT_WANTED
            case Mode.OFF:
                return Cause.SWITCHED_OFF
