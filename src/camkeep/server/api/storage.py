"""How much is kept, how much room there is, for how long it lasts, and what may be kept."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from camkeep.archive.files import Room
from camkeep.archive.forecast import Lasting, forecast, in_words
from camkeep.archive.retention import CameraUsage, Limits, Policy
from camkeep.archive.usage import usage_of
from camkeep.clock import WallUs
from camkeep.errors import WriteFailed
from camkeep.server.access import Principal
from camkeep.server.desk import Desk, DeskOf
from camkeep.server.keeppolicy import LARGEST, write_policy
from camkeep.server.shelf import Shelf, ShelfOf
from camkeep.server.web.guard import Admin, Looker
from camkeep.server.web.visit import VisitOf

router = APIRouter(prefix="/storage", tags=["storage"])

_DAY_S = 86400.0


class ForecastTold(BaseModel):
    """What becomes of it if all goes on as in the last 24 hours."""

    bytes_per_s: float | None = Field(description="null where nobody knows yet")
    full_in_days: float | None = Field(
        description="Until the first footage goes for lack of room; null where that never happens"
    )
    keeps_days: float | None = Field(description="How much is kept in the long run")
    bound: str | None = Field(description="By what: age, camera-quota, overall-quota, disk")
    told: str = Field(description="All that in a sentence for a person")


class PolicyTold(BaseModel):
    """How much of all cameras together is kept. null is without limit."""

    model_config = ConfigDict(extra="forbid")

    max_bytes: int | None = Field(None, gt=0, le=LARGEST, description="Of all cameras together")
    max_age_s: float | None = Field(
        None, gt=0, le=LARGEST, description="Older footage goes", allow_inf_nan=False
    )
    keep_free_bytes: int = Field(0, ge=0, le=LARGEST, description="To be left free on the disk")


class CameraStorage(BaseModel):
    """What is kept of one camera."""

    camera: str = Field(description="Its id")
    name: str
    bytes: int
    held_bytes: int = Field(description="Of it, what clips hold")
    segments: int
    start_us: int | None = Field(description="The earliest picture; null where there is none")
    end_us: int | None = Field(description="The end of the latest")
    max_bytes: int | None = Field(description="Its own limits")
    max_age_s: float | None
    forecast: ForecastTold


class DiskTold(BaseModel):
    """The disk of the archive."""

    total_bytes: int
    free_bytes: int


class Storage(BaseModel):
    """What is kept; without sums where somebody does not see all cameras."""

    cameras: list[CameraStorage]
    bytes: int = Field(description="Of these cameras")
    held_bytes: int
    disk: DiskTold | None = Field(description="null where somebody does not see all cameras")
    policy: PolicyTold | None = Field(description="Likewise")
    forecast: ForecastTold | None = Field(description="Of all together, likewise")
    full_in_vain: bool = Field(description="The disk stays full whatever is deleted")


@router.get("")
def storage(who: Looker, desk: DeskOf, shelf: ShelfOf) -> Storage:
    """How much is kept of each camera, and for how long there is room."""
    return _storage(desk, shelf, who)


@router.put("/policy")
async def set_policy(wanted: PolicyTold, who: Admin, desk: DeskOf, visit: VisitOf) -> PolicyTold:
    """Say how much is to be kept of all cameras together. What is too much goes soon."""
    policy = Policy(Limits(wanted.max_bytes, wanted.max_age_s), wanted.keep_free_bytes)
    await desk.database.run(lambda connection: write_policy(connection, policy))
    await desk.service.keep_within(policy)
    await desk.accounts.audit.note(
        who,
        "storage.policy",
        "",
        visit.address,
        max_bytes=wanted.max_bytes,
        max_age_s=wanted.max_age_s,
        keep_free_bytes=wanted.keep_free_bytes,
    )
    return wanted


def _storage(desk: Desk, shelf: Shelf, who: Principal) -> Storage:
    now, policy = desk.clock.wall(), desk.service.janitor.policy
    room = _room(desk)
    with shelf.catalog() as catalog:
        cameras, totals = catalog.cameras(), catalog.totals()
        usage = usage_of(catalog, catalog.clips(), room.free, now)
        known = shelf.rates(catalog)
    growing = {c: w.shelf.open_bytes for c, w in desk.service.cameras.items()}
    usage = replace(
        usage,
        cameras={
            camera: replace(used, growing_bytes=growing.get(camera, 0))
            for camera, used in usage.cameras.items()
        },
    )
    ahead = forecast(usage, policy, {camera.id: known.get(camera.id) for camera in cameras})
    told = [
        CameraStorage(
            camera=camera.id,
            name=camera.name,
            bytes=usage.cameras.get(camera.id, CameraUsage()).total_bytes,
            held_bytes=usage.cameras.get(camera.id, CameraUsage()).held_bytes,
            segments=totals[camera.id].segments,
            start_us=totals[camera.id].start,
            end_us=_later(totals[camera.id].end, totals[camera.id].start),
            max_bytes=policy.quota(camera.id),
            max_age_s=policy.cameras.get(camera.id, Limits()).max_age_s,
            forecast=_forecast(ahead.cameras[camera.id]),
        )
        for camera in cameras
        if who.may_see(camera.id)
    ]
    every = who.cameras is None
    return Storage(
        cameras=told,
        bytes=sum(camera.bytes for camera in told),
        held_bytes=sum(camera.held_bytes for camera in told),
        disk=DiskTold(total_bytes=room.total, free_bytes=room.free) if every else None,
        policy=_policy(policy) if every else None,
        forecast=_forecast(ahead.overall) if every else None,
        full_in_vain=desk.service.janitor.in_vain,
    )


def _room(desk: Desk) -> Room:
    try:
        return desk.archive.root.room()
    except OSError as error:
        told = f"the disk of the archive cannot be looked at: {error.strerror}"
        raise WriteFailed(told) from error


def _later(end: WallUs | None, start: WallUs | None) -> WallUs | None:
    return end if end is None or start is None else max(start, end)


def _policy(policy: Policy) -> PolicyTold:
    return PolicyTold(
        max_bytes=policy.overall.max_bytes,
        max_age_s=policy.overall.max_age_s,
        keep_free_bytes=policy.keep_free_bytes,
    )


def _forecast(lasting: Lasting) -> ForecastTold:
    return ForecastTold(
        bytes_per_s=lasting.rate,
        full_in_days=None if lasting.full_s is None else lasting.full_s / _DAY_S,
        keeps_days=None if lasting.kept_s is None else lasting.kept_s / _DAY_S,
        bound=None if lasting.bound is None else lasting.bound.value,
        told=in_words(lasting),
    )
