"""What a probe's values mean for a person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from camkeep.cameras.trouble import Trouble
from camkeep.engine.diagnosis import diagnose
from camkeep.engine.probe import Report, probe
from camkeep.errors import CamkeepError, Unreachable
from camkeep.model import Codec
from support.staged import PICTURES, Staged, stream

FINE = Report(
    address="rtsp://cam/",
    seconds=5.0,
    product="Cam",
    login="none",
    transport="RTSP over TCP",
    video=replace(PICTURES, codec=Codec.H264),
    audio=None,
    frames=125,
    promised_fps=25.0,
    measured_fps=25.0,
    jitter_s=0.001,
    longest_wait_s=0.05,
    gop=(25, 25),
    bits_per_s=4e6,
    reordered=False,
    audio_samples=0,
    first_frame_s=0.3,
    clock_offset_s=0.1,
    breaks=0,
)


def test_nothing_is_said_of_a_camera_that_is_well() -> None:
    assert diagnose(FINE) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"measured_fps": 12.5}, "promises 25 frames a second and delivers 12.5"),
        ({"longest_wait_s": 2.0}, "once sent nothing for 2.0 s"),
        ({"gop": (250, 250)}, "Key frames are 10 s apart"),
        ({"gop": None}, "No second key frame came within 5 s"),
        ({"video": replace(PICTURES, codec=Codec.H265)}, "H.265"),
        ({"video": PICTURES, "bits_per_s": 20e6}, "a day takes 216 GB"),
        ({"clock_offset_s": -86400.0 * 365}, "8760 h behind"),
        ({"clock_offset_s": 5.0}, "5 s ahead of"),
        ({"breaks": 1}, "interrupted once"),
        ({"trouble": {Trouble.RTP_LOST.code: 7}}, "7 lost RTP packets. Use TCP"),
    ],
)
def test_each_trouble_is_said_with_what_to_do(change: dict[str, object], words: str) -> None:
    (said,) = diagnose(replace(FINE, **change))  # type: ignore[arg-type]
    assert words in said
    assert said.endswith(".")


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_malformation_has_words(trouble: Trouble) -> None:
    (said,) = diagnose(replace(FINE, trouble={trouble.code: 3}))
    assert said == f"{trouble.counted(3)}. {trouble.advice}"
    assert trouble.counted(3).startswith("3 ")
    assert trouble.counted(1).startswith("1 ")
    assert trouble.counted(1)[2:] != trouble.counted(3)[2:]
    assert trouble.advice.endswith(".")


async def test_counting() -> None:
    source = Staged(stream(101, gop=10), promised_fps=30)
    report = await probe(source, 0.2)
    assert report.frames == 101
    assert report.measured_fps == pytest.approx(25)
    assert report.promised_fps == 30
    assert report.gop == (10, 10)
    assert report.jitter_s == pytest.approx(0, abs=1e-6)  # they came evenly
    assert report.longest_wait_s == pytest.approx(0.04)


async def test_a_camera_that_breaks_off_is_reported_with_what_was_seen() -> None:
    report = await probe(Staged([*stream(50), Unreachable("gone")]), 60)
    assert report.frames == 50


async def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(CamkeepError, match="off"):
        await probe(Staged([Unreachable("off")]), 60)
