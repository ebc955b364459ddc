"""The Record button, and the switch of a camera's mode. The live picture goes on meanwhile."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from camkeep.engine.schedule import Mode
from camkeep.engine.supervisor import Supervisor
from camkeep.model import Clip
from camkeep.server.access import Principal
from camkeep.server.api.camerabody import CameraTold
from camkeep.server.api.cameras import apply
from camkeep.server.api.clips import LONGEST_NAME, ClipTold, checked_name, clip_told
from camkeep.server.desk import DeskOf
from camkeep.server.web.guard import Looker, Operator, watched
from camkeep.server.web.visit import VisitOf

router = APIRouter(prefix="/cameras/{camera_id}", tags=["recording"])


class Did(StrEnum):
    """What came of pressing the button."""

    STARTED = "started"
    ALREADY = "already recording"
    STOPPED = "stopped"
    NOT = "was not recording"


class Press(BaseModel):
    """Record, or Stop."""

    model_config = ConfigDict(extra="forbid")

    record: bool
    name: Annotated[str, Field(max_length=LONGEST_NAME, description="Of the clip")] = ""


class RecordingTold(BaseModel):
    """Whether a clip is being recorded."""

    recording: bool = Field(description="A clip is being recorded at the press of the button")
    kept: bool = Field(description="Pictures are being kept, for whatever reason")
    mode: Mode
    clip: ClipTold | None
    bytes: int | None = Field(
        description="About how large the clip is by now; null where none is being recorded"
    )
    download: str | None = Field(description="Where the clip is to be had, also while it grows")


class PressTold(RecordingTold):
    """The same, and what was done."""

    did: Did


class ModeChange(BaseModel):
    """When it is to be recorded from now on."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode


@router.get("/recording")
async def recording(camera_id: str, who: Looker, desk: DeskOf) -> RecordingTold:
    """Whether a clip is being recorded."""
    camera = watched(desk, who, camera_id)
    return RecordingTold(**_told(who, camera, camera.clip))


@router.post("/recording")
async def press(
    camera_id: str, wanted: Press, who: Operator, desk: DeskOf, visit: VisitOf
) -> PressTold:
    """Press Record or Stop. Pressing twice is no error: the answer says what it did."""
    camera = watched(desk, who, camera_id)
    before = camera.clip
    if wanted.record:
        clip: Clip | None = await camera.record(checked_name(wanted.name))
        did = Did.STARTED if before is None else Did.ALREADY
    else:
        clip = await camera.stop()
        did = Did.NOT if clip is None else Did.STOPPED
    if did in (Did.STARTED, Did.STOPPED):
        action = "clip.record" if wanted.record else "clip.stop"
        named = clip.id if clip is not None else ""
        await desk.accounts.audit.note(who, action, named, visit.address, camera=camera.camera.id)
    return PressTold(did=did, **_told(who, camera, clip))


@router.put("/mode")
async def switch(
    camera_id: str, wanted: ModeChange, who: Operator, desk: DeskOf, visit: VisitOf
) -> CameraTold:
    """Record always, by its schedule, only when asked, or switch it off."""
    camera = watched(desk, who, camera_id)
    values: dict[str, object] = {"mode": wanted.mode.value}
    return await apply(desk, who, camera.camera.id, values, visit.address)


def _told(who: Principal, camera: Supervisor, clip: Clip | None) -> dict[str, Any]:
    return {
        "recording": camera.clip is not None,
        "kept": camera.recording,
        "mode": camera.wanted.mode,
        "clip": None if clip is None else clip_told(clip, who),
        "bytes": camera.clip_bytes,
        "download": None if clip is None else f"/api/v1/clips/{clip.id}/video.mp4",
    }
