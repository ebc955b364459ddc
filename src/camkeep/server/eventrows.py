"""Events as rows of the settings database, and as JSON values. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from camkeep.clock import WallUs
from camkeep.engine.events import Event, Kind
from camkeep.model import CameraId
from camkeep.server.redact import redactor

LONGEST_TOLD = 2000
LONGEST_DETAIL = 4000


def is_bad(event: Event) -> bool:
    """Whether it is one that a person should look at."""
    return event.detail.get("state") in ("waiting", "refused") or event.detail.get("well") is False


def shown(events: Iterable[Event]) -> list[dict[str, object]]:
    """Events as JSON values, without secrets."""
    return [
        {
            "id": event.id,
            "time_us": event.wall,
            "kind": event.kind.value,
            "camera": event.camera,
            "told": redactor(event.told),
            "detail": dict(event.detail),
        }
        for event in events
    ]


def row_of(event: Event) -> tuple[object, ...]:
    """As the settings database keeps it, without secrets."""
    try:
        detail = json.dumps(dict(event.detail), allow_nan=False)
    except (TypeError, ValueError):  # a figure that is none: the sentence has to do
        detail = ""
    if not detail or len(detail) > LONGEST_DETAIL:
        detail = "{}"
    told = redactor(event.told)[:LONGEST_TOLD].encode(errors="replace").decode()
    return event.id, max(0, event.wall), event.kind.value, event.camera, told, detail


def event_of(row: tuple[int, int, str, str | None, str, str]) -> Event | None:
    """One that was kept; None for one of a kind that a newer version wrote."""
    id, wall, kind, camera, told, detail = row
    try:
        known = Kind(kind)
    except ValueError:
        return None
    about = None if camera is None else CameraId(camera)
    return Event(id, WallUs(wall), known, told, about, json.loads(detail))
