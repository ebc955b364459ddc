"""A simulated camera, so that nobody meets an empty page."""

from __future__ import annotations

from camkeep.server.camerabook import CameraBook
from camkeep.server.camerasettings import CameraSettings

NAME = "demo"
ADDRESS = "testcard:demo?size=960x540&fps=10"


async def add_demo(book: CameraBook) -> CameraSettings:
    """The simulated camera, added where it is not there yet. Raises UsageError, StorageError."""
    for settings in await book.list():
        if settings.url == ADDRESS:
            return settings
    return await book.add({"name": NAME, "address": ADDRESS})
