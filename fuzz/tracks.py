"""Drives a track of an RTSP session with packets made of the input.

Each record of the input is a packet: what to do, and the payload. Sequence numbers and time
stamps go on as they should unless the record says otherwise, because random ones would never get
a second packet past the first check.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from camkeep.cameras.rtsp.audio_track import AudioTrack
from camkeep.cameras.rtsp.depacketize_audio import audio_packets
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

_MARKER, _NEW_STAMP, _LOSS, _RAW, _RTCP, _DROP_STAMP = 1, 2, 4, 8, 16, 32


class _Moment:
    def __init__(self) -> None:
        self.arrival = MonoNs(0)
        self.arrival_wall = WallUs(1_790_000_000_000_000)


@dataclass(slots=True)
class _Rig:
    """A track and what comes out of it."""

    track: Track
    moment: _Moment
    made: list[Sample] = field(default_factory=list)


def drive(media: Media, data: bytes) -> None:
    """Feed the packets in `data` to a track of `media`, and check every sample."""
    rig = _rig(media)
    if rig is None:
        return
    number, stamp = 65_530, 0xFFFF_0000
    taken = 0
    for record in Reader(data).records():
        at = Reader(record)
        todo = at.u8()
        if todo & _NEW_STAMP:
            stamp += 3000
        if todo & _DROP_STAMP:
            stamp += at.u16() << 16
        if todo & _LOSS:
            number += at.u8()
        payload = at.rest()
        rig.moment.arrival = MonoNs(rig.moment.arrival + 5_000_000)
        rig.moment.arrival_wall = WallUs(rig.moment.arrival_wall + 5_000)
        if todo & _RTCP:
            try:
                rig.track.receive_rtcp(b"$" + payload + b"$", 1, 1 + len(payload))
            except StreamBroken:
                return
            continue
        packet = payload
        if not todo & _RAW:
            packet = samples.rtp(number, stamp, payload, marker=bool(todo & _MARKER))
            number += 1
        taken += len(packet)
        rig.track.receive(b"$" + packet + b"$", 1, 1 + len(packet))
    assert sum(len(sample.data) for sample in rig.made) <= 2 * taken + 1024 * len(rig.made)
    for sample in rig.made:
        checks.sample(sample)


def _rig(media: Media) -> _Rig | None:
    made: list[Sample] = []
    moment = _Moment()
    out = Outlet(made.append, Notes(), lambda: None)
    if media.kind == "video":
        packets = video_packets(media)
        video = VideoTrack(packets, media.payload_type, media.clock_rate, moment, out)
        return _Rig(video, moment, made)
    sound = audio_packets(media)
    if sound is None:
        return None
    return _Rig(AudioTrack(sound, media.payload_type, moment, out), moment, made)


def packets(pictures: Iterable[Iterable[bytes]]) -> bytes:
    """An input for `drive`: the payloads of each picture, the last with a marker."""
    made = []
    for payloads in pictures:
        whole = list(payloads)
        for index, payload in enumerate(whole):
            todo = (_NEW_STAMP if not index else 0) | (_MARKER if index == len(whole) - 1 else 0)
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
