"""RTSP's pure parts: messages, SDP, framing, RTP, RTCP. Also on bytes that mean nothing."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.rtsp.framing import MAX_JUNK, Deframer
from camkeep.cameras.rtsp.messages import (
    MAX_HEAD,
    Message,
    Request,
    Response,
    format_request,
    parse_message,
    parse_session,
    parse_transport,
)
from camkeep.cameras.rtsp.rtcp import (
    Alignment,
    Report,
    SenderClock,
    parse_rtcp,
    receiver_report,
)
from camkeep.cameras.rtsp.rtp import Datagram, Reorder, payload
from camkeep.cameras.rtsp.sdp import base_url, parameter_sets, parse_sdp, resolve_control
from camkeep.clock import MonoNs, WallUs
from camkeep.errors import MediaError, StreamBroken, WrongProtocol
from support.rtsp_server import SDP, interleaved, rtp

OK = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 12;timeout=30\r\n\r\n"


# messages


def test_an_answer_with_a_body() -> None:
    data = b"xxRTSP/1.0 404 Not Found\r\ncseq:7\nContent-Length: 3\r\nX: a\r\n b\r\n\r\nabcRTSP"
    message, stop = parse_message(data, 2)
    assert message == Response(
        404, "Not Found", (("cseq", "7"), ("content-length", "3"), ("x", "a b")), b"abc"
    )
    assert isinstance(message, Response)
    assert (message.cseq, data[stop:]) == (7, b"RTSP")


def test_a_request_of_the_camera() -> None:
    message, _ = parse_message(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", 0)
    assert message == Request("OPTIONS", (("cseq", "1"),))


@pytest.mark.parametrize("length", range(len(OK)))
def test_an_incomplete_answer_waits(length: int) -> None:
    message, wanted = parse_message(OK[:length], 0)
    assert message is None
    assert length < wanted <= len(OK)


def test_endless_headers_and_bodies_are_refused() -> None:
    with pytest.raises(MediaError):
        parse_message(b"RTSP/1.0 200 OK\r\n" + b"a: b\r\n" * MAX_HEAD, 0)
    with pytest.raises(MediaError):
        parse_message(b"RTSP/1.0 200 OK\r\nContent-Length: 4000000000\r\n\r\n", 0)


def test_a_request_cannot_smuggle_another() -> None:
    with pytest.raises(MediaError):
        format_request("SETUP", "rtsp://a/\r\nX: y", [])


def test_session_and_transport() -> None:
    assert parse_session("ab12 ; timeout = 30 ") == ("ab12", 30.0)
    assert parse_session("ab12;timeout=0") == ("ab12", None)
    granted = parse_transport("RTP/AVP/TCP;unicast;interleaved=4-5;ssrc=1F")
    assert (granted.tcp, granted.interleaved) == (True, (4, 5))
    granted = parse_transport("RTP/AVP;unicast;client_port=1-2;server_port=6970")
    assert (granted.tcp, granted.server_ports) == (False, (6970, 6971))
    assert parse_transport("RTP/AVP/TCP;interleaved=300-301").interleaved is None


# SDP


def test_a_description() -> None:
    described = parse_sdp(
        SDP.encode() + b"a=framerate:12.5\nm=audio 0 RTP/AVP 8\na=control:rtsp://x/t2\n"
        b"m=audio 0 RTP/SAVP 97\na=rtpmap:97 mpeg4-generic/16000/2\na=sendonly\n"
        b"a=fmtp:97 mode=AAC-hbr; Config=1408;sizeLength=13\nm=broken\n"
    )
    video, g711, aac = described.media
    assert (described.control, video.control, g711.control) == ("*", "trackID=1", "rtsp://x/t2")
    assert (video.encoding, video.clock_rate, video.frame_rate) == ("H264", 90000, 12.5)
    assert (g711.encoding, g711.clock_rate) == ("PCMA", 8000)
    assert (aac.encoding, aac.channels, aac.fmtp["config"]) == ("MPEG4-GENERIC", 2, "1408")
    assert (aac.secure, aac.to_camera, video.secure) == (True, True, False)


def test_parameter_sets_without_padding_and_with_nonsense() -> None:
    text = SDP.replace("packetization-mode=1", "sprop-parameter-sets=Z0LADQ,aM4PyA==,%%,")
    assert parameter_sets(parse_sdp(text.encode()).media[0]) == [
        bytes.fromhex("6742c00d"),
        bytes.fromhex("68ce0fc8"),
    ]


@pytest.mark.parametrize(
    ("base", "control", "url"),
    [
        ("rtsp://h:1/a/", "t1", "rtsp://h:1/a/t1"),
        ("rtsp://h:1/a", "t1", "rtsp://h:1/a/t1"),
        ("rtsp://h:1/a", "/t1", "rtsp://h:1/a/t1"),
        ("rtsp://h/a?x=1", "t1", "rtsp://h/a?x=1/t1"),
        ("rtsp://h/a", "?t=1", "rtsp://h/a?t=1"),
        ("rtsp://h/a", "*", "rtsp://h/a"),
        ("rtsp://h/a", "", "rtsp://h/a"),
        ("rtsp://h:1/a", "rtsp://192.168.1.9:554/b/t1?q", "rtsp://h:1/b/t1?q"),
        ("rtsps://h:1/a", "rtsp://other", "rtsps://h:1/"),
    ],
)
def test_controls_stay_on_the_host(base: str, control: str, url: str) -> None:
    assert resolve_control(base, control) == url


def test_the_base_stays_on_the_host() -> None:
    ours = "rtsp://h:1/a?x"
    assert base_url(ours, None) == ours
    assert base_url(ours, "rtsp://10.0.0.1/b/") == "rtsp://h:1/b/"
    assert base_url(ours, "/b/") == "rtsp://h:1/b/"
    assert base_url(ours, "rtsp://h/ b") == ours


# framing


class Seen:
    """What a deframer makes of bytes, in order."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.deframer = Deframer(self._message, self._unknown, self._junk)
        for channel in (0, 1):
            self.deframer.receivers[channel] = self._receiver(channel)

    def _receiver(self, channel: int):  # type: ignore[no-untyped-def]
        return lambda data, start, stop: self.events.append((channel, data[start:stop]))

    def _message(self, message: Message) -> None:
        self.events.append(message)

    def _unknown(self) -> None:
        self.events.append("unknown")

    def _junk(self) -> None:
        self.events.append("junk")

    def feed(self, data: bytes, sizes: list[int]) -> list[object]:
        pos = 0
        while pos < len(data):
            size = sizes.pop() if sizes else len(data)
            self.deframer.feed(memoryview(data)[pos : pos + size])
            pos += size
        return self.events


