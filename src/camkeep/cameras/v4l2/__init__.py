"""Webcams on Linux, through the kernel's V4L2 interface, with the standard library alone."""

from camkeep.cameras.v4l2.listing import Webcam, list_devices
from camkeep.cameras.v4l2.offer import Control
from camkeep.cameras.v4l2.source import V4l2Source

__all__ = ["Control", "V4l2Source", "Webcam", "list_devices"]
