"""RTSP sessions against a scripted camera that does what real ones do wrong."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from camkeep.cameras.address import Credentials, parse_address
from camkeep.cameras.rtsp import RtspSource
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.cameras.trouble import Trouble
from camkeep.errors import (
    CameraError,
    Forbidden,
    LoginRefused,
    NotFound,
    NotSupported,
    Stalled,
    StreamBroken,
    Unreachable,
    UsageError,
    WrongProtocol,
)
from camkeep.model import Sample
from support.clips import slices
from support.proxy import proxy
from support.rtsp_server import SDP, Asked, Camera, access_units, interleaved, packetize

UNITS = access_units()
SLICES = [[nal for nal in unit if nal[0] & 31 in (1, 5)] for unit in UNITS]
PACKETS = packetize(UNITS)


def indices(samples: Sequence[Sample]) -> list[int]:
    return [SLICES.index(slices(sample.data)) for sample in samples]


class Session:
    """What one session gave."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.notes = Notes()
        self.error: CameraError | None = None

    @property
    def trouble(self) -> Counter[Trouble]:
        return self.notes.trouble


async def watch(url: str, **options: Any) -> Session:
    """Run one session to its end."""
    address, credentials = parse_address(url)
    given = {"credentials": credentials, "stall_s": 5.0, "connect_timeout_s": 5.0, **options}
    session = Session()
    try:
        await RtspSource(address, SourceOptions(**given)).run(session.samples.append, session.notes)
    except CameraError as error:
        session.error = error
    return session


async def serve(camera: Camera, **options: Any) -> Session:
    """One session with a scripted camera."""
    async with camera.serving() as url:
        return await watch(url, **options)


async def test_a_session_by_the_book() -> None:
    camera = Camera(PACKETS)
    session = await serve(camera)
    assert indices(session.samples) == list(range(50))
    assert isinstance(session.error, StreamBroken)
    assert not session.trouble
    assert [asked.method for asked in camera.asked] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert [asked.url.removeprefix(camera.url) for asked in camera.asked] == [
        "",
        "",
        "/trackID=1",
        "/",
    ]
    assert camera.asked[-1].headers["session"] == "4711"
    notes = session.notes
    assert (notes.product, notes.login, notes.transport) == ("scripted/1", "none", "RTSP over TCP")
    assert notes.video is session.samples[0].params


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_ipv6(transport: str) -> None:
    camera = Camera(PACKETS, host="::1")
    session = await serve(camera, transport=transport)
    assert indices(session.samples) == list(range(50))
    assert camera.asked[2].url == f"rtsp://[::1]:{camera.port}/cam/trackID=1"


# login


@pytest.mark.parametrize(
    ("camera", "scheme"),
    [
        (Camera(PACKETS, digest=None), "Basic"),
        (Camera(PACKETS), "Digest MD5"),
        (Camera(PACKETS, qop=False), "Digest MD5"),
        (Camera(PACKETS, digest="SHA-256"), "Digest SHA-256"),
        (Camera(PACKETS, guarded=frozenset({"SETUP"})), "Digest MD5"),
        (Camera(PACKETS, guarded=frozenset({"PLAY"})), "Digest MD5"),
        (Camera(PACKETS, guarded=frozenset({"OPTIONS", "DESCRIBE"})), "Digest MD5"),
    ],
)
async def test_every_login(camera: Camera, scheme: str) -> None:
    camera.login = ("admin", "s3cret: ä")
    session = await serve(camera, credentials=Credentials("admin", "s3cret: ä"))
    assert len(session.samples) == 50
    assert session.notes.login == scheme


@pytest.mark.parametrize("says_stale", [True, False])
async def test_nonces_that_go_stale_at_every_request(says_stale: bool) -> None:
    lasts = 1 if says_stale else 2  # the first answer must be taken before silence is understood
    camera = Camera(PACKETS, login=("a", "b"), nonce_lasts=lasts, says_stale=says_stale)
    session = await serve(camera, credentials=Credentials("a", "b"))
    assert len(session.samples) == 50


async def test_a_nonce_that_is_stale_for_ever_ends() -> None:
    camera = Camera(PACKETS, login=("a", "b"), nonce_lasts=-1)
    session = await serve(camera, credentials=Credentials("a", "b"))
    assert isinstance(session.error, LoginRefused)
    assert len(camera.asked) < 8


@pytest.mark.parametrize("digest", [None, "MD5", "SHA-256"])
async def test_a_wrong_password_is_refused_once(digest: str | None) -> None:
    camera = Camera(PACKETS, login=("a", "right"), digest=digest)
    session = await serve(camera, credentials=Credentials("a", "wr0ng"))
    assert isinstance(session.error, LoginRefused)
    assert "wr0ng" not in str(session.error)
    assert [asked.method for asked in camera.asked].count("DESCRIBE") == 2


