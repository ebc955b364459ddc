"""What is known of a request before anybody asks who sent it. Values and how handlers get them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a request came from, as far as that can be believed."""

    address: str
    """The client's IP address; what a trusted proxy says, where one stands between."""
    scheme: str
    """``http`` or ``https``, as the client sees it."""
    host: str
    """Name or address in the URL that the client called, lower case, IPv6 without brackets."""
    port: int
    """Of that URL."""
    local: bool
    """Whether it came from this machine itself, straight, and called it by a loopback name."""

    @property
    def secure(self) -> bool:
        """Whether the client speaks TLS."""
        return self.scheme == "https"

    @property
    def trustworthy(self) -> bool:
        """Whether browsers hold that nobody else can have changed what they get: TLS, or this
        machine itself. To others they say that some headers are of no use."""
        return self.secure or self.host == "localhost" or _is_loopback(self.host)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port, to be compared with that of a page."""
        return (self.scheme, self.host, self.port)

    @property
    def url(self) -> str:
        """The URL that the client called, up to the path: ``http://[::1]:8080``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{host}" + ("" if self.port == usual else f":{self.port}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def visit_of(connection: HTTPConnection) -> Visit:
    """That of the request; the middleware has put it there."""
    return cast(Visit, connection.state.visit)


async def _visit_of(connection: HTTPConnection) -> Visit:
    return visit_of(connection)  # what is no coroutine is run on another thread, for each request


VisitOf = Annotated[Visit, Depends(_visit_of)]
