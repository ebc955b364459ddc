"""A scripted RTSP camera for what GStreamer's server cannot do: every way of being wrong.

    camera = Camera(media=stream(frames))
    async with camera.serving() as url: ...

`Camera` answers properly; its options, or a subclass, make it misbehave. Packets are made by
`packetize`, sent after PLAY, over TCP or to the client's UDP ports.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import secrets
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from support.clips import clip, nals, packets

MTU = 1200
RATE = 90_000


def rtp(
    number: int, stamp: int, payload: bytes, *, marker: bool = False, pt: int = 96, ssrc: int = 7
) -> bytes:
    """One RTP packet."""
    second = pt | (0x80 if marker else 0)
    head = struct.pack(">BBHII", 0x80, second, number & 0xFFFF, stamp & 0xFFFFFFFF, ssrc)
    return head + payload


def fragments(nal: bytes, mtu: int = MTU) -> list[bytes]:
    """The payloads of one H.264 NAL unit (RFC 6184 §5.6, §5.8)."""
    if len(nal) <= mtu:
        return [nal]
    indicator, kind = nal[0] & 0xE0 | 28, nal[0] & 0x1F
    pieces = [nal[at : at + mtu - 2] for at in range(1, len(nal), mtu - 2)]
    last = len(pieces) - 1
    return [
        bytes((indicator, kind | (0x80 if n == 0 else 0) | (0x40 if n == last else 0))) + piece
        for n, piece in enumerate(pieces)
    ]


def access_units(name: str = "h264") -> list[list[bytes]]:
    """The NAL units of each frame of a clip; key frames have their parameter sets in front."""
    import av

    with av.open(str(clip(name))) as container:
        config = bytes(container.streams.video[0].codec_context.extradata)
    size = int.from_bytes(config[6:8])
    sps = config[8 : 8 + size]
    pps = config[11 + size :][: int.from_bytes(config[9 + size : 11 + size])]
    return [
        ([sps, pps] if packet.key else []) + nals(packet.data) for packet in packets(clip(name))
    ]


def packetize(
    units: Sequence[Sequence[bytes]],
    *,
    first_number: int = 1000,
    first_stamp: int = 5000,
    step: int = 3600,
    markers: bool = True,
    ssrc: int = 7,
) -> list[bytes]:
    """RTP packets of H.264 access units, `step` ticks apart."""
    made: list[bytes] = []
    for index, unit in enumerate(units):
        payloads = [payload for nal in unit for payload in fragments(nal)]
        for place, payload in enumerate(payloads):
            last = markers and place == len(payloads) - 1
            stamp = first_stamp + index * step
            made.append(rtp(first_number + len(made), stamp, payload, marker=last, ssrc=ssrc))
    return made


def interleaved(packet: bytes, channel: int = 0) -> bytes:
    """A packet as it goes over TCP (RFC 2326 §10.12)."""
    return b"$" + bytes((channel,)) + struct.pack(">H", len(packet)) + packet


SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=scripted
t=0 0
a=control:*
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1
a=control:trackID=1
"""


