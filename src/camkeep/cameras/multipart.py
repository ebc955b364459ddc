"""Pictures out of an MJPEG stream over HTTP, however broken. Pure.

The form is multipart/x-mixed-replace (RFC 2046 §5.1), which cameras get wrong in every way
there is. What does not lie is the JPEG itself: from the first scan on, FF D9 can only be its
end and FF D8 only the start of another (ITU-T T.81 §B.1.1.5). So the picture's own markers
decide where it begins and ends; boundaries and Content-Length are read to get from one picture
to the next, to know what is missing, and to count what is wrong.

Pictures are passed on byte for byte, without what stands before FF D8 and behind FF D9.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable

from camkeep.cameras.boundary import Boundary, Found, headers_at_end, part_length
from camkeep.cameras.trouble import Trouble
from camkeep.clock import MonoNs, WallUs
from camkeep.errors import MediaError
from camkeep.media.jpeg import examine, segments
from camkeep.media.jpeg_nulls import NullJudge

MAX_PICTURE = 16_000_000
MAX_HEADERS = 8192
"""Most bytes of the headers of one part, and what is kept of a stretch without a picture."""

MAX_WALK_AGAIN = 8
"""How often, on average, a byte may be looked at for being part of another false start ..."""
MAX_DEBT = 1_000_000
"""... and how many bytes may be so at once."""

OnPicture = Callable[[bytes, int, int, MonoNs, WallUs], None]
"""Takes a picture, its width and height, and when its first byte was here."""

_START = b"\xff\xd8\xff"
_find_end = re.compile(rb"\xff(?:\xd9|\xd8\xff)").search
_find_blank_line = re.compile(rb"(?:\A|\n)\r?\n").search
_MAY_HOLD_THUMBNAIL = range(0xE0, 0xF0)  # APPn


class MultipartParser:
    """Cuts a stream into pictures. Feed it what comes, in pieces of any size.

    `boundary` is the one that was declared, in any spelling, or None where there was none; it
    is then learned from the stream, or the stream is bare pictures. Never raises on any bytes.
    """

    def __init__(
        self, boundary: str | None, on_picture: OnPicture, trouble: Counter[Trouble]
    ) -> None:
        self._on_picture = on_picture
        self._trouble = trouble
        self.pictures = 0
        """How many were passed on."""
        self._boundary = Boundary((boundary or "").encode("latin-1", "replace"))
        self._learned = False
        self._data = bytearray()
        self._at = 0  # everything before was dealt with
        self._clear = 0  # no picture begins between _at and here
        self._base = 0  # bytes of the stream before _data
        self._marks: deque[tuple[int, MonoNs, WallUs]] = deque()  # where each chunk began
        self._step: Callable[[], bool] = self._between
        # the open part
        self._part = False  # whether there is one, and ...
        self._bare = False  # ... it has no headers, ...
        self._begun = False  # ... has had a picture, good or bad, ...
        self._several = False  # ... was counted for having several, and ...
        self._claimed: int | None = None  # ... where it should end by its Content-Length
        self._lost = False  # the picture before was bad: do not count what surrounds it
        self._junk = False  # something was dropped since the last known place
        # the picture at _at
        self._arrived: tuple[MonoNs, WallUs] = (MonoNs(0), WallUs(0))
        self._walked = 0  # end of its last whole segment
        self._scan = 0  # from where to look for its end; 0 while still in its segments
        self._nulls = NullJudge()
        # pictures that were none
        self._failed = 0  # where the last one began, in bytes of the stream
        self._debt = 0  # bytes that were walked in vain and have not been outweighed by others
        # the picture before it
        self._header = b"\0"  # its bytes up to its first scan: as a rule they stay the same
        self._size: tuple[int, int] = (0, 0)

    def feed(self, data: memoryview, arrival: MonoNs, wall: WallUs) -> None:
        """Take the next piece of the body, and when it was here."""
        self._marks.append((self._base + len(self._data), arrival, wall))
        self._data += data
        while self._step():
            pass
        self._trim()

    def finish(self) -> None:
        """The body has ended: count what it leaves unfinished."""
        data = self._data
        if self._step == self._picture:
            self._trouble[Trouble.JPEG_NO_END] += 1
        elif self._begun and not data[self._at :].strip(b"\r\n").startswith(b"--"):
            self._close_part(Found(len(data.rstrip(b"\r\n")), len(data), len(data)))
        self._data.clear()
        self._at, self._clear, self._step, self._claimed = 0, 0, self._between, None

    # The steps. Each returns whether it got anywhere; False means that more bytes are needed.

    def _between(self) -> bool:
        """Between pictures: to the next boundary, or to a picture without one."""
        data, at = self._data, self._at
        found = self._boundary.at(data, at)
        if found is None:
            start = self._next_start()
            found = self._boundary.find(data, at, start if start >= 0 else len(data))
            if found is None:
                return self._unannounced(start) if start >= 0 else self._skip_junk()
        self._close_part(found)
        self._open_part(found.end)
        return True

    def _headers(self) -> bool:
        """At the headers of a part."""
        data, at = self._data, self._at
        doubled = self._boundary.at(data, at)
        if doubled is not None:
            self._trouble[Trouble.BOUNDARY_DOUBLED] += 1
            self._at = doubled.end
            return True
        block = bytes(data[at : at + MAX_HEADERS])
        blank = _find_blank_line(block)
        end = blank.end() if blank else -1
        start = block.find(_START, 0, end if blank else len(block))
        if start >= 0:  # the picture follows without an empty line
            end = start
        elif end < 0:
            if len(block) < MAX_HEADERS:
                return False
            self._drop(Trouble.TOO_LARGE, at + MAX_HEADERS)
            self._begun = True
            return True
        self._at = at + end
        self._bare = not block[:end].strip()
        if not self._bare:
            self._read_length(block[:end])
        self._step = self._between
        return True

    def _picture(self) -> bool:
        """In the picture that begins at `_at`."""
        if not self._scan and not self._walk():
            return self._step != self._picture or self._give_up_if_large()
        mark = _find_end(self._data, self._scan)
        if mark is None:
            self._scan = max(self._scan, len(self._data) - 2)
            return self._give_up_if_large()
        if self._data[mark.start() + 1] == 0xD9:
            self._whole(mark.end(), len(self._header))
        else:  # another picture begins: this one was cut short
            self._cut_short(mark.start())
        return True

    # Pictures

    def _next_start(self) -> int:
        """Where the next picture begins, or -1: looked for once, however many parts precede it."""
        begin = max(self._at, self._clear)
        start = self._data.find(_START, begin)
        self._clear = start if start >= 0 else max(begin, len(self._data) - len(_START) + 1)
        return start

    def _begin_picture(self, start: int) -> bool:
        self._begun = True
        self._at = start
        self._arrived = self._arrival(start)
        self._walked, self._scan = start + 2, 0
        self._step = self._picture
        return True

    def _walk(self) -> bool:
        """Go past the picture's segments; True when its first scan was found."""
        data, at = self._data, self._at
        if data.startswith(self._header, at):
            self._scan = at + len(self._header)
            return True
        try:
            for code, begin, end in segments(data, self._walked):
                known = begin if code in _MAY_HOLD_THUMBNAIL else end
                cut = data.find(_START, self._walked, known)
                found = self._boundary.find(data, self._walked, end) if cut < 0 else None
                if cut >= 0 or found is not None:
                    self._cut_short(found.after if found else cut)
                    return False
                self._walked = end
                if code == 0xD9:  # a picture without a scan
                    self._drop(Trouble.JPEG_UNREADABLE, end)
                    return False
                if code == 0xDA:
                    return self._learn_header(end)
        except MediaError:
            self._drop(Trouble.JPEG_UNREADABLE, self._look_again())
        return False

    def _look_again(self) -> int:
        """Where to go on when segments were walked in vain: right behind their start, because
        what looked like a segment may hold a good picture. Unless that was done too often for
        the bytes that came, or a stream of false starts would cost the square of its length."""
        failed = self._base + self._at
        earned = MAX_WALK_AGAIN * (failed - self._failed)
        self._debt = max(0, self._debt - earned) + self._walked - self._at
        self._failed = failed
        return self._at + 2 if self._debt < MAX_DEBT else self._walked

    def _learn_header(self, scan: int) -> bool:
        header = bytes(self._data[self._at : scan])
        seen = examine(header)
        self._header, self._size = header, (seen.width, seen.height)
        self._scan = scan
        return True

    def _whole(self, end: int, header: int) -> None:
        """The picture from `_at` to `end` is here; its first `header` bytes are its segments."""
        with memoryview(self._data) as view, view[self._at : end] as cut:
            picture = bytes(cut)
        if not picture[-3] and len(picture) - 2 > header:
            nulls = examine(picture).nulls_before_end
            added = self._nulls.added(picture, nulls)
            self._count(Trouble.JPEG_NULLS_BEFORE_END, added)
        self._at = end
        self._step = self._between
        self._lost = False
        self.pictures += 1
        self._on_picture(picture, *self._size, *self._arrived)

    def _cut_short(self, next_: int) -> None:
        """The picture has no end: go on at the boundary or picture that follows."""
        found = self._boundary.find(self._data, self._at, next_)
        self._drop(Trouble.JPEG_NO_END, found.after if found else next_)

    def _give_up_if_large(self) -> bool:
        if len(self._data) - self._at <= MAX_PICTURE:
            return False
        self._drop(Trouble.TOO_LARGE, len(self._data))
        return True

    def _drop(self, kind: Trouble, at: int) -> None:
        self._trouble[kind] += 1
        self._at = at
        self._lost = True
        self._step = self._between

    # What surrounds them

    def _open_part(self, at: int) -> None:
        self._at = at
        self._part, self._bare = True, False
        self._begun = self._several = self._lost = self._junk = False
        self._claimed = None
        self._step = self._headers

    def _close_part(self, found: Found) -> None:
        """A boundary was found; the picture or headers before it ended at `_at`."""
        junk = self._junk or bool(self._data[self._at : found.after].strip(b"\r\n"))
        claimed = self._claimed
        if self._lost:
            return
        if self._part and not self._begun:
            self._count_empty(junk)
        elif not self._part or claimed == self._at:
            self._count(Trouble.PART_JUNK, junk)
        else:
            self._count(Trouble.JPEG_JUNK_AFTER, junk)
            right = claimed is None or found.after <= claimed <= found.dashes
            self._count(Trouble.PART_LENGTH_WRONG, not right)

    def _count_empty(self, junk: bool) -> None:
        if not junk:
            kind = Trouble.BOUNDARY_DOUBLED if self._bare else Trouble.JPEG_EMPTY
        elif self._data.startswith(_START[:2], self._at):
            kind = Trouble.JPEG_NO_END
        else:
            kind = Trouble.JPEG_UNREADABLE
        self._trouble[kind] += 1

    def _unannounced(self, start: int) -> bool:
        """A picture begins at `start`, and no boundary stands before it."""
        first = max(self._at, start - MAX_HEADERS)
        gap = bytes(self._data[first:start])
        headers = headers_at_end(gap) if gap else None
        if headers is not None and headers[1] and not self._learned:
            self._learned = True
            self._count(Trouble.BOUNDARY_MISSING, self._boundary.known)
            self._boundary = Boundary(headers[1])
            return True
        junk = self._junk or first > self._at or bool(gap.strip(b"\r\n"))
        waiting = self._part and not self._begun
        if headers is not None and not waiting:
            self._count(Trouble.BOUNDARY_MISSING, not self._lost)
            junk = bool(gap[: headers[0]].strip(b"\r\n"))
            self._count(Trouble.PART_JUNK, junk and not self._lost)
            self._open_part(start)
            self._read_length(gap[headers[0] :])
        elif waiting:
            self._count(Trouble.JPEG_JUNK_BEFORE, junk)
            self._count(Trouble.PART_LENGTH_MISSING, self._bare)
        elif not self._lost:
            self._count(Trouble.PART_JUNK, junk)
            self._count(Trouble.PART_SEVERAL_PICTURES, self._part and not self._several)
            self._several = self._part
            self._count(Trouble.BOUNDARY_MISSING, self._boundary.known and not self._part)
        self._junk = False
        self._part = self._part or self._boundary.known
        return self._begin_picture(start)

    def _skip_junk(self) -> bool:
        """Nothing known in sight: forget all but the tail, where something may begin."""
        cut = len(self._data) - MAX_HEADERS
        if cut > self._at:
            self._junk = True
            if self._claimed == self._at:  # a length that was right stays right
                self._claimed = cut
            self._at = cut
        return False

    def _read_length(self, headers: bytes) -> None:
        length = part_length(headers, MAX_PICTURE)
        self._claimed = self._at + length if length is not None and length >= 0 else None
        self._count(Trouble.PART_LENGTH_MISSING, length is None)
        self._count(Trouble.PART_LENGTH_WRONG, length == -1)

    # Book-keeping

    def _count(self, kind: Trouble, whether: bool) -> None:
        if whether:
            self._trouble[kind] += 1

    def _arrival(self, offset: int) -> tuple[MonoNs, WallUs]:
        """When the chunk came that holds `offset`."""
        marks = self._marks
        while len(marks) > 1 and marks[1][0] <= self._base + offset:
            marks.popleft()
        return marks[0][1], marks[0][2]

    def _trim(self) -> None:
        """Forget what was dealt with, and when chunks came in which no picture can begin."""
        self._arrival(max(self._at, min(self._scan or self._walked, len(self._data))))
        cut, self._at = self._at, 0
        if not cut:
            return
        del self._data[:cut]
        self._base += cut
        self._clear = max(0, self._clear - cut)
        self._walked = max(0, self._walked - cut)
        self._scan = max(0, self._scan - cut)
        if self._claimed is not None:
            self._claimed -= cut
