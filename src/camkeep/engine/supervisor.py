"""One camera: its streams, its way into the archive, its Record button, and how it is.

Runs on the event loop. What is recorded follows from what is wanted (`steer`): the mode, the
schedule, and whether somebody has pressed Record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from camkeep.archive.layout import moment, new_clip_id
from camkeep.archive.roster import Opened
from camkeep.archive.store import Archive
from camkeep.clock import Clock, WallUs
from camkeep.engine.feed import Feed, FeedState
from camkeep.engine.health import Health, Pace
from camkeep.engine.keeper import Keeper, Room
from camkeep.engine.schedule import Mode
from camkeep.engine.sessions import Idle, Live, Off, Refused, Waiting
from camkeep.engine.wanted import Wanted
from camkeep.errors import CamkeepError, StreamBroken, UsageError
from camkeep.model import Clip


class Supervisor:
    """A camera that is watched. `begin` it; `close` seals what is open."""

    def __init__(
        self,
        archive: Archive,
        opened: Opened,
        wanted: Wanted,
        clock: Clock,
        room: Room,
        on_change: Callable[[Supervisor], object],
    ) -> None:
        """`on_change` is called when something of it has changed that people want to know."""
        self.camera = opened.camera
        self.wanted = wanted
        self.trouble: CamkeepError | None = None
        """What is wrong with the disk."""
        self.clip: Clip | None = None
        """What is being recorded at the press of a button."""
        self.shelf = opened.shelf
        self.main = Feed(wanted.source, clock, self._fed)
        self.sub = self._small(wanted, clock)
        self._archive = archive
        self._clock = clock
        self._on_change = on_change
        self._pace = Pace()
        self._bytes_before = 0  # of what was kept when the clip began
        self.keeper = Keeper(
            opened.shelf,
            opened.ledger,
            self.main.notes,
            clock,
            archive.volume,
            room,
            wanted.options,
            self._troubled,
            recording=wanted.at_rest(clock.wall()) is None,
        )
        self.main.hub.attach(self.keeper)
        self._tasks: dict[Feed, asyncio.Task[None]] = {}
        self._closing = False
        self._unended: dict[str, WallUs] = {}  # clips whose end the disk did not take
        self._ending: asyncio.Task[None] | None = None

    @property
    def state(self) -> FeedState:
        """How the connection is."""
        return self.main.state

    @property
    def recording(self) -> bool:
        """Whether pictures are being kept at this moment."""
        return isinstance(self.state, Live) and self.trouble is None and self.keeper.recording

    def feeds(self) -> list[Feed]:
        """Its streams."""
        return [feed for feed in (self.main, self.sub) if feed is not None]

    # its life

    def begin(self) -> None:
        """Watch it from now on."""
        for feed in self.feeds():
            self._start(feed)
        self.steer()

    async def close(self) -> None:
        """Let the viewers go and seal what is open; a clip that is being recorded ends."""
        self._closing = True
        for feed in self.feeds():
            feed.hub.end()
        await self._end(*self.feeds())
        if self._ending is not None:
            self._ending.cancel()
        try:
            await self.stop()
        finally:
            await self.keeper.close()

    async def give_up(self) -> None:
        """The same; it is not to be recorded any more."""
        self._closing = True
        self.keeper.stop(None)
        await self.close()

    async def change(self, wanted: Wanted) -> None:
        """Go on with what is wanted now. What stays the same is not touched. Raises StorageError
        or UsageError, and then goes on as before."""
        before = self.wanted
        address = str(wanted.source.address)
        if (wanted.name, address) != (self.camera.name, self.camera.address):
            self.camera = await self._archive.describe(self.camera.id, wanted.name, address)
        self.wanted = replace(wanted, options=replace(wanted.options, phase_s=self._phase_s))
        self.keeper.options = self.wanted.options
        if wanted.source is not before.source:
            self.keeper.session_ended(StreamBroken("its settings were changed"))
            self.main.replace(wanted.source)
        await self._change_small(wanted, before)
        if wanted.mode is Mode.OFF and self.clip is not None:
            await self.stop()
        self.steer()
        self._on_change(self)

    def steer(self) -> None:
        """Record or not, fetch the stream or not, as is wanted at this moment."""
        if self._closing:
            return
        rest = self.wanted.at_rest(self._clock.wall())
        off = self.wanted.mode is Mode.OFF
        if rest is None or self.clip is not None:
            self.keeper.start(pre_roll=self.clip is not None)  # a schedule means what it says
        elif self.keeper.recording or self.keeper.idle is not rest:
            self.keeper.stop(rest)
        warm = self.wanted.options.pre_roll_s > 0 and not off
        self.main.want(recorded=self.keeper.recording or warm, off=off)
        if self.sub is not None:
            self.sub.want(recorded=False, off=off)

    @property
    def _phase_s(self) -> float:
        return self.wanted.options.phase_s

    def _small(self, wanted: Wanted, clock: Clock) -> Feed | None:
        return Feed(wanted.sub, clock) if wanted.sub is not None else None

    async def _change_small(self, wanted: Wanted, before: Wanted) -> None:
        if wanted.sub is before.sub:
            return
        if wanted.sub is not None and self.sub is not None:
            self.sub.replace(wanted.sub)
            return
        if self.sub is not None:
            self.sub.hub.end()
            await self._end(self.sub)
        self.sub = self._small(wanted, self._clock)
        if self.sub is not None:
            self._start(self.sub)

    def _start(self, feed: Feed) -> None:
        self._tasks[feed] = asyncio.create_task(feed.run())

    async def _end(self, *feeds: Feed) -> None:
        tasks = [self._tasks.pop(feed) for feed in feeds if feed in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # the Record button

    async def record(self, name: str = "") -> Clip:
        """Press the Record button: a clip begins, with its pre-roll, and is held. Answers the one
        that is being recorded where it was pressed before. Raises UsageError where the camera is
        switched off, or StorageError."""
        if self.clip is not None:
            return self.clip
        if self.wanted.mode is Mode.OFF:
            raise UsageError(f"{self.camera.name} is switched off: switch it on to record it")
        now = self._clock.wall()
        self._bytes_before = self.keeper.bytes - self._of_pre_roll()
        start = self._with_pre_roll(now) if self.keeper.recording else self.keeper.start()
        called = name or f"{self.camera.name} {moment(start).astimezone():%Y-%m-%d %H:%M:%S}"
        clip = Clip(new_clip_id(), called, (self.camera.id,), start, None, True, now)
        self.clip = clip
        self.steer()
        try:
            await self._archive.save_clip(clip)
        except CamkeepError:
            self.clip = None
            self.steer()
            raise
        self._on_change(self)
        return clip

    async def stop(self) -> Clip | None:
        """Press Stop: the clip ends, and is there to be had: all of it is in its files. None where
        none was recorded. Raises StorageError where that cannot be written yet: it has ended all
        the same."""
        clip, self.clip = self.clip, None
        if clip is None:
            return None
        end = self._clock.wall()
        self.steer()
        end = WallUs(max(end, clip.start))
        clip = replace(clip, end=end)
        try:
            await self._archive.save_clip(clip)
        except CamkeepError:
            self._unended[clip.id] = end  # without one it would hold all that comes, for ever
            raise
        self._on_change(self)
        await self.keeper.written()
        return clip

    async def _end_clips(self) -> None:
        """Write what could not be written when somebody pressed Stop."""
        with suppress(CamkeepError):  # the disk is not well yet: at the next tick
            for clip_id, end in list(self._unended.items()):
                await self._archive.end_clip(clip_id, end)
                self._unended.pop(clip_id, None)

    def _with_pre_roll(self, now: WallUs) -> WallUs:
        """When a clip of a camera that is recorded anyway begins: that footage is there."""
        return WallUs(now - round(self.wanted.options.pre_roll_s * 1e6))

    def _of_pre_roll(self) -> int:
        """About how large the pre-roll of a clip is that is kept already."""
        rate = self._pace.bits_per_s if self.keeper.recording else None
        return round((rate or 0) / 8 * self.wanted.options.pre_roll_s)

    @property
    def clip_bytes(self) -> int | None:
        """About how large the clip is by now; None where none is recorded."""
        return self.keeper.bytes - self._bytes_before if self.clip is not None else None

    # how it is

    def tick(self) -> None:
        """Time has passed: look at the schedule, and how fast pictures come."""
        if self._unended and (self._ending is None or self._ending.done()):
            self._ending = asyncio.create_task(self._end_clips())
        if self.wanted.mode is Mode.SCHEDULE:
            before = self.recording
            self.steer()
            if self.recording is not before:
                self._on_change(self)
        self._pace.look(self._clock.mono(), self.main.hub)

    def health(self) -> Health:
        """How it is at this moment."""
        newest = self.main.hub.newest
        age_s = (self._clock.mono() - newest.arrival) / 1e9 if newest is not None else None
        return Health(
            state=self.state,
            since=self.main.since,
            recording=self.recording,
            fps=self._pace.fps,
            bits_per_s=self._pace.bits_per_s,
            age_s=age_s,
            frames=self.keeper.frames,
            bytes=self.keeper.bytes,
            drops=self.keeper.drops,
            reconnects=max(0, self.main.sessions - 1),
            clock_offset_s=self.main.notes.clock_offset_s,
            viewers=sum(feed.hub.readers for feed in self.feeds()),
            trouble=str(self.trouble) if self.trouble is not None else None,
        )

    def _fed(self, feed: Feed) -> None:
        """The connection entered another state."""
        match feed.state:
            case Waiting(error, _) | Refused(error, _):
                self.keeper.session_ended(error)
            case Idle() | Off():
                self.keeper.left_alone()
            case _:
                pass
        self._on_change(self)

    def _troubled(self, error: CamkeepError | None) -> None:
        self.trouble = error
        self._on_change(self)
