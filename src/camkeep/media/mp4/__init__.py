"""MP4 (ISO 14496-12): movies written while they grow, and read again. Pure, no I/O."""

from camkeep.media.mp4.closing import Closing
from camkeep.media.mp4.identity import Identity
from camkeep.media.mp4.muxer import Muxer
from camkeep.media.mp4.read import Movie, MovieSample, MovieTrack, ReadAt, Samples, read_movie
from camkeep.media.mp4.track import TimedSample

__all__ = [
    "Closing",
    "Identity",
    "Movie",
    "MovieSample",
    "MovieTrack",
    "Muxer",
    "ReadAt",
    "Samples",
    "TimedSample",
    "read_movie",
]
