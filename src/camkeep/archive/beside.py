"""The small files beside the segments: cameras, gaps, clips, and what was removed.

Each is JSON that a person can read. Encoding is exact and decoding forgives nothing: what does
not read is a ValueError, for the caller to report and pass over. Only the files are spoken of
here; who writes them when is told in `ledger`, `clips`, `reaper` and `store`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from camkeep.archive.layout import read_instant, write_instant
from camkeep.clock import WallUs
from camkeep.model import CameraId, Cause, Clip, Gap, KeptCamera, Removal

T = TypeVar("T")

MAX_SMALL_FILE = 64 * 1024 * 1024
"""More than any of these files grows to, bytes."""
FOREVER = WallUs((1 << 62) - 1)
"""Later than any instant: when a gap ends that still lasts."""


def camera_json(camera: KeptCamera) -> bytes:
    """camera.json."""
    return _pretty(
        {
            "id": camera.id,
            "name": camera.name,
            "address": camera.address,
            "since": write_instant(camera.since),
        }
    )


def read_camera(data: bytes, folder: str) -> KeptCamera:
    """The camera whose folder holds this camera.json. Raises ValueError."""

    def parse(fields: Any) -> KeptCamera:
        name = _text(fields, "name")
        if not name.isprintable() or not name:
            raise ValueError("name")
        return KeptCamera(
            CameraId(_id(fields["id"])),
            name,
            folder,
            _text(fields, "address"),
            read_instant(_text(fields, "since")),
        )

    return _parsed(data, parse)


def gap_line(gap: Gap) -> bytes:
    """A line of gaps.jsonl. A gap that lasts has no end yet; a later line with the same start
    takes its place."""
    fields = {
        "start": write_instant(gap.start),
        "end": None if gap.lasting else write_instant(gap.end),
        "cause": gap.cause.value,
        "detail": gap.detail,
    }
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def read_gaps(data: bytes) -> tuple[list[Gap], int]:
    """The gaps of a gaps.jsonl in order of their lines, and how many lines could not be read.

    A gap that lasts has the end FOREVER. The last line may be torn: that is no fault.
    """
    found: dict[WallUs, Gap] = {}
    bad = 0
    lines = data.split(b"\n")
    for line in lines:
        if not line.strip():
            continue
        try:
            gap = _parsed(line, _gap)
        except ValueError:
            bad += line is not lines[-1]
            continue
        found[gap.start] = gap
    return list(found.values()), bad


def _gap(fields: Any) -> Gap:
    end = fields["end"]
    lasting = end is None
    start = read_instant(_text(fields, "start"))
    until = FOREVER if lasting else read_instant(_text(fields, "end"))
    if until < start:
        raise ValueError("end")
    return Gap(start, until, Cause(_text(fields, "cause")), _text(fields, "detail"), lasting)


def clip_json(clip: Clip) -> bytes:
    """clips/<id>.json."""
    return _pretty(
        {
            "id": clip.id,
            "name": clip.name,
            "cameras": list(clip.cameras),
            "start": write_instant(clip.start),
            "end": None if clip.end is None else write_instant(clip.end),
            "held": clip.held,
            "created": write_instant(clip.created),
        }
    )


def read_clip(data: bytes) -> Clip:
    """The clip in a file of clips/. Raises ValueError."""

    def parse(fields: Any) -> Clip:
        cameras = fields["cameras"]
        if type(cameras) is not list:
            raise ValueError("cameras")
        end = None if fields["end"] is None else read_instant(_text(fields, "end"))
        if type(fields["held"]) is not bool:
            raise ValueError("held")
        return Clip(
            _id(fields["id"]),
            _text(fields, "name"),
            tuple(CameraId(_id(camera)) for camera in cameras),
            read_instant(_text(fields, "start")),
            end,
            fields["held"],
            read_instant(_text(fields, "created")),
        )

    return _parsed(data, parse)


def removals_json(removals: Iterable[Removal]) -> bytes:
    """removed.json, oldest first."""
    return _pretty(
        [
            {
                "first": removal.first,
                "last": removal.last,
                "count": removal.count,
                "start": write_instant(removal.start),
                "end": write_instant(removal.end),
                "previous": removal.previous.hex(),
                "chain": removal.chain.hex(),
                "removed": write_instant(removal.removed),
            }
            for removal in removals
        ]
    )


def read_removals(data: bytes, camera: CameraId) -> list[Removal]:
    """The removals in a removed.json. Raises ValueError."""

    def parse(rows: Any) -> list[Removal]:
        if type(rows) is not list:
            raise ValueError("rows")
        found = [
            Removal(
                camera,
                _number(row, "first"),
                _number(row, "last"),
                _number(row, "count"),
                read_instant(_text(row, "start")),
                read_instant(_text(row, "end")),
                _digest(row, "previous"),
                _digest(row, "chain"),
                read_instant(_text(row, "removed")),
            )
            for row in rows
        ]
        if any(r.last < r.first for r in found) or len({r.first for r in found}) < len(found):
            raise ValueError("sequences")
        return found

    return _parsed(data, parse)


def with_removed(removals: Sequence[Removal], more: Removal) -> list[Removal]:
    """`removals` of a camera and one more, in order of sequence. Those whose chains follow each
    other become one."""
    rows = sorted([*removals, more], key=lambda row: row.first)
    joined: list[Removal] = []
    for row in rows:
        before = joined[-1] if joined else None
        if before is None or before.chain != row.previous:
            joined.append(row)
            continue
        joined[-1] = Removal(
            row.camera,
            before.first,
            row.last,
            before.count + row.count,
            min(before.start, row.start),
            max(before.end, row.end),
            before.previous,
            row.chain,
            max(before.removed, row.removed),
        )
    return joined


def _pretty(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _parsed(data: bytes, parse: Callable[[Any], T]) -> T:
    try:
        return parse(json.loads(data))
    except (KeyError, TypeError, AttributeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"malformed: {error}") from error


def _text(fields: Any, name: str) -> str:
    value = fields[name]
    if type(value) is not str:
        raise ValueError(name)
    return value.encode("utf-8", "replace").decode()  # JSON can name half a character


def _id(value: Any) -> str:
    if type(value) is not str or not (value.isascii() and value.isalnum()):
        raise ValueError("id")
    return value


def _digest(fields: Any, name: str) -> bytes:
    value = bytes.fromhex(_text(fields, name))
    if len(value) != 32:
        raise ValueError(name)
    return value


def _number(fields: Any, name: str) -> int:
    value = fields[name]
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError(name)
    return value
