"""Packets of one length taken in one go are taken as they would be one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.rtsp.depacketize_nal import H264Packets, H265Packets, NalPackets
from camkeep.cameras.rtsp.framing import Deframer
from camkeep.cameras.rtsp.track import Outlet
from camkeep.cameras.rtsp.video_track import VideoTrack
from camkeep.cameras.source import Notes
from camkeep.cameras.trouble import Trouble
from camkeep.clock import MonoNs, WallUs
from camkeep.media.h264 import H264Stream
from camkeep.media.h265 import H265Stream
from camkeep.model import Sample
from support.rtsp_server import access_units, fragments, interleaved, rtp

RATE = 90_000
MTU = 100
SETS_264 = access_units()[0][:2]
SETS_265 = [
    bytes.fromhex(text)
    for text in (
        "40010c01ffff01600000030090000003000003003c959009",
        "42010101600000030090000003000003003ca00a080f16595912930bc05a020000030002000003003210",
        "4401c073c189",
    )
]


class Still:
    """A moment at which everything arrives."""

    arrival = MonoNs(10**9)
    arrival_wall = WallUs(1_750_000_000_000_000)


def frames(kind: str, count: int, size: int) -> list[list[bytes]]:
    """The payloads of `count` frames, in fragments of one length but for the last."""
    made = []
    for number in range(count):
        body = bytes((number * 7 + at) % 251 + 1 for at in range(size))
        if kind == "h264":
            nal = (b"\x65\x88" if number == 0 else b"\x41\x9a") + body
            pieces = fragments(nal, MTU)
        else:
            pieces = fragments_265(20 if number == 0 else 1, b"\x80" + body)
        sets = SETS_264 if kind == "h264" else SETS_265
        made.append([*sets, *pieces] if number == 0 else pieces)
    return made


def fragments_265(kind: int, body: bytes) -> list[bytes]:
    """RFC 7798 §4.4.3."""
    pieces = [body[at : at + MTU] for at in range(0, len(body), MTU)]
    flags = [0x80, *[0] * (len(pieces) - 2), 0x40]
    head = bytes((49 << 1, 1))
    return [head + bytes((flag | kind,)) + piece for flag, piece in zip(flags, pieces, strict=True)]


def packetized(units: Sequence[Sequence[bytes]], first_number: int = 65_500) -> list[bytes]:
    made: list[bytes] = []
    for index, payloads in enumerate(units):
        for place, payload in enumerate(payloads):
            marker = place == len(payloads) - 1
            made.append(rtp(first_number + len(made), 3000 * index, payload, marker=marker))
    return made


def received(
    kind: str, sent: Sequence[bytes], cuts: Sequence[int], *, runs: bool
) -> tuple[list[Sample], Counter[Trouble], int]:
    """What comes of packets that arrive in chunks of the lengths `cuts`, in a circle; and how
    many of them were taken in runs."""
    notes, samples, in_runs = Notes(), list[Sample](), 0
    packets: NalPackets = (
        H264Packets(H264Stream(RATE)) if kind == "h264" else H265Packets(H265Stream(RATE))
    )
    track = VideoTrack(packets, 96, RATE, Still(), Outlet(samples.append, notes, lambda: None))
    push = packets.push_fragments

    def counted(head: bytes, contents: Sequence[bytes]) -> bool:
        nonlocal in_runs
        taken = push(head, contents)
        in_runs += len(contents) if taken else 0
        return taken

    packets.push_fragments = counted  # type: ignore[method-assign]
    deframer = Deframer(lambda _: None, lambda: None, lambda: None)
    deframer.receivers[0] = track.receive
    if runs:
        deframer.runs[0] = track.receive_run
    stream = memoryview(b"".join(map(interleaved, sent)))
    pos = turn = 0
    while pos < len(stream):
        size = cuts[turn % len(cuts)]
        deframer.feed(stream[pos : pos + size])
        pos, turn = pos + size, turn + 1
    return samples, notes.trouble, in_runs


@pytest.mark.parametrize("kind", ["h264", "h265"])
def test_a_large_frame_is_taken_in_one_go(kind: str) -> None:
    sent = packetized(frames(kind, 12, 2000), first_number=100)
    samples, trouble, in_runs = received(kind, sent, [1 << 20], runs=True)
    assert len(samples) == 12
    assert in_runs > len(sent) * 0.7
    assert not trouble
    assert samples == received(kind, sent, [1 << 20], runs=False)[0]


def test_a_frame_with_a_packet_missing_in_a_run_is_dropped() -> None:
    sent = packetized(frames("h264", 3, 1000), first_number=100)
    lost = [*sent[:6], *sent[7:]]
    samples, trouble, _ = received("h264", lost, [1 << 20], runs=True)
    assert not samples
    assert trouble[Trouble.RTP_LOST] == 1
    assert trouble[Trouble.FRAME_BROKEN] == 1


@given(
    st.sampled_from(["h264", "h265"]),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 20), st.integers(0, 255)), max_size=4),
    st.lists(st.integers(0, 80), max_size=3),
    st.lists(st.integers(1, 3000), min_size=1, max_size=5),
    st.integers(0, 65_535),
)
def test_in_one_go_or_one_by_one_it_is_the_same(
    kind: str,
    flips: list[tuple[int, int, int]],
    drops: list[int],
    cuts: list[int],
    first: int,
) -> None:
    sent = packetized(frames(kind, 6, 1200), first)
    for index, at, value in flips:
        packet = bytearray(sent[index % len(sent)])
        packet[at % len(packet)] = value
        sent[index % len(sent)] = bytes(packet)
    for index in drops:
        del sent[index % len(sent)]
    quick, slow = (received(kind, sent, cuts, runs=runs)[:2] for runs in (True, False))
    assert quick[0] == slow[0]
    assert quick[1] == slow[1]
