"""What is written as an amount is read back as the same one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.errors import UsageError
from camkeep.server.amounts import read_seconds, read_size, size_text, time_text


@given(st.integers(1, 10**18))
def test_sizes_come_back_to_the_byte(count: int) -> None:
    assert read_size(size_text(count)) == count


@given(st.integers(1, 10**6), st.sampled_from([1, 10**3, 10**6, 10**8, 10**9, 10**11, 10**12]))
def test_sizes_that_people_write(count: int, unit: int) -> None:
    assert read_size(size_text(count * unit)) == count * unit


@given(st.floats(1e-9, 1e12, allow_nan=False))
def test_lengths_of_time_come_back(length_s: float) -> None:
    assert read_seconds(time_text(length_s)) == pytest.approx(length_s, rel=1e-15)


def test_amounts_for_people() -> None:
    assert [size_text(n) for n in (5 * 10**11, 15 * 10**11, 1024, 7)] == [
        "500GB",
        "1.5TB",
        "1024B",
        "7B",
    ]
    assert [time_text(s) for s in (30 * 86400, 5.0, 90, 0.5, 0)] == [
        "30d",
        "5s",
        "90s",
        "0.5s",
        "0s",
    ]


def test_an_endless_time_is_none() -> None:
    with pytest.raises(UsageError):
        read_seconds("9" * 400)
