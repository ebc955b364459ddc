"""The bit reader, against a writer that builds the bits as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.errors import MediaError
from camkeep.media.bits import BitReader
from support.bitwriter import BitWriter

FIXED = st.integers(1, 64).flatmap(
    lambda width: st.tuples(st.just("u"), st.just(width), st.integers(0, (1 << width) - 1))
)
UNSIGNED = st.tuples(st.just("ue"), st.just(0), st.integers(0, (1 << 32) - 2))
SIGNED = st.tuples(st.just("se"), st.just(0), st.integers(-(1 << 31) + 1, (1 << 31) - 1))


@given(st.lists(FIXED | UNSIGNED | SIGNED, max_size=40))
def test_reads_back_what_was_written(fields: list[tuple[str, int, int]]) -> None:
    writer = BitWriter()
    for kind, width, value in fields:
        if kind == "u":
            writer.u(width, value)
        elif kind == "ue":
            writer.ue(value)
        else:
            writer.se(value)
    reader = BitReader(writer.data())
    for kind, width, value in fields:
        read = reader.u(width) if kind == "u" else reader.ue() if kind == "ue" else reader.se()
        assert read == value
    assert reader.position == writer.length
    assert reader.left == -writer.length % 8


def test_the_end_is_an_error() -> None:
    reader = BitReader(b"\xff")
    reader.skip(7)
    with pytest.raises(MediaError, match="cut short"):
        reader.u(2)
    assert reader.left == 0


def test_numbers_beyond_32_bits_are_refused() -> None:
    with pytest.raises(MediaError, match="too large"):
        BitReader(bytes(20)).ue()


def test_a_limit_is_named() -> None:
    with pytest.raises(MediaError, match="4 where less than 4"):
        BitReader(b"\x28").ue(below=4)
