"""Staged cameras kept in a real archive, and what is in it afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from camkeep.archive.beside import FOREVER
from camkeep.archive.catalog import Catalog
from camkeep.archive.files import Files, SystemFiles
from camkeep.archive.layout import INDEX
from camkeep.archive.retention import Policy
from camkeep.archive.root import make_root
from camkeep.archive.store import Archive
from camkeep.archive.verify import verify_camera
from camkeep.clock import FakeClock, WallUs
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.schedule import Mode
from camkeep.engine.service import Service
from camkeep.engine.supervisor import Supervisor
from camkeep.engine.wanted import Wanted
from camkeep.model import Cause, Clip, Gap, Segment
from support.files import pictures_of
from support.staged import WALL0, Staged

EVER = (WallUs(0), FOREVER)


def at(seconds: float) -> WallUs:
    """`seconds` after the first frame of a staged camera."""
    return WallUs(WALL0 + round(seconds * 1e6))


def clock_at(seconds: float = 0.0) -> FakeClock:
    """A clock that agrees with what staged cameras send."""
    return FakeClock(wall=at(seconds), mono=round(seconds * 1e9))


@asynccontextmanager
async def kept(
    folder: Path,
    *sources: Staged,
    options: KeepOptions | None = None,
    clock: FakeClock | None = None,
    files: Files | None = None,
    policy: Policy | None = None,
    on_change: Callable[[Supervisor], object] = lambda _: None,
    mode: Mode = Mode.ALWAYS,
) -> AsyncIterator[list[Supervisor]]:
    """Keep cameras called cam0, cam1 ...; at the end of the block the recorder is stopped."""
    clock = clock or clock_at()
    archive = Archive.open(make_root(folder, files=files or SystemFiles()), clock)
    try:
        wanted = [
            Wanted(f"cam{number}", source, options or KeepOptions(), mode=mode)
            for number, source in enumerate(sources)
        ]
        async with Service(archive, policy or Policy(), clock, on_change=on_change) as service:
            await service.begin(wanted)
            yield list(service.cameras.values())
    finally:
        archive.close()


async def keep(
    folder: Path,
    source: Staged,
    *,
    options: KeepOptions | None = None,
    clock: FakeClock | None = None,
    files: Files | None = None,
    meanwhile: Callable[[Supervisor], object] = lambda _: None,
) -> Found:
    """Keep one camera until it has played; what there is then."""
    async with kept(folder, source, options=options, clock=clock, files=files) as cameras:
        await source.played.wait()
        meanwhile(cameras[0])
    return Found(folder)


class Found:
    """What is in an archive of one camera."""

    def __init__(self, folder: Path) -> None:
        with Catalog.open(folder / INDEX) as catalog:
            (camera,) = catalog.cameras()
            self.camera = camera
            self.segments: list[Segment] = list(catalog.every_segment(camera.id))
            self.gaps: list[Gap] = catalog.gaps(camera.id, *EVER, FOREVER)
            self.clips: list[Clip] = catalog.clips()
        self.folder = folder
        self.verified = verify_camera(folder, camera, {s.path: s for s in self.segments})

    @property
    def numbers(self) -> list[int]:
        """The numbers of all staged pictures, in the order in which they lie."""
        return [
            int.from_bytes(shown.data[2:10])
            for segment in self.segments
            for shown in pictures_of(self.folder / segment.path)
        ]

    @property
    def times(self) -> list[float]:
        """When they were taken, seconds after the start of the staged camera."""
        return [
            (segment.start - WALL0) / 1e6 + shown.seconds
            for segment in self.segments
            for shown in pictures_of(self.folder / segment.path)
        ]

    def causes(self) -> list[tuple[float, float, Cause]]:
        """The gaps, seconds after the start of the staged camera; one that lasts has no end."""
        return [
            (
                round((gap.start - WALL0) / 1e6, 3),
                float("inf") if gap.lasting else round((gap.end - WALL0) / 1e6, 3),
                gap.cause,
            )
            for gap in self.gaps
        ]
