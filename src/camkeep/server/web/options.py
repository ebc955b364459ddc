"""What the web side must know of how it is reached. Values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

DEFAULT_PORT = 8090

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files for TLS, in PEM."""

    chain: Path
    """The certificate, with those between it and the authority behind it."""
    key: Path


@dataclass(frozen=True, slots=True)
class WebOptions:
    """How the service is reached."""

    listen: tuple[tuple[str, int], ...] = (("127.0.0.1", DEFAULT_PORT),)
    """Addresses (literals or names) and ports; port 0 takes any that is free."""
    certificate: Certificate | None = None
    """None for plain HTTP."""
    public_url: str | None = None
    """What browsers call it where that is not what it listens on: ``https://cams.example/``."""
    allowed_hosts: tuple[str, ...] = ()
    """Further names by which browsers may call it."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose word about the client is taken (X-Forwarded-*, Forwarded)."""
    body_limit: int = 1_000_000
    """Bytes of a request's body at most."""
    connections: int = 1000
    """How many there may be at a time."""
