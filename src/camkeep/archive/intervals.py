"""Intervals of wall time, and the few things that coverage and holds do with lists of them.

Pure. A `Span` is half-open: its end is the first instant that no longer belongs to it. "Tidy" are
lists that rise and whose spans neither touch nor overlap: what `joined` returns and all others
want and keep.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from camkeep.clock import WallUs


class Span(NamedTuple):
    """From `start` up to, and without, `end`."""

    start: WallUs
    end: WallUs


def joined(spans: Iterable[tuple[WallUs, WallUs]], resolution_us: int = 0) -> list[Span]:
    """The union of `spans`, which may be in any order and overlap, as a tidy list.

    Holes shorter than `resolution_us` are closed. Empty spans count for nothing.
    """
    found: list[Span] = []
    reach = resolution_us - 1 if resolution_us > 0 else 0
    first = last = WallUs(0)
    begun = False
    for start, end in sorted(spans):
        if end <= start:
            continue
        if begun and start - last <= reach:
            last = max(last, end)
            continue
        if begun:
            found.append(Span(first, last))
        begun, first, last = True, start, end
    if begun:
        found.append(Span(first, last))
    return found


def shared(one: list[Span], other: list[Span]) -> list[Span]:
    """What two tidy lists have in common."""
    found = []
    n = m = 0
    while n < len(one) and m < len(other):
        start = max(one[n].start, other[m].start)
        end = min(one[n].end, other[m].end)
        if start < end:
            found.append(Span(start, end))
        if one[n].end <= other[m].end:
            n += 1
        else:
            m += 1
    return found


def without(spans: list[Span], taken: list[Span]) -> list[Span]:
    """What is in the tidy list `spans` and not in the tidy list `taken`."""
    found = []
    n = 0
    for start, end in spans:
        while n < len(taken) and taken[n].end <= start:
            n += 1
        m = n
        while m < len(taken) and taken[m].start < end:
            if start < taken[m].start:
                found.append(Span(start, taken[m].start))
            start = taken[m].end
            m += 1
        if start < end:
            found.append(Span(start, end))
    return found


def length_us(spans: Iterable[Span]) -> int:
    """How long the spans of a tidy list are together."""
    return sum(end - start for start, end in spans)
