"""Cameras that come, go and change while others are recorded, in simulated time: exactly which
frames are kept, and what is told of those that are not."""

from __future__ import annotations

import asyncio
import errno
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from camkeep.archive.check import Mismatch
from camkeep.archive.retention import Limits
from camkeep.archive.store import Archive
from camkeep.engine.events import Kind
from camkeep.engine.keeper import KeepOptions
from camkeep.engine.schedule import Mode, Schedule, parse_span
from camkeep.engine.supervisor import Supervisor
from camkeep.engine.tidings import Tidings
from camkeep.errors import LoginRefused, StreamBroken, Unreachable, UsageError
from camkeep.media.jpeg import jpeg_params
from camkeep.model import CameraId, Cause
from support.world import FPS, Filming, World, lived

INF = math.inf
SHORT = KeepOptions(segment_s=5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cams"


def frames(first_s: float, last_s: float) -> list[int]:
    """The numbers of all frames after `first_s` and up to `last_s`."""
    return list(range(round(first_s * FPS) + 1, round(last_s * FPS) + 1))


async def others(world: World) -> list[Filming]:
    """Two cameras that must not lose a frame whatever happens to a third."""
    films = [Filming(world.clock), Filming(world.clock, gop=1)]
    for number, film in enumerate(films):
        await world.add(f"other{number}", film, options=SHORT)
    return films


# cameras come and go


def test_others_lose_no_frame_whatever_happens_to_one(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.extend(await others(world))
        await world.at(3)
        for turn in range(3):
            film = Filming(world.clock)
            camera = await world.add("garage", film, options=SHORT)
            await world.passes(3)
            wanted = replace(camera.wanted, name=f"barn {turn}")
            await world.service.change(camera.camera.id, wanted)
            await world.passes(2)
            await camera.record()
            for mode in (Mode.OFF, Mode.ASKED, Mode.ALWAYS):
                wanted = replace(wanted, mode=mode)
                await world.service.change(camera.camera.id, wanted)
                await world.passes(2)
            wanted = replace(wanted, source=Filming(world.clock), name="garage")
            await world.service.change(camera.camera.id, wanted)
            await world.passes(2)
            await world.service.remove(camera.camera.id)
            assert camera.camera.id not in world.service.cameras
            await world.passes(1)
        await world.at(60)

    after = lived(folder, story)
    for number, film in enumerate(films):
        assert film.sent == frames(0, 60)
        assert film.sessions == 1
        assert after.numbers(f"other{number}") == film.sent
        assert after.gaps(f"other{number}") == [
            (0.0, 0.1, Cause.STARTING),
            (60.1, INF, Cause.NOT_RUNNING),
        ]
    assert after.archive.complaints() == []


def test_a_camera_that_is_removed_keeps_its_recordings_and_owes_nothing(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        camera = await world.add("garage", films[0])
        await world.at(5)
        await world.service.remove(camera.camera.id)
        assert not films[0].connected
        with pytest.raises(UsageError, match="no such camera"):
            await world.service.remove(camera.camera.id)
        with pytest.raises(UsageError, match="no such camera"):
            await world.service.change(camera.camera.id, camera.wanted)
        await world.at(10)

    after = lived(folder, story)
    assert after.numbers("garage") == films[0].sent == frames(0, 5)
    assert after.gaps("garage") == [(0.0, 0.1, Cause.STARTING)]
    assert after.archive.complaints() == []


def test_a_camera_of_the_name_of_a_removed_one_is_another(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        for turn in range(3):
            films.append(Filming(world.clock))
            camera = await world.add("garage", films[-1], id=f"garagenumber{turn}", options=SHORT)
            with pytest.raises(UsageError, match="two cameras are called"):
                await world.add("garage", Filming(world.clock), id="anotheronexx")
            await world.at(4 * turn + 4)
            await world.service.remove(camera.camera.id)

    after = lived(folder, story)
    known = sorted(after.archive.cameras, key=lambda camera: camera.id)
    assert [camera.id for camera in known] == [f"garagenumber{turn}" for turn in range(3)]
    assert [camera.name == "garage" for camera in known] == [False, False, True]
    assert len({camera.folder for camera in known}) == 3
    for camera, film in zip(known, films, strict=True):
        assert after.numbers(camera.name) == film.sent
    assert after.archive.complaints() == []


def test_a_removed_camera_comes_back_as_itself(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.extend((Filming(world.clock), Filming(world.clock)))
        camera = await world.add("garage", films[0], id="garagegarage")
        await world.at(5)
        await world.service.remove(camera.camera.id)
        await world.at(8)
        again = await world.add("garage", films[1], id="garagegarage")
        assert again is not camera
        assert again.camera == camera.camera
        await world.at(12)

    after = lived(folder, story)
    assert after.numbers("garage") == films[0].sent + films[1].sent
    assert after.complaints() == []


def test_a_name_that_is_taken_or_makes_no_sense_changes_nothing(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.extend(await others(world))
        camera = next(iter(world.service.cameras.values()))
        for name in ("other1", "OTHER1", "", "x" * 201, "a\nb"):
            with pytest.raises(UsageError):
                await world.service.change(camera.camera.id, replace(camera.wanted, name=name))
            with pytest.raises(UsageError):
                await world.add(name, Filming(world.clock), id="anotheronexx")
            await world.passes(1)
        assert camera.wanted.name == camera.camera.name == "other0"
        assert len(world.service.cameras) == 2

    after = lived(folder, story)
    assert [after.numbers(f"other{n}") for n in (0, 1)] == [film.sent for film in films]
    assert [film.sessions for film in films] == [1, 1]


def test_another_name_costs_no_frame_and_is_in_the_files(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        camera = await world.add("garage", films[0], options=SHORT)
        await world.at(7)
        wanted = replace(camera.wanted, name="barn", limits=Limits(max_bytes=10_000_000))
        changed = await world.service.change(camera.camera.id, wanted)
        assert changed is camera
        assert camera.camera.name == "barn"
        assert world.service.janitor.policy.cameras[camera.camera.id] == wanted.limits
        await world.at(20)

    after = lived(folder, story)
    assert after.numbers("barn") == films[0].sent == frames(0, 20)
    assert films[0].sessions == 1
    assert after.camera("barn").folder == "garage"
    assert after.complaints() == []


def test_another_source_goes_on_where_the_first_one_ended(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        films.append(Filming(world.clock, params=jpeg_params(128, 96)))
        camera = await world.add("garage", films[0])
        reader = camera.main.watch()
        await world.at(4)
        await world.service.change(camera.camera.id, replace(camera.wanted, source=films[1]))
        assert await reader.take()
        await world.at(9)
        assert not films[0].connected
        assert camera.main.notes.video == films[1].params
        shown = await reader.take()
        assert {sample.params for sample in shown} == {films[1].params}
        assert shown[0].key
        reader.close()

    after = lived(folder, story)
    assert films[0].sent == frames(0, 4)
    assert films[1].sent == frames(4, 9)
    assert after.numbers("garage") == frames(0, 9)
    assert [(s.width, s.frames) for s in after.archive.segments(after.camera("garage"))] == [
        (64, 40),
        (128, 50),
    ]
    assert after.complaints() == []


def test_another_length_of_segments_takes_effect_at_once(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        camera = await world.add("garage", films[0], options=KeepOptions(segment_s=600))
        await world.at(30)
        await world.service.change(camera.camera.id, replace(camera.wanted, options=SHORT))
        await world.at(60)
        long = replace(camera.wanted, options=KeepOptions(segment_s=600, pre_roll_s=3))
        await world.service.change(camera.camera.id, long)
        await world.at(120)

    after = lived(folder, story)
    lengths = [s.duration_us / 1e6 for s in after.archive.segments(after.camera("garage"))]
    assert lengths[0] == pytest.approx(30, abs=1)
    assert lengths[1:6] == pytest.approx([5] * 5, abs=0.6)
    assert lengths[-1] > 50
    assert films[0].sessions == 1
    assert after.numbers("garage") == films[0].sent == frames(0, 120)
    assert after.complaints() == []


# modes


def test_off_is_left_alone_and_everything_is_exact(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        camera = await world.add("garage", films[0])
        wanted = camera.wanted
        await world.at(3)
        await world.service.change(camera.camera.id, replace(wanted, mode=Mode.OFF))
        await world.at(6)
        assert not films[0].connected
        assert camera.health().word == "off"
        assert not camera.recording
        with pytest.raises(UsageError, match="switched off: switch it on"):
            await camera.record()
        await world.service.change(camera.camera.id, replace(wanted, mode=Mode.ALWAYS))
        await world.at(9)
        assert camera.recording
        await world.service.change(camera.camera.id, replace(wanted, mode=Mode.OFF))
        await world.at(12)

    after = lived(folder, story)
    assert films[0].sent == after.numbers("garage") == frames(0, 3) + frames(6, 9)
    assert after.gaps("garage") == [
        (0.0, 0.1, Cause.STARTING),
        (3.1, 6.01, Cause.SWITCHED_OFF),
        (6.01, 6.1, Cause.STARTING),
        (9.1, INF, Cause.SWITCHED_OFF),
    ]


def test_every_change_of_mode(folder: Path) -> None:
    """Each to each other: what was to be kept is kept, all else is told, and nothing twice."""
    covered = Schedule((parse_span("daily 00:00-00:00"),))
    never = Schedule()
    ways = [
        (Mode.ALWAYS, never),
        (Mode.OFF, never),
        (Mode.ASKED, never),
        (Mode.SCHEDULE, covered),
        (Mode.SCHEDULE, never),
    ]
    tour = [way for one in ways for other in ways if one is not other for way in (one, other)]
    films: list[Filming] = []
    wanted_frames: list[int] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock, gop=1))
        films.extend(await others(world))
        camera = await world.add("garage", films[0], mode=Mode.OFF)
        begin = 1.0
        await world.at(begin)
        for mode, schedule in tour:
            wanted = replace(camera.wanted, mode=mode, schedule=schedule)
            await world.service.change(camera.camera.id, wanted)
            keeping = mode is Mode.ALWAYS or (mode is Mode.SCHEDULE and schedule is covered)
            assert camera.keeper.recording is keeping
            await world.at(begin + 2)
            assert camera.recording is keeping
            assert films[0].connected is keeping
            if keeping:
                wanted_frames.extend(frames(begin, begin + 2))
            begin += 2

    after = lived(folder, story)
    assert after.numbers("garage") == wanted_frames
    assert [after.numbers(f"other{n}") for n in (0, 1)] == [film.sent for film in films[1:]]
    causes = {cause for _, end, cause in after.gaps("garage") if end != INF}
    assert causes == {Cause.STARTING, Cause.NOT_WANTED, Cause.SWITCHED_OFF}
    assert after.archive.complaints() == []


def test_a_schedule_is_kept_to_the_second_and_told_of(folder: Path) -> None:
    # the world begins on 2026-09-21 at 14:13:20 UTC
    schedule = Schedule((parse_span("mon 14:14-14:15"),))
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        camera = await world.add("garage", films[0], mode=Mode.SCHEDULE, schedule=schedule)
        await world.at(39)
        assert not films[0].connected  # nobody wants it: it is left alone
        await world.at(140)
        told = [event.detail for event in world.events(Kind.RECORDING, camera)]
        assert told == [{"recording": True}, {"recording": False}]

    after = lived(folder, story)
    kept = after.numbers("garage")
    assert kept == list(range(films[0].sent[0], kept[-1] + 1))
    assert films[0].sent[-1] <= kept[-1] + 1  # one more in the instant of its end
    assert 40 <= kept[0] / FPS <= 41.2
    assert 99.8 <= kept[-1] / FPS <= 101.2
    gaps = after.gaps("garage")
    assert [cause for _, _, cause in gaps] == [
        Cause.NOT_WANTED,
        Cause.STARTING,
        Cause.NOT_WANTED,
    ]
    assert gaps[-1][1] == INF


def test_a_schedule_with_pre_roll_is_told_of_too(folder: Path) -> None:
    """The connection is there all the time, so that its state says nothing."""
    schedule = Schedule((parse_span("mon 14:14-14:15"),))
    options = KeepOptions(pre_roll_s=2)

    async def story(world: World) -> None:
        film = Filming(world.clock)
        camera = await world.add(
            "garage", film, mode=Mode.SCHEDULE, schedule=schedule, options=options
        )
        await world.at(140)
        assert film.sessions == 1
        told = [event.detail for event in world.events(Kind.RECORDING, camera)]
        assert told == [{"recording": True}, {"recording": False}]

    after = lived(folder, story)
    assert [cause for _, _, cause in after.gaps("garage")] == [Cause.NOT_WANTED] * 2


def test_asked_with_pre_roll(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        options = KeepOptions(pre_roll_s=2)
        camera = await world.add("garage", films[0], mode=Mode.ASKED, options=options)
        await world.at(10)
        assert films[0].connected
        assert not camera.recording
        clip = await camera.record("a fox")
        assert camera.recording
        assert await camera.record("again") is clip
        await world.at(15)
        ended = await camera.stop()
        assert ended is not None
        assert not camera.recording
        await world.at(20)
        again = await camera.record()
        await world.at(22)
        await camera.stop()
        assert (again.start - clip.start) / 1e6 == 10
        await world.at(25)

    after = lived(folder, story)
    assert after.numbers("garage") == [*range(80, 151), *range(180, 221)]
    assert [(c.start, c.end) for c in after.archive.clips if c.name == "a fox"]
    assert after.gaps("garage") == [
        (0.0, 8.0, Cause.NOT_WANTED),
        (15.1, 18.0, Cause.NOT_WANTED),
        (22.1, INF, Cause.NOT_WANTED),
    ]


def test_what_was_before_it_was_switched_off_is_in_no_pre_roll(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        options = KeepOptions(pre_roll_s=4)
        camera = await world.add("garage", films[0], mode=Mode.ASKED, options=options)
        wanted = camera.wanted
        await world.at(10)
        await world.service.change(camera.camera.id, replace(wanted, mode=Mode.OFF))
        await world.at(100)
        await world.service.change(camera.camera.id, wanted)
        await world.at(102)
        clip = await camera.record()
        assert clip.start >= camera.camera.since + 100_000_000
        await world.at(104)

    after = lived(folder, story)
    assert after.numbers("garage") == frames(100, 104)
    assert after.gaps("garage")[:2] == [
        (0.0, 10.01, Cause.NOT_WANTED),
        (10.01, 100.01, Cause.SWITCHED_OFF),
    ]


def test_a_clip_ends_when_its_camera_is_removed_switched_off_or_the_service_stops(
    folder: Path,
) -> None:
    async def story(world: World) -> None:
        cameras: list[Supervisor] = []
        for name in ("removed", "off", "stopped"):
            film = Filming(world.clock)
            cameras.append(await world.add(name, film, mode=Mode.ASKED))
            await cameras[-1].record(name)
        await world.at(5)
        await world.service.remove(cameras[0].camera.id)
        off = replace(cameras[1].wanted, mode=Mode.OFF)
        await world.service.change(cameras[1].camera.id, off)
        assert cameras[0].clip is None
        assert cameras[1].clip is None
        assert not cameras[1].recording
        await world.at(8)

    after = lived(folder, story)
    clips = {clip.name: clip for clip in after.archive.clips}
    ends = {name: ((clip.end or 0) - clip.start) / 1e6 for name, clip in clips.items()}
    assert ends == pytest.approx({"removed": 5, "off": 5, "stopped": 8}, abs=0.1)
    assert after.numbers("removed") == frames(0, 5)
    assert after.numbers("off") == frames(0, 5)
    assert after.numbers("stopped") == frames(0, 8)
    assert after.archive.complaints() == []


def test_a_clip_goes_on_over_changes_of_mode(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        camera = await world.add("garage", films[0])
        await world.at(3)
        clip = await camera.record()
        for n, mode in enumerate((Mode.ASKED, Mode.SCHEDULE, Mode.ALWAYS, Mode.ASKED)):
            await world.service.change(camera.camera.id, replace(camera.wanted, mode=mode))
            await world.at(5 + 2 * n)
            assert camera.recording
            assert camera.clip is clip
        await camera.stop()
        assert not camera.recording
        await world.at(15)

    after = lived(folder, story)
    assert after.numbers("garage") == frames(0, 11)
    assert films[0].sessions == 1
    assert len(after.archive.segments(after.camera("garage"))) == 1


# what is told


def test_events_are_told_once_each(folder: Path) -> None:
    async def story(world: World) -> None:
        film = Filming(world.clock)
        camera = await world.add("garage", film)
        await world.at(5)
        clip = await camera.record("a fox")
        await world.at(6)
        await camera.stop()
        film.fails = LoginRefused("the camera refused the password")
        await world.at(200)
        film.fails = None
        await world.at(600)
        told = [(event.kind, dict(event.detail)) for event in world.told]
        assert told == [
            (Kind.STATE, {"state": "live"}),
            (Kind.RECORDING, {"recording": True}),
            (Kind.RECORDING, {"clip": clip.id, "open": True}),
            (Kind.RECORDING, {"clip": clip.id, "open": False}),
            (Kind.STATE, {"state": "refused"}),
            (Kind.RECORDING, {"recording": False}),
            (Kind.STATE, {"state": "live"}),
            (Kind.RECORDING, {"recording": True}),
        ]
        assert [event.id for event in world.told] == list(range(1, 9))
        assert world.told[4].told == "the camera refused the password"

    lived(folder, story)


def test_a_camera_that_flaps_does_not_flood(folder: Path) -> None:
    async def story(world: World) -> None:
        film = Filming(world.clock)
        camera = await world.add("garage", film)
        away = await world.add("away", Filming(world.clock))
        assert isinstance(away.main.source, Filming)
        away.main.source.fails = Unreachable("nobody answers")
        for _ in range(3600):
            film.fails = StreamBroken("the camera ended the stream") if film.connected else None
            await world.passes(1)
        assert len(world.events(Kind.STATE, away)) == 1
        # it is not hammered: half a minute lies between two attempts, each of them two events
        assert len(world.events(Kind.STATE, camera)) < 3600 / 24 * 2 + 10
        assert camera.health().reconnects < 3600 / 24 + 10

    lived(folder, story)


def test_a_fault_of_ours_costs_one_camera_and_is_told(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.extend(await others(world))
        broken = Filming(world.clock)
        broken.fails = ZeroDivisionError("of camkeep")
        camera = await world.add("garage", broken)
        await world.at(2)
        assert camera.health().word == "waiting"
        assert "camkeep itself failed (ZeroDivisionError)" in camera.health().told
        broken.fails = None
        await world.at(70)
        assert camera.recording

    after = lived(folder, story)
    assert [after.numbers(f"other{n}") for n in (0, 1)] == [film.sent for film in films]
    assert after.complaints() == []


def test_started_again_it_goes_on(folder: Path) -> None:
    films: list[Filming] = []

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        await world.add("garage", films[-1], id="garagegarage")
        await world.passes(5.01)

    lived(folder, story)
    after = lived(folder, story, begin_s=20)
    assert after.numbers("garage") == films[0].sent + films[1].sent
    assert after.gaps("garage") == [
        (0.0, 0.1, Cause.STARTING),
        (5.1, 20.1, Cause.NOT_RUNNING),
        (25.1, INF, Cause.NOT_RUNNING),
    ]
    assert after.complaints() == []


def test_what_cannot_be_told_costs_no_frame(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    films: list[Filming] = []

    def failing(self: Tidings, camera: Supervisor) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Tidings, "of", failing)

    async def story(world: World) -> None:
        films.append(Filming(world.clock))
        camera = await world.add("garage", films[0])
        await world.at(3)
        await camera.record()
        films[0].fails = StreamBroken("the camera ended the stream")
        await world.at(4)
        films[0].fails = None
        await world.at(10)
        await camera.stop()

    after = lived(folder, story)
    assert "could not be told" in caplog.text
    assert after.numbers("garage") == films[0].sent
    assert len(films[0].sent) > 60
    assert after.complaints() == []


@pytest.mark.parametrize("seed", range(4))
def test_whatever_people_do_at_once(folder: Path, seed: int) -> None:
    """Several people change, remove, add, record and switch at random, and at once."""
    chance = random.Random(seed)
    films: list[Filming] = []
    refused: list[UsageError] = []

    async def story(world: World) -> None:
        films.extend(await others(world))
        theirs = set(world.service.cameras)

        async def person() -> None:
            while world.clock.seconds < 40:
                await world.passes(chance.uniform(0, 1.5))
                ids = [each for each in world.service.cameras if each not in theirs]
                with suppress_usage(refused):
                    await one_thing(ids)

        async def one_thing(ids: list[CameraId]) -> None:
            name = chance.choice("abcde")
            options = KeepOptions(segment_s=chance.choice((5, 7)), pre_roll_s=chance.choice((0, 2)))
            mode = chance.choice((Mode.ALWAYS, Mode.ALWAYS, Mode.ASKED, Mode.OFF))
            fresh = Filming(world.clock, gop=chance.choice((1, 5, 20)))
            if not ids or chance.random() < 0.2:
                await world.add(name, fresh, mode=mode, options=options)
                return
            camera_id = chance.choice(ids)
            camera = world.service.watched(camera_id)
            wanted = camera.wanted
            match chance.randrange(7):
                case 0:
                    await world.service.remove(camera_id)
                case 1:
                    await world.service.change(camera_id, replace(wanted, name=name))
                case 2:
                    await world.service.change(camera_id, replace(wanted, source=fresh))
                case 3:
                    wanted = replace(wanted, mode=mode, options=options)
                    await world.service.change(camera_id, wanted)
                case 4:
                    await camera.record()
                case 5:
                    await camera.stop()
                case 6:
                    assert isinstance(camera.main.source, Filming)
                    film = camera.main.source
                    film.fails = None if film.fails else StreamBroken("gone")

        await asyncio.gather(*(person() for _ in range(5)))

    after = lived(folder, story)
    assert all(
        "two cameras are called" in str(each)
        or "switched off" in str(each)
        or "no such camera" in str(each)
        for each in refused
    ), refused
    for number, film in enumerate(films):
        assert film.sessions == 1
        assert after.numbers(f"other{number}") == film.sent
        assert film.sent[-1] >= 400
    assert after.archive.complaints() == []
    for camera in after.archive.cameras:
        kept = after.numbers(camera.name)
        assert kept == sorted(set(kept)), camera.name
    assert all(clip.end is not None for clip in after.archive.clips)


@contextmanager
def suppress_usage(refused: list[UsageError]) -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        refused.append(error)


def test_a_disk_that_fails_while_index_and_files_are_compared_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(self: Archive) -> list[Mismatch]:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Archive, "check", failing)

    async def story(world: World) -> None:
        await world.add("garage", Filming(world.clock))
        running = asyncio.create_task(world.service.until_stopped())
        await world.at(3)
        assert not running.done()
        running.cancel()
        await asyncio.wait([running])

    assert lived(tmp_path / "cams", story).numbers("garage")
