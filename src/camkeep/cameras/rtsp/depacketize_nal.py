"""H.264 (RFC 6184) and H.265 (RFC 7798) out of RTP payloads. Pure.

`push` runs once for each packet. It relies on its caller for one thing: packets come in order
and without a gap, so that fragments belong together whatever their flags say; after a gap the
caller calls `reset`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from camkeep.errors import MediaError
from camkeep.media.nal import AccessUnit, NalStream, split_annexb

MAX_FRAME = 16 * 1024 * 1024
"""Bytes of an access unit, with `_PIECE` for the bookkeeping of each packet and NAL unit."""
_PIECE = 64

_STAP_A, _FU_A = 24, 28
_AP, _FU = 48, 49


class NalPackets(ABC):
    """Collects the NAL units of one access unit."""

    fragment_head: int
    """Bytes before the content of a fragment."""

    def __init__(self, stream: NalStream) -> None:
        self._stream = stream
        self._nals: list[bytes] = []
        self._parts: list[bytes] = []  # of a fragmented NAL unit
        self._size = 0

    @abstractmethod
    def push(self, data: bytes, start: int, stop: int) -> None:
        """Take the payload data[start:stop], which is not empty.

        Raises MediaError where it is malformed; the access unit is lost then.
        """

    def push_fragments(self, head: bytes, contents: Sequence[bytes]) -> bool:
        """Take many fragments from the middle of a NAL unit at once: the `fragment_head` bytes
        that they all begin with, and what follows these in each.

        False, and none is taken, where they are something else, for `push` to look into.
        """
        size = self._size + len(contents) * (len(head) + len(contents[0]) + _PIECE)
        if not self._parts or size > MAX_FRAME or not self._is_middle(head):
            return False
        self._size = size
        self._parts += contents
        return True

    @abstractmethod
    def _is_middle(self, head: bytes) -> bool:
        """Whether this is the head of a fragment that is neither the first nor the last."""

    @abstractmethod
    def begins(self, data: bytes, start: int, stop: int) -> bool:
        """Whether the payload is the first of an access unit, for all that can be seen."""

    def finish(self) -> AccessUnit | None:
        """The access unit that was pushed, None where it holds no picture.

        Raises MediaError where it is malformed.
        """
        if self._parts:
            self._close()
        nals = self._nals
        self._nals = []
        self._size = 0
        return self._stream.assemble(nals) if nals else None

    def reset(self) -> None:
        """Forget the access unit that was begun."""
        self._nals = []
        self._parts = []
        self._size = 0

    def _close(self) -> None:
        """End a fragmented NAL unit."""
        self._nals.append(b"".join(self._parts))
        self._parts = []

    def _add(self, nals: list[bytes]) -> None:
        """Take NAL units that came in one packet."""
        self._size += _PIECE * len(nals)
        if self._size > MAX_FRAME:
            raise MediaError("a frame over 16 MB")
        self._nals += nals

    def _split(self, data: bytes, pos: int, stop: int) -> list[bytes]:
        """The NAL units of an aggregation packet, each behind its length in 2 bytes."""
        found = []
        while pos + 2 <= stop:
            size = data[pos] << 8 | data[pos + 1]
            pos += 2
            if pos + size > stop:
                raise MediaError("a NAL unit longer than its aggregation packet")
            if size:
                found.append(data[pos : pos + size])
            pos += size
        return found


class H264Packets(NalPackets):
    """RFC 6184, packetization modes 0 and 1."""

    fragment_head = 2

    def push(self, data: bytes, start: int, stop: int) -> None:
        self._size += stop - start + _PIECE
        if self._size > MAX_FRAME:
            raise MediaError("a frame over 16 MB")
        first = data[start]
        kind = first & 0x1F
        if kind == _FU_A:  # §5.8
            if stop - start < 3:
                raise MediaError("an empty fragment")
            fragment = data[start + 1]
            if fragment & 0x80:
                if self._parts:
                    self._close()
                header = bytes(((first & 0xE0) | (fragment & 0x1F),))
                self._parts = [header, data[start + 2 : stop]]
            elif self._parts:
                self._parts.append(data[start + 2 : stop])
            else:
                raise MediaError("a fragment without a beginning")
            if fragment & 0x40:
                self._close()
            return
        if self._parts:
            self._close()
        if 6 <= kind <= 9 or kind == 0:
            self._side(data[start:stop])
        elif kind < _STAP_A:
            self._nals.append(data[start:stop])
        elif kind == _STAP_A:  # §5.7.1
            self._add(self._split(data, start + 1, stop))
        elif kind < 30:
            raise MediaError("H.264 in interleaved packets, which camkeep does not read")
        # 30 and 31 are reserved and to be ignored, §5.2

    def _side(self, nal: bytes) -> None:
        """Parameter sets, SEI and delimiters: some cameras send the whole access unit with
        them in one packet, with start codes in between. Type 0 is such a start code, or to be
        ignored."""
        if b"\0\0\1" in nal:
            lead = b"" if nal[0] == 0 else b"\0\0\1"
            self._add(split_annexb(lead + nal))
        elif nal[0] & 0x1F:
            self._nals.append(nal)

    def _is_middle(self, head: bytes) -> bool:
        return head[0] & 0x1F == _FU_A and not head[1] & 0xC0

    def begins(self, data: bytes, start: int, stop: int) -> bool:
        kind = data[start] & 0x1F
        at = start + 1
        if kind == _FU_A and stop - start > 2:
            if not data[start + 1] & 0x80:
                return False
            kind, at = data[start + 1] & 0x1F, start + 2
        elif kind == _STAP_A and stop - start > 4:
            kind, at = data[start + 3] & 0x1F, start + 4
        if kind in (1, 2, 5):  # a slice: first_mb_in_slice is 0
            return at < stop and data[at] & 0x80 != 0
        return kind == 0 or 6 <= kind <= 9  # 0 is a start code, see _side


class H265Packets(NalPackets):
    """RFC 7798 without decoding order numbers (sprop-max-don-diff of 0)."""

    fragment_head = 3

    def push(self, data: bytes, start: int, stop: int) -> None:
        self._size += stop - start + _PIECE
        if self._size > MAX_FRAME:
            raise MediaError("a frame over 16 MB")
        if stop - start < 3:
            raise MediaError("a NAL unit shorter than its header")
        first = data[start]
        kind = first >> 1 & 0x3F
        if kind == _FU:  # §4.4.3
            fragment = data[start + 2]
            if fragment & 0x80:
                if self._parts:
                    self._close()
                header = bytes(((first & 0x81) | (fragment & 0x3F) << 1, data[start + 1]))
                self._parts = [header, data[start + 3 : stop]]
            elif self._parts:
                self._parts.append(data[start + 3 : stop])
            else:
                raise MediaError("a fragment without a beginning")
            if fragment & 0x40:
                self._close()
            return
        if self._parts:
            self._close()
        if kind < _AP:
            self._nals.append(data[start:stop])
        elif kind == _AP:  # §4.4.2
            self._add(self._split(data, start + 2, stop))
        # 50 (PACI) and what is reserved carry nothing that is needed, §4.4.4

    def _is_middle(self, head: bytes) -> bool:
        return head[0] >> 1 & 0x3F == _FU and not head[2] & 0xC0

    def begins(self, data: bytes, start: int, stop: int) -> bool:
        if stop - start < 3:
            return False
        kind, at = data[start] >> 1 & 0x3F, start + 2
        if kind == _FU and stop - start > 3:
            if not data[start + 2] & 0x80:
                return False
            kind, at = data[start + 2] & 0x3F, start + 3
        elif kind == _AP and stop - start > 6:
            kind, at = data[start + 4] >> 1 & 0x3F, start + 6
        if kind < 32:  # a slice: first_slice_segment_in_pic_flag
            return data[at] & 0x80 != 0
        return 32 <= kind <= 35 or kind == 39
