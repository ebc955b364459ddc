"""Which frames a thinned recording keeps."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.clock import MonoNs, WallUs
from camkeep.engine.thinner import Thinner
from camkeep.media.jpeg import jpeg_params
from camkeep.model import Codec, Sample

JPEG = jpeg_params(16, 16)
H264 = dataclasses.replace(JPEG, codec=Codec.H264)


def sample(key: bool = True, codec: Codec = Codec.JPEG) -> Sample:
    params = JPEG if codec is Codec.JPEG else H264
    return Sample(params, b"", 0, MonoNs(0), WallUs(0), key, 0)


@pytest.mark.parametrize(
    ("camera", "wanted", "kept"), [(30, 10, 100), (30, 30, 300), (30, 60, 300), (25, 10, 100)]
)
def test_ten_seconds_of_a_steady_camera(camera: int, wanted: int, kept: int) -> None:
    thinner = Thinner(wanted)
    times = [round(n * 1e6 / camera) for n in range(camera * 10)]
    assert abs(sum(thinner.keeps(sample(), t) for t in times) - kept) <= 1


def test_of_h264_only_key_frames_are_kept() -> None:
    thinner = Thinner(2)
    kept = [
        n for n in range(300) if thinner.keeps(sample(n % 30 == 0, Codec.H264), round(n * 1e6 / 30))
    ]
    assert kept == list(range(0, 300, 30))


@given(
    st.floats(0.1, 60),
    st.lists(st.integers(1, 2_000_000), min_size=1, max_size=200),
)
def test_never_more_than_asked_for(fps: float, steps: list[int]) -> None:
    thinner = Thinner(fps)
    elapsed = 0
    kept = [0] if thinner.keeps(sample(), 0) else []
    for step in steps:
        elapsed += step
        if thinner.keeps(sample(), elapsed):
            kept.append(elapsed)
    assert kept[0] == 0
    assert len(kept) <= elapsed / 1e6 * fps + 2
