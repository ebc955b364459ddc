"""Tables spliced: as bytes or sample by sample, the same; and where shares are laid."""

from __future__ import annotations

import random
import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.audio import g711_params
from camkeep.media.mp4 import Identity, Muxer, TimedSample, read_movie
from camkeep.media.mp4.boxes import box
from camkeep.media.mp4.splice import Gaps, Part, Spliced, plan_parts
from camkeep.media.mp4.splice_cut import Share, share_of, ticks
from camkeep.media.mp4.splice_lead import is_lead, lead_of
from camkeep.media.mp4.splice_read import Footage, read_footage
from camkeep.media.mp4.splice_rows import Rows, cut_rows
from camkeep.model import Codec, VideoParams
from support.clips import nals
from support.movies import made, stream

START = WallUs(1_795_249_847_123_457)
FOREVER = WallUs(START + 10**13)


class Bytes:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        return self.data[offset : offset + length]


def footage_of(data: bytes) -> Footage:
    return read_footage(Bytes(data))


def whole(footage: Footage, start: WallUs = START) -> Share:
    share = share_of(footage, start, WallUs(0), FOREVER, exact=True)
    assert share is not None
    assert share.cut == ()
    return share


def samples_of(rows: Rows) -> tuple[list[int], list[int], list[int], list[int], list[int]]:
    """Durations but the last, offsets, sizes, keys, and where each sample lies."""
    sizes = [size for (size,) in struct.iter_unpack(">I", rows.sizes)]
    keys = list(rows.keys) if rows.keys is not None else list(range(1, rows.count + 1))
    offsets = runs(rows.offsets, ">Ii") or [0] * rows.count
    positions: list[int] = []
    steps = [*rows.chunks[0::2], len(rows.positions) + 1]
    for number, each in enumerate(rows.chunks[1::2]):
        for chunk in range(steps[number], steps[number + 1]):
            at = rows.positions[chunk - 1]
            for _ in range(each):
                positions.append(at)
                at += sizes[len(positions) - 1]
    return runs(rows.durations, ">II"), offsets, sizes, keys, positions


def runs(packed: bytes, row: str) -> list[int]:
    return [value for count, value in struct.iter_unpack(row, packed) for _ in range(count)]


@pytest.mark.parametrize("name", ["h264", "h264-b", "h264-open", "h265-b", "jpeg"])
def test_rows_as_bytes_are_those_of_the_samples(name: str) -> None:
    growing, closed = made(stream(name), stream("aac"), size=7)
    grown, footage = footage_of(growing), footage_of(closed)
    for one, other in ((footage.video, grown.video), (footage.audio, grown.audio)):
        assert one is not None
        assert other is not None
        rows = one.rows(footage.space)
        assert rows is not None
        columns = one.columns
        by_sample = cut_rows(columns, one.shift, 0, rows.count, columns.offsets)
        assert samples_of(rows) == samples_of(by_sample)
        assert (rows.begin, rows.last, rows.ends) == (
            by_sample.begin,
            by_sample.last,
            by_sample.ends,
        )
        while_it_grew = other.rows(grown.space)
        assert while_it_grew is not None
        assert samples_of(while_it_grew) == samples_of(rows)
    assert (footage.closed, grown.closed) == (True, False)


steps = st.lists(st.integers(0, 300_000), min_size=1, max_size=30)


