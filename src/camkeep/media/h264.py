"""H.264 (ITU-T H.264) as MP4 stores it: parameter sets, avcC, access units.

Only headers are read; nothing is decoded.
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

_IDR, _SEI, _SPS, _PPS = 5, 6, 7, 8

# What to do with a NAL unit, by its first byte
_DROP, _SLICE, _KEEP, _SEI_UNIT, _SET, _BAD = range(6)
_BY_TYPE = {1: _SLICE, 2: _SLICE, 3: _KEEP, 4: _KEEP, _IDR: _SLICE, _SEI: _SEI_UNIT,
            _SPS: _SET, _PPS: _SET}  # fmt: skip
_TODO = bytes(_BAD if byte & 0x80 else _BY_TYPE.get(byte & 31, _DROP) for byte in range(256))

_RECOVERY_POINT = 6
_INTRA_SLICES = {2, 4, 7, 9}  # I and SI, table 7-6
_SLICE_HEADER = 24
"""Bytes that surely hold the first three numbers of a slice header."""

_BASELINE = 66
_NO_HIGH_FIELDS = {66, 77, 88}  # Baseline, Main, Extended
_CHROMA_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_INTRA_PROFILES = {44, 86, 100, 110, 122, 244}
_MAX_REORDER = 16


class H264Stream(NalStream):
    """Makes access units of one H.264 stream's NAL units; see NalStream."""

    def assemble(self, nals: Sequence[bytes]) -> AccessUnit | None:
        parts: list[bytes] = []
        first: bytes | None = None
        key = False
        seis = False
        for nal in nals:
            if not nal:
                continue
            todo = _TODO[nal[0]]
            if todo == _SLICE:
                if first is None:
                    first = nal
                key = key or nal[0] & 31 == _IDR
            elif todo == _SEI_UNIT:
                seis = True
            elif todo == _SET:
                self._learn(nal)
                continue
            elif todo == _DROP:
                continue
            elif todo == _BAD:
                raise MediaError("a NAL unit of the H.264 stream has its forbidden bit set")
            parts.append(nal_length(len(nal)))
            parts.append(nal)
        if first is None:
            return None
        if seis and not key:
            key = _is_recovery_point(nals)
        return self._unit(parts, first, key, False)

    def _read_set(self, nal: bytes) -> tuple[int, int]:
        if nal[0] & 31 == _SPS:
            sps = parse_sps(nal)
            self._sps[sps.id] = sps
            return _SPS, sps.id
        if nal[0] & 31 != _PPS:
            raise MediaError("this is no H.264 parameter set")
        number, sps_id = _parse_pps(nal)
        self._sps_of_pps[number] = sps_id
        return _PPS, number

    def _pps_of_slice(self, nal: bytes) -> int:
        return _slice_header(nal)[1]

    def _build(self, sps: Sps) -> VideoParams | None:
        all_sps, all_pps = self._of_type(_SPS)[:31], self._of_type(_PPS)[:255]
        if not all_pps:
            return None
        active = self._sets[_SPS, sps.id]
        return VideoParams(
            codec=Codec.H264,
            width=sps.width,
            height=sps.height,
            timescale=self._timescale,
            codec_string=f"avc1.{active[1:4].hex().upper()}",
            config=_avcc(sps, active, all_sps, all_pps),
            reorder=sps.reorder,
            pixel_aspect=sps.pixel_aspect,
        )


def parse_sps(nal: bytes) -> Sps:
    """Read a sequence parameter set NAL unit (§7.3.2.1.1, §E.1.1).

    A VUI that is cut short counts as absent, because cameras send such. Raises MediaError.
    """
    bits = BitReader(unescape(nal[1:]))
    profile, constraints, level = bits.u(8), bits.u(8), bits.u(8)
    number = bits.ue(below=32)
    chroma, luma_depth, chroma_depth = 1, 8, 8
    if profile in _CHROMA_PROFILES:
        chroma = bits.ue(below=4)
        if chroma == 3:
            bits.skip(1)  # separate_colour_plane_flag: leaves the cropping unit as it is
        luma_depth, chroma_depth = 8 + bits.ue(below=7), 8 + bits.ue(below=7)
        bits.skip(1)
        if bits.flag():
            _skip_scaling_lists(bits, 12 if chroma == 3 else 8)
    bits.ue()  # log2_max_frame_num_minus4
    order_type = _skip_order_count(bits)
    bits.ue()  # max_num_ref_frames
    bits.skip(1)
    width, height = _picture_size(bits, chroma)
    aspect, fps, reorder = _read_vui(bits)
    if reorder is None and _never_reorders(profile, constraints, order_type):
        reorder = 0
    return Sps(
        number, width, height, profile, level, chroma, luma_depth, chroma_depth, reorder, aspect,
        fps,
    )  # fmt: skip


def _picture_size(bits: BitReader, chroma: int) -> tuple[int, int]:
    """Width and height as shown: macroblocks less the cropping (§7.4.2.1.1)."""
    columns, rows = bits.ue() + 1, bits.ue() + 1
    fields = 1 if bits.flag() else 2  # frame_mbs_only_flag
    if fields == 2:
        bits.skip(1)
    bits.skip(1)
    width, height = 16 * columns, 16 * rows * fields
    if bits.flag():
        left, right, top, bottom = bits.ue(), bits.ue(), bits.ue(), bits.ue()
        width -= (left + right) * (2 if chroma in (1, 2) else 1)
        height -= (top + bottom) * (2 if chroma == 1 else 1) * fields
    check_size(width, height)
    return width, height


