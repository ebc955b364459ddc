"""Errors as a client reads them: problem details (RFC 9457) that say what happened and what to
do. Raised anywhere below a route; turned into a response in one place."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from camkeep.errors import (
    CameraError,
    CamkeepError,
    DiskFull,
    IndexDamaged,
    NotSupported,
    StorageError,
    Unreachable,
    UsageError,
)


class Problem(Exception):
    """One answer other than success."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        kind: str = "about:blank",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`kind` is RFC 9457's type where clients are to tell it apart: "urn:camkeep:disk-full"."""
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = detail
        self.kind = kind
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """The members of the problem object."""
        fields: dict[str, object] = {"type": self.kind, "title": self.title, "status": self.status}
        return {**fields, "detail": self.detail} if self.detail else fields


def not_found(what: str) -> Problem:
    """There is no such thing, or not for the one who asks."""
    return Problem(404, "Not found", f"there is no such {what}")


def problem_of(error: CamkeepError) -> Problem:
    """The answer to an error of camkeep."""
    match error:
        case UsageError():
            status, kind = 422, "usage"
        case NotSupported():
            status, kind = 409, "not-supported"
        case Unreachable():
            status, kind = 504, "unreachable"
        case CameraError():
            status, kind = 502, "camera"
        case DiskFull():
            status, kind = 507, "disk-full"
        case IndexDamaged():
            status, kind = 503, "index-damaged"
        case StorageError():
            status, kind = 503, "storage"
        case _:
            status, kind = 500, "failed"
    return Problem(status, HTTPStatus(status).phrase, str(error), kind=f"urn:camkeep:{kind}")
