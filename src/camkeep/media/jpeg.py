"""JPEG pictures (ITU-T T.81) without decoding them: their size, their start, their end.

Cameras send pictures with junk before and behind, with extra zeros before the end marker, or
cut short; `examine` says so and changes nothing (`jpeg_repair` does).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from camkeep.errors import MediaError
from camkeep.model import Codec, VideoParams

Buffer = bytes | bytearray | memoryview

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOS, DHT, DQT, DRI, DNL = 0xDA, 0xC4, 0xDB, 0xDD, 0xDC

MAX_SEGMENTS = 1000
"""More marker segments than any picture has; pictures with more are refused."""

MAX_JUNK = 4096
"""Most bytes between two segments that are passed over: fill bytes, as a rule none."""

_NOT_FRAMES = {0xC4, 0xC8, 0xCC}  # DHT, JPG, DAC stand between the frame headers C0 to CF
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_find_start = re.compile(rb"\xff\xd8\xff(?!\xd8)").search
_find_eoi = re.compile(rb"\xff\xd9").search
_find_mark = re.compile(rb"\xff[^\x00\xff]").search


@dataclass(frozen=True, slots=True)
class Picture:
    """What `examine` found. Offsets count from the beginning of the data examined."""

    width: int
    height: int
    start: int
    """Where FF D8 stands: more than 0 where junk precedes it."""
    end: int
    """One past the end marker, or the length of the data where there is none."""
    complete: bool
    """Whether there is an end marker behind the picture's data."""
    nulls_before_end: int
    """Null bytes directly before the end marker, but for the null that FF 00 needs. They may be
    picture data: only decoding tells (`jpeg_repair.repair`)."""
    components: int
    progressive: bool


Segment = tuple[int, int, int]
"""A marker segment: its code, and where its body begins and ends. Plain, because several are
made for each frame of each camera."""


def segments(data: Buffer, pos: int) -> Iterator[Segment]:
    """The marker segments from `pos` on, up to and with SOS or EOI, or as far as they are here.

    Bytes between segments that are no marker are passed over. EOI has an empty body. Raises
    MediaError where a segment has an impossible length, where there are too many, and at
    another SOI.
    """
    size = len(data)
    for _ in range(MAX_SEGMENTS):
        if pos + 4 <= size and data[pos] == 0xFF and 0 < data[pos + 1] < 0xFF:
            begin = pos + 2  # as it should be
        else:
            mark = _find_mark(data, pos, pos + MAX_JUNK)
            if mark is None:
                if size > pos + MAX_JUNK:
                    raise MediaError("a segment of the JPEG is followed by something else")
                return
            begin = mark.end()
        code = data[begin - 1]
        if code == EOI[1]:
            yield code, begin, begin
            return
        if code == SOI[1]:
            raise MediaError("a second JPEG begins before the first one's data")
        if code == 0x01 or 0xD0 <= code <= 0xD7:  # these stand alone
            pos = begin
            continue
        if begin + 2 > size:
            return
        length = data[begin] << 8 | data[begin + 1]
        if length < 2:
            raise MediaError("a segment of the JPEG has an impossible length")
        pos = begin + length
        if pos > size:
            return
        yield code, begin + 2, pos
        if code == SOS:
            return
    raise MediaError("the JPEG has far too many segments")


def is_frame_header(code: int) -> bool:
    """Whether a segment's code is one of the SOF markers (T.81 table B.1)."""
    return 0xC0 <= code <= 0xCF and code not in _NOT_FRAMES


def examine(data: Buffer) -> Picture:
    """Find the picture in `data`: its size, where it starts and where it ends.

    Walks the segments up to the first scan, then looks at the tail; thumbnails inside segments
    are passed over. Takes the last end marker there is, so `data` should hold one picture.
    Raises MediaError where there is no start or no size.
    """
    start = _start(data)
    frame: Segment | None = None
    scan = -1
    for segment in segments(data, start + 2):
        code = segment[0]
        if 0xC0 <= code <= 0xCF and code not in _NOT_FRAMES:
            frame = frame or segment
        elif code == SOS:
            scan = segment[2]
    if frame is None:
        raise MediaError("the picture has a JPEG's start, but does not say its size")
    width, height, components = _frame(data, frame)
    end = _last_end(data, scan) if scan >= 0 else -1
    return Picture(
        width=width,
        height=height,
        start=start,
        end=end if end >= 0 else len(data),
        complete=end >= 0,
        nulls_before_end=_nulls(data, scan, end - 2) if end >= 0 else 0,
        components=components,
        progressive=frame[0] in _PROGRESSIVE,
    )


def find_end(data: Buffer, start: int, resume: int = 0) -> int:
    """One past the end marker of the JPEG that begins at `start`, or -1 while it is not here.

    Marker segments are passed over by their length, so that a thumbnail's end does not count;
    from the first scan on, the next end marker is the end. While `data` grows, give as `resume`
    the length that it had at the call before: nothing is searched twice. Raises MediaError
    where no JPEG begins at `start`.
    """
    if data[start : start + 2] != SOI[: len(data) - start]:
        raise MediaError("no JPEG begins here")
    for code, _, end in segments(data, start + 2):
        if code == EOI[1]:
            return end
        if code == SOS:
            mark = _find_eoi(data, max(end, resume - 1))
            return mark.end() if mark else -1
    return -1


def jpeg_params(width: int, height: int) -> VideoParams:
    """JPEG video of this size, timed in microseconds (MP4 object type 6C, ISO 10918-1)."""
    return VideoParams(Codec.JPEG, width, height, 1_000_000, "mp4v.6C")


def _start(data: Buffer) -> int:
    mark = _find_start(data)
    if mark is None:
        raise MediaError("there is no JPEG in the data")
    return mark.start()


def _frame(data: Buffer, frame: Segment) -> tuple[int, int, int]:
    """Width, height, components of a frame header (T.81 §B.2.2)."""
    _, begin, end = frame
    if end - begin < 6:
        raise MediaError("the JPEG's frame header is cut short")
    body = data[begin:end]
    height, width = body[1] << 8 | body[2], body[3] << 8 | body[4]
    if not width or not height:
        raise MediaError("the JPEG does not say its size")
    return width, height, body[5]


def _last_end(data: Buffer, scan: int) -> int:
    """One past the last end marker behind `scan`, or -1."""
    if data[-2:] == EOI and len(data) - 2 >= scan:
        return len(data)
    whole = bytes(data) if isinstance(data, memoryview) else data
    mark = whole.rfind(EOI, scan)
    return mark + 2 if mark >= 0 else -1


def _nulls(data: Buffer, scan: int, mark: int) -> int:
    """Nulls before the marker at `mark`, without the one that belongs to FF 00."""
    if mark == scan or data[mark - 1]:
        return 0
    coded = bytes(data[scan:mark])
    rest = coded.rstrip(b"\0")
    nulls = len(coded) - len(rest)
    return nulls - 1 if rest.endswith(b"\xff") else nulls
