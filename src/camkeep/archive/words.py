"""What the archive has to say to a person, in words."""

from __future__ import annotations

from collections.abc import Mapping

from camkeep.model import Cause, Gap

CAUSES: Mapping[Cause, str] = {
    Cause.STARTING: "the recorder had just begun",
    Cause.UNREACHABLE: "nobody answered",
    Cause.REFUSED: "the camera refused the login",
    Cause.UNUSABLE: "the camera has not got what was asked for",
    Cause.STALLED: "the camera stopped sending",
    Cause.BROKEN: "the stream broke off",
    Cause.DISK_FULL: "the disk was full",
    Cause.DISK_SLOW: "the disk was too slow",
    Cause.DISK_FAILED: "the disk failed",
    Cause.DISK_AWAY: "the disk was not there",
    Cause.NOT_RUNNING: "camkeep did not run, or without this camera",
    Cause.CLOCK: "the clock was set forward",
    Cause.SWITCHED_OFF: "switched off by a person",
    Cause.NOT_WANTED: "nobody wanted it recorded",
}


def why(gap: Gap) -> str:
    """Why nothing was recorded then."""
    return gap.detail or CAUSES[gap.cause]
