"""Amounts as people type them: sizes of disks, lengths of time."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

from camkeep.errors import UsageError
from camkeep.server.amounts import (
    Room,
    read_age,
    read_between,
    read_room,
    read_seconds,
    read_size,
)

T = TypeVar("T")


def _told(read: Callable[[str], T], text: str) -> T:
    """What `read` makes of it; argparse shows the sentence and the option it is about."""
    try:
        return read(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def seconds(text: str) -> float:
    """``90``, ``90s``, ``1.5m``, ``10min``, ``2h``, ``1h30m`` in seconds."""
    return _told(read_seconds, text)


def size(text: str) -> int:
    """``500GB``, ``1.5 TB``, ``200GiB`` in bytes."""
    return _told(read_size, text)


def room(text: str) -> Room:
    """``20GB``, or ``10%`` of the disk; ``0`` for none."""
    return _told(read_room, text)


def age(text: str) -> float:
    """``30d``, ``12h``, ``2w`` in seconds."""
    return _told(read_age, text)


def between(least: float, most: float) -> Callable[[str], float]:
    """A length of time within bounds, seconds."""

    def parse(text: str) -> float:
        return _told(lambda typed: read_between(typed, least, most), text)

    return parse


def named(parse: Callable[[str], T]) -> Callable[[str], tuple[str, T]]:
    """``NAME=VALUE``, the value as `parse` reads it."""

    def both(text: str) -> tuple[str, T]:
        name, equals, value = text.rpartition("=")
        if not equals or not name.strip():
            raise argparse.ArgumentTypeError(f"{text!r} names no camera: write garage=100GB")
        return name.strip(), parse(value)

    return both
