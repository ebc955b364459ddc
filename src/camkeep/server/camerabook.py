"""The cameras that people set up, in the settings database.

The service and commands use it at the same time, from different processes: every change is one
transaction that reads what it changes. Nothing here connects to a camera.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from camkeep.archive.layout import new_camera_id
from camkeep.clock import Clock
from camkeep.model import CameraId
from camkeep.server import camerarows
from camkeep.server.applied import check_addresses, same_connection
from camkeep.server.camerasettings import CameraSettings, changed, new_settings
from camkeep.server.database import Database
from camkeep.server.urlpolicy import UrlPolicy

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]


class CameraBook:
    """Cameras, listed and changed. `now` has the same for those who may block."""

    def __init__(self, database: Database, clock: Clock, policy: UrlPolicy | None = None) -> None:
        """`policy` says where cameras may be."""
        self.policy = policy or UrlPolicy()
        self.jobs = CameraJobs(database, clock, self.policy)
        self.now = BlockingBook(database, self.jobs)
        self._database = database

    async def list(self) -> list[CameraSettings]:
        """All, in the order in which people see them. Raises StorageError, UsageError."""
        return await self._database.run(self.jobs.list(), reads=True)

    async def get(self, camera: str) -> CameraSettings:
        """One. Raises UnknownCamera."""
        return await self._database.run(self.jobs.get(camera), reads=True)

    async def add(
        self, values: Mapping[str, object], camera: CameraId | None = None
    ) -> CameraSettings:
        """A new one of these values (`camerasettings.changed`). `camera` is its id where the
        archive knows it already. Raises UsageError."""
        return await self._database.run(self.jobs.add(values, camera))

    async def change(
        self, camera: str, values: Mapping[str, object]
    ) -> tuple[CameraSettings, CameraSettings]:
        """What it was before, and is now. Raises UnknownCamera, UsageError."""
        return await self._database.run(self.jobs.change(camera, values))

    async def remove(self, camera: str) -> CameraSettings:
        """What it was. Its recordings stay. Raises UnknownCamera."""
        return await self._database.run(self.jobs.remove(camera))

    async def reorder(self, cameras: Sequence[str]) -> None:
        """Show them in that order. Raises UsageError."""
        await self._database.run(self.jobs.reorder(cameras))


class BlockingBook:
    """A `CameraBook` for commands."""

    def __init__(self, database: Database, jobs: CameraJobs) -> None:
        self._database = database
        self._jobs = jobs

    def list(self) -> list[CameraSettings]:
        """See `CameraBook.list`."""
        return self._database.run_now(self._jobs.list(), reads=True)

    def get(self, camera: str) -> CameraSettings:
        """See `CameraBook.get`."""
        return self._database.run_now(self._jobs.get(camera), reads=True)

    def add(self, values: Mapping[str, object], camera: CameraId | None = None) -> CameraSettings:
        """See `CameraBook.add`."""
        return self._database.run_now(self._jobs.add(values, camera))

    def change(
        self, camera: str, values: Mapping[str, object]
    ) -> tuple[CameraSettings, CameraSettings]:
        """See `CameraBook.change`."""
        return self._database.run_now(self._jobs.change(camera, values))

    def remove(self, camera: str) -> CameraSettings:
        """See `CameraBook.remove`."""
        return self._database.run_now(self._jobs.remove(camera))


class CameraJobs:
    """What is done within a transaction; each method gives the job."""

    def __init__(self, database: Database, clock: Clock, policy: UrlPolicy) -> None:
        self._secrets = database.secrets
        self._clock = clock
        self._policy = policy

    def list(self) -> Job[list[CameraSettings]]:
        return lambda connection: camerarows.all_cameras(connection, self._secrets)

    def get(self, camera: str) -> Job[CameraSettings]:
        return lambda connection: camerarows.one_camera(connection, self._secrets, camera)

    def add(self, values: Mapping[str, object], camera: CameraId | None) -> Job[CameraSettings]:
        settings = new_settings(camera or new_camera_id(), values)
        check_addresses(settings, self._policy)

        def job(connection: sqlite3.Connection) -> CameraSettings:
            camerarows.insert(connection, self._secrets, settings, self._clock.wall())
            return settings

        return job

    def change(
        self, camera: str, values: Mapping[str, object]
    ) -> Job[tuple[CameraSettings, CameraSettings]]:
        def job(connection: sqlite3.Connection) -> tuple[CameraSettings, CameraSettings]:
            before = camerarows.one_camera(connection, self._secrets, camera)
            after = changed(before, values)
            if not same_connection(before, after):  # else it may have been lost, or be old
                check_addresses(after, self._policy)
            if after != before:
                camerarows.update(connection, self._secrets, after)
            return before, after

        return job

    def remove(self, camera: str) -> Job[CameraSettings]:
        def job(connection: sqlite3.Connection) -> CameraSettings:
            settings = camerarows.one_camera(connection, self._secrets, camera)
            camerarows.delete(connection, camera)
            return settings

        return job

    def reorder(self, cameras: Sequence[str]) -> Job[None]:
        return lambda connection: camerarows.reorder(connection, cameras)
