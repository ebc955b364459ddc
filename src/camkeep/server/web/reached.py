"""From where and by which name a request came: Host, Origin, and what proxies say of it
(X-Forwarded-*, and Forwarded of RFC 7239). Pure: headers in, a `Visit` or a Problem out."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from camkeep.errors import UsageError
from camkeep.server.problems import Problem
from camkeep.server.web.options import Network, WebOptions
from camkeep.server.web.visit import Visit

USUAL_PORTS = {"http": 80, "https": 443}
PROXY_HEADERS = frozenset(
    {
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
    }
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?\.?")
_PAIR = re.compile(r'\s*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*')

Origin = tuple[str, str, int]
"""Scheme, host and port."""


@dataclass(frozen=True, slots=True)
class Reach:
    """By which names the service may be called, and whom it believes."""

    names: frozenset[str]
    public: Origin | None
    proxies: tuple[Network, ...]

    @classmethod
    def of(cls, options: WebOptions) -> Reach:
        """As it was asked for. Raises UsageError for an address that does not read."""
        own = socket.gethostname().lower().rstrip(".")
        names = {"localhost", own, f"{own}.local", own.partition(".")[0]}
        for name in options.allowed_hosts:
            names.add(_allowed(name))
        public = None
        if options.public_url is not None:
            public = origin_of(options.public_url)
            if public is None:
                raise UsageError(f"{options.public_url} is not the address of a page: https://...")
            names.add(public[1])
        return cls(frozenset(names), public, options.trusted_proxies)

    def believes(self, address: str) -> bool:
        """Whether that is a proxy whose word is taken."""
        known = _address(address)
        return known is not None and any(known in network for network in self.proxies)


def visit(reach: Reach, peer: str, scheme: str, headers: Headers, version: str = "1.1") -> Visit:
    """What is known of a request from `peer`. Raises Problem 400 where the headers do not read,
    or 421 where it is not meant for this service."""
    scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    hosts = headers.getlist("host")
    if len(hosts) != 1:
        raise Problem(400, "Bad request", "a request has one Host header")
    address, host = peer, hosts[0]
    trusted = reach.believes(peer)
    forwarded = any(name in PROXY_HEADERS or name.startswith("x-forwarded") for name in headers)
    if trusted and forwarded:
        address, scheme, host = _as_forwarded(reach, peer, scheme, host, headers)
    name, port = _authority(host, scheme)
    literal = _address(name)
    if literal is None and name not in reach.names:
        told = f"camkeep is not called {name[:100]} here: an administrator can allow that name"
        raise Problem(421, "Not this host", told, kind="urn:camkeep:host")
    known = _address(address)
    local = (
        known is not None
        and known.is_loopback
        and not (trusted or forwarded)
        and version != "1.0"  # no browser speaks it, but proxies do that say nothing of themselves
        and (name == "localhost" or (literal is not None and literal.is_loopback))
    )
    return Visit(str(known) if known else address, scheme, name, port, local)


def check_origin(reach: Reach, visit: Visit, headers: Headers, *, changes: bool) -> None:
    """Refuse what a page of another origin has a browser do. `changes` is whether it may change
    or open something: a method that is not safe, or a WebSocket. Raises Problem 403."""
    if not changes:
        return
    origin = headers.get("origin")
    told = "another site's page may not do this"
    if origin is not None:
        found = origin_of(origin)
        foreign = found not in {visit.origin, reach.public or visit.origin}
        if found is not None and found[1] == visit.host:
            told += ": if a proxy stands between, say so with public_url or trusted_proxies"
    else:
        foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    if foreign:
        raise Problem(403, "Another origin", told, kind="urn:camkeep:origin")


def origin_of(url: str) -> Origin | None:
    """Scheme, host and port of a URL; None where it is none of http(s), as ``null``."""
    try:
        parts = urlsplit(url)
        usual = USUAL_PORTS.get(parts.scheme)
        if usual is None or not parts.hostname or parts.username is not None:
            return None
        return (parts.scheme, _plain(parts.hostname), parts.port or usual)
    except ValueError:
        return None


def _allowed(name: str) -> str:
    plain = _plain(name)
    if _address(plain) is None and not _NAME.fullmatch(plain):
        raise UsageError(f"{name} is not the name of a host: give it without scheme and port")
    return plain


def _plain(host: str) -> str:
    """A host in the one form that is compared."""
    literal = _address(host.strip("[]"))
    return str(literal) if literal is not None else host.lower().rstrip(".")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An IP address, one of IPv4 that is written as IPv6 as what it is; None for what is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _authority(text: str, scheme: str) -> tuple[str, int]:
    """Host and port of a Host header (RFC 9110 §7.2). Raises Problem 400."""
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:/?#@\s\\]+)(?::([0-9]{0,5}))?", text)
    if match is None:
        raise Problem(400, "Bad request", "the Host header does not read")
    name, port = _plain(match[1]), int(match[2] or USUAL_PORTS[scheme])
    if not (_address(name) or _NAME.fullmatch(name)) or not 0 < port < 65_536:
        raise Problem(400, "Bad request", "the Host header does not read")
    return name, port


def _as_forwarded(
    reach: Reach, peer: str, scheme: str, host: str, headers: Headers
) -> tuple[str, str, str]:
    """Address, scheme and Host of the client, as the proxies say that we believe.

    Each appends to what came before it, so only as many entries from the right are believed as
    there are proxies of ours in a row; what stands left of these anybody may have written."""
    plain = _listed(headers, "x-forwarded-for")
    elements = _forwarded_elements(headers.getlist("forwarded"))
    named = [element["for"] for element in elements if "for" in element]
    client, hops = _behind(reach, peer, plain or named)
    if plain and named and _behind(reach, peer, named)[0] != client:
        told = "the proxy lets a Forwarded header pass that it did not write: have it removed there"
        raise Problem(400, "Bad request", told)
    schemes = _listed(headers, "x-forwarded-proto") or [
        e["proto"] for e in elements if "proto" in e
    ]
    hosts = _listed(headers, "x-forwarded-host") or [e["host"] for e in elements if "host" in e]
    scheme = _nearest(schemes, hops, scheme).lower()
    if scheme not in USUAL_PORTS:
        raise Problem(400, "Bad request", "the proxy names a scheme that is neither http nor https")
    return client, scheme, _nearest(hosts, hops, host)


def _behind(reach: Reach, peer: str, entries: Sequence[str]) -> tuple[str, int]:
    """Who stands before the proxies that are believed, and how many these are."""
    client, hops = peer, 0
    for entry in reversed(entries):
        if not reach.believes(client):
            break
        client, hops = _node(entry), hops + 1
    return client, max(hops, 1)


def _node(entry: str) -> str:
    """The address in an entry, without a port. Raises Problem 400 for what is none."""
    match = re.fullmatch(r"\[([^\]]+)\](?::\d+)?|([0-9.]+):\d+", entry)
    address = _address((match[1] or match[2]) if match else entry)
    if address is None:
        raise Problem(400, "Bad request", "the proxy does not say the client's address")
    return str(address)


def _nearest(values: Sequence[str], hops: int, otherwise: str) -> str:
    return values[max(0, len(values) - hops)] if values else otherwise


def _listed(headers: Headers, name: str) -> list[str]:
    return [
        part.strip() for line in headers.getlist(name) for part in line.split(",") if part.strip()
    ]


def _forwarded_elements(lines: Sequence[str]) -> list[dict[str, str]]:
    """The elements of Forwarded headers (RFC 7239 §4). Raises Problem 400."""
    elements: list[dict[str, str]] = []
    text = ",".join(lines)
    place, element = 0, {}
    while place < len(text):
        match = _PAIR.match(text, place)
        if match is None:
            raise Problem(400, "Bad request", "the Forwarded header does not read")
        element[match[1].lower()] = re.sub(r"\\(.)", r"\1", match[2] or "") or match[3] or ""
        place = match.end()
        if place < len(text) and text[place] not in ",;":
            raise Problem(400, "Bad request", "the Forwarded header does not read")
        if place == len(text) or text[place] == ",":
            elements.append(element)
            element = {}
        place += 1
    return elements
