"""Retention over months of simulated time: whatever happens, what must hold of it holds."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from camkeep.archive.retention import Limits, Policy
from camkeep.model import CameraId
from support.footage import DAY, HOUR, SECOND, WALL0
from support.months import Archive, Err, Habit, run

YEAR = 365 * DAY

habits = st.builds(
    Habit,
    period_us=st.integers(HOUR, 6 * HOUR),
    size=st.integers(10, 1000),
    outages=st.sampled_from((0.0, 0.0, 0.02, 0.2)),
)
limits = st.builds(
    Limits,
    max_bytes=st.none() | st.integers(1, 100_000),
    max_age_s=st.none() | st.integers(3600, 60 * 86400),
)


@st.composite
def policies(draw: st.DrawFn, cameras: list[CameraId]) -> Policy:
    own = {camera: draw(limits) for camera in cameras if draw(st.booleans())}
    return Policy(draw(limits), draw(st.sampled_from((0, 0, 5000))), own)


@st.composite
def wrong_clocks(draw: st.DrawFn) -> tuple[Err, ...]:
    """Steps ahead that are put right within a day, and steps back of any length."""
    found = []
    time = draw(st.integers(0, 20 * DAY))
    for _ in range(draw(st.integers(0, 5))):
        by = draw(
            st.sampled_from((2 * HOUR, -HOUR, 90 * SECOND, 10 * YEAR, -10 * YEAR, -YEAR, 40 * DAY))
        )
        long = draw(st.integers(HOUR, 23 * HOUR if by > 0 else 10 * DAY))
        found.append(Err(time, time + long, by))
        # a clock that was slow for more than a day and is put right counts as one that is set
        # ahead: it is believed a day later
        time += long + draw(st.integers(30 * HOUR, 20 * DAY))
    return tuple(found)


@st.composite
def archives(draw: st.DrawFn) -> Archive:
    cameras = [CameraId(name) for name in "abc"[: draw(st.integers(1, 3))]]
    return Archive(
        {camera: draw(habits) for camera in cameras},
        draw(policies(cameras)),
        random.Random(draw(st.integers(0, 2**32))),
        draw(wrong_clocks()),
        draw(st.none() | st.integers(20_000, 200_000)),
        draw(st.sampled_from((1, 7, 1000))),
    )


@settings(max_examples=60)
@given(archives(), st.data())
def test_whatever_happens(archive: Archive, data: st.DataObject) -> None:
    """The rules themselves are checked at every plan: see support/months.py."""
    for _ in range(data.draw(st.integers(1, 6))):
        rng = archive.rng
        happening = data.draw(st.sampled_from(("hold", "go on", "quota", "restart", "others")))
        camera = rng.choice(list(archive.habits))
        if happening == "hold":
            start = archive.true_us + archive.error_us - rng.randrange(40 * DAY)
            long = rng.choice((None, 1, HOUR, 5 * DAY))
            archive.hold(camera, start, None if long is None else start + long)
        elif happening == "quota":
            archive.policy = data.draw(policies(list(archive.habits)))
        elif happening == "restart":
            archive.restart()
        elif happening == "others":
            archive.others_bytes = rng.randrange(20_000)
        run(archive, data.draw(st.floats(0.1, 25)))
        archive.thin_out()
        if rng.random() < 0.5:
            archive.release()


@settings(max_examples=10)
@given(st.integers(0, 2**32), st.integers(2, 30))
def test_what_is_younger_than_the_limit_is_there_and_nothing_older(seed: int, days: int) -> None:
    rng = random.Random(seed)
    archive = Archive(
        {CameraId(name): Habit(rng.randrange(HOUR, 5 * HOUR), 100, 0.02) for name in "ab"},
        Policy(Limits(max_age_s=days * 86400)),
        rng,
    )

    def nothing_of_the_last_days_is_missing() -> None:
        oldest = archive.true_us - days * DAY
        for kept in archive.kept.values():
            numbers = list(kept)
            assert numbers == list(range(numbers[0], numbers[-1] + 1)) if numbers else True
            first = next(iter(kept.values()), None)
            slack = 5 * HOUR  # the other camera's segment may bring the next plan
            assert first is None or first.end >= oldest - slack
        assert all(
            taken < oldest or number in archive.kept[camera]
            for (camera, number), taken in archive.taken.items()
        )

    run(archive, 2 * days)
    nothing_of_the_last_days_is_missing()
    run(archive, 1, nothing_of_the_last_days_is_missing)


def test_the_overall_quota_takes_the_oldest_wherever_it_is() -> None:
    archive = Archive(
        {
            CameraId("fast"): Habit(HOUR, 900, steady=True),
            CameraId("slow"): Habit(5 * HOUR, 100, steady=True),
        },
        Policy(Limits(max_bytes=200_000)),
        random.Random(1),
    )
    run(archive, 60)
    fast, slow = (next(iter(kept.values())) for kept in archive.kept.values())
    assert abs(fast.end - slow.end) <= 5 * HOUR
    assert archive.true_us - fast.end > 8 * DAY
    assert fast.end > WALL0 + 40 * DAY


def test_two_hours_ahead_delete_nothing_and_a_year_ahead_neither() -> None:
    for by in (2 * HOUR, YEAR):
        archive = Archive(
            {CameraId("a"): Habit(HOUR, 100)},
            Policy(Limits(max_age_s=10 * 86400)),
            random.Random(2),
            (Err(20 * DAY, 20 * DAY + 23 * HOUR, by),),
        )
        run(archive, 20)
        oldest = next(iter(archive.kept[CameraId("a")].values()))
        assert 10 * DAY <= archive.true_us - oldest.end + HOUR <= 10 * DAY + 2 * HOUR
        run(archive, 0.9)  # the clock is wrong
        oldest = next(iter(archive.kept[CameraId("a")].values()))
        assert archive.true_us - oldest.end >= 10 * DAY - HOUR
        run(archive, 5)  # it was put right: the limit goes on
        oldest = next(iter(archive.kept[CameraId("a")].values()))
        assert archive.true_us - oldest.end <= 10 * DAY + 2 * HOUR
