"""A recorder that is killed while it deletes. Row F19 of what must be survived.

strace kills it as it begins a system call, the first or second or any later one of its kind.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from camkeep.archive.catalog import Catalog
from camkeep.archive.layout import INDEX
from camkeep.archive.virtual import open_clip
from camkeep.engine.keeper import KeepOptions
from camkeep.model import KeptCamera, Segment
from support.aftermath import Aftermath
from support.keeping import keep
from support.keepprocess import keeping, movies, start_keeping, until
from support.staged import Staged, stream

SEGMENTS = 24
OPTIONS = ("--max-size", "150kB", "--segment", "5s")
"""Of SEGMENTS of some 30 kB each, most have to go."""
LEFT = 4
"""So many are left at most."""
CALLS = ("unlink", "rename", "fsync", "fdatasync", "pwrite64")
"""What deleting consists of: files, removed.json, folders, its data, and the index."""


class Kill(NamedTuple):
    """When to kill."""

    call: str
    number: int
    """From 1 on, counted from the start of the process."""


async def make_footage(folder: Path) -> None:
    """An archive of SEGMENTS segments of a camera called cam0."""
    big = (sample._replace(data=sample.data + bytes(3_000)) for sample in stream(240, fps=1))
    await keep(folder, Staged(big), options=KeepOptions(segment_s=10))


async def steps_of_deleting(footage: Path, folder: Path, cameras: Mapping[str, str]) -> list[Kill]:
    """Every system call of which deleting consists, from before the first to behind the last."""
    shutil.copytree(footage, folder)
    log = folder.with_suffix(".calls")
    strace = ("strace", "-f", "-qq", "-o", str(log), "-e", f"trace={','.join(CALLS)}")
    async with keeping(folder, cameras, *OPTIONS, under=strace) as keep:
        for name in cameras:
            await keep.says(f"{name}: recording")
        await until(lambda: len(movies(folder, "cam0")) <= LEFT)
    count: Counter[tuple[str, str]] = Counter()
    steps: list[Kill] = []
    deletions: list[int] = []
    for line in log.read_text().splitlines():
        thread, _, rest = line.partition(" ")
        call = rest.strip().partition("(")[0]
        if call not in CALLS:
            continue  # the end of a call that took longer
        count[thread, call] += 1
        if call == "unlink" and ".mp4" in rest:
            deletions.append(len(steps))
        steps.append(Kill(call, count[thread, call]))
    return steps[deletions[0] - 4 : deletions[-1] + 5]


async def kill_while_deleting(
    footage: Path, folder: Path, cameras: Mapping[str, str], kill: Kill
) -> tuple[list[str], int]:
    """Kill a recorder that has much to delete from a copy of `footage`, and start it again; what
    is wrong then, and how many segments were deleted before it was killed."""
    shutil.copytree(footage, folder)
    with Catalog.open(folder / INDEX) as catalog:
        (camera,) = catalog.cameras()
        before = list(catalog.every_segment(camera.id))
    inject = f"inject={kill.call}:signal=SIGKILL:when={kill.number}"
    strace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={kill.call}", "-e", inject)
    found: list[str] = []
    with open_clip(folder, before, before[0].start, before[-1].end) as clip:
        (movie,) = clip
        whole = movie.read(0, movie.size)
        killed = await start_keeping(folder, cameras, *OPTIONS, under=strace)
        with suppress(TimeoutError):  # threads take turns: it may be one call less
            await killed.ended(10)
        deleted = sum(not (folder / segment.path).exists() for segment in before)
        async with keeping(folder, cameras, *OPTIONS) as keep:
            for name in cameras:
                await keep.says(f"{name}: recording")
        if movie.read(0, movie.size) != whole:
            found.append("a clip that was open while its files were deleted has changed")
    after = Aftermath(folder)
    found += after.complaints()
    found += _missing(after, camera, before)
    return found, deleted


def _missing(after: Aftermath, camera: KeptCamera, before: list[Segment]) -> list[str]:
    """What is neither there nor noted as removed, or both."""
    kept = {segment.sequence for segment in after.segments(camera)}
    return [
        f"segment {segment.sequence} is there: {segment.sequence in kept}, and removed: "
        f"{after.was_removed(camera, segment.sequence)}"
        for segment in before
        if (segment.sequence in kept) == after.was_removed(camera, segment.sequence)
    ]
