"""The seal: the last box of a closed segment, which says what the segment is and proves it.

It makes two things cheap. Whoever rebuilds the index reads the last bytes of each file instead
of its tables; and whoever checks the archive finds that a segment was changed, is missing, or
was put in between.

A `uuid` box at the top level of the file (ISO 14496-12 §11.1), behind `moov`:

    size, "uuid", SEAL_UUID
    body     JSON, as it was hashed
    chain    32 bytes, SHA-256 of the body
    size     of the whole box again, 32 bits, so that it is found from the end of the file
             (as `mfro` does it, §8.8.11)

The body names the segment before it by its `chain`, so that each chain value stands for the
segment and all before it. Two digests in the body stand for the segment's own bytes, each of
them once:

    samples    SHA-256 over the digests of all samples in the order in which they lie in the
               file; the digest of one is SHA-256(track, time, key, data), see `digests.leaf`
    structure  SHA-256 over all other bytes but this box: first those behind the header of
               `mdat`, in their order, then `ftyp` and that header, as they are in the closed
               file
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from uuid import UUID

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.mp4.identity import Identity

SEAL_UUID = UUID("0c7a9d7e-6f3d-4f0b-8b1e-63616d6b6565").bytes
SEAL_READ = 4096
"""How many bytes from the end of a file hold any seal."""
MAX_SEALED_IDENTITY = SEAL_READ - 1024
"""Longest `identity_box` of a movie that is to be sealed: the seal repeats it."""
NOTHING_BEFORE = bytes(32)
"""`previous` of a camera's first segment."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a closed segment says of itself."""

    identity: Identity
    duration_us: int
    frames: int
    codec: str
    """Of the pictures, as RFC 6381 writes it."""
    width: int
    height: int
    audio: str
    """Codec of the sound; empty without sound."""
    samples: bytes
    structure: bytes
    previous: bytes
    """`chain` of the segment before; NOTHING_BEFORE at the first."""

    def body(self) -> bytes:
        """The JSON that is hashed and written: one way to write it, and no other."""
        return json.dumps(
            {
                "audio": self.audio,
                "camera": self.identity.camera,
                "camera_id": self.identity.camera_id,
                "codec": self.codec,
                "duration_us": self.duration_us,
                "frames": self.frames,
                "height": self.height,
                "previous": self.previous.hex(),
                "run": self.identity.run,
                "samples": self.samples.hex(),
                "sequence": self.identity.sequence,
                "start_us": self.identity.start,
                "structure": self.structure.hex(),
                "width": self.width,
            },
            separators=(",", ":"),
        ).encode()

    @property
    def chain(self) -> bytes:
        """What the next segment names as its `previous`: 32 bytes."""
        return hashlib.sha256(self.body()).digest()


def seal_box(seal: Seal) -> bytes:
    """The box. Raises MediaError where names are absurdly long."""
    body = seal.body()
    size = 8 + 16 + len(body) + 32 + 4
    if size > SEAL_READ:
        raise MediaError("the camera's name is too long to be written into a movie")
    head = struct.pack(">I4s", size, b"uuid") + SEAL_UUID
    return b"".join((head, body, hashlib.sha256(body).digest(), struct.pack(">I", size)))


def read_seal(tail: bytes) -> Seal | None:
    """The seal at the end of a file whose last bytes (SEAL_READ of them, or all) are `tail`.

    None where there is none: it was not closed, or is not a segment. Raises MediaError where
    there is one that contradicts itself.
    """
    if len(tail) < 60:
        return None
    (size,) = struct.unpack_from(">I", tail, len(tail) - 4)
    begin = len(tail) - size
    head = tail[-4:] + b"uuid" + SEAL_UUID
    if size < 60 or begin < 0 or tail[begin : begin + 24] != head:
        return None
    body, chain = tail[begin + 24 : -36], tail[-36:-4]
    if hashlib.sha256(body).digest() != chain:
        raise MediaError("the segment's seal was changed after it was written")
    return parse_body(body)


def parse_body(body: bytes) -> Seal:
    """The seal whose JSON is `body`. Raises MediaError."""
    try:
        seal = _parsed(json.loads(body))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise MediaError("the segment's seal is malformed") from error
    if seal.body() != body:
        raise MediaError("the segment's seal is malformed")
    return seal


def _parsed(fields: dict[str, object]) -> Seal:
    def number(name: str) -> int:
        value = fields[name]
        if type(value) is not int or abs(value) >= 1 << 63:
            raise ValueError(name)
        return value

    def text(name: str) -> str:
        value = fields[name]
        if type(value) is not str:
            raise ValueError(name)
        value.encode()  # JSON can name half a character: a ValueError
        return value

    def digest(name: str) -> bytes:
        value = bytes.fromhex(text(name))
        if len(value) != 32:
            raise ValueError(name)
        return value

    start = WallUs(number("start_us"))
    return Seal(
        Identity(text("camera"), number("run"), number("sequence"), start, text("camera_id")),
        number("duration_us"),
        number("frames"),
        text("codec"),
        number("width"),
        number("height"),
        text("audio"),
        digest("samples"),
        digest("structure"),
        digest("previous"),
    )
