"""An RTSP camera as a `Source`: describe, set up, play, and hand on samples until it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

from camkeep.cameras.address import Address, parse_address
from camkeep.cameras.rtsp.audio_track import AudioTrack
from camkeep.cameras.rtsp.depacketize_audio import AudioPackets, audio_packets
from camkeep.cameras.rtsp.messages import Transport, parse_transport
from camkeep.cameras.rtsp.sdp import Description, Media, base_url, parse_sdp, resolve_control
from camkeep.cameras.rtsp.session import Session, check
from camkeep.cameras.rtsp.track import Outlet, Track
from camkeep.cameras.rtsp.udp import UdpPair
from camkeep.cameras.rtsp.video import pick_video, promised_fps, video_packets
from camkeep.cameras.rtsp.video_track import VideoTrack
from camkeep.cameras.source import Notes, Sink, SourceOptions
from camkeep.cameras.wire import Wire
from camkeep.errors import (
    Forbidden,
    MediaError,
    NotSupported,
    StreamBroken,
    UsageError,
    WrongProtocol,
)
from camkeep.model import Codec, Sample

MAX_REDIRECTS = 3


class _Redirected(Exception):
    """DESCRIBE was answered with another address on the same host."""

    def __init__(self, address: Address) -> None:
        self.address = address


@dataclass(frozen=True, slots=True)
class _Offer:
    """What DESCRIBE found, and what of it is wanted."""

    base: str
    description: Description
    video: Media
    audio: tuple[Media, AudioPackets] | None


class RtspSource:
    """rtsp: over TCP or UDP, rtsps: over TLS (RFC 2326)."""

    def __init__(self, address: Address, options: SourceOptions) -> None:
        """Raises UsageError where the options do not go together."""
        if options.transport not in ("tcp", "udp"):
            raise UsageError(f"RTSP comes over tcp or udp, not {options.transport}")
        if options.transport == "udp" and address.scheme == "rtsps":
            raise UsageError("rtsps carries everything over TLS: leave udp out, or write rtsp")
        self._address = address
        self._options = options
        self._hurried = False
        self._paced: set[Wire] = set()

    @property
    def address(self) -> Address:
        """Where it is."""
        return self._address

    def hurry(self, wanted: bool) -> None:
        """Whether somebody watches at this moment: frames are then read sooner (`pacer.py`)."""
        if wanted is not self._hurried:
            self._hurried = wanted
            for wire in self._paced:
                wire.hurry(wanted)

    async def run(self, sink: Sink, notes: Notes) -> NoReturn:
        """One session: see `Source.run`."""
        async with self._described(notes) as (session, offer), AsyncExitStack() as stack:
            out = Outlet(sink, notes, session.wire.progress)
            notes.promised_fps = promised_fps(offer.video) or notes.promised_fps
            notes.audio = offer.audio[1].params if offer.audio else None
            await self._set_up(session, offer, out, stack)
            headers = [("Range", "npt=0.000-")]
            check(await session.ask("PLAY", session.control_url, headers), "PLAY")
            session.wire.progress()
            if not self._options.exact_arrivals:
                session.wire.pace()  # frames carry their own clock
                session.wire.hurry(self._hurried)
                self._paced.add(session.wire)
                stack.callback(self._paced.discard, session.wire)
            keeper = asyncio.create_task(session.keep_alive())
            try:
                await session.wire.finished(self._options.stall_s)
            finally:
                keeper.cancel()
                await asyncio.wait((keeper,))
        raise StreamBroken("the connection was closed")

    async def snapshot(self, notes: Notes) -> bytes:
        """The next whole picture of a JPEG stream; see `Source.snapshot`.

        Raises NotSupported where the stream is not JPEG.
        """
        async with self._described(notes) as (_, offer):
            encoding = offer.video.encoding
        if encoding != "JPEG":
            name = {"H264": "H.264", "H265": "H.265"}[encoding]
            raise NotSupported(
                f"the camera sends {name} and no JPEG over RTSP: save one key frame as .mp4 instead"
            )
        picture: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def sink(sample: Sample) -> None:
            if sample.params.codec is Codec.JPEG and not picture.done():
                picture.set_result(sample.data)

        session = asyncio.create_task(self.run(sink, notes))
        try:
            await asyncio.wait((session, picture), return_when=asyncio.FIRST_COMPLETED)
            if not picture.done():
                session.result()
            return await picture
        finally:
            session.cancel()
            await asyncio.wait((session,))
            if not session.cancelled():
                session.exception()

    @asynccontextmanager
    async def _described(self, notes: Notes) -> AsyncIterator[tuple[Session, _Offer]]:
        """A session that knows what the camera offers; follows redirects within the host."""
        address = self._address
        for _ in range(MAX_REDIRECTS + 1):
            session = Session(address, self._options, notes)
            try:
                await session.open(address, self._options)
                offer = await self._describe(session, address, notes)
                yield session, offer
                return
            except _Redirected as redirected:
                address = redirected.address
            finally:
                await session.close()
        raise StreamBroken("the camera redirects in circles")

    async def _describe(self, session: Session, address: Address, notes: Notes) -> _Offer:
        await session.ask("OPTIONS", session.url)
        response = await session.ask("DESCRIBE", session.url, [("Accept", "application/sdp")])
        if 300 <= response.status < 400:
            raise _Redirected(_elsewhere(address, response.get("location")))
        check(response, "DESCRIBE")
        try:
            description = parse_sdp(response.body)
        except MediaError as error:
            raise WrongProtocol(f"the camera's answer cannot be used: {error}") from None
        given = response.get("content-base") or response.get("content-location")
        base = base_url(session.url, given)
        session.control_url = resolve_control(base, description.control)
        audio = _pick_audio(description) if self._options.audio else None
        return _Offer(base, description, pick_video(description), audio)

    async def _set_up(
        self, session: Session, offer: _Offer, out: Outlet, stack: AsyncExitStack
    ) -> None:
        """SETUP of each flow that is wanted, and a track for it."""
        wire, video = session.wire, offer.video
        tls = self._address.scheme == "rtsps"
        over = "TLS" if tls else self._options.transport.upper()
        out.notes.transport = f"RTSP over {over}"
        track: Track = VideoTrack(
            video_packets(video), video.payload_type, video.clock_rate, wire, out
        )
        await self._set_up_one(session, offer, video, track, stack)
        if offer.audio is not None:
            media, packets = offer.audio
            track = AudioTrack(packets, media.payload_type, wire, out)
            await self._set_up_one(session, offer, media, track, stack)

    async def _set_up_one(
        self, session: Session, offer: _Offer, media: Media, track: Track, stack: AsyncExitStack
    ) -> None:
        url = resolve_control(offer.base, media.control)
        if self._options.transport == "udp":
            pair = UdpPair(session.wire.local, session.wire.peer, self._options.clock)
            stack.callback(pair.close)
            track.moment = pair
            first, second = pair.ports
            granted = await self._transport(
                session, url, f"RTP/AVP;unicast;client_port={first}-{second}"
            )
            report_to = granted.server_ports[1] if granted.server_ports else None
            pair.start(track.receive, track.receive_rtcp, session.wire.fail, report_to)
            return
        receivers = session.deframer.receivers
        wanted = len(receivers)
        granted = await self._transport(
            session, url, f"RTP/AVP/TCP;unicast;interleaved={wanted}-{wanted + 1}"
        )
        rtp, rtcp = granted.interleaved or (wanted, wanted + 1)
        receivers[rtp] = track.receive
        receivers[rtcp] = track.receive_rtcp
        if isinstance(track, VideoTrack):
            session.deframer.runs[rtp] = track.receive_run

    async def _transport(self, session: Session, url: str, wanted: str) -> Transport:
        response = await session.ask("SETUP", url, [("Transport", wanted)])
        other = "tcp" if self._options.transport == "udp" else "udp"
        refusal = (
            f"the camera does not send over {self._options.transport.upper()}: "
            f"choose {other.upper()} as transport"
        )
        if response.status == 461:
            raise NotSupported(refusal)
        check(response, "SETUP")
        granted = parse_transport(response.get("transport") or wanted)
        if granted.tcp != (self._options.transport == "tcp"):
            raise NotSupported(refusal)
        return granted


def _pick_audio(description: Description) -> tuple[Media, AudioPackets] | None:
    """The first sound that camkeep keeps; a recording without sound is better than none."""
    for media in description.media:
        if media.kind == "audio" and not media.secure and not media.to_camera:
            with contextlib.suppress(MediaError):
                packets = audio_packets(media)
                if packets is not None:
                    return media, packets
    return None


def _elsewhere(address: Address, location: str | None) -> Address:
    """The address of a redirect. Raises Forbidden where it leads to another host."""
    try:
        target, _ = parse_address(location or "")
    except UsageError:
        raise StreamBroken("the camera redirects to an address that makes no sense") from None
    if target.scheme != address.scheme or target.host != address.host:
        raise Forbidden("the camera redirects to another host, which camkeep does not follow")
    return target
