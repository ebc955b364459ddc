"""The values that all rooms share: what a stream is made of. Frozen, no behaviour beyond that.

`params` travel with every sample and are compared by identity: a source makes a new object
only when something changed, so `sample.params is not last.params` is the whole test.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from camkeep.clock import MonoNs, WallUs


class Codec(StrEnum):
    """What a sample is encoded with."""

    H264 = "h264"
    H265 = "h265"
    JPEG = "jpeg"
    AAC = "aac"
    OPUS = "opus"
    PCMA = "pcma"
    """G.711 A-law."""
    PCMU = "pcmu"
    """G.711 µ-law."""


@dataclass(frozen=True, slots=True)
class VideoParams:
    """What a decoder must know before the first frame.

    `config` is the decoder configuration record as MP4 wants it: avcC (ISO 14496-15 §5.3.3),
    hvcC (§8.3.3), empty for JPEG. `codec_string` is RFC 6381's. `reorder` is the most frames
    that precede one in decoding order and follow it in output order (max_num_reorder_frames),
    0 where the stream has none, None where the stream does not say.
    """

    codec: Codec
    width: int
    height: int
    timescale: int
    """Ticks a second of `Sample.ticks`."""
    codec_string: str
    config: bytes = b""
    reorder: int | None = 0
    pixel_aspect: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class AudioParams:
    """What a decoder must know before the first sound.

    `config` is the AudioSpecificConfig (ISO 14496-3 §1.6.2.1) for AAC, dOps without its box
    header for Opus, empty for G.711.
    """

    codec: Codec
    sample_rate: int
    channels: int
    timescale: int
    codec_string: str
    config: bytes = b""
    frame_ticks: int = 0
    """Length of one sample in ticks where the codec fixes it (AAC: 1024), else 0."""


Params = VideoParams | AudioParams


class Sample(NamedTuple):
    """One compressed access unit: a video frame or a piece of sound.

    A NamedTuple, not a dataclass: one is made for each frame of each camera, and it is the
    cheapest frozen value that Python has.
    """

    params: Params
    data: bytes
    """As MP4 stores it: H.264 and H.265 NAL units each behind a 4-byte length, without
    parameter sets (those are in `params`) and delimiters; a whole JPEG as it came; a raw AAC
    frame; an Opus packet; G.711 bytes."""
    ticks: int
    """Presentation time in the stream's own clock, unwrapped; only differences mean anything."""
    arrival: MonoNs
    """When its first byte was here."""
    wall: WallUs
    """When it was taken, as well as this machine can know. Rises with `ticks` within a run."""
    key: bool
    """Whether decoding can begin here. Always true for JPEG and sound."""
    run: int
    """Goes up by one wherever the samples of this session do not follow each other: a lost
    packet, a jump of the camera's clock, a step of the wall clock."""

    @property
    def is_video(self) -> bool:
        return isinstance(self.params, VideoParams)


@dataclass(frozen=True, slots=True)
class Gap:
    """An interval in which a camera should have been recorded and was not."""

    start: WallUs
    end: WallUs
    cause: str
    """What happened, in words for a person."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start) / 1e6
