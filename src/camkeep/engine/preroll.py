"""What a camera showed lately, kept in memory so that a recording can begin before its button
was pressed. Bounded in time and in bytes, and cut at key frames, so that it can be decoded."""

from __future__ import annotations

from collections import deque

from camkeep.model import Sample

MOST_BYTES = 64 * 1024 * 1024
"""Of one camera; beyond, the oldest is let go, even where that leaves less time than asked for."""


class PreRoll:
    """The samples of the last seconds, in groups that begin with a key frame."""

    def __init__(self, seconds: float, most_bytes: int = MOST_BYTES) -> None:
        """Keeps at least the last `seconds`, where they fit into `most_bytes`."""
        self._keep_us = round(seconds * 1e6)
        self._most = most_bytes
        self._groups: deque[list[Sample]] = deque()
        self._sizes: deque[int] = deque()
        self.bytes = 0

    def add(self, sample: Sample) -> None:
        """Take a sample; let go of what is older than asked for."""
        if sample.is_video and sample.key:
            self._groups.append([])
            self._sizes.append(0)
        if not self._groups:
            return  # nothing can be decoded before the first key frame
        self._groups[-1].append(sample)
        self._sizes[-1] += len(sample.data)
        self.bytes += len(sample.data)
        while self._groups and (self.bytes > self._most or self._is_old(sample)):
            self._groups.popleft()
            self.bytes -= self._sizes.popleft()

    def take(self, *, newest: bool = False) -> list[Sample]:
        """All that is kept, in order, or only from the newest key frame on; afterwards there is
        nothing."""
        groups = list(self._groups)[-1:] if newest else self._groups
        taken = [sample for group in groups for sample in group]
        self.clear()
        return taken

    def clear(self) -> None:
        """Forget all: what comes does not follow it."""
        self._groups.clear()
        self._sizes.clear()
        self.bytes = 0

    def _is_old(self, newest: Sample) -> bool:
        """Whether the second group alone reaches back as far as asked for."""
        return len(self._groups) > 1 and self._groups[1][0].wall <= newest.wall - self._keep_us
