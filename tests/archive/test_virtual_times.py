"""Every frame and sound of a virtual movie, against the segments it is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from camkeep.archive.virtual import VirtualMovie, open_clip
from camkeep.clock import WallUs
from camkeep.media.mp4 import read_movie
from camkeep.media.mp4.splice import Gaps
from camkeep.model import Segment
from support.clips import nals
from support.movies import md5
from support.segments import LENGTH_US, NOON, SECOND, Camera, Made

TICK_US = 12
"""A tick of 1/90000 s, and one that rounding to µs may cost."""
GAP_US = 20_011
PIECE_US = 1_024_000_000 // 48_000
OVERLAP_US = 48_100
"""The sound of a segment lasts 26.7 ms longer than its pictures, and pushes that of the next
one back by as much and by one piece at most."""


class Pool:
    """Segments of all kinds, by their names. Says nothing of itself where a test fails."""

    def __init__(self, root: Path, made: dict[str, Made]) -> None:
        self.root, self.made = root, made

    def __repr__(self) -> str:
        return "pool"


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    """Segments of all kinds."""
    root = tmp_path_factory.mktemp("archive")
    camera = Camera(root)
    made = {
        "plain": camera.record("h264"),
        "sound": camera.record("h264", "aac"),
        "b": camera.record("h264-b", "aac"),
        "open-gop": camera.record("h264-open"),
        "large": camera.record("h264-large", "aac"),
        "small fragments": camera.record("h264", "aac", fragment=3),
        "growing": camera.record("h264-b", "aac", closed=False),
    }
    return Pool(root, made)


class InMemory:
    """A virtual movie, to be read as a file."""

    def __init__(self, movie: VirtualMovie) -> None:
        self.data = movie.read(0, movie.size)
        self.size = movie.size
        assert len(self.data) == movie.size

    def read_at(self, offset: int, length: int, /) -> bytes:
        return self.data[offset : offset + length]


@dataclass(frozen=True)
class Shown:
    """A frame or a piece of sound."""

    picture: str
    """Of its bytes, without the parameter sets that a clip may put in front."""
    wall: int


def named(data: bytes, wall: int) -> Shown:
    """The name of what is shown at that instant."""
    if data[4] & 0x1F == 7:
        data = b"".join(
            len(nal).to_bytes(4) + nal for nal in nals(data) if nal[0] & 0x1F not in (7, 8)
        )
    return Shown(md5(data), wall)


def presented(movie: VirtualMovie) -> list[Shown]:
    """What a player shows of the movie, and the instants that its spans name for it."""
    source = InMemory(movie)
    video = read_movie(source).video
    assert video is not None
    found: list[tuple[int, bytes]] = []
    for sample in video.samples:
        if 0 <= sample.time_us < movie.duration_us:
            data = source.read_at(sample.offset, sample.size)
            found.append((sample.time_us, data))
    spans = list(movie.spans)
    shown: list[Shown] = []
    for at_us, data in sorted(found, key=lambda each: each[0]):
        span = max((s for s in spans if s.at_us <= at_us + 6), key=lambda s: s.at_us)
        shown.append(named(data, span.wall + at_us - span.at_us))
    return shown


def expected(made: list[tuple[Segment, Made]], start: int, end: int) -> list[Shown]:
    """What was recorded in the interval, and what was on show when it began.

    Where the clock was set back, a segment in the midst of a clip begins at a key frame, and
    ends with the frames that others need.
    """
    shares: list[list[Shown]] = []
    for segment, (_, frames, _) in made:
        begin, stop = tick(start - segment.start), tick(end - segment.start)
        times = [tick(frame.time_us) for frame in frames]
        if max(times) + 3600 <= begin or min(times) >= stop:
            continue  # it is only its sound that lasts so long
        last = max(n for n, time in enumerate(times) if time < stop)
        keys = [n for n, f in enumerate(frames) if f.key and times[n] <= begin]
        taken = frames[keys[-1] if keys else 0 : last + 1]
        if not shares:
            first = max((f.time_us for f in taken if tick(f.time_us) <= begin), default=0)
            taken = [frame for frame in taken if frame.time_us >= first]
        shown = sorted((segment.start + frame.time_us, frame.data) for frame in taken)
        shares.append([named(data, wall) for wall, data in shown])
    if shares:
        shares[-1] = [shown for shown in shares[-1] if tick(shown.wall - end) < 0]
        on_show = shares[0][0]
        shares[0][0] = replace(on_show, wall=max(on_show.wall, start))
    return [shown for share in shares for shown in share]


def tick(distance_us: int) -> int:
    return (2 * distance_us * 9 + 100) // 200


kinds = st.sampled_from(["plain", "sound", "b", "open-gop", "large", "small fragments"])
pauses = st.one_of(
    st.sampled_from([0, 1, -1, 5_000, -5_000, 15_000, 25_000, 3 * SECOND]),
    st.integers(-90_000_000, 90_000_000),
)
steps = st.lists(st.tuples(kinds, pauses), min_size=1, max_size=5)


def laid_out(
    made: dict[str, Made], steps: list[tuple[str, int]], growing: bool
) -> list[tuple[Segment, Made]]:
    """Segments of these kinds, each so long after the one before."""
    if growing:
        steps = [*steps, ("growing", 0)]
    now, found = int(NOON), []
    for number, (kind, pause) in enumerate(steps):
        now += pause if number else 0
        segment = replace(made[kind].segment, sequence=number + 1, start=WallUs(now))
        found.append((segment, made[kind]))
        now += LENGTH_US
    return found


@given(steps, st.booleans(), st.floats(0, 1), st.floats(0, 1), st.sampled_from(Gaps))
@example([("b", 0), ("b", 0), ("large", 0)], True, 0.13, 0.9, Gaps.KEEP)
@example([("open-gop", 0), ("open-gop", 3 * SECOND)], False, 0.3, 0.8, Gaps.CUT)
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_frame_is_there_at_its_true_time(
    pool: Pool,
    steps: list[tuple[str, int]],
    growing: bool,
    begin: float,
    length: float,
    gaps: Gaps,
) -> None:
    root = pool.root
    footage = laid_out(pool.made, steps, growing)
    first = footage[0][0].start
    last = max(segment.end for segment, _ in footage)
    start = WallUs(first + int((last - first) * begin * 0.999))
    end = WallUs(start + 100 + int((last - start) * length))
    touched = [each for each in footage if each[0].start < end and each[0].end > start]
    with open_clip(root, [segment for segment, _ in touched], start, end, gaps=gaps) as clip:
        assert clip.missing == ()
        found = [shown for movie in clip for shown in presented(movie)]
        for movie in clip:
            check_movie(movie, gaps)
    wanted = expected(touched, start, end)
    assert [shown.picture for shown in found] == [shown.picture for shown in wanted]
    for shown, true in zip(found, wanted, strict=True):
        assert abs(shown.wall - true.wall) <= TICK_US


def check_movie(movie: VirtualMovie, gaps: Gaps) -> None:
    """What holds of every movie."""
    spans = movie.spans
    assert spans[0].at_us >= 0
    for before, after in pairwise(spans):
        assert before.length_us > 0
        distance = after.at_us - before.at_us - before.length_us
        if gaps is Gaps.CUT:
            assert -1 <= distance <= GAP_US
        else:
            gap = after.wall - before.wall - before.length_us
            assert distance >= -1
            assert distance <= GAP_US or abs(distance - gap) <= TICK_US


@given(steps, st.floats(0, 0.9), st.floats(0.1, 1))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sound_is_where_it_belongs(
    pool: Pool, steps: list[tuple[str, int]], begin: float, length: float
) -> None:
    root = pool.root
    footage = laid_out(pool.made, [(kind, abs(pause)) for kind, pause in steps], False)
    first, last = footage[0][0].start, footage[-1][0].start + LENGTH_US
    start = WallUs(first + int((last - first) * begin))
    end = WallUs(start + 100 + int((last - start) * length))
    with open_clip(root, [segment for segment, _ in footage], start, end) as clip:
        for movie in clip:
            source = InMemory(movie)
            audio = read_movie(source).audio
            wanted = sounds(footage, start, end, movie)
            assert (audio is None) == (not wanted)
            if audio is None:
                continue
            found = [md5(source.read_at(sample.offset, sample.size)) for sample in audio.samples]
            assert found == [shown.picture for shown in wanted]
            for sample, true in zip(audio.samples, wanted, strict=True):
                assert abs(movie.start + sample.time_us - true.wall) < OVERLAP_US


def sounds(
    footage: list[tuple[Segment, Made]], start: int, end: int, movie: VirtualMovie
) -> list[Shown]:
    """The sound that was recorded with the pictures of the movie, from the piece on that sounds
    when it starts."""
    shown = {span.wall for span in movie.spans}
    return [
        Shown(md5(sample.data), segment.start + sample.time_us)
        for segment, (_, _, sound) in footage
        if segment.start + LENGTH_US > start and {segment.start, max(segment.start, start)} & shown
        for sample in sound
        if start - PIECE_US < segment.start + sample.time_us < end
    ]
