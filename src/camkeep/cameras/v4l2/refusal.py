"""Why a webcam cannot be had: errors of the system as one sentence each."""

from __future__ import annotations

import errno
import platform
import sys

from camkeep.cameras.v4l2 import abi
from camkeep.errors import CameraError, NotSupported, StreamBroken, Unreachable, WrongProtocol


def system_supported() -> str | None:
    """Why webcams cannot be read on this system, or None where they can."""
    if sys.platform != "linux":
        return "camkeep reads webcams by itself only on Linux"
    if not platform.machine().startswith(abi.USUAL_MACHINES):
        return f"camkeep does not know how webcams are read on {platform.machine()}"
    return None


def translate(error: OSError, path: str) -> CameraError:
    """An error of a system call on the node at `path`, in one sentence."""
    match error.errno:
        case errno.ENOENT | errno.ENXIO:
            return Unreachable(
                f"there is no webcam at {path}: is it plugged in? "
                "(camkeep cameras lists those of this machine)"
            )
        case errno.ENODEV:
            return StreamBroken("the webcam was unplugged")
        case errno.EACCES | errno.EPERM:
            return NotSupported(
                f"this user may not open {path}: add the user to the group `video`, "
                "then log in anew"
            )
        case errno.EBUSY:
            return Unreachable(
                f"the webcam {path} is busy: another program uses it, close it there"
            )
        case errno.ENOSPC:
            return NotSupported(
                "the USB bus has no room for this webcam beside the others (USB bandwidth): choose "
                "a lower size or rate, MJPG, or another USB port"
            )
        case errno.EIO | errno.EPROTO | errno.EPIPE | errno.ETIMEDOUT | errno.ESHUTDOWN:
            return StreamBroken(f"the webcam failed ({error.strerror}): try another port or cable")
        case errno.ENOTTY | errno.ENOTDIR | errno.EISDIR:
            return WrongProtocol(f"{path} is not a webcam")
    return StreamBroken(f"the webcam's driver refused a request: {error.strerror or error}")
