"""Cameras that can be set up with one click: webcams of this machine, those that answer in the
network, and a simulated one, so that nobody meets an empty page."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from camkeep.cameras.address import parse_address
from camkeep.cameras.easyn.discovery import discover
from camkeep.cameras.v4l2 import list_devices
from camkeep.engine.offered import found_values, webcam_values
from camkeep.errors import CameraError
from camkeep.server.api.camerabody import CameraTold
from camkeep.server.api.cameras import camera_of
from camkeep.server.camerasettings import CameraSettings
from camkeep.server.demo import add_demo
from camkeep.server.desk import DeskOf
from camkeep.server.problems import Problem
from camkeep.server.web.guard import Admin
from camkeep.server.web.visit import VisitOf

router = APIRouter(tags=["cameras"])

SEARCH_S = 3.0


class Offered(BaseModel):
    """Cameras that are not set up yet."""

    webcams: list[dict[str, Any]] = Field(
        description="As `camkeep cameras --json` has them, each with the `address` to set it up"
    )
    no_webcams: str | None = Field(description="Why this system has none for us")
    network: list[dict[str, Any]] | None = Field(description="null where it was not searched")


@router.get("/cameras/offered")
async def offered(
    request: Request,
    who: Admin,
    desk: DeskOf,
    network: Annotated[bool, Query(description="Ask the local network, too: 3 s")] = False,
) -> Offered:
    """Cameras that this machine finds by itself."""
    known = _known(await desk.cameras.list())
    webcams: list[dict[str, Any]] = []
    reason = None
    try:
        for webcam in await asyncio.to_thread(list_devices):
            if webcam.path not in known:
                address = webcam.path if webcam.number is None else str(webcam.number)
                webcams.append({"address": address, **webcam_values(webcam)})
    except CameraError as error:
        reason = error.message
    found = await _search(request, known) if network else None
    return Offered(webcams=webcams, no_webcams=reason, network=found)


def _known(settings: list[CameraSettings]) -> set[str]:
    """Devices and hosts of the cameras that are set up."""
    addresses = [parse_address(each.url)[0] for each in settings if each.url]
    return {address.host or address.path for address in addresses}


async def _search(request: Request, known: set[str]) -> list[dict[str, Any]]:
    """One search at a time. Raises Unreachable where there is no network."""
    state = request.app.state
    if getattr(state, "searching", False):
        told = "the network is being searched already: try again in a few seconds"
        raise Problem(429, "Too many searches", told, headers={"retry-after": "3"})
    state.searching = True
    try:
        found = await discover(SEARCH_S)
    finally:
        state.searching = False
    return [{"address": c.url, **found_values(c)} for c in found if c.ip not in known]


@router.post("/demo", status_code=201)
async def demo(response: Response, who: Admin, desk: DeskOf, visit: VisitOf) -> CameraTold:
    """Set up the camera that is simulated, a test picture with a clock, where it is not there."""
    before = {each.id for each in await desk.cameras.list()}
    settings = await add_demo(desk.cameras)
    if settings.id not in before:
        address = visit.address
        await desk.accounts.audit.note(who, "camera.add", settings.id, address, name=settings.name)
    await desk.sync()
    response.headers["location"] = f"/api/v1/cameras/{settings.id}"
    return await camera_of(desk, who, settings.id)
