"""Where things are in an archive, and what they may be called."""

import os
import re
import string
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from camkeep.archive.layout import (
    DayFolder,
    camera_folders,
    damaged_name,
    day_name,
    days_of,
    folder_name,
    is_damaged,
    is_day,
    is_segment,
    new_camera_id,
    new_clip_id,
    read_instant,
    segment_name,
    segment_path,
    segments_in,
    starts_as_named,
    write_instant,
)
from camkeep.clock import WallUs

LAST = 253_402_300_799_999_999
instants = st.integers(0, LAST).map(WallUs)
RESERVED = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(10)}


@given(st.text(), st.lists(st.text(max_size=8), max_size=6))
@example("", [])
@example("../../etc/passwd", [])
@example("C:\\NUL.txt", [])
@example("aux", ["AUX"])
@example("Höf\0links", ["hof-links", "HOF-LINKS-2"])
@example("ﬁ" * 5000, [])
@example("-" * 47 + "a" * 9, [])
def test_folders_are_safe_on_every_file_system_and_unlike_all_others(
    name: str, others: list[str]
) -> None:
    taken: list[str] = []
    for other in [*others, name, name, name]:
        folder = folder_name(other, taken)
        assert re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?", folder)
        assert folder.lower() not in RESERVED
        assert folder.lower() not in {other.lower() for other in taken}
        taken.append(folder)


@given(st.text(string.ascii_letters + string.digits + "- ", min_size=1, max_size=40))
def test_a_plain_name_stays_what_it_is(name: str) -> None:
    plain = "-".join(name.replace("-", " ").split())
    if plain and plain.lower() not in RESERVED:
        assert folder_name(name) == plain


@given(instants)
@example(WallUs(0))
@example(WallUs(LAST))
def test_instants_are_written_and_read_to_the_microsecond(wall: WallUs) -> None:
    written = write_instant(wall)
    assert read_instant(written) == wall
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", written)


@given(instants, instants)
def test_names_are_in_the_order_of_time(one: WallUs, other: WallUs) -> None:
    assert (one <= other) == (write_instant(one) <= write_instant(other))
    if day_name(one) != day_name(other):
        assert (one < other) == (day_name(one) < day_name(other))


@pytest.mark.parametrize("wall", [-1, -(10**18), LAST + 1, 10**18, 1 << 62])
def test_a_clock_that_is_beside_itself_still_gives_names(wall: int) -> None:
    day, name = day_name(WallUs(wall)), segment_name(WallUs(wall))
    assert is_day(day)
    assert is_segment(name)
    assert read_instant(write_instant(WallUs(wall))) == (0 if wall < 0 else LAST)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-21",
        "2026-11-21T14:03:07Z",
        "2026-11-21T14:03:07.123Z",
        "2026-11-21T14:03:07.123456",
        "2026-11-21T14:03:07.123456+00:00",
        "2026-13-21T14:03:07.123456Z",
        "2026-11-21T14:03:61.123456Z",
        "2026-1-1T1:1:1.123456Z",
        "٢٠٢٦-11-21T14:03:07.123456Z",
        "1969-12-31T23:59:59.999999Z",
        "2026-11-21T14:03:07.123456Z\n",
        "2026-11-21T14:03:07.123456Z" * 2,
    ],
)
def test_nothing_else_is_an_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_instant(text)


@given(st.integers(0, LAST - 86_400_000_000).map(WallUs), st.integers(1, 999_999))
def test_segments_are_named_by_their_start(wall: WallUs, attempt: int) -> None:
    name, day = segment_name(wall, attempt), day_name(wall)
    aside = damaged_name(name)
    assert is_segment(name)
    assert is_segment(aside)
    assert not is_damaged(name)
    assert is_damaged(aside)
    assert is_damaged(segment_path("garage", day, aside))
    assert damaged_name(aside) == aside
    for called in (name, aside):
        assert starts_as_named(day, called, wall)
        assert not starts_as_named(day, called, WallUs(wall + 1_000_000))
        assert not starts_as_named(day, called, WallUs(wall + 86_400_000_000))


@pytest.mark.parametrize(
    "name",
    [
        "14-03-07.mp4",
        "14-03-07Z.MP4",
        ".14-03-07Z.mp4.part",
        "14-03-07Z (copy).mp4",
        "14-03-07Z.mp4\n",
        "١٤-03-07Z.mp4",
        "14-03-07-Z.mp4",
        "14-03-07Z.damaged.damaged.mp4",
        "gaps.jsonl",
    ],
)
def test_other_files_are_no_segments(name: str) -> None:
    assert not is_segment(name)
    assert not is_damaged(name)


def test_ids_are_letters_and_digits_that_nobody_mistakes() -> None:
    ids = {new_camera_id() for _ in range(200)} | {new_clip_id() for _ in range(200)}
    assert len(ids) == 400
    assert {len(found) for found in ids} == {12, 16}
    assert not set("".join(ids)) & set("lo01LO")
    assert all(found.isascii() and found.isalnum() for found in ids)


def test_walking_finds_segments_and_nothing_else(tmp_path: Path) -> None:
    base = tmp_path / "recordings" / "garage"
    day = base / "2026-11-21"
    day.mkdir(parents=True)
    for name in ("14-03-07Z.mp4", "14-03-07-2Z.mp4", "14-05-00Z.damaged.mp4", "gaps.jsonl"):
        (day / name).touch()
    (day / "14-06-00Z.mp4").mkdir()
    (day / "14-07-00Z.mp4").symlink_to(day / "14-03-07Z.mp4")
    (base / "2026-11-20").mkdir()
    (base / "2026-11-22").symlink_to(day)
    (base / "2026-11-23").touch()
    (base / "notes").mkdir()
    (tmp_path / "recordings" / "elsewhere").symlink_to(base)
    (tmp_path / "recordings" / "a file").touch()
    assert camera_folders(tmp_path) == ["garage"]
    days = days_of(tmp_path, "garage")
    assert days == [
        DayFolder("garage", "2026-11-20", base / "2026-11-20"),
        DayFolder("garage", "2026-11-21", day),
    ]
    names = sorted(entry.name for entry in segments_in(days[1]))
    assert names == ["14-03-07-2Z.mp4", "14-03-07Z.mp4", "14-05-00Z.damaged.mp4"]


def test_what_is_not_there_is_empty(tmp_path: Path) -> None:
    assert camera_folders(tmp_path) == []
    assert days_of(tmp_path, "garage") == []
    assert list(segments_in(DayFolder("garage", "2026-11-21", tmp_path / "2026-11-21"))) == []


def test_a_folder_whose_name_is_no_text_is_walked(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/recordings")  # noqa: PTH102 - of bytes
    os.mkdir(os.fsencode(tmp_path) + b"/recordings/h\xf6f")  # noqa: PTH102
    assert camera_folders(tmp_path) == ["h\udcf6f"]
