"""From RTP packets to samples: depacketizers and tracks, also on packets that mean nothing."""

from __future__ import annotations

import io
import random
import struct
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from camkeep.cameras.rtsp.audio_track import AudioTrack
from camkeep.cameras.rtsp.depacketize_audio import AacPackets, audio_packets
from camkeep.cameras.rtsp.depacketize_jpeg import JpegPackets
from camkeep.cameras.rtsp.depacketize_nal import H264Packets, H265Packets
from camkeep.cameras.rtsp.sdp import Media
from camkeep.cameras.rtsp.track import Outlet, Track
from camkeep.cameras.rtsp.video_track import VideoTrack
from camkeep.cameras.source import Notes
from camkeep.cameras.trouble import Trouble
from camkeep.clock import MonoNs, WallUs
from camkeep.errors import MediaError, StreamBroken
from camkeep.media.h264 import H264Stream
from camkeep.media.h265 import H265Stream
from camkeep.model import Codec, Sample
from support.clips import clip, packets, slices
from support.rtsp_server import access_units, packetize, rtp

RATE = 90_000


class Now:
    """A moment that the test moves."""

    def __init__(self) -> None:
        self.arrival = MonoNs(10**9)
        self.arrival_wall = WallUs(1_750_000_000_000_000)

    def advance(self, seconds: float) -> None:
        self.arrival = MonoNs(self.arrival + round(seconds * 1e9))
        self.arrival_wall = WallUs(self.arrival_wall + round(seconds * 1e6))


class Rig:
    """A track with everything around it."""

    def __init__(self, make: str = "h264", sets: Sequence[bytes] = ()) -> None:
        self.now = Now()
        self.notes = Notes()
        self.samples: list[Sample] = []
        self.progress = 0
        out = Outlet(self.samples.append, self.notes, self._progress)
        packets = {
            "h264": lambda: H264Packets(H264Stream(RATE, sets)),
            "h265": lambda: H265Packets(H265Stream(RATE)),
            "jpeg": lambda: JpegPackets(RATE),
        }
        self.track: Track = VideoTrack(packets[make](), 96, RATE, self.now, out)

    def _progress(self) -> None:
        self.progress += 1

    def push(self, sent: Sequence[bytes]) -> list[Sample]:
        """Receive packets; time passes as their time stamps say."""
        stamp = None
        for data in sent:
            new = int.from_bytes(data[4:8])
            if stamp is not None and len(data) >= 12:
                passed = (new - stamp + 2**31) % 2**32 - 2**31
                self.now.advance(max(0, min(passed, 10 * RATE)) / RATE)
            stamp = new
            self.track.receive(b"??" + data, 2, len(data) + 2)
        return self.samples

    @property
    def trouble(self) -> Counter[Trouble]:
        return self.notes.trouble


UNITS = access_units()
SLICES = [[nal for nal in unit if nal[0] & 31 in (1, 5)] for unit in UNITS]
KEYS = [n for n, unit in enumerate(UNITS) if unit[0][0] & 31 == 7]


def indices(samples: Sequence[Sample]) -> list[int]:
    """Which frames of the clip the samples are; fails where one is none."""
    return [SLICES.index(slices(sample.data)) for sample in samples]


def test_every_frame_comes_whole() -> None:
    rig = Rig()
    samples = rig.push(packetize(UNITS))
    assert indices(samples) == list(range(50))
    assert [n for n, sample in enumerate(samples) if sample.key] == KEYS
    assert [b.ticks - a.ticks for a, b in pairwise(samples)] == [3600] * 49
    assert not rig.trouble
    assert rig.notes.video is samples[0].params
    assert len({id(sample.params) for sample in samples}) == 1


@pytest.mark.parametrize(("number", "stamp"), [(65_500, 0), (0, 2**32 - 40_000), (65_535, 2**32)])
def test_counters_wrap(number: int, stamp: int) -> None:
    rig = Rig()
    samples = rig.push(packetize(UNITS, first_number=number, first_stamp=stamp))
    assert indices(samples) == list(range(50))
    assert samples[-1].ticks - samples[0].ticks == 49 * 3600
    assert {sample.run for sample in samples} == {0}
    assert not rig.trouble


def test_without_markers_a_new_time_stamp_ends_the_frame() -> None:
    rig = Rig()
    assert indices(rig.push(packetize(UNITS, markers=False))) == list(range(49))
    assert not rig.trouble


def test_aggregated_parameter_sets() -> None:
    sps, pps, *rest = UNITS[0]
    pack = b"\x78" + b"".join(struct.pack(">H", len(nal)) + nal for nal in (sps, pps))
    rig = Rig()
    assert indices(rig.push(packetize([[pack, *rest], *UNITS[1:3]]))) == [0, 1, 2]


