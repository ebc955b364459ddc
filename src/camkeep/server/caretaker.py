"""Sees to it that the service watches the cameras that people have set up, in the way they want.

The settings are the truth: after each change of them, also by a command in another process, the
service is brought to what they say, camera by camera. One that cannot be watched holds up no
other; it is told of, and tried again.
"""

from __future__ import annotations

import asyncio
import logging

from camkeep.archive.retention import Limits
from camkeep.engine.events import Kind
from camkeep.engine.service import Service
from camkeep.errors import CamkeepError, StorageError
from camkeep.model import CameraId
from camkeep.server.applied import Applied, applied
from camkeep.server.camerabook import CameraBook
from camkeep.server.camerasettings import CameraSettings
from camkeep.server.cameraurl import login_of
from camkeep.server.database import Database
from camkeep.server.learned import learn
from camkeep.server.redact import redactor

LOOK_S = 1.0
"""How often it looks whether another process changed the settings."""
AGAIN_LOOKS = 10
"""After so many looks a camera that could not be watched is tried again."""

log = logging.getLogger(__name__)


class Caretaker:
    """Applies the settings. `sync` after a change, `run` for what others change."""

    def __init__(self, service: Service, book: CameraBook, database: Database) -> None:
        self.failed: dict[CameraId, str] = {}
        """Cameras that are set up and cannot be watched, and why."""
        self._service = service
        self._book = book
        self._database = database
        self._applied: dict[CameraId, Applied] = {}
        self._syncing = asyncio.Lock()
        self._version = -1

    async def sync(self) -> None:
        """Bring the service to what the settings say now. Raises StorageError where they cannot
        be read."""
        async with self._syncing:
            self._version = self._database.version
            wanted = {settings.id: settings for settings in await self._book.list()}
            for camera_id in [each for each in self._known() if each not in wanted]:
                await self._remove(camera_id)
            for settings in wanted.values():
                learn(settings)  # before anything of it can be logged
                await self._apply(settings)

    async def run(self) -> None:
        """Notice what other processes change, until cancelled."""
        looks = 0
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            try:
                again = bool(self.failed) and looks % AGAIN_LOOKS == 0
                if again or await self._database.changed(self._version):
                    await self.sync()
            except StorageError as error:
                log.warning("%s; trying again", error)

    def _known(self) -> set[CameraId]:
        return {*self._service.cameras, *self.failed}

    async def _apply(self, settings: CameraSettings) -> None:
        for url in (settings.url, settings.sub_url):
            login = login_of(url) if url else None
            if login is not None:
                redactor.learn(login.password, login.user)
        before = self._applied.get(settings.id)
        watched = settings.id in self._service.cameras
        if before is not None and before.settings == settings and watched:
            return
        try:
            now = applied(settings, self._book.policy, before)
            if watched:
                await self._service.change(settings.id, now.wanted)
            else:
                await self._service.add(now.wanted)
        except CamkeepError as error:
            await self._note_failure(settings, str(error))
            return
        self._applied[settings.id] = now
        self.failed.pop(settings.id, None)
        await self._service.limit(settings.id, None)
        told = "its settings were changed" if watched else "it is watched"
        self._service.bus.tell(Kind.SETTINGS, told, settings.id, name=settings.name)

    async def _note_failure(self, settings: CameraSettings, reason: str) -> None:
        """Its recordings stay for as long as they were to."""
        if self.failed.get(settings.id) != reason:
            self.failed[settings.id] = reason
            self._service.bus.tell(Kind.SETTINGS, reason, settings.id, name=settings.name)
        limits = Limits(settings.max_bytes, settings.max_age_s)
        await self._service.limit(settings.id, limits)

    async def _remove(self, camera_id: CameraId) -> None:
        self.failed.pop(camera_id, None)
        self._applied.pop(camera_id, None)
        await self._service.limit(camera_id, None)
        if camera_id in self._service.cameras:
            await self._service.remove(camera_id)
        self._service.bus.tell(Kind.SETTINGS, "it is not watched any more", camera_id)
