"""One stream: fetched while somebody wants it and no longer, in simulated time."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable

import pytest

from camkeep.engine.feed import LINGER_S, Feed
from camkeep.engine.hub import Reader
from camkeep.engine.sessions import Connecting, Idle, Live, Off, Refused, Waiting
from camkeep.errors import (
    CameraError,
    LoginRefused,
    NotFound,
    Stalled,
    StreamBroken,
    UsageError,
)
from camkeep.media.jpeg import jpeg_params
from support.simulated import SimulatedClock, SimulatedLoop
from support.staged import WALL0
from support.world import FPS, Filming, number_of


class Stage:
    """A feed that runs, its camera, and the states it went through."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.film = Filming(clock)
        self.states: list[str] = []
        self.feed = Feed(self.film, clock, lambda feed: self.states.append(name(feed)))


def name(feed: Feed) -> str:
    return type(feed.state).__name__


def played(story: Callable[[Stage], Awaitable[object]]) -> Stage:
    """Run `story` beside a feed."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SimulatedLoop)
        stage = Stage(SimulatedClock(loop, WALL0))

        async def play() -> None:
            running = asyncio.create_task(stage.feed.run())
            try:
                await story(stage)
                assert not running.done()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

        runner.run(play())
    return stage


async def numbers(reader: Reader) -> list[int]:
    return [number_of(sample.data) for sample in await reader.take()]


def test_what_nobody_wants_is_not_fetched() -> None:
    async def story(stage: Stage) -> None:
        await asyncio.sleep(3600)
        assert stage.film.sessions == 0
        assert isinstance(stage.feed.state, Idle)

    assert played(story).states == []


def test_it_is_fetched_while_somebody_watches_and_some_seconds_longer() -> None:
    async def story(stage: Stage) -> None:
        one = stage.feed.watch()
        assert len(await numbers(one)) == 1
        other = stage.feed.watch()
        assert len(await numbers(other)) == 1  # at once
        one.close()
        await asyncio.sleep(10 * LINGER_S)
        assert stage.film.connected
        other.close()
        await asyncio.sleep(LINGER_S - 0.5)
        assert stage.film.connected
        await asyncio.sleep(1)
        assert not stage.film.connected
        assert stage.film.sessions == 1
        assert stage.feed.hub.newest is None  # nobody is shown what is old
        again = stage.feed.watch()
        began = stage.clock.seconds
        assert len(await numbers(again)) == 1
        assert stage.clock.seconds - began <= 1.01 / FPS
        assert stage.film.sessions == 2

    stage = played(story)
    assert stage.states == ["Connecting", "Live", "Idle", "Connecting", "Live"]


def test_one_who_is_back_within_seconds_finds_the_same_session() -> None:
    async def story(stage: Stage) -> None:
        for _ in range(50):
            reader = stage.feed.watch()
            await reader.take()
            reader.close()
            await asyncio.sleep(LINGER_S - 1)
        assert stage.film.sessions == 1

    played(story)


def test_the_recorder_wants_it_without_any_viewer() -> None:
    async def story(stage: Stage) -> None:
        stage.feed.want(recorded=True)
        await asyncio.sleep(60)
        assert stage.film.connected
        reader = stage.feed.watch()
        await reader.take()
        reader.close()
        await asyncio.sleep(60)
        stage.feed.want(recorded=False)
        await asyncio.sleep(0.1)
        assert not stage.film.connected
        assert stage.film.sessions == 1

    played(story)


def test_switched_off_nobody_may_have_it() -> None:
    async def story(stage: Stage) -> None:
        feed, film = stage.feed, stage.film
        feed.want(recorded=False, off=True)
        assert isinstance(feed.state, Off)
        reader = feed.watch()
        with pytest.raises(NotFound, match="switched off"):
            await feed.picture()
        await asyncio.sleep(60)
        assert film.sessions == 0
        feed.want(recorded=False, off=False)
        assert await numbers(reader)  # it waited
        feed.want(recorded=True, off=True)
        await asyncio.sleep(0.1)
        assert not film.connected
        assert isinstance(feed.state, Off)
        reader.close()
        feed.want(recorded=False, off=False)
        await asyncio.sleep(60)
        assert isinstance(feed.state, Idle)
        assert film.sessions == 1

    played(story)


def test_a_reader_goes_on_over_sessions_and_to_another_source() -> None:
    async def story(stage: Stage) -> None:
        reader = stage.feed.watch()
        await asyncio.sleep(1.01)
        stage.film.fails = StreamBroken("the camera ended the stream")
        await asyncio.sleep(0.5)
        stage.film.fails = None
        await asyncio.sleep(2.5)
        other = Filming(stage.clock, params=jpeg_params(128, 96))
        stage.feed.replace(other)
        await asyncio.sleep(2)
        samples = await reader.take()
        runs = [sample.run for sample in samples]
        assert sorted(set(runs)) == [0, 1, 2]
        assert runs == sorted(runs)
        for run in (0, 1, 2):
            assert next(sample for sample in samples if sample.run == run).key
        assert [number_of(s.data) for s in samples] == stage.film.sent + other.sent
        assert {sample.params for sample in samples if sample.run == 2} == {other.params}
        assert (reader.skips, reader.dropped) == (0, 0)
        assert not stage.film.connected

    played(story)


class Stubborn(Filming):
    """Sends on for a moment when it is to go."""

    async def run(self, sink, notes):  # type: ignore[no-untyped-def]
        try:
            await super().run(sink, notes)
        finally:
            sink(self._sample(666, True))


def test_what_a_source_still_sends_when_another_took_its_place_goes_nowhere() -> None:
    async def story(stage: Stage) -> None:
        stage.feed.replace(Stubborn(stage.clock))
        reader = stage.feed.watch()
        await asyncio.sleep(1)
        stage.feed.replace(stage.film)
        await asyncio.sleep(1)
        assert 666 not in await numbers(reader)

    played(story)


@pytest.mark.parametrize("error", [ZeroDivisionError("of ours"), UsageError("no such thing")])
def test_a_source_that_fails_in_an_unforeseen_way_is_tried_again(error: Exception) -> None:
    async def story(stage: Stage) -> None:
        stage.film.fails = error
        reader = stage.feed.watch()
        await asyncio.sleep(1)
        match stage.feed.state:
            case Waiting(told, _) | Refused(told, _):
                assert "no such thing" in str(told) or "ZeroDivisionError" in str(told)
            case _:
                raise AssertionError(stage.feed.state)
        stage.film.fails = None
        assert await numbers(reader)
        assert stage.clock.seconds == pytest.approx(30, abs=1)

    played(story)


def test_states_are_told_as_they_are_entered() -> None:
    async def story(stage: Stage) -> None:
        stage.film.fails = LoginRefused("the camera refused the password")
        stage.feed.want(recorded=True)
        await asyncio.sleep(5)
        assert isinstance(stage.feed.state, Refused)
        since = stage.feed.since
        await asyncio.sleep(500)
        stage.film.fails = None
        await asyncio.sleep(400)
        assert isinstance(stage.feed.state, Live)
        assert stage.feed.since > since
        assert stage.feed.sessions == 1
        stage.feed.want(recorded=False)
        await asyncio.sleep(1)

    states = played(story).states
    assert states[:4] == ["Connecting", "Refused", "Connecting", "Refused"]
    assert states[-3:] == ["Connecting", "Live", "Idle"]


# one picture


def test_a_picture_of_what_nobody_watches_is_fetched_and_then_it_is_left_alone() -> None:
    async def story(stage: Stage) -> None:
        first = await stage.feed.picture()
        assert first.key
        assert stage.film.connected
        assert stage.feed.hub.readers == 0
        await asyncio.sleep(1)
        second = await stage.feed.picture()  # the newest that can be decoded alone, at once
        assert number_of(second.data) in (stage.film.sent[-1] // 5 * 5, stage.film.sent[0])
        assert stage.film.sessions == 1
        await asyncio.sleep(LINGER_S + 1)
        assert not stage.film.connected

    played(story)


@pytest.mark.parametrize(
    "error", [StreamBroken("it ended"), LoginRefused("the camera refused the password")]
)
def test_no_picture_says_why(error: CameraError) -> None:
    async def story(stage: Stage) -> None:
        stage.film.fails = error
        for _ in range(50):
            with pytest.raises((type(error), Stalled)):  # that, while it is tried again
                await stage.feed.picture(2)
        with pytest.raises(type(error), match=error.message):
            await stage.feed.picture(2.5)
        depth, traceback = 0, error.__traceback__
        while traceback is not None:
            depth, traceback = depth + 1, traceback.tb_next
        assert depth < 10  # the state lasts: it must not gather what it was raised through
        assert stage.feed.hub.readers == 0

    played(story)


class Silent(Filming):
    """Connects, and sends nothing."""

    async def run(self, sink, notes):  # type: ignore[no-untyped-def]
        await asyncio.Event().wait()


def test_a_camera_that_sends_nothing_gives_no_picture_in_time() -> None:
    async def story(stage: Stage) -> None:
        stage.feed.replace(Silent(stage.clock))
        with pytest.raises(Stalled, match="no picture in time"):
            await stage.feed.picture(8)
        assert stage.clock.seconds == pytest.approx(8)
        assert isinstance(stage.feed.state, Connecting)

    played(story)


def test_a_camera_that_is_removed_gives_no_picture() -> None:
    async def story(stage: Stage) -> None:
        stage.feed.replace(Silent(stage.clock))
        asking = asyncio.create_task(stage.feed.picture())
        await asyncio.sleep(1)
        stage.feed.hub.end()
        with pytest.raises(NotFound, match="removed"):
            await asking
        with pytest.raises(NotFound, match="removed"):
            await stage.feed.picture()

    played(story)


class Careful(Filming):
    """A source that is read sooner while somebody watches."""

    hurried: list[bool]

    def hurry(self, wanted: bool) -> None:
        self.hurried.append(wanted)


def test_a_source_is_hurried_while_somebody_watches() -> None:
    async def story(stage: Stage) -> None:
        careful = Careful(stage.clock)
        careful.hurried = []
        stage.feed.replace(careful)
        stage.feed.want(recorded=True)
        await asyncio.sleep(1)
        assert careful.hurried[-1] is False
        reader = stage.feed.watch()
        assert careful.hurried[-1] is True
        reader.close()
        assert careful.hurried[-1] is False

    played(story)


def test_thousands_of_viewers_leave_nothing_behind() -> None:
    async def story(stage: Stage) -> None:
        stage.feed.want(recorded=True)
        await asyncio.sleep(1)
        gone: list[weakref.ref[Reader]] = []
        for _ in range(2000):
            readers = [stage.feed.watch() for _ in range(5)]
            for reader in readers:
                await reader.take()
                reader.close()
            gone.append(weakref.ref(readers[0]))
            del readers, reader
        gc.collect()
        assert all(ref() is None for ref in gone)
        assert stage.film.sessions == 1
        assert len(asyncio.all_tasks()) < 10

    played(story)
