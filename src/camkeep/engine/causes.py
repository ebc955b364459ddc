"""From an error to the cause of a gap."""

from __future__ import annotations

from camkeep.errors import (
    CamkeepError,
    DiskAway,
    DiskFull,
    LoginRefused,
    NeedsPerson,
    Stalled,
    StorageError,
    Unreachable,
)
from camkeep.model import Cause


def cause_of(error: CamkeepError) -> Cause:
    """Why a camera is not recorded after `error`."""
    match error:
        case Unreachable():
            return Cause.UNREACHABLE
        case Stalled():
            return Cause.STALLED
        case LoginRefused():
            return Cause.REFUSED
        case NeedsPerson():
            return Cause.UNUSABLE
        case DiskFull():
            return Cause.DISK_FULL
        case DiskAway():
            return Cause.DISK_AWAY
        case StorageError():
            return Cause.DISK_FAILED
        case _:
            return Cause.BROKEN