def packet(number: int, size: int = 20) -> bytes:
    return rtp(number, 0, bytes(size))


ANSWER = Response(200, "OK", (("cseq", "3"), ("session", "12;timeout=30")))


@given(st.lists(st.integers(1, 40)))
def test_however_it_is_cut_it_is_the_same(sizes: list[int]) -> None:
    request = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    data = (
        OK
        + interleaved(packet(1))
        + OK
        + interleaved(packet(2), 1)
        + interleaved(packet(3, 300), 9)
        + request
        + interleaved(packet(4, 0))
    )
    assert Seen().feed(data, sizes) == [
        ANSWER,
        (0, packet(1)),
        ANSWER,
        (1, packet(2)),
        "unknown",
        Request("OPTIONS", (("cseq", "1"),)),
        (0, packet(4, 0)),
    ]


@given(st.lists(st.integers(1, 30)), st.binary(min_size=1, max_size=60))
def test_junk_is_skipped_up_to_the_next_packet(sizes: list[int], junk: bytes) -> None:
    junk = b"\0" + junk.replace(b"$", b"%").replace(b"R", b"r")
    data = OK + interleaved(packet(1)) + junk + interleaved(packet(2)) + OK
    assert Seen().feed(data, sizes) == [ANSWER, (0, packet(1)), "junk", (0, packet(2)), ANSWER]


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad", b"SSH-2.0-x\r\n", b"\x15\3\1", b"\0\0"])
def test_what_is_not_rtsp_is_named(greeting: bytes) -> None:
    with pytest.raises(WrongProtocol):
        Seen().feed(greeting, [])


def test_endless_junk_ends() -> None:
    seen = Seen()
    seen.feed(OK, [])
    with pytest.raises(StreamBroken):
        seen.feed(b"%" * (MAX_JUNK + 100_000), [10_000] * 200)
    assert seen.events == [ANSWER, "junk"]


@given(st.binary(max_size=400), st.lists(st.integers(1, 50)))
def test_framing_survives_anything(data: bytes, sizes: list[int]) -> None:
    seen = Seen()
    seen.feed(OK, [])
    try:
        seen.feed(data, sizes)
    except (StreamBroken, WrongProtocol):
        pass
    assert len(seen.deframer._carry) <= 70_000


def test_a_body_in_tiny_pieces_is_waited_for() -> None:
    """Reading a large head anew for each byte of the body would take half an hour."""
    seen = Seen()
    head = b"RTSP/1.0 200 OK\r\nContent-Length: 200000\r\n" + b"A: b\r\n" * 8000 + b"\r\n"
    assert not seen.feed(head + bytes(200_000 - 1), [1] * 199_999 + [len(head)])
    (answer,) = seen.feed(b"x", [])
    assert len(answer.body) == 200_000


def test_flipped_bits_lose_only_what_they_hit() -> None:
    rng = random.Random(5)
    data = bytearray(b"".join(interleaved(packet(n, 700)) for n in range(500)))
    for _ in range(20):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    seen = Seen()
    seen.feed(OK, [])
    events = seen.feed(bytes(data), [1400] * 300)
    whole = {packet(n, 700) for n in range(500)}
    assert sum(event[1] in whole for event in events if isinstance(event, tuple)) > 440


