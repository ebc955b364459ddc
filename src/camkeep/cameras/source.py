"""What every kind of camera offers to the rest of camkeep, and what one session notes of it.

A `Source` is one camera's stream. `run` is one attempt, which ends with an error and never
retries: whoever calls it decides what follows (`errors.py` sorts them). Samples go to a plain
function, because a task switch per frame would cost more than all else that is done with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from camkeep.cameras.address import Address, Credentials
from camkeep.cameras.reach import MayReach
from camkeep.cameras.trouble import Trouble
from camkeep.clock import Clock, SystemClock
from camkeep.errors import UsageError
from camkeep.model import AudioParams, Sample, VideoParams

TIMEOUT_S = 8.0
"""Unless a person chooses another: a camera that froze is noticed within 10 s."""

Sink = Callable[[Sample], None]
"""Takes each sample as it comes. Returns at once and does not raise."""


@dataclass(slots=True)
class Notes:
    """What sessions with one camera have shown. Counts add up over reconnects."""

    product: str | None = None
    """What it says it is, for example a Server header."""
    login: str | None = None
    """Which login it took: "none", "Basic", "Digest MD5", "query" ..."""
    transport: str | None = None
    """How the stream comes, in words: "RTSP over TCP", "MJPEG over HTTP" ..."""
    promised_fps: float | None = None
    """The rate it announces or was set to. Never trusted, only shown."""
    clock_offset_s: float | None = None
    """The camera's clock minus ours, where it tells its own (RTCP sender reports)."""
    video: VideoParams | None = None
    audio: AudioParams | None = None
    trouble: Counter[Trouble] = field(default_factory=Counter)
    """How often each malformation was met."""
    dropped: int = 0
    """Samples that a program did not take in time (see `AsyncCamera.samples`)."""

    def begin_anew(self) -> None:
        """What follows comes from elsewhere: forget what was said of it. Counts stay."""
        self.product = self.login = self.transport = None
        self.promised_fps = self.clock_offset_s = None
        self.video = self.audio = None


class Source(Protocol):
    """One camera's stream."""

    @property
    def address(self) -> Address:
        """Where it is; its `str` is fit to be shown."""
        ...

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        """One session: connect, then hand each sample to `sink` until cancelled.

        Ends only by CancelledError or a CameraError; leaves nothing open in either case.
        """
        ...

    async def snapshot(self, notes: Notes) -> bytes:
        """One JPEG as the camera makes it, without opening the stream where it can be helped.

        Raises CameraError; NotSupported where the camera has no JPEG.
        """
        ...


@dataclass(frozen=True, slots=True)
class Trust:
    """Which certificates a TLS camera may show: those that the system trusts for its name, or
    where a person chose one, that one and no other."""

    fingerprint: str | None = None
    """SHA-256 of the certificate, 64 hexadecimal digits in lower case."""
    ca_file: str | None = None
    """A PEM file of certificates that a person chose to trust, for whatever name: the camera's
    own, or those it is signed with."""


def parse_trust(text: str | None) -> Trust:
    """``sha256:...`` with or without colons, or the name of a PEM file."""
    if text is None:
        return Trust()
    if not text.lower().startswith("sha256:"):
        return Trust(ca_file=text)
    digits = text[7:].replace(":", "").lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise UsageError("a fingerprint is sha256: and 64 hexadecimal digits")
    return Trust(fingerprint=digits)


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a person may choose for any source; each takes what applies to it."""

    credentials: Credentials | None = None
    trust: Trust = field(default_factory=Trust)
    transport: str = "tcp"
    """RTSP only: "tcp" or "udp"."""
    audio: bool = True
    connect_timeout_s: float = TIMEOUT_S
    stall_s: float = TIMEOUT_S
    """How long without a whole frame before the session is given up as `Stalled`."""
    exact_arrivals: bool = False
    """Whether each arrival is to be known as exactly as it can be, at any cost (`pacer.py`):
    for those who measure the camera."""
    clock: Clock = field(default_factory=SystemClock)
    may_reach: MayReach | None = None
    """Judges each numeric address before anything is connected to it; None where all may be."""
