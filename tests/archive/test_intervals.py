"""Lists of spans: against sets of instants."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from camkeep.archive.intervals import Span, joined, length_us, shared, without
from camkeep.clock import WallUs

raw = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map(
        lambda span: (WallUs(span[0]), WallUs(span[1]))
    ),
    max_size=12,
)
tidy = raw.map(joined)


def instants(spans: list[tuple[WallUs, WallUs]] | list[Span]) -> set[int]:
    return {instant for start, end in spans for instant in range(start, end)}


def is_tidy(spans: list[Span]) -> bool:
    rising = all(one.end < other.start for one, other in pairwise(spans))
    return rising and all(start < end for start, end in spans)


@given(raw)
def test_joined_is_the_union(spans: list[tuple[WallUs, WallUs]]) -> None:
    found = joined(spans)
    assert instants(found) == instants(spans)
    assert is_tidy(found)
    assert length_us(found) == len(instants(spans))


@given(raw, st.integers(0, 10))
def test_holes_below_the_resolution_are_closed_and_no_others(
    spans: list[tuple[WallUs, WallUs]], resolution: int
) -> None:
    exact, coarse = joined(spans), joined(spans, resolution)
    assert not instants(exact) - instants(coarse)
    assert all(b.start - a.end >= max(1, resolution) for a, b in pairwise(coarse))
    holes = [(a.end, b.start) for a, b in pairwise(exact) if b.start - a.end >= resolution]
    assert instants(without(coarse, exact)) == instants(coarse) - instants(exact)
    assert not instants(coarse) & instants(holes)


@given(tidy, tidy)
def test_shared_and_without(one: list[Span], other: list[Span]) -> None:
    assert instants(shared(one, other)) == instants(one) & instants(other)
    assert instants(without(one, other)) == instants(one) - instants(other)
    assert is_tidy(shared(one, other))
    assert is_tidy(without(one, other))
