"""A plain MJPEG camera: ``/video`` and ``/snapshot.jpg``."""

from __future__ import annotations

from camkeep.cameras.simulate.camera import Hooks, Stream
from camkeep.cameras.simulate.messages import Answer, Request
from camkeep.cameras.simulate.options import SimulatorOptions
from camkeep.cameras.simulate.viewer import Style


class MjpegCamera:
    """Correct by default."""

    style = Style("camkeep simulator", "frame", trailing=False)
    stream_path = "/video"
    snapshot_path = "/snapshot.jpg"

    def __init__(self, options: SimulatorOptions, hooks: Hooks) -> None:
        self.size = (options.width, options.height)
        self._hooks = hooks

    def aim(self) -> tuple[float, float]:
        """It cannot be moved."""
        return (0.0, 0.0)

    def open_to_all(self, request: Request) -> bool:
        """Whether no login is needed."""
        return False

    def answer(self, request: Request) -> Answer | Stream:
        """What `request` gets."""
        match request.path:
            case self.stream_path:
                return Stream()
            case self.snapshot_path:
                return Answer(self._hooks.take(), "image/jpeg")
            case "/":
                page = (
                    "<!doctype html><title>Simulated camera</title>"
                    f"<img src={self.stream_path} alt='live picture'>"
                )
                return Answer(page.encode(), "text/html; charset=utf-8")
            case _:
                return Answer(b"404 Not Found", status=404)