def _skip_scaling_lists(bits: BitReader, count: int) -> None:
    for index in range(count):
        if bits.flag():
            last = following = 8
            for _ in range(16 if index < 6 else 64):
                if following:
                    following = (last + bits.se()) & 255
                last = following or last


def _skip_order_count(bits: BitReader) -> int:
    """Passes over how the output order is coded; its type."""
    kind = bits.ue(below=3)
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.skip(1)
        bits.se()
        bits.se()
        for _ in range(bits.ue(below=256)):
            bits.se()
    return kind


def _never_reorders(profile: int, constraints: int, order_type: int) -> bool:
    """Whether output order is decoding order though no VUI says so: no B slices in Baseline,
    pic_order_cnt_type 2 (§8.2.1.3), intra-only profiles (§E.2.1)."""
    intra_only = profile in _INTRA_PROFILES and constraints & 0x10 != 0
    return profile == _BASELINE or order_type == 2 or intra_only


def _read_vui(bits: BitReader) -> tuple[Fraction, float | None, int | None]:
    """Pixel aspect, promised rate and reordering, as far as they are there (§E.1.1)."""
    aspect, fps, reorder = Fraction(1), None, None
    try:
        if bits.flag():
            aspect = read_aspect(bits)
            _skip_video_signal(bits)
            fps = _read_timing(bits)
            reorder = _read_reorder(bits)
    except MediaError:
        pass  # what was read before the end of the data holds
    return aspect, fps, reorder


def _skip_video_signal(bits: BitReader) -> None:
    if bits.flag():  # overscan_info_present_flag
        bits.skip(1)
    if bits.flag():  # video_signal_type_present_flag
        bits.skip(4)
        if bits.flag():
            bits.skip(24)
    if bits.flag():  # chroma_loc_info_present_flag
        bits.ue()
        bits.ue()


def _read_timing(bits: BitReader) -> float | None:
    if not bits.flag():
        return None
    tick, scale = bits.u(32), bits.u(32)
    bits.skip(1)
    return scale / (2 * tick) if tick and scale else None


def _read_reorder(bits: BitReader) -> int | None:
    """max_num_reorder_frames of the bitstream restriction."""
    nal_hrd = _skip_hrd(bits)
    vcl_hrd = _skip_hrd(bits)
    bits.skip(2 if nal_hrd or vcl_hrd else 1)  # low_delay_hrd_flag, pic_struct_present_flag
    if not bits.flag():
        return None
    bits.skip(1)
    for _ in range(4):
        bits.ue()
    reorder = bits.ue()
    return reorder if reorder <= _MAX_REORDER else None


def _skip_hrd(bits: BitReader) -> bool:
    """Passes over HRD parameters (§E.1.2); whether there were any."""
    if not bits.flag():
        return False
    count = 1 + bits.ue(below=32)
    bits.skip(8)
    for _ in range(count):
        bits.ue()
        bits.ue()
        bits.skip(1)
    bits.skip(20)
    return True


def _parse_pps(nal: bytes) -> tuple[int, int]:
    """The id of a picture parameter set, and of the SPS it refers to (§7.3.2.2)."""
    bits = BitReader(unescape(nal[1:]))
    return bits.ue(below=256), bits.ue(below=32)


def _slice_header(nal: bytes) -> tuple[int, int]:
    """slice_type and pic_parameter_set_id (§7.3.3)."""
    bits = BitReader(unescape(nal[1:_SLICE_HEADER]))
    bits.ue()  # first_mb_in_slice
    return bits.ue(), bits.ue()


def _is_recovery_point(nals: Sequence[bytes]) -> bool:
    """Whether decoding can begin at a picture that is no IDR: all of it intra coded, and
    announced as exact from the first picture on (§D.2.8)."""
    announced = any(_announces_recovery(nal) for nal in nals if nal and nal[0] & 31 == _SEI)
    return announced and all(
        _slice_header(nal)[0] in _INTRA_SLICES for nal in nals if nal and _TODO[nal[0]] == _SLICE
    )


def _announces_recovery(nal: bytes) -> bool:
    """Whether an SEI NAL unit holds a recovery point with recovery_frame_cnt 0 (§7.3.2.3.1)."""
    data = unescape(nal[1:])
    pos, end = 0, len(data)
    while pos + 2 < end:  # what follows the last message is one byte of trailing bits
        kind = size = 0
        while pos < end and data[pos] == 255:
            kind, pos = kind + 255, pos + 1
        if pos < end:
            kind, pos = kind + data[pos], pos + 1
        while pos < end and data[pos] == 255:
            size, pos = size + 255, pos + 1
        if pos < end:
            size, pos = size + data[pos], pos + 1
        if kind == _RECOVERY_POINT:
            return pos < end and data[pos] & 0x80 != 0  # ue(v) of 0 is a single 1
        pos += size
    return False


def _avcc(sps: Sps, active: bytes, all_sps: list[bytes], all_pps: list[bytes]) -> bytes:
    """AVCDecoderConfigurationRecord (ISO 14496-15 §5.3.3.1)."""
    parts = [b"\x01", active[1:4], b"\xff", bytes([0xE0 | len(all_sps)])]
    parts += [struct.pack(">H", len(nal)) + nal for nal in all_sps]
    parts.append(bytes([len(all_pps)]))
    parts += [struct.pack(">H", len(nal)) + nal for nal in all_pps]
    if sps.profile_idc not in _NO_HIGH_FIELDS:
        depths = 0xF8 | (sps.bit_depth - 8), 0xF8 | (sps.bit_depth_chroma - 8)
        parts.append(bytes([0xFC | sps.chroma_format, *depths, 0]))
    return b"".join(parts)
