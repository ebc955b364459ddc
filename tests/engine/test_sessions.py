"""The loop around sessions: what it does after which error."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest

from camkeep.cameras.address import Address
from camkeep.cameras.source import Notes, Sink
from camkeep.clock import FakeClock, MonoNs, WallUs
from camkeep.engine.sessions import (
    Connecting,
    GiveUp,
    Live,
    Refused,
    State,
    Waiting,
    _after,
    run_sessions,
)
from camkeep.errors import CameraError, LoginRefused, Stalled, StreamBroken, Unreachable
from camkeep.media.jpeg import jpeg_params
from camkeep.model import Sample

SAMPLE = Sample(jpeg_params(16, 16), b"x", 0, MonoNs(0), WallUs(0), True, 0)


class Scripted:
    """A source whose sessions are a list: how many samples, then which error."""

    address = Address("testcard")

    def __init__(self, clock: FakeClock, sessions: list[tuple[int, CameraError]]) -> None:
        self._clock = clock
        self._sessions = iter(sessions)

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        samples, error = next(self._sessions)
        for _ in range(samples):
            sink(SAMPLE)
            self._clock.advance(1)
        raise error

    async def snapshot(self, notes: Notes) -> bytes:
        raise NotImplementedError


async def test_states_of_a_life(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def no_sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", no_sleep)
    clock = FakeClock()
    source = Scripted(
        clock,
        [
            (0, Unreachable("off")),
            (3, StreamBroken("gone")),
            (0, Stalled("silent")),
            (20, StreamBroken("gone")),
            (0, LoginRefused("no")),
        ],
    )
    states: list[State] = []
    samples: list[Sample] = []

    def entered(state: State) -> None:
        states.append(state)
        if isinstance(state, Refused):
            raise GiveUp(state.error)

    with pytest.raises(LoginRefused):
        await run_sessions(source, samples.append, Notes(), entered, clock)
    kinds = [type(state) for state in states]
    assert kinds == [
        *(Connecting, Waiting),
        *(Connecting, Live, Waiting),
        *(Connecting, Waiting),
        *(Connecting, Live, Waiting),
        *(Connecting, Refused),
    ]
    assert len(samples) == 23
    assert 0.8 <= waits[0] <= 1
    assert 1.6 <= waits[1] <= 2
    assert 3.2 <= waits[2] <= 4
    assert 0.8 <= waits[3] <= 1  # a good session starts anew


def test_waits_grow_to_their_bounds() -> None:
    for failures in range(200):
        for error, longest in ((Unreachable("x"), 2), (Stalled("x"), 30), (LoginRefused("x"), 300)):
            assert 0.5 < _after(error, failures).retry_s <= longest
    assert _after(Stalled("x"), 10).retry_s > 20
    assert _after(LoginRefused("x"), 0).retry_s > 20
