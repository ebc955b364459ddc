"""One stream for many: nobody waits for anybody, memory is bounded, and all can be decoded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from camkeep.clock import MonoNs, WallUs
from camkeep.engine import hub as hubs
from camkeep.engine.hub import Hub, Reader
from camkeep.media.audio import g711_params
from camkeep.media.jpeg import jpeg_params
from camkeep.model import Codec, Sample

PICTURES = jpeg_params(16, 16)
SOUND = g711_params(Codec.PCMA, 8000, 1)
BLOCK = bytes(16 * 1024 * 1024)


def frame(number: int, key: bool, size: int = 1000, run: int = 0) -> Sample:
    return Sample(PICTURES, BLOCK[:size], number, MonoNs(number), WallUs(number), key, run)


def sound(number: int, size: int = 160) -> Sample:
    return Sample(SOUND, BLOCK[:size], number, MonoNs(number), WallUs(number), True, 0)


async def taken(reader: Reader) -> list[int]:
    """The numbers of what is there."""
    return [sample.ticks for sample in await reader.take()]


def fed(hub: Hub, samples: Sequence[Sample]) -> None:
    for sample in samples:
        hub(sample)


async def test_who_comes_begins_with_the_newest_key_frame_at_once() -> None:
    hub = Hub()
    fed(hub, [frame(n, n % 10 == 0) for n in range(27)])
    reader = hub.open()
    assert await taken(reader) == list(range(20, 27))
    hub(frame(27, False))
    assert await taken(reader) == [27]
    assert (reader.skips, reader.dropped) == (0, 0)


async def test_who_comes_before_the_first_key_frame_waits_for_it() -> None:
    hub = Hub()
    hub(frame(0, False))
    reader = hub.open()
    hub(frame(1, False))
    hub(sound(2))
    assert reader.waiting_bytes == 0
    hub(frame(3, True))
    hub(sound(4))
    assert await taken(reader) == [3, 4]
    assert (reader.skips, reader.dropped) == (0, 0)


async def test_a_reader_that_does_not_read_costs_itself_pictures_and_nobody_else() -> None:
    hub = Hub()
    slow, quick = hub.open(), hub.open()
    size = hubs.READER_BYTES // 10
    got: list[int] = []
    for n in range(100):
        hub(frame(n, n % 6 == 0, size))
        got += await taken(quick)
        assert slow.waiting_bytes <= hubs.READER_BYTES
    assert got == list(range(100))
    assert await taken(slow) == list(range(10))
    assert (slow.skips, slow.dropped) == (1, 90)
    assert hub.dropped == 90
    fed(hub, [frame(n, n % 6 == 0, size) for n in range(100, 110)])
    later = await slow.take()
    assert [sample.ticks for sample in later] == list(range(102, 110))
    assert {sample.run for sample in later} == {1}
    assert (slow.skips, slow.dropped) == (1, 92)
    assert (quick.skips, quick.dropped) == (0, 0)


async def test_many_small_samples_are_bounded_too() -> None:
    hub = Hub()
    hub(frame(0, True))
    slow = hub.open()
    fed(hub, [sound(n) for n in range(1, 100_000)])
    assert len(await slow.take()) == hubs.READER_SAMPLES


async def test_one_frame_larger_than_all_that_may_wait_passes_alone() -> None:
    hub = Hub()
    reader = hub.open()
    for n in range(5):
        hub(frame(n, True, 16 * 1024 * 1024))
        assert await taken(reader) == [n]
    hub(frame(5, True, 1000))
    hub(frame(6, True, 16 * 1024 * 1024))
    assert reader.waiting_bytes == 1000
    assert await taken(reader) == [5]


async def test_what_is_remembered_for_who_comes_is_bounded() -> None:
    hub = Hub()
    hub(frame(0, True))
    for n in range(1, 50_000):
        hub(frame(n, False, 200))
        assert hub._since_key_bytes <= hubs.SINCE_KEY_BYTES or not hub._since_key
    assert not hub._since_key  # half a group of pictures is of no use
    reader = hub.open()
    assert reader.waiting_bytes == 0
    fed(hub, [frame(50_000, True), frame(50_001, False)])
    assert await taken(reader) == [50_000, 50_001]
    fed(hub, [frame(n, False, 3_000_000) for n in range(50_002, 50_004)])
    assert hub.open().waiting_bytes == 0


async def test_who_comes_to_a_long_group_of_pictures_is_not_behind_at_once() -> None:
    """Cameras with a "smart" codec send a key frame each minute, or more seldom."""
    for length in (100, 1500, 3000):
        hub = Hub()
        fed(hub, [frame(n, n == 0, 100) for n in range(length)])
        reader = hub.open()
        hub(frame(length, False, 100))
        assert (reader.skips, reader.dropped) == (0, 0), length


async def test_another_session_begins_with_a_key_frame_in_a_run_of_its_own() -> None:
    hub = Hub()
    reader = hub.open()
    hub.session_began()
    fed(hub, [frame(0, True), frame(1, False), frame(2, True, run=1)])
    hub.session_began()
    late = hub.open()
    fed(hub, [frame(3, False), frame(4, True), frame(5, False)])
    got = await reader.take()
    assert [(s.ticks, s.run) for s in got] == [(0, 0), (1, 0), (2, 1), (4, 2), (5, 2)]
    assert await taken(late) == [4, 5]
    assert (reader.skips, reader.dropped) == (0, 0)  # that was not its fault


async def test_what_ended_is_not_shown_to_who_comes() -> None:
    hub = Hub()
    fed(hub, [frame(0, True), frame(1, False)])
    hub.forget()
    assert hub.newest is None
    assert hub.open().waiting_bytes == 0


async def test_the_end_is_an_empty_hand_also_for_who_comes_later() -> None:
    changes: list[int] = []
    hub = Hub(lambda: changes.append(hub.readers))
    hub(frame(0, True))
    reader = hub.open()
    waiting = asyncio.create_task(reader.take())
    assert [s.ticks for s in await waiting] == [0]
    waiting = asyncio.create_task(reader.take())
    hub.end()
    assert await waiting == []
    assert await reader.take() == []
    assert changes == [1, 0]
    late = hub.open()
    assert await asyncio.wait_for(late.take(), 5) == []
    late.close()
    assert hub.readers == 0


async def test_a_reader_that_left_gets_nothing_and_costs_nothing() -> None:
    hub = Hub()
    for _ in range(10_000):
        reader = hub.open()
        hub(frame(0, True))
        reader.close()
        reader.close()
    assert hub.readers == 0
    assert hub._takers == ()


class Counting:
    """A taker."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.sessions = 0

    def session_began(self) -> None:
        self.sessions += 1

    def __call__(self, sample: Sample) -> None:
        self.got.append(sample.ticks)


