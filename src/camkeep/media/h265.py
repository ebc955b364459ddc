"""H.265 (ITU-T H.265) as MP4 stores it: parameter sets, hvcC, access units.

Only headers are read; nothing is decoded. Layers above the base layer are left out.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction

from camkeep.errors import MediaError
from camkeep.media.bits import BitReader
from camkeep.media.nal import (
    AccessUnit,
    NalStream,
    Sps,
    check_size,
    nal_length,
    read_aspect,
    unescape,
)
from camkeep.model import Codec, VideoParams

# NAL unit types, table 7-1
_RASL = (8, 9)
_IRAP = range(16, 22)
_VPS, _SPS, _PPS = 32, 33, 34
_KEPT = {39, 40}  # SEI

# What to do with a NAL unit, by its first byte
_DROP, _SLICE, _RASL_SLICE, _IRAP_SLICE, _KEEP, _SET, _BAD = range(7)


def _todo(byte: int) -> int:
    kind = byte >> 1 & 63
    if byte & 0x80:
        return _BAD
    if byte & 1:  # nuh_layer_id of 32 or more
        return _DROP
    if kind in _RASL:
        return _RASL_SLICE
    if kind < 8:
        return _SLICE
    if kind in _IRAP:
        return _IRAP_SLICE
    if kind in (_VPS, _SPS, _PPS):
        return _SET
    return _KEEP if kind in _KEPT else _DROP


_TODO = bytes(map(_todo, range(256)))

_SLICE_HEADER = 16
"""Bytes that surely hold a slice header as far as its PPS id."""
_MAX_REORDER = 16
_PROFILE_BYTES = 12
"""general_profile_space to general_level_idc, §7.3.3."""


class H265Stream(NalStream):
    """Makes access units of one H.265 stream's NAL units; see NalStream."""

    def assemble(self, nals: Sequence[bytes]) -> AccessUnit | None:
        parts: list[bytes] = []
        first: bytes | None = None
        key = leading = False
        for nal in nals:
            if len(nal) < 2 or nal[1] & 0xF8:  # nothing in it, or a layer above the base layer
                continue
            todo = _TODO[nal[0]]
            if todo == _SET:
                self._learn(nal)
                continue
            if todo == _DROP:
                continue
            if todo == _BAD:
                raise MediaError("a NAL unit of the H.265 stream has its forbidden bit set")
            if todo != _KEEP and first is None:
                first = nal
                key = todo == _IRAP_SLICE
                leading = todo == _RASL_SLICE
            parts.append(nal_length(len(nal)))
            parts.append(nal)
        return None if first is None else self._unit(parts, first, key, leading)

    def _read_set(self, nal: bytes) -> tuple[int, int]:
        if len(nal) < 3:
            raise MediaError("a parameter set of the stream is cut short")
        kind = nal[0] >> 1 & 63
        if kind == _VPS:
            return _VPS, nal[2] >> 4
        if kind == _SPS:
            sps = parse_sps(nal)
            self._sps[sps.id] = sps
            return _SPS, sps.id
        if kind != _PPS:
            raise MediaError("this is no H.265 parameter set")
        bits = BitReader(unescape(nal[2:]))
        number, sps_id = bits.ue(below=64), bits.ue(below=16)
        self._sps_of_pps[number] = sps_id
        return _PPS, number

    def _pps_of_slice(self, nal: bytes) -> int:
        """§7.3.6.1; only for key frames, whose slices all have no_output_of_prior_pics_flag."""
        bits = BitReader(unescape(nal[2:_SLICE_HEADER]))
        bits.skip(2)
        return bits.ue()

    def _build(self, sps: Sps) -> VideoParams | None:
        arrays = [(kind, self._of_type(kind)) for kind in (_VPS, _SPS, _PPS)]
        if not all(sets for _, sets in arrays):
            return None
        head = unescape(self._sets[_SPS, sps.id])
        profile = head[3 : 3 + _PROFILE_BYTES]
        return VideoParams(
            codec=Codec.H265,
            width=sps.width,
            height=sps.height,
            timescale=self._timescale,
            codec_string=_codec_string(profile),
            config=_hvcc(sps, profile, head[2], arrays),
            reorder=sps.reorder,
            pixel_aspect=sps.pixel_aspect,
        )


def parse_sps(nal: bytes) -> Sps:
    """Read a sequence parameter set NAL unit of the base layer (§7.3.2.2, §E.2.1).

    A VUI that is cut short counts as absent, because cameras send such. Raises MediaError.
    """
    bits = BitReader(unescape(nal[2:]))
    bits.skip(4)
    sub_layers = bits.u(3)  # less one
    bits.skip(1)
    profile, level = _skip_profile(bits, sub_layers)
    number = bits.ue(below=16)
    chroma = bits.ue(below=4)
    if chroma == 3:
        bits.skip(1)
    width, height = _picture_size(bits, chroma)
    luma_depth, chroma_depth = 8 + bits.ue(below=8), 8 + bits.ue(below=8)
    order_bits = 4 + bits.ue(below=13)
    reorder = _read_reorder(bits, sub_layers)
    aspect, fps = Fraction(1), None
    try:
        _skip_coding_tools(bits, chroma, order_bits)
        if bits.flag():
            aspect = read_aspect(bits)
            fps = _read_timing(bits)
    except MediaError:
        pass  # what was read before the end of the data holds
    return Sps(
        number, width, height, profile, level, chroma, luma_depth, chroma_depth, reorder, aspect,
        fps,
    )  # fmt: skip