def test_a_whole_access_unit_with_start_codes_in_one_packet() -> None:
    sps, pps, *_ = UNITS[0]
    picture = bytes([0x65, 0x88]) + bytes([7] * 50)
    for lead in (b"", b"\0\0\0\1"):
        payload = lead + b"\0\0\0\1".join([sps, pps, picture])
        rig = Rig()
        (sample,) = rig.push([rtp(1, 0, payload, marker=True)])
        assert slices(sample.data) == [picture]


def test_it_begins_at_a_key_frame() -> None:
    rig = Rig(sets=UNITS[0][:2])
    made = packetize(UNITS)
    missed = 5  # packets of the first picture that came before we listened
    assert indices(rig.push(made[missed:])) == list(range(KEYS[1], 50))
    assert rig.trouble[Trouble.FRAME_BROKEN] == 1
    assert rig.trouble[Trouble.FRAME_BEFORE_KEY] == KEYS[1] - 1
    assert rig.progress == 49


def test_a_lost_packet_costs_up_to_the_next_key_frame_and_begins_a_run() -> None:
    made = packetize(UNITS)
    stamp = 5000 + 12 * 3600
    hit = next(n for n, data in enumerate(made) if int.from_bytes(data[4:8]) == stamp)
    rig = Rig()
    samples = rig.push(made[: hit + 1] + made[hit + 2 :])
    assert indices(samples) == [*range(12), *range(KEYS[2], 50)]
    assert rig.trouble == Counter(
        {
            Trouble.RTP_LOST: 1,
            Trouble.FRAME_BROKEN: 1,
            Trouble.FRAME_BEFORE_KEY: KEYS[2] - 13,
        }
    )
    assert [sample.run for sample in samples] == [0] * 12 + [1] * (50 - KEYS[2])


def test_a_whole_lost_frame_is_noticed() -> None:
    made = [data for data in packetize(UNITS) if int.from_bytes(data[4:8]) != 5000 + 3600 * 15]
    samples = Rig().push(made)
    assert indices(samples) == [*range(15), *range(KEYS[2], 50)]


def test_doubled_packets_are_dropped() -> None:
    made = packetize(UNITS)
    rig = Rig()
    assert indices(rig.push(made[:40] + made[30:])) == list(range(50))
    assert rig.trouble == Counter({Trouble.RTP_LATE: 10})


def test_a_camera_that_starts_over_is_followed() -> None:
    first = packetize(UNITS[:15], first_number=9000)
    second = packetize(UNITS, first_number=50, first_stamp=2**31 + 7, ssrc=99)
    rig = Rig()
    samples = rig.push(first + second)
    assert indices(samples) == [*range(15), *range(50)]
    assert {sample.run for sample in samples[:15]}.isdisjoint(s.run for s in samples[15:])
    walls = [sample.wall for sample in samples]
    assert walls == sorted(walls)


def test_parameters_that_change_in_mid_stream() -> None:
    units = UNITS[:20] + access_units("h264-big")
    rig = Rig()
    samples = rig.push(packetize(units))
    assert len(samples) == 70
    sizes = [sample.params.width for sample in samples]  # type: ignore[union-attr]
    assert sizes == [320] * 20 + [640] * 50
    assert samples[20].key
    assert len({id(sample.params) for sample in samples}) == 2
    assert rig.notes.video is samples[-1].params
    assert {sample.run for sample in samples} == {0}


def test_leading_pictures_after_the_first_key_frame_are_dropped() -> None:
    """H.265: CRA, RASL, then what can be decoded."""
    units = [
        [bytes((kind << 1, 1)) + bytes([0x80, n]) + b"x" * 20]
        for n, kind in enumerate((21, 8, 8, 1, 21, 8, 1))
    ]
    sets = [
        "40010c01ffff01600000030090000003000003003c959009",
        "42010101600000030090000003000003003ca00a080f16595912930bc05a020000030002000003003210",
        "4401c073c189",
    ]
    units[0] = [*map(bytes.fromhex, sets), *units[0]]
    rig = Rig("h265")
    kept = [slices(s.data, h265=True)[0][3] for s in rig.push(packetize(units, markers=True))]
    assert kept == [0, 3, 4, 5, 6]
    assert rig.trouble == Counter({Trouble.FRAME_BEFORE_KEY: 2})


def test_a_goodbye_ends_the_stream_with_its_last_frame() -> None:
    rig = Rig()
    rig.push(packetize(UNITS[:3], markers=False))
    with pytest.raises(StreamBroken):
        rig.track.receive_rtcp(b"\x81\xcb\0\1\0\0\0\7", 0, 8)
    assert indices(rig.samples) == [0, 1, 2]


