"""Sees to it that the service watches the cameras that people have set up, in the way they want.

The settings are the truth: after each change of them, also by a command in another process, the
service is brought to what they say, camera by camera. One that cannot be watched holds up no
other; it is told of, and tried again.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from camkeep.archive.retention import Limits, Policy
from camkeep.engine.events import Kind
from camkeep.engine.service import Service
from camkeep.errors import CamkeepError
from camkeep.model import CameraId
from camkeep.server.applied import Applied, applied
from camkeep.server.camerabook import CameraBook
from camkeep.server.camerasettings import CameraSettings
from camkeep.server.database import Database, revision
from camkeep.server.keeppolicy import read_policy
from camkeep.server.learned import learn

LOOK_S = 1.0
"""How often it looks whether another process changed the settings."""
AGAIN_LOOKS = 10
"""After so many looks a camera that could not be watched is tried again."""

log = logging.getLogger(__name__)


class Caretaker:
    """Applies the settings. `sync` after a change, `run` for what others change."""

    def __init__(
        self, service: Service, book: CameraBook, database: Database, policy: Policy | None = None
    ) -> None:
        """`policy` is how much is kept of all cameras where nobody has set anything else."""
        self.failed: dict[CameraId, str] = {}
        """Cameras that are set up and cannot be watched, and why."""
        self._service = service
        self._book = book
        self._database = database
        self._policy = policy or service.policy
        self._applied: dict[CameraId, Applied] = {}
        self._halfway: set[CameraId] = set()  # a change of them failed, and may be done in part
        self._syncing = asyncio.Lock()
        self._revision = -1

    async def sync(self) -> None:
        """Bring the service to what the settings say now. Raises StorageError where they cannot
        be read."""
        async with self._syncing:
            self._revision = -1  # what ends this before it is done has `run` do it again
            revision = await self._database.run(_revision, reads=True)
            policy = await self._database.run(read_policy, reads=True)
            await self._service.keep_within(policy or self._policy)
            wanted = {settings.id: settings for settings in await self._book.list()}
            for camera_id in [each for each in self._known() if each not in wanted]:
                await self._remove(camera_id)
            await self._free_names(wanted)
            for settings in wanted.values():
                learn(settings)  # before anything of it can be logged
                await self._apply(settings)
            self._revision = revision

    async def run(self) -> None:
        """Notice what other processes change, until cancelled."""
        looks = 0
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            try:
                again = bool(self.failed) and looks % AGAIN_LOOKS == 0
                if again or await self._database.run(_revision, reads=True) != self._revision:
                    await self.sync()
            except CamkeepError as error:
                log.warning("%s; trying again", error)
                self._revision = -1
            except Exception:
                log.exception("the settings could not be applied in an unforeseen way")
                self._revision = -1

    async def _free_names(self, wanted: Mapping[CameraId, CameraSettings]) -> None:
        """Cameras may have taken each other's names: those give them up first."""
        owners = {settings.name.casefold(): settings.id for settings in wanted.values()}
        for camera_id, camera in list(self._service.cameras.items()):
            name = camera.camera.name
            if owners.get(name.casefold(), camera_id) != camera_id:
                passing = replace(camera.wanted, name=f"{name[:80]} ({camera_id})")
                with suppress(CamkeepError):  # the disk: then both fail, and are tried again
                    await self._service.change(camera_id, passing)

    def _known(self) -> set[CameraId]:
        return {*self._service.cameras, *self.failed}

    async def _apply(self, settings: CameraSettings) -> None:
        before = self._applied.get(settings.id)
        watched = settings.id in self._service.cameras
        same = before is not None and before.settings == settings
        if same and watched and settings.id not in self._halfway:
            self.failed.pop(settings.id, None)  # what could not be applied was taken back
            return
        try:
            now = applied(settings, self._book.policy, before)
            if watched:
                self._halfway.add(settings.id)
                await self._service.change(settings.id, now.wanted)
            else:
                await self._service.add(now.wanted)
        except CamkeepError as error:
            await self._note_failure(settings, str(error))
            return
        except Exception as error:
            log.exception("a camera's settings could not be applied in an unforeseen way")
            told = f"camkeep itself failed ({type(error).__name__}): see its log"
            await self._note_failure(settings, told)
            return
        self._applied[settings.id] = now
        self._halfway.discard(settings.id)
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
        self._halfway.discard(camera_id)
        await self._service.limit(camera_id, None)
        if camera_id in self._service.cameras:
            try:
                await self._service.remove(camera_id)
            except CamkeepError as error:  # of the disk: it is watched no more, but for its clip
                log.warning("%s; the camera is not watched any more all the same", error)
        self._service.bus.tell(Kind.SETTINGS, "it is not watched any more", camera_id)


def _revision(connection: sqlite3.Connection) -> int:
    """How often the settings that are applied here were changed."""
    return revision(connection, "cameras") + revision(connection, "settings")
