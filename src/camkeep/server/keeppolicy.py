"""How much is kept of all cameras together, as a person decided it by the API. Where nobody did,
what camkeep.toml says holds. What single cameras may have stands with their settings.
"""

from __future__ import annotations

import json
import sqlite3

from camkeep.archive.retention import Limits, Policy
from camkeep.errors import UsageError

KEY = "policy"
"""In the table of settings."""
LARGEST = 1 << 53
"""Bytes, or seconds: beyond that JSON readers are not exact."""


def read_policy(connection: sqlite3.Connection) -> Policy | None:
    """What was decided; None where nobody did, or what stands there is nonsense."""
    row = connection.execute("SELECT value FROM settings WHERE key = ?", (KEY,)).fetchone()
    try:
        return None if row is None else policy_of(json.loads(row[0]))
    except (ValueError, TypeError, AttributeError, UsageError):
        return None


def write_policy(connection: sqlite3.Connection, policy: Policy | None) -> None:
    """Write it down; None to go by camkeep.toml again from the next start on."""
    if policy is None:
        connection.execute("DELETE FROM settings WHERE key = ?", (KEY,))
        return
    connection.execute(
        "INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (KEY, json.dumps(value_of(policy))),
    )


def value_of(policy: Policy) -> dict[str, float | None]:
    """As it is kept."""
    return {
        "max_bytes": policy.overall.max_bytes,
        "max_age_s": policy.overall.max_age_s,
        "keep_free_bytes": policy.keep_free_bytes,
    }


def policy_of(value: dict[str, object]) -> Policy:
    """What `value_of` gave. Raises UsageError, ValueError, TypeError or AttributeError."""
    size, age_s = _number(value.get("max_bytes")), _number(value.get("max_age_s"))
    free = _number(value.get("keep_free_bytes"))
    limits = Limits(None if size is None else int(size), None if age_s is None else float(age_s))
    return Policy(limits, int(free or 0))


def _number(value: object) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError("not a number")
    return value