def test_a_frame_over_the_limit_is_dropped() -> None:
    body = bytes(60_000)
    flood = [rtp(n, 0, b"\x7c\x85" if n == 0 else b"\x7c\x05" + body) for n in range(400)]
    rig = Rig()
    assert rig.push(flood) == []
    assert rig.trouble[Trouble.FRAME_BROKEN] == 1
    assert indices(rig.push(packetize(UNITS, first_number=400))) == list(range(50))


def test_the_cameras_clock_is_reported() -> None:
    rig = Rig()
    wall_s = rig.now.arrival_wall // 1_000_000
    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, wall_s + 2_208_988_800 - 3600, 0, 0, 0, 0)
    rig.track.receive_rtcp(report, 0, len(report))
    assert rig.notes.clock_offset_s == -3600.0


def test_interleaved_h264_is_refused() -> None:
    made = packetize([UNITS[0], [b"\x79\0\0\0\0"], UNITS[0]])
    rig = Rig()
    assert len(rig.push(made)) == 2
    assert rig.trouble == Counter({Trouble.RTP_MALFORMED: 1, Trouble.FRAME_BROKEN: 1})


def test_packets_of_another_payload_type_are_not_used() -> None:
    made = packetize(UNITS)
    other = [data[:1] + bytes((99,)) + data[2:] for data in made[:1]]
    rig = Rig()
    assert rig.push(other) == []
    assert rig.trouble[Trouble.RTP_MALFORMED] == 1


# JPEG


