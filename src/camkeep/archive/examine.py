"""Whether an index is damaged, before anything is asked of it.

A question finds its rows by keys, by indexes and by how long things last, and a row that it does
not find says nothing of its damage. What could hide a row is therefore looked at here, for all
rows at once and by SQLite itself. All else is noticed when a row is read (`rows`).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from camkeep.archive import rows
from camkeep.errors import IndexDamaged

_LENGTHS = (
    "SELECT number FROM cameras LEFT JOIN ("
    "SELECT camera, sum(state <> 'deleting') AS number_of, "
    "sum(size * (state <> 'deleting')) AS size_of, "
    "sum(duration_us * (state <> 'deleting')) AS length_of, "
    "max(duration_us * (state <> 'deleting')) AS longest_of "
    "FROM segments GROUP BY camera) ON camera = number "
    "WHERE segments <> coalesce(number_of, 0) OR bytes <> coalesce(size_of, 0) "
    "OR recorded_us <> coalesce(length_of, 0) OR longest_us < coalesce(longest_of, 0)"
)
"""Cameras whose sums are not those of their segments: a length or a sum is wrong."""


def examine(connection: sqlite3.Connection, path: Path) -> None:
    """Raise IndexDamaged where the index is damaged, as far as no row would tell; sqlite3.Error
    where SQLite cannot even look."""

    def asked(sql: str) -> list[rows.Row]:
        return connection.execute(sql).fetchall()

    if (
        asked("PRAGMA integrity_check(1)") != [("ok",)]  # pages, order, indexes, CHECKs
        or asked("PRAGMA foreign_key_check")
        or asked(_LENGTHS)
    ):
        raise IndexDamaged(f"the index {path} is damaged: `camkeep archive reindex` makes it anew")
    for row in asked(f"SELECT {rows.CAMERA} FROM cameras"):
        rows.camera_of(row)
    for row in asked(f"SELECT {rows.GAP} FROM gaps"):
        rows.gap_of(row)
