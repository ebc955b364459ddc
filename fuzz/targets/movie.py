"""MP4: whatever is read lies within the file and within sane times."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.errors import MediaError
from camkeep.media.mp4 import read_movie
from camkeep.model import VideoParams
from fuzz import checks, samples


class _Bytes:
    """A file in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int, /) -> bytes:
        assert offset >= 0
        assert length >= 0
        return self._data[offset : offset + length]


def one_input(data: bytes) -> None:
    try:
        movie = read_movie(_Bytes(data))
    except MediaError:
        return
    assert 0 < movie.valid_end <= len(data)
    if movie.identity is not None:
        movie.identity.camera.encode()
        assert abs(movie.identity.start) < 1 << 63
    assert len({track.track_id for track in movie.tracks}) == len(movie.tracks) > 0
    for track in movie.tracks:
        if isinstance(track.params, VideoParams):
            checks.video_params(track.params)
        else:
            checks.audio_params(track.params)
        assert track.timescale > 0
        last = None
        for sample in track.samples:
            assert 0 <= sample.offset <= sample.offset + sample.size <= len(data)
            assert 0 <= sample.duration < 1 << 32
            assert abs(sample.dts) < 1 << 63
            assert abs(sample.time) < 1 << 63
            assert last is None or sample.dts >= last or not movie.whole
            last = sample.dts


def seeds() -> Iterable[bytes]:
    return samples.movies()
