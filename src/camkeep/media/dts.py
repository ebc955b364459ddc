"""Decoding times for samples that carry presentation times only.

RTP and most cameras say when a frame is shown, never when it is decoded; MP4 wants both. In
decoding order the k-th sample gets the k-th smallest presentation time: the earliest times that
rise strictly and need no delay (the composition offsets are then signed, ISO 14496-12 §8.6.1.3
version 1). To know the k-th smallest, as many samples must be looked at ahead as the stream
reorders at most.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

MAX_DEPTH = 16
"""Most frames that H.264 (annex A.3.1) and H.265 (annex A.4.2) can reorder."""


class DecodingTimes:
    """Decoding times of one track. Call `push` in decoding order.

    `reorder` is `VideoParams.reorder`. Where the stream does not say (None), or said too
    little, the depth is learned when a presentation time goes backwards; the few decoding times
    around that moment rise by a single tick each, and presentation times stay untouched.
    """

    __slots__ = ("_depth", "_heap", "_highest", "_last", "_recent")

    def __init__(self, reorder: int | None) -> None:
        self._depth = min(reorder or 0, MAX_DEPTH)
        self._heap: list[int] = []
        self._recent: deque[int] = deque(maxlen=MAX_DEPTH)
        self._highest = self._last = -(1 << 63)

    def push(self, pts: int) -> int | None:
        """Take the next presentation time.

        Returns the decoding time of the oldest sample that has none yet, or None while more
        samples must be seen.
        """
        if pts >= self._highest:
            self._highest = pts
        else:
            later = sum(recent > pts for recent in self._recent)
            self._depth = max(self._depth, later)
        self._recent.append(pts)
        if self._depth:
            heappush(self._heap, pts)
            if len(self._heap) <= self._depth:
                return None
            pts = heappop(self._heap)
        return self._rise(pts)

    def flush(self) -> list[int]:
        """The decoding times of all samples that have none yet; no sample follows."""
        return [self._rise(heappop(self._heap)) for _ in range(len(self._heap))]

    def _rise(self, dts: int) -> int:
        self._last = dts if dts > self._last else self._last + 1
        return self._last
