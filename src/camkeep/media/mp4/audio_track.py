"""The audio track of a movie that is being written."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from camkeep.media.mp4.track import (
    KEY,
    TRUN_DURATION,
    TRUN_OFFSET,
    TRUN_SIZE,
    TimedSample,
    Track,
)
from camkeep.media.mp4.video_track import VIDEO_TIMESCALE
from camkeep.model import AudioParams, Codec

AUDIO_SLACK_MS = 20
"""How far sound may be from its true time before it is re-positioned."""


class AudioTrack(Track):
    """Sound, each sample as long as its codec says, back to back.

    Where that leads away from the true time by more than AUDIO_SLACK_MS (the camera's clock
    drifts, or sound is missing), the next sample is put where it belongs.
    """

    row_size = 8
    trun_kind = TRUN_OFFSET | TRUN_DURATION | TRUN_SIZE
    default_flags = KEY

    def __init__(self, track_id: int, params: AudioParams) -> None:
        super().__init__(track_id)
        self.params: AudioParams = params
        self.timescale = params.sample_rate
        self._slack = params.sample_rate * AUDIO_SLACK_MS // 1000
        self._length = length_of(params)
        self._next = 0  # where the next sample belongs by the samples before it

    def place(self, samples: Sequence[TimedSample]) -> list[bytes]:
        rate, slack, length = self.timescale, self._slack, self._length
        for _, data, time_us, _ in samples:
            true = (time_us * rate + 500_000) // 1_000_000
            time = self._next
            if not self.sizes:
                time = _begin(time_us, rate)
            elif not -slack <= true - time <= slack:
                time = max(true, self.dts[-1] + 1)
            self._next = time + length(data)
            self.sizes.append(len(data))
            self.dts.append(time)
        return [sample.data for sample in samples]

    def resume_at(self, time: int) -> None:
        """The samples so far end at `time`."""
        self._next = time

    def drop_fragment(self) -> None:
        super().drop_fragment()
        if self.dts:
            self._next = max(self._next, self.dts[-1] + 1)

    def estimate(self) -> int:
        return max(1, self._next - self.dts[-1])

    def _rows(self, first: int, count: int) -> bytes:
        rows = [0] * (2 * count)
        rows[0::2] = self._durations(first)
        rows[1::2] = self.sizes[first:]
        return struct.pack(f">{2 * count}I", *rows)


def _begin(time_us: int, rate: int) -> int:
    """When the first sample is heard: at a tick of the video, because the closed movie's edit
    list counts those, and both states of the file must say the same."""
    ticks = (time_us * VIDEO_TIMESCALE + 500_000) // 1_000_000
    return (2 * ticks * rate + VIDEO_TIMESCALE) // (2 * VIDEO_TIMESCALE)


def length_of(params: AudioParams) -> Callable[[bytes], int]:
    """A function that says how many ticks of the sample rate a sample lasts."""
    match params.codec:
        case Codec.AAC:
            ticks = (params.frame_ticks or 1024) * params.sample_rate // params.timescale
            return lambda data: ticks
        case Codec.OPUS:
            return lambda data: opus_ticks(data) * params.sample_rate // 48_000
        case _:
            return lambda data: max(1, len(data) // params.channels)


# RFC 6716 §3.1, table 2: ticks of 48 kHz of one frame, by the configuration number
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
_OPUS_FRAME = _SILK * 3 + _HYBRID * 2 + _CELT * 4
_OPUS_MOST = 5760


def opus_ticks(packet: bytes) -> int:
    """How long an Opus packet lasts, 48 kHz ticks (RFC 6716 §3.1); at most 120 ms."""
    code = packet[0] & 3
    count = (1, 2, 2, packet[1] & 0x3F if len(packet) > 1 else 1)[code]
    return min(_OPUS_FRAME[packet[0] >> 3] * max(1, count), _OPUS_MOST)
