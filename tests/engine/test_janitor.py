"""The janitor over a real archive: what goes, what stays, and when it stops."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.archive.files import Room, SystemFiles
from camkeep.archive.layout import damaged_name, new_clip_id
from camkeep.archive.reaper import remove_segments
from camkeep.archive.retention import Limits, Policy
from camkeep.archive.root import ArchiveRoot, make_root
from camkeep.archive.store import Archive
from camkeep.clock import FakeClock
from camkeep.engine import janitor as rules
from camkeep.engine.janitor import Janitor
from camkeep.engine.keeper import KeepOptions
from camkeep.errors import DiskAway
from camkeep.model import Clip, SegmentState
from support.keeping import Found, at, clock_at, keep
from support.staged import Staged, stream

SECONDS = 100
SHORT = KeepOptions(segment_s=2)


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """An archive of one camera, in segments of about two seconds."""
    await keep(tmp_path / "cams", Staged(stream(25 * SECONDS)), options=SHORT)
    return tmp_path / "cams"


async def looked(
    folder: Path,
    policy: Policy,
    *,
    clock: FakeClock | None = None,
    files: SystemFiles | None = None,
    clips: tuple[Clip, ...] = (),
    looks: int = 1,
) -> tuple[Janitor, Found]:
    """Let a janitor look at the archive; what is in it then."""
    clock = clock or clock_at(SECONDS)
    archive = Archive.open(make_root(folder, files=files or SystemFiles()), clock)
    try:
        for clip in clips:
            await archive.save_clip(clip)
        janitor = Janitor(archive, policy, clock, dict)
        for _ in range(looks):
            await janitor.look()
    finally:
        archive.close()
    return janitor, Found(folder)


def clip_of(found: Found, begin: float, end: float) -> Clip:
    return Clip(new_clip_id(), "fox", (found.camera.id,), at(begin), at(end), True, at(0))


async def test_the_oldest_goes_until_the_quota_holds(folder: Path) -> None:
    before = Found(folder)
    total = sum(segment.size for segment in before.segments)
    quota = total // 3
    _, found = await looked(folder, Policy(Limits(max_bytes=quota)))
    left = sum(segment.size for segment in found.segments)
    assert quota - max(segment.size for segment in before.segments) < left <= quota
    assert found.segments == before.segments[-len(found.segments) :]
    there = sorted(path.name for path in folder.rglob("*Z.mp4"))
    assert there == sorted(Path(segment.path).name for segment in found.segments)
    assert found.verified.intact
    assert found.verified.removed == len(before.segments) - len(found.segments)


async def test_a_held_clip_stays_wherever_it_is(folder: Path) -> None:
    before = Found(folder)
    clip = clip_of(before, 30, 41)
    _, found = await looked(folder, Policy(Limits(max_bytes=1)), clips=(clip,))
    kept = [s for s in before.segments if s.start < at(41) and s.end > at(30)]
    assert found.segments == kept
    assert found.clips == [clip]
    assert found.verified.intact


async def test_what_is_too_old_goes(folder: Path) -> None:
    _, found = await looked(folder, Policy(Limits(max_age_s=10)))
    assert all(segment.end >= at(SECONDS - 10) for segment in found.segments)
    assert len(found.segments) > 3


async def test_a_clock_that_jumps_ahead_deletes_nothing(folder: Path) -> None:
    before = Found(folder)
    clock = clock_at(SECONDS)
    archive = Archive.open(make_root(folder), clock)
    try:
        janitor = Janitor(archive, Policy(Limits(max_age_s=86_400)), clock, dict)
        await janitor.look()
        clock.step(10 * 86_400)
        for _ in range(10):
            clock.advance(3600)
            await janitor.look()
        clock.step(-10 * 86_400)
        await janitor.look()
    finally:
        archive.close()
    assert Found(folder).segments == before.segments


class Small(SystemFiles):
    """A disk on which `free` bytes are free, whatever is deleted, or with it."""

    def __init__(self, free: int, *, holds: bool) -> None:
        self._free = free
        self._holds = holds

    def unlink(self, path: Path) -> None:
        size = path.stat().st_size
        super().unlink(path)
        if not self._holds:
            self._free += size

    def room(self, path: Path) -> Room:
        return Room(self._free, 1 << 30)


async def test_as_much_as_needed_is_deleted_for_free_space(folder: Path) -> None:
    before = Found(folder)
    missing = sum(segment.size for segment in before.segments[:5]) - 1
    files = Small(1_000_000 - missing, holds=False)
    janitor, found = await looked(folder, Policy(keep_free_bytes=1_000_000), files=files)
    assert found.segments == before.segments[5:]
    assert not janitor.in_vain


async def test_it_stops_where_deleting_makes_no_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "IN_VAIN", 16)
    before = Found(folder)
    assert len(before.segments) > 32
    files = Small(1000, holds=True)
    policy = Policy(keep_free_bytes=1 << 29)
    janitor, found = await looked(folder, policy, files=files, looks=3)
    assert janitor.in_vain
    assert len(found.segments) == len(before.segments) - 16


async def test_days_without_footage_go_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    day = 86_400.0
    await keep(folder, Staged(stream(50)), options=SHORT)
    later = Staged(stream(50, start_s=3 * day, first=50))
    await keep(folder, later, options=SHORT, clock=clock_at(3 * day))
    base = folder / "recordings" / "cam0"
    assert len([path for path in base.iterdir() if path.is_dir()]) == 2
    policy = Policy(Limits(max_bytes=6000))
    _, found = await looked(folder, policy, clock=clock_at(3 * day + 10))
    (left,) = [path.name for path in base.iterdir() if path.is_dir()]
    assert found.segments[0].path.split("/")[2] == left
    assert [gap.start for gap in found.gaps] == [at(3 * day + 2)]


async def test_a_damaged_segment_whose_deletion_was_cut_short_leaves_no_row(folder: Path) -> None:
    """It has no seal, so nothing notes its removal: its row alone says that it was to go."""
    first = Found(folder).segments[0]
    aside = damaged_name(first.path)
    (folder / first.path).rename(folder / aside)
    damaged = replace(first, path=aside, state=SegmentState.DAMAGED, chain=b"")
    archive = Archive.open(make_root(folder), clock_at(SECONDS))
    archive.ask(lambda index: index.segment_damaged(damaged))

    class Killed(BaseException):
        pass

    class Dying(SystemFiles):
        """Killed when the file is gone, and its row is not."""

        def sync_folder(self, path: Path) -> None:
            raise Killed

    dying = ArchiveRoot(folder, archive.root.id, Dying())
    with pytest.raises(Killed):
        remove_segments(dying, Found(folder).camera, [damaged], archive.ask, at(SECONDS))
    archive.close()
    assert not (folder / aside).exists()
    Archive.open(make_root(folder), clock_at(SECONDS)).close()
    assert Found(folder).segments[0].sequence == first.sequence + 1


async def test_a_disk_that_comes_back_and_goes_again_is_waited_for(folder: Path) -> None:
    """What is on it could not be read anew at first: recording goes on when it was."""
    clock = clock_at(SECONDS)
    archive = Archive.open(make_root(folder), clock)
    away = folder.with_name("away")
    tries = 0

    class Flapping(Archive):
        async def returned(self) -> None:
            nonlocal tries
            tries += 1
            if tries == 1:
                folder.rename(away)
                try:
                    await super().returned()
                finally:
                    away.rename(folder)
            await super().returned()

    archive.__class__ = Flapping
    try:
        janitor = Janitor(archive, Policy(), clock, dict)
        await janitor.ready(DiskAway("it is away"))
        assert tries == 2
    finally:
        archive.close()
