"""The video track of a movie that is being written."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from itertools import pairwise

from camkeep.media.dts import MAX_DEPTH, DecodingTimes
from camkeep.media.mp4.track import (
    DELTA,
    KEY,
    TRUN_CTS,
    TRUN_DURATION,
    TRUN_FLAGS,
    TRUN_OFFSET,
    TRUN_SIZE,
    TimedSample,
    Track,
)
from camkeep.model import VideoParams

VIDEO_TIMESCALE = 90_000
FIRST_ESTIMATE = VIDEO_TIMESCALE // 30
"""How long a frame is taken to last while nothing else is known."""
DELAY_PER_FRAME = VIDEO_TIMESCALE // 5
"""Enough for frames that follow each other by 200 ms."""
_FLAGS = (DELTA, KEY)


class VideoTrack(Track):
    """Frames at their own times; the rate may vary as it likes.

    Composition offsets are signed. ffmpeg shifts a fragmented movie as a whole where it meets a
    negative one, so the fragments of a stream that says how much it reorders are shown `delay`
    late, which the edit list of the opening moov takes back. The closing tables need no such
    thing.
    """

    row_size = 16
    trun_kind = 1 << 24 | TRUN_OFFSET | TRUN_DURATION | TRUN_SIZE | TRUN_FLAGS | TRUN_CTS
    default_flags = DELTA

    def __init__(self, track_id: int, params: VideoParams) -> None:
        super().__init__(track_id)
        self.params: VideoParams = params
        self.timescale = VIDEO_TIMESCALE
        self.delay = min(params.reorder or 0, MAX_DEPTH) * DELAY_PER_FRAME
        self._times = DecodingTimes(params.reorder)
        self._held: deque[tuple[int, bytes, bool]] = deque()  # no decoding time yet

    def place(self, samples: Sequence[TimedSample]) -> list[bytes]:
        push, held = self._times.push, self._held
        ready: list[bytes] = []
        for _, data, time_us, key in samples:
            pts = (time_us * 9 + 50) // 100  # 90000 a second, from the true time: no drift
            dts = push(pts)
            if held or dts is None:
                held.append((pts, data, key))
                if dts is None:
                    continue
                pts, data, key = held.popleft()
            self._note(dts, pts, data, key)
            ready.append(data)
        return ready

    def flush(self) -> list[bytes]:
        ready: list[bytes] = []
        for dts in self._times.flush():
            pts, data, key = self._held.popleft()
            self._note(dts, pts, data, key)
            ready.append(data)
        return ready

    def _note(self, dts: int, pts: int, data: bytes, key: bool) -> None:
        self.sizes.append(len(data))
        self.dts.append(dts)
        self.offsets.append(pts - dts)
        self.keys.append(key)

    def estimate(self) -> int:
        """As long as a frame before it: the shorter of two, since one of them may span a gap."""
        recent = self.dts[-3:]
        if len(recent) < 2:
            return FIRST_ESTIMATE
        return min(after - before for before, after in pairwise(recent))

    def _rows(self, first: int, count: int) -> bytes:
        rows = [0] * (4 * count)
        rows[0::4] = self._durations(first)
        rows[1::4] = self.sizes[first:]
        rows[2::4] = [_FLAGS[key] for key in self.keys[first:]]
        delay = self.delay
        rows[3::4] = [offset + delay for offset in self.offsets[first:]]
        return struct.pack(">" + "IIIi" * count, *rows)
