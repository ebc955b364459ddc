"""Clips that are verified: whatever is in the file, there is a verdict or a MediaError."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4.clip_verify import Verdict, verify_clip
from camkeep.media.mp4.splice import Gaps
from camkeep.media.mp4.splice_cut import share_of
from camkeep.media.mp4.splice_read import read_footage
from fuzz import samples
from fuzz.targets.splice import START, Bytes, made


def one_input(data: bytes) -> None:
    try:
        found = verify_clip(Bytes(data))
    except MediaError:
        return
    for segment in found.segments:
        assert segment.verdict is not Verdict.INTACT or segment.seal is not None
        assert segment.frames >= 0
    assert not (found.intact and found.problems)
    assert len(found.chain) in (0, 32)
    assert len(found.previous) in (0, 32)


def seeds() -> Iterable[bytes]:
    until = WallUs(START + 80_000)
    for movie in samples.movies():
        source = Bytes(movie)
        try:
            share = share_of(read_footage(source), START, START, until, exact=True)
        except MediaError:
            continue  # sound alone
        if share is not None:
            yield from made([share], START, until, Gaps.KEEP, bytes(320), source)
