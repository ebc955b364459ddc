"""Sizes, shares and ages as people type them."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cli.amounts import age, named, room, size


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500GB", 500 * 10**9),
        ("1.5 TB", 1_500_000_000_000),
        ("200GiB", 200 * 2**30),
        (" 20g ", 20 * 10**9),
        ("3Ki", 3072),
        ("7B", 7),
        ("0.1kB", 100),
        ("2PiB", 2 * 2**50),
    ],
)
def test_sizes(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "500", "GB", "-5GB", "0GB", "0.1B", "1,5TB", "5iB", "5 EB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"500GB|more than 0"):
        size(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [("20GB", 20 * 10**9), ("10%", 10**11), ("0.5 %", 5 * 10**9), ("0", 0), ("0%", 0)],
)
def test_room_on_a_disk_of_a_terabyte(text: str, count: int) -> None:
    assert room(text).of(10**12) == count


@pytest.mark.parametrize("text", ["20", "100%", "-1%", "%", "ten"])
def test_what_is_no_room(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="20GB"):
        room(text)


def test_ages_have_a_unit() -> None:
    assert (age("30d"), age("12h"), age("2w"), age("1d12h")) == (
        30 * 86400,
        12 * 3600,
        14 * 86400,
        36 * 3600,
    )
    with pytest.raises(argparse.ArgumentTypeError, match="write 30d"):
        age("30")


def test_of_one_camera() -> None:
    assert named(size)("garage=100GB") == ("garage", 10**11)
    assert named(age)("the = door = 2d") == ("the = door", 2 * 86400)
    for text in ("100GB", "=100GB", " =1d"):
        with pytest.raises(argparse.ArgumentTypeError, match="names no camera"):
            named(size)(text)


@given(
    st.sampled_from([size, room, age, named(size)]),
    st.text(max_size=12) | st.text("0123456789.% kMGTiBdhw=", max_size=12),
)
def test_any_text_is_an_amount_or_a_clear_refusal(
    parse: Callable[[str], object], text: str
) -> None:
    try:
        parse(text)
    except argparse.ArgumentTypeError:
        pass
