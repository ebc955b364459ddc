"""What a simulated camera is to be like."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from camkeep.cameras.simulate.faults import Faults
from camkeep.cameras.testcard.card import check_size
from camkeep.errors import UsageError

CameraKind = Literal["easyn", "mjpeg"]
LoginKind = Literal["none", "query", "basic", "digest", "digest-sha256"]
LOGINS: tuple[LoginKind, ...] = ("none", "query", "basic", "digest", "digest-sha256")


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """What a simulated camera is to be like. Raises UsageError where that makes no sense."""

    width: int = 640
    height: int = 480
    fps: float = 25.0
    """The rate that it promises."""
    deliver: float = 1.0
    """How much of the promised rate it delivers: 0.5 is a camera set to 20 that sends 10."""
    jitter: tuple[float, float] | None = None
    """The rate wanders between these two at random, whatever was promised."""
    user: str = ""
    password: str = field(default="", repr=False)
    login: LoginKind | None = None
    """How it wants the login. None: not at all without a `user`; else Basic, and for EasyN
    Basic or query."""
    dialect: Literal["A", "B"] = "A"
    """EasyN: "A" Netwave (user, pwd), "B" later clones (loginuse, loginpas)."""
    certificate: Path | None = None
    """A PEM file with certificate and private key: TLS."""
    faults: Faults = frozenset()
    max_frames: int | None = None
    """A viewer gets so many frames, then the camera ends the connection."""
    reboot_s: float = 5.0
    """How long reboot.cgi takes."""
    discovery_port: int | None = None
    """EasyN: answers the discovery broadcast on this UDP port (cameras use 10000; 0 any)."""
    seed: int = 1
    """Of everything random."""

    def __post_init__(self) -> None:
        check_size(self.width, self.height)
        for rate in (self.fps, *(self.jitter or ())):
            if not 0.05 <= rate <= 240:
                raise UsageError("a simulated camera's rate lies between 0.05 and 240 fps")
        if self.jitter is not None and self.jitter[0] > self.jitter[1]:
            raise UsageError("the jitter goes from the lower rate to the higher: 3-30")
        if not 0 < self.deliver <= 1:
            raise UsageError("a camera delivers more than 0 and at most 1 of what it promises")
        if self.login not in (None, "none") and not self.user:
            raise UsageError("a login needs a user")


class Sent(NamedTuple):
    """A picture that was handed to the network."""

    number: int
    """The test card's number."""
    mono_ns: int
    """When, on this machine's monotonic clock."""
    length: int
    """Bytes of the picture as it was sent, with whatever a fault did to it."""
    viewer: int
    """The viewer's number, from 1."""
