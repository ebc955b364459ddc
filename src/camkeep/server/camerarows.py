"""The cameras' rows in the settings database: functions for `Database.run` and `run_now`.

Each is called within a transaction and does one thing; secrets are sealed and unsealed here, and
nowhere else.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from camkeep.clock import WallUs
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server.camerasettings import CameraSettings, from_parts
from camkeep.server.secrets import Secrets

MOST_CAMERAS = 1000

Row = tuple[str, str, str, bytes | None]

_COLUMNS = "SELECT id, name, settings, secret FROM cameras"


class UnknownCamera(UsageError):
    """There is no camera of that id."""


def all_cameras(connection: sqlite3.Connection, secrets: Secrets) -> list[CameraSettings]:
    """All cameras, in the order in which people see them. One that does not read is there as one
    whose address was lost: it costs the others nothing, and can be set anew."""
    rows = connection.execute(f"{_COLUMNS} ORDER BY position, name").fetchall()
    return [_read_anyhow(row, secrets) for row in rows]


def one_camera(connection: sqlite3.Connection, secrets: Secrets, camera: str) -> CameraSettings:
    """That camera. Raises UnknownCamera."""
    row = connection.execute(f"{_COLUMNS} WHERE id = ?", (camera,)).fetchone()
    if row is None:
        raise UnknownCamera("there is no such camera")
    return _read(row, secrets)


def insert(
    connection: sqlite3.Connection, secrets: Secrets, settings: CameraSettings, now: WallUs
) -> None:
    """Add a camera, behind the others. Raises UsageError where there is one of that name."""
    _check_name(connection, settings)
    count, last = connection.execute(
        "SELECT count(*), coalesce(max(position), -1) FROM cameras"
    ).fetchone()
    if count >= MOST_CAMERAS:
        raise UsageError(f"there are {MOST_CAMERAS} cameras already: remove one first")
    try:
        connection.execute(
            "INSERT INTO cameras (id, name, position, settings, secret, created_us) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (settings.id, settings.name, last + 1, *_written(settings, secrets), now),
        )
    except sqlite3.IntegrityError:
        raise UsageError(f"{settings.name}: that camera is there already") from None


def update(connection: sqlite3.Connection, secrets: Secrets, settings: CameraSettings) -> None:
    """Write changed settings down. Raises UnknownCamera, UsageError."""
    _check_name(connection, settings)
    done = connection.execute(
        "UPDATE cameras SET name = ?, settings = ?, secret = ? WHERE id = ?",
        (settings.name, *_written(settings, secrets), settings.id),
    )
    if not done.rowcount:
        raise UnknownCamera("there is no such camera")


def delete(connection: sqlite3.Connection, camera: str) -> None:
    """Forget a camera and its secrets. Raises UnknownCamera."""
    if not connection.execute("DELETE FROM cameras WHERE id = ?", (camera,)).rowcount:
        raise UnknownCamera("there is no such camera")


def reorder(connection: sqlite3.Connection, cameras: Sequence[str]) -> None:
    """People see the cameras in that order; those not named follow as they were. Raises
    UsageError."""
    rows = connection.execute("SELECT id FROM cameras ORDER BY position, name").fetchall()
    there = [row[0] for row in rows]
    if len(set(cameras)) != len(cameras) or not set(cameras) <= set(there):
        raise UsageError("an order names each camera once, and none that is not there")
    order = [*cameras, *(camera for camera in there if camera not in set(cameras))]
    for position, camera in enumerate(order):
        connection.execute(
            "UPDATE cameras SET position = ? WHERE id = ? AND position <> ?",
            (position, camera, position),
        )


def _place(camera: str) -> str:
    return f"cameras/{camera}"


def _read_anyhow(row: Row, secrets: Secrets) -> CameraSettings:
    try:
        return _read(row, secrets)
    except UsageError:
        camera, name = CameraId(row[0]), row[1]
        try:
            return CameraSettings(camera, name, "")
        except UsageError:
            return CameraSettings(camera, camera, "")


def _read(row: Row, secrets: Secrets) -> CameraSettings:
    camera, name, open_part, secret = row
    sealed = None if secret is None else secrets.unseal(secret, _place(camera))
    return from_parts(camera, name, open_part, sealed)


def _written(settings: CameraSettings, secrets: Secrets) -> tuple[str, bytes | None]:
    open_part = json.dumps(settings.open_part(), ensure_ascii=False)
    if not settings.url:
        return open_part, None
    return open_part, secrets.seal(settings.secret_part(), _place(settings.id))


def _check_name(connection: sqlite3.Connection, settings: CameraSettings) -> None:
    """SQLite compares without case only what is ASCII."""
    rows = connection.execute("SELECT name FROM cameras WHERE id <> ?", (settings.id,)).fetchall()
    if any(row[0].casefold() == settings.name.casefold() for row in rows):
        raise UsageError(f"another camera is called {settings.name}: choose another name")
