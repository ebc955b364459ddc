"""What is kept, when, of one camera or of several.

All instants in answers are microseconds since 1970 in UTC. Lists are bounded by the resolution:
never finer than a 2,000th of the interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from camkeep.archive.coverage import UNWANTED
from camkeep.archive.nextfootage import NextFootage
from camkeep.archive.timecatalog import TimeCatalog
from camkeep.archive.timeline import look
from camkeep.archive.words import CAUSES
from camkeep.clock import WallUs
from camkeep.errors import UsageError
from camkeep.model import Cause, Clip, Gap, KeptCamera
from camkeep.server.access import Principal
from camkeep.server.api.instants import From, Instant, To, interval
from camkeep.server.desk import Desk, DeskOf
from camkeep.server.redact import redactor
from camkeep.server.shelf import Shelf, ShelfOf
from camkeep.server.web.guard import Looker, seen

router = APIRouter(tags=["timeline"])

MOST_SPANS = 2000
"""Of one camera; half as many where there are more cameras than `FEW`."""
FEW = 8
MOST_CAMERAS = 64
MOST_CLIPS = 500
"""In one timeline."""

Resolution = Annotated[
    float,
    Query(ge=0, le=86_400_000, description="Seconds; what is shorter is not told (1/2000 of it)"),
]


Cameras = Annotated[
    str, Query(max_length=2000, description="Ids with commas between them; by default all")
]


class GapTold(BaseModel):
    """When a camera was not recorded, and why."""

    start_us: int
    end_us: int
    cause: Cause = Field(description="For programs")
    told: str = Field(description="Why, for a person: what happened, or the cause in words")
    lasting: bool = Field(description="It lasts; `end_us` is now")
    wanted: bool = Field(description="False where nobody wanted it recorded then")


class ClipMark(BaseModel):
    """A clip that reaches into the interval."""

    id: str
    name: str
    start_us: int
    end_us: int | None = Field(description="null while it is being recorded")
    held: bool = Field(description="Its footage is kept, whatever the quotas say")


class CameraTimeline(BaseModel):
    """One camera's interval."""

    camera: str = Field(description="Its id")
    name: str
    since_us: int = Field(description="When it was first to be recorded")
    spans: list[tuple[int, int]] = Field(
        description="What is kept, as pairs of start_us and end_us; holes shorter than the "
        "resolution are closed"
    )
    gaps: list[GapTold] = Field(description="By their beginning, those too short left out")
    removed: list[tuple[int, int]] = Field(description="What was deleted on purpose")
    recorded_us: int = Field(description="How much of the interval is kept")
    share: float | None = Field(
        description="The part of what was to be recorded that was, 0 to 1; null where nothing was"
    )
    clips: list[ClipMark] = Field(description=f"By their beginning, {MOST_CLIPS} at most")


class Timeline(BaseModel):
    """An interval of one or more cameras."""

    start_us: int
    end_us: int
    resolution_us: int = Field(description="Nothing shorter is told")
    now_us: int = Field(description="The recorder's time")
    cameras: list[CameraTimeline]


@router.get("/cameras/{camera_id}/timeline")
def timeline(
    camera_id: str,
    start: From,
    who: Looker,
    desk: DeskOf,
    shelf: ShelfOf,
    end: To = None,
    resolution: Resolution = 0,
) -> Timeline:
    """What is kept of a camera between two instants, what is missing and why, and its clips."""
    camera = seen(desk, who, camera_id)
    now = desk.clock.wall()
    return _timeline(shelf, [camera], interval(start, now if end is None else end), resolution, now)


@router.get("/timeline")
def timelines(
    start: From,
    who: Looker,
    desk: DeskOf,
    shelf: ShelfOf,
    end: To = None,
    resolution: Resolution = 0,
    cameras: Cameras = "",
) -> Timeline:
    """The same of several cameras at once, by name or as they are asked for."""
    now = desk.clock.wall()
    within = interval(start, now if end is None else end)
    return _timeline(shelf, _chosen(desk, who, shelf, cameras), within, resolution, now)


class Toward(StrEnum):
    """In which direction somebody looks."""

    AFTER = "forward"
    BEFORE = "back"


