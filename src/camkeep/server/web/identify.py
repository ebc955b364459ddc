"""Who sends a request: by session cookie, by token, or from this machine while nobody has an
account."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from camkeep.server.access import How, Principal, Role
from camkeep.server.desk import Desk
from camkeep.server.problems import Problem
from camkeep.server.web.visit import Visit, visit_of

THIS_MACHINE = Principal("this machine", Role.ADMIN, None, How.LOOPBACK)
COOKIE = "camkeep"
SECURE_COOKIE = "__Host-camkeep"
"""Under TLS: browsers take it only from this very host, encrypted (RFC 6265bis §4.1.3)."""
TOKEN_START = "ck_"
LONGEST_SECRET = 200


def cookie_name(visit: Visit) -> str:
    """Under which name the session is kept by the browser."""
    return SECURE_COOKIE if visit.secure else COOKIE


async def identify(
    desk: Desk, connection: HTTPConnection, token_in_url: bool = False
) -> Principal | None:
    """Who asks; None for nobody that is known. Raises Problem 401 where a token was sent that is
    none."""
    visit = visit_of(connection)
    token = _token(connection, token_in_url)
    if token is not None:
        who = await desk.accounts.by_token(token) if len(token) <= LONGEST_SECRET else None
        if who is None:
            challenge = {"www-authenticate": 'Bearer realm="camkeep", error="invalid_token"'}
            raise Problem(
                401, "Login needed", "the token is not, or no longer, valid", headers=challenge
            )
        return who
    secret = connection.cookies.get(cookie_name(visit))
    if secret is not None and len(secret) <= LONGEST_SECRET:
        who = await desk.accounts.by_session(secret)
        if who is not None:
            return who
    foreign = connection.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    if visit.local and not foreign and not desk.accounts.any_account():
        return THIS_MACHINE
    return None


def _token(connection: HTTPConnection, in_url: bool) -> str | None:
    header = connection.headers.get("authorization")
    if header is not None:
        kind, _, token = header.partition(" ")
        return token.strip() if kind.lower() == "bearer" else None
    if in_url and connection.scope.get("method", "GET") in ("GET", "HEAD"):
        return connection.query_params.get("token")
    return None