@dataclass
class Asked:
    """A request as it came."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass
class Camera:
    """A camera that answers by the book where nothing else is said."""

    packets: Sequence[bytes] = ()
    """RTP packets to be sent after PLAY."""
    sdp: str = SDP
    login: tuple[str, str] | None = None
    digest: str | None = "MD5"
    """The algorithm asked for; None asks for Basic."""
    qop: bool = True
    guarded: frozenset[str] = frozenset({"DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER"})
    """The methods that want a login."""
    nonce_lasts: int = 1000
    """Requests for which a nonce is good."""
    says_stale: bool = True
    """Whether it says that a nonce is stale, or only sends another."""
    content_base: str | None = "{url}/"
    before_play: bytes = b""
    """Sent right before the answer to PLAY."""
    raw: bytes | None = None
    """Sent after PLAY instead of the packets."""
    ends: bool = True
    """Whether it closes the connection behind the packets."""
    statuses: dict[str, str] = field(default_factory=dict)
    """Answers other than "200 OK", by method."""
    extra: dict[str, str] = field(default_factory=dict)
    """More header lines, by method."""
    public: str = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
    session: str = "4711"
    answers_cseq: str = "{cseq}"
    """What CSeq is answered; "" leaves it out."""
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        self.asked: list[Asked] = []
        self.left = asyncio.Event()
        """Set when a client sent TEARDOWN."""
        self.plays: asyncio.Queue[None] = asyncio.Queue()
        """An entry for each stream that was begun."""
        self.rtcp_from_client: asyncio.Queue[bytes] = asyncio.Queue()
        self._nonce, self._uses = secrets.token_hex(8), 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._client_ports: tuple[int, int] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Its address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"rtsp://{host}:{self.port}/cam"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._serve, self.host, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self.url
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._tasks.discard(task)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it ends."""
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if head.startswith("RTSP/"):
                continue
            first, *lines = head.strip().split("\r\n")
            method, url, _ = first.split(" ")
            pairs = (line.split(": ", 1) for line in lines)
            asked = Asked(method, url, {name.lower(): value for name, value in pairs})
            self.asked.append(asked)
            if not await self.answer(asked, writer):
                writer.write_eof()
                await reader.read()  # closing with something unread would be a reset
                return

    async def answer(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False ends the connection."""
        refusal = self._refusal(asked)
        if refusal is not None:
            writer.write(self._response(asked, "401 Unauthorized", refusal))
            return True
        status = self.statuses.get(asked.method, "200 OK")
        body, headers = "", ""
        if asked.method == "OPTIONS":
            headers = f"Public: {self.public}\r\n"
        elif asked.method == "DESCRIBE":
            body = self.sdp.replace("\n", "\r\n")
            headers = "Content-Type: application/sdp\r\n"
            if self.content_base is not None:
                headers += f"Content-Base: {self.content_base.format(url=self.url)}\r\n"
        elif asked.method == "SETUP":
            headers = f"Transport: {self._granted(asked)}\r\nSession: {self.session}\r\n"
        elif asked.method == "PLAY":
            writer.write(self.before_play)
        headers += self.extra.get(asked.method, "")
        writer.write(self._response(asked, status, headers, body))
        await writer.drain()
        if asked.method == "TEARDOWN":
            self.left.set()
            return False
        if asked.method == "PLAY" and status.startswith("200"):
            self.plays.put_nowait(None)
            await self.play(writer)
            return not self.ends
        return True

    async def play(self, writer: asyncio.StreamWriter) -> None:
        """Send the stream."""
        if self._client_ports is not None:
            await self._play_udp(self._client_ports)
        elif self.raw is not None:
            writer.write(self.raw)
        else:
            writer.writelines(interleaved(packet) for packet in self.packets)
        await writer.drain()

    async def _play_udp(self, ports: tuple[int, int]) -> None:
        loop = asyncio.get_running_loop()
        queue = self.rtcp_from_client

        class Listener(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: object) -> None:
                queue.put_nowait(data)

        transport, _ = await loop.create_datagram_endpoint(
            Listener, local_addr=(self.host, 0), remote_addr=(self.host, ports[0])
        )
        for index, packet in enumerate(self.packets):
            transport.sendto(packet)
            if index % 16 == 15:
                await asyncio.sleep(0)
        transport.close()
        await asyncio.sleep(0.05)  # what was sent is read before the connection ends

    def _granted(self, asked: Asked) -> str:
        wanted = asked.headers["transport"]
        if match := re.search(r"client_port=(\d+)-(\d+)", wanted):
            self._client_ports = int(match[1]), int(match[2])
            return f"{wanted};server_port=6970-6971"
        return wanted

    def _response(self, asked: Asked, status: str, headers: str, body: str = "") -> bytes:
        cseq = self.answers_cseq.format(cseq=asked.headers.get("cseq", ""))
        lines = f"RTSP/1.0 {status}\r\n"
        if cseq:
            lines += f"CSeq: {cseq}\r\n"
        if body:
            headers += f"Content-Length: {len(body)}\r\n"
        return f"{lines}Server: scripted/1\r\n{headers}\r\n{body}".encode()

    def _refusal(self, asked: Asked) -> str | None:
        """The challenge, where the request is not to be served."""
        if self.login is None or asked.method not in self.guarded:
            return None
        given = asked.headers.get("authorization", "")
        if self.digest is None:
            pair = base64.b64encode(":".join(self.login).encode()).decode()
            return None if given == f"Basic {pair}" else 'WWW-Authenticate: Basic realm="a, b"\r\n'
        self._uses += 1
        stale = False
        if given and self._uses > self.nonce_lasts:
            self._nonce, self._uses, stale = secrets.token_hex(8), 0, True
        elif given and self._proves(asked, given):
            return None
        quality = ', qop="auth"' if self.qop else ""
        return (
            f'WWW-Authenticate: Digest realm="a, b", nonce="{self._nonce}"{quality}, '
            f"algorithm={self.digest}{', stale=true' if stale and self.says_stale else ''}\r\n"
        )

    def _proves(self, asked: Asked, given: str) -> bool:
        """Whether a Digest answer is right, computed as RFC 7616 §3.4.1 has it."""
        fields = {m[1]: m[2] or m[3] for m in re.finditer(r'(\w+)=(?:"([^"]*)"|(\w+))', given)}
        make = hashlib.sha256 if self.digest == "SHA-256" else hashlib.md5
        assert self.login is not None

        def digest(*parts: str) -> str:
            return make(":".join(parts).encode()).hexdigest()

        secret = digest(self.login[0], fields["realm"], self.login[1])
        request = digest(asked.method, asked.url)
        middle = [self._nonce]
        if self.qop:
            middle += [fields["nc"], fields["cnonce"], "auth"]
        right = digest(secret, *middle, request)
        return fields["nonce"] == self._nonce and fields["response"] == right
