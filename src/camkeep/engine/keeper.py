"""Samples to the archive: the sink of one camera that is kept, and what it owes the ledger.

Runs on the event loop. A segment's time is the wall time of its samples, so that a segment says
when, and not only how long. Whatever breaks the stream ends the segment at its last frame; the
ledger tells of the time until the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from camkeep.archive.ledger import Ledger
from camkeep.archive.segments import SegmentShelf
from camkeep.archive.writer import Volume
from camkeep.cameras.source import Notes
from camkeep.clock import Clock, WallUs
from camkeep.engine.causes import cause_of
from camkeep.engine.flow import REPEAT_US, Flow
from camkeep.engine.openmovie import OpenMovie
from camkeep.engine.preroll import PreRoll
from camkeep.engine.reel import SYNC_S, Reel
from camkeep.engine.settling import Settling
from camkeep.errors import CameraError, CamkeepError, WriteFailed
from camkeep.model import AudioParams, Cause, Gap, Sample, VideoParams

WRITTEN_S = 5.0
"""So long somebody who presses Stop waits for a slow disk."""


@dataclass(frozen=True, slots=True)
class KeepOptions:
    """How a camera is kept."""

    segment_s: float = 60.0
    """Length of a segment; it ends at the first key frame behind it."""
    phase_s: float = 0.0
    """When, within each `segment_s`, segments end: cameras take turns."""
    sync_s: float = SYNC_S
    """How often it is flushed through to the disk: what a power cut can cost."""
    audio: bool = True
    pre_roll_s: float = 0.0
    """What is kept in memory while nothing is recorded, to begin with."""


class Room(Protocol):
    """What a keeper asks of the archive when the disk has failed."""

    def ready(self, error: CamkeepError) -> Awaitable[None]:
        """Wait until it is worth trying again. `error` is what happened."""
        ...


class Keeper:
    """The sink of one camera."""

    def __init__(
        self,
        shelf: SegmentShelf,
        ledger: Ledger,
        notes: Notes,
        clock: Clock,
        volume: Volume,
        room: Room,
        options: KeepOptions,
        on_trouble: Callable[[CamkeepError | None], object] = lambda _: None,
        *,
        recording: bool = True,
    ) -> None:
        """`on_trouble` is told when the disk fails, and with None when recording goes on."""
        self.frames = self.bytes = self.drops = 0
        self.recording = recording
        """Whether samples are kept, where there are any: `start`, `stop`."""
        self._shelf = shelf
        self._ledger = ledger
        self._notes = notes
        self._clock = clock
        self._volume = volume
        self._room = room
        self._options = options
        self._on_trouble = on_trouble
        self._flow = Flow()
        self._settling = Settling(self._take, lambda: self._reel.flush())
        self._pre_roll = PreRoll(options.pre_roll_s)
        self._session = 0
        self._attempt = clock.wall()  # when the last attempt to reach the camera began
        self._run = shelf.run
        self._turn = 0
        self._until = shelf.end  # up to when anything is kept
        self._dropping = False
        self._failed = False  # the disk: nothing can be kept until it is mended
        self._mending: asyncio.Task[None] | None = None
        self._reel = self._new_reel()

    @property
    def lasting(self) -> Gap | None:
        """The gap that lasts."""
        return self._ledger.lasting

    @property
    def idle(self) -> Cause | None:
        """Why it is not recorded although a camera is there to be."""
        lasting = self._ledger.lasting
        return lasting.cause if lasting is not None and not self.recording else None

    @property
    def waiting_bytes(self) -> int:
        """What waits in memory for the disk."""
        return self._reel.waiting_bytes

    @property
    def options(self) -> KeepOptions:
        """How it is kept."""
        return self._options

    @options.setter
    def options(self, options: KeepOptions) -> None:
        """From now on, another way; what is being written goes on."""
        if options.pre_roll_s != self._options.pre_roll_s:
            self._pre_roll = PreRoll(options.pre_roll_s)
        self._options = options
        self._reel.sync_s = options.sync_s

    async def written(self) -> None:
        """Until what came so far is in its file; for WRITTEN_S at most, however slow the disk."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WRITTEN_S):
                await self._settling.wait()
                await self._reel.written()

    # what the loop around the sessions tells

    def session_began(self) -> None:
        """The next sample is of another session."""
        self._session += 1
        self._attempt = self._clock.wall()
        self._settling.session_began()

    def session_ended(self, error: CameraError) -> None:
        """There will be no samples for a while, because of `error`."""
        self._settling.release()
        self._pre_roll.clear()
        if self._reel.current is not None:
            self._cut(cause_of(error), error.message)
        elif self.recording and not self._failed:
            self._ledger.open(self._behind(self._attempt), cause_of(error), error.message)

    def left_alone(self) -> None:
        """There will be no samples for a while, because nobody wants any."""
        self._settling.release()
        self._pre_roll.clear()

    def __call__(self, sample: Sample) -> None:
        """Take a sample."""
        self._settling.add(sample)

    # what people want

    def start(self, *, pre_roll: bool = True) -> WallUs:
        """Keep what comes, and what is in the pre-roll; or of that only what is needed to go on
        without a gap. When that begins."""
        if self.recording:
            return self._clock.wall()
        self.recording = True
        before = self._pre_roll.take(newest=not pre_roll)
        begin = before[0].wall if before else self._clock.wall()
        if not before:
            self._ledger.open(self._behind(begin), Cause.STARTING)
        for sample in before:
            self._keep(sample)
        return begin

    def stop(self, cause: Cause | None) -> None:
        """Keep nothing any more, for that reason; None where nobody is to ask for one, because
        the camera is given up."""
        end = self._end_here() if self.recording else self._clock.wall()
        self.recording = False
        if cause is not None:
            self._ledger.open(end, cause)
        else:
            self._ledger.close(end)

    async def close(self) -> None:
        """Seal what is open. Until the camera is kept again, that is a gap."""
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.gather(self._mending, return_exceptions=True)
        end = self._end_here()
        await self._reel.close()
        if self.recording:
            self._ledger.open(end, Cause.NOT_RUNNING)

    def _end_here(self) -> WallUs:
        """End the segment, if there is one; when that was."""
        self._settling.release()
        if self._reel.current is None:
            return self._behind(self._clock.wall())
        self._until = end = self._flow.end
        self._reel.cut(end)
        return end

    def _behind(self, wall: WallUs) -> WallUs:
        """`wall`, or the end of what is kept where that lies a little later: frames that catch up
        are placed ahead of the clock, and none of what is kept is a gap."""
        until = self._until
        return until if until is not None and 0 < until - wall <= REPEAT_US else wall

    # samples

    def _take(self, sample: Sample, late_us: int) -> None:
        if self.recording:
            self._keep(sample)
        elif self._options.pre_roll_s:
            self._pre_roll.add(sample)

    def _keep(self, sample: Sample) -> None:
        if self._failed:
            self.drops += sample.is_video
        elif isinstance(sample.params, AudioParams):
            self._keep_sound(sample)
        else:
            self._keep_frame(sample, sample.params)

    def _keep_frame(self, sample: Sample, params: VideoParams) -> None:
        if self._full(sample):
            self.drops += 1
            return
        current = self._reel.current
        if current is not None and (broke := self._flow.breaks(sample, self._session)) is not None:
            self._cut(broke.cause, broke.detail)
            current = None
        if current is None:
            if not sample.key:
                return
            current = self._begin(sample, params)
        else:
            wall = self._flow.add(sample, self._session)
            if sample.key and self._must_switch(current, sample, params):
                current = self._next(sample, params, wall)
            elif params is not current.video and params != current.video:
                self.drops += 1  # other parameters without a key frame: nobody could decode it
                return
            if wall < current.start_us:
                self.drops += 1  # an open GOP: it needs pictures of the segment before
                return
            self._reel.add(current, sample, wall)
        self.frames += 1
        self.bytes += len(sample.data)

    def _keep_sound(self, sample: Sample) -> None:
        if not self._options.audio or self._dropping or self._reel.current is None:
            return
        wall = self._flow.sound(sample)
        movie = self._reel.movie_at(wall)
        if movie is not None and (sample.params is movie.audio or sample.params == movie.audio):
            self.bytes += len(sample.data)
            self._reel.add(movie, sample, wall)

    def _full(self, sample: Sample) -> bool:
        """Whether the disk is too far behind to take this frame; once it was, up to a key."""
        if self._reel.full:
            if not self._dropping:
                self._dropping = True
                self._cut(Cause.DISK_SLOW, "the disk did not keep up")
        elif sample.key:
            self._dropping = False
        return self._dropping

    # segments

    def _begin(self, sample: Sample, params: VideoParams) -> OpenMovie:
        """Begin a segment after a break, with the frame in it."""
        offset = self._clock.wall() - self._clock.mono() // 1000
        step = self._flow.step_us(offset)
        wall = self._flow.begin(sample, self._session, offset, self._until)
        self._ledger.close(wall, step)
        self._run += 1
        movie = self._next(sample, params, wall)
        self._reel.add(movie, sample, wall)
        return movie

    def _next(self, sample: Sample, params: VideoParams, wall: WallUs) -> OpenMovie:
        audio = self._notes.audio if self._options.audio else None
        self._turn = self._turn_of(sample)
        identity = self._shelf.identity(self._run, wall)
        return self._reel.begin(params, audio, identity, wall, "")

    def _must_switch(self, current: OpenMovie, sample: Sample, params: VideoParams) -> bool:
        """Whether another segment begins with this key frame."""
        if params is not current.video and params != current.video:
            return True
        sound = self._notes.audio
        heard = self._options.audio and sound is not None and sound is not current.audio
        if heard and sound != current.audio:
            return True
        length_us = self._flow.end - current.start_us
        return (
            self._turn_of(sample) != self._turn
            and length_us > self._options.segment_s * 250_000  # not yet where it began late
        )

    def _turn_of(self, sample: Sample) -> int:
        """Which of the camera's turns to begin a segment was the last one."""
        options = self._options
        return int((sample.arrival / 1e9 - options.phase_s) // options.segment_s)

    def _cut(self, cause: Cause, detail: str) -> None:
        """End the segment at its last frame; from there on there is a gap."""
        self._until = end = self._flow.end
        self._reel.cut(end)
        self._ledger.open(end, cause, detail)

    # a disk that fails

    def _new_reel(self) -> Reel:
        return Reel(self._shelf, self._disk_failed, self._volume, sync_s=self._options.sync_s)

    def _disk_failed(self) -> None:
        """The reel takes nothing more. Go on with another as soon as that makes sense."""
        if not self._failed:
            self._failed = True
            self._mending = asyncio.create_task(self._mend(self._reel))

    def disk_away(self, error: CamkeepError) -> None:
        """The archive is not where it was, though files may still be open in it."""
        if not self._failed:
            self._failed = True
            self._mending = asyncio.create_task(self._mend(self._reel, error))

    async def _mend(self, reel: Reel, error: Exception | None = None) -> None:
        """Steps: close what can be closed; note from when on frames are lost; wait; go on."""
        await reel.close()
        error = error or reel.error
        if not isinstance(error, CamkeepError):
            error = WriteFailed(f"writing failed: {error!r}")
        self._until = self._shelf.end
        self._note_loss(cause_of(error), str(error))
        self._on_trouble(error)
        await self._room.ready(error)
        self._reel = self._new_reel()
        self._failed = self._dropping = False
        self._on_trouble(None)

    def _note_loss(self, cause: Cause, detail: str) -> None:
        """All behind the end of what is kept is lost, what waited for the disk included."""
        lasting, end = self._ledger.lasting, self._until
        if lasting is None:
            self._ledger.open(end if end is not None else self._attempt, cause, detail)
        elif end is not None and end < lasting.start:
            self._ledger.note(end, lasting.start, cause, detail, 0)
