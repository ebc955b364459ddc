"""camkeep, the camera recorder for Python.

    import camkeep
    with camkeep.open("easyn://admin:secret@192.0.2.7/") as camera:
        camera.snapshot("now.jpg")
        camera.record("birds.mp4", seconds=10)

`open` and `aopen` give a camera, `EasyN` the controls of one, `Archive` what `camkeep keep` has
kept; `errors` holds the exceptions.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from camkeep import errors
    from camkeep.archive.view import Archive
    from camkeep.engine.camera import AsyncCamera, Camera
    from camkeep.engine.easyn import AsyncEasyN, EasyN
    from camkeep.engine.opening import aopen, open
    from camkeep.engine.webcam import AsyncWebcam, Webcam
    from camkeep.errors import CamkeepError
    from camkeep.model import AudioParams, Codec, Sample, VideoParams

_HOMES = {
    "Archive": "camkeep.archive.view",
    "AsyncCamera": "camkeep.engine.camera",
    "AsyncEasyN": "camkeep.engine.easyn",
    "AsyncWebcam": "camkeep.engine.webcam",
    "AudioParams": "camkeep.model",
    "Camera": "camkeep.engine.camera",
    "CamkeepError": "camkeep.errors",
    "Codec": "camkeep.model",
    "EasyN": "camkeep.engine.easyn",
    "Sample": "camkeep.model",
    "VideoParams": "camkeep.model",
    "Webcam": "camkeep.engine.webcam",
    "aopen": "camkeep.engine.opening",
    "open": "camkeep.engine.opening",
}
"""Where each public name lives: imported when first used, so that a command that needs little
loads little."""

__all__ = [
    "Archive",
    "AsyncCamera",
    "AsyncEasyN",
    "AsyncWebcam",
    "AudioParams",
    "Camera",
    "CamkeepError",
    "Codec",
    "EasyN",
    "Sample",
    "VideoParams",
    "Webcam",
    "aopen",
    "errors",
    "open",
]


def __getattr__(name: str) -> object:
    if name == "errors":
        return import_module("camkeep.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'camkeep' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
