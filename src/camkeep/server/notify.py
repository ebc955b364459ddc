"""Tells systemd how the service is: sd_notify(3), with nothing but a socket.

READY=1 once cameras are watched and the page answers, STOPPING=1 when the end has begun, a line
of STATUS for `systemctl status`, and WATCHDOG=1 as long as everything answers: a process that
hangs is then killed and started anew. Where nobody listens, nothing is sent.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, MutableMapping
from typing import NoReturn

_MOST_BYTES = 4096


class Notifier:
    """The way to systemd. Never raises: what it tells is for others."""

    def __init__(self, address: str | None, watchdog_s: float | None = None) -> None:
        """`address` is a path, or @name for a socket of the abstract namespace; None for nobody.
        `watchdog_s`: who is silent for so long is killed."""
        self.watchdog_s = watchdog_s
        self._address = address
        self._status = ""

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str] = os.environ) -> Notifier:
        """As systemd asks for it. Child processes are not to speak for us: it is taken out."""
        address = environ.pop("NOTIFY_SOCKET", None)
        period = environ.pop("WATCHDOG_USEC", "")
        who = environ.pop("WATCHDOG_PID", "")
        mine = not who or who == str(os.getpid())
        watchdog_s = int(period) / 1e6 if period.isdecimal() and int(period) and mine else None
        return cls(address or None, watchdog_s if address else None)

    def ready(self, status: str = "") -> bool:
        """All is up."""
        return self._send("READY=1", status)

    def stopping(self, status: str = "") -> bool:
        """The end has begun."""
        return self._send("STOPPING=1", status)

    def status(self, status: str) -> bool:
        """One line for a person; sent only where it differs from the last."""
        return status == self._status or self._send("", status)

    def alive(self) -> bool:
        """All is well at this moment."""
        return self._send("WATCHDOG=1")

    def extend(self, seconds: float) -> bool:
        """Starting or stopping takes so much longer from now."""
        return self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def _send(self, line: str, status: str = "") -> bool:
        """Send it; whether somebody took it."""
        lines = [line] if line else []
        if status:
            self._status = status
            lines.append(f"STATUS={' '.join(status.split())}")
        if self._address is None or not lines:
            return False
        data = "\n".join(lines).encode(errors="replace")[:_MOST_BYTES]
        name = self._address
        target = "\0" + name[1:] if name.startswith("@") else name
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
                link.setblocking(False)  # the loop does not wait for systemd
                link.sendto(data, target)
        except (OSError, ValueError):
            return False
        return True


async def feed_watchdog(notifier: Notifier, ailing: Callable[[], list[str]]) -> NoReturn:
    """Say that all is well thrice in each period, while `ailing` finds nothing that is not; and
    tell a person what it finds. Until cancelled. That this runs at all shows that the loop does."""
    period_s = notifier.watchdog_s / 3 if notifier.watchdog_s else 10.0
    while True:
        found = ailing()
        if not found:
            notifier.alive()
        else:
            notifier.status(f"{'; '.join(found)}: systemd will start it anew")
        await asyncio.sleep(period_s)