# all parsers on arbitrary bytes


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_parsers_raise_nothing_but_media_error(data: bytes) -> None:
    for parse in (
        lambda: parse_message(b"RTSP/1.0 200 OK\r\n" + data, 0),
        lambda: parse_sdp(b"v=0\r\nm=video 0 RTP/AVP 96\r\na=" + data),
        lambda: parse_sdp(data),
        lambda: parse_rtcp(data),
        lambda: payload(b"\x9f" + data + bytes(12), 0, len(data) + 13),
    ):
        try:
            parse()
        except MediaError:
            pass
    text = data.decode("latin-1")
    parse_transport(text)
    parse_session(text)
    assert resolve_control("rtsp://h/a", text).startswith("rtsp://h")
    assert base_url("rtsp://h/a", text).startswith("rtsp://h")


# RTP and RTCP


def test_a_payload_behind_sources_extension_and_padding() -> None:
    data = struct.pack(">BBHII", 0xB2, 96, 1, 2, 3) + bytes(8) + b"\xab\xcd\0\1four" + b"yes\0\2"
    assert data[slice(*payload(data, 0, len(data)))] == b"yes"


def datagrams(numbers: list[int], gap_ns: int = 1) -> list[Datagram]:
    return [
        Datagram(rtp(n, 0, b""), MonoNs(at * gap_ns), WallUs(at)) for at, n in enumerate(numbers)
    ]


def reordered(numbers: list[int], gap_ns: int = 1) -> list[int]:
    order = Reorder()
    return [
        int.from_bytes(ready.data[2:4])
        for datagram in datagrams(numbers, gap_ns)
        for ready in order.push(datagram)
    ]


def test_datagrams_come_out_in_order_across_the_wrap() -> None:
    assert reordered([65534, 0, 65535, 2, 3, 1, 4]) == [65534, 65535, 0, 1, 2, 3, 4]


def test_a_lost_datagram_is_not_waited_for_long() -> None:
    assert reordered([1, 3, 4, 5], gap_ns=60_000_000) == [1, 3, 4, 5]
    assert reordered([1, *range(3, 100)]) == [1, *range(3, 100)]


def test_a_new_beginning_is_followed_at_once() -> None:
    assert reordered([10, 12, 40_000, 40_001, 5, 6]) == [10, 12, 40_000, 40_001, 5, 6]


@given(st.permutations(range(20)))
def test_any_order_within_the_window_is_mended(order: list[int]) -> None:
    assert reordered([0, *(n + 1 for n in order)]) == list(range(21))


@given(st.lists(st.integers(0, 65_535), max_size=300))
def test_nothing_is_invented_or_kept_for_ever(numbers: list[int]) -> None:
    out = reordered(numbers)
    assert len(out) <= len(numbers)
    assert len(numbers) - len(out) <= Reorder.WINDOW + 1


def sender_report(seconds: int, fraction: int, stamp: int) -> bytes:
    return struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, seconds, fraction, stamp, 1, 2)


def test_a_sender_report_and_a_goodbye() -> None:
    report = parse_rtcp(sender_report(2_208_988_801, 1 << 31, 99) + b"\x81\xcb\0\1\0\0\0\7")
    assert report == Report(1_500_000_000, 99, True)
    assert parse_rtcp(sender_report(0, 0, 99)).ntp_ns is None
    after_2036 = parse_rtcp(sender_report(100, 0, 0)).ntp_ns
    assert after_2036 == ((1 << 32) + 100 - 2_208_988_800) * 1_000_000_000


def test_our_report_is_well_formed() -> None:
    data = receiver_report(5, "camkeep")
    assert parse_rtcp(data) == Report()
    assert len(data) % 4 == 0


def test_the_senders_clock_across_the_wrap() -> None:
    clock = SenderClock(90_000)
    assert clock.at(5) is None
    clock.learn(Report(10**9, 0xFFFF_FFFF - 89_999))
    assert clock.at(0) == 2 * 10**9
    clock.learn(Report())
    assert clock.at(90_000) == 3 * 10**9


def test_sound_is_drawn_to_the_picture_without_running_backwards() -> None:
    """Picture placed at NTP + 0; sound's own timeline is 80 ms late."""
    aligned = Alignment()
    last = -1
    for n in range(100):
        wall = n * 20_000 + 80_000
        ntp_ns = n * 20_000_000 if n >= 10 else None  # the report comes a little later
        aligned.picture(n * 20_000_000, n * 20_000)
        placed = wall + aligned.shift(ntp_ns, wall, 0)
        assert placed > last
        last = placed
    assert placed == 99 * 20_000
    assert aligned.shift(0, 80_000, 1) == -80_000  # a new run: at once


def test_reports_that_make_no_sense_are_not_followed() -> None:
    aligned = Alignment()
    aligned.picture(0, 0)
    assert aligned.shift(10**15, 0, 0) == 0
