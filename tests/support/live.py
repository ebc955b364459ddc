"""Live streams without a camera: samples as a source would hand them over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from camkeep.clock import MonoNs, WallUs
from camkeep.media.mp4 import TimedSample
from camkeep.media.mp4.livestream import Beginning, LiveStream, Piece
from camkeep.model import Sample
from support.movies import interleaved, stream

WALL = 1_795_249_847_123_457


class Bytes:
    """A movie in memory, for `read_movie`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        return self.data[offset : offset + length]


def sample(timed: TimedSample, run: int = 0, shift_us: int = 0) -> Sample:
    """As a camera would have sent it."""
    params, data, time_us, key = timed
    wall = WALL + time_us + shift_us
    arrival = MonoNs((time_us + shift_us + 10_000_000) * 1000)
    return Sample(params, data, time_us, arrival, WallUs(wall), key, run)


def samples(*names: str, run: int = 0, shift_us: int = 0) -> list[Sample]:
    """Streams of `support.movies` as they would come, all together."""
    timed: Sequence[TimedSample] = stream(names[0]).samples
    if len(names) > 1:
        timed = interleaved(timed, stream(names[1]).samples)
    return [sample(each, run, shift_us) for each in timed]


def played(live: LiveStream, of: Iterable[Sample]) -> tuple[list[Beginning], list[Piece]]:
    """All that a stream makes of samples."""
    made = [each for one in of for each in live.add(one)]
    return (
        [each for each in made if isinstance(each, Beginning)],
        [each for each in made if isinstance(each, Piece)],
    )
