"""The vocabulary of malformations: what a camera can get wrong, and what it means to a person.

Sources count these in `Notes.trouble`; the summary of `record` and the diagnosis of `probe`
show the words. Every one is survived: counted, and the next good frame is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class _Words:
    code: str
    what: str
    """Follows a count: "12 pictures with ..."."""
    advice: str


class Trouble(Enum):
    """One kind of malformation."""

    # pictures
    JPEG_NULLS_BEFORE_END = _Words(
        "jpeg-nulls-before-end",
        "pictures with null bytes before their end marker",
        "Harmless, decoders skip them; the pictures are kept as they came.",
    )
    JPEG_JUNK_BEFORE = _Words(
        "jpeg-junk-before",
        "pictures with junk before their start",
        "The junk was cut off, the picture itself is whole.",
    )
    JPEG_JUNK_AFTER = _Words(
        "jpeg-junk-after",
        "pictures with junk behind their end",
        "The junk was cut off, the picture itself is whole.",
    )
    JPEG_NO_END = _Words(
        "jpeg-no-end",
        "pictures cut short",
        "They were dropped. If it happens often, lower the camera's rate or size: "
        "its network or processor is at its limit.",
    )
    JPEG_EMPTY = _Words(
        "jpeg-empty",
        "empty pictures",
        "They were dropped. Restart the camera if it goes on.",
    )
    JPEG_UNREADABLE = _Words(
        "jpeg-unreadable",
        "pictures that are not JPEG",
        "They were dropped. Look at the address in a browser: it may be the wrong one.",
    )
    # MJPEG over HTTP
    PART_LENGTH_WRONG = _Words(
        "part-length-wrong",
        "parts with a wrong Content-Length",
        "The picture's own end was used instead.",
    )
    PART_LENGTH_MISSING = _Words(
        "part-length-missing",
        "parts without a Content-Length",
        "Harmless, the picture's own end was used.",
    )
    PART_JUNK = _Words(
        "part-junk",
        "stretches of junk between parts",
        "Skipped up to the next picture.",
    )
    PART_SEVERAL_PICTURES = _Words(
        "part-several-pictures",
        "parts with several pictures in them",
        "Each picture was kept.",
    )
    BOUNDARY_MISSING = _Words(
        "boundary-missing",
        "boundaries missing",
        "Harmless, the pictures' own start was used.",
    )
    BOUNDARY_DOUBLED = _Words(
        "boundary-doubled",
        "boundaries sent twice",
        "Harmless.",
    )
    NOT_MULTIPART = _Words(
        "not-multipart",
        "streams declared as a single picture",
        "Harmless, it was read as a stream.",
    )
    TOO_LARGE = _Words(
        "too-large",
        "frames or headers over the limit",
        "They were dropped: a frame may have 16 MB.",
    )
    # RTSP and RTP
    RTSP_CSEQ = _Words(
        "rtsp-cseq",
        "answers with a wrong or missing CSeq",
        "Harmless, they were taken in order.",
    )
    RTSP_UNKNOWN_CHANNEL = _Words(
        "rtsp-unknown-channel",
        "packets on channels that nobody asked for",
        "Harmless, they were skipped.",
    )
    RTSP_JUNK = _Words(
        "rtsp-junk",
        "stretches of junk between packets",
        "Skipped up to the next packet.",
    )
    RTP_MALFORMED = _Words(
        "rtp-malformed",
        "malformed RTP packets",
        "They were dropped. If it goes on, update the camera's firmware.",
    )
    RTP_LOST = _Words(
        "rtp-lost",
        "lost RTP packets",
        "Use TCP where the camera can, or a cable instead of Wi-Fi.",
    )
    RTP_LATE = _Words(
        "rtp-late",
        "RTP packets doubled or too late",
        "They were dropped.",
    )
    FRAME_BROKEN = _Words(
        "frame-broken",
        "frames with pieces missing",
        "They were dropped up to the next key frame.",
    )
    FRAME_BEFORE_KEY = _Words(
        "frame-before-key",
        "frames that came before a key frame",
        "They cannot be decoded and were dropped. A shorter key frame interval in the camera's "
        "settings starts recordings sooner.",
    )
    CLOCK_JUMP = _Words(
        "clock-jump",
        "jumps of the camera's clock",
        "Times were taken from arrival and go on from there.",
    )
    CLOCK_DOUBLED = _Words(
        "clock-doubled",
        "frames with the time of the one before",
        "They were set one tick later.",
    )
    # webcams
    BUFFER_ERROR = _Words(
        "buffer-error",
        "frames that the driver marked as damaged",
        "They were dropped. Try another USB port or cable.",
    )
    BUFFER_LOST = _Words(
        "buffer-lost",
        "frames that the driver had to drop",
        "This machine or the USB bus is too busy: lower the rate or the size.",
    )

    @property
    def code(self) -> str:
        """A stable name for JSON."""
        return self.value.code

    @property
    def what(self) -> str:
        """Words that follow a count."""
        return self.value.what

    @property
    def advice(self) -> str:
        """What it means for the person, and what to do about it."""
        return self.value.advice
