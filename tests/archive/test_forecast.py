"""The forecast: against what retention does in the end."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camkeep.archive.forecast import (
    Bound,
    Forecast,
    Lasting,
    about,
    forecast,
    in_words,
    measured_rate,
)
from camkeep.archive.retention import CameraUsage, Limits, Policy, Usage, excess
from camkeep.clock import WallUs
from camkeep.model import CameraId
from support.footage import DAY, HOUR, SECOND, WALL0
from support.months import Archive, Habit, run

A, B, C = (CameraId(name) for name in "abc")
GB = 10**9
EMPTY = Usage({})


def rates_of(archive: Archive) -> dict[CameraId, float | None]:
    return {camera: habit.size / habit.period_us * 1e6 for camera, habit in archive.habits.items()}


# --- against retention -------------------------------------------------------------------------

habits = st.builds(
    Habit,
    st.integers(HOUR // 2, HOUR),
    st.integers(2000, 20_000),
    outages=st.just(0.0),
    steady=st.just(True),
)
own_limits = st.builds(
    Limits,
    st.none() | st.integers(1_000_000, 8_000_000),
    st.none() | st.integers(4 * 86400, 40 * 86400),
)


@st.composite
def steady_archives(draw: st.DrawFn) -> Archive:
    """Cameras of constant rates, with limits that all have room for some hundred segments."""
    cameras = [CameraId(name) for name in "abc"[: draw(st.integers(1, 3))]]
    own = {camera: draw(own_limits) for camera in cameras if draw(st.booleans())}
    overall = Limits(draw(st.none() | st.integers(5_000_000, 20_000_000)))
    capacity = draw(st.none() | st.integers(8_000_000, 20_000_000))
    return Archive(
        {camera: draw(habits) for camera in cameras},
        Policy(overall, 1_000_000, own),
        random.Random(draw(st.integers(0, 2**32))),
        capacity=capacity,
    )


@settings(max_examples=12)
@given(steady_archives(), st.booleans())
def test_what_is_forecast_is_kept_in_the_end(archive: Archive, something_is_held: bool) -> None:
    if something_is_held:  # of the first hours: it is never part of what passes through
        for camera in archive.habits:
            archive.hold(camera, WALL0, WALL0 + 30 * HOUR)
        run(archive, 3)
    usage = archive.usage()
    if something_is_held:
        cameras = {}
        for camera, used in usage.cameras.items():
            size = sum(s.size for s in archive.kept[camera].values() if archive.held.cover(s))
            cameras[camera] = CameraUsage(used.kept_bytes, used.growing_bytes, size)
        usage = Usage(cameras, usage.free_bytes)
    told = forecast(usage, archive.policy, rates_of(archive))
    kept = {camera: lasting.kept_s for camera, lasting in told.cameras.items()}
    longest = max((s for s in kept.values() if s is not None), default=0) / 86400
    run(archive, 2 * min(longest, 60) + 1)
    for camera, kept_s in kept.items():
        oldest = next(archive.candidates(camera))
        found_s = (archive.true_us - oldest.start) / 1e6
        if kept_s is not None and kept_s <= 60 * 86400:
            assert abs(found_s - kept_s) <= 0.05 * kept_s


@settings(max_examples=12)
@given(steady_archives(), st.floats(0, 3))
def test_it_is_full_when_it_was_forecast(archive: Archive, days: float) -> None:
    archive.policy = Policy(
        archive.policy.overall,
        archive.policy.keep_free_bytes,
        {camera: Limits(own.max_bytes) for camera, own in archive.policy.cameras.items()},
    )
    run(archive, days)
    told = forecast(archive.usage(), archive.policy, rates_of(archive))
    began, full_us = archive.true_us, dict.fromkeys(archive.habits, 0)

    def watch() -> None:
        above = excess(archive.policy, archive.usage())
        for camera in full_us:
            too_much = camera in above.cameras or above.overall or above.free
            if too_much and not full_us[camera]:
                full_us[camera] = archive.true_us

    run(archive, 40, watch)
    for camera, full in full_us.items():
        full_s = told.cameras[camera].full_s
        if full and full - began < 39 * DAY:
            assert full_s is not None
            assert abs((full - began) / 1e6 - full_s) <= 0.05 * full_s + 2 * 3600
        else:
            assert full_s is None or full_s > 37 * 86400


amounts = st.integers(0, 10**13)
sometimes = st.none() | st.integers(1, 10**13)


@given(
    st.dictionaries(
        st.sampled_from((A, B, C)),
        st.tuples(st.builds(CameraUsage, amounts, amounts, amounts), st.none() | st.floats(0, 1e8)),
    ),
    sometimes,
    sometimes,
    st.dictionaries(st.sampled_from((A, B, C)), st.builds(Limits, sometimes, sometimes)),
)
def test_every_forecast_makes_sense(
    cameras: dict[CameraId, tuple[CameraUsage, float | None]],
    quota: int | None,
    free: int | None,
    own: dict[CameraId, Limits],
) -> None:
    usage = Usage({camera: used for camera, (used, _) in cameras.items()}, free)
    told = forecast(
        usage, Policy(Limits(quota), 10**9, own), {c: r for c, (_, r) in cameras.items()}
    )
    assert set(told.cameras) == set(cameras)
    for lasting in (told.overall, *told.cameras.values()):
        for length in (lasting.full_s, lasting.kept_s):
            assert length is None or 0 <= length < float("inf")
        assert (lasting.bound is None) == (lasting.kept_s is None)
        assert in_words(lasting).endswith(".")
    for camera, lasting in told.cameras.items():
        if lasting.rate is None:
            assert camera in told.unknown
        elif told.overall.kept_s is not None and lasting.kept_s is not None:
            assert lasting.kept_s <= told.overall.kept_s


# --- examples ----------------------------------------------------------------------------------


def one(
    usage: CameraUsage, policy: Policy, rate: float | None = 100_000, free: int | None = None
) -> Forecast:
    return forecast(Usage({A: usage}, free), policy, {A: rate})


def test_a_disk() -> None:
    told = one(CameraUsage(20 * GB, 0), Policy(keep_free_bytes=10 * GB), free=96 * GB)
    assert told.overall.rate == 100_000
    assert told.overall.bound is Bound.DISK
    assert told.overall.kept_s == 106 * GB / 100_000
    assert told.overall.full_s == 86 * GB / 100_000
    assert told.cameras[A] == told.overall
    assert in_words(told.overall) == (
        "The disk is full in about 10 days and keeps about 12 days at the present rate."
    )


def test_a_quota_of_its_own_an_age_and_what_is_held() -> None:
    used = CameraUsage(30 * GB, 0, held_bytes=10 * GB)
    told = one(used, Policy(cameras={A: Limits(50 * GB)}))
    assert told.cameras[A] == Lasting(100_000, 200_000, 400_000, Bound.CAMERA)
    assert told.overall == Lasting(100_000, None, None, None)
    told = one(used, Policy(Limits(50 * GB, 100_000)))
    assert told.cameras[A] == Lasting(100_000, None, 100_000, Bound.AGE)
    told = one(used, Policy(cameras={A: Limits(50 * GB, 100_000)}))
    assert told.cameras[A] == Lasting(100_000, None, 100_000, Bound.AGE)
    assert in_words(told.cameras[A]) == "The limit of age keeps about 1.2 days."
    told = one(used, Policy(Limits(30 * GB)))
    assert told.overall == Lasting(100_000, 0, 200_000, Bound.OVERALL)
    assert "is full and keeps" in in_words(told.overall)
    assert one(used, Policy(Limits(5 * GB))).overall.kept_s == 0


def test_what_a_small_quota_leaves_the_others_have() -> None:
    usage = Usage({A: CameraUsage(), B: CameraUsage()})
    policy = Policy(Limits(100 * GB), cameras={A: Limits(10 * GB)})
    told = forecast(usage, policy, {A: 100_000, B: 100_000})
    assert told.cameras[A] == Lasting(100_000, 100_000, 100_000, Bound.CAMERA)
    assert told.cameras[B] == Lasting(100_000, 900_000, 900_000, Bound.OVERALL)


def test_what_is_not_known_is_said() -> None:
    told = one(CameraUsage(GB), Policy(Limits(10 * GB)), rate=None)
    assert told.unknown == (A,)
    assert told.overall == told.cameras[A] == Lasting(None, None, None, None)
    assert "not known yet" in in_words(told.overall)
    told = forecast(Usage({A: CameraUsage(GB)}), Policy(Limits(10 * GB)), {A: None, B: 1000})
    assert told.overall.full_s == 9 * GB / 1000
    assert told.unknown == (A,)
    still = one(CameraUsage(GB), Policy(Limits(10 * GB)), rate=0)
    assert still.overall == Lasting(0, None, None, None)
    assert "Nothing was recorded" in in_words(still.overall)
    assert forecast(EMPTY, Policy(), {}).overall.rate is None


@pytest.mark.parametrize(
    ("length_s", "said"),
    [
        (5, "less than a minute"),
        (60, "about 1 minute"),
        (5400, "about 1.5 hours"),
        (12.4 * 86400, "about 12 days"),
        (700 * 86400, "about 700 days"),
        (3000 * 86400, "about 8 years"),
    ],
)
def test_lengths_of_time_in_round_figures(length_s: float, said: str) -> None:
    assert about(length_s) == said


def test_the_rate_is_that_of_the_last_day_with_its_outages() -> None:
    now = WallUs(WALL0 + 10 * DAY)
    hours = [
        (WallUs(now - n * HOUR), WallUs(now - (n - 1) * HOUR), 3_600_000) for n in range(1, 100)
    ]
    since = WallUs(WALL0)
    assert measured_rate(hours, now, since=since) == pytest.approx(1000)
    assert measured_rate(hours[::2], now, since=since) == pytest.approx(500)
    assert measured_rate(hours, WallUs(now + DAY // 2), since=since) == pytest.approx(500)
    assert measured_rate(hours[30:], now, since=since) == 0
    assert measured_rate([], now, since=since) == 0
    young = WallUs(now - HOUR)
    assert measured_rate(hours[:1], now, since=young) == pytest.approx(1000)
    assert measured_rate(hours[:1], now, since=WallUs(now - 59 * SECOND)) is None
    assert measured_rate(hours[:1], now, since=WallUs(now + HOUR)) is None
    part = measured_rate(
        [(WallUs(now - DAY - HOUR), WallUs(now - DAY + HOUR), 2)], now, since=since
    )
    assert part == pytest.approx(1 / 86400)
