"""The code for the first account: how long, how often, and how it may be typed."""

from __future__ import annotations

import pytest

from camkeep.clock import FakeClock
from camkeep.server.accounts.onetime import TRIES, VALID_S, make_code


def test_it_is_good_once() -> None:
    code, shown = make_code(FakeClock())
    assert len(shown.replace("-", "")) == 12
    assert not code.over
    assert code.accepts(shown)
    assert code.over
    assert not code.accepts(shown)


@pytest.mark.parametrize("change", [str.lower, lambda t: t.replace("-", " "), lambda t: f" {t}\n"])
def test_it_may_be_typed_as_people_do(change: object) -> None:
    code, shown = make_code(FakeClock())
    assert callable(change)
    assert code.accepts(change(shown))


def test_five_tries() -> None:
    code, shown = make_code(FakeClock())
    for wrong in ("", shown[:-1], "\ud800", "x" * 100_000, "ÄÖÜ")[:TRIES]:
        assert not code.accepts(wrong)
    assert code.over
    assert not code.accepts(shown)


def test_a_quarter_of_an_hour_whatever_the_wall_clock_does() -> None:
    clock = FakeClock()
    code, shown = make_code(clock)
    clock.step(-1e6)
    clock.advance(VALID_S - 1)
    assert not code.over
    clock.advance(1)
    assert code.over
    assert not code.accepts(shown)


def test_it_does_not_hold_the_code() -> None:
    code, shown = make_code(FakeClock())
    assert shown.replace("-", "") not in repr(vars(code))
    assert make_code(FakeClock())[1] != shown
