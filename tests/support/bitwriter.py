"""Writes the headers that tests hand to parsers."""

from __future__ import annotations


class BitWriter:
    """Bits as text; `data()` pads the last byte with zeros."""

    def __init__(self) -> None:
        self._bits = ""

    @property
    def length(self) -> int:
        return len(self._bits)

    def u(self, width: int, value: int) -> BitWriter:
        self._bits += f"{value:0{width}b}" if width else ""
        return self

    def ue(self, *values: int) -> BitWriter:
        for value in values:
            code = f"{value + 1:b}"
            self._bits += "0" * (len(code) - 1) + code
        return self

    def se(self, *values: int) -> BitWriter:
        return self.ue(*(2 * value - 1 if value > 0 else -2 * value for value in values))

    def data(self) -> bytes:
        padded = self._bits + "0" * (-len(self._bits) % 8)
        return int(padded or "0", 2).to_bytes(len(padded) // 8)

    def rbsp(self) -> bytes:
        """With the stop bit that ends a NAL unit's payload."""
        self._bits += "1"
        return self.data()
