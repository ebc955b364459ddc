"""A small baseline JPEG encoder (ITU-T T.81): tiles of 16x16 pixels in 4:2:0, made once, joined
anew for each picture.

A `Tile` is one coded MCU whose first DC differences are left open, because they depend on the
tile before it. Each row of tiles is one restart interval, so a row's bytes depend on nothing
but its own tiles. Bits are kept as strings of 0 and 1 until a row is joined: joining strings
is the fastest thing that Python does with bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

EDGE = 16
"""Pixels along a tile."""

_ZIGZAG = (
    *(0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5),
    *(12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28),
    *(35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51),
    *(58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63),
)

# Quantization: T.81 tables K.1 and K.2, in natural order, at a quality of 88.
_SCALE = 24
_LUMA_QUANT = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA_QUANT = (
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)

# Huffman: T.81 tables K.3 to K.6, as the number of codes of each length, then their symbols.
_DC_LUMA = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, *[0] * 7, *range(12)])
_DC_CHROMA = bytes([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, *[0] * 5, *range(12)])
_AC_LUMA = bytes.fromhex(
    "0002010303020403050504040000017d01020300041105122131410613516107"
    "227114328191a1082342b1c11552d1f02433627282090a161718191a25262728"
    "292a3435363738393a434445464748494a535455565758595a63646566676869"
    "6a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7"
    "a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2"
    "e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
_AC_CHROMA = bytes.fromhex(
    "0002010204040304070504040001027700010203110405213106124151076171"
    "1322328108144291a1b1c109233352f0156272d10a162434e125f11718191a26"
    "2728292a35363738393a434445464748494a535455565758595a636465666768"
    "696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5"
    "a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9da"
    "e2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
)


def _codes(table: bytes) -> dict[int, str]:
    """Symbol to code, as a string of bits (T.81 annex C)."""
    codes, code, at = {}, 0, 16
    for length in range(1, 17):
        for symbol in table[at : at + table[length - 1]]:
            codes[symbol] = f"{code:0{length}b}"
            code += 1
        at += table[length - 1]
        code <<= 1
    return codes


def _magnitude(value: int) -> str:
    """The bits that follow the size of a coefficient (T.81 §F.1.2.1)."""
    size = abs(value).bit_length()
    return f"{value if value > 0 else value + (1 << size) - 1:0{size}b}" if size else ""


class _DcBits(dict[int, str]):
    """DC difference to its bits, made when first asked for."""

    def __init__(self, table: bytes) -> None:
        self._codes = _codes(table)

    def __missing__(self, difference: int) -> str:
        bits = self._codes[abs(difference).bit_length()] + _magnitude(difference)
        self[difference] = bits
        return bits


class _Kind:
    """What luma and chroma blocks are coded with."""

    def __init__(self, quant: Sequence[int], dc: bytes, ac: bytes) -> None:
        self.quant = [max(1, (step * _SCALE + 50) // 100) for step in quant]
        # the transform below leaves coefficient (u, v) scaled by 8 * AAN[u] * AAN[v]
        self.factors = [1 / (self.quant[i] * 8 * _AAN[i >> 3] * _AAN[i & 7]) for i in _ZIGZAG]
        self.dc = _DcBits(dc)
        self.ac = _codes(ac)
        self.blocks: dict[bytes, tuple[int, str]] = {}

    def block(self, pixels: bytes) -> tuple[int, str]:
        """Quantized DC, and the bits of all AC coefficients, of 64 pixels."""
        known = self.blocks.get(pixels)
        if known is None:
            if len(self.blocks) >= _MAX_BLOCKS:
                self.blocks.clear()
            known = self.blocks[pixels] = self._encode(pixels)
        return known

    def _encode(self, pixels: bytes) -> tuple[int, str]:
        if pixels == pixels[:1] * 64:
            return round((pixels[0] - 128) * 8 / self.quant[0]), self.ac[0]
        spectrum = _transform(pixels)
        values = [round(spectrum[i] * f) for i, f in zip(_ZIGZAG, self.factors, strict=True)]
        bits, run = [], 0
        for value in values[1:]:
            if not value:
                run += 1
                continue
            while run > 15:
                bits.append(self.ac[0xF0])
                run -= 16
            bits.append(self.ac[run << 4 | abs(value).bit_length()])
            bits.append(_magnitude(value))
            run = 0
        if run:
            bits.append(self.ac[0])
        return values[0], "".join(bits)


_MAX_BLOCKS = 65536
_AAN = (1.0, 1.387039845, 1.306562965, 1.175875602, 1.0, 0.785694958, 0.541196100, 0.275899379)


def _transform(pixels: bytes) -> list[float]:
    """Forward DCT of 8x8 pixels after Arai, Agui and Nakajima, unscaled."""
    columns = list(
        zip(
            *(_transform_8([p - 128 for p in pixels[i : i + 8]]) for i in range(0, 64, 8)),
            strict=True,
        )
    )
    turned = zip(*(_transform_8(column) for column in columns), strict=True)
    return [value for row in turned for value in row]


def _transform_8(v: Sequence[float]) -> tuple[float, ...]:
    s07, s16, s25, s34 = v[0] + v[7], v[1] + v[6], v[2] + v[5], v[3] + v[4]
    d07, d16, d25, d34 = v[0] - v[7], v[1] - v[6], v[2] - v[5], v[3] - v[4]
    a, b, c, d = s07 + s34, s16 + s25, s16 - s25, s07 - s34
    e = (c + d) * 0.707106781
    f, g, h = d34 + d25, d25 + d16, d16 + d07
    z5 = (f - h) * 0.382683433
    z2, z4, z3 = 0.541196100 * f + z5, 1.306562965 * h + z5, g * 0.707106781
    p, m = d07 + z3, d07 - z3
    return (a + b, p + z4, d + e, m - z2, a - b, m + z2, d - e, p - z4)


_LUMA = _Kind(_LUMA_QUANT, _DC_LUMA, _AC_LUMA)
_CHROMA = _Kind(_CHROMA_QUANT, _DC_CHROMA, _AC_CHROMA)


class Tile(NamedTuple):
    """One MCU: four luma blocks, then Cb, then Cr."""

    luma_first: int
    """DC of the first luma block: where the difference to the tile before ends."""
    luma_last: int
    luma_bits: str
    """Everything of the luma blocks but the first DC difference."""
    cb: int
    cb_bits: str
    cr: int
    cr_bits: str


def make_tile(luma: Sequence[bytes], cb: bytes, cr: bytes) -> Tile:
    """The tile of four luma blocks (left to right, top to bottom) and one of each chroma.

    A block is 64 bytes, row by row.
    """
    first, bits = _LUMA.block(luma[0])
    last, parts = first, [bits]
    for pixels in luma[1:]:
        dc, bits = _LUMA.block(pixels)
        parts += (_LUMA.dc[dc - last], bits)
        last = dc
    cb_dc, cb_bits = _CHROMA.block(cb)
    cr_dc, cr_bits = _CHROMA.block(cr)
    return Tile(first, last, "".join(parts), cb_dc, cb_bits, cr_dc, cr_bits)


def join_row(tiles: Sequence[Tile], row: int) -> bytes:
    """The entropy-coded bytes of a row of tiles, behind its restart marker (none at row 0)."""
    parts: list[str] = []
    add = parts.append
    luma_dc, chroma_dc = _LUMA.dc, _CHROMA.dc
    last = last_cb = last_cr = 0
    for first, luma, luma_bits, cb, cb_bits, cr, cr_bits in tiles:
        add(luma_dc[first - last])
        add(luma_bits)
        add(chroma_dc[cb - last_cb])
        add(cb_bits)
        add(chroma_dc[cr - last_cr])
        add(cr_bits)
        last, last_cb, last_cr = luma, cb, cr
    bits = "".join(parts)
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    return bytes((0xFF, 0xD0 | (row - 1) & 7)) + coded if row else coded


def _segment(code: int, body: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(body) + 2).to_bytes(2, "big") + body


def head(width: int, height: int, comment: bytes) -> bytes:
    """All that stands before the first row: JFIF, comment, tables, frame and scan header."""
    quant = [
        bytes([n, *(kind.quant[i] for i in _ZIGZAG)]) for n, kind in enumerate((_LUMA, _CHROMA))
    ]
    huffman = ((0x00, _DC_LUMA), (0x10, _AC_LUMA), (0x01, _DC_CHROMA), (0x11, _AC_CHROMA))
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
            _segment(0xFE, comment),
            *(_segment(0xDB, table) for table in quant),
            _segment(0xC0, b"\x08" + size + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"),
            *(_segment(0xC4, bytes([n]) + table) for n, table in huffman),
            _segment(0xDD, (-(-width // EDGE)).to_bytes(2, "big")),
            _segment(0xDA, b"\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"),
        )
    )
