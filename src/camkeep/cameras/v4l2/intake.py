"""From a webcam's buffers to samples: their place in time, and what is wrong with them."""

from __future__ import annotations

from camkeep.cameras.source import Notes, Sink
from camkeep.cameras.trouble import Trouble
from camkeep.cameras.v4l2.streaming import Frame
from camkeep.clock import Clock, MonoNs, WallUs
from camkeep.errors import MediaError
from camkeep.media.h264 import H264Stream
from camkeep.media.jpeg import examine, jpeg_params
from camkeep.media.nal import split_annexb
from camkeep.media.timeline import Timeline
from camkeep.model import Sample, VideoParams

TIMESCALE = 1_000_000
"""The kernel stamps frames in microseconds."""
_OLD_NS = 60_000_000_000
_EARLY_NS = 1_000_000_000
"""A kernel time stamp further than this in the past or the future is not believed."""
_MOST_LOST = 100_000
"""A sequence number further ahead than this (an hour of frames) counts as begun anew."""


class JpegReader:
    """Buffers that each hold a JPEG, often with padding behind it."""

    def __init__(self) -> None:
        self._params = jpeg_params(1, 1)

    def lost(self) -> bool:
        """Frames are missing; whether what follows is another run. It is not: each picture
        stands for itself and carries its time."""
        return False

    def read(self, data: bytes, notes: Notes) -> tuple[VideoParams, bytes, bool] | None:
        """Params, sample data and whether it is a key frame; None where it is of no use."""
        trouble = notes.trouble
        if not data:
            trouble[Trouble.JPEG_EMPTY] += 1
            return None
        try:
            picture = examine(data)
        except MediaError:
            trouble[Trouble.JPEG_UNREADABLE] += 1
            return None
        if not picture.complete:
            trouble[Trouble.JPEG_NO_END] += 1
            return None
        if picture.nulls_before_end:
            trouble[Trouble.JPEG_NULLS_BEFORE_END] += 1
        if picture.start:
            trouble[Trouble.JPEG_JUNK_BEFORE] += 1
        if data[picture.end :].strip(b"\0"):  # zeros are how drivers fill a buffer
            trouble[Trouble.JPEG_JUNK_AFTER] += 1
        if (picture.width, picture.height) != (self._params.width, self._params.height):
            self._params = jpeg_params(picture.width, picture.height)
        return self._params, data[picture.start : picture.end], True


class H264Reader:
    """Buffers that each hold an access unit as a byte stream (H.264 annex B)."""

    def __init__(self) -> None:
        self._stream = H264Stream(TIMESCALE)
        self._wait_for_key = True

    def lost(self) -> bool:
        """Frames are missing: what follows cannot be decoded up to the next key frame, which
        begins another run."""
        waiting, self._wait_for_key = self._wait_for_key, True
        return not waiting

    def read(self, data: bytes, notes: Notes) -> tuple[VideoParams, bytes, bool] | None:
        """As JpegReader's."""
        try:
            unit = self._stream.assemble(split_annexb(data))
        except MediaError:
            notes.trouble[Trouble.FRAME_BROKEN] += 1
            self._wait_for_key = True
            return None
        if unit is None:
            return None
        if self._wait_for_key and not unit.key:
            notes.trouble[Trouble.FRAME_BEFORE_KEY] += 1
            return None
        self._wait_for_key = False
        return unit.params, unit.data, unit.key


class Intake:
    """Makes samples of buffers: their place in time, and what is wrong with them."""

    def __init__(
        self, reader: JpegReader | H264Reader, clock: Clock, sink: Sink, notes: Notes
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._sink = sink
        self._notes = notes
        self._timeline = Timeline(TIMESCALE, wrap_bits=0)
        self._next: int | None = None

    def take(self, frame: Frame) -> bool:
        """Hand on what `frame` holds; whether it was of use."""
        notes = self._notes
        lost = 0
        if self._next is not None and 0 < frame.sequence - self._next < _MOST_LOST:
            lost = frame.sequence - self._next
            notes.trouble[Trouble.BUFFER_LOST] += lost
        self._next = (frame.sequence + 1) & 0xFFFFFFFF
        if frame.damaged:
            notes.trouble[Trouble.BUFFER_ERROR] += 1
        if (lost or frame.damaged) and self._reader.lost():
            self._timeline.new_run()
        if frame.damaged:
            return False
        read = self._reader.read(frame.data, notes)
        if read is None:
            return False
        params, data, key = read
        arrival, wall = self._time(frame.stamp)
        placed = self._timeline.place(arrival // 1000, arrival, wall)
        if placed.oddity == "jump":
            notes.trouble[Trouble.CLOCK_JUMP] += 1
        elif placed.oddity == "doubled":
            notes.trouble[Trouble.CLOCK_DOUBLED] += 1
        notes.video = params
        self._sink(Sample(params, data, placed.ticks, arrival, placed.wall, key, placed.run))
        return True

    def _time(self, stamp: MonoNs | None) -> tuple[MonoNs, WallUs]:
        """When a frame was here, on both clocks: the kernel's stamp where it can be true."""
        now, wall = self._clock.mono(), self._clock.wall()
        if stamp is None or not now - _OLD_NS < stamp < now + _EARLY_NS:
            return now, wall
        return stamp, WallUs(wall - (now - stamp) // 1000)
