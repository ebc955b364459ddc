"""The Record button when the disk does not play along, and schedules when people do."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.archive.files import SystemFiles
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.schedule import Mode, Schedule, parse_span
from camkeep.errors import StorageError
from camkeep.model import Cause
from support.world import Filming, World, lived


class NoClips(SystemFiles):
    """A disk that takes recordings, but no clip while `refuses`."""

    refuses = False

    def create(self, path: Path, *, overwrite: bool = False) -> int:
        if self.refuses and "clips" in path.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().create(path, overwrite=overwrite)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cams"


def test_record_that_cannot_be_noted_records_nothing(folder: Path) -> None:
    files = NoClips()

    async def story(world: World) -> None:
        camera = await world.add("garage", Filming(world.clock), mode=Mode.ASKED)
        await world.at(3)
        files.refuses = True
        with pytest.raises(StorageError):
            await camera.record("a fox")
        assert camera.clip is None
        assert not camera.keeper.recording
        await world.at(5)
        files.refuses = False
        await camera.record("a fox")
        await world.at(8)
        await camera.stop()

    after = lived(folder, story, files=files)
    assert [clip.name for clip in after.archive.clips] == ["a fox"]
    assert after.archive.complaints() == []


def test_a_camera_is_sealed_also_where_its_clip_cannot_be_ended(folder: Path) -> None:
    files = NoClips()
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.extend((Filming(world.clock), Filming(world.clock)))
        for number, film in enumerate(films):
            camera = await world.add(f"cam{number}", film)
            await camera.record()
        await world.at(4)
        files.refuses = True
        camera = next(iter(world.service.cameras.values()))
        with pytest.raises(StorageError):
            await world.service.remove(camera.camera.id)
        assert camera.camera.id not in world.service.cameras
        await world.at(8)

    after = lived(folder, story, files=files)
    assert [after.numbers(f"cam{n}") for n in (0, 1)] == [film.sent for film in films]
    assert after.archive.complaints() == []
    files.refuses = False

    async def nothing(world: World) -> None:
        """A start ends what was left open."""

    after = lived(folder, nothing, files=files, begin_s=20)
    assert all(clip.end is not None for clip in after.archive.clips)


def test_a_clip_ends_when_stop_was_pressed_also_where_the_disk_takes_that_later(
    folder: Path,
) -> None:
    """Without an end it would hold all footage from its beginning on."""
    files = NoClips()

    async def story(world: World) -> None:
        camera = await world.add("garage", Filming(world.clock), mode=Mode.ASKED)
        clip = await camera.record("a fox")
        await world.at(4)
        files.refuses = True
        with pytest.raises(StorageError):
            await camera.stop()
        assert not camera.recording
        stopped = world.clock.wall()
        await world.at(10)
        files.refuses = False
        await world.at(12)
        (found,) = world.service.archive.clips.look()
        assert found == replace(clip, end=stopped)

    after = lived(folder, story, files=files)
    assert after.archive.complaints() == []


def test_switching_off_goes_before_all_else(folder: Path) -> None:
    """Somebody wants not to be seen: a disk that is full must not keep the camera running."""
    files = NoClips()
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        camera = await world.add("garage", films[0])
        await camera.record()
        await world.at(3)
        files.refuses = True
        with pytest.raises(StorageError):
            await world.service.change(
                camera.camera.id, replace(camera.wanted, mode=Mode.OFF, name="barn")
            )
        await world.at(6)
        assert not films[0].connected
        assert camera.health().word == "off"

    lived(folder, story, files=files)
    assert films[0].sent[-1] == 30


def test_record_outside_of_the_schedule_and_over_its_edge(folder: Path) -> None:
    # the world begins at 14:13:20 UTC
    schedule = Schedule((parse_span("mon 14:14-14:15"),))

    async def story(world: World) -> None:
        film = Filming(world.clock)
        camera = await world.add("garage", film, mode=Mode.SCHEDULE, schedule=schedule)
        await world.at(10)
        await camera.record("before")
        await world.at(20)
        await camera.stop()
        assert not camera.recording
        await world.at(90)
        assert camera.recording
        await camera.record("over the end")
        await world.at(130)
        assert camera.recording
        await camera.stop()
        assert not camera.recording
        await world.at(140)

    after = lived(folder, story)
    kept = after.numbers("garage")
    assert kept == [*range(101, 201), *range(kept[100], 1301)]
    assert 400 <= kept[100] <= 412
    causes = [cause for _, _, cause in after.gaps("garage") if cause is not Cause.STARTING]
    assert causes == [Cause.NOT_WANTED] * 3
    assert after.archive.complaints() == []


def test_the_small_stream_comes_goes_and_changes(folder: Path) -> None:
    async def story(world: World) -> None:
        main, small, other = (Filming(world.clock) for _ in range(3))
        camera = await world.add("garage", main, sub=small)
        await world.at(2)
        assert small.sessions == 0  # nobody watches it
        assert camera.sub is not None
        reader = camera.sub.watch()
        await world.at(4)
        assert small.connected
        assert len(await reader.take()) == 20
        await world.service.change(camera.camera.id, replace(camera.wanted, sub=other))
        await world.at(6)
        assert other.connected
        assert not small.connected
        assert len(await reader.take()) == 20
        off = replace(camera.wanted, mode=Mode.OFF)
        await world.service.change(camera.camera.id, off)
        await world.at(7)
        assert not other.connected
        await world.service.change(camera.camera.id, replace(off, mode=Mode.ALWAYS))
        await world.at(8)
        assert len(await reader.take()) == 10
        await world.service.change(camera.camera.id, replace(camera.wanted, sub=None))
        assert await reader.take() == []
        assert camera.sub is None
        await world.service.change(camera.camera.id, replace(camera.wanted, sub=small))
        assert camera.sub is not None
        reader = camera.sub.watch()
        await world.at(10)
        assert len(await reader.take()) == 20
        await world.service.remove(camera.camera.id)
        assert await reader.take() == []
        assert not small.connected

    lived(folder, story)


def test_pre_roll_is_given_more_or_less_while_it_runs(folder: Path) -> None:
    async def story(world: World) -> None:
        film = Filming(world.clock)
        camera = await world.add("garage", film, mode=Mode.ASKED)
        await world.at(5)
        assert not film.connected
        warm = replace(camera.wanted, options=KeepOptions(pre_roll_s=3))
        await world.service.change(camera.camera.id, warm)
        await world.at(15)
        assert film.connected
        clip = await camera.record()
        assert clip.start == camera.camera.since + 12_000_000
        await camera.stop()
        cold = replace(camera.wanted, options=KeepOptions(pre_roll_s=0))
        await world.service.change(camera.camera.id, cold)
        await world.at(20)
        assert not film.connected

    lived(folder, story)
