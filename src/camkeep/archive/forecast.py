"""How long the disk lasts at the present rate. Pure.

Two questions, for each camera and for all together: *when is it full*, so that the first footage
goes to make room, and *how much is kept* from then on, in time: "keeps about 12 days".

The answer is that of `retention.py` in the long run. The oldest footage of all cameras goes
first, so what they share is as long for each of them, and only cameras with limits of their own
have less: that length of time is found where the sizes of all together fill the room there is.
Held footage takes its room away for good. Rates are taken to stay as they are, and so is what
others have on the volume.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from camkeep.archive.retention import Policy, Usage
from camkeep.clock import WallUs
from camkeep.model import CameraId

RATE_WINDOW_S = 86400.0
"""A rate is measured over a whole day, where there is one: nights are darker, and smaller."""
LEAST_RATE = 1e-3
"""Bytes a second; less is nothing."""
LEAST_S = 60.0
"""Less footage than this says nothing about a rate."""


class Bound(StrEnum):
    """What footage is deleted for in the long run."""

    AGE = "age"
    CAMERA = "camera-quota"
    OVERALL = "overall-quota"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long it lasts. Times are in seconds."""

    rate: float | None
    """Bytes a second; None where nobody knows yet."""
    full_s: float | None
    """From now until the first footage has to go for lack of room; 0 where it does already. None
    where that never happens (an age comes first, nothing is recorded), or nobody knows."""
    kept_s: float | None
    """How much is kept in the long run. None where nothing limits it, or nobody knows."""
    bound: Bound | None
    """What limits `kept_s`."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast for all cameras together, and for each."""

    overall: Lasting
    """As far as rates are known. `kept_s` is what the room that all share is good for: None where
    limits of age, and those of single cameras, leave some of it unused."""
    cameras: Mapping[CameraId, Lasting]
    unknown: tuple[CameraId, ...]
    """Cameras of unknown rate: the forecast is made as if they were not there."""


def measured_rate(
    segments: Iterable[tuple[WallUs, WallUs, int]], now: WallUs, *, since: WallUs
) -> float | None:
    """Bytes a second of a camera over the last day, or since it was first to be recorded.

    `segments` are (start, end, bytes), open ones too, and may reach back further. Times in which
    the camera was away count: a camera that records half the day fills the disk half as fast.
    None where the camera is there for less than a minute.
    """
    window_us = min(RATE_WINDOW_S * 1e6, now - since)
    if window_us < LEAST_S * 1e6:
        return None
    begin = now - window_us
    total = 0.0
    for start, end, size in segments:
        inside = min(end, now) - max(start, begin)
        if inside >= 0 and end > start:
            total += size * inside / (end - start)
    return total / window_us * 1e6


def forecast(usage: Usage, policy: Policy, rates: Mapping[CameraId, float | None]) -> Forecast:
    """What becomes of `usage` under `policy` if each camera goes on at its rate (bytes/s)."""
    cameras = {
        camera: _Camera(usage, policy, camera, rate if rate >= LEAST_RATE else 0.0)
        for camera, rate in rates.items()
        if rate is not None
    }
    idle = sum(used.total_bytes for camera, used in usage.cameras.items() if camera not in cameras)
    held_idle = sum(used.held_bytes for of, used in usage.cameras.items() if of not in cameras)
    room, shared_bound = _shared_room(usage, policy)
    shared_s = _level(
        [(camera.rate, camera.own_s) for camera in cameras.values()],
        room - held_idle - sum(camera.held for camera in cameras.values()),
    )
    full_s = _level(
        [(camera.rate, camera.growing_s) for camera in cameras.values()],
        room - idle - sum(camera.used for camera in cameras.values()),
    )
    overall = _UNKNOWN
    if cameras:
        rate = sum(camera.rate for camera in cameras.values())
        overall = Lasting(rate, full_s, shared_s, None if shared_s is None else shared_bound)
    lasting = {
        camera: cameras[camera].lasting(overall) if camera in cameras else _UNKNOWN
        for camera in rates
    }
    unknown = tuple(camera for camera, rate in rates.items() if rate is None)
    return Forecast(overall, lasting, unknown)


_UNKNOWN = Lasting(None, None, None, None)
_EVER = float("inf")


