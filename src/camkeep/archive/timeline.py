"""What a timeline shows of a camera: what is kept, what is missing and why, what was removed, in a
bounded number of pieces however long the interval is. Blocks for milliseconds; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from camkeep.archive.coverage import ROUNDING_US, Coverage, coverage
from camkeep.archive.growing import Growing
from camkeep.archive.intervals import Span, joined, shared
from camkeep.archive.recorded import RecordedTimes
from camkeep.archive.timecatalog import TimeCatalog
from camkeep.clock import WallUs
from camkeep.model import CameraId, Gap, KeptCamera, SegmentState

LEAST_SHARE = 4
"""Gaps shorter than this part of the resolution are not looked at: a year may have a million."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """An interval of one camera."""

    spans: Sequence[Span]
    """What is kept; holes shorter than the resolution are closed."""
    gaps: Sequence[Gap]
    """By when they begin; those shorter than the resolution are left out, but for one that lasts,
    and for those that make up a longer one together."""
    removed: Sequence[Span]
    """What was deleted on purpose, as `spans` are."""
    coverage: Coverage


def look(
    growing: Growing,
    catalog: TimeCatalog,
    recorded: RecordedTimes,
    camera: KeptCamera,
    interval: tuple[WallUs, WallUs],
    resolution_us: int,
    now: WallUs,
) -> Timeline:
    """What there is of `camera` from one instant to the other, no finer than `resolution_us`.

    There are never more spans, and never more removed ones, than the interval is long in units of
    it (and one more); of gaps twice as many. Raises StorageError.
    """
    start, end = interval
    times = recorded_spans(growing, catalog, recorded, camera.id, start, end)
    least_us = resolution_us // LEAST_SHARE
    gaps = catalog.gaps(camera.id, start, end, now, least_us=least_us)
    removals = catalog.removals(camera.id)
    window = joined([(start, end)])
    return Timeline(
        shared(joined(times, resolution_us), window),
        seen_gaps(gaps, resolution_us),
        shared(joined(((r.start, r.end) for r in removals), resolution_us), window),
        coverage(times, gaps, removals, start, end, since=camera.since, now=now),
    )


def recorded_spans(
    growing: Growing,
    catalog: TimeCatalog,
    recorded: RecordedTimes,
    camera: CameraId,
    start: WallUs,
    end: WallUs,
) -> list[Span]:
    """What was recorded around [start, end), the segment that grows included. Tidy."""
    open_ones = [
        growing(segment)
        for segment in catalog.not_closed(camera)
        if segment.state is SegmentState.OPEN and segment.start < end
    ]
    times: list[tuple[WallUs, WallUs]] = [*recorded.spans(catalog, camera, start, end)]
    times += ((segment.start, segment.end) for segment in open_ones if segment.end > start)
    return joined(times, ROUNDING_US)


def seen_gaps(gaps: Iterable[Gap], resolution_us: int) -> list[Gap]:
    """Those that can be seen. Of gaps that follow each other without a break, the short ones are
    told as part of the one before; together they may be long enough."""
    rows: list[list[Gap]] = []
    reach = None
    for gap in sorted(gaps, key=lambda gap: (gap.start, gap.end)):
        if reach is None or gap.start > reach + ROUNDING_US:
            rows.append([gap])
            reach = gap.end
            continue
        reach = max(reach, gap.end)
        if gap.end - gap.start >= resolution_us or gap.lasting:
            rows[-1].append(gap)
        else:
            last = rows[-1][-1]
            rows[-1][-1] = replace(last, end=max(last.end, gap.end))
    return [gap for row in rows if _shows(row, resolution_us) for gap in row]


def _shows(row: Sequence[Gap], resolution_us: int) -> bool:
    length_us = max(gap.end for gap in row) - row[0].start
    return row[-1].lasting or length_us >= resolution_us
