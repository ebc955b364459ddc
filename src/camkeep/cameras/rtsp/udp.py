"""RTP and RTCP over UDP, for cameras that have nothing else.

A pair of sockets for each track (RFC 3550 §11), read until they are empty at each wake-up, so
that the packets of a frame cost one turn of the event loop. What comes from another host than
the camera is not looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable

from camkeep.cameras.rtsp.framing import Receive
from camkeep.cameras.rtsp.rtcp import receiver_report
from camkeep.cameras.rtsp.rtp import Datagram, Reorder
from camkeep.clock import Clock
from camkeep.errors import CameraError, Unreachable

REPORT_S = 5.0
"""Between receiver reports (RFC 3550 §6.2)."""
RECEIVE_BUFFER = 4 * 1024 * 1024
"""Asked of the kernel, which may grant less: some key frames are larger than its default."""
_BATCH = 256  # datagrams a wake-up, so that one camera cannot hold the loop
_LARGEST = 65_536


class UdpPair:
    """The two sockets of one track. Call `start` once it is known who receives."""

    def __init__(self, local: str, peer: str, clock: Clock) -> None:
        """Bind two neighbouring ports. Raises Unreachable where there are none."""
        self.arrival, self.arrival_wall = clock.mono(), clock.wall()
        self._peer = peer
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._rtp, self._rtcp = _bind_pair(local)
        self._reorder = Reorder()
        self._ssrc = secrets.randbits(32)
        self._report_to: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def ports(self) -> tuple[int, int]:
        """The ports to be named to the camera."""
        return self._rtp.getsockname()[1], self._rtcp.getsockname()[1]

    def start(
        self,
        receive: Receive,
        receive_rtcp: Receive,
        on_error: Callable[[CameraError], None],
        report_to: int | None,
    ) -> None:
        """Hand packets on from now; `report_to` is the camera's RTCP port, if it told."""
        self._report_to = report_to

        def read_rtp() -> None:
            def take(data: bytes, port: int) -> None:
                if len(data) < 4:
                    return receive(data, 0, len(data))
                arrived = Datagram(data, self._clock.mono(), self._clock.wall())
                for packet in self._reorder.push(arrived):
                    self.arrival, self.arrival_wall = packet.arrival, packet.arrival_wall
                    receive(packet.data, 0, len(packet.data))
                return None

            self._drain(self._rtp, take, on_error)

        def read_rtcp() -> None:
            def take(data: bytes, port: int) -> None:
                self.arrival, self.arrival_wall = self._clock.mono(), self._clock.wall()
                self._report_to = self._report_to or port
                receive_rtcp(data, 0, len(data))

            self._drain(self._rtcp, take, on_error)

        self._loop.add_reader(self._rtp, read_rtp)
        self._loop.add_reader(self._rtcp, read_rtcp)
        self._timer = self._loop.call_later(REPORT_S, self._report)

    def close(self) -> None:
        """Let go of both ports."""
        if self._timer is not None:
            self._timer.cancel()
        for sock in (self._rtp, self._rtcp):
            self._loop.remove_reader(sock)
            sock.close()

    def _drain(
        self,
        sock: socket.socket,
        take: Callable[[bytes, int], None],
        on_error: Callable[[CameraError], None],
    ) -> None:
        for _ in range(_BATCH):
            try:
                data, sender = sock.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of our own reports; the stall timer sees what matters
            if sender[0] != self._peer:
                continue
            try:
                take(data, sender[1])
            except CameraError as error:
                on_error(error)
                return

    def _report(self) -> None:
        if self._report_to:
            with contextlib.suppress(OSError):
                report = receiver_report(self._ssrc, "camkeep")
                self._rtcp.sendto(report, (self._peer, self._report_to))
        self._timer = self._loop.call_later(REPORT_S, self._report)


def _bind_pair(local: str) -> tuple[socket.socket, socket.socket]:
    """An even port and the one after it."""
    family = socket.AF_INET6 if ":" in local else socket.AF_INET
    for _ in range(64):
        first = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        second = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            first.bind((local, 0))
            port = first.getsockname()[1]
            if port % 2 == 0:
                second.bind((local, port + 1))
                first.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
                return first, second
        except OSError:
            pass
        first.close()
        second.close()
    raise Unreachable("no two neighbouring UDP ports are free on this machine")
