"""Samples that were recorded before, as fragments for a player (ISO 14496-12 §8.8).

The muxer finds out times as samples come; here they are known, each frame's duration included,
and nothing is held back or remembered.
"""

from __future__ import annotations

import struct
from array import array
from typing import NamedTuple

from camkeep.media.mp4.audio_track import AudioTrack
from camkeep.media.mp4.identity import Identity
from camkeep.media.mp4.muxer import Muxer
from camkeep.media.mp4.track import Track
from camkeep.media.mp4.video_track import VideoTrack
from camkeep.model import AudioParams, VideoParams

_MOOF = struct.Struct(">I4s I4sII")
_MFHD_SIZE = 16


class Samples(NamedTuple):
    """Samples of one track that follow each other. Times are ticks of the track."""

    dts: array[int]
    offsets: array[int]
    """pts - dts; empty for sound."""
    keys: bytearray
    """Empty for sound."""
    sizes: array[int]
    last: int
    """How long the last one lasts."""
    data: list[bytes]
    """Their bytes, one behind the other, in pieces of any size."""


class Replay:
    """Makes fragments for one header."""

    def __init__(self, video: VideoParams, audio: AudioParams | None, identity: Identity) -> None:
        """Raises MediaError where MP4 cannot hold such streams."""
        self.header = Muxer(video, audio, identity).header()
        """What a player must have before the first fragment: the initialization segment."""
        self._video = _Video(1, video)
        self._audio = _Audio(2, audio) if audio is not None else None
        self._sequence = 0

    def fragment(self, video: Samples, audio: Samples | None = None) -> bytes:
        """One `moof` and its `mdat`."""
        self._video.show(video)
        tracks: list[tuple[Track, Samples]] = [(self._video, video)]
        if self._audio is not None and audio is not None and audio.sizes:
            self._audio.show(audio)
            tracks.append((self._audio, audio))
        self._sequence += 1
        size = 8 + _MFHD_SIZE + sum(track.traf_size() for track, _ in tracks)
        parts = [_MOOF.pack(size, b"moof", _MFHD_SIZE, b"mfhd", 0, self._sequence)]
        data: list[bytes] = []
        position = size + 8
        for track, samples in tracks:
            parts.append(track.traf(position))
            position += sum(samples.sizes)
            data += samples.data
        return b"".join((*parts, struct.pack(">I4s", position - size, b"mdat"), *data))


class _Video(VideoTrack):
    """Frames of one fragment at a time."""

    _last = 1

    def show(self, samples: Samples) -> None:
        self.dts, self.offsets, self.keys = samples.dts, samples.offsets, samples.keys
        self.sizes, self._last = samples.sizes, samples.last

    def estimate(self) -> int:
        return self._last


class _Audio(AudioTrack):
    """Sound of one fragment at a time."""

    _last = 1

    def show(self, samples: Samples) -> None:
        self.dts, self.sizes, self._last = samples.dts, samples.sizes, samples.last

    def estimate(self) -> int:
        return self._last
