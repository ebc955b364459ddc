"""Retention: which segments have to go, and in which order. Pure; `reaper.py` carries it out.

What must always hold
---------------------
1. A segment that a held clip needs is never in a plan, nor one that still grows.
2. Of a camera, what was recorded first goes first: by sequence, which no clock can change.
3. Nothing goes while no limit is exceeded, and not one segment more than the limits ask for.
4. Once a plan is carried out (and another one, where it was as long as it may be), no limit is
   exceeded, unless all that is left is held or grows.

A quota counts growing segments, too. Between two plans the archive grows by what is written
meanwhile; so a plan whenever a segment is closed means that a camera is above its quota by less
than one segment, and all together above theirs by less than one segment of each camera.

Order: first what is too old; then what is above a camera's own quota, of that camera; then what
is above the quota of all, or in the way of the space to be left free, the oldest of all cameras.

The age of a segment is that of its end. A camera's own limit of age takes the place of the
overall one; both quotas hold at once.

Clocks that were wrong
----------------------
Ages and the order *among* cameras need times, and a segment may have been stamped by a wrong
clock. One that claims to end in the future, or before computers of today were made, counts as old
as the next segment of its camera that does not: it was recorded before that one. Footage that was
stamped too late by less keeps its successors from being deleted by age for as long, because of
rule 2: footage stays longer by the error of the clock, never shorter. See also `ageclock.py`.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from camkeep.archive.ageclock import NEVER_SET
from camkeep.archive.holds import Holds
from camkeep.clock import WallUs
from camkeep.errors import UsageError
from camkeep.model import CameraId, Segment, SegmentState

MOST = 1000
"""Segments in one plan, so that it is made and carried out in seconds."""
AHEAD = 20_000
"""Segments with impossible times that are looked through for one with a possible one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept; None is without limit. Raises UsageError."""

    max_bytes: int | None = None
    max_age_s: float | None = None

    def __post_init__(self) -> None:
        if self.max_bytes is not None and self.max_bytes <= 0:
            raise UsageError("a quota is more than 0 bytes; leave it away to keep without limit")
        age_s = self.max_age_s
        if age_s is not None and not (age_s > 0 and math.isfinite(age_s)):
            raise UsageError("an age is more than 0 seconds; leave it away to keep for ever")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a person wants kept. Raises UsageError."""

    overall: Limits = Limits()
    keep_free_bytes: int = 0
    """To be left free on the volume: for whoever else uses it, and so that it never runs full."""
    cameras: Mapping[CameraId, Limits] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.keep_free_bytes < 0:
            raise UsageError("the space to leave free cannot be less than 0 bytes")

    def quota(self, camera: CameraId) -> int | None:
        """Bytes that this camera may have."""
        return self.cameras.get(camera, _NO_LIMITS).max_bytes

    def age_s(self, camera: CameraId) -> float | None:
        """For how long this camera's footage is kept."""
        own = self.cameras.get(camera, _NO_LIMITS).max_age_s
        return self.overall.max_age_s if own is None else own


_NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class CameraUsage:
    """What a camera has on the disk, without what is just being deleted."""

    kept_bytes: int = 0
    """Of closed and damaged segments."""
    growing_bytes: int = 0
    """Of open ones."""
    held_bytes: int = 0
    """Those of `kept_bytes` that held clips need."""

    @property
    def total_bytes(self) -> int:
        return self.kept_bytes + self.growing_bytes


@dataclass(frozen=True, slots=True)
class Usage:
    """What the archive has on its volume."""

    cameras: Mapping[CameraId, CameraUsage]
    free_bytes: int | None = None
    """Free on the volume for this user (f_bavail); None where nobody can say."""
    leaving_bytes: int = 0
    """Of segments that are being deleted and still take up space: they will be free."""

    @property
    def total_bytes(self) -> int:
        return sum(camera.total_bytes for camera in self.cameras.values())


@dataclass(frozen=True, slots=True)
class Excess:
    """By how many bytes limits are exceeded. True where one is."""

    cameras: Mapping[CameraId, int]
    """Only those cameras that are above their own quota."""
    overall: int
    free: int
    """How much is missing of the space to be left free."""

    def __bool__(self) -> bool:
        return bool(self.cameras) or self.overall > 0 or self.free > 0


def excess(policy: Policy, usage: Usage) -> Excess:
    """By how much `usage` exceeds the quotas and the space to be left free."""
    above = {}
    for camera, used in usage.cameras.items():
        quota = policy.quota(camera)
        if quota is not None and used.total_bytes > quota:
            above[camera] = used.total_bytes - quota
    overall = free = 0
    if policy.overall.max_bytes is not None:
        overall = max(0, usage.total_bytes - policy.overall.max_bytes)
    if usage.free_bytes is not None:
        free = max(0, policy.keep_free_bytes - usage.free_bytes - usage.leaving_bytes)
    return Excess(above, overall, free)


