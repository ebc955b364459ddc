"""What some cameras can be told: EasyN and Foscam cameras move, zoom and light up; webcams have
their brightness and the like. Others have no controls here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from camkeep.cameras.easyn import EasynControl, EasynSource
from camkeep.cameras.easyn.codes import Dialect
from camkeep.cameras.v4l2 import V4l2Source
from camkeep.engine.offered import control_values
from camkeep.engine.supervisor import Supervisor
from camkeep.errors import NotSupported, Stalled, UsageError, of_camera
from camkeep.server.access import Right, Role
from camkeep.server.desk import DeskOf
from camkeep.server.problems import Problem
from camkeep.server.redact import redactor
from camkeep.server.web.guard import Operator, watched
from camkeep.server.web.visit import VisitOf

router = APIRouter(prefix="/cameras/{camera_id}/controls", tags=["controls"])

LONGEST_S = 20.0
"""For an answer of the camera, and for a movement."""
MOST_MOVE_S = 10.0
Word = Annotated[str, Field(max_length=40)]


class Action(BaseModel):
    """One thing to do. Which of the values it needs: move: direction, and seconds or steps (with
    neither until `stop`); zoom: direction, seconds; patrol: axis, on; set_preset, go_to_preset:
    number; output, infrared: on; brightness, contrast: value; mode, flip: name; set (webcams):
    name, value. `reboot` is for administrators."""

    model_config = ConfigDict(extra="forbid")

    action: Literal[
        "move",
        "stop",
        "center",
        "zoom",
        "patrol",
        "set_preset",
        "go_to_preset",
        "output",
        "infrared",
        "brightness",
        "contrast",
        "mode",
        "flip",
        "reboot",
        "set",
    ]
    direction: Word | None = None
    seconds: Annotated[float, Field(gt=0, le=MOST_MOVE_S)] | None = None
    steps: Annotated[int, Field(ge=1, le=20)] | None = None
    axis: Word | None = None
    on: bool | None = None
    number: Annotated[int, Field(ge=1, le=16)] | None = None
    name: Annotated[str, Field(max_length=100)] | None = None
    value: int | Word | None = None


class ControlsTold(BaseModel):
    """What a camera can be told."""

    kind: Literal["easyn", "webcam"]
    actions: list[str] = Field(description="Those of Action that it takes")
    settings: list[dict[str, Any]] = Field(
        description="name, label, kind, range (from, to, step), menu, value, writable, active ..."
    )
    values: dict[str, str] = Field(description="Of EasyN cameras: what they say of themselves")


class Done(BaseModel):
    """What was done."""

    did: str


_EASYN: dict[str, Callable[[EasynControl, Action], Awaitable[None]]] = {
    "move": lambda c, a: c.move(_of(a, "direction"), a.seconds, steps=a.steps),
    "stop": lambda c, a: c.stop(),
    "center": lambda c, a: c.center(),
    "zoom": lambda c, a: c.zoom(_of(a, "direction"), a.seconds or 0.5),
    "patrol": lambda c, a: c.patrol(_of(a, "axis"), _of(a, "on")),
    "set_preset": lambda c, a: c.set_preset(_of(a, "number")),
    "go_to_preset": lambda c, a: c.go_to_preset(_of(a, "number")),
    "output": lambda c, a: c.output(_of(a, "on")),
    "infrared": lambda c, a: c.infrared(_of(a, "on")),
    "brightness": lambda c, a: c.brightness(_whole(a)),
    "contrast": lambda c, a: c.contrast(_whole(a)),
    "mode": lambda c, a: c.mode(_of(a, "name")),
    "flip": lambda c, a: c.flip(_of(a, "name")),
    "reboot": lambda c, a: c.reboot(),
}
_SHOWN = frozenset(
    {"brightness", "contrast", "resolution", "mode", "flip", "fps", "sys_ver", "app_ver"}
    | {"alias", "now", "tz", "alarm_status"}
)
"""What of a camera's own words is handed on; among the others are passwords."""


@router.get("")
async def controls(camera_id: str, who: Operator, desk: DeskOf) -> ControlsTold:
    """What the camera can be told, and how it is set."""
    camera = watched(desk, who, camera_id)
    source = camera.main.source
    async with _asking(camera):
        match source:
            case EasynSource():
                said = {**await source.control.status(), **await source.control.params()}
                values = {k: redactor(v) for k, v in said.items() if k in _SHOWN}
                dialect = (await source.control.probe()).dialect
                settings = [*_easyn_settings(dialect, values)]
                return ControlsTold(
                    kind="easyn", actions=[*_EASYN], settings=settings, values=values
                )
            case V4l2Source():
                settings = [control_values(each) for each in await source.controls()]
                return ControlsTold(kind="webcam", actions=["set"], settings=settings, values={})
            case _:
                raise _none()


@router.post("")
async def act(camera_id: str, wanted: Action, who: Operator, desk: DeskOf, visit: VisitOf) -> Done:
    """Do one thing. Answers when the camera has done it."""
    camera = watched(desk, who, camera_id)
    if wanted.action == "reboot" and not who.has(Right.ADMIN):
        raise Problem(403, "Not allowed", f"{Role.ADMIN}s alone may restart a camera")
    source = camera.main.source
    async with _asking(camera):
        match source:
            case EasynSource() if wanted.action in _EASYN:
                await _EASYN[wanted.action](source.control, wanted)
            case V4l2Source() if wanted.action == "set":
                await source.set_control(_of(wanted, "name"), _of(wanted, "value"))
            case _:
                raise _none()
    if wanted.action in ("set_preset", "reboot", "set"):
        await desk.accounts.audit.note(
            who, f"camera.{wanted.action}", camera.camera.id, visit.address
        )
    return Done(did=wanted.action)


def _easyn_settings(dialect: Dialect, values: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Those of its values that are set by an action of the same name."""
    for name, control in (("brightness", dialect.brightness), ("contrast", dialect.contrast)):
        value, takes = values.get(name, ""), control.values
        yield {
            "name": name,
            "label": name.capitalize(),
            "kind": "integer",
            "range": [takes[0], takes[-1], takes.step],
            "menu": [],
            "value": int(value) if value.isdecimal() else None,
            "writable": True,
            "active": True,
        }


@asynccontextmanager
async def _asking(camera: Supervisor) -> AsyncIterator[None]:
    """While a camera is asked: not for ever, and its errors name it."""
    with of_camera(camera.camera.name):
        try:
            async with asyncio.timeout(LONGEST_S):
                yield
        except TimeoutError:
            raise Stalled("it did not answer in time") from None


def _of(action: Action, name: str) -> Any:
    """A value that the action needs. Raises UsageError."""
    value = getattr(action, name)
    if value is None:
        raise UsageError(f"{name}: {action.action} needs it")
    return value


def _whole(action: Action) -> int:
    value = _of(action, "value")
    if not isinstance(value, int):
        raise UsageError("value: write a whole number")
    return value


def _none() -> NotSupported:
    return NotSupported("it has no such controls")
