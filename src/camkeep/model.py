"""The values that all rooms share: what a stream is made of. Frozen, no behaviour beyond that.

`params` travel with every sample and are compared by identity: a source makes a new object
only when something changed, so `sample.params is not last.params` is the whole test.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple, NewType

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


class Cause(StrEnum):
    """Why a camera was not recorded although it should have been."""

    STARTING = "starting"
    """The recorder had just begun and the first frame was not there yet."""
    UNREACHABLE = "unreachable"
    """Nobody answered at the camera's address."""
    REFUSED = "refused"
    """The camera refused the login."""
    UNUSABLE = "unusable"
    """The camera answered, but not with what was asked for: a person must look at it."""
    STALLED = "stalled"
    """The camera stopped sending without ending the stream."""
    BROKEN = "broken"
    """The camera ended the stream, or sent what could not be followed."""
    DISK_FULL = "disk-full"
    DISK_SLOW = "disk-slow"
    """The disk did not keep up for longer than there was memory to wait."""
    DISK_FAILED = "disk-failed"
    """A write or flush failed: what the file holds is unknown."""
    DISK_AWAY = "disk-away"
    """The disk of the archive was not there: unmounted, or another in its place."""
    NOT_RUNNING = "not-running"
    """camkeep itself did not run."""
    CLOCK = "clock-stepped"
    """The clock of this machine was set forward over an interval that never was."""
    SWITCHED_OFF = "switched-off"
    """A person switched the camera off."""
    NOT_WANTED = "not-wanted"
    """Nobody wanted it recorded then: it was outside of its schedule, or is recorded when asked
    only. No failing, but told all the same, so that each moment is accounted for."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An interval in which a camera was not recorded, and why: mostly, it should have been."""

    start: WallUs
    end: WallUs
    cause: Cause
    detail: str = ""
    """What happened, in words for a person; may be empty."""
    lasting: bool = False
    """Whether it still lasts; `end` is then the moment at which it was looked at."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start) / 1e6


CameraId = NewType("CameraId", str)
"""What a camera is called where names may change: 12 random letters and digits, unique over all
machines."""


@dataclass(frozen=True, slots=True)
class KeptCamera:
    """A camera that the archive knows."""

    id: CameraId
    name: str
    """As a person calls it; unique in an archive without regard to case."""
    folder: str
    """Under recordings/; made from the first name, and never changed."""
    address: str
    """Where it was last, without secrets: for a person to read, not to connect with."""
    since: WallUs
    """When it was first to be recorded."""


class SegmentState(StrEnum):
    """What may be done with a segment."""

    OPEN = "open"
    """It grows, or grew until a crash."""
    CLOSED = "closed"
    """An ordinary movie that never changes again."""
    DAMAGED = "damaged"
    """A flush failed: nobody knows what the disk holds."""
    DELETING = "deleting"
    """It is about to go, or half gone."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of a camera's recording: about a minute, beginning with a key frame."""

    camera: CameraId
    sequence: int
    """Rises with each segment of the camera, in the order of recording, whatever the clocks did.
    Together with `camera` it names the segment, also after the index was rebuilt."""
    run: int
    """The same for segments that follow each other without a break."""
    path: str
    """In the archive's folder, with "/": recordings/garage/2026-11-21/14-03-07Z.mp4"""
    start: WallUs
    """When its first frame was taken."""
    duration_us: int
    """Up to the end of its last frame; of an open one as far as is known."""
    size: int
    """Bytes of the file."""
    frames: int
    codec: str
    """Of the pictures, as RFC 6381 writes it."""
    width: int
    height: int
    audio: str
    """Codec of the sound, as RFC 6381 writes it; empty without sound."""
    state: SegmentState
    chain: bytes = b""
    """SHA-256 that seals it and, through the one before, all before it; empty until closed."""

    @property
    def end(self) -> WallUs:
        """When its last frame ended."""
        return WallUs(self.start + self.duration_us)


@dataclass(frozen=True, slots=True)
class Clip:
    """What a person asked for: some cameras and an interval. Never a file boundary."""

    id: str
    """16 random letters and digits, unique over all machines."""
    name: str
    cameras: tuple[CameraId, ...]
    start: WallUs
    end: WallUs | None
    """None while it is being recorded."""
    held: bool
    """Whether its segments are kept, whatever the quotas say."""
    created: WallUs


@dataclass(frozen=True, slots=True)
class Removal:
    """Segments that were deleted on purpose: consecutive links of a camera's chain."""

    camera: CameraId
    first: int
    """Sequence of the first segment removed."""
    last: int
    count: int
    start: WallUs
    """When the earliest frame of them was taken."""
    end: WallUs
    previous: bytes
    """The chain before the first of them (32 bytes; zeros where it was the camera's first)."""
    chain: bytes
    """The chain at the last of them."""
    removed: WallUs
    """When the last of them was removed."""
