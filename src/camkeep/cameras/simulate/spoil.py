"""What faults do to a picture's bytes. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection

from camkeep.cameras.simulate.faults import Kind

_HARMLESS = bytes(set(range(256)) - {0xFF, *b"-\r\n"})
"""Bytes that begin neither a marker nor a boundary."""
_SCAN = b"\xff\xda\x00\x0c\x03"


def junk(chance: random.Random, least: int = 1, most: int = 40) -> bytes:
    """Some bytes without a meaning."""
    return bytes(chance.choices(_HARMLESS, k=chance.randint(least, most)))


def _nulls(jpeg: bytes, chance: random.Random) -> bytes:
    return jpeg[:-2] + bytes(chance.randint(1, 4)) + jpeg[-2:]


def _before(jpeg: bytes, chance: random.Random) -> bytes:
    return junk(chance) + jpeg


def _after(jpeg: bytes, chance: random.Random) -> bytes:
    return jpeg + junk(chance)


def _truncated(jpeg: bytes, chance: random.Random) -> bytes:
    return jpeg[: int(len(jpeg) * chance.uniform(0.3, 0.9))]


def _bit_flips(jpeg: bytes, chance: random.Random) -> bytes:
    """Up to eight flips within the scan, none of which makes or breaks a marker."""
    spoilt = bytearray(jpeg)
    start = jpeg.find(_SCAN) + 14
    for _ in range(8):
        at = chance.randrange(start, len(jpeg) - 2)
        flipped = spoilt[at] ^ 1 << chance.randrange(8)
        if 0xFF not in (spoilt[at - 1], spoilt[at], flipped):
            spoilt[at] = flipped
    return bytes(spoilt)


_SPOILERS: dict[Kind, Callable[[bytes, random.Random], bytes]] = {
    Kind.BIT_FLIPS: _bit_flips,
    Kind.NULLS_BEFORE_END: _nulls,
    Kind.TRUNCATED: _truncated,
    Kind.JUNK_BEFORE: _before,
    Kind.JUNK_AFTER: _after,
}
"""In the order in which they are done to one picture."""
_AT_THE_END = {Kind.NULLS_BEFORE_END, Kind.JUNK_AFTER}


def spoilt(
    jpeg: bytes, kinds: Collection[Kind], chance: random.Random
) -> tuple[bytes, frozenset[Kind]]:
    """`jpeg` after what `kinds` do to it, and which of them did anything.

    A picture that is cut short has no end at which more could be wrong.
    """
    done = frozenset(kinds) & _SPOILERS.keys()
    if Kind.TRUNCATED in done:
        done -= _AT_THE_END
    for kind, spoil in _SPOILERS.items():
        if kind in done:
            jpeg = spoil(jpeg, chance)
    return jpeg, done
