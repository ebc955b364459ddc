"""What H.264 and H.265 have in common: NAL units and access units.

A NAL unit is handed around as `bytes` without start code or length, its emulation prevention
bytes still in it. Reading headers is all that is done here; no picture data is looked at.
"""

from __future__ import annotations

import re
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from camkeep.errors import MediaError
from camkeep.media.bits import BitReader
from camkeep.model import VideoParams

MAX_SIDE = 65_535
"""Longest side of a picture that an MP4 sample entry can state."""

MAX_SET = 4096
"""Longest parameter set; real ones have tens of bytes, those with scaling lists hundreds."""

MAX_SETS = 65_536
"""Bytes of all parameter sets of a stream: they travel with every sample."""

nal_length = struct.Struct(">I").pack
"""What stands before each NAL unit in a sample (ISO 14496-15 §5.3.4.2)."""

_START_CODE = re.compile(rb"\x00\x00\x01")

# ITU-T H.264 table E-1, H.265 table E.1
_ASPECTS = (
    (1, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip
_EXTENDED_SAR = 255


class AccessUnit(NamedTuple):
    """One picture in decoding order."""

    params: VideoParams
    data: bytes
    """Each NAL unit behind its length in 4 bytes, without parameter sets, access unit
    delimiters, filler and end-of-sequence marks."""
    key: bool
    """Whether decoding can begin here."""
    leading: bool
    """Whether it cannot be decoded when decoding begins at the key frame before it (in decoding
    order): H.265's RASL pictures. Always False for H.264, which does not say."""


@dataclass(frozen=True, slots=True)
class Sps:
    """What a sequence parameter set says of the pictures that follow."""

    id: int
    width: int
    """After cropping, like `height`: what is to be shown."""
    height: int
    profile_idc: int
    level: int
    """As coded: H.264 level 3.1 is 31, H.265 level 3.1 is 93."""
    chroma_format: int
    """0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4."""
    bit_depth: int
    bit_depth_chroma: int
    reorder: int | None
    """Most frames that precede one in decoding order and follow it in output order, or None
    where the set does not say."""
    pixel_aspect: Fraction
    fps: float | None
    """The rate that the stream promises; cameras often deliver another."""


def split_annexb(data: bytes | bytearray | memoryview) -> list[bytes]:
    """The NAL units of a byte stream (H.264 and H.265 annex B), in order.

    Start codes may have 3 or 4 bytes; zeros around NAL units belong to none of them, and
    whatever stands before the first start code is left out. Empty without any start code.
    """
    whole = bytes(data)
    marks = [mark.start() for mark in _START_CODE.finditer(whole)]
    marks.append(len(whole))
    nals = (whole[begin + 3 : end].rstrip(b"\0") for begin, end in pairwise(marks))
    return [nal for nal in nals if nal]


def unescape(nal: bytes) -> bytes:
    """`nal` without its emulation prevention bytes: 00 00 03 becomes 00 00 (H.264 §7.4.1)."""
    return nal.replace(b"\0\0\3", b"\0\0")


def read_aspect(bits: BitReader) -> Fraction:
    """Width to height of one pixel, from the beginning of a VUI (H.264 §E.1.1, H.265 §E.2.1)."""
    if not bits.flag():
        return Fraction(1)
    idc = bits.u(8)
    if idc == _EXTENDED_SAR:
        width, height = bits.u(16), bits.u(16)
        return Fraction(width, height) if width and height else Fraction(1)
    return Fraction(*_ASPECTS[idc]) if idc < len(_ASPECTS) else Fraction(1)


def check_size(width: int, height: int) -> None:
    """MediaError where a picture would be empty, or larger than a file can state."""
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise MediaError(f"the stream claims a picture size of {width}x{height}")


class NalStream(ABC):
    """The parameter sets of a stream, and access units made of its NAL units.

    `sets` are parameter sets known beforehand (from an SDP, say); malformed ones are ignored,
    and what comes in the stream replaces them. Subclasses know the codec.
    """

    def __init__(self, timescale: int, sets: Iterable[bytes] = ()) -> None:
        self._timescale = timescale
        self._sets: dict[tuple[int, int], bytes] = {}  # (NAL unit type, id): NAL unit
        self._known: set[bytes] = set()  # the values of _sets, to recognise repetitions
        self._sps: dict[int, Sps] = {}
        self._sps_of_pps: dict[int, int] = {}
        self._active: int | None = None  # the SPS that the last key frame referred to
        self._stale = False  # whether _params lag behind _sets
        self._params: VideoParams | None = None
        for entry in sets:
            for nal in split_annexb(b"\0\0\1" + entry):  # some SDPs have start codes in them
                with suppress(MediaError):
                    self._learn(nal)

    @property
    def params(self) -> VideoParams | None:
        """What a decoder must know, or None while a parameter set is missing. The same object
        until a set changes. A set that changes between key frames counts from there on."""
        if self._stale:
            self._refresh()
        return self._params

    @abstractmethod
    def assemble(self, nals: Sequence[bytes]) -> AccessUnit | None:
        """One access unit of `nals`, its NAL units in order.

        None where they hold no picture, or where the parameter sets are not known yet. Raises
        MediaError where they are malformed.
        """

    @abstractmethod
    def _read_set(self, nal: bytes) -> tuple[int, int]:
        """Parse a parameter set and note what it says in `_sps` or `_sps_of_pps`; its NAL unit
        type and id."""

    @abstractmethod
    def _build(self, sps: Sps) -> VideoParams | None:
        """Parameters with `sps` active, or None while a set is missing."""

    @abstractmethod
    def _pps_of_slice(self, nal: bytes) -> int:
        """The id of the PPS that a slice refers to."""

    def _learn(self, nal: bytes) -> None:
        """Take a parameter set, unless it is known already."""
        nal = nal.rstrip(b"\0")  # some cameras pad them, in the SDP or in the stream
        if nal in self._known:
            return
        if not 0 < len(nal) <= MAX_SET:
            raise MediaError("a parameter set of the stream is empty or far too long")
        if sum(map(len, self._known)) + len(nal) > MAX_SETS:
            raise MediaError("the stream has far too many parameter sets")
        self._sets[self._read_set(nal)] = nal
        self._known = set(self._sets.values())
        self._stale = True

    def _of_type(self, kind: int) -> list[bytes]:
        """The sets of one NAL unit type by id, whatever the order they came in."""
        return [nal for (type_, _), nal in sorted(self._sets.items()) if type_ == kind]

    def _refresh(self) -> None:
        self._stale = False
        sps = self._sps.get(self._active) if self._active is not None else None
        if sps is None and self._sps:
            sps = next(iter(self._sps.values()))
        params = self._build(sps) if sps else None
        if params is not None and params != self._params:
            self._params = params

    def _activate(self, first: bytes) -> None:
        """Follow a key frame's first slice to the SPS it means, where there are several."""
        sps = self._sps_of_pps.get(self._pps_of_slice(first))
        if sps in self._sps and sps != self._active:
            self._active = sps
            self._stale = True

    def _unit(
        self, parts: list[bytes], first: bytes, key: bool, leading: bool
    ) -> AccessUnit | None:
        """The access unit of `parts`, lengths and NAL units; `first` is its first slice."""
        if key and len(self._sps) > 1:
            self._activate(first)
        if self._stale:
            self._refresh()
        if self._params is None:
            return None
        return AccessUnit(self._params, b"".join(parts), key, leading)
