"""The chain of a camera: each segment names the one before it. What is wrong with that. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from camkeep.clock import WallUs
from camkeep.media.mp4.seal import NOTHING_BEFORE
from camkeep.model import Removal


class Kind(StrEnum):
    """What is not as it was."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    MOVED = "moved"
    """As it was, but under another name."""
    UNREADABLE = "unreadable"


class Link(NamedTuple):
    """A segment, or some that were removed, as a part of the chain."""

    sequence: int
    previous: bytes
    chain: bytes
    start: WallUs
    end: WallUs
    path: str
    """Empty for what was removed."""


class Hole(NamedTuple):
    """What is wrong with the order of links."""

    kind: Kind
    before: Link | None
    """The link behind which it is; None at the beginning."""
    after: Link
    """The link before which something is missing, or that does not belong there."""


def holes(links: Iterable[Link]) -> Iterator[Hole]:
    """Where links, in order of sequence, do not follow each other.

    A link was put in between where a later one goes on from what was before it, and has as many
    behind it; else, where it does not name the one before it, something is missing there.
    """
    rows = list(links)
    lengths, users = _lengths(rows)
    at, before = NOTHING_BEFORE, None
    for number, row in enumerate(rows):
        later = max((lengths[user] for user in users.get(at, ()) if user > number), default=0)
        follows = row.previous == at
        if later > lengths[number] or (later == lengths[number] and not follows):
            yield Hole(Kind.INSERTED, before, row)
            continue
        if not follows:
            yield Hole(Kind.MISSING, before, row)
        at, before = row.chain, row


def _lengths(rows: Sequence[Link]) -> tuple[list[int], dict[bytes, list[int]]]:
    """How many links go on from each, itself included, and the numbers of those that name each
    chain."""
    lengths = [1] * len(rows)
    users: dict[bytes, list[int]] = {}
    for number in range(len(rows) - 1, -1, -1):
        behind = (lengths[user] for user in users.get(rows[number].chain, ()))
        lengths[number] += max(behind, default=0)
        users.setdefault(rows[number].previous, []).append(number)
    return lengths, users


def is_told(hole: Hole, lasts: Mapping[bytes, int], told: Collection[int]) -> bool:
    """Whether findings tell already of each segment that is missing in a hole. `lasts` are the
    last sequences of removals, by their chain."""
    first = lasts.get(hole.before.chain, hole.before.sequence) + 1 if hole.before else 1
    missing = range(first, hole.after.sequence)
    return hole.kind is Kind.MISSING and bool(missing) and all(n in told for n in missing)


def covers(removals: Iterable[Removal], sequence: int) -> bool:
    """Whether a segment was removed on purpose."""
    return any(removal.first <= sequence <= removal.last for removal in removals)


def link_of(removal: Removal) -> Link:
    """What was removed, as one link."""
    return Link(removal.first, removal.previous, removal.chain, removal.start, removal.end, "")
