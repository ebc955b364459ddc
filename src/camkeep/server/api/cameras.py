"""Cameras: those that somebody may see, and for administrators, which there are.

What is changed is written down first and then done by the service (`Desk.sync`), which leaves
every connection alone that is as it was.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from camkeep.model import CameraId
from camkeep.server.access import Principal
from camkeep.server.api.camerabody import (
    CameraBody,
    CameraList,
    CameraTold,
    camera_told,
    order_of,
)
from camkeep.server.applied import source_of
from camkeep.server.camerarows import MOST_CAMERAS, UnknownCamera
from camkeep.server.camerasettings import CameraSettings, changed, new_settings
from camkeep.server.desk import Desk, DeskOf
from camkeep.server.glimpse import Glimpses
from camkeep.server.learned import learn
from camkeep.server.problems import not_found
from camkeep.server.web.guard import Admin, Looker
from camkeep.server.web.visit import VisitOf

router = APIRouter(prefix="/cameras", tags=["cameras"])


class Order(BaseModel):
    """Cameras in an order."""

    model_config = ConfigDict(extra="forbid")

    cameras: list[Annotated[str, Field(max_length=64)]] = Field(
        max_length=MOST_CAMERAS, description="Their ids; those left out follow"
    )


class CameraTest(CameraBody):
    """A camera to be tested."""

    id: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="Of one that is set up: what is left away is as it has it"
    )

    def values(self) -> dict[str, object]:
        """What was said of the camera."""
        return {name: value for name, value in super().values().items() if name != "id"}


class TestTold(BaseModel):
    """What a camera showed."""

    ok: bool
    error: str | None = Field(description="Why no picture came, for a person")
    needs_person: bool = Field(description="It stays so until somebody changes something")
    cause: str | None = Field(description="login or trust, where that is what must be changed")
    report: dict[str, Any] | None = Field(description="As `camkeep probe --json` has it")
    picture: str | None = Field(description="data: URL of a JPEG, or of a movie of one frame")


@router.get("")
async def cameras(who: Looker, desk: DeskOf) -> CameraList:
    """Those that you may see."""
    settings = {each.id: each for each in await desk.cameras.list()}
    watched = desk.service.cameras
    ids = [each for each in order_of(list(settings.values()), list(watched)) if who.may_see(each)]
    told = [camera_told(desk, who, settings.get(each), watched.get(each)) for each in ids]
    return CameraList(cameras=told)


@router.post("", status_code=201)
async def add(
    wanted: CameraBody, response: Response, who: Admin, desk: DeskOf, visit: VisitOf
) -> CameraTold:
    """Set up another camera; it needs `name` and `address`."""
    values, address = wanted.values(), visit.address
    learn(new_settings(CameraId("new"), values))
    settings = await desk.cameras.add(values)
    await desk.accounts.audit.note(who, "camera.add", settings.id, address, name=settings.name)
    await desk.sync()
    response.headers["location"] = f"/api/v1/cameras/{settings.id}"
    return await camera_of(desk, who, settings.id)


@router.put("/order")
async def reorder(order: Order, who: Admin, desk: DeskOf, visit: VisitOf) -> CameraList:
    """Show the cameras in that order."""
    await desk.cameras.reorder(order.cameras)
    await desk.accounts.audit.note(who, "camera.order", address=visit.address)
    return await cameras(who, desk)


async def glimpses_of(request: Request) -> Glimpses:
    """Those of the application which got the request, made for the first of them."""
    state = request.app.state
    glimpses: Glimpses | None = getattr(state, "glimpses", None)
    if glimpses is None:
        glimpses = state.glimpses = Glimpses()
    return glimpses


@router.post("/test")
async def test(
    wanted: CameraTest,
    who: Admin,
    desk: DeskOf,
    glimpses: Annotated[Glimpses, Depends(glimpses_of)],
) -> TestTold:
    """Look at a camera for some seconds, before it is set up or changed. Nothing is written."""
    settings = await _to_test(desk, wanted)
    learn(settings)
    seen = await glimpses.look(source_of(settings, desk.cameras.policy))
    return TestTold(ok=seen.report is not None, **asdict(seen))


async def _to_test(desk: Desk, wanted: CameraTest) -> CameraSettings:
    if wanted.id is not None:
        return changed(await set_up(desk, wanted.id), wanted.values())
    return new_settings(CameraId("test"), {"name": "test", **wanted.values()})


@router.get("/{camera_id}")
async def one(camera_id: str, who: Looker, desk: DeskOf) -> CameraTold:
    """One camera."""
    return await camera_of(desk, who, camera_id)


async def camera_of(desk: Desk, who: Principal, camera_id: str) -> CameraTold:
    """As answers have it. Raises Problem 404."""
    if not who.may_see(CameraId(camera_id)):
        raise not_found("camera")
    watched = desk.service.cameras.get(CameraId(camera_id))
    try:
        settings: CameraSettings | None = await desk.cameras.get(camera_id)
    except UnknownCamera:
        settings = None
    if settings is None and watched is None:
        raise not_found("camera")
    return camera_told(desk, who, settings, watched)


@router.patch("/{camera_id}")
async def change(
    camera_id: str, wanted: CameraBody, who: Admin, desk: DeskOf, visit: VisitOf
) -> CameraTold:
    """Change what was said; all else stays. The connection stays where only other things are
    changed."""
    values = wanted.values()
    learn(changed(await set_up(desk, camera_id), values))
    return await apply(desk, who, camera_id, values, visit.address)


@router.delete("/{camera_id}", status_code=204)
async def remove(camera_id: str, who: Admin, desk: DeskOf, visit: VisitOf) -> None:
    """Watch it no more, and forget its secrets. Its recordings stay."""
    await set_up(desk, camera_id)
    settings = await desk.cameras.remove(camera_id)
    await desk.accounts.audit.note(
        who, "camera.remove", camera_id, visit.address, name=settings.name
    )
    await desk.sync()


async def set_up(desk: Desk, camera_id: str) -> CameraSettings:
    """The settings of a camera. Raises Problem 404 where it is not set up."""
    try:
        return await desk.cameras.get(camera_id)
    except UnknownCamera:
        raise not_found("camera") from None


async def apply(
    desk: Desk, who: Principal, camera_id: str, values: dict[str, object], address: str
) -> CameraTold:
    """Write the change down and have it done. Raises Problem 404, UsageError."""
    try:
        _, after = await desk.cameras.change(camera_id, values)
    except UnknownCamera:
        raise not_found("camera") from None
    named = ", ".join(sorted(values))
    await desk.accounts.audit.note(who, "camera.change", after.id, address, changed=named)
    await desk.sync()
    return await camera_of(desk, who, camera_id)
