"""Where things are in an archive's folder, and the small files that make it explain itself.

    README.txt                                  for a person who finds the folder
    camkeep-archive.json                        the marker: nothing is written where it is not
    index.db                                    a cache; all it knows stands in the other files
    clips/<id>.json                             one for each clip
    recordings/<folder>/camera.json             which camera this is
    recordings/<folder>/removed.json            what was deleted on purpose
    recordings/<folder>/2026-11-21/14-03-07Z.mp4
    recordings/<folder>/2026-11-21/gaps.jsonl   the gaps that began on that day

All times in names are UTC. Names hold nothing but ASCII letters, digits, "-" and ".": they are
safe on every file system, and nothing of a camera's name can lead out of the folder.
"""

from __future__ import annotations

import os
import re
import secrets
import unicodedata
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from camkeep.clock import WallUs
from camkeep.model import CameraId

MARKER = "camkeep-archive.json"
README = "README.txt"
INDEX = "index.db"
LOCK = ".camkeep.lock"
AGE_FILE = ".camkeep.age.json"
"""What is believed of the time (`ageclock`)."""
POLICY_FILE = ".camkeep.policy.json"
"""What the last recorder was asked to keep (`policyfile`)."""
RECORDINGS = "recordings"
CLIPS = "clips"
CAMERA_FILE = "camera.json"
REMOVED_FILE = "removed.json"
GAPS_FILE = "gaps.jsonl"

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that can be mistaken for another
_SEGMENT = re.compile(r"\d\d-\d\d-\d\d(?:-\d{1,6})?Z(?P<damaged>\.damaged)?\.mp4", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_LONGEST = 48
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = 253_402_300_799_999_999  # the end of the year 9999


def new_camera_id() -> CameraId:
    """60 random bits."""
    return CameraId("".join(secrets.choice(_ALPHABET) for _ in range(12)))


def new_clip_id() -> str:
    """80 random bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(16))


def folder_name(name: str, taken: Collection[str] = ()) -> str:
    """A folder for the camera called `name`, unlike those `taken` whatever their case."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:_LONGEST].strip("-")
    if not plain or _RESERVED.fullmatch(plain):
        plain = f"camera-{plain}".strip("-")
    others = {other.lower() for other in taken}
    found, number = plain, 1
    while found.lower() in others:
        number += 1
        found = f"{plain}-{number}"
    return found


def moment(wall: WallUs) -> datetime:
    """`wall` to the microsecond, within what a calendar holds."""
    return _EPOCH + timedelta(microseconds=min(max(wall, 0), _LAST_US))


def day_name(wall: WallUs) -> str:
    """The folder of the day, in UTC."""
    return f"{moment(wall):%Y-%m-%d}"


def segment_name(wall: WallUs, attempt: int = 1) -> str:
    """The name of a segment that starts then; `attempt` 2, 3 ... where that is taken."""
    more = "" if attempt == 1 else f"-{attempt}"
    return f"{moment(wall):%H-%M-%S}{more}Z.mp4"


def damaged_name(name: str) -> str:
    """What a segment is called once nobody knows what the disk holds of it."""
    return name if is_damaged(name) else f"{name.removesuffix('.mp4')}.damaged.mp4"


def is_segment(name: str) -> bool:
    """Whether a file of that name is a segment, damaged or not."""
    return _SEGMENT.fullmatch(name) is not None


def is_damaged(path: str) -> bool:
    """Whether a file of that name, or path, is a damaged segment."""
    found = _SEGMENT.fullmatch(path.rpartition("/")[2])
    return found is not None and found["damaged"] is not None


def is_day(name: str) -> bool:
    """Whether a folder of that name is a day's."""
    return _DAY.fullmatch(name) is not None


def starts_as_named(day: str, name: str, start: WallUs) -> bool:
    """Whether a segment of that name, in that day's folder, may start then."""
    return day == day_name(start) and name.startswith(f"{moment(start):%H-%M-%S}")


def segment_path(folder: str, day: str, name: str) -> str:
    """The path of a segment in the archive's folder, as `Segment.path` has it."""
    return f"{RECORDINGS}/{folder}/{day}/{name}"


def write_instant(wall: WallUs) -> str:
    """``2026-11-21T14:03:07.123456Z``: exact, and read by people and programs alike."""
    return f"{moment(wall):%Y-%m-%dT%H:%M:%S.%f}Z"


def read_instant(text: str) -> WallUs:
    """The instant that `write_instant` wrote, and nothing that only looks like it. Raises
    ValueError."""
    parsed = datetime.fromisoformat(text).replace(tzinfo=UTC)
    wall = WallUs((parsed - _EPOCH) // timedelta(microseconds=1))
    if write_instant(wall) != text:
        raise ValueError(f"{text!r} is no instant")
    return wall


class DayFolder(NamedTuple):
    """A day of a camera."""

    folder: str
    """The camera's."""
    day: str
    path: Path


def camera_folders(root: Path) -> list[str]:
    """The folders under recordings/, sorted. Raises OSError but for a folder that is missing."""
    try:
        with os.scandir(root / RECORDINGS) as entries:
            return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def days_of(root: Path, folder: str) -> list[DayFolder]:
    """The days of a camera's folder, oldest first. Raises OSError but for a missing folder."""
    base = root / RECORDINGS / folder
    try:
        with os.scandir(base) as entries:
            days = [e.name for e in entries if is_day(e.name) and e.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return [DayFolder(folder, day, base / day) for day in sorted(days)]


def segments_in(day: DayFolder) -> Iterator[os.DirEntry[str]]:
    """The segment files of a day, in no order; links are passed over. Raises OSError but for a
    missing folder."""
    try:
        entries = os.scandir(day.path)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if is_segment(entry.name) and entry.is_file(follow_symlinks=False):
                yield entry