def jpeg_packets(
    data: bytes, number: int, stamp: int, *, q: int = 255, tables: bool = True
) -> list[bytes]:
    """RFC 2435 packets of a baseline JPEG from ffmpeg."""
    table = b""
    pos = 2
    while data[pos + 1] != 0xDA:
        size = int.from_bytes(data[pos + 2 : pos + 4])
        if data[pos + 1] == 0xDB:
            body = data[pos + 4 : pos + 2 + size]
            table += b"".join(body[at + 1 : at + 65] for at in range(0, len(body), 65))
        pos += 2 + size
    scan = data[pos + 2 + int.from_bytes(data[pos + 2 : pos + 4]) : -2]
    if len(table) == 64:
        table *= 2
    made = []
    for offset in range(0, len(scan), 1000):
        head = struct.pack(">IBBBB", offset, 1, q, 320 // 8, 240 // 8)
        if offset == 0 and q >= 128:
            head += struct.pack(">BBH", 0, 0, len(table) if tables else 0)
            head += table if tables else b""
        piece = scan[offset : offset + 1000]
        last = offset + 1000 >= len(scan)
        made.append(rtp(number + len(made), stamp, head + piece, marker=last))
    return made


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB").tobytes()


@pytest.mark.parametrize("q", [255, 200])
def test_jpeg_is_put_together_again(q: int) -> None:
    pictures = [packet.data for packet in packets(clip("jpeg"))[:5]]
    rig = Rig("jpeg")
    number = 0
    for n, picture in enumerate(pictures):
        made = jpeg_packets(picture, number, n * 3600, q=q, tables=q == 255 or n == 0)
        rig.push(made)
        number += len(made)
    assert [pixels(s.data) for s in rig.samples] == [pixels(picture) for picture in pictures]
    assert (rig.samples[0].params.codec, rig.samples[0].params.timescale) == (Codec.JPEG, RATE)
    assert len({id(sample.params) for sample in rig.samples}) == 1
    assert not rig.trouble


def test_a_jpeg_with_a_piece_missing_costs_that_picture_only() -> None:
    pictures = [packet.data for packet in packets(clip("jpeg"))[:3]]
    made: list[bytes] = []
    for n, picture in enumerate(pictures):
        made += jpeg_packets(picture, len(made), n * 3600)
    hit = len(jpeg_packets(pictures[0], 0, 0)) + 2
    rig = Rig("jpeg")
    rig.push(made[:hit] + made[hit + 1 :])
    assert [pixels(s.data) for s in rig.samples] == [pixels(pictures[0]), pixels(pictures[2])]
    assert rig.trouble == Counter({Trouble.RTP_LOST: 1, Trouble.FRAME_BROKEN: 1})


# sound


def aac(**fmtp: str) -> Media:
    given = {"mode": "AAC-hbr", "config": "1188", "sizelength": "13", "indexlength": "3"}
    given |= {"indexdeltalength": "3", **fmtp}
    return Media("audio", 97, "MPEG4-GENERIC", 48_000, 1, fmtp=given)


def au_packet(*frames: bytes, size: int | None = None) -> bytes:
    headers = b"".join(struct.pack(">H", (size or len(frame)) << 3) for frame in frames)
    return struct.pack(">H", 16 * len(frames)) + headers + b"".join(frames)


def test_several_aac_frames_in_a_packet() -> None:
    now, notes, got = Now(), Notes(), []
    track = AudioTrack(AacPackets(aac()), 97, now, Outlet(got.append, notes, lambda: None))
    for n in range(3):
        data = rtp(n, n * 2048, au_packet(b"a%d" % n, b"bb%d" % n), pt=97)
        track.receive(data, 0, len(data))
        now.advance(2048 / 48_000)
    assert [sample.data for sample in got] == [b"a0", b"bb0", b"a1", b"bb1", b"a2", b"bb2"]
    assert [sample.ticks for sample in got] == [n * 1024 for n in range(6)]
    walls = [sample.wall - got[0].wall for sample in got]
    assert walls == pytest.approx([n * 1024 / 0.048 for n in range(6)], abs=3)
    assert got[0].params.frame_ticks == 1024


def test_sound_in_time_though_its_packets_come_too_early() -> None:
    """While a run finds its anchor, the frames of one packet must not overtake the next one."""
    now, got = Now(), []
    track = AudioTrack(AacPackets(aac()), 97, now, Outlet(got.append, Notes(), lambda: None))
    for n in range(40):
        data = rtp(n, n * 3072, au_packet(b"a", b"b", b"c"), pt=97)
        track.receive(data, 0, len(data))
        now.advance(0.02)  # they hold 0.064 s
    walls = [sample.wall for sample in got]
    assert len(walls) == 120
    assert walls == sorted(walls)


def test_a_fragmented_aac_frame() -> None:
    packets = AacPackets(aac())
    one, two = au_packet(b"abc", size=6), au_packet(b"def", size=6)
    assert packets.push(one, 0, len(one)) == []
    assert packets.push(two, 0, len(two)) == [(0, b"abcdef")]
    packets.push(one, 0, len(one))
    packets.reset()
    assert packets.push(two, 0, len(two)) == []


def test_a_lost_packet_of_sound_begins_a_run() -> None:
    media = Media("audio", 8, "PCMA", 8000)
    packets = audio_packets(media)
    assert packets is not None
    now, notes, got = Now(), Notes(), []
    track = AudioTrack(packets, 8, now, Outlet(got.append, notes, lambda: None))
    for n in (0, 1, 3):
        data = rtp(n, n * 160, b"x" * 160, pt=8)
        track.receive(data, 0, len(data))
    assert [(sample.ticks, sample.run) for sample in got] == [(0, 0), (160, 0), (480, 1)]
    assert notes.trouble == Counter({Trouble.RTP_LOST: 1})


@pytest.mark.parametrize(
    "fmtp",
    [
        {"config": "zz"},
        {"config": ""},
        {"sizelength": "x"},
        {"sizelength": "0"},
        {"ctsdeltalength": "16"},
    ],
)
def test_aac_that_cannot_be_read_is_refused(fmtp: dict[str, str]) -> None:
    with pytest.raises(MediaError):
        AacPackets(aac(**fmtp))


# anything at all

payloads = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda kind, rest: bytes((kind,)) + rest,
        st.sampled_from([0x78, 0x7C, 0x65, 0x67, 0x68, 0x06, 0x41, 0x60, 0x62, 0x00]),
        st.binary(max_size=60),
    ),
)


@settings(max_examples=300)
@given(
    st.sampled_from(["h264", "h265", "jpeg"]),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans(), payloads)),
)
def test_tracks_survive_any_payload(make: str, sent: list[tuple[int, int, bool, bytes]]) -> None:
    rig = Rig(make)
    number = 0
    for skip, stamp, marker, data in sent:
        number += skip
        rig.push([rtp(number, stamp * 3600, data, marker=marker)])
    rig.push([b"", b"\x80", bytes(12), b"\xff" * 40])


@given(st.lists(st.binary(max_size=40)))
def test_sound_survives_any_payload(sent: list[bytes]) -> None:
    packets = AacPackets(aac())
    for data in sent:
        try:
            packets.push(data, 0, len(data))
        except MediaError:
            pass


def test_flipped_bits_never_do_more_than_drop() -> None:
    rng = random.Random(2)
    made = packetize(UNITS * 4)
    for n in rng.sample(range(len(made)), 60):
        changed = bytearray(made[n])
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        made[n] = bytes(changed)
    rig = Rig()
    rig.push(made)
    assert len(rig.samples) > 20
