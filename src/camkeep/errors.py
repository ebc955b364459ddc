"""Every error camkeep raises, sorted by what the one who handles it will do.

    CamkeepError                    exit code 1
    ├── UsageError                  2  what was asked cannot be done as asked
    ├── CameraError                    something about one camera; `.camera` says which
    │   ├── RetrySoon                  time may heal it: back off 1 to 30 s
    │   │   ├── Unreachable         3  nobody answered: no such host, refused, timed out
    │   │   ├── Stalled             6  it stopped sending, or sent nothing of use in time
    │   │   └── StreamBroken        6  it ended or broke the stream
    │   └── NeedsPerson                a person must heal it: retry slowly, and tell
    │       ├── LoginRefused        4  wrong or missing password
    │       ├── NotFound            5  the camera is there, the path (or device) is not
    │       ├── WrongProtocol       5  whatever answers there is not such a camera
    │       ├── NotTrusted          5  a certificate nobody chose to trust
    │       ├── Forbidden           5  an address or redirect that camkeep does not follow
    │       └── NotSupported        5  a codec, size or setting the camera (or camkeep) has not
    ├── MediaError                  6  bytes that are not what they claim to be; parsers raise it
    └── StorageError                7  the disk
        ├── NotWritable             7  no such folder, no permission, exists already
        ├── DiskFull                7  no space left
        ├── DiskAway                7  the archive's disk is not there
        ├── IndexDamaged            7  the archive's index does not read: it can be made anew
        └── WriteFailed             7  any other error of a write or flush

A message is one sentence for a person: what happened and what to do. It never holds a
secret. Errors of foreign code are translated where they enter (`cameras/wire.py`,
`cameras/v4l2/refusal.py`, `archive/disk.py`), nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class CamkeepError(Exception):
    """Root of all errors of camkeep."""

    exit_code: ClassVar[int] = 1


class UsageError(CamkeepError):
    """What was asked cannot be done as asked; the message says how to ask."""

    exit_code = 2


class CameraError(CamkeepError):
    """Something about one camera.

    `camera` is its name (or redacted address), filled in by whoever knows it; `str()` puts it
    in front: ``garage: the camera refused the password``.
    """

    def __init__(self, message: str, *, camera: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.camera = camera

    def __str__(self) -> str:
        return f"{self.camera}: {self.message}" if self.camera else self.message


class RetrySoon(CameraError):
    """Time may heal it."""

    exit_code = 6


class Unreachable(RetrySoon):
    """Nobody answered at the address."""

    exit_code = 3


class Stalled(RetrySoon):
    """The camera stopped sending, or sent nothing of use within the time allowed."""


class StreamBroken(RetrySoon):
    """The camera ended the stream, or sent what cannot be followed any further."""


class NeedsPerson(CameraError):
    """Trying again without a change by a person will not help."""

    exit_code = 5


class LoginRefused(NeedsPerson):
    """The camera wants another user or password."""

    exit_code = 4


class NotFound(NeedsPerson):
    """The camera answers, but has not got what was asked for."""


class WrongProtocol(NeedsPerson):
    """Something answers, but not a camera of this kind."""


class NotTrusted(NeedsPerson):
    """The certificate is not one that a person chose to trust."""


class Forbidden(NeedsPerson):
    """An address that camkeep does not go to, such as a redirect to another host."""


class NotSupported(NeedsPerson):
    """A codec, size, setting or control that is not to be had here."""


class MediaError(CamkeepError):
    """Bytes that are not what they claim to be. Parsers raise this and nothing else."""

    exit_code = 6


class StorageError(CamkeepError):
    """Something about the disk."""

    exit_code = 7


class NotWritable(StorageError):
    """The file cannot be created: no such folder, no permission, or it exists already."""


class DiskFull(StorageError):
    """No space is left on the device."""


class DiskAway(StorageError):
    """The disk of an archive is not there: unmounted, or another one is in its place."""


class IndexDamaged(StorageError):
    """An archive's index is damaged or gone. It is a cache: reindexing makes it from the files."""


class WriteFailed(StorageError):
    """A write or a flush failed for another reason."""


@contextmanager
def of_camera(name: str) -> Iterator[None]:
    """Put `name` in front of every CameraError that passes and has no camera yet."""
    try:
        yield
    except CameraError as error:
        error.camera = error.camera or name
        raise
