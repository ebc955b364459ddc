"""What was recorded of an interval, what was not, and why. Pure.

Each instant of the interval counts once, as the first of these that holds:

1. *recorded*: a segment covers it (once, where the clock was set back and two do);
2. *missing*: a gap covers it (where several do, the one that began first), with its cause;
3. *removed*: what was there was deleted on purpose;
4. *outside*: before the camera was to be recorded, or still to come;
5. *unexplained*: none of these. If the archive works as it should, that is nothing.

So the five always sum up to the length of the interval. Segments come in as pairs of instants,
start and end, and may be more than those of the interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from camkeep.archive.intervals import Span, joined, length_us, shared, without
from camkeep.clock import WallUs
from camkeep.model import Cause, Gap, Removal

UNWANTED = frozenset({Cause.SWITCHED_OFF, Cause.NOT_WANTED})
"""Time that was not to be recorded."""
ROUNDING_US = 1000
"""Holes that only the rounding of media times makes are shorter than this."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What an interval of a camera consists of."""

    start: WallUs
    end: WallUs
    recorded_us: int
    missing_us: Mapping[Cause, int]
    """By cause; only those that occur."""
    removed_us: int
    outside_us: int
    unexplained_us: int

    @property
    def share(self) -> float | None:
        """Part of what was to be recorded that was, from 0 to 1; None where nothing was to be.

        What was recorded and then removed does not count, nor what nobody wanted recorded.
        """
        missing = sum(us for cause, us in self.missing_us.items() if cause not in UNWANTED)
        wanted = self.recorded_us + missing + self.unexplained_us
        return self.recorded_us / wanted if wanted else None


def coverage(
    segments: Iterable[tuple[WallUs, WallUs]],
    gaps: Iterable[Gap],
    removals: Iterable[Removal],
    start: WallUs,
    end: WallUs,
    *,
    since: WallUs,
    now: WallUs,
) -> Coverage:
    """What one camera's interval from `start` to `end` consists of.

    The camera was first to be recorded at `since`, and it is `now`.
    """
    rest = joined([(start, end)])

    def take(spans: list[Span]) -> int:
        nonlocal rest
        taken = length_us(shared(rest, spans))
        rest = without(rest, spans)
        return taken

    recorded = take(joined(_near(segments, start, end)))
    missing = {cause: take(spans) for cause, spans in _by_cause(gaps, start, end).items()}
    removed = take(joined((removal.start, removal.end) for removal in removals))
    outside = take(joined([(start, since), (now, end)]))
    return Coverage(
        start,
        max(start, end),
        recorded,
        {cause: length for cause, length in missing.items() if length},
        removed,
        outside,
        length_us(rest),
    )


def spans(
    segments: Iterable[tuple[WallUs, WallUs]], start: WallUs, end: WallUs, resolution_us: int
) -> list[Span]:
    """The recorded parts of an interval, as a timeline draws them.

    Holes shorter than `resolution_us` are closed, so that there are never more spans than the
    interval is long in units of it (and one more).
    """
    window = joined([(start, end)])
    return shared(joined(_near(segments, start, end), resolution_us), window)


def unexplained(
    segments: Iterable[tuple[WallUs, WallUs]],
    gaps: Iterable[Gap],
    since: WallUs,
    until: WallUs,
    *,
    removals: Iterable[Removal] = (),
    rounding_us: int = ROUNDING_US,
) -> list[Span]:
    """The holes between `since` and `until` that neither a segment nor a gap nor a removal
    explains, without those shorter than `rounding_us`."""
    known = [*segments]
    known += ((gap.start, gap.end) for gap in gaps)
    known += ((removal.start, removal.end) for removal in removals)
    holes = without(joined([(since, until)]), joined(known))
    return [hole for hole in holes if hole.end - hole.start >= rounding_us]


def _near(
    segments: Iterable[tuple[WallUs, WallUs]], start: WallUs, end: WallUs
) -> list[tuple[WallUs, WallUs]]:
    """Those that reach into the interval."""
    return [span for span in segments if span[1] > start and span[0] < end]


def _by_cause(gaps: Iterable[Gap], start: WallUs, end: WallUs) -> dict[Cause, list[Span]]:
    """The time of each cause: tidy lists that do not overlap each other."""
    found: dict[Cause, list[tuple[WallUs, WallUs]]] = {}
    told = start  # up to here it is clear whose time it is
    for gap in sorted(gaps, key=lambda gap: (gap.start, gap.end)):
        first, last = max(told, gap.start), min(end, gap.end)
        if first < last:
            found.setdefault(gap.cause, []).append((first, last))
            told = last
    return {cause: joined(times) for cause, times in found.items()}
