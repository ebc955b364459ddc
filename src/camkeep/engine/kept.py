"""One camera that is kept: its sessions, its way into the archive, and its Record button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NoReturn

from camkeep.archive.layout import moment, new_clip_id
from camkeep.archive.retention import Limits
from camkeep.archive.store import Archive, Opened
from camkeep.cameras.source import Notes, Source
from camkeep.clock import Clock, WallUs
from camkeep.engine.keeper import Keeper, KeepOptions, Room
from camkeep.engine.sessions import Connecting, Live, Refused, State, Waiting, run_sessions
from camkeep.errors import CamkeepError
from camkeep.model import Clip


@dataclass(frozen=True, slots=True)
class Wanted:
    """A camera that somebody wants kept."""

    name: str
    source: Source
    options: KeepOptions = field(default_factory=KeepOptions)
    limits: Limits = field(default_factory=Limits)
    """How much of it is kept."""


class Kept:
    """A camera that is being kept. `run` it; `close` seals what is open."""

    def __init__(
        self,
        archive: Archive,
        opened: Opened,
        wanted: Wanted,
        clock: Clock,
        room: Room,
        on_change: Callable[[Kept], object],
    ) -> None:
        """`on_change` is called when `state` or `trouble` has changed."""
        self.camera = opened.camera
        self.notes = Notes()
        self.state: State = Connecting()
        self.trouble: CamkeepError | None = None
        """What is wrong with the disk."""
        self.clip: Clip | None = None
        """What is being recorded at the press of a button."""
        self.limits = wanted.limits
        self.shelf = opened.shelf
        self.keeper = Keeper(
            opened.shelf,
            opened.ledger,
            self.notes,
            clock,
            archive.volume,
            room,
            wanted.options,
            self._troubled,
        )
        self._archive = archive
        self._source = wanted.source
        self._options = wanted.options
        self._clock = clock
        self._on_change = on_change

    async def run(self) -> NoReturn:
        """Hold sessions with the camera until cancelled."""
        await run_sessions(self._source, self.keeper, self.notes, self._entered, self._clock)

    async def close(self) -> None:
        """Seal what is open; a clip that is being recorded ends."""
        if self.clip is not None:
            await self.stop()
        await self.keeper.close()

    async def record(self, name: str = "") -> Clip:
        """Press the Record button: a clip begins, with its pre-roll, and is held. Answers the one
        that is being recorded where it was pressed before. Raises StorageError."""
        if self.clip is not None:
            return self.clip
        now = self._clock.wall()
        start = self.keeper.start() if self._options.when_asked else self._with_pre_roll(now)
        called = name or f"{self.camera.name} {moment(start).astimezone():%Y-%m-%d %H:%M:%S}"
        clip = Clip(new_clip_id(), called, (self.camera.id,), start, None, True, now)
        self.clip = clip
        await self._archive.save_clip(clip)
        self._on_change(self)
        return clip

    async def stop(self) -> Clip | None:
        """Press Stop: the clip ends, and is there to be had; None where none was recorded. Raises
        StorageError."""
        clip, self.clip = self.clip, None
        if clip is None:
            return None
        end = self._clock.wall()
        if self._options.when_asked:
            self.keeper.stop()
        clip = replace(clip, end=WallUs(max(end, clip.start)))
        await self._archive.save_clip(clip)
        self._on_change(self)
        return clip

    def _with_pre_roll(self, now: WallUs) -> WallUs:
        """When a clip of a camera that is always recorded begins: that footage is there."""
        return WallUs(now - round(self._options.pre_roll_s * 1e6))

    def _entered(self, state: State) -> None:
        """A session entered `state`."""
        match state:
            case Connecting():
                self.keeper.session_began()
            case Live():
                pass
            case Waiting(error, _) | Refused(error, _):
                self.keeper.session_ended(error)
        self.state = state
        self._on_change(self)

    def _troubled(self, error: CamkeepError | None) -> None:
        self.trouble = error
        self._on_change(self)
