"""What the web side is asked for, counted: by route, method and status. Never by path, which
whoever asks makes up, and which may hold secrets."""

from __future__ import annotations

from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_COUNTS = 5000
"""Kinds of requests that are told apart."""
API = "/api/v1"
LOGINS = frozenset({f"{API}/login", f"{API}/session", f"{API}/sessions"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class WebCounts:
    """The counts. On the event loop only."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()
        """By route, method and status."""
        self.open = 0
        """Requests and WebSockets that are being answered at this moment."""

    def note(self, route: str, method: str, status: int) -> None:
        """A request was answered."""
        key = (route, method if method in METHODS else "other", str(status))
        if key not in self.requests and len(self.requests) >= MOST_COUNTS:
            key = ("other", "other", "other")
        self.requests[key] += 1

    @property
    def refused_logins(self) -> int:
        """How often somebody tried to log in with a wrong password, or too often."""
        return sum(
            count
            for (route, method, status), count in self.requests.items()
            if method == "POST" and route in LOGINS and status in ("401", "429")
        )


class Counting:
    """The middleware that counts, before all others."""

    def __init__(self, app: ASGIApp, counts: WebCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        self._counts.open += 1
        try:
            await self._app(scope, receive, noting)
        finally:
            self._counts.open -= 1
            self._counts.note(template(scope), scope.get("method", "GET"), status)


def template(scope: Scope) -> str:
    """The path of a request as its route has it: ``/api/v1/cameras/{camera_id}``."""
    path = getattr(scope.get("route"), "path", None)
    if not isinstance(path, str):
        return "none"
    below = str(scope.get("path", "")).startswith(f"{API}/") and not path.startswith(f"{API}/")
    return f"{API}{path}" if below else path
