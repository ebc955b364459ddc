"""From what a camera is to what is worth telling: an event for each change, none twice."""

from __future__ import annotations

from dataclasses import dataclass

from camkeep.engine.events import Bus, Kind
from camkeep.engine.health import reason_of, word_of
from camkeep.engine.sessions import Connecting
from camkeep.engine.supervisor import Supervisor
from camkeep.model import CameraId, Clip

_TOLD = {
    "live": "the camera is there",
    "idle": "nobody watches or records it",
    "off": "it was switched off",
}


@dataclass(slots=True)
class _Last:
    """What was told of a camera last."""

    state: tuple[str, str] | None = None
    recording: bool = False
    trouble: str | None = None
    clip: Clip | None = None


class Tidings:
    """Tells the bus what has changed of each camera."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._last: dict[CameraId, _Last] = {}

    def forget(self, camera_id: CameraId) -> None:
        """It is not watched any more."""
        self._last.pop(camera_id, None)

    def of(self, camera: Supervisor) -> None:
        """Something of the camera may have changed."""
        last = self._last.setdefault(camera.camera.id, _Last())
        self._state(camera, last)
        self._trouble(camera, last)
        self._recording(camera, last)

    def _state(self, camera: Supervisor, last: _Last) -> None:
        """An attempt alone is no news: what came of it is."""
        if isinstance(camera.state, Connecting):
            return
        word, reason = word_of(camera.state), reason_of(camera.state)
        if (word, reason) != last.state:
            last.state = (word, reason)
            told = reason or _TOLD[word]
            self._bus.tell(Kind.STATE, told, camera.camera.id, state=word)

    def _trouble(self, camera: Supervisor, last: _Last) -> None:
        trouble = str(camera.trouble) if camera.trouble is not None else None
        if trouble != last.trouble:
            last.trouble = trouble
            told = trouble or "recording goes on: the disk is well again"
            self._bus.tell(Kind.STORAGE, told, camera.camera.id, well=trouble is None)

    def _recording(self, camera: Supervisor, last: _Last) -> None:
        if camera.recording is not last.recording:
            last.recording = camera.recording
            told = "it is being recorded" if camera.recording else "it is not recorded any more"
            self._bus.tell(Kind.RECORDING, told, camera.camera.id, recording=camera.recording)
        if camera.clip is not last.clip:
            clip, last.clip = camera.clip or last.clip, camera.clip
            assert clip is not None
            begun = camera.clip is not None
            told = f"the clip {clip.name!r} {'began' if begun else 'is there to be had'}"
            self._bus.tell(Kind.RECORDING, told, camera.camera.id, clip=clip.id, open=begun)