@given(steps, steps, st.integers(0, 900_000), st.integers(1, 9))
def test_the_clip_of_one_segment_is_the_segment(
    video: list[int], audio: list[int], begin: int, size: int
) -> None:
    """Whatever its times are, also where the sound begins before the pictures."""
    params, sound = stream("h264").params, g711_params(Codec.PCMA, 8000, 1)
    assert isinstance(params, VideoParams)
    frames, at = [], begin
    for number, step in enumerate(video):
        frames.append(TimedSample(params, bytes([1 + number]) * 7, at, number % 5 == 0))
        at += step
    pieces, at = [], 0
    for number, step in enumerate(audio):
        pieces.append(TimedSample(sound, bytes([101 + number]) * 80, at, True))
        at += step
    muxer = Muxer(params, sound, Identity("garage", 1, 1, START))
    samples = sorted([*frames, *pieces], key=lambda each: each.time_us)
    data = muxer.header()
    for first in range(0, len(samples), size):
        data += b"".join(muxer.fragment(samples[first : first + size]))
    data += b"".join(muxer.flush())
    closing = muxer.finish()
    end = closing.patch_offset + len(closing.patch)
    closed = data[: closing.patch_offset] + closing.patch + data[end:] + closing.tail
    source, clip = read_movie(Bytes(closed)), clip_of([whole(footage_of(closed))], closed)
    for track, other in zip(read_movie(Bytes(clip)).tracks, source.tracks, strict=True):
        found = [(s.time, clip[s.offset : s.offset + s.size], s.key) for s in track.samples]
        assert found == [
            (s.time, closed[s.offset : s.offset + s.size], s.key) for s in other.samples
        ]


def clip_of(shares: list[Share], data: bytes, gaps: Gaps = Gaps.KEEP) -> bytes:
    """The clip of shares that are all of one file."""
    (part,) = plan_parts(shares, shares[0].start, FOREVER, gaps)
    spliced = Spliced(part)
    media = (lead + data[begin:end] for ranges in spliced.ranges for begin, end, lead in ranges)
    return spliced.header(b"") + b"".join(media)


def test_rounding_never_adds_up() -> None:
    """A thousand segments of a length that is no number of ticks: each is within half a tick."""
    _, closed = made(stream("h264"))
    footage = footage_of(closed)
    shares = [whole(footage, WallUs(START + number * 2_000_003)) for number in range(1000)]
    (part,) = plan_parts(shares, START, FOREVER, Gaps.KEEP)
    for number, placed in enumerate(part.placed):
        exact = Fraction(number * 2_000_003 * 9, 100)
        assert abs(placed.video_at - exact) <= Fraction(1, 2)
    video = read_movie(Bytes(clip_of(shares, closed))).video
    assert video is not None
    for number in range(0, 50_000, 50):
        true = Fraction(number // 50 * 2_000_003 * 9, 100)
        assert abs(video.samples[number].time - true) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("step_us", "gaps", "placed"),
    [
        (2_000_000, Gaps.KEEP, 180_000),
        (2_020_000, Gaps.CUT, 181_800),  # 20 ms are no gap: it stays where it was
        (2_020_023, Gaps.CUT, 180_000),
        (2_020_023, Gaps.KEEP, 181_802),
        (9_000_000, Gaps.CUT, 180_000),
        (9_000_000, Gaps.KEEP, 810_000),
        (1_980_000, Gaps.KEEP, 178_200),  # the last frame becomes shorter
        (1_960_012, Gaps.KEEP, 176_401),
        (1_960_000, Gaps.KEEP, 180_000),  # it would be before the last frame: right behind it
        (-3_600_000_000, Gaps.KEEP, 180_000),
    ],
)
def test_where_the_next_segment_is_laid(step_us: int, gaps: Gaps, placed: int) -> None:
    footage = footage_of(made(stream("h264"))[1])
    shares = [whole(footage), whole(footage, WallUs(START + step_us))]
    part = laid(shares, gaps)
    assert [each.video_at for each in part.placed] == [0, placed]
    third = whole(footage, WallUs(START + step_us + 2_000_000))
    assert laid([*shares, third], gaps).placed[2].video_at == placed + 180_000


def test_gaps_are_kept_after_the_clock_was_set_back() -> None:
    footage = footage_of(made(stream("h264"))[1])
    early = WallUs(START - 3_600_000_000)
    shares = [whole(footage), whole(footage, early), whole(footage, WallUs(early + 7_000_000))]
    assert [each.video_at for each in laid(shares, Gaps.KEEP).placed] == [0, 180_000, 810_000]


