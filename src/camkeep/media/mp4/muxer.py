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

from camkeep.errors import MediaError
from camkeep.media.mp4.audio_track import AudioTrack
from camkeep.media.mp4.boxes import box, full_box
from camkeep.media.mp4.closing import GrowingMovie
from camkeep.media.mp4.digests import CHECK_SIZE, Digests, check_box, check_of
from camkeep.media.mp4.entries import file_type
from camkeep.media.mp4.identity import Identity, identity_box, ntp_time
from camkeep.media.mp4.moov import opening_moov
from camkeep.media.mp4.seal import MAX_SEALED_IDENTITY
from camkeep.media.mp4.track import TimedSample, Track, check
from camkeep.media.mp4.video_track import VideoTrack
from camkeep.model import AudioParams, VideoParams

PLACEHOLDER = box(b"free", bytes(8))
_PAGE = 4096
_MOOF = struct.Struct(">I4s I4sII")
_MFHD_SIZE = 16
_CAPTURED = 24  # prft: the time is that of the capture


class Muxer(GrowingMovie):
    """Makes a movie of one video track, one audio track or both.

    Sample data is handed on as it is, never copied. Raises MediaError where MP4 cannot hold
    what is given; what was given before stays as it was.
    """

    def __init__(
        self,
        video: VideoParams | None,
        audio: AudioParams | None,
        identity: Identity,
        *,
        sealed: bool = False,
    ) -> None:
        """Of a movie that is to be `sealed` all that is written is hashed, too, here and in
        `fragment`, and each fragment has a check."""
        self._video = VideoTrack(1, video) if video is not None else None
        self._audio = AudioTrack(2, audio) if audio is not None else None
        tracks: list[Track] = [t for t in (self._video, self._audio) if t is not None]
        if not tracks:
            raise MediaError("a movie needs pictures or sound")
        if sealed and len(identity_box(identity)) > MAX_SEALED_IDENTITY:
            raise MediaError("the camera's name is too long to be written into a movie")
        ftyp, moov = file_type(video, audio), opening_moov(tracks, identity)
        self._header = ftyp + PLACEHOLDER + moov
        super().__init__(identity, tracks, ftyp, len(self._header), Digests() if sealed else None)
        self._check = self._check_before = b""  # of the last fragment, and of the one before
        if self._digests is not None:
            self._digests.add(moov)
            self._check = check_of(b"", [moov], b"")
        self._fragment_position = self._position
        self._sequence = 0
        self._newest_us = 0

    def header(self) -> bytes:
        """What a movie begins with; for a player of fragments, the initialization segment."""
        return self._header

    def fragment(self, samples: Sequence[TimedSample]) -> list[bytes]:
        """The next fragment, of samples in decoding order, as buffers for one `writev`.

        Empty where nothing can be written yet: frames of a stream with B-frames are held back
        until their decoding times are known.
        """
        newest_us = check(samples, self._newest_us)
        video, audio = self._sorted(samples)
        self._newest_us = newest_us
        self._begin_fragment()
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
        self._begin_fragment()
        return self._assemble([(track, data) for track in self._tracks if (data := track.flush())])

    def drop_fragment(self) -> None:
        """Forget the fragment that was made last, because it could not be written."""
        self._position = self._fragment_position
        if self._digests is not None:
            self._digests.go_back()
            self._check = self._check_before
        for track in self._tracks:
            track.drop_fragment()

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

    def _begin_fragment(self) -> None:
        self._fragment_position = self._position
        if self._digests is not None:
            self._digests.mark()
            self._check_before = self._check
        for track in self._tracks:
            track.begin_fragment()

    def _assemble(self, parts: list[tuple[Track, list[bytes]]]) -> list[bytes]:
        if not parts:
            return []
        prft = b"" if self._sequence else self._prft(parts[0][0])
        self._sequence += 1
        moof_size = 8 + _MFHD_SIZE + sum(track.traf_size() for track, _ in parts)
        if self._digests is not None:
            moof_size += CHECK_SIZE
        free = _padding(self._position + len(prft), moof_size)
        lead = [prft, free, _MOOF.pack(moof_size, b"moof", _MFHD_SIZE, b"mfhd", 0, self._sequence)]
        buffers: list[bytes] = [b""]  # the boxes go here
        position = self._position + len(prft) + len(free) + moof_size + 8
        mdat_size = 8
        for track, data in parts:
            lead.append(track.traf(moof_size + mdat_size))
            mdat_size += track.note_chunk(position + mdat_size - 8)
            buffers += data
        mdat = struct.pack(">I4s", mdat_size, b"mdat")
        if self._digests is None:
            buffers[0] = b"".join((*lead, mdat))
        else:
            leaves = b"".join(track.leaves(data) for track, data in parts)
            self._check = check_of(self._check, lead, leaves)
            buffers[0] = b"".join((*lead, check_box(self._check), mdat))
            self._digests.add(buffers[0], leaves)
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
