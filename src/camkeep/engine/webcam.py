"""Webcams for programs: the camera, and its settings beside it."""

from __future__ import annotations

from camkeep.cameras.address import Address
from camkeep.cameras.source import SourceOptions
from camkeep.cameras.v4l2 import Control, V4l2Source
from camkeep.engine.camera import AsyncCamera, Camera
from camkeep.engine.portal import blocking
from camkeep.errors import of_camera


class AsyncWebcam(AsyncCamera):
    """A webcam of this machine: an `AsyncCamera` whose settings can be read and set."""

    def __init__(self, address: Address, options: SourceOptions) -> None:
        super().__init__(address, options)
        assert isinstance(self._source, V4l2Source)
        self._webcam = self._source

    async def controls(self) -> list[Control]:
        """Its settings, such as brightness, with their ranges and present values."""
        with of_camera(str(self.address)):
            return await self._webcam.controls()

    async def set_control(self, name: str, value: int | str) -> None:
        """Set one by its name, also while it is recorded. Raises UsageError or CameraError."""
        with of_camera(str(self.address)):
            await self._webcam.set_control(name, value)


class Webcam(Camera):
    """A webcam of this machine, without asynchrony."""

    def __init__(self, inner: AsyncWebcam) -> None:
        super().__init__(inner)

    controls = blocking(AsyncWebcam.controls)
    set_control = blocking(AsyncWebcam.set_control)
