"""How a camera is: words and rates."""

from __future__ import annotations

from pathlib import Path

import pytest

from camkeep.clock import MonoNs
from camkeep.engine.health import Pace, reason_of, word_of
from camkeep.engine.hub import Hub
from camkeep.engine.sessions import Connecting, Idle, Live, Off, Refused, Waiting
from camkeep.errors import LoginRefused, StreamBroken, Unreachable
from support.staged import stream
from support.world import FPS, Filming, World, lived

GONE = StreamBroken("the camera ended the stream", camera="garage")


@pytest.mark.parametrize(
    ("state", "word", "reason"),
    [
        (Connecting(), "connecting", ""),
        (Live(MonoNs(0)), "live", ""),
        (Waiting(GONE, 1.0), "waiting", "the camera ended the stream"),
        (Refused(LoginRefused("no"), 30.0), "refused", "no"),
        (Idle(), "idle", ""),
        (Off(), "off", ""),
    ],
)
def test_words(state: object, word: str, reason: str) -> None:
    assert word_of(state) == word  # type: ignore[arg-type]
    assert reason_of(state) == reason  # type: ignore[arg-type]


def test_a_pace_is_that_of_the_last_seconds() -> None:
    hub, pace = Hub(), Pace()
    pace.look(MonoNs(0), hub)
    assert pace.fps is None
    assert pace.bits_per_s is None
    for second in range(1, 30):
        before = hub.bytes
        for sample in stream(25, start_s=second):
            hub(sample)
        pace.look(MonoNs(second * 1_000_000_000), hub)
        assert pace.fps == 25
        assert pace.bits_per_s == pytest.approx((hub.bytes - before) * 8, rel=0.05)
    for second in range(30, 41):
        pace.look(MonoNs(second * 1_000_000_000), hub)
    assert pace.fps == pace.bits_per_s == 0


def test_the_health_of_a_camera_through_its_life(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        film = Filming(world.clock)
        camera = await world.add("garage", film)
        first = camera.health()
        assert (first.word, first.recording, first.fps) == ("connecting", False, None)
        assert (first.age_s, first.frames, first.viewers) == (None, 0, 0)
        await world.at(20)
        live = camera.health()
        assert (live.word, live.told, live.recording) == ("live", "", True)
        assert live.fps == pytest.approx(FPS, abs=0.2)
        assert live.bits_per_s is not None
        assert live.bits_per_s > 0
        assert live.age_s == pytest.approx(0.01, abs=0.001)
        assert (live.frames, live.drops, live.reconnects) == (200, 0, 0)
        assert live.bytes > 200 * 10
        reader = camera.main.watch()
        assert camera.health().viewers == 1
        reader.close()
        film.fails = Unreachable("nobody answers")
        await world.at(22)
        gone = camera.health()
        assert (gone.word, gone.told, gone.recording) == ("waiting", "nobody answers", False)
        assert gone.age_s is None
        assert gone.since > live.since
        film.fails = None
        await world.at(60)
        back = camera.health()
        assert (back.word, back.reconnects, back.trouble) == ("live", 1, None)
        assert back.frames == len(film.sent)

    lived(tmp_path / "cams", story)
