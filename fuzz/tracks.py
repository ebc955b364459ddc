"""Drives a track of an RTSP session with packets made of the input.

Each record of the input is a packet: what to do, and the payload. Sequence numbers and time
stamps go on as they should unless the record says otherwise, because random ones would never get
a second packet past the first check.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from camkeep.cameras.rtsp.audio_track import AudioTrack
from camkeep.cameras.rtsp.depacketize_audio import audio_packets
from camkeep.cameras.rtsp.framing import Deframer
from camkeep.cameras.rtsp.sdp import Media
from camkeep.cameras.rtsp.track import Outlet, Track
from camkeep.cameras.rtsp.video import video_packets
from camkeep.cameras.rtsp.video_track import VideoTrack
from camkeep.cameras.source import Notes
from camkeep.clock import MonoNs, WallUs
from camkeep.errors import StreamBroken
from camkeep.model import Sample
from fuzz import checks, samples
from fuzz.reading import Reader, records

_MARKER, _NEW_STAMP, _LOSS, _RAW, _RTCP, _DROP_STAMP, _NEW_CHUNK = 1, 2, 4, 8, 16, 32, 64
_RTP_CHANNEL, _RTCP_CHANNEL = 0, 1

Packet = tuple[int, bytes]
"""The channel of a packet, and the packet."""


def drive(media: Media, data: bytes) -> None:
    """Feed the packets in `data` to a track of `media`, and check every sample.

    Once packet by packet, and once from the bytes of a connection, where packets of one length
    are taken in runs: both must come to the same.
    """
    chunks = _chunks(data)
    one_by_one, in_runs = _Rig(media), _Rig(media)
    assert one_by_one.feed(chunks) == in_runs.feed_bytes(chunks)
    made = one_by_one.made
    assert made == in_runs.made
    assert one_by_one.notes.trouble == in_runs.notes.trouble
    taken = sum(len(packet) for chunk in chunks for _, packet in chunk)
    assert sum(len(sample.data) for sample in made) <= 2 * taken + 1024 * len(made)
    for sample in made:
        checks.sample(sample)
    checks.time_rises(made)


def _chunks(data: bytes) -> list[list[Packet]]:
    """The packets that the input asks for, those together that arrive together."""
    number, stamp = 65_530, 0xFFFF_0000
    found: list[list[Packet]] = [[]]
    for record in Reader(data).records():
        at = Reader(record)
        todo = at.u8()
        if todo & _NEW_CHUNK:
            found.append([])
        if todo & _NEW_STAMP:
            stamp += 3000
        if todo & _DROP_STAMP:
            stamp += at.u16() << 16
        if todo & _LOSS:
            number += at.u8()
        payload = at.rest()[:65_000]
        if todo & _RTCP:
            found[-1].append((_RTCP_CHANNEL, payload))
        elif todo & _RAW:
            found[-1].append((_RTP_CHANNEL, payload))
        else:
            packet = samples.rtp(number, stamp, payload, marker=bool(todo & _MARKER))
            found[-1].append((_RTP_CHANNEL, packet))
            number += 1
    return found


class _Rig:
    """A track, what it needs, and what comes out of it."""

    def __init__(self, media: Media) -> None:
        self.made: list[Sample] = []
        self.notes = Notes()
        self.arrival = MonoNs(0)
        self.arrival_wall = WallUs(1_790_000_000_000_000)
        out = Outlet(self.made.append, self.notes, lambda: None)
        kind, rate = media.payload_type, media.clock_rate
        self._deframer = Deframer(lambda message: None, lambda: None, lambda: None)
        self._track: Track
        if media.kind == "video":
            video = VideoTrack(video_packets(media), kind, rate, self, out)
            self._deframer.runs[_RTP_CHANNEL] = video.receive_run
            self._track = video
        else:
            sound = audio_packets(media)
            assert sound is not None
            self._track = AudioTrack(sound, kind, self, out)
        self._deframer.receivers[_RTP_CHANNEL] = self._track.receive
        self._deframer.receivers[_RTCP_CHANNEL] = self._track.receive_rtcp

    def feed(self, chunks: list[list[Packet]]) -> bool:
        """Packet by packet; whether the camera ended the stream."""
        for chunk in chunks:
            self._advance()
            for channel, packet in chunk:
                try:
                    self._deframer.receivers[channel](b"$" + packet + b"$", 1, 1 + len(packet))
                except StreamBroken:
                    return True
        return False

    def feed_bytes(self, chunks: list[list[Packet]]) -> bool:
        """As a connection has them; whether the camera ended the stream."""
        for chunk in chunks:
            self._advance()
            heads = [struct.pack(">cBH", b"$", channel, len(packet)) for channel, packet in chunk]
            try:
                self._deframer.feed(
                    b"".join(head + packet for head, (_, packet) in zip(heads, chunk, strict=True))
                )
            except StreamBroken:
                return True
        return False

    def _advance(self) -> None:
        self.arrival = MonoNs(self.arrival + 33_000_000)
        self.arrival_wall = WallUs(self.arrival_wall + 33_000)


def packets(pictures: Iterable[Iterable[bytes]]) -> bytes:
    """An input for `drive`: the payloads of each picture, the last with a marker."""
    made = []
    for payloads in pictures:
        whole = list(payloads)
        for index, payload in enumerate(whole):
            todo = (_NEW_STAMP | _NEW_CHUNK if not index else 0) | (
                _MARKER if index == len(whole) - 1 else 0
            )
            made.append(bytes([todo]) + payload)
    made.append(bytes([_RTCP]) + samples.sender_report(0xFFFF_0000))
    return records(made)


def faulty(good: bytes) -> Iterable[bytes]:
    """The same with a packet lost, one in pieces of raw RTP, and one of another stream."""
    parts = list(Reader(good).records())
    middle = len(parts) // 2
    raw = bytes.fromhex("b1e00001 00000bb8 00000007 00000001 00010001 01020304") + bytes(8)
    yield records([*parts[:middle], *parts[middle + 1 :], *parts])
    yield records([*parts[:middle], bytes([_LOSS, 3]) + parts[middle][1:], *parts])
    yield records([*parts, bytes([_RAW]) + raw + b"\x02\x02", *parts])
    yield records([*parts, bytes([_DROP_STAMP | _MARKER, 0x80, 1]) + parts[0][1:], *parts])