async def test_no_password() -> None:
    session = await serve(Camera(PACKETS, login=("a", "b")))
    assert isinstance(session.error, LoginRefused)


# answers that are not as they should be


@pytest.mark.parametrize("cseq", ["", "77", "nonsense"])
async def test_a_wrong_cseq_is_counted(cseq: str) -> None:
    session = await serve(Camera(PACKETS, answers_cseq=cseq))
    assert len(session.samples) == 50
    assert session.trouble == Counter({Trouble.RTSP_CSEQ: 4})


@pytest.mark.parametrize(
    ("base", "control", "url"),
    [
        ("rtsp://192.168.7.9:554/inner/", "trackID=1", "/inner/trackID=1"),
        ("rtsp://192.168.7.9/inner/", "rtsp://10.1.1.1:8554/x/t1?a=b", "/x/t1?a=b"),
        (None, "trackID=1", "/cam/trackID=1"),
        (None, "*", "/cam"),
        ("/relative/", "t", "/relative/t"),
    ],
)
async def test_every_request_stays_with_the_camera(
    base: str | None, control: str, url: str
) -> None:
    sdp = SDP.replace("trackID=1", control)
    camera = Camera(PACKETS, content_base=base, sdp=sdp)
    session = await serve(camera)
    assert len(session.samples) == 50
    asked = next(asked for asked in camera.asked if asked.method == "SETUP")
    assert asked.url == f"rtsp://127.0.0.1:{camera.port}{url}"


async def test_data_before_the_answer_to_play() -> None:
    early = b"".join(interleaved(packet) for packet in PACKETS[:40])
    session = await serve(Camera(PACKETS[40:], before_play=early))
    assert indices(session.samples) == list(range(50))


