"""Null bytes before the end marker: added ones and legitimate ones, against Pillow's pictures."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from camkeep.cameras.testcard import picture
from camkeep.media.jpeg import examine
from camkeep.media.jpeg_nulls import BUDGET, NullJudge, last_interval
from support.pictures import jpeg


def added(data: bytes) -> bool:
    return NullJudge().added(data, examine(data).nulls_before_end)


def flat(width: int) -> bytes:
    """A grey picture, whose last codes are all zeros."""
    out = io.BytesIO()
    Image.new("RGB", (width, 64), (90, 90, 90)).save(out, "JPEG", subsampling=2)
    return out.getvalue()


def test_a_null_that_is_picture_data_is_told_from_one_that_was_added() -> None:
    legitimate = 0
    for width in range(16, 400, 16):
        good = flat(width)
        legitimate += examine(good).nulls_before_end
        assert not added(good)
        for nulls in (1, 2, 4):
            assert added(good[:-2] + bytes(nulls) + good[-2:])
    assert legitimate


def test_pictures_with_and_without_restart_markers() -> None:
    for more in ({}, {"restart_marker_rows": 1}, {"restart_marker_blocks": 7}, {"mode": "L"}):
        for subsampling in (0, 1, 2):
            good = jpeg(200, 120, subsampling=subsampling, **more)
            assert (last_interval(good) is not None) == any("restart" in name for name in more)
            assert not added(good)
            assert added(good[:-2] + b"\0" + good[-2:])


def test_beyond_the_budget_the_others_decide() -> None:
    good = jpeg(200, 120)
    odd = good[:-2] + b"\0" + good[-2:]
    judge = NullJudge()
    verdicts = [judge.added(odd, 1) for _ in range(BUDGET // len(odd) + 50)]
    assert all(verdicts)
    assert judge.added(good, 1)


@given(st.binary(max_size=200), st.integers(0, 600), st.integers(0, 3))
def test_anything(junk: bytes, at: int, nulls: int) -> None:
    card = picture(1, 160, 128)
    for data in (junk, b"\xff\xd8" + junk, card[:at] + junk + card[at:]):
        assert NullJudge().added(data, nulls) in (True, False)
