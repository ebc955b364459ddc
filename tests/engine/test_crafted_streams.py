"""Clocks that wrap, jump and stand still, and parameters that change: from RTP packets to movies.

Packets arrive on a simulated clock, with the delays of a network, so that minutes take a moment
and a busy machine changes nothing. The rows F9 and F10 of what must be survived.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import av
import pytest

from camkeep.cameras.rtsp.depacketize_nal import H264Packets
from camkeep.cameras.rtsp.track import Outlet
from camkeep.cameras.rtsp.video_track import VideoTrack
from camkeep.cameras.source import Notes, Sink
from camkeep.clock import MonoNs, WallUs
from camkeep.engine.plan import Plan
from camkeep.media.h264 import H264Stream
from support.clips import slices
from support.recording import frames, record
from support.rtsp_server import RATE, access_units, rtp
from support.rtsp_server import fragments as payloads
from support.staged import WALL0, Staged

FPS = 25
LASTS_S = 100
COUNT = FPS * LASTS_S
UNITS = access_units("h264")


class Moment:
    """When the packet that is being received was here."""

    def __init__(self) -> None:
        self.arrival, self.arrival_wall = MonoNs(0), WallUs(0)

    def set(self, seconds: float) -> None:
        self.arrival = MonoNs(round((1000 + seconds) * 1e9))
        self.arrival_wall = WallUs(WALL0 + round(seconds * 1e6))


class Crafted(Staged):
    """A camera whose frame `n` is unit n of `units` and carries the time stamp `stamps(n)`."""

    def __init__(
        self, units: Sequence[Sequence[bytes]], stamps: Callable[[int], int], first_number: int = 0
    ) -> None:
        super().__init__()
        self._units = units
        self._stamps = stamps
        self._number = first_number

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        moment = Moment()
        out = Outlet(sink, notes, lambda: None)
        track = VideoTrack(H264Packets(H264Stream(RATE)), 96, RATE, moment, out)
        delays = random.Random(20261121)
        for n, unit in enumerate(self._units):
            moment.set(n / FPS + delays.uniform(0, 0.03))
            for packet in self._packets(unit, self._stamps(n)):
                track.receive(packet, 0, len(packet))
        return await super().run(sink, notes)

    def _packets(self, unit: Sequence[bytes], stamp: int) -> Iterator[bytes]:
        pieces = [piece for nal in unit for piece in payloads(nal)]
        for place, piece in enumerate(pieces):
            yield rtp(self._number, stamp, piece, marker=place == len(pieces) - 1)
            self._number += 1


def steady(n: int) -> int:
    return n * RATE // FPS


CLOCKS: dict[str, Callable[[int], int]] = {
    "steady": steady,
    "wraps": lambda n: steady(n) + 2**32 - 40 * RATE,
    "reset to 0": lambda n: steady(n) + (123_456_789 if n < COUNT // 2 else -steady(COUNT // 2)),
    "one hour back": lambda n: steady(n) - (3600 * RATE if n >= COUNT // 2 else 0),
    "one hour ahead": lambda n: steady(n) + (3600 * RATE if n >= COUNT // 2 else 0),
    "ten seconds back, again and again": lambda n: steady(n) - 10 * RATE * (n // 600),
    "every stamp twice": lambda n: steady(n - n % 2),
    "a frame sent in doubles now and then": lambda n: steady(n - (n % 100 == 99)),
    "stands still for a while": lambda n: steady(min(n, 500) if n < 1000 else n),
    "stands still for ever": lambda n: 7,
    "5 % too fast": lambda n: steady(n) * 105 // 100,
}


@pytest.mark.parametrize("clock", CLOCKS)
async def test_the_movie_is_as_long_as_the_world(tmp_path: Path, clock: str) -> None:
    units = [UNITS[n % len(UNITS)] for n in range(COUNT)]
    summary = await record(Crafted(units, CLOCKS[clock], 65_000), Plan(tmp_path / "birds.mp4"))
    assert summary.error is None
    (movie,) = summary.movies
    kept = frames(movie.path)
    assert [slices(f.data) for f in kept] == [slices_of(unit) for unit in units]
    waits = [b.seconds - a.seconds for a, b in pairwise(kept)]
    assert min(waits) > 0
    assert max(waits) <= 1
    length = kept[-1].seconds - kept[0].seconds
    assert length == pytest.approx((COUNT - 1) / FPS, rel=0.001)
    assert summary.gaps == ()


@pytest.mark.parametrize("set_to", [50, 30, 15, 5])
async def test_stamps_that_count_the_rate_that_was_set(tmp_path: Path, set_to: int) -> None:
    """Some cameras deliver another rate, and their stamps do not know it."""
    units = [UNITS[n % len(UNITS)] for n in range(COUNT)]
    source = Crafted(units, lambda n: n * RATE // set_to)
    summary = await record(source, Plan(tmp_path / "birds.mp4"))
    kept = frames(summary.movies[0].path)
    assert [slices(f.data) for f in kept] == [slices_of(unit) for unit in units]
    first = kept[0].seconds
    assert kept[-1].seconds - first == pytest.approx((COUNT - 1) / FPS, rel=0.001)
    late = [f.seconds - first - n / FPS for n, f in enumerate(kept)]
    assert max(map(abs, late)) < 4  # until that is noticed
    assert max(map(abs, late[FPS * 30 :])) < 0.05
    waits = [b.seconds - a.seconds for a, b in pairwise(kept)]
    assert min(waits) > 0


@pytest.mark.parametrize("clock", CLOCKS)
async def test_no_segment_is_over_twice_its_length(tmp_path: Path, clock: str) -> None:
    units = [UNITS[n % len(UNITS)] for n in range(COUNT)]
    plan = Plan(tmp_path / "birds.mp4", segment_s=10)
    summary = await record(Crafted(units, CLOCKS[clock]), plan)
    assert sum(movie.frames for movie in summary.movies) == COUNT
    assert max(movie.seconds for movie in summary.movies) <= 20
    assert sum(movie.seconds for movie in summary.movies) == pytest.approx(LASTS_S, abs=0.2)


def slices_of(unit: Sequence[bytes]) -> list[bytes]:
    return slices(b"".join(len(nal).to_bytes(4, "big") + nal for nal in unit))


def decoded(path: Path) -> list[tuple[int, int]]:
    """The sizes of all pictures; whatever the decoder finds wrong is an error."""
    with av.open(str(path), options={"err_detect": "explode"}) as container:
        return [(frame.width, frame.height) for frame in container.decode(video=0)]


async def test_another_size_in_midstream_goes_on_at_its_key_frame(tmp_path: Path) -> None:
    big = access_units("h264-big")
    summary = await record(Crafted([*UNITS, *big], steady), Plan(tmp_path / "birds.mp4"))
    assert summary.error is None
    assert [movie.frames for movie in summary.movies] == [len(UNITS), len(big)]
    assert [decoded(movie.path) for movie in summary.movies] == [
        [(320, 240)] * len(UNITS),
        [(640, 480)] * len(big),
    ]
    first, second = summary.movies
    assert second.because == "the picture is now 640x480, avc1.42C01E"
    assert second.start - first.start == pytest.approx(1e6 * len(UNITS) / FPS, abs=50_000)
    assert first.seconds == pytest.approx(len(UNITS) / FPS, abs=0.05)


async def test_parameters_that_change_before_a_key_frame_cost_no_more_than_a_gop(
    tmp_path: Path,
) -> None:
    big = access_units("h264-big")
    sets = big[0][:2]
    strays = [[*sets, *big[n]] if n == 3 else big[n] for n in range(3, 10)]  # no key frame yet
    units = [*UNITS, *strays, *big[10:]]
    summary = await record(Crafted(units, steady), Plan(tmp_path / "birds.mp4"))
    assert [movie.frames for movie in summary.movies] == [len(UNITS), len(big) - 10]
    assert summary.drops == 7
    assert set(decoded(summary.movies[0].path)) == {(320, 240)}
    assert decoded(summary.movies[1].path) == [(640, 480)] * (len(big) - 10)
