"""Who a movie is of: what the file says of itself, so that no index is needed to know it.

Whole seconds stand in `creation_time` of mvhd, tkhd and mdhd for every player to show; a growing
file ties media time to UTC with a `prft` box (ISO 14496-12 §8.16.5); the exact values stand in a
`uuid` box of moov as JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4.boxes import box

IDENTITY_UUID = UUID("6e1b2f0c-5d0f-4c2b-9a53-63616d6b6565").bytes
"""The extended type of the box."""
MAX_IDENTITY = 4096
"""Longest JSON that is written or read, bytes."""

_EPOCH_1904_S = 2_082_844_800
_EPOCH_1900_S = 2_208_988_800
_U64 = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Identity:
    """Which recording a movie is a part of, and when it starts."""

    camera: str
    run: int
    sequence: int
    start: WallUs
    """The wall time of the movie's time 0."""
    camera_id: str = ""
    """What an archive calls the camera where its name may change; empty outside of one."""


def creation_time(identity: Identity) -> int:
    """Seconds since 1904-01-01T00:00:00Z, as mvhd has it (§8.2.2)."""
    return max(0, identity.start // 1_000_000 + _EPOCH_1904_S)


def ntp_time(wall_us: int) -> int:
    """`wall_us` as a 64-bit NTP time stamp (RFC 5905 §6): 32 bits of seconds, 32 of fraction."""
    return ((wall_us + _EPOCH_1900_S * 1_000_000 << 32) // 1_000_000) & _U64


def identity_box(identity: Identity) -> bytes:
    """The `uuid` box. Raises MediaError where the camera's name is absurdly long."""
    payload = json.dumps(
        {
            "camera": identity.camera,
            "run": identity.run,
            "sequence": identity.sequence,
            "start_us": identity.start,
            "camera_id": identity.camera_id,
        },
        separators=(",", ":"),
    ).encode()
    if len(payload) > MAX_IDENTITY:
        raise MediaError("the camera's name is too long to be written into a movie")
    return box(b"uuid", IDENTITY_UUID, payload)


def read_identity(payload: bytes) -> Identity:
    """The identity in what follows the extended type of a `uuid` box. Raises MediaError."""
    if len(payload) > MAX_IDENTITY:
        raise MediaError("the movie's identity is too long")
    try:
        fields = json.loads(payload)
        camera, run, sequence, start = (
            fields[name] for name in ("camera", "run", "sequence", "start_us")
        )
        camera_id = fields.get("camera_id", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MediaError("the movie's identity is malformed") from error
    numbers = (run, sequence, start)
    if not all(type(n) is int and abs(n) < 1 << 63 for n in numbers):
        raise MediaError("the movie's identity is malformed")
    if type(camera) is not str or type(camera_id) is not str:
        raise MediaError("the movie's identity is malformed")
    camera = camera.encode("utf-8", "replace").decode()  # JSON can name half a character
    camera_id = camera_id.encode("utf-8", "replace").decode()
    return Identity(camera, run, sequence, WallUs(start), camera_id)
