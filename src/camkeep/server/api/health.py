"""How the service and its cameras are: for load balancers, for people, for Prometheus."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from camkeep.engine.supervisor import Supervisor
from camkeep.errors import StorageError
from camkeep.model import CameraId
from camkeep.server import process
from camkeep.server.access import Role
from camkeep.server.api.figures import backlog, figures
from camkeep.server.dayshares import DayShares
from camkeep.server.desk import Desk, DeskOf
from camkeep.server.exposition import CONTENT_TYPE
from camkeep.server.redact import redactor
from camkeep.server.shelf import Shelf, ShelfOf
from camkeep.server.web.guard import Admin, Anybody, Looker

router = APIRouter(tags=["health"])
"""Below /api/v1."""
root = APIRouter(tags=["health"])
"""At the top: where others look for it."""


class CameraHealth(BaseModel):
    """How a camera is at this moment."""

    camera: str = Field(description="Its id")
    name: str
    state: str = Field(description="connecting, live, waiting, refused, idle or off")
    since_us: int = Field(description="Since when it is in that state")
    told: str = Field(description="What is wrong, for a person; empty where nothing is")
    recording: bool = Field(description="Pictures are being kept")
    fps: float | None = Field(description="As measured over the last seconds")
    bits_per_s: float | None
    age_s: float | None = Field(description="How long ago the newest frame came")
    frames: int = Field(description="Kept since the start")
    bytes: int
    drops: int = Field(description="Frames that were not kept")
    reconnects: int
    clock_offset_s: float | None = Field(description="The camera's clock minus this machine's")
    viewers: int
    coverage_day: float | None = Field(
        description="The part of the last 24 hours that is there, of what was to be recorded"
    )


class ServiceHealth(BaseModel):
    """How the service is."""

    version: str
    uptime_s: float
    memory_bytes: int | None
    descriptors: int | None
    threads: int
    longest_pause_s: float = Field(description="Of the event loop, in the last minute")
    backlog_bytes: int = Field(description="Of footage that waits for the disk")
    disk_free_bytes: int | None
    disk_total_bytes: int | None
    problems: list[str]


class Health(BaseModel):
    """Everything that somebody may see of it."""

    cameras: list[CameraHealth]
    service: ServiceHealth | None = Field(description="For administrators")


@root.get("/healthz", responses={503: {"description": "It does not work; `problems` says why."}})
async def healthz(who: Anybody, desk: DeskOf) -> JSONResponse:
    """Whether the service works. Names no camera, no path and no version."""
    problems = desk.monitor.vitals.unwell()
    if not problems:
        return JSONResponse({"status": "ok"})
    told = f"{len(problems)} of its parts do not work: its log and /api/v1/health say which"
    return JSONResponse({"status": "failing", "detail": told}, 503)


async def shares_of(request: Request, shelf: ShelfOf) -> DayShares:
    """Those of the application which got the request, made for the first of them."""
    state = request.app.state
    shares: DayShares | None = getattr(state, "day_shares", None)
    if shares is None:
        shares = state.day_shares = DayShares(shelf, request.app.state.desk.clock)
    return shares


@router.get("/health")
async def health(
    who: Looker, desk: DeskOf, shares: Annotated[DayShares, Depends(shares_of)]
) -> Health:
    """How the cameras are, and for administrators the service itself."""
    cameras = [c for c in desk.service.cameras.values() if who.may_see(c.camera.id)]
    covered = await asyncio.to_thread(shares.of, [each.camera for each in cameras])
    service = await service_health(desk) if who.role is Role.ADMIN else None
    return Health(
        cameras=[camera_health(each, covered.get(each.camera.id)) for each in cameras],
        service=service,
    )


def camera_health(camera: Supervisor, covered: float | None) -> CameraHealth:
    """One camera's, as JSON."""
    now = camera.health()
    return CameraHealth(
        camera=camera.camera.id,
        name=camera.camera.name,
        state=now.word,
        since_us=now.since,
        told=redactor(now.told),
        recording=now.recording,
        fps=_rounded(now.fps, 2),
        bits_per_s=_rounded(now.bits_per_s, 0),
        age_s=_rounded(now.age_s, 3),
        frames=now.frames,
        bytes=now.bytes,
        drops=now.drops,
        reconnects=now.reconnects,
        clock_offset_s=_rounded(now.clock_offset_s, 3),
        viewers=now.viewers,
        coverage_day=_rounded(covered, 6),
    )


async def service_health(desk: Desk) -> ServiceHealth:
    """The process and its disk."""
    looked = await asyncio.to_thread(process.look)
    room = desk.monitor.vitals.room
    return ServiceHealth(
        version=process.versions()["camkeep"],
        uptime_s=round(desk.monitor.uptime_s, 1),
        memory_bytes=looked.memory_bytes,
        descriptors=looked.descriptors,
        threads=looked.threads,
        longest_pause_s=round(desk.monitor.lag.longest_s, 4),
        backlog_bytes=backlog(desk),
        disk_free_bytes=room and room.free,
        disk_total_bytes=room and room.total,
        problems=[redactor(each) for each in desk.monitor.vitals.unwell()],
    )


@root.get("/metrics", response_class=Response)
async def metrics(who: Admin, desk: DeskOf, shelf: ShelfOf) -> Response:
    """Figures for Prometheus, in its text format."""
    looked = await asyncio.to_thread(process.look)
    kept = await asyncio.to_thread(kept_bytes, shelf)
    return Response(figures(desk, looked, kept), media_type=CONTENT_TYPE)


def kept_bytes(shelf: Shelf) -> dict[CameraId, int]:
    """What is kept of each camera; nothing where the index does not answer. Blocks."""
    try:
        with shelf.catalog() as catalog:
            return {camera: total.bytes for camera, total in catalog.totals().items()}
    except StorageError:
        return {}


def _rounded(value: float | None, digits: int) -> Any:
    return None if value is None else round(value, digits)