async def test_unknown_channels_answers_and_junk_in_the_data() -> None:
    parts = [interleaved(packet) for packet in PACKETS]
    parts[10:10] = [interleaved(bytes(50), 7), b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"]
    parts[30:30] = [b"\0\0junk$\1\0\3%", b"OPTIONS * RTSP/1.0\r\nCSeq: 5\r\n\r\n"]
    session = await serve(Camera(raw=b"".join(parts)))
    assert indices(session.samples) == list(range(50))
    assert session.trouble == Counter(
        {Trouble.RTSP_UNKNOWN_CHANNEL: 1, Trouble.RTSP_CSEQ: 1, Trouble.RTSP_JUNK: 1}
    )


async def test_channels_that_the_camera_chose() -> None:
    class Chooser(Camera):
        def _granted(self, asked: Asked) -> str:
            return "RTP/AVP/TCP;unicast;interleaved=4-5"

    raw = b"".join(interleaved(packet, 4) for packet in PACKETS)
    session = await serve(Chooser(raw=raw))
    assert indices(session.samples) == list(range(50))
    assert not session.trouble


@pytest.mark.parametrize(
    ("method", "status", "error"),
    [
        ("DESCRIBE", "404 Not Found", NotFound),
        ("DESCRIBE", "403 Forbidden", LoginRefused),
        ("DESCRIBE", "405 Method Not Allowed", WrongProtocol),
        ("DESCRIBE", "500 Internal Server Error", StreamBroken),
        ("SETUP", "453 Not Enough Bandwidth", StreamBroken),
        ("SETUP", "461 Unsupported Transport", NotSupported),
        ("PLAY", "455 Method Not Valid in This State", StreamBroken),
        ("PLAY", "503 Service Unavailable", StreamBroken),
    ],
)
async def test_refusals(method: str, status: str, error: type[CameraError]) -> None:
    session = await serve(Camera(PACKETS, statuses={method: status}))
    assert type(session.error) is error
    assert session.samples == []


async def test_options_may_fail() -> None:
    session = await serve(Camera(PACKETS, statuses={"OPTIONS": "501 Not Implemented"}))
    assert len(session.samples) == 50


async def test_a_camera_without_tcp_is_told_about() -> None:
    session = await serve(Camera(statuses={"SETUP": "461 Unsupported Transport"}))
    assert "UDP" in str(session.error)


@pytest.mark.parametrize(
    ("sdp", "word"),
    [
        ("v=0\nm=audio 0 RTP/AVP 0\n", "no video"),
        ("v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 MP4V-ES/90000\n", "MP4V-ES"),
        (SDP.replace("RTP/AVP", "RTP/SAVP"), "SRTP"),
        (SDP.replace("packetization-mode=1", "packetization-mode=2"), "interleaved"),
    ],
)
async def test_streams_that_camkeep_does_not_keep(sdp: str, word: str) -> None:
    session = await serve(Camera(sdp=sdp))
    assert isinstance(session.error, NotSupported)
    assert word in str(session.error)


async def test_no_description_at_all() -> None:
    assert isinstance((await serve(Camera(sdp="<html>"))).error, WrongProtocol)


# redirects


async def test_a_redirect_within_the_host() -> None:
    there = Camera(PACKETS)
    async with there.serving() as url:
        here = Camera(
            statuses={"DESCRIBE": "302 Moved"}, extra={"DESCRIBE": f"Location: {url}\r\n"}
        )
        session = await serve(here)
    assert len(session.samples) == 50


async def test_a_redirect_to_another_host_is_not_followed() -> None:
    camera = Camera(
        statuses={"DESCRIBE": "302 Moved"}, extra={"DESCRIBE": "Location: rtsp://192.0.2.1/\r\n"}
    )
    assert isinstance((await serve(camera)).error, Forbidden)


async def test_a_redirect_to_itself_ends() -> None:
    camera = Camera(statuses={"DESCRIBE": "301 Moved"})
    async with camera.serving() as url:
        camera.extra = {"DESCRIBE": f"Location: {url}\r\n"}
        session = await watch(url)
    assert isinstance(session.error, StreamBroken)
    assert [asked.method for asked in camera.asked].count("DESCRIBE") == 4


# staying and leaving


@pytest.mark.parametrize(
    ("public", "method"),
    [("OPTIONS, GET_PARAMETER", "GET_PARAMETER"), ("OPTIONS, DESCRIBE", "OPTIONS")],
)
async def test_keep_alive_at_half_the_timeout(public: str, method: str) -> None:
    camera = Camera(PACKETS, public=public, session="9;timeout=2", ends=False, login=("a", "b"))
    async with camera.serving() as url:
        session = await watch(url, stall_s=3.5, credentials=Credentials("a", "b"))
    assert isinstance(session.error, Stalled)
    kept = [asked for asked in camera.asked[6:] if asked.method == method]
    assert len(kept) >= 2
    assert {asked.headers["session"] for asked in kept} == {"9"}
    assert camera.left.is_set()


async def test_leaving_says_goodbye() -> None:
    camera = Camera(PACKETS, ends=False)
    async with camera.serving() as url:
        first = asyncio.Event()
        address, _ = parse_address(url)
        source = RtspSource(address, SourceOptions())
        task = asyncio.create_task(source.run(lambda sample: first.set(), Notes()))
        await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(camera.left.wait(), 5)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_leaving_does_not_wait_for_a_frozen_camera() -> None:
    camera = Camera(PACKETS, ends=False)
    async with camera.serving(), proxy(camera.port) as between:
        first = asyncio.Event()
        address, _ = parse_address(f"rtsp://127.0.0.1:{between.port}/cam")
        source = RtspSource(address, SourceOptions())
        task = asyncio.create_task(source.run(lambda sample: first.set(), Notes()))
        await first.wait()
        between.stall()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 10)


async def test_a_stall_is_noticed_and_a_reset_too() -> None:
    camera = Camera(PACKETS, ends=False)
    async with camera.serving(), proxy(camera.port) as between:
        url = f"rtsp://127.0.0.1:{between.port}/cam"
        session = await watch(url, stall_s=0.5)
        assert isinstance(session.error, Stalled)
        assert len(session.samples) == 50
        watching = asyncio.create_task(watch(url))
        for _ in range(2):
            await asyncio.wait_for(camera.plays.get(), 5)
        between.reset()
        assert isinstance((await watching).error, StreamBroken)


async def test_flipped_bits_are_survived() -> None:
    class Noisy(Camera):
        async def play(self, writer: asyncio.StreamWriter) -> None:
            rng = random.Random(3)
            data = bytearray(b"".join(interleaved(packet) for packet in packetize(UNITS * 4)))
            for _ in range(40):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            writer.write(data)

    session = await serve(Noisy())
    assert isinstance(session.error, StreamBroken)
    assert len(session.samples) > 20
    assert session.trouble


# what is no camera


async def talk_to(*parts: bytes, hold: bool = False) -> CameraError | None:
    """A session with something that says `parts`, whatever it is asked."""

    done = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read(1000)
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            if hold:
                await reader.read()
            writer.close()
            await writer.wait_closed()
        done.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = (await watch(f"rtsp://127.0.0.1:{port}/", connect_timeout_s=0.5)).error
        await done.wait()
        return error


async def test_other_servers() -> None:
    assert isinstance(await talk_to(b"HTTP/1.1 400 Bad Request\r\n\r\n"), WrongProtocol)
    assert isinstance(await talk_to(b"SSH-2.0-OpenSSH_9.2\r\n"), WrongProtocol)
    assert isinstance(await talk_to(), StreamBroken)
    assert isinstance(await talk_to(hold=True), Stalled)