def _skip_profile(bits: BitReader, sub_layers: int) -> tuple[int, int]:
    """Passes over profile_tier_level (§7.3.3); the general profile and level."""
    bits.skip(3)
    profile = bits.u(5)
    bits.skip(32 + 48)
    level = bits.u(8)
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers)]
    if sub_layers:
        bits.skip(2 * (8 - sub_layers))
    for has_profile, has_level in present:
        bits.skip(88 * has_profile + 8 * has_level)
    return profile, level


def _picture_size(bits: BitReader, chroma: int) -> tuple[int, int]:
    """Width and height as shown: less the conformance window (§7.4.3.2.1)."""
    width, height = bits.ue(), bits.ue()
    if bits.flag():
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        width -= (left + right) * (2 if chroma in (1, 2) else 1)
        height -= (top + bottom) * (2 if chroma == 1 else 1)
    check_size(width, height)
    return width, height


def _read_reorder(bits: BitReader, sub_layers: int) -> int | None:
    """sps_max_num_reorder_pics of the highest sub-layer."""
    reorder = 0
    for _ in range(sub_layers + 1 if bits.flag() else 1):
        bits.ue()
        reorder = bits.ue()
        bits.ue()
    return reorder if reorder <= _MAX_REORDER else None


def _skip_coding_tools(bits: BitReader, chroma: int, order_bits: int) -> None:
    """Passes over everything between the reordering and the VUI."""
    for _ in range(6):  # block sizes and transform depths
        bits.ue()
    if bits.flag() and bits.flag():
        _skip_scaling_lists(bits)
    bits.skip(2)
    if bits.flag():  # pcm_enabled_flag
        bits.skip(8)
        bits.ue()
        bits.ue()
        bits.skip(1)
    pictures = 0  # NumDeltaPocs of the set before
    for index in range(bits.ue(below=65)):
        pictures = _skip_reference_set(bits, index, pictures)
    if bits.flag():  # long_term_ref_pics_present_flag
        bits.skip(bits.ue(below=33) * (order_bits + 1))
    bits.skip(2)


def _skip_scaling_lists(bits: BitReader) -> None:
    """§7.3.4."""
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.flag():
                bits.ue()
                continue
            if size > 1:
                bits.se()
            for _ in range(min(64, 1 << (4 + 2 * size))):
                bits.se()


def _skip_reference_set(bits: BitReader, index: int, before: int) -> int:
    """Passes over st_ref_pic_set (§7.3.7); its number of pictures. `before` is that of the set
    before, from which a set may be predicted."""
    if index and bits.flag():
        bits.skip(1)
        bits.ue()
        pictures = 0
        for _ in range(before + 1):
            if bits.flag() or bits.flag():  # used_by_curr_pic_flag, use_delta_flag
                pictures += 1
        return pictures
    pictures = bits.ue(below=17) + bits.ue(below=17)
    for _ in range(pictures):
        bits.ue()
        bits.skip(1)
    return pictures


def _read_timing(bits: BitReader) -> float | None:
    """The promised rate, from the VUI behind the pixel aspect."""
    if bits.flag():  # overscan_info_present_flag
        bits.skip(1)
    if bits.flag():  # video_signal_type_present_flag
        bits.skip(4)
        if bits.flag():
            bits.skip(24)
    if bits.flag():  # chroma_loc_info_present_flag
        bits.ue()
        bits.ue()
    bits.skip(3)
    if bits.flag():  # default_display_window_flag
        for _ in range(4):
            bits.ue()
    if not bits.flag():
        return None
    tick, scale = bits.u(32), bits.u(32)
    return scale / tick if tick and scale else None


def _codec_string(profile: bytes) -> str:
    """RFC 6381's name, as ISO 14496-15 §E.3 builds it from profile_tier_level."""
    space = ("", "A", "B", "C")[profile[0] >> 6]
    tier = "H" if profile[0] & 0x20 else "L"
    compatibility = int(f"{int.from_bytes(profile[1:5]):032b}"[::-1], 2)
    constraints = [f"{byte:X}" for byte in profile[5:11].rstrip(b"\0")]
    name = f"hvc1.{space}{profile[0] & 31}.{compatibility:X}.{tier}{profile[11]}"
    return ".".join([name, *constraints])


def _hvcc(sps: Sps, profile: bytes, head: int, arrays: list[tuple[int, list[bytes]]]) -> bytes:
    """HEVCDecoderConfigurationRecord (ISO 14496-15 §8.3.3.1); `head` is the byte of the SPS
    with its sub-layers and their nesting."""
    layers, nested = (head >> 1 & 7) + 1, head & 1
    parts = [
        b"\x01",
        profile,
        b"\xf0\x00\xfc",  # no spatial segmentation, no kind of parallelism known
        bytes([0xFC | sps.chroma_format]),
        bytes([0xF8 | (sps.bit_depth - 8), 0xF8 | (sps.bit_depth_chroma - 8)]),
        b"\0\0",  # no average frame rate known
        bytes([layers << 3 | nested << 2 | 3]),  # lengths of 4 bytes
        bytes([len(arrays)]),
    ]
    for kind, sets in arrays:
        parts.append(struct.pack(">BH", 0x80 | kind, len(sets)))
        parts += [struct.pack(">H", len(nal)) + nal for nal in sets]
    return b"".join(parts)
