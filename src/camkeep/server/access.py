"""Who may do what. Values and pure rules, no I/O.

Deny by default: a route names one `Right`, and a handler that loads something of a camera asks
`Principal.may_see` about that very camera. What a person may not see does not exist for them:
they are answered 404, not 403.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from camkeep.model import CameraId


class Role(StrEnum):
    """What a user is. Each may all that those before it may."""

    VIEWER = "viewer"
    """Sees the cameras that were granted, live and kept."""
    OPERATOR = "operator"
    """Also records, makes and deletes clips, moves cameras, and shares clips."""
    ADMIN = "admin"
    """Also changes cameras, settings and users, and sees all cameras."""

    @property
    def rank(self) -> int:
        """The higher, the more it may."""
        return list(Role).index(self)


class Right(StrEnum):
    """What a route demands."""

    PUBLIC = "public"
    """Nothing: login, health, and what the login page needs."""
    LOOK = "look"
    """Anybody who is logged in, and only what they were granted."""
    OPERATE = "operate"
    ADMIN = "admin"

    @property
    def role(self) -> Role | None:
        """The least role that has it."""
        return {Right.LOOK: Role.VIEWER, Right.OPERATE: Role.OPERATOR, Right.ADMIN: Role.ADMIN}.get(
            self
        )


class How(StrEnum):
    """How somebody showed who they are."""

    SESSION = "session"
    TOKEN = "token"
    LOOPBACK = "loopback"
    """From this machine, while there is no account yet."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks."""

    name: str
    """Of the user, for the audit log: "anna", "anna (token backup)", "this machine"."""
    role: Role
    cameras: frozenset[CameraId] | None
    """Those that were granted; None for all."""
    how: How
    user_id: str | None = None
    """None on loopback without accounts."""
    login_id: str | None = None
    """The session or token that was shown, as lists name it: never the secret itself."""

    def has(self, right: Right) -> bool:
        """Whether the role suffices."""
        least = right.role
        return least is None or self.role.rank >= least.rank

    def may_see(self, camera: CameraId) -> bool:
        """Whether the camera was granted."""
        return self.cameras is None or camera in self.cameras