class _Camera:
    """What a camera's own limits do to it."""

    def __init__(self, usage: Usage, policy: Policy, camera: CameraId, rate: float) -> None:
        used = usage.cameras.get(camera)
        self.rate = rate
        self.used = used.total_bytes if used else 0
        self.held = used.held_bytes if used else 0
        quota, age_s = policy.quota(camera), policy.age_s(camera)
        self.age_s = _EVER if age_s is None else age_s
        self.quota_s = _EVER  # how much time the quota has room for
        self.full_s = _EVER  # until the quota is full, if no age comes first
        if quota is not None and rate > 0:
            self.quota_s = max(0.0, quota - self.held) / rate
            self.full_s = max(0.0, quota - self.used) / rate
        elif quota is not None and self.used > quota:
            self.full_s = 0.0
        if self.age_s < self.quota_s:
            self.full_s = _EVER
        self.own_s = min(self.age_s, self.quota_s)

    @property
    def growing_s(self) -> float:
        """For how long it still grows."""
        if self.rate <= 0 or self.own_s == _EVER:
            return _EVER
        return max(0.0, self.held + self.rate * self.own_s - self.used) / self.rate

    def lasting(self, overall: Lasting) -> Lasting:
        if self.rate <= 0:
            return Lasting(self.rate, 0.0 if self.full_s == 0 else None, None, None)
        bound = Bound.AGE if self.age_s < self.quota_s else Bound.CAMERA
        kept_s = self.own_s
        if overall.kept_s is not None and overall.kept_s < kept_s:
            kept_s, bound = overall.kept_s, overall.bound or bound
        full_s = min(self.full_s, _EVER if overall.full_s is None else overall.full_s)
        return Lasting(
            self.rate,
            None if full_s == _EVER else full_s,
            None if kept_s == _EVER else kept_s,
            None if kept_s == _EVER else bound,
        )


def _shared_room(usage: Usage, policy: Policy) -> tuple[float, Bound]:
    """Bytes that all cameras together may have in the end, and what says so."""
    quota = _EVER if policy.overall.max_bytes is None else policy.overall.max_bytes
    disk = _EVER
    if usage.free_bytes is not None:
        disk = usage.total_bytes + usage.free_bytes + usage.leaving_bytes - policy.keep_free_bytes
    return (quota, Bound.OVERALL) if quota <= disk else (disk, Bound.DISK)


def _level(pairs: list[tuple[float, float]], room: float) -> float | None:
    """For how long all can grow, each (rate, time) by its rate and no longer than its time, until
    they fill `room`: None where they never do."""
    if room <= 0:
        return 0.0
    if room == _EVER:
        return None
    left, passed = room, 0.0
    growing = sorted(pairs, key=lambda pair: pair[1])
    for n, (_, own_s) in enumerate(growing):
        rate = sum(rate for rate, _ in growing[n:])
        if rate == 0:
            return None
        if left <= rate * (own_s - passed):
            return passed + left / rate
        left -= rate * (own_s - passed)
        passed = own_s
    return None


def in_words(lasting: Lasting) -> str:
    """One sentence for a person."""
    if lasting.rate is None:
        return "How long it lasts is not known yet: there is less than a minute of footage."
    if lasting.rate == 0:
        return "Nothing was recorded for a day, so nothing fills up."
    if lasting.kept_s is None:
        return "Other limits come first: the space there is will not be used up."
    what = _KEEPERS[lasting.bound]
    if lasting.full_s is None or lasting.bound is Bound.AGE:
        return f"{what} keeps {about(lasting.kept_s)}."
    when = f"is full in {about(lasting.full_s)}" if lasting.full_s else "is full"
    return f"{what} {when} and keeps {about(lasting.kept_s)} at the present rate."


_KEEPERS = {
    None: "The archive",
    Bound.AGE: "The limit of age",
    Bound.CAMERA: "The camera's quota",
    Bound.OVERALL: "The quota",
    Bound.DISK: "The disk",
}


def about(length_s: float) -> str:
    """A length of time in one round figure: about 12 days."""
    for unit_s, unit in ((86400 * 365.25, "year"), (86400, "day"), (3600, "hour"), (60, "minute")):
        count = length_s / unit_s
        if count >= (2 if unit == "year" else 1):
            figure = f"{count:.1f}" if count < 3 and round(count, 1) % 1 else f"{count:.0f}"
            return f"about {figure} {unit}" + ("" if figure == "1" else "s")
    return "less than a minute"
