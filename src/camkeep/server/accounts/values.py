"""What the accounts are made of: frozen values without secrets, and the rules for names."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from hashlib import sha256

from camkeep.clock import WallUs
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server.access import How, Principal, Role

Cameras = frozenset[CameraId] | None
"""The cameras that somebody may see; None for all, and those to come."""

LONGEST_NAME = 64
"""Characters."""
_LONGEST_SECRET = 256


@dataclass(frozen=True, slots=True)
class User:
    """One account."""

    id: str
    name: str
    role: Role
    cameras: Cameras
    """Those that were granted. An administrator sees all, whatever stands here."""
    disabled: bool
    created: WallUs
    password_set: WallUs
    """When the password was set."""

    @property
    def sees(self) -> Cameras:
        """The cameras that they may see."""
        return None if self.role is Role.ADMIN else self.cameras

    def may_see(self, camera: CameraId) -> bool:
        """Whether they may see that camera."""
        return self.sees is None or camera in self.sees


@dataclass(frozen=True, slots=True)
class Session:
    """One login, in one browser."""

    id: str
    """Public: what lists call it."""
    user: str
    """The id of the user."""
    created: WallUs
    used: WallUs
    """When it was shown last, to about an hour."""
    expires: WallUs
    """However much it is used."""
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows in place of a password."""

    id: str
    """Public: what lists call it."""
    user: str
    """The id of the user in whose name it acts."""
    name: str
    role: Role
    """At most; it may never do more than the user."""
    cameras: Cameras
    """At most; None for all that the user sees."""
    created: WallUs
    expires: WallUs | None
    """None for never."""
    used: WallUs | None
    """When it was shown last, to about an hour; None for never."""


@dataclass(frozen=True, slots=True)
class Share:
    """A link to one clip, for somebody without an account."""

    id: str
    """Public: what lists call it."""
    clip: str
    name: str
    """Whom it is for."""
    user: str | None
    """The id of the user who made it; None on loopback without accounts."""
    created: WallUs
    expires: WallUs
    revoked: bool
    downloads: int


def principal_of_session(user: User, session: Session) -> Principal:
    """Who asks with that session."""
    return Principal(user.name, user.role, user.sees, How.SESSION, user.id, session.id)


def principal_of_token(user: User, token: Token) -> Principal:
    """Who asks with that token: what the user may at this moment, and at most what the token
    may. Whoever does not see all cameras does not administer them."""
    name = f"{user.name} (token {token.name})"
    role = min(user.role, token.role, key=lambda role: role.rank)
    cameras = user.sees
    if token.cameras is not None:
        cameras = token.cameras if cameras is None else token.cameras & cameras
    if cameras is not None and role is Role.ADMIN:
        role = Role.OPERATOR
    return Principal(name, role, cameras, How.TOKEN, user.id, token.id)


def new_id() -> str:
    """64 random bits, no secret."""
    return secrets.token_hex(8)


def new_secret() -> str:
    """256 random bits, fit for a URL and a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is kept of a random secret. It needs no salt: nobody guesses 256 bits. Looking it up
    tells by its time nothing that helps to find a secret with another digest."""
    return sha256(secret[:_LONGEST_SECRET].encode("utf-8", "surrogatepass")).digest()


def folded(name: str) -> str:
    """Names that are equal so are one name: "Anna", "anna"."""
    return unicodedata.normalize("NFKC", name[: 4 * LONGEST_NAME]).casefold().strip()


def checked_name(name: str, of: str = "a user") -> str:
    """`name` as it is kept. Raises UsageError."""
    found = unicodedata.normalize("NFC", name).strip()
    if not found:
        raise UsageError(f"the name of {of} is empty")
    if len(found) > LONGEST_NAME:
        raise UsageError(f"the name of {of} has at most {LONGEST_NAME} characters")
    if not found.isprintable():
        raise UsageError(f"the name of {of} holds signs that cannot be shown")
    return found


def plain(text: str, longest: int) -> str:
    """What somebody else says, fit to be kept and shown."""
    return "".join(char if char.isprintable() else "?" for char in text[:longest])
