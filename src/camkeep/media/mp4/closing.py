"""A growing movie as far as it has come, and what makes an ordinary one of it.

The muxer adds to it while it is written; `resume` makes one of a file that a crash left.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from camkeep.errors import MediaError
from camkeep.media.mp4.digests import Digests
from camkeep.media.mp4.identity import Identity
from camkeep.media.mp4.moov import closing_moov
from camkeep.media.mp4.seal import Seal, seal_box
from camkeep.media.mp4.track import Track
from camkeep.model import VideoParams


class Closing(NamedTuple):
    """What makes an ordinary movie of a fragmented one."""

    tail: bytes
    """To be appended, and flushed to the disk before anything else is written."""
    patch_offset: int
    patch: bytes
    """To be written at `patch_offset`, at once."""
    duration_us: int
    """From the start of the movie to the end of its last sample."""
    seal: Seal | None
    """What the end of `tail` says of the movie, where it was to be sealed."""


class GrowingMovie:
    """What is known of a movie that is not closed yet."""

    def __init__(
        self,
        identity: Identity,
        tracks: Sequence[Track],
        ftyp: bytes,
        position: int,
        digests: Digests | None,
    ) -> None:
        """`ftyp` is the file's first box, `position` where its last whole fragment ends. Without
        `digests` it cannot be sealed."""
        self._identity = identity
        self._tracks = tracks
        self._ftyp = ftyp
        self._position = position
        self._digests = digests

    @property
    def frames(self) -> int:
        """Video samples in the fragments so far, or those of sound where there is no video."""
        return len(self._tracks[0])

    @property
    def samples(self) -> int:
        """All samples in the fragments so far."""
        return sum(map(len, self._tracks))

    @property
    def duration_us(self) -> int:
        """Time from the start of the movie to the end of what is in the fragments so far."""
        return max(
            (
                (track.dts[-1] + track.estimate()) * 1_000_000 // track.timescale
                for track in self._tracks
                if len(track)
            ),
            default=0,
        )

    def finish(self, end_us: int | None = None, previous: bytes | None = None) -> Closing:
        """What closes the movie of the fragments so far; at least one sample must be in them.

        `end_us` is when the last frame ends, µs since the start of the movie; without it the
        frame is taken to last as long as the one before it. With `previous`, the chain of the
        segment before, the movie is sealed.
        """
        if not self.samples:
            raise MediaError("a movie without a sample cannot be closed")
        end = None if end_us is None else (end_us * 9 + 50) // 100
        try:
            tail, duration_us = closing_moov(self._tracks, self._identity, end)
        except (OverflowError, struct.error) as error:
            raise MediaError("the times of the movie are too far apart for its tables") from error
        patch = struct.pack(">I4sQ", 1, b"mdat", self._position - len(self._ftyp))
        seal = None
        if previous is not None:
            assert self._digests is not None, "a movie that was not to be sealed"
            samples, structure = self._digests.finish(tail, self._ftyp + patch)
            seal = self._seal(duration_us, samples, structure, previous)
            tail += seal_box(seal)
        return Closing(tail, len(self._ftyp), patch, duration_us, seal)

    def _seal(self, duration_us: int, samples: bytes, structure: bytes, previous: bytes) -> Seal:
        """Only tracks that have samples are in the closed file, and so in its seal."""
        video: VideoParams | None = None
        audio = ""
        for track in self._tracks:
            if len(track) and isinstance(track.params, VideoParams):
                video = track.params
            elif len(track):
                audio = track.params.codec_string
        return Seal(
            self._identity,
            duration_us,
            self.frames,
            video.codec_string if video is not None else "",
            video.width if video is not None else 0,
            video.height if video is not None else 0,
            audio,
            samples,
            structure,
            previous,
        )
