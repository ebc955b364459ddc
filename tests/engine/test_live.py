"""The queue behind `samples()`: bounded, and what comes out can always be decoded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.source import Notes
from camkeep.clock import MonoNs, WallUs
from camkeep.engine import live
from camkeep.engine.live import LiveQueue
from camkeep.media.jpeg import jpeg_params
from camkeep.model import Sample

PARAMS = jpeg_params(16, 16)


def sample(number: int, key: bool, size: int = 1000) -> Sample:
    return Sample(PARAMS, bytes(size), number, MonoNs(number), WallUs(number), key, 0)


async def test_a_reader_that_sleeps_loses_up_to_a_key_frame_and_is_told() -> None:
    notes = Notes()
    queue = LiveQueue(notes)
    size = -(-live.QUEUE_BYTES // 10)
    for n in range(25):
        queue(sample(n, n % 6 == 0, size))
    first = await queue.take()
    assert [s.ticks for s in first] == list(range(10))
    assert notes.dropped == 15
    for n in range(25, 35):
        queue(sample(n, n % 6 == 0, size))
    second = await queue.take()
    assert [s.ticks for s in second] == [30, 31, 32, 33, 34]
    assert notes.dropped == 20
    assert ({s.run for s in first}, {s.run for s in second}) == ({0}, {1})


async def test_runs_count_on_over_sessions() -> None:
    queue = LiveQueue(Notes())
    queue.session_began()
    queue(sample(0, True))
    queue(sample(1, True)._replace(run=1))
    queue.session_began()
    queue(sample(2, True))
    assert [s.run for s in await queue.take()] == [0, 1, 2]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3_000_000)), max_size=300))
def test_memory_is_bounded(samples: list[tuple[bool, int]]) -> None:
    import asyncio

    async def fill() -> None:
        notes = Notes()
        queue = LiveQueue(notes)
        shared = bytes(3_000_000)
        held = 0
        for n, (key, size) in enumerate(samples):
            queue(sample(n, key, 0)._replace(data=shared[:size]))
        taken = await queue.take() if queue._samples else []
        held = sum(len(s.data) for s in taken)
        assert held <= live.QUEUE_BYTES + 3_000_000
        assert len(taken) + notes.dropped == len(samples)

    asyncio.run(fill())
