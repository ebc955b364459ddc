"""Segments of which clips are made: whatever is in the file, the clip is a movie whose samples lie
in it, or the segment is refused."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4 import read_movie
from camkeep.media.mp4.clip_box import Proof, Source, clip_box, leaves_left_out
from camkeep.media.mp4.splice import Gaps, Spliced, plan_parts
from camkeep.media.mp4.splice_cut import Share, share_of
from camkeep.media.mp4.splice_read import read_footage
from fuzz import samples

START = WallUs(1_790_000_000_000_000)
INTERVALS = ((0, 10**9), (50_000, 90_000), (-5, 1_000), (100_000, 10**15))


class Bytes:
    """A file in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        assert offset >= 0
        assert length >= 0
        return self.data[offset : offset + length]


def one_input(data: bytes) -> None:
    source = Bytes(data)
    for begin, end in INTERVALS:
        since, until = WallUs(START + begin), WallUs(START + end)
        try:
            footage = read_footage(source)
            share = share_of(footage, START, since, until, exact=True)
            if share is None:
                continue
            leaves = leaves_left_out(share, source)
        except MediaError:
            continue
        later = WallUs(START + 60_000_000)
        again = share_of(footage, later, since, WallUs(until + 60_000_000), exact=False)
        shares = [share] if again is None else [share, again]
        for gaps in Gaps:
            for clip in made(shares, since, until, gaps, leaves, source):
                check(clip)


def made(
    shares: list[Share], since: WallUs, until: WallUs, gaps: Gaps, leaves: bytes, source: Bytes
) -> Iterable[bytes]:
    """The clips of the shares, whole."""
    for part in plan_parts(shares, since, until, gaps):
        spliced = Spliced(part)
        proof = Proof(b"{}", leaves)
        sources = [Source(n, 1, proof) for n in range(len(part.placed))]
        clip = spliced.header(clip_box(spliced, "fuzz", sources, []))
        for ranges in spliced.ranges:
            for begin, end, lead in ranges:
                assert 0 <= begin < end <= source.size
                clip += lead + source.data[begin:end]
        for span in part.spans():
            assert span.at_us >= 0
        yield clip


def check(clip: bytes) -> None:
    movie = read_movie(Bytes(clip))
    assert movie.whole
    assert movie.valid_end == len(clip)
    for track in movie.tracks:
        assert len(track.samples)


def seeds() -> Iterable[bytes]:
    return samples.movies()
