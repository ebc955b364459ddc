"""How often somebody may try: limits that hold whatever is tried, and lock nobody out for good."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.clock import FakeClock
from camkeep.server.accounts.throttle import (
    PER_ACCOUNT,
    PER_ADDRESS,
    Throttle,
    TooMany,
    place_of,
)


def tries(throttle: Throttle, account: str, address: str, count: int) -> int:
    """How many of so many attempts are admitted."""
    admitted = 0
    for _ in range(count):
        try:
            throttle.admit(account, address)
            admitted += 1
        except TooMany:
            pass
    return admitted


def test_five_a_minute_an_account() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    assert tries(throttle, "anna", "192.0.2.1", 9) == 5
    assert tries(throttle, " ANNA", "192.0.2.2", 1) == 0, "the same account, from elsewhere"
    assert tries(throttle, "ben", "192.0.2.2", 1) == 1
    clock.advance(59.9)
    assert tries(throttle, "anna", "192.0.2.1", 1) == 0
    clock.advance(0.1)
    assert tries(throttle, "anna", "192.0.2.1", 9) == 5


def test_twenty_an_hour_an_address() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    assert sum(tries(throttle, f"user{n}", "192.0.2.1", 1) for n in range(50)) == 20
    assert tries(throttle, "user60", "192.0.2.2", 1) == 1
    clock.advance(3600)
    assert tries(throttle, "user61", "192.0.2.1", 1) == 1


def test_the_wait_that_is_told_is_long_enough() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    tries(throttle, "anna", "192.0.2.1", 5)
    clock.advance(20)
    with pytest.raises(TooMany) as refused:
        throttle.admit("anna", "192.0.2.1")
    assert refused.value.wait_s == 40
    clock.advance(40)
    throttle.admit("anna", "192.0.2.1")


def test_a_login_that_succeeds_does_not_count_against_the_address() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    for n in range(100):
        throttle.succeeded(throttle.admit(f"user{n}", "192.0.2.1"))
    assert tries(throttle, "anna", "192.0.2.1", 5) == 5


def test_strangers_do_not_keep_out_who_was_there_before() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    throttle.succeeded(throttle.admit("anna", "192.0.2.1"))
    for n in range(100):
        tries(throttle, "anna", f"198.51.100.{n}", 3)
    assert tries(throttle, "anna", "198.51.100.200", 1) == 0
    assert tries(throttle, "anna", "192.0.2.1", 9) == 5


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_as_what_an_address_counts(address: str, place: str) -> None:
    assert place_of(address) == place


def test_it_remembers_a_bounded_number_and_forgets_the_oldest() -> None:
    clock = FakeClock()
    throttle = Throttle(clock, entries=100)
    assert tries(throttle, "anna", "192.0.2.1", 5) == 5
    for n in range(1000):
        throttle.succeeded(throttle.admit(f"user{n}", f"10.0.{n // 250}.{n % 250}"))
        assert throttle.size <= 300
    assert tries(throttle, "user999", "10.0.3.249", 9) == 5
    assert tries(throttle, "anna", "192.0.2.1", 1) == 1, "forgotten, not locked out"


NAMES = st.sampled_from(["anna", "Anna", "ben", "nobody"])
ADDRESSES = st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "x"])
STEPS = st.lists(st.tuples(NAMES, ADDRESSES, st.floats(0, 600), st.booleans()), max_size=120)


@given(STEPS)
def test_no_window_holds_more_than_its_limit(steps: list[tuple[str, str, float, bool]]) -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    accounts: dict[str, list[int]] = defaultdict(list)
    addresses: dict[str, list[int]] = defaultdict(list)
    longest_s = 0.0
    for name, address, wait_s, right in steps:
        clock.advance(wait_s / 10 if wait_s < 300 else wait_s)
        try:
            attempt = throttle.admit(name, address)
        except TooMany as error:
            told_s = error.wait_s
            clock.advance(told_s)
            attempt = throttle.admit(name, address)  # what was told is true
            longest_s = max(longest_s, told_s)
        accounts[attempt.account].append(clock.mono())
        if right:
            throttle.succeeded(attempt)
        else:
            addresses[place_of(address)].append(clock.mono())
    assert longest_s <= PER_ADDRESS.window_s, "never a lock-out for good"
    for times, limit in [
        *((times, PER_ACCOUNT) for times in accounts.values()),
        *((times, PER_ADDRESS) for times in addresses.values()),
    ]:
        for first, beyond in zip(times, times[limit.attempts :], strict=False):
            assert beyond - first >= limit.window_s * 1_000_000_000


@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_is_typed_is_counted(name: str, address: str) -> None:
    throttle = Throttle(FakeClock())
    assert tries(throttle, name, address, 9) == 5
