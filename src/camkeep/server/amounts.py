"""Amounts as people write them: sizes of disks, lengths of time. Pure.

For files and for commands alike (`cli/amounts.py` hands their errors to argparse). Each
`..._text` writes what its reader reads back as the same amount, to the last byte.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from camkeep.errors import UsageError

_SIZE = re.compile(
    r"([0-9]{1,19}(?:\.[0-9]{1,6})?)\s*(?:([kmgtp])(i?)b?|b)", re.IGNORECASE | re.ASCII
)
_SHARE = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,3})?)\s*%", re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_UNITS = {
    "": 1.0,
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}


@dataclass(frozen=True, slots=True)
class Room:
    """Some bytes, or a share of a disk."""

    bytes: int = 0
    share: float = 0.0

    def of(self, disk_bytes: int) -> int:
        """In bytes, on a disk of that size."""
        return self.bytes + round(self.share * disk_bytes)


def read_seconds(text: str) -> float:
    """``90``, ``90s``, ``1.5m``, ``10min``, ``2h``, ``1h30m`` in seconds. Raises UsageError."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    joined = "".join(number + unit for number, unit in parts)
    known = all(unit in _UNITS for _, unit in parts)
    if not parts or not known or joined != re.sub(r"\s", "", text.lower()):
        raise UsageError(f"{text!r} is no length of time: write 90s, 10m or 1h30m")
    total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not (total > 0 and math.isfinite(total)):
        raise UsageError("a length of time is more than 0")
    return total


def read_size(text: str) -> int:
    """``500GB``, ``1.5 TB``, ``200GiB`` in bytes. Never without a unit: who writes 500 for 500 GB
    would lose all that is kept. Raises UsageError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r} is no size: write 500GB or 1.5TB")
    unit = (1024 if found[3] else 1000) ** _POWERS[(found[2] or "").lower()]
    whole, _, part = found[1].partition(".")
    count: int = int(whole) * unit + round(int(part or "0") * unit / 10 ** len(part))
    if count <= 0:
        raise UsageError("a size is more than 0")
    return count


def read_room(text: str) -> Room:
    """``20GB``, or ``10%`` of the disk; ``0`` for none. Raises UsageError."""
    text = text.strip()
    if text == "0":
        return Room()
    found = _SHARE.fullmatch(text)
    if found is not None:
        return Room(share=float(found[1]) / 100)
    try:
        return Room(bytes=read_size(text))
    except UsageError:
        raise UsageError(f"{text!r} is no room on a disk: write 20GB, or 10% of the disk") from None


def read_age(text: str) -> float:
    """``30d``, ``12h``, ``2w`` in seconds. Never without a unit: 30 would be half a minute.
    Raises UsageError."""
    if re.fullmatch(r"[\d.\s]+", text):
        raise UsageError(f"{text!r} is no age: write {text.strip()}d for days")
    return read_seconds(text)


def read_between(text: str, least: float, most: float) -> float:
    """A length of time within bounds, seconds. Raises UsageError."""
    length = 0.0 if text.strip() in ("0", "0s") else read_seconds(text)
    if not least <= length <= most:
        raise UsageError(f"{text} is not within {least:g} to {most:g} seconds")
    return length


def size_text(count: int) -> str:
    """What `read_size` reads as `count` bytes, as short as can be: 500GB."""
    for unit in ("PB", "TB", "GB", "MB", "kB"):
        power = 1000 ** _POWERS[unit[0].lower()]
        if count % power == 0:
            return f"{count // power}{unit}"
        if count * 10 % power == 0 and count > power:
            return f"{count // power}.{count * 10 // power % 10}{unit}"
    return f"{count}B"


def time_text(length_s: float) -> str:
    """What `read_seconds` reads as that length: 30d, 12h, 5s, 0.5s."""
    for unit in ("d", "h", "m"):
        if length_s and length_s % _UNITS[unit] == 0:
            return f"{round(length_s / _UNITS[unit])}{unit}"
    return f"{round(length_s)}s" if length_s == round(length_s) else f"{Decimal(repr(length_s)):f}s"
