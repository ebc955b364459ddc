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
    one: str
    """Follows a count of one."""
    advice: str


class Trouble(Enum):
    """One kind of malformation."""

    # pictures
    JPEG_NULLS_BEFORE_END = _Words(
        "jpeg-nulls-before-end",
        "pictures with null bytes before their end marker",
        "picture with null bytes before its end marker",
        "Harmless, decoders skip them; the pictures are kept as they came.",
    )
    JPEG_JUNK_BEFORE = _Words(
        "jpeg-junk-before",
        "pictures with junk before their start",
        "picture with junk before its start",
        "The junk was cut off, the picture itself is whole.",
    )
    JPEG_JUNK_AFTER = _Words(
        "jpeg-junk-after",
        "pictures with junk behind their end",
        "picture with junk behind its end",
        "The junk was cut off, the picture itself is whole.",
    )
    JPEG_NO_END = _Words(
        "jpeg-no-end",
        "pictures cut short",
        "picture cut short",
        "Dropped. If it happens often, lower the camera's rate or size: "
        "its network or processor is at its limit.",
    )
    JPEG_EMPTY = _Words(
        "jpeg-empty",
        "empty pictures",
        "empty picture",
        "Dropped. Restart the camera if it goes on.",
    )
    JPEG_UNREADABLE = _Words(
        "jpeg-unreadable",
        "pictures that are not JPEG",
        "picture that is not JPEG",
        "Dropped. Look at the address in a browser: it may be the wrong one.",
    )
    # MJPEG over HTTP
    PART_LENGTH_WRONG = _Words(
        "part-length-wrong",
        "parts with a wrong Content-Length",
        "part with a wrong Content-Length",
        "The picture's own end was used instead.",
    )
    PART_LENGTH_MISSING = _Words(
        "part-length-missing",
        "parts without a Content-Length",
        "part without a Content-Length",
        "Harmless, the picture's own end was used.",
    )
    PART_JUNK = _Words(
        "part-junk",
        "stretches of junk between parts",
        "stretch of junk between parts",
        "Skipped up to the next picture.",
    )
    PART_SEVERAL_PICTURES = _Words(
        "part-several-pictures",
        "parts with several pictures in them",
        "part with several pictures in it",
        "Each picture was kept.",
    )
    BOUNDARY_MISSING = _Words(
        "boundary-missing",
        "boundaries missing",
        "boundary missing",
        "Harmless, the pictures' own start was used.",
    )
    BOUNDARY_DOUBLED = _Words(
        "boundary-doubled",
        "boundaries sent twice",
        "boundary sent twice",
        "Harmless.",
    )
    NOT_MULTIPART = _Words(
        "not-multipart",
        "streams declared as a single picture",
        "stream declared as a single picture",
        "Harmless, it was read as a stream.",
    )
    TOO_LARGE = _Words(
        "too-large",
        "frames or headers over the limit",
        "frame or header over the limit",
        "Dropped: a frame may have 16 MB.",
    )
    # RTSP and RTP
    RTSP_CSEQ = _Words(
        "rtsp-cseq",
        "answers with a wrong or missing CSeq",
        "answer with a wrong or missing CSeq",
        "Harmless, they were taken in order.",
    )
    RTSP_UNKNOWN_CHANNEL = _Words(
        "rtsp-unknown-channel",
        "packets on channels that nobody asked for",
        "packet on a channel that nobody asked for",
        "Harmless, they were skipped.",
    )
    RTSP_JUNK = _Words(
        "rtsp-junk",
        "stretches of junk between packets",
        "stretch of junk between packets",
        "Skipped up to the next packet.",
    )
    RTP_MALFORMED = _Words(
        "rtp-malformed",
        "malformed RTP packets",
        "malformed RTP packet",
        "Dropped. If it goes on, update the camera's firmware.",
    )
    RTP_LOST = _Words(
        "rtp-lost",
        "lost RTP packets",
        "lost RTP packet",
        "Use TCP where the camera can, or a cable instead of Wi-Fi.",
    )
    RTP_LATE = _Words(
        "rtp-late",
        "RTP packets doubled or too late",
        "RTP packet doubled or too late",
        "Dropped.",
    )
    FRAME_BROKEN = _Words(
        "frame-broken",
        "frames with pieces missing",
        "frame with pieces missing",
        "Dropped up to the next key frame.",
    )
    FRAME_BEFORE_KEY = _Words(
        "frame-before-key",
        "frames that came before a key frame",
        "frame that came before a key frame",
        "Dropped, because nobody can decode such a frame. A shorter key frame interval in the "
        "camera's settings starts recordings sooner.",
    )
    CLOCK_JUMP = _Words(
        "clock-jump",
        "jumps of the camera's clock",
        "jump of the camera's clock",
        "Times were taken from arrival and go on from there.",
    )
    CLOCK_DOUBLED = _Words(
        "clock-doubled",
        "frames with the time of the one before",
        "frame with the time of the one before",
        "Set one tick later.",
    )
    # webcams
    BUFFER_ERROR = _Words(
        "buffer-error",
        "frames that the driver marked as damaged",
        "frame that the driver marked as damaged",
        "Dropped. Try another USB port or cable.",
    )
    BUFFER_LOST = _Words(
        "buffer-lost",
        "frames that the driver had to drop",
        "frame that the driver had to drop",
        "This machine or the USB bus is too busy: lower the rate or the size.",
    )

    @property
    def code(self) -> str:
        """A stable name for JSON."""
        return self.value.code

    def counted(self, count: int) -> str:
        """`count` of them, in words: "12 pictures with ..."."""
        return f"{count} {self.value.one if count == 1 else self.value.what}"

    @property
    def advice(self) -> str:
        """What it means for the person, and what to do about it."""
        return self.value.advice
