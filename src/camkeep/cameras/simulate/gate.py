"""The server's side of logins: by query, Basic (RFC 7617) and Digest (RFC 7616, RFC 2617)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict

from camkeep.cameras.simulate.faults import Faults, Kind, find
from camkeep.cameras.simulate.messages import Answer, Request
from camkeep.cameras.simulate.options import CameraKind, LoginKind, SimulatorOptions

REALM = "camera, simulated"
REFUSALS = frozenset((Kind.FORBIDDEN, Kind.LOGIN_BODY, Kind.UNAUTHORIZED))
"""Faults that keep out who has the right password."""
_FIELD = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')
_MAX_NONCES = 64
_HASHES = {"digest": ("MD5", hashlib.md5), "digest-sha256": ("SHA-256", hashlib.sha256)}


class Gate:
    """Lets in who knows the password."""

    def __init__(self, options: SimulatorOptions, accepted: tuple[LoginKind, ...]) -> None:
        self._user, self._password = options.user, options.password
        self._query = ("loginuse", "loginpas") if options.dialect == "B" else ("user", "pwd")
        self._accepted = accepted
        self._nonces: OrderedDict[str, int] = OrderedDict()  # and how often each was used

    def refusal(self, request: Request, faults: Faults) -> Answer | None:
        """What to answer in place of what was asked for; None lets the request in."""
        if find(faults, Kind.FORBIDDEN):
            return Answer(b"403 Forbidden", status=403)
        if find(faults, Kind.LOGIN_BODY):
            return Answer(b'var result="Auth Failed";\r\n')
        if find(faults, Kind.UNAUTHORIZED):
            return self._challenge(stale=False)
        if "none" in self._accepted:
            return None
        if "query" in self._accepted and self._by_query(request):
            return None
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic" and "basic" in self._accepted and self._by_basic(rest):
            return None
        for kind in ("digest", "digest-sha256"):
            if scheme.lower() == "digest" and kind in self._accepted:
                verdict = self._by_digest(kind, request, rest, faults)
                return None if verdict == "in" else self._challenge(stale=verdict == "stale")
        return self._challenge(stale=False)

    def _by_query(self, request: Request) -> bool:
        user, password = (request.query.get(name, "") for name in self._query)
        return self._same(user, self._user) and self._same(password, self._password)

    def _by_basic(self, given: str) -> bool:
        try:
            pair = base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(pair, f"{self._user}:{self._password}".encode())

    def _by_digest(self, kind: str, request: Request, given: str, faults: Faults) -> str:
        """ "in", "out" or "stale"."""
        fields = {m[1].lower(): m[2] if m[2] is not None else m[3] for m in _FIELD.finditer(given)}
        nonce = fields.get("nonce", "")
        if nonce not in self._nonces or fields.get("uri") != request.target:
            return "out"
        make = _HASHES[kind][1]

        def digest(*parts: str) -> str:
            return make(":".join(parts).encode()).hexdigest()

        middle = [nonce, fields.get("nc", ""), fields.get("cnonce", ""), fields.get("qop", "")]
        secret = digest(self._user, REALM, self._password)
        wanted = digest(secret, *middle, digest(request.method, request.target))
        if not self._same(fields.get("response", ""), wanted) or middle[3] != "auth":
            return "out"
        self._nonces[nonce] += 1
        if find(faults, Kind.STALE_NONCE) and self._nonces[nonce] > 1:
            del self._nonces[nonce]
            return "stale"
        return "in"

    def _challenge(self, *, stale: bool) -> Answer:
        headers = []
        for kind in self._accepted:
            if kind in ("basic", "none"):  # none: a fault asks for a login that there is not
                headers.append(("WWW-Authenticate", f'Basic realm="{REALM}"'))
            elif kind in _HASHES:
                nonce = secrets.token_hex(16)
                self._nonces[nonce] = 0
                while len(self._nonces) > _MAX_NONCES:
                    self._nonces.popitem(last=False)
                mark = ", stale=true" if stale else ""
                headers.append(
                    (
                        "WWW-Authenticate",
                        f'Digest realm="{REALM}", qop="auth", algorithm={_HASHES[kind][0]}, '
                        f'nonce="{nonce}", opaque="simulated"{mark}',
                    )
                )
        return Answer(b"401 Unauthorized", status=401, headers=tuple(headers))

    @staticmethod
    def _same(given: str, wanted: str) -> bool:
        return hmac.compare_digest(given.encode(), wanted.encode())


def logins(kind: CameraKind, options: SimulatorOptions) -> tuple[LoginKind, ...]:
    """What lets a client in."""
    if options.login is not None:
        return (options.login,)
    if not options.user:
        return ("none",)
    return ("query", "basic") if kind == "easyn" else ("basic",)
