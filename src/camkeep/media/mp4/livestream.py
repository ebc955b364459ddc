"""Samples as they come, as a stream for a player: an initialization segment, and then a fragment
for each frame (ISO 14496-12 §8.8, as Media Source Extensions take it).

Pure, and of constant memory. A fragment leaves at once, so that nothing is known yet of when its
frame ends: its duration is a guess, and the decoding time of the next one says the truth. The
guess is rather too long: browsers take frames that come later than twice the duration of the one
before for a gap, and then show nothing up to the next key frame. Sound goes along with the next
frame, or by itself when some has gathered.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4.boxes import full_box
from camkeep.media.mp4.entries import audio_entry, video_entry
from camkeep.media.mp4.identity import Identity, ntp_time
from camkeep.media.mp4.livetimes import EVERY_SOUND, Began, Frame, LiveTimes, Sound
from camkeep.media.mp4.muxer import Muxer
from camkeep.media.mp4.track import (
    DELTA,
    KEY,
    MAX_FRAGMENT,
    TRUN_CTS,
    TRUN_DURATION,
    TRUN_FLAGS,
    TRUN_OFFSET,
    TRUN_SIZE,
)
from camkeep.media.mp4.video_track import VIDEO_TIMESCALE, VideoTrack
from camkeep.model import AudioParams, Codec, Sample, VideoParams

LEAST_GUESS = VIDEO_TIMESCALE // 10
FIRST_GUESS = VIDEO_TIMESCALE
RECENT = 8
"""Frames of which the longest is the guess."""
SOUND_PIECES = 6
"""So many pieces of sound that wait make a fragment of their own: 128 ms of AAC."""
_CAPTURED = 24

_VIDEO, _AUDIO = 1, 2
_TFHD = 0x020020  # data counts from moof; default flags are told
_VIDEO_TRUN = 1 << 24 | TRUN_OFFSET | TRUN_DURATION | TRUN_SIZE | TRUN_FLAGS | TRUN_CTS
_AUDIO_TRUN = TRUN_OFFSET | TRUN_DURATION | TRUN_SIZE
_MOOF = struct.Struct(">I4s I4sII")
_TRAF = struct.Struct(">I4s I4sIII I4sIQ I4sIIi")
_MDAT = struct.Struct(">I4s")
_ONE = struct.Struct(">I4s I4sII I4s I4sIII I4sIQ I4sIIi IIIi I4s")
"""All boxes of a fragment of one frame."""
_ONE_MOOF = _ONE.size - _MDAT.size
_FLAGS = (DELTA, KEY)


class Beginning(NamedTuple):
    """An initialization segment, and what it is of."""

    data: bytes
    video: VideoParams
    audio: AudioParams | None
    origin: WallUs
    """The wall time of media time 0, as far as nothing is missing."""


class Piece(NamedTuple):
    """A fragment."""

    data: bytes
    wall: WallUs
    """When its frame was taken."""
    time_us: int
    """Its presentation time in the stream."""
    duration_us: int
    """A guess."""
    key: bool
    """Whether decoding can begin here."""
    picture: bool
    sound: bool


def initialization(video: VideoParams, audio: AudioParams | None, name: str, at: WallUs) -> bytes:
    """An initialization segment. `name` is the camera's. Raises MediaError where MP4 cannot hold
    such a stream."""
    video_entry(video)
    if audio is not None:
        audio_entry(audio)
    return Muxer(video, audio, Identity(name, 0, 0, at)).header()


class LiveStream:
    """One viewer's stream. `add` the samples in the order in which they come."""

    def __init__(
        self,
        name: str = "",
        announced: AudioParams | None = None,
        sounds: frozenset[Codec] = EVERY_SOUND,
        *,
        stamped: bool = False,
        steady: bool = False,
    ) -> None:
        """As for `LiveTimes`. With `stamped` each key frame's fragment begins with its wall time
        (`prft`, §8.16.5)."""
        self._name = name
        self._times = LiveTimes(announced, sounds, steady=steady)
        self._stamped = stamped
        self._sequence = 0
        self._delay = 0
        self._last_dts = 0
        self._steps: deque[int] = deque(maxlen=RECENT)
        self._guess = FIRST_GUESS
        self._rate = 1
        self._sounds: list[Sound] = []

    @property
    def left_out(self) -> int:
        """Frames that could not have been decoded."""
        return self._times.left_out

    def lose(self) -> None:
        """Samples are missing before the next: go on with a key frame."""
        self._times.lose()

    def add(self, sample: Sample) -> list[Beginning | Piece]:
        """What the next sample brings. Raises MediaError where MP4 cannot hold it."""
        made: list[Beginning | Piece] = []
        for placed in self._times.add(sample):
            match placed:
                case Frame():
                    made.append(self._frame(placed))
                case Sound():
                    self._sounds.append(placed)
                    if len(self._sounds) >= SOUND_PIECES:
                        made.append(self._sound())
                case Began(video, audio, origin):
                    if self._sounds:
                        made.append(self._sound())
                    made.append(self._begin(video, audio, origin))
        return made

    def _begin(self, video: VideoParams, audio: AudioParams | None, origin: WallUs) -> Beginning:
        self._delay = VideoTrack(_VIDEO, video).delay
        self._rate = audio.sample_rate if audio is not None else 1
        return Beginning(initialization(video, audio, self._name, origin), video, audio, origin)

    def _frame(self, frame: Frame) -> Piece:
        self._sequence = self._sequence + 1 & 0xFFFF_FFFF
        duration = self._duration(frame)
        sounds = self._sounds
        if sounds:
            self._sounds = []
            end = frame.dts + duration
            data = fragment(self._sequence, [frame], end, self._delay, sounds)
        else:
            data = _one(self._sequence, frame, duration, self._delay)
        if self._stamped and frame.key:
            data = prft(frame) + data
        return Piece(
            data,
            frame.wall,
            frame.pts * 100 // 9,
            duration * 100 // 9,
            frame.key,
            True,
            bool(sounds),
        )

    def _duration(self, frame: Frame) -> int:
        step = frame.dts - self._last_dts
        self._last_dts = frame.dts
        if frame.gap:
            return self._guess
        self._steps.append(step)
        self._guess = max(LEAST_GUESS, *self._steps)
        return self._guess

    def _sound(self) -> Piece:
        self._sequence = self._sequence + 1 & 0xFFFF_FFFF
        sounds, self._sounds = self._sounds, []
        first = sounds[0]
        return Piece(
            fragment(self._sequence, [], 0, 0, sounds),
            first.wall,
            first.time * 1_000_000 // self._rate,
            sum(sound.length for sound in sounds) * 1_000_000 // self._rate,
            True,
            False,
            True,
        )


