"""Basic (RFC 7617) and Digest (RFC 7616, RFC 2617) login, for HTTP and RTSP alike. Pure.

`Login` answers challenges: the caller sends a request with `header()`, and on a 401 gives the
challenges to `challenged()`, which either makes the next try worthwhile or raises LoginRefused.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from camkeep.cameras.address import Credentials
from camkeep.errors import LoginRefused

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_PREFERENCE = ("SHA-256", "MD5", "basic")
_LETTER = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_TOKEN = rf"{_LETTER}+"
# A string without an end goes on to the end, and a token is tried only where one begins: else
# a hostile challenge of some 10 KB takes seconds to read.
_STRING = r'"((?:[^"\\]|\\.?)*+)(?:"|\Z)'
_QUOTED = re.compile(_STRING, re.DOTALL)
_PARAMETER = re.compile(rf'(?<!{_LETTER})({_TOKEN})\s*=\s*(?:{_STRING}|([^\s,"]*))', re.DOTALL)
_SCHEME = re.compile(rf"(?:^|,)\s*({_TOKEN})(?=\s+{_TOKEN}\s*=|\s*$|\s*,)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate challenge: its scheme in lower case and its parameters."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """Read WWW-Authenticate values; a value may hold several, realms may hold commas."""
    found = []
    for value in values:
        bare = _QUOTED.sub(lambda quoted: '"' * len(quoted[0]), value)
        starts = list(_SCHEME.finditer(bare))
        ends = [match.start() for match in starts[1:]] + [len(value)]
        for match, end in zip(starts, ends, strict=False):
            parameters = {
                m[1].lower(): re.sub(r"\\(.)", r"\1", m[2]) if m[2] is not None else m[3]
                for m in _PARAMETER.finditer(value, match.end(), end)
            }
            found.append(Challenge(match[1].lower(), parameters))
    return found


class Login:
    """The login to one camera over one or more connections."""

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials
        self._challenge: Challenge | None = None
        self._algorithm = ""
        self._count = 0
        self._tried_nonce: str | None = None
        self._proven = False  # whether the camera has taken this login before

    @property
    def scheme(self) -> str:
        """What the camera asked for, in words: "none", "Basic", "Digest MD5" ..."""
        if self._challenge is None:
            return "none"
        return "Basic" if self._algorithm == "basic" else f"Digest {self._algorithm}"

    def use_basic(self) -> None:
        """Send Basic without being asked, for cameras that never ask."""
        self._challenge, self._algorithm = Challenge("basic"), "basic"

    def challenged(self, values: Iterable[str]) -> None:
        """The camera answered 401 with these challenges: get ready to try again.

        Raises LoginRefused where another try would be the same as the last: no login known,
        refused already and the nonce not stale, or no scheme that we speak.
        """
        challenges = parse_challenges(values)
        if self._credentials is None:
            raise LoginRefused("the camera wants a login: give a user and password")
        best = min(
            (c for c in challenges if _algorithm(c) in _PREFERENCE),
            key=lambda c: _PREFERENCE.index(_algorithm(c)),
            default=None,
        )
        if best is None:
            if not challenges:  # it was told some other way, such as in the query
                raise LoginRefused("the camera refused the user or password")
            asked = ", ".join(sorted({c.scheme for c in challenges}))
            raise LoginRefused(f"the camera asks for a login that camkeep has not: {asked}")
        nonce = best.parameters.get("nonce")
        stale = best.parameters.get("stale", "").lower() == "true"
        if self._tried_nonce is not None:
            fresh = nonce is not None and nonce != self._tried_nonce and (stale or self._proven)
            if not fresh:
                raise LoginRefused("the camera refused the user or password")
        self._challenge, self._algorithm = best, _algorithm(best)
        self._count = 0
        self._proven = False

    def accepted(self) -> None:
        """The camera took the request: where that had the login in it, a later challenge with
        another nonce is about the nonce, whether it says "stale" or not."""
        self._proven = self._proven or self._tried_nonce is not None
        self._tried_nonce = None

    def header(self, method: str, uri: str) -> str | None:
        """The Authorization value for a request, None before the first challenge."""
        challenge, credentials = self._challenge, self._credentials
        if challenge is None or credentials is None:
            return None
        self._tried_nonce = challenge.parameters.get("nonce", "")
        if self._algorithm == "basic":
            pair = f"{credentials.user}:{credentials.password}".encode()
            return "Basic " + base64.b64encode(pair).decode()
        return self._digest(challenge, credentials, method, uri)

    def _digest(self, challenge: Challenge, who: Credentials, method: str, uri: str) -> str:
        given = challenge.parameters
        realm, nonce = given.get("realm", ""), given.get("nonce", "")
        make = _HASHES[self._algorithm]

        def digest(*parts: str) -> str:
            return make(":".join(parts).encode()).hexdigest()

        secret = digest(who.user, realm, who.password)
        request = digest(method, uri)
        fields = [
            f'username="{_quote(who.user)}"',
            f'realm="{_quote(realm)}"',
            f'nonce="{_quote(nonce)}"',
            f'uri="{_quote(uri)}"',
        ]
        if "auth" in re.split(r"[\s,]+", given.get("qop", "")):
            self._count += 1
            count, own = f"{self._count:08x}", secrets.token_hex(8)
            fields += ["qop=auth", f"nc={count}", f'cnonce="{own}"']
            response = digest(secret, nonce, count, own, "auth", request)
        else:
            response = digest(secret, nonce, request)
        fields.append(f'response="{response}"')
        if "algorithm" in given:
            fields.append(f"algorithm={self._algorithm}")
        if "opaque" in given:
            fields.append(f'opaque="{_quote(given["opaque"])}"')
        return "Digest " + ", ".join(fields)


def _algorithm(challenge: Challenge) -> str:
    if challenge.scheme == "digest":
        return challenge.parameters.get("algorithm", "MD5").upper()
    return challenge.scheme


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
