"""The log's newest records, and what the service consists of: for administrators."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from camkeep.server import process
from camkeep.server.api.health import ServiceHealth, service_health
from camkeep.server.desk import DeskOf
from camkeep.server.logs import RING_RECORDS, LogRecord
from camkeep.server.web.guard import Admin

router = APIRouter(tags=["system"])


class Level(StrEnum):
    """How grave a record is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class LogTold(BaseModel):
    """One record of the log."""

    id: int = Field(description="Rises by one with each, from 1 at each start")
    time_us: int
    level: Level
    logger: str
    told: str
    trace: str = Field(description="Of an exception; else empty")


class LogPage(BaseModel):
    """Some records, oldest first."""

    records: list[LogTold]
    last: int = Field(description="Id of the newest record there is: the next `after`")


class System(BaseModel):
    """What the service consists of."""

    versions: dict[str, str]
    service: ServiceHealth
    archive: str = Field(description="The archive's folder")
    started_us: int


@router.get("/logs")
async def logs(
    who: Admin,
    desk: DeskOf,
    after: Annotated[
        int | None, Query(ge=0, lt=2**62, description="Only those after this id; else the newest")
    ] = None,
    level: Annotated[Level, Query(description="Only those at least so grave")] = Level.DEBUG,
    limit: Annotated[int, Query(ge=1, le=RING_RECORDS)] = 200,
) -> LogPage:
    """The newest records of the log, which are kept in memory. Secrets are not in them."""
    ring = desk.monitor.log
    last = ring.last_id
    if after is None:
        return _page(ring.newest(limit, level), last)
    found = ring.after(after, limit, level)
    return _page(found, found[-1].id if len(found) == limit else last)


def _page(records: list[LogRecord], last: int) -> LogPage:
    return LogPage(records=[_told(record) for record in records], last=last)


def _told(record: LogRecord) -> LogTold:
    return LogTold(
        id=record.id,
        time_us=record.wall_us,
        level=Level(record.level),
        logger=record.logger,
        told=record.told,
        trace=record.trace,
    )


@router.get("/system")
async def system(who: Admin, desk: DeskOf) -> System:
    """What the service consists of, and how it is."""
    versions = await asyncio.to_thread(process.versions)
    return System(
        versions=versions,
        service=await service_health(desk),
        archive=str(desk.archive.root.path),
        started_us=desk.clock.wall() - round(desk.monitor.uptime_s * 1e6),
    )
