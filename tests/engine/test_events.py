"""The bus: everybody hears everything in order, and nobody is waited for."""

from __future__ import annotations

import asyncio

from camkeep.clock import FakeClock
from camkeep.engine.events import LISTENER_EVENTS, Bus, Kind
from camkeep.model import CameraId

GARAGE = CameraId("garagegarage")


async def test_everybody_hears_everything_in_order() -> None:
    clock = FakeClock()
    bus = Bus(clock, last_id=41)
    bus.tell(Kind.STORAGE, "before anybody listened")
    one, other = bus.listen(), bus.listen()
    first = bus.tell(Kind.STATE, "the camera is there", GARAGE, state="live")
    clock.advance(2)
    second = bus.tell(Kind.STORAGE, "no space is left", well=False)
    assert await one.take() == await other.take() == [first, second]
    assert (first.id, second.id, bus.last_id) == (43, 44, 44)
    assert second.wall - first.wall == 2_000_000
    assert (first.camera, dict(first.detail)) == (GARAGE, {"state": "live"})
    assert (second.camera, dict(second.detail)) == (None, {"well": False})
    assert one.take_now() == []


async def test_taking_waits_for_the_next() -> None:
    bus = Bus(FakeClock())
    listener = bus.listen()
    for _ in range(3):
        waiting = asyncio.create_task(listener.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        event = bus.tell(Kind.SETTINGS, "it was changed")
        assert await waiting == [event]


async def test_one_that_does_not_keep_up_misses_the_oldest_and_is_told_how_many() -> None:
    bus = Bus(FakeClock())
    slow, quick = bus.listen(), bus.listen()
    heard = 0
    for _ in range(LISTENER_EVENTS + 25):
        bus.tell(Kind.STATE, "x")
        heard += len(quick.take_now())
    kept = slow.take_now()
    assert [event.id for event in kept] == list(range(26, LISTENER_EVENTS + 26))
    assert slow.missed == 25
    assert (heard, quick.missed) == (LISTENER_EVENTS + 25, 0)


async def test_one_that_left_hears_no_more_and_costs_nothing() -> None:
    bus = Bus(FakeClock())
    for _ in range(1000):
        listener = bus.listen()
        listener.close()
        listener.close()
        bus.tell(Kind.STATE, "x")
        assert listener.take_now() == []
    assert not bus._listeners