def laid(shares: list[Share], gaps: Gaps) -> Part:
    (part,) = plan_parts(shares, START, FOREVER, gaps)
    return part


def test_sound_follows_the_pictures_and_never_goes_back() -> None:
    footage = footage_of(made(stream("h264"), stream("aac"))[1])
    rng = random.Random(4)
    now, shares = START, []
    for _ in range(50):
        shares.append(whole(footage, now))
        now = WallUs(now + rng.choice([2_000_000, 1_990_000, 2_030_000, -500_000, 7_000_000]))
    part = laid(shares, Gaps.KEEP)
    last = -1
    for share, video_at, audio_at in part.placed:
        assert share.audio is not None
        late_us = Fraction(audio_at, 48_000) - Fraction(video_at, 90_000)
        assert -Fraction(1, 48_000) <= late_us < Fraction(1, 10)
        assert audio_at + share.audio.begin > last
        last = audio_at + share.audio.last


@given(st.integers(-(10**15), 10**15), st.sampled_from([8000, 44_100, 48_000, 90_000]))
def test_ticks_are_the_nearest(distance: int, scale: int) -> None:
    assert abs(ticks(distance, scale) - Fraction(distance * scale, 1_000_000)) <= Fraction(1, 2)


def test_parameter_sets_before_key_frames() -> None:
    for name, codec in (("h264", Codec.H264), ("h265-b", Codec.H265)):
        video = footage_of(made(stream(name))[1]).video
        lead = lead_of(video.entry)
        assert is_lead(lead, codec)
        assert len(nals(lead)) >= 2
        picture = stream(name).samples[0].data
        assert not is_lead(picture, codec)
        assert not is_lead(lead + picture, codec)
        assert not is_lead(lead[:-1], codec)
        assert not is_lead(lead, Codec.JPEG)
    assert lead_of(footage_of(made(stream("jpeg"))[1]).video.entry) == b""
    assert lead_of(box(b"avc1", bytes(78), box(b"avcC", bytes(3)))) == b""


def test_what_is_no_segment_is_refused() -> None:
    _, closed = made(stream("h264"), stream("aac"))
    sound = made(None, stream("aac"))[1]
    for data, why in (
        (b"", "not an MP4"),
        (closed[: closed.rindex(b"moov")], "not an MP4"),
        (sound, "no pictures"),
        (changed(closed, b"stsz", 16, 1 << 30), "outside of its file"),
        (changed(closed, b"stsz", 12, 49), "disagree"),
        (changed(closed, b"stts", 12, 3), "disagree"),
        (changed(closed, b"stss", 12, 1000), "key frame"),
        (changed(closed, b"stco", 12, 1 << 31), "outside of its file"),
        (changed(closed, b"stco", 12, 3), "outside of its file"),
        (changed(closed, b"stsc", 12, 2), "chunks is malformed"),
        (changed(closed, b"avcC", 12, 0), "H.264"),
        (changed(closed, b"mdhd", 16, 1000), "did not write"),
    ):
        with pytest.raises(MediaError, match=why):
            whole(footage_of(data))


def changed(data: bytes, kind: bytes, offset: int, value: int) -> bytes:
    """The file with another number in the first box of this kind in its index, so many bytes
    behind the word."""
    at = data.index(kind, data.rindex(b"moov")) + offset
    return data[:at] + struct.pack(">I", value) + data[at + 4 :]


def test_a_share_of_nothing() -> None:
    footage = footage_of(made(stream("h264"), stream("aac"))[1])
    for since, until in ((2_010_000, 9_000_000), (-9, 0), (5_000_000, 6_000_000)):
        found = share_of(footage, START, WallUs(START + since), WallUs(START + until), exact=True)
        assert found is None
