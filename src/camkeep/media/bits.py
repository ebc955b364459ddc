"""Bits of a header, most significant first (ITU-T H.264 §7.2, §9.1; ISO 14496-3 §1.6).

For headers and parameter sets only: nothing here is fast enough for picture data.
"""

from __future__ import annotations

from camkeep.errors import MediaError


class BitReader:
    """Reads `data` from its first bit on; every read past the end raises MediaError."""

    __slots__ = ("_bits", "_data", "_end")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._bits = 0
        self._end = 8 * len(data)

    @property
    def left(self) -> int:
        """How many bits remain."""
        return self._end - self._bits

    @property
    def position(self) -> int:
        """How many bits were read or skipped."""
        return self._bits

    def u(self, count: int) -> int:
        """The next `count` bits as an unsigned number, u(n)."""
        begin = self._bits
        self.skip(count)
        chunk = self._data[begin >> 3 : (self._bits + 7) >> 3]
        return (int.from_bytes(chunk) >> (-self._bits & 7)) & ((1 << count) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return self.u(1) == 1

    def ue(self, below: int = 1 << 32) -> int:
        """The next Exp-Golomb code as an unsigned number, ue(v) (§9.1); it must be `below`."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 31:
                raise MediaError("a header holds a number that is too large")
        number = (1 << zeros) - 1 + self.u(zeros)
        if number >= below:
            raise MediaError(f"a header holds {number} where less than {below} is possible")
        return number

    def se(self) -> int:
        """The next Exp-Golomb code as a signed number, se(v) (§9.1.1)."""
        code = self.ue()
        return (code + 1) >> 1 if code & 1 else -(code >> 1)

    def skip(self, count: int) -> None:
        """Pass over `count` bits."""
        self._bits += count
        if self._bits > self._end:
            self._bits = self._end
            raise MediaError("a header is cut short")