class NextTold(BaseModel):
    """Where footage goes on."""

    at_us: int | None = Field(description="null where there is none any more")
    gap: GapTold | None = Field(description="Why there is none in between; the longest, if several")
    removed: bool = Field(description="Something in between was deleted on purpose")


@router.get("/timeline/next")
def next_footage(
    at: Annotated[Instant, Query(description="RFC 3339, or µs since 1970 in UTC")],
    who: Looker,
    desk: DeskOf,
    shelf: ShelfOf,
    direction: Toward = Toward.AFTER,
    cameras: Cameras = "",
) -> NextTold:
    """Where footage of any of the cameras begins after an instant, where none of them had any; or
    ended before it (`direction=back`). Exact, however short the hole."""
    now = desk.clock.wall()
    ids = [camera.id for camera in _chosen(desk, who, shelf, cameras)]
    with shelf.catalog() as catalog:
        looked = NextFootage(shelf.growing, catalog, shelf.recorded, ids)
        after = direction is Toward.AFTER
        hole = looked.after(at) if after else looked.before(at)
        if hole is None:
            return NextTold(at_us=None, gap=None, removed=False)
        gap, removed = looked.why(hole, now)
    return NextTold(
        at_us=hole.end if after else hole.start,
        gap=None if gap is None else gap_told(gap),
        removed=removed,
    )


def _chosen(desk: Desk, who: Principal, shelf: Shelf, cameras: str) -> list[KeptCamera]:
    """Those that somebody names, or all that they may see. Raises Problem 404, UsageError."""
    asked = list(dict.fromkeys(filter(None, cameras.split(","))))
    if len(asked) > MOST_CAMERAS:
        raise UsageError(f"ask for at most {MOST_CAMERAS} cameras at a time")
    if asked:
        return [seen(desk, who, camera_id) for camera_id in asked]
    with shelf.catalog() as catalog:
        found = [camera for camera in catalog.cameras() if who.may_see(camera.id)]
    return found[:MOST_CAMERAS]


def _timeline(
    shelf: Shelf,
    cameras: Sequence[KeptCamera],
    within: tuple[WallUs, WallUs],
    resolution_s: float,
    now: WallUs,
) -> Timeline:
    most = MOST_SPANS if len(cameras) <= FEW else MOST_SPANS // 2
    resolution_us = max(round(resolution_s * 1e6), -((within[0] - within[1]) // most), 1)
    with shelf.catalog() as catalog:
        clips = catalog.clips()
        told = [
            _told(shelf, catalog, camera, within, resolution_us, now, clips) for camera in cameras
        ]
    return Timeline(
        start_us=within[0],
        end_us=within[1],
        resolution_us=resolution_us,
        now_us=now,
        cameras=told,
    )


def _told(
    shelf: Shelf,
    catalog: TimeCatalog,
    camera: KeptCamera,
    within: tuple[WallUs, WallUs],
    resolution_us: int,
    now: WallUs,
    clips: Sequence[Clip],
) -> CameraTimeline:
    found = look(shelf.growing, catalog, shelf.recorded, camera, within, resolution_us, now)
    own = (clip for clip in clips if camera.id in clip.cameras and _touches(clip, within))
    return CameraTimeline(
        camera=camera.id,
        name=camera.name,
        since_us=camera.since,
        spans=[(span.start, span.end) for span in found.spans],
        gaps=[gap_told(gap) for gap in found.gaps],
        removed=[(span.start, span.end) for span in found.removed],
        recorded_us=found.coverage.recorded_us,
        share=found.coverage.share,
        clips=[
            ClipMark(
                id=clip.id, name=clip.name, start_us=clip.start, end_us=clip.end, held=clip.held
            )
            for clip in islice(own, MOST_CLIPS)
        ],
    )


def _touches(clip: Clip, within: tuple[WallUs, WallUs]) -> bool:
    end = within[1] if clip.end is None else clip.end
    return clip.start < within[1] and end > within[0]


def gap_told(gap: Gap) -> GapTold:
    """A gap as answers have it."""
    return GapTold(
        start_us=gap.start,
        end_us=gap.end,
        cause=gap.cause,
        told=redactor(gap.detail) or CAUSES[gap.cause],
        lasting=gap.lasting,
        wanted=gap.cause not in UNWANTED,
    )