def prft(frame: Frame) -> bytes:
    """The wall time of a frame, to stand before its fragment."""
    return full_box(
        b"prft", 1, _CAPTURED, struct.pack(">IQQ", _VIDEO, ntp_time(frame.wall), frame.dts)
    )


def fragment(
    sequence: int, frames: Sequence[Frame], end: int, delay: int, sounds: Sequence[Sound]
) -> bytes:
    """`moof` and `mdat` of frames, of which the last one is decoded until `end`, and of sound.
    Frames are shown `delay` late, as the edit list of the initialization segment has it."""
    tracks = []
    size = _MOOF.size
    if frames:
        tracks.append((_VIDEO, DELTA, frames[0].dts, _VIDEO_TRUN, _video_rows(frames, end, delay)))
    if sounds:
        tracks.append((_AUDIO, KEY, sounds[0].time, _AUDIO_TRUN, _sound_rows(sounds)))
    size += sum(_TRAF.size + len(rows) for *_, rows in tracks)
    data = [[each.data for each in frames], [each.data for each in sounds]]
    parts = [_MOOF.pack(size, b"moof", 16, b"mfhd", 0, sequence)]
    position = size + _MDAT.size
    for (track, flags, time, kind, rows), pieces in zip(
        tracks, [each for each in data if each], strict=True
    ):
        parts.append(_traf(track, flags, time, kind, len(pieces), rows, position))
        position += sum(map(len, pieces))
    if position > MAX_FRAGMENT:
        raise MediaError(f"{position} bytes are too much for one fragment")
    parts.append(_MDAT.pack(position - size, b"mdat"))
    return b"".join((*parts, *data[0], *data[1]))


def _traf(
    track: int, flags: int, time: int, kind: int, count: int, rows: bytes, position: int
) -> bytes:
    head = _TRAF.pack(
        *(_TRAF.size + len(rows), b"traf"),
        *(20, b"tfhd", _TFHD, track, flags),
        *(20, b"tfdt", 1 << 24, time),
        *(20 + len(rows), b"trun", kind, count, position),
    )
    return head + rows


def _video_rows(frames: Sequence[Frame], end: int, delay: int) -> bytes:
    times = [frame.dts for frame in frames] + [end]
    rows: list[int] = []
    for frame, (start, stop) in zip(frames, pairwise(times), strict=True):
        rows += (stop - start, len(frame.data), _FLAGS[frame.key], frame.pts - start + delay)
    return struct.pack(">" + "IIIi" * len(frames), *rows)


def _sound_rows(sounds: Sequence[Sound]) -> bytes:
    rows: list[int] = []
    last = len(sounds) - 1
    for number, sound in enumerate(sounds):
        length = sound.length if number == last else sounds[number + 1].time - sound.time
        rows += (length, len(sound.data))
    return struct.pack(f">{len(rows)}I", *rows)


def _one(sequence: int, frame: Frame, duration: int, delay: int) -> bytes:
    """The fragment of one frame, in one go: there is one for each frame and viewer."""
    size = len(frame.data)
    if size > MAX_FRAGMENT:
        raise MediaError(f"{size} bytes are too much for one fragment")
    head = _ONE.pack(
        *(_ONE_MOOF, b"moof", 16, b"mfhd", 0, sequence),
        *(_TRAF.size + 16, b"traf", 20, b"tfhd", _TFHD, _VIDEO, DELTA),
        *(20, b"tfdt", 1 << 24, frame.dts),
        *(36, b"trun", _VIDEO_TRUN, 1, _ONE.size, duration),
        *(size, _FLAGS[frame.key], frame.pts - frame.dts + delay, 8 + size, b"mdat"),
    )
    return head + frame.data
