"""The headers that JPEG over RTP leaves out (RFC 2435), to be put before its scan data."""

from __future__ import annotations

import struct
from functools import lru_cache

from camkeep.errors import MediaError

_RESTART_TYPES = range(64, 128)

# Q = 50, in zig-zag order (RFC 2435 appendix A)
_LUMA = bytes((
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40,
    26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
    56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
    95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
))  # fmt: skip
_CHROMA = bytes((
    17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99,
)) + bytes([99] * 48)  # fmt: skip

# T.81 tables K.3 to K.6: codes of each length, then the symbols
_HUFFMAN = (
    (0x00, "00010501010101010100000000000000", "000102030405060708090a0b"),
    (0x10, "0002010303020403050504040000017d",
     "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a"
     "25262728292a3435363738393a434445464748494a535455565758595a636465666768696a73747576777879"
     "7a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9"
     "cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"),
    (0x01, "00030101010101010101010000000000", "000102030405060708090a0b"),
    (0x11, "00020102040403040705040400010277",
     "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f117"
     "18191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778"
     "797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7"
     "c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"),
)  # fmt: skip

_JFIF = bytes.fromhex("ffe000104a46494600010100000100010000")
_DHT = b"".join(
    struct.pack(">HHB", 0xFFC4, 3 + len(bytes.fromhex(counts + symbols)), number)
    + bytes.fromhex(counts + symbols)
    for number, counts, symbols in _HUFFMAN
)
_SOS = bytes.fromhex("ffda000c03010002110311003f00")


@lru_cache(maxsize=256)
def headers(type_: int, q: int, width: int, height: int, dri: int, qtables: bytes) -> bytes:
    """Everything of a JPEG from SOI to SOS (RFC 2435 §3.1, §4.2, appendix B).

    `type_` is 0 (4:2:2) or 1 (4:2:0), plus 64 where there are restart intervals; `dri` is then
    their length in MCUs. `width` and `height` are in pixels. `qtables` are the tables in band
    for `q` of 128 and more: 64 bytes for one table, 128 for two, in zig-zag order; it is not
    looked at for `q` of 1 to 99. Raises MediaError for types and `q` that RFC 2435 does not
    define, and for tables of another length.
    """
    sampling = {0: 0x21, 1: 0x22}.get(type_ & ~64)
    if sampling is None:
        raise MediaError(f"JPEG over RTP of type {type_} is not defined")
    if not (0 < width <= 2040 and 0 < height <= 2040):
        raise MediaError(f"JPEG over RTP cannot have {width}x{height} pixels")
    luma, chroma = _tables(q, qtables)
    parts = [b"\xff\xd8", _JFIF]
    parts += [b"\xff\xdb\x00\x43\x00", luma, b"\xff\xdb\x00\x43\x01", chroma]
    if type_ in _RESTART_TYPES and dri:
        parts.append(struct.pack(">HHH", 0xFFDD, 4, dri & 0xFFFF))
    frame = struct.pack(">HHBHHB", 0xFFC0, 17, 8, height, width, 3)
    parts += [frame, bytes([1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1]), _DHT, _SOS]
    return b"".join(parts)


def _tables(q: int, in_band: bytes) -> tuple[bytes, bytes]:
    if 1 <= q <= 99:
        factor = 5000 // q if q < 50 else 200 - 2 * q
        return _scaled(_LUMA, factor), _scaled(_CHROMA, factor)
    if not 128 <= q <= 255:
        raise MediaError(f"JPEG over RTP with Q {q} is not defined")
    if len(in_band) not in (64, 128):
        raise MediaError(f"JPEG over RTP has quantization tables of {len(in_band)} bytes")
    return in_band[:64], in_band[-64:]


def _scaled(table: bytes, factor: int) -> bytes:
    return bytes(min(max((value * factor + 50) // 100, 1), 255) for value in table)
