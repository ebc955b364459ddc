"""What must be on a disk whose power was cut, once the recorder has started on it."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path

from camkeep.archive.layout import INDEX, LOCK
from camkeep.archive.root import make_root, open_root
from camkeep.archive.store import Archive
from camkeep.cameras.address import Address
from camkeep.clock import FakeClock
from camkeep.model import KeptCamera
from support.aftermath import Aftermath
from support.crashfs import put
from support.disks import QuickFiles
from support.powercut import FPS, NAMES, WALL0, Cut, Run, number_of, picture, segments_on, wall_of

DOWN_S = 3.0
"""From a power cut to the next start."""
MISPLACED_US = 2000


def put_cut(cut: Cut, folder: Path) -> None:
    """The folder of an archive as a cut left it."""
    put(cut.disk, folder)
    for name in (INDEX, f"{INDEX}-wal", f"{INDEX}-shm"):
        (folder / name).unlink(missing_ok=True)
    if cut.index is not None:
        (folder / INDEX).write_bytes(cut.index)
    lock = folder / LOCK
    lock.write_text("1\n")
    alive_s = WALL0 / 1e6 + cut.now_s - 2
    os.utime(lock, (alive_s, alive_s))


def complaints(cut: Cut, folder: Path) -> tuple[list[str], float]:
    """Start the recorder on what a cut left, and stop it again. What is not as it must be, and
    how many seconds of the newest video the cut cost."""
    put_cut(cut, folder)
    clock = FakeClock(WALL0 + round((cut.now_s + DOWN_S) * 1e6))
    asyncio.run(_start(folder, clock))
    after = Aftermath(folder)
    found = [*after.complaints(), *after.unexplained(clock.wall())]
    lost_s = 0.0
    for name in NAMES:
        camera = after.camera(name)
        if camera is None:
            found += [f"{name} is not known"] if cut.owed.get(name) else []
            continue
        found += _misplaced(after, camera)
        kept, gone = set(after.numbers(camera, number_of)), _removed(cut, after, camera)
        if missing := cut.owed.get(name, set()) - kept - gone:
            found.append(f"{name}: flushed, and not kept: {sorted(missing)}")
        lost = [number for number in cut.sent.get(name, []) if number not in kept | gone]
        if lost:
            lost_s = max(lost_s, cut.now_s - lost[0] / FPS)
    for clip in cut.clips:
        if clip not in after.clips:
            found.append(f"the clip {clip.name} is lost")
    return found, lost_s


async def _start(folder: Path, clock: FakeClock) -> None:
    archive = Archive.open(open_root(folder, QuickFiles()), clock)
    try:
        for name in NAMES:
            await archive.keep(name, str(Address("testcard", path=name)))
    finally:
        archive.close()


def _misplaced(after: Aftermath, camera: KeptCamera) -> list[str]:
    """Pictures that are not what was sent, or not where they belong."""
    shown = after.pictures(camera)
    numbers = [number_of(data) for _, data in shown]
    found = []
    if any(b <= a for a, b in pairwise(numbers)):
        found.append(f"{camera.name}: not in order: {numbers}")
    for number, (wall, data) in zip(numbers, shown, strict=True):
        if data != picture(number):
            found.append(f"{camera.name}: picture {number} is not what was sent")
        if abs(wall - wall_of(number)) > MISPLACED_US:
            found.append(f"{camera.name}: picture {number} stands {wall - wall_of(number)} us late")
    return found


def _removed(cut: Cut, after: Aftermath, camera: KeptCamera) -> set[int]:
    """The pictures that may be gone because their segments were removed on purpose."""
    found: set[int] = set()
    for source in (cut.flushed, cut.disk):
        for sequence, numbers in segments_on(source, camera.name):
            if after.was_removed(camera, sequence):
                found.update(numbers)
    for removal in after.removals(camera):  # where the files were gone already
        first = (removal.start - WALL0) * FPS // 1_000_000
        last = (removal.end - WALL0) * FPS // 1_000_000
        found.update(range(first, last + 1))
    return found


@dataclass
class Outcome:
    """What came of many cuts."""

    cuts: int = 0
    lost_s: list[float] = field(default_factory=list)
    """What each cost of the newest video."""
    complaints: list[str] = field(default_factory=list)


def cut_power(top: Path, seed: int, cuts: int, flush_s: float = 5.0) -> Outcome:
    """Look at so many power cuts in an archive that is flushed every `flush_s`.

    It has one life after the other, each on a disk that the life before left at one of its cuts.
    `top` is where the disks are made; those with something to complain about stay there.
    """
    chance = random.Random(seed)
    outcome = Outcome()
    folder = top / f"{seed}-life0"
    make_root(folder, files=QuickFiles())
    begin_s, owed = 0.0, dict[str, set[int]]()
    for life in count(1):
        # a short one, so that the next start is interrupted too, or a long one
        lasts_s, every = chance.choice([(3.0, 5.0), (chance.uniform(5, 60), 60.0)])
        run = Run(folder, begin_s, lasts_s, chance, flush_s, every, owed)
        found_cuts = run.record()
        for number, cut in enumerate(found_cuts[: cuts - outcome.cuts]):
            disk = top / f"{seed}-life{life}-cut{number}"
            found, lost_s = complaints(cut, disk)
            where = f"{disk.name} ({cut.what} {cut.operation}, {cut.luck.value})"
            outcome.complaints += [f"{where}: {complaint}" for complaint in found]
            if lost_s > flush_s + 0.01:
                outcome.complaints.append(f"{where}: lost {lost_s:.2f} s")
            outcome.cuts += 1
            outcome.lost_s.append(lost_s)
            if not found:
                shutil.rmtree(disk)
        shutil.rmtree(folder)
        if outcome.cuts == cuts:
            break
        folder = top / f"{seed}-life{life}"
        cut = chance.choice(found_cuts)
        put_cut(cut, folder)
        begin_s, owed = cut.now_s + DOWN_S, cut.owed
    return outcome