async def test_a_taker_gets_everything_and_counts_what_came() -> None:
    hub, recorder = Hub(), Counting()
    hub.attach(recorder)
    hub.session_began()
    fed(hub, [frame(0, False, 10), sound(1, 20), frame(2, True, 30)])
    hub.leave(recorder)
    hub(frame(3, True, 40))
    assert (recorder.got, recorder.sessions) == ([0, 1, 2], 1)
    assert (hub.frames, hub.bytes) == (3, 100)
    assert (hub.video, hub.audio) == (PICTURES, SOUND)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("frame"), st.booleans(), st.integers(1, 3_000_000)),
        st.tuples(st.just("sound"), st.booleans(), st.integers(1, 10_000)),
        st.sampled_from(["take", "session", "open", "run"]),
    ),
    max_size=200,
)


@settings(max_examples=300)
@given(STEPS)
def test_whatever_a_slow_reader_takes_can_be_decoded(steps: list[object]) -> None:
    async def story() -> None:
        hub, all_frames = Hub(), Counting()
        hub.attach(all_frames)
        readers = [hub.open()]
        got: list[list[Sample]] = [[]]
        number = run = 0
        waits_for_key = True  # as sources do: a run begins with a key frame
        for step in steps:
            match step:
                case "take":
                    for reader, samples in zip(readers, got, strict=True):
                        if reader.waiting_bytes:
                            samples += await reader.take()
                case "open":
                    readers.append(hub.open())
                    got.append([])
                case "session":
                    hub.session_began()
                    run, waits_for_key = 0, True
                case "run":
                    run, waits_for_key = run + 1, True
                case ("frame", bool(key), int(size)):
                    hub(frame(number, key or waits_for_key, size, run))
                    waits_for_key = False
                    number += 1
                case ("sound", _, int(size)):
                    hub(sound(number, size))
                    number += 1
            for reader in readers:
                assert reader.waiting_bytes <= hubs.READER_BYTES
        for reader, samples in zip(readers, got, strict=True):
            if reader.waiting_bytes:
                samples += await reader.take()
            check(samples, all_frames.got)

    asyncio.run(story())


def check(samples: list[Sample], sent: list[int]) -> None:
    """In order, none twice, and each frame behind all since its key frame."""
    numbers = [sample.ticks for sample in samples]
    assert numbers == sorted(set(numbers))
    before: Sample | None = None
    pictures = [sample for sample in samples if sample.is_video]
    frames_sent = set(sent)
    for sample in pictures:
        if before is None or sample.run != before.run:
            assert sample.key
        elif not sample.key:
            between = set(range(before.ticks + 1, sample.ticks)) & frames_sent
            assert not between - {other.ticks for other in samples}, "a hole before it"
        if before is not None:
            assert sample.run >= before.run
        before = sample
    if samples:
        assert samples[0].is_video