def plan_deletions(
    oldest: Mapping[CameraId, Iterator[Segment]],
    policy: Policy,
    usage: Usage,
    holds: Holds,
    now: WallUs,
    *,
    latest: WallUs | None = None,
    most: int = MOST,
) -> list[Segment]:
    """The segments to delete, at most `most`, in the order in which they should go.

    `oldest` has each camera's segments by rising sequence, of any state (deleting ones are passed
    over, as `usage` does not count them); only as many are taken from it as are looked at. What is
    held may be left out of it. `now` and `latest` (by default the same) are an AgeClock's.
    """
    plan = _Plan(oldest, holds, now if latest is None else latest, most)
    ages = {camera: policy.age_s(camera) for camera in oldest}
    cutoffs = {camera: now - age_s * 1e6 for camera, age_s in ages.items() if age_s is not None}
    above = excess(policy, usage)
    too_much = max(above.overall, above.free)

    def too_old(camera: CameraId, time: WallUs | None) -> bool:
        return time is not None and time < cutoffs[camera]

    def above_own_quota(camera: CameraId, _: WallUs | None) -> bool:
        return plan.freed.get(camera, 0) < above.cameras[camera]

    def in_the_way(_: CameraId, __: WallUs | None) -> bool:
        return sum(plan.freed.values()) < too_much

    plan.take_oldest(cutoffs, too_old)
    plan.take_oldest(above.cameras, above_own_quota)
    plan.take_oldest(oldest, in_the_way)
    return plan.segments


class _Plan:
    """A plan that is being made."""

    def __init__(
        self,
        oldest: Mapping[CameraId, Iterator[Segment]],
        holds: Holds,
        latest: WallUs,
        most: int,
    ) -> None:
        ahead = _Budget(AHEAD)
        self.lines = {
            camera: _Line(segments, holds, latest, ahead) for camera, segments in oldest.items()
        }
        self.segments: list[Segment] = []
        self.freed: dict[CameraId, int] = {}
        self._most = most

    def take_oldest(
        self, cameras: Iterable[CameraId], wanted: Callable[[CameraId, WallUs | None], bool]
    ) -> None:
        """Take the oldest segment of `cameras` that there is, and so on, while it is `wanted`.

        A camera whose next segment is not wanted has no more to give.
        """
        heads: list[tuple[WallUs, WallUs, CameraId]] = []

        def consider(camera: CameraId) -> None:
            head = self.lines[camera].head() if camera in self.lines else None
            if head is not None and wanted(camera, head[0]):
                time, segment = head
                heapq.heappush(heads, (time or WallUs(0), segment.end, camera))

        for camera in sorted(cameras):
            consider(camera)
        while heads and len(self.segments) < self._most:
            _, _, camera = heapq.heappop(heads)
            head = self.lines[camera].head()
            assert head is not None
            if not wanted(camera, head[0]):
                continue  # those before it were enough
            segment = self.lines[camera].take()
            self.segments.append(segment)
            self.freed[camera] = self.freed.get(camera, 0) + segment.size
            consider(camera)


class _Budget:
    """How many segments with impossible times may still be looked through, of all cameras."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


class _Line:
    """Those of a camera's segments that may go, the next one first, each with its time.

    The time is None where it is impossible, and so are those of all that were looked through.
    """

    __slots__ = ("_ahead", "_holds", "_latest", "_ready", "_segments")

    def __init__(
        self, segments: Iterator[Segment], holds: Holds, latest: WallUs, ahead: _Budget
    ) -> None:
        self._segments = segments
        self._holds = holds
        self._latest = latest
        self._ahead = ahead
        self._ready: deque[tuple[WallUs | None, Segment]] = deque()

    def head(self) -> tuple[WallUs | None, Segment] | None:
        """The next one to go, and when it was recorded at the latest."""
        if not self._ready:
            self._fill()
        return self._ready[0] if self._ready else None

    def take(self) -> Segment:
        """Remove the head."""
        return self._ready.popleft()[1]

    def _fill(self) -> None:
        """Read on to the next segment with a possible time: it dates those before it."""
        undated: list[Segment] = []
        time: WallUs | None = self._latest  # where all that follows is impossible, too
        for segment in self._segments:
            if segment.state is SegmentState.DELETING:
                continue
            may_go = segment.state is not SegmentState.OPEN and not self._holds.cover(segment)
            possible = segment.start >= NEVER_SET and segment.end <= self._latest
            if possible and (may_go or undated):
                time = segment.end
                if may_go:
                    undated.append(segment)
                break
            if may_go and not possible:
                undated.append(segment)
                self._ahead.left -= 1
                if self._ahead.left < 0:
                    time = None
                    break
        self._ready.extend((time, each) for each in undated)
