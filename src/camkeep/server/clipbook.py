"""Clips as people change them: made, renamed, held, cut, deleted, brought back.

The files of the archive are the truth; each change reads and writes them in one job on the
volume's thread, so that no two changes lose each other. Runs on the event loop.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from camkeep.archive.store import Archive
from camkeep.clock import Clock
from camkeep.engine.supervisor import Supervisor
from camkeep.errors import StorageError
from camkeep.model import CameraId, Clip
from camkeep.server.problems import Problem, not_found

MOST_DELETED = 32
"""Deleted clips that can be brought back."""
BACK_S = 3600.0
"""For so long."""
INDEX_S = 2.0
"""A change is in lists when it is answered, unless the index takes longer."""


class ClipBook:
    """The clips of an archive, to be changed."""

    def __init__(
        self, archive: Archive, clock: Clock, watched: Callable[[], Mapping[CameraId, Supervisor]]
    ) -> None:
        """`watched` tells which cameras are watched now: one may be recording a clip."""
        self._archive = archive
        self._clock = clock
        self._watched = watched
        self._deleted: OrderedDict[str, tuple[Clip, int]] = OrderedDict()

    async def get(self, clip_id: str) -> Clip:
        """The clip as its file has it. Raises Problem 404, or StorageError."""

        def find() -> Clip | None:
            return {clip.id: clip for clip in self._archive.clips.look()}.get(clip_id)

        clip = await asyncio.wrap_future(self._archive.on_disk(find))
        if clip is None:
            raise not_found("clip")
        return clip

    async def add(self, clip: Clip) -> None:
        """A new one. Raises StorageError."""
        await self._archive.save_clip(clip)
        await self._indexed()

    async def change(self, clip_id: str, change: Callable[[Clip], Clip]) -> Clip:
        """What became of it. Raises Problem 404, what `change` raises, or StorageError."""

        def do() -> Clip | None:
            clip = {clip.id: clip for clip in self._archive.clips.look()}.get(clip_id)
            if clip is None:
                return None
            changed = change(clip)
            self._archive.clips.save(changed)
            return changed

        clip = await asyncio.wrap_future(self._archive.on_disk(do))
        if clip is None:
            raise not_found("clip")
        recorder = self.recorder(clip_id)
        if recorder is not None and recorder.clip is not None:  # it writes the clip when it ends
            recorder.clip = replace(clip, end=None)
        await self._indexed()
        return clip

    async def delete(self, clip_id: str) -> Clip:
        """The clip that is there no more; its pictures stay as long as the quotas let them.
        Raises Problem 404 or 409, or StorageError."""
        if self.recorder(clip_id) is not None:
            raise Problem(409, "Being recorded", "stop the recording first, then delete its clip")
        clip = await self.get(clip_id)
        await asyncio.wrap_future(
            self._archive.on_disk(lambda: self._archive.clips.remove(clip_id))
        )
        self._deleted[clip_id] = (clip, self._clock.mono())
        while len(self._deleted) > MOST_DELETED:
            self._deleted.popitem(last=False)
        await self._indexed()
        return clip

    def deleted(self, clip_id: str) -> Clip:
        """One that was deleted lately. Raises Problem 404."""
        clip, since = self._deleted.get(clip_id, (None, 0))
        if clip is None or self._clock.mono() - since > BACK_S * 1e9:
            raise not_found("clip among those that were deleted within the last hour")
        return clip

    async def restore(self, clip_id: str) -> Clip:
        """Bring it back. Raises Problem 404, or StorageError."""
        clip = self.deleted(clip_id)
        await self.add(clip)
        self._deleted.pop(clip_id, None)
        return clip

    def recorder(self, clip_id: str) -> Supervisor | None:
        """The camera that is recording that clip just now, if one is."""
        return next(
            (w for w in self._watched().values() if w.clip is not None and w.clip.id == clip_id),
            None,
        )

    async def _indexed(self) -> None:
        """Wait until the index knows: its jobs run one after the other."""
        with suppress(TimeoutError, StorageError):
            async with asyncio.timeout(INDEX_S):
                await asyncio.wrap_future(self._archive.on_index(lambda _: None))