async def test_one_byte_at_a_time_does_not_last() -> None:
    drip = [bytes((byte,)) for byte in b"RTSP/1.0 200 OK\r\nX: "] + [b"y"] * 50
    assert isinstance(await talk_to(*drip, hold=True), Stalled)


async def test_endless_headers_do_not_last() -> None:
    assert isinstance(await talk_to(b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 20_000), StreamBroken)


async def test_nobody_there() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert isinstance((await watch(f"rtsp://127.0.0.1:{port}/")).error, Unreachable)


# UDP


async def test_udp_in_any_order() -> None:
    rng = random.Random(4)
    made = list(PACKETS)
    for at in range(1, len(made) - 8, 8):
        made[at : at + 8] = rng.sample(made[at : at + 8], 8)
    camera = Camera(made)
    session = await serve(camera, transport="udp")
    assert indices(session.samples) == list(range(50))
    assert not session.trouble
    assert session.notes.transport == "RTSP over UDP"


async def test_udp_with_losses() -> None:
    kept = [packet for n, packet in enumerate(PACKETS) if n % 50 != 49 or n > 120]
    session = await serve(Camera(kept), transport="udp")
    assert session.trouble[Trouble.RTP_LOST] == len(PACKETS) - len(kept)
    found = indices(session.samples)
    assert found == sorted(set(found))
    runs = [sample.run for sample in session.samples]
    assert runs == sorted(runs)
    assert runs[-1] > 0
    firsts = [s for n, s in enumerate(session.samples) if n == 0 or runs[n - 1] != s.run]
    assert all(sample.key for sample in firsts)


async def test_udp_from_elsewhere_is_not_looked_at() -> None:
    class Attacked(Camera):
        async def _play_udp(self, ports: tuple[int, int]) -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.bind(("127.0.0.2", 0))
                for packet in packetize(UNITS, ssrc=666):
                    stranger.sendto(packet, ("127.0.0.1", ports[0]))
            await super()._play_udp(ports)

    session = await serve(Attacked(PACKETS), transport="udp")
    assert indices(session.samples) == list(range(50))
    assert not session.trouble


async def test_udp_that_the_camera_has_not() -> None:
    camera = Camera(statuses={"SETUP": "461 Unsupported Transport"})
    session = await serve(camera, transport="udp")
    assert isinstance(session.error, NotSupported)
    assert "TCP" in str(session.error)


def test_options_that_make_no_sense() -> None:
    address, _ = parse_address("rtsps://h/")
    with pytest.raises(UsageError):
        RtspSource(address, SourceOptions(transport="udp"))
    with pytest.raises(UsageError):
        RtspSource(address, SourceOptions(transport="http"))


async def test_snapshot_of_a_stream_that_is_not_jpeg() -> None:
    camera = Camera(PACKETS)
    async with camera.serving() as url:
        with pytest.raises(NotSupported, match=r"H\.264"):
            await RtspSource(parse_address(url)[0], SourceOptions()).snapshot(Notes())


async def test_sound_that_is_late_is_drawn_to_the_picture() -> None:
    """Sound comes 300 ms after its picture, and both tracks tell the camera's clock."""
    sdp = SDP + "m=audio 0 RTP/AVP 8\na=control:trackID=2\n"
    start = 3_900_000_000

    def report(stamp: int, seconds: float) -> bytes:
        whole = start + int(seconds)
        fraction = int((seconds % 1) * 2**32)
        return struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, whole, fraction, stamp, 0, 0)

    class Late(Camera):
        async def play(self, writer: asyncio.StreamWriter) -> None:
            video = {n: packetize([UNITS[n]], first_stamp=n * 3600) for n in range(50)}
            writer.write(interleaved(report(0, 0.0), 1) + interleaved(report(0, 0.3), 3))
            number = 0
            for n in range(50):
                for data in video[n]:
                    data = data[:2] + struct.pack(">H", number) + data[4:]
                    writer.write(interleaved(data))
                    number += 1
                sound = struct.pack(">BBHII", 0x80, 8, n, n * 320, 9) + bytes(320)
                writer.write(interleaved(sound, 2))
                await writer.drain()
                await asyncio.sleep(0.02)

    session = await serve(Late(sdp=sdp))
    pictures = [sample for sample in session.samples if sample.is_video]
    sounds = [sample for sample in session.samples if not sample.is_video]
    assert (len(pictures), len(sounds)) == (50, 50)
    last = sounds[-1].wall - pictures[-1].wall
    assert last == pytest.approx(300_000, abs=1000)
    walls = [sample.wall for sample in sounds]
    assert walls == sorted(walls)
