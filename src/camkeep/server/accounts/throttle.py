"""How often somebody may try to log in: pure, told the time by a clock.

5 times a minute for an account, 20 times an hour from an address; a login that succeeds does not
count against the address. Nobody is locked out for good: what is refused does not count, and the
oldest attempt is forgotten when its time is over. Whoever logged in from an address before has 5
attempts a minute of their own there: strangers who try at their account from elsewhere do not
keep them out.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from camkeep.clock import Clock
from camkeep.server.accounts.values import folded


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts in so long."""

    attempts: int
    window_s: int


PER_ACCOUNT = Limit(5, 60)
PER_ADDRESS = Limit(20, 3600)
ENTRIES = 10_000
"""Accounts and addresses that are remembered, each; those not seen for longest are forgotten."""


class TooMany(Exception):
    """Too many attempts: wait."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"wait {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that was admitted."""

    account: str
    """As it is counted, as the address is."""
    address: str
    pair: tuple[str, str]
    at_ns: int


class Throttle:
    """Counts attempts. Any one thread."""

    def __init__(
        self,
        clock: Clock,
        per_account: Limit = PER_ACCOUNT,
        per_address: Limit = PER_ADDRESS,
        entries: int = ENTRIES,
    ) -> None:
        self._clock = clock
        self._accounts = _Window(per_account, entries)
        self._addresses = _Window(per_address, entries)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._entries = entries

    def admit(self, account: str, address: str) -> Attempt:
        """Count an attempt, before the password is looked at. Raises TooMany."""
        now = self._clock.mono()
        name, place = folded(account), place_of(address)
        pair = (name, place)
        own = f"{name}\n{place}" if pair in self._known else name
        wait_ns = max(self._accounts.wait_ns(own, now), self._addresses.wait_ns(place, now))
        if wait_ns > 0:
            raise TooMany(wait_ns / 1e9)
        self._accounts.add(own, now)
        self._addresses.add(place, now)
        return Attempt(own, place, pair, now)

    def succeeded(self, attempt: Attempt) -> None:
        """The password was right."""
        self._addresses.remove(attempt.address, attempt.at_ns)
        self._known[attempt.pair] = None
        self._known.move_to_end(attempt.pair)
        if len(self._known) > self._entries:
            self._known.popitem(last=False)

    @property
    def size(self) -> int:
        """Entries in all tables."""
        return len(self._accounts) + len(self._addresses) + len(self._known)


class _Window:
    """The attempts of the last so many seconds, by key."""

    def __init__(self, limit: Limit, entries: int) -> None:
        self._limit = limit
        self._window_ns = limit.window_s * 1_000_000_000
        self._entries = entries
        self._seen: OrderedDict[str, deque[int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def wait_ns(self, key: str, now: int) -> int:
        """How long until there is an attempt left; 0 or less for at once."""
        times = self._seen.get(key)
        if times is None:
            return 0
        while times and times[0] + self._window_ns <= now:
            times.popleft()
        return times[0] + self._window_ns - now if len(times) >= self._limit.attempts else 0

    def add(self, key: str, now: int) -> None:
        self._seen.setdefault(key, deque()).append(now)
        self._seen.move_to_end(key)
        if len(self._seen) > self._entries:
            self._seen.popitem(last=False)

    def remove(self, key: str, at: int) -> None:
        times = self._seen.get(key)
        if times is not None and at in times:
            times.remove(at)


def place_of(address: str) -> str:
    """As what an address is counted: IPv6 by its /64, for whoever has one has all of it."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((found, 64), strict=False))
    return str(found)
