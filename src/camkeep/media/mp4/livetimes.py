"""Samples as they come from a camera, placed in the time of one who began to look just now.

Pure. Time 0 is the first key frame; from there on the distances are those of the wall clock, so
that pictures and sound stay together and a gap in what comes is a gap in time. What cannot be
decoded because something before it is missing is left out. Memory is constant, but for frames
that a stream with B-frames needs to be held back, and for the moment at the beginning in which it
is found out whether there is sound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from camkeep.clock import WallUs
from camkeep.media.dts import DecodingTimes
from camkeep.media.mp4.audio_track import AUDIO_SLACK_MS, length_of
from camkeep.model import AudioParams, Codec, Sample, VideoParams

LEAP_US = 60_000_000
"""Frames of one run that lie farther apart than this do not follow each other."""
LONGEST_GAP_US = 6 * 3600 * 1_000_000
"""Longer gaps are not shown in time: what follows goes on at once."""
SILENT_NS = 2_000_000_000
"""Sound that stayed away for so long is not waited for: players stop where one of two tracks
has nothing."""
HOLD_US = 700_000
"""How long pictures wait at the beginning for sound that was announced."""
HOLD_BYTES = 4 * 1024 * 1024
ADRIFT_US = 10_000_000
"""Sound that lies farther from the pictures than this is left out."""
FIRST_STEP_US = 40_000
EVERY_SOUND = frozenset({Codec.AAC, Codec.OPUS, Codec.PCMA, Codec.PCMU})


class Began(NamedTuple):
    """What follows is to be decoded by these; its first frame is a key frame."""

    video: VideoParams
    audio: AudioParams | None
    origin: WallUs
    """The wall time of time 0, for what follows until the next gap."""


class Frame(NamedTuple):
    """A picture. Times count from 0, in 1/90000 s."""

    data: bytes
    dts: int
    pts: int
    key: bool
    wall: WallUs
    gap: bool
    """Whether frames are missing before it."""


class Sound(NamedTuple):
    """A piece of sound, in ticks of its sample rate from 0."""

    data: bytes
    time: int
    length: int
    wall: WallUs


Placed = Began | Frame | Sound


class LiveTimes:
    """Places samples. `add` them in the order in which they come."""

    def __init__(
        self,
        announced: AudioParams | None = None,
        sounds: frozenset[Codec] = EVERY_SOUND,
        *,
        steady: bool = False,
    ) -> None:
        """`announced` is the sound that is expected, which the pictures wait for a moment.
        Sound of other codecs than `sounds` is left out. With `steady` it is decided at the
        beginning, once for all, whether there is sound."""
        self._steady = steady
        self.left_out = 0
        """Frames that nobody could have decoded."""
        self._sounds = sounds
        self._video: VideoParams | None = None
        self._audio: AudioParams | None = None
        self._heard: AudioParams | None = None
        self._heard_at = 0  # arrival of the newest sound, ns
        self._early: list[Sample] | None = None  # waits for sound
        if announced is not None and announced.codec in sounds:
            self._early = []
        self._early_bytes = 0
        self._origin: int | None = None
        self._run = -1
        self._lost = True  # nothing can be decoded until the next key frame
        self._newest_us = 0
        self._step_us = FIRST_STEP_US  # between the last two frames
        self._times = DecodingTimes(0)
        self._held: deque[tuple[Sample, int, bool]] = deque()
        self._last_dts = -1
        self._next_sound = -1  # where the next piece belongs by those before it
        self._length: Callable[[bytes], int] = len

    def add(self, sample: Sample) -> list[Placed]:
        """The next sample; what is placed by it."""
        if self._early is not None:
            return self._wait_for_sound(sample)
        if isinstance(sample.params, VideoParams):
            return self._frame(sample)
        return self._sound(sample)

    def lose(self) -> None:
        """Samples are missing: go on with the next key frame."""
        self._lost = True

    def _wait_for_sound(self, sample: Sample) -> list[Placed]:
        """Hold samples back until the first sound is here, or has stayed away for too long."""
        early = self._early
        assert early is not None
        if isinstance(sample.params, AudioParams):
            self._hear(sample)
        elif not early and not sample.key:
            self.left_out += 1
            return []
        if early or sample.is_video:
            early.append(sample)
            self._early_bytes += len(sample.data)
        waited = abs(sample.wall - early[0].wall) if early else 0
        here = self._heard is not None and bool(early)
        if not here and waited < HOLD_US and self._early_bytes < HOLD_BYTES:
            return []
        self._early = None
        return [placed for each in early for placed in self.add(each)]

    def _hear(self, sample: Sample) -> None:
        params = sample.params
        if isinstance(params, AudioParams) and params.codec in self._sounds and sample.data:
            self._heard, self._heard_at = params, sample.arrival

    def _frame(self, sample: Sample) -> list[Placed]:
        """Place a picture."""
        placed: list[Placed] = []
        gap = False
        if sample.key:
            gap = self._lost or sample.run != self._run or self._leaps(sample)
            if gap:
                self._go_on_at(sample)
            audio = self._audible(sample)
            if sample.params != self._video or audio is not self._audio:
                placed = self._begin(sample, audio)
            assert isinstance(sample.params, VideoParams)
            self._video = sample.params
        elif (
            self._lost
            or sample.run != self._run
            or sample.params is not self._video
            or self._leaps(sample)
        ):
            self._lost = True
            self.left_out += 1
            return []
        if not sample.data:
            self._lost = True
            self.left_out += 1
            return placed
        self._hold(sample, gap, placed)
        return placed

    def _leaps(self, sample: Sample) -> bool:
        return abs(sample.wall - (self._origin or 0) - self._newest_us) > LEAP_US

    def _go_on_at(self, key: Sample) -> None:
        """Frames are missing before `key`."""
        end_us = self._newest_us + self._step_us
        if self._origin is None:
            self._origin = key.wall
        elif not end_us <= key.wall - self._origin <= end_us + LONGEST_GAP_US:
            self._origin = key.wall - end_us
        self._newest_us = key.wall - self._origin
        self._run = key.run
        self._lost = False

    def _audible(self, key: Sample) -> AudioParams | None:
        """The sound that goes with what begins at `key`."""
        if self._steady and self._video is not None:
            return self._audio
        silent = abs(key.arrival - self._heard_at) > SILENT_NS
        if self._heard is None or silent:
            return None
        return self._audio if self._heard == self._audio else self._heard

    def _begin(self, key: Sample, audio: AudioParams | None) -> list[Placed]:
        """Other params from here on."""
        assert isinstance(key.params, VideoParams)
        assert self._origin is not None
        placed: list[Placed] = []
        for dts in self._times.flush():
            self._place(dts, placed)
        self._times = DecodingTimes(key.params.reorder)
        if audio is not None and audio is not self._audio:
            self._length = length_of(audio)
            self._next_sound = -1
        self._video, self._audio = key.params, audio
        placed.append(Began(key.params, audio, WallUs(self._origin)))
        return placed

    def _hold(self, sample: Sample, gap: bool, placed: list[Placed]) -> None:
        assert self._origin is not None
        time_us = sample.wall - self._origin
        if time_us > self._newest_us:
            self._step_us = time_us - self._newest_us
            self._newest_us = time_us
        pts = (time_us * 9 + 50) // 100
        dts = self._times.push(pts)
        self._held.append((sample, pts, gap))
        if dts is not None:
            self._place(dts, placed)

    def _place(self, dts: int, placed: list[Placed]) -> None:
        sample, pts, gap = self._held.popleft()
        self._last_dts = dts = max(dts, self._last_dts + 1)
        placed.append(Frame(sample.data, dts, pts, sample.key, sample.wall, gap))

    def _sound(self, sample: Sample) -> list[Placed]:
        """Place a piece of sound, behind the one before it where that is about right."""
        self._hear(sample)
        params = self._audio
        if params is None or self._origin is None or sample.params != params or not sample.data:
            return []
        time_us = sample.wall - self._origin
        if time_us < 0 or abs(time_us - self._newest_us) > ADRIFT_US:
            return []
        true = (time_us * params.sample_rate + 500_000) // 1_000_000
        slack = params.sample_rate * AUDIO_SLACK_MS // 1000
        time = self._next_sound
        if time < 0 or true - time > slack:
            time = true
        elif true - time < -slack:
            return []  # it overlaps what was there
        length = self._length(sample.data)
        self._next_sound = time + length
        return [Sound(sample.data, time, length, sample.wall)]
