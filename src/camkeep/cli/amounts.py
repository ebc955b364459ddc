"""Amounts as people type them: sizes of disks, lengths of time."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from camkeep.cli.common import seconds

T = TypeVar("T")

_SIZE = re.compile(
    r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*(?:([kmgtp])(i?)b?|b)", re.IGNORECASE | re.ASCII
)
_SHARE = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,3})?)\s*%", re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


@dataclass(frozen=True, slots=True)
class Room:
    """Some bytes, or a share of a disk."""

    bytes: int = 0
    share: float = 0.0

    def of(self, disk_bytes: int) -> int:
        """In bytes, on a disk of that size."""
        return self.bytes + round(self.share * disk_bytes)


def size(text: str) -> int:
    """``500GB``, ``1.5 TB``, ``200GiB`` in bytes. Never without a unit: who writes 500 for 500 GB
    would lose all that is kept."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 500GB or 1.5TB")
    unit = math.pow(1024 if found[3] else 1000, _POWERS[(found[2] or "").lower()])
    count = round(float(found[1]) * unit)
    if count <= 0:
        raise argparse.ArgumentTypeError("a size is more than 0")
    return count


def room(text: str) -> Room:
    """``20GB``, or ``10%`` of the disk; ``0`` for none."""
    text = text.strip()
    if text == "0":
        return Room()
    found = _SHARE.fullmatch(text)
    if found is None:
        try:
            return Room(bytes=size(text))
        except argparse.ArgumentTypeError:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no room on a disk: write 20GB, or 10% of the disk"
            ) from None
    return Room(share=float(found[1]) / 100)


def age(text: str) -> float:
    """``30d``, ``12h``, ``2w`` in seconds. Never without a unit: 30 would be half a minute."""
    if re.fullmatch(r"[\d.\s]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no age: write {text.strip()}d for days")
    return seconds(text)


def between(least: float, most: float) -> Callable[[str], float]:
    """A length of time within bounds, seconds."""

    def parse(text: str) -> float:
        length = 0.0 if text.strip() in ("0", "0s") else seconds(text)
        if not least <= length <= most:
            raise argparse.ArgumentTypeError(f"{text} is not within {least:g} to {most:g} seconds")
        return length

    return parse


def named(parse: Callable[[str], T]) -> Callable[[str], tuple[str, T]]:
    """``NAME=VALUE``, the value as `parse` reads it."""

    def both(text: str) -> tuple[str, T]:
        name, equals, value = text.rpartition("=")
        if not equals or not name.strip():
            raise argparse.ArgumentTypeError(f"{text!r} names no camera: write garage=100GB")
        return name.strip(), parse(value)

    return both
