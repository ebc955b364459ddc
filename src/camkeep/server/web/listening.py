"""The sockets that the service listens on, bound before anything else begins: a port that is
taken is told at once. And the files for TLS."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Sequence
from contextlib import ExitStack

from camkeep.errors import UsageError
from camkeep.server.web.options import Certificate

BACKLOG = 512


def bind(addresses: Sequence[tuple[str, int]]) -> list[socket.socket]:
    """Sockets that listen on all of `addresses` (names, literals; port 0 for any). Blocks while a
    name is looked up. Raises UsageError."""
    if not addresses:
        raise UsageError("there is no address to listen on: name one")
    with ExitStack() as stack:
        sockets: list[socket.socket] = []
        for host, port in addresses:
            for bound in _bind_all(host, port):
                stack.callback(bound.close)
                sockets.append(bound)
        stack.pop_all()
        return sockets


def _bind_all(host: str, port: int) -> list[socket.socket]:
    """One socket for each address that a name has, all with one port."""
    try:
        flags = socket.AI_PASSIVE
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError, OverflowError):
        raise UsageError(f"there is no address called {host} to listen on") from None
    sockets: list[socket.socket] = []
    absent: OSError | None = None
    for family, _, _, _, address in dict.fromkeys(found):
        try:
            sockets.append(_bind_one(family, (*address[:1], port, *address[2:])))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                _close(sockets)
                raise _refused(error, host, port) from error
            absent = error  # a name may have an address of IPv6 where there is no IPv6
            continue
        port = sockets[-1].getsockname()[1]
    if not sockets:
        raise _refused(absent or OSError(errno.EADDRNOTAVAIL, ""), host, port)
    return sockets


def _bind_one(family: int, address: tuple[object, ...]) -> socket.socket:
    # named, or asyncio does not set TCP_NODELAY: each small answer would take 40 ms longer
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except BaseException:
        bound.close()
        raise
    return bound


def _close(sockets: list[socket.socket]) -> None:
    for bound in sockets:
        bound.close()


def _refused(error: OSError, host: str, port: int) -> UsageError:
    place = f"port {port} of {host or 'this machine'}"
    match error.errno:
        case errno.EADDRINUSE:
            return UsageError(f"{place} is taken by another program: choose another with --listen")
        case errno.EACCES | errno.EPERM:
            return UsageError(f"{place} may not be used: choose one from 1024 on")
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return UsageError(f"this machine has not got the address {host}")
        case _:
            return UsageError(f"{place} cannot be listened on: {error.strerror}")


def tls_context(certificate: Certificate) -> ssl.SSLContext:
    """A context of TLS 1.2 and later. Blocks. Raises UsageError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    load_certificate(context, certificate)
    return context


def load_certificate(context: ssl.SSLContext, certificate: Certificate) -> None:
    """Have new connections use what is in the files now. Blocks. Raises UsageError."""
    for path in (certificate.chain, certificate.key):
        try:
            if b"-----BEGIN" not in path.read_bytes():
                raise UsageError(f"{path} is no PEM file: it has no line -----BEGIN ...")
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    try:
        context.load_cert_chain(certificate.chain, certificate.key, password=lambda: "")
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", "") or ""
        if "MISMATCH" in reason:
            told = f"{certificate.key} is not the key of the certificate {certificate.chain}"
        elif b"ENCRYPTED" in certificate.key.read_bytes():
            told = f"{certificate.key} is locked by a passphrase: give a key without one"
        else:
            told = f"{certificate.chain} and {certificate.key} are not a certificate and its key"
        raise UsageError(told) from error


def stamps(certificate: Certificate) -> tuple[float, ...]:
    """Another value when one of the files was replaced. Blocks; raises OSError."""
    return tuple(path.stat().st_mtime_ns for path in (certificate.chain, certificate.key))
