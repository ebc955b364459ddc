"""The muxer: samples to the bytes of a movie that is whole at any instant.

The file, in the order in which it is written (`archive/movie.py` does that):

1. `ftyp`, a `free` box of 16 bytes, `moov` with `mvex`: a fragmented movie without a sample;
2. fragments, `moof` and `mdat` (ISO 14496-12 §8.8), each in one write;
3. in the end a second `moov` that has tables of all samples, which nobody reads yet;
4. one write of 16 bytes that turns `free` into the header of an `mdat` box of 64-bit size up to
   that `moov`. What is in between, first `moov` and all, becomes plain media data, and the file
   an ordinary movie without a sample having been copied.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from camkeep.errors import MediaError
from camkeep.media.mp4.audio_track import AudioTrack
from camkeep.media.mp4.boxes import box, full_box
from camkeep.media.mp4.entries import file_type
from camkeep.media.mp4.identity import Identity, ntp_time
from camkeep.media.mp4.moov import closing_moov, opening_moov
from camkeep.media.mp4.track import TimedSample, Track, check
from camkeep.media.mp4.video_track import VideoTrack
from camkeep.model import AudioParams, VideoParams

PLACEHOLDER = box(b"free", bytes(8))
_PAGE = 4096
_MOOF = struct.Struct(">I4s I4sII")
_MFHD_SIZE = 16
_CAPTURED = 24  # prft: the time is that of the capture


class Closing(NamedTuple):
    """What makes an ordinary movie of a fragmented one."""

    tail: bytes
    """To be appended, and flushed to the disk before anything else is written."""
    patch_offset: int
    patch: bytes
    """To be written at `patch_offset`, at once."""
    duration_us: int
    """From the start of the movie to the end of its last sample."""


class Muxer:
    """Makes a movie of one video track, one audio track or both.

    Sample data is handed on as it is, never copied. Raises MediaError where MP4 cannot hold
    what is given; what was given before stays as it was.
    """

    def __init__(
        self, video: VideoParams | None, audio: AudioParams | None, identity: Identity
    ) -> None:
        self._identity = identity
        self._video = VideoTrack(1, video) if video is not None else None
        self._audio = AudioTrack(2, audio) if audio is not None else None
        self._tracks: list[Track] = [t for t in (self._video, self._audio) if t is not None]
        if not self._tracks:
            raise MediaError("a movie needs pictures or sound")
        ftyp = file_type(video, audio)
        self._patch_offset = len(ftyp)
        self._header = ftyp + PLACEHOLDER + opening_moov(self._tracks, identity)
        self._position = self._fragment_position = len(self._header)
        self._sequence = 0
        self._newest_us = 0

    def header(self) -> bytes:
        """What a movie begins with; for a player of fragments, the initialization segment."""
        return self._header

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

    def fragment(self, samples: Sequence[TimedSample]) -> list[bytes]:
        """The next fragment, of samples in decoding order, as buffers for one `writev`.

        Empty where nothing can be written yet: frames of a stream with B-frames are held back
        until their decoding times are known.
        """
        newest_us = check(samples, self._newest_us)
        video, audio = self._sorted(samples)
        self._newest_us = newest_us
        for track in self._tracks:
            track.begin_fragment()
        parts: list[tuple[Track, list[bytes]]] = []
        try:
            if self._video is not None and (data := self._video.place(video)):
                parts.append((self._video, data))
            if self._audio is not None and (data := self._audio.place(audio)):
                parts.append((self._audio, data))
        except OverflowError as error:
            self.drop_fragment()
            raise MediaError("the frames are too far out of order for a movie") from error
        return self._assemble(parts)

    def flush(self) -> list[bytes]:
        """The last fragment: what was held back. Empty where nothing was."""
        parts: list[tuple[Track, list[bytes]]] = []
        for track in self._tracks:
            track.begin_fragment()
            if data := track.flush():
                parts.append((track, data))
        return self._assemble(parts)

    def drop_fragment(self) -> None:
        """Forget the fragment that was made last, because it could not be written."""
        self._position = self._fragment_position
        for track in self._tracks:
            track.drop_fragment()

    def finish(self, end_us: int | None = None) -> Closing:
        """What closes the movie of the fragments so far; at least one sample must be in them.

        `end_us` is when the last frame ends, µs since the start of the movie; without it the
        frame is taken to last as long as the one before it.
        """
        if not self.samples:
            raise MediaError("a movie without a sample cannot be closed")
        end = None if end_us is None else (end_us * 9 + 50) // 100
        tail, duration_us = closing_moov(self._tracks, self._identity, end)
        covered = self._position - self._patch_offset
        patch = struct.pack(">I4sQ", 1, b"mdat", covered)
        return Closing(tail, self._patch_offset, patch, duration_us)

    def _sorted(
        self, samples: Sequence[TimedSample]
    ) -> tuple[Sequence[TimedSample], Sequence[TimedSample]]:
        """Frames and sound. Raises MediaError for other params than the movie began with."""
        params = self._video.params if self._video is not None else None
        sound = self._audio.params if self._audio is not None else None
        video: list[TimedSample] = []
        audio: list[TimedSample] = []
        for sample in samples:
            own = sample.params
            if own is params:
                video.append(sample)
            elif own is sound:
                audio.append(sample)
            elif own == params:
                video.append(sample)
            elif own == sound:
                audio.append(sample)
            else:
                raise MediaError("the stream's parameters changed: begin another movie")
        return video, audio

    def _assemble(self, parts: list[tuple[Track, list[bytes]]]) -> list[bytes]:
        self._fragment_position = self._position
        if not parts:
            return []
        prft = b"" if self._sequence else self._prft(parts[0][0])
        self._sequence += 1
        moof_size = 8 + _MFHD_SIZE + sum(track.traf_size() for track, _ in parts)
        free = _padding(self._position + len(prft), moof_size)
        moof = [prft, free, _MOOF.pack(moof_size, b"moof", _MFHD_SIZE, b"mfhd", 0, self._sequence)]
        buffers: list[bytes] = [b""]  # the boxes go here
        position = self._position + len(prft) + len(free) + moof_size + 8
        mdat_size = 8
        for track, data in parts:
            moof.append(track.traf(moof_size + mdat_size))
            mdat_size += track.note_chunk(position + mdat_size - 8)
            buffers += data
        moof.append(struct.pack(">I4s", mdat_size, b"mdat"))
        buffers[0] = b"".join(moof)
        self._position += len(buffers[0]) + mdat_size - 8
        return buffers

    def _prft(self, track: Track) -> bytes:
        """The UTC of the first sample of `track` (§8.16.5, version 1)."""
        dts = track.first_dts()
        wall_us = self._identity.start + dts * 1_000_000 // track.timescale
        fields = struct.pack(">IQQ", track.track_id, ntp_time(wall_us), dts)
        return full_box(b"prft", 1, _CAPTURED, fields)


def _padding(position: int, moof_size: int) -> bytes:
    """A `free` box to stand at `position` of the file before a `moof` box of this size.

    A write that a crash tears ends at the end of a page. ffmpeg opens a movie that ends anywhere
    but inside a `moof` box, so that is kept within one page where it fits in one.
    """
    room = _PAGE - position % _PAGE
    return box(b"free", bytes(room - 8)) if 8 <= room < moof_size <= _PAGE else b""
