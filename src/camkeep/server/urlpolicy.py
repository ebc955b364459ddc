"""Which addresses a camera may have. Pure.

Whoever may add cameras makes this machine connect to what they name. So the kinds of addresses
are a list of what is allowed, and addresses of this machine itself, of its own link and of a
cloud's metadata are refused, in whatever way they are written.

A name says nothing of what it will resolve to. Therefore `check` judges what is written, when a
camera is saved or tested, and `check_ip` judges each numeric address at the moment of connecting:
a source connects to the very addresses that were judged (`cameras/reach.py`), so that a name that
resolves to something else the second time (DNS rebinding) gets nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from camkeep.cameras.address import DEFAULT_PORTS, SCHEMES, Address
from camkeep.errors import Forbidden, UsageError

IP = IPv4Address | IPv6Address

SWITCH = "allow_loopback_cameras = true"
"""What the operator writes into camkeep.toml."""

_METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.169.253",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)
"""Where clouds hand a machine its credentials. No camera is there."""
_LOCAL_NAMES = re.compile(
    r"(?:.*\.)?localhost|(?:ip6-)?(?:localhost|loopback)|localhost[46]?(?:\.localdomain[46]?)?"
)
_WEBCAM = re.compile(r"/dev/(?:video[0-9]{1,4}|v4l/by-(?:id|path)/[A-Za-z0-9._:+@-]{1,200})")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{0,16}|[0-9]{1,16}")
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
_SIIT = IPv6Network("::ffff:0:0:0/96")
_THIS_NETWORK = IPv4Network("0.0.0.0/8")


@dataclass(frozen=True, slots=True)
class UrlPolicy:
    """What the operator and the asker's role allow."""

    loopback: bool = False
    """Whether cameras may be on this machine, or on a link that gave itself addresses."""
    private: bool = True
    """Whether they may be in networks of the house: administrators only."""

    def check(self, address: Address) -> None:
        """Raise UsageError where a camera may not have that address, as far as it says itself."""
        if address.scheme not in SCHEMES:
            raise UsageError(f"no camera answers to {address.scheme}:")
        if address.scheme == "v4l2" and not _WEBCAM.fullmatch(address.path):
            raise UsageError("a webcam is /dev/video0, or another of these, or /dev/v4l/by-id/...")
        if address.scheme not in DEFAULT_PORTS:
            return
        host = plain_host(address.host)
        if _LOCAL_NAMES.fullmatch(host):
            if not self.loopback:
                raise UsageError(_of_this_machine("that name"))
            return
        ip = numeric(host)
        if ip is None:
            return
        refusal = self.refusal(ip)
        if refusal is not None:
            raise UsageError(refusal)

    def check_ip(self, text: str) -> None:
        """Raise Forbidden where no connection may be made to that numeric address."""
        ip = numeric(text)
        refusal = "that is no address" if ip is None else self.refusal(ip)
        if refusal is not None:
            raise Forbidden(refusal)

    def refusal(self, ip: IP) -> str | None:
        """Why nothing may be connected to at `ip`; None where it may."""
        for each in (ip, *within(ip)):
            refusal = self._refusal(each)
            if refusal is not None:
                return refusal
        return None

    def _refusal(self, ip: IP) -> str | None:
        if ip in _METADATA:
            return f"{ip} is where a cloud keeps the secrets of a machine, and no camera"
        if (isinstance(ip, IPv4Address) and ip in _THIS_NETWORK) or ip == IPv6Address(0):
            return f"{ip} is nobody's address: write that of the camera"
        if ip.is_multicast or ip == IPv4Address("255.255.255.255"):
            return f"{ip} is the address of many at a time: write that of the camera"
        if ip.is_loopback:
            return None if self.loopback else _of_this_machine(str(ip))
        if ip.is_link_local or (isinstance(ip, IPv6Address) and ip.is_site_local):
            return None if self.loopback else _of_the_link(str(ip))
        if ip.is_reserved and not _carries(ip):
            return f"{ip} is an address that nobody has"
        if not self.private and not ip.is_global:
            return f"{ip} is in a network of the house: only administrators may name it"
        return None


def plain_host(host: str) -> str:
    """`host` as it will be looked up: other letters for the same (full width, ideographic dots)
    turned into plain ones, without a dot at its end. Raises UsageError where that cannot be."""
    bare = host.partition("%")[0] if ":" in host else host
    try:
        plain = bare.encode("ascii") if bare.isascii() else bare.encode("idna")
    except UnicodeError:
        raise UsageError("that is no name of a host") from None
    found = plain.decode("ascii").lower().rstrip(".")
    if not found or re.search(r"[^a-z0-9._:-]", found):
        raise UsageError("that is no name of a host")
    return found


def numeric(host: str) -> IP | None:
    """The numeric address that `host` is, in any notation that the system takes for one:
    127.0.0.1, 2130706433, 0x7f.1, 017700000001, ::1, fe80::1%eth0. None for a name."""
    if ":" in host:
        try:
            return ip_address(host.partition("%")[0])
        except ValueError:
            return None
    return _inet_aton(host.rstrip("."))


def within(ip: IP) -> tuple[IP, ...]:
    """The IPv4 addresses that an IPv6 address stands for, by the mechanisms that carry one over
    the other (RFC 4291, 6052, 3056, 4380, 2765)."""
    if isinstance(ip, IPv4Address):
        return ()
    found: list[IP] = []
    if ip.ipv4_mapped is not None:
        found.append(ip.ipv4_mapped)
    if ip.sixtofour is not None:
        found.append(ip.sixtofour)
    if ip.teredo is not None:
        found += ip.teredo
    carried = ip in _COMPATIBLE or ip in _SIIT or any(ip in network for network in _NAT64)
    if carried and int(ip) > 1:
        found.append(IPv4Address(int(ip) & 0xFFFFFFFF))
    return tuple(found)


def _carries(ip: IP) -> bool:
    return bool(within(ip))


def _inet_aton(text: str) -> IPv4Address | None:
    """As inet_aton(3) reads it: one to four numbers, decimal, octal or hexadecimal, of which the
    last fills all that is left."""
    parts = text.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    numbers = []
    for part in parts:
        base = 16 if part[:2].lower() == "0x" else 8 if part[0] == "0" and len(part) > 1 else 10
        try:
            numbers.append(int(part[2:] or "0" if base == 16 else part, base))
        except ValueError:
            return None
    *first, last = numbers
    if any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):
        return None
    value = sum(number << (24 - 8 * at) for at, number in enumerate(first))
    return IPv4Address(value + last)


def _of_this_machine(what: str) -> str:
    return (
        f"{what} is this machine itself: if a camera is there, write {SWITCH} into camkeep.toml, "
        "under [server]"
    )


def _of_the_link(what: str) -> str:
    return (
        f"{what} is an address of a link without a router: if a camera is there, write {SWITCH} "
        "into camkeep.toml, under [server]"
    )
