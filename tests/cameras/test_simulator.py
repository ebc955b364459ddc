"""The simulated cameras, seen by clients that know nothing of camkeep."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import statistics
import struct
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from camkeep.cameras.address import Credentials
from camkeep.cameras.login import Login
from camkeep.cameras.simulate import Fault, Kind, Sent, Simulator, SimulatorOptions
from camkeep.cameras.simulate.discovery import REQUEST
from camkeep.cameras.simulate.frameclock import FrameClock
from camkeep.cameras.simulate.head import Head
from camkeep.cameras.testcard import picture, read_number
from camkeep.errors import UsageError
from support.rawhttp import asked, get, parse, read_until

SMALL = SimulatorOptions(width=160, height=128, fps=100)
NUMBER = re.compile(rb"camkeep no\. (\d{10})")


def numbers(stream: bytes) -> list[int]:
    """Those of the pictures in a stream, whole or not."""
    return [int(n) for n in NUMBER.findall(stream)]


def variables(body: bytes) -> dict[str, str]:
    return dict(re.findall(r"var (\w+)='?(.*?)'?;\r\n", body.decode()))


async def run(*command: str | Path) -> bytes:
    """Output of a program that must succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, error = await process.communicate()
    assert process.returncode == 0, error
    return out


# the stream


async def test_the_stream_is_multipart_with_exact_lengths_and_the_right_bytes() -> None:
    options = SimulatorOptions(width=160, height=128, fps=100, max_frames=20)
    async with Simulator("mjpeg", options) as camera:
        raw = await get(camera.port, "/video")
        sent = list(camera.sent)
    assert raw.headers["content-type"] == "multipart/x-mixed-replace;boundary=frame"
    body, found = raw.body, []
    while body:
        match = re.match(
            rb"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: (\d+)\r\n\r\n", body
        )
        assert match is not None
        end = match.end() + int(match[1])
        found.append(body[match.end() : end])
        assert body[end : end + 2] == b"\r\n"
        body = body[end + 2 :]
    assert [picture(s.number, 160, 128) for s in sent] == found
    assert [len(jpeg) for jpeg in found] == [s.length for s in sent]
    first = sent[0].number
    assert [s.number for s in sent] == list(range(first, first + 20))


async def test_easyn_cameras_send_the_boundary_right_behind_each_part() -> None:
    options = SimulatorOptions(width=160, height=128, fps=100, max_frames=3)
    async with Simulator("easyn", options) as camera:
        raw = await get(camera.port, "/videostream.cgi")
        assert raw.headers["server"] == "Netwave IP Camera"
    assert raw.headers["content-type"] == "multipart/x-mixed-replace;boundary=ipcamera"
    assert raw.body.startswith(b"--ipcamera\r\nContent-Type: image/jpeg\r\n")
    assert raw.body.endswith(b"\xff\xd9\r\n--ipcamera\r\n")
    assert raw.body.count(b"--ipcamera\r\n") == 4


async def test_ffmpeg_reads_the_stream() -> None:
    async with Simulator("mjpeg", SMALL) as camera:
        out = await run(
            *("ffmpeg", "-v", "error", "-i", camera.stream_url, "-frames:v", "10"),
            *("-c", "copy", "-f", "mjpeg", "-"),
        )
        sent = {s.number for s in camera.sent}
    assert len(numbers(out)) == 10
    assert set(numbers(out)) <= sent


async def test_all_viewers_get_the_same_pictures() -> None:
    options = SimulatorOptions(width=160, height=128, fps=50)
    async with (
        Simulator("mjpeg", options) as camera,
        asked(camera.port, "/video") as (one, _),
        asked(camera.port, "/video") as (two, _),
    ):
        both = await asyncio.gather(
            *(read_until(reader, lambda d: len(numbers(d)) >= 10) for reader in (one, two))
        )
        assert camera.viewers == 2
    first, second = (numbers(data) for data in both)
    assert len(set(first) & set(second)) >= 8


async def test_frames_come_at_their_times_whatever_the_rate() -> None:
    for fps, deliver, rate in ((50.0, 1.0, 50.0), (100.0, 0.25, 25.0), (33.3, 1.0, 33.3)):
        options = SimulatorOptions(160, 128, fps=fps, deliver=deliver, max_frames=25)
        async with Simulator("mjpeg", options) as camera:
            await get(camera.port, "/video")
            sent = list(camera.sent)
        # a busy machine makes frames late, but lateness does not add up
        period = 1e9 / rate
        early = [s.mono_ns - s.number * period for s in sent]
        assert sent[-1].mono_ns - sent[0].mono_ns > 20 * period
        assert min(early[:12]) == pytest.approx(min(early[12:]), abs=period / 2)


async def test_a_jittering_rate_wanders_between_its_bounds_and_is_seeded() -> None:
    options = SimulatorOptions(jitter=(3, 30))
    clocks = [FrameClock(options, lambda number: None) for _ in range(2)]
    rates = [[1e9 / clock._interval_ns() for _ in range(500)] for clock in clocks]
    assert rates[0] == rates[1]
    assert 3 <= min(rates[0]) < 6
    assert 25 < max(rates[0]) <= 30


async def test_a_viewer_that_does_not_read_loses_frames_and_holds_nobody_up() -> None:
    options = SimulatorOptions(width=640, height=480, fps=200)
    async with (
        Simulator("mjpeg", options) as camera,
        asked(camera.port, "/video") as (_, lazy),
        asked(camera.port, "/video") as (keen, _),
    ):
        lazy.transport.pause_reading()  # type: ignore[attr-defined]
        seen = await read_until(keen, lambda data: camera.dropped > 20)
    got = numbers(seen)
    assert got == list(range(got[0], got[0] + len(got)))


async def test_a_size_is_right_and_one_that_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="no size"):
        SimulatorOptions(width=10)
    with pytest.raises(UsageError, match="rate"):
        SimulatorOptions(fps=0)
    with pytest.raises(UsageError, match="rate"):
        SimulatorOptions(jitter=(0, 30))
    with pytest.raises(UsageError, match="lower rate"):
        SimulatorOptions(jitter=(30, 3))
    with pytest.raises(UsageError, match="delivers"):
        SimulatorOptions(deliver=0)
    with pytest.raises(UsageError, match="needs a user"):
        SimulatorOptions(login="basic")


# the server


async def test_a_port_in_use_is_one_clear_sentence() -> None:
    async with Simulator("mjpeg", SMALL) as camera:
        with pytest.raises(
            UsageError, match=f"port {camera.port} .address already in use.: choose"
        ):
            await Simulator("mjpeg", SMALL, port=camera.port).__aenter__()


async def test_a_connection_is_kept_for_more_requests() -> None:
    async with Simulator("mjpeg", SMALL) as camera:
        reader, writer = await asyncio.open_connection("127.0.0.1", camera.port)
        for _ in range(3):
            writer.write(b"GET /snapshot.jpg HTTP/1.1\r\nHost: camera\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(parse(head).headers["content-length"])
            assert read_number(await reader.readexactly(length)) >= 0
        writer.close()
        await writer.wait_closed()
        assert list(camera.requests) == ["GET /snapshot.jpg"] * 3


async def test_a_camera_goes_away_and_comes_back_on_its_port() -> None:
    async with Simulator("mjpeg", SMALL) as camera:
        async with asked(camera.port, "/video") as (reader, _):
            await read_until(reader, lambda d: len(numbers(d)) > 2)
            await camera.go_away(0.2)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1 << 40)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", camera.port)
        assert (await _patient(camera.port, "/snapshot.jpg")).status == 200


async def _patient(port: int, target: str):  # type: ignore[no-untyped-def]
    async with asyncio.timeout(10):
        while True:
            try:
                return await get(port, target)
            except ConnectionError:
                await asyncio.sleep(0.02)


async def test_tls(certificate: Path) -> None:
    options = SimulatorOptions(160, 128, certificate=certificate)
    async with Simulator("mjpeg", options) as camera:
        assert camera.url.startswith("https://")
        out = await run("curl", "-sS", "--max-time", "10", "-k", camera.snapshot_url)
    assert read_number(out) >= 0
    with pytest.raises(UsageError, match="cannot use the certificate"):
        Simulator("mjpeg", SimulatorOptions(certificate=Path("/nonexistent.pem")))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=x"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "key").read_bytes() + (folder / "cert").read_bytes())
    return both


async def test_junk_in_place_of_a_request_ends_the_connection() -> None:
    async with Simulator("mjpeg", SMALL) as camera:
        for junk in (b"\x16\x03\x01\0\0\r\n\r\n", b"x" * 100_000, b"GET http://[ HTTP/1.1\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", camera.port)
            writer.write(junk)
            try:
                assert await reader.read(-1) == b""
            except ConnectionResetError:
                pass  # it closed with bytes of ours unread
            writer.close()
        async with asked(camera.port, "/nowhere") as (reader, _):
            assert parse(await reader.read(-1)).status == 404


# logins


async def curl(url: str, *options: str) -> tuple[int, bytes]:
    out = await run(
        *("curl", "-sS", "--max-time", "10", "-o", "-", "-w", "\n%{http_code}"), *options, url
    )
    body, _, status = out.rpartition(b"\n")
    return int(status), body


@pytest.mark.parametrize("login", ["basic", "digest", "digest-sha256"])
async def test_curl_logs_in(login: str) -> None:
    options = SimulatorOptions(160, 128, user="admin", password='a:b c"', login=login)  # type: ignore[arg-type]
    how = "--basic" if login == "basic" else "--digest"
    async with Simulator("mjpeg", options) as camera:
        status, jpeg = await curl(camera.snapshot_url, how, "-u", 'admin:a:b c"')
        assert (status, jpeg) == (200, picture(camera.sent[-1].number, 160, 128))
        assert (await curl(camera.snapshot_url, how, "-u", "admin:wrong"))[0] == 401
        assert (await curl(camera.snapshot_url, how, "-u", 'root:a:b c"'))[0] == 401
        assert (await curl(camera.snapshot_url))[0] == 401
        assert "a:b" not in str(camera.requests)
        assert "a:b" not in repr(options)


@pytest.mark.parametrize("login", ["digest", "digest-sha256"])
async def test_a_stale_nonce_is_told_from_a_wrong_password(login: str) -> None:
    options = SimulatorOptions(
        160,
        128,
        user="admin",
        password="x",
        login=login,
        faults=frozenset({Fault(Kind.STALE_NONCE)}),  # type: ignore[arg-type]
    )
    async with Simulator("mjpeg", options) as camera:
        own = Login(Credentials("admin", "x"))
        seen = []
        for _ in range(6):
            header = own.header("GET", "/snapshot.jpg")
            extra = [f"Authorization: {header}"] if header else []
            raw = await get(camera.port, "/snapshot.jpg", *extra)
            seen.append(raw.status)
            if raw.status == 401:
                own.challenged([raw.headers["www-authenticate"]])
            else:
                own.accepted()
        assert seen == [401, 200, 401, 200, 401, 200]


async def test_easyn_logins_by_query_in_both_dialects_and_by_basic() -> None:
    basic = "Authorization: Basic " + base64.b64encode(b"admin:se&cret").decode()
    for dialect, right, wrong in (
        ("A", "user=admin&pwd=se%26cret", "loginuse=admin&loginpas=se%26cret"),
        ("B", "loginuse=admin&loginpas=se%26cret", "user=admin&pwd=se%26cret"),
    ):
        options = SimulatorOptions(160, 128, user="admin", password="se&cret", dialect=dialect)  # type: ignore[arg-type]
        async with Simulator("easyn", options) as camera:
            for path in ("/snapshot.cgi", "/get_camera_params.cgi"):
                assert (await get(camera.port, f"{path}?{right}")).status == 200
                assert (await get(camera.port, path, basic)).status == 200
                assert (await get(camera.port, f"{path}?{wrong}")).status == 401
                assert (await get(camera.port, f"{path}?{right}x")).status == 401
            open_to_all = (await get(camera.port, "/get_status.cgi")).status == 200
            assert open_to_all == (dialect == "A")
            assert "cret" not in str(camera.requests)


# EasyN


async def test_rate_and_resolution_codes_change_the_stream() -> None:
    options = SimulatorOptions(fps=40)
    async with Simulator("easyn", options) as camera:
        stream = "/videostream.cgi?resolution=8&rate=1"
        async with asked(camera.port, stream) as (reader, _):
            data = await read_until(reader, lambda d: len(numbers(d)) > 30)
        sent = [s for s in camera.sent if s.viewer]
        jpeg = data[data.index(b"\xff\xd8") :]
        with Image.open(io.BytesIO(jpeg)) as image:
            assert image.size == (320, 240)
        # 20 a second, not 40; some come in a burst where the machine was busy
        apart = [b.mono_ns - a.mono_ns for a, b in pairwise(sent)]
        assert statistics.median(apart) > 40_000_000
        for wrong in ("resolution=9", "rate=2", "rate=", "rate=-1", "rate=%C2%B2"):
            raw = await get(camera.port, f"/videostream.cgi?{wrong}")
            assert raw.body == b"error: illegal params.\n"


async def test_a_camera_tells_about_itself() -> None:
    options = SimulatorOptions(user="admin", password="x")
    login = "?user=admin&pwd=x"
    async with Simulator("easyn", options) as camera:
        status = variables((await get(camera.port, "/get_status.cgi")).body)
        assert abs(int(status["now"]) - time.time()) < 10
        assert status["sys_ver"] == "11.37.2.54"
        for path in ("get_params.cgi", "get_misc.cgi", "check_user.cgi"):
            assert variables((await get(camera.port, f"/{path}{login}")).body)
        params = variables((await get(camera.port, f"/get_camera_params.cgi{login}")).body)
        assert params["resolution"] == "32"


@pytest.mark.parametrize("dialect", ["A", "B"])
async def test_settings_are_kept_and_nonsense_is_refused_with_status_200(dialect: str) -> None:
    options = SimulatorOptions(dialect=dialect)  # type: ignore[arg-type]
    right = [("1", "200", "brightness"), ("3", "2", "mode"), ("5", "3", "flip")]
    wrong = [("1", "256"), ("1", "-1"), ("1", "x"), ("1", ""), ("7", "1"), ("", "1")]
    if dialect == "A":
        right += [("2", "6", "contrast"), ("0", "8", "resolution")]
        wrong += [("2", "7"), ("0", "9"), ("14", "1")]
    else:
        right += [("2", "255", "contrast"), ("14", "1", "ir"), ("15", "1", "resolution")]
        right += [("6", "10", "fps"), ("12", "11", "fps"), ("8", "4", "saturation")]
        wrong += [("15", "8"), ("0", "8")]
    async with Simulator("easyn", options) as camera:
        for param, value, name in right:
            raw = await get(camera.port, f"/camera_control.cgi?param={param}&value={value}")
            assert raw.body == b"ok.\n"
            params = variables((await get(camera.port, "/get_camera_params.cgi")).body)
            assert params[name] == value
        for param, value in wrong:
            raw = await get(camera.port, f"/camera_control.cgi?param={param}&value={value}")
            assert (raw.status, raw.body) == (200, b"error: illegal params.\n")
        with Image.open(io.BytesIO((await get(camera.port, "/snapshot.cgi")).body)) as image:
            assert image.size == (320, 240)


async def test_alias_and_clock_can_be_set() -> None:
    async with Simulator("easyn", SMALL) as camera:
        assert (await get(camera.port, "/set_alias.cgi?alias=O%27Hara")).body == b"ok.\n"
        assert (await get(camera.port, f"/set_alias.cgi?alias={'x' * 21}")).body.startswith(b"err")
        await get(camera.port, "/set_datetime.cgi?now=1000000000&tz=-3600&ntp_enable=0")
        body = (await get(camera.port, "/get_status.cgi")).body
        assert rb"var alias='O\'Hara';" in body
        status = variables(body)
        assert 0 <= int(status["now"]) - 1_000_000_000 < 60
        assert status["tz"] == "-3600"


async def test_the_head_moves_and_the_picture_shows_it() -> None:
    async with Simulator("easyn", SMALL) as camera:

        async def order(command: int, extra: str = "") -> bytes:
            return (await get(camera.port, f"/decoder_control.cgi?command={command}{extra}")).body

        before = (await get(camera.port, "/snapshot.cgi")).body
        assert await order(6, "&onestep=1") == b"ok.\n"
        assert await order(2, "&onestep=1") == b"ok.\n"
        assert camera.aim == (0.05, 0.05)
        for _ in range(5):
            await order(6, "&onestep=1")
        after = before
        while read_number(after) == read_number(before):  # a frame taken since
            after = (await get(camera.port, "/snapshot.cgi")).body
        assert len({before, after, picture(read_number(after), 160, 128)}) == 3
        assert await order(34) == b"ok.\n"  # preset 3 is here
        there = camera.aim
        await order(25)
        assert camera.aim == (0, 0)
        await order(35)
        assert camera.aim == there
        await order(4)  # left, until stopped
        await order(1)
        stopped = camera.aim
        assert stopped[0] < there[0]
        assert camera.aim == stopped
        assert await order(8) == b"error: illegal params.\n"


def test_a_head_stops_at_its_ends_and_a_patrol_turns_round() -> None:
    head = Head()
    head.move(1, -1, 0.0)
    assert head.at(1.0) == (0.5, -0.5)
    assert head.at(60.0) == (1.0, -1.0)
    head.centre(60.0)
    head.move(1, 0, 100.0, patrol=True)
    assert head.at(101.0) == (0.5, 0.0)
    assert head.at(103.0) == (0.5, 0.0)
    assert head.at(105.0) == (-0.5, 0.0)
    head.move(0, 0, 105.0)
    assert head.at(200.0) == (-0.5, 0.0)


async def test_a_reboot_really_takes_the_camera_away() -> None:
    options = SimulatorOptions(160, 128, reboot_s=0.3)
    async with Simulator("easyn", options) as camera:
        async with asked(camera.port, "/videostream.cgi") as (reader, _):
            await read_until(reader, lambda d: len(numbers(d)) > 1)
            assert (await get(camera.port, "/reboot.cgi")).body == b"ok.\n"
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1 << 40)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", camera.port)
        assert (await _patient(camera.port, "/snapshot.cgi")).status == 200


async def test_the_search_for_cameras_is_answered() -> None:
    options = SimulatorOptions(160, 128, discovery_port=0)
    async with Simulator("easyn", options) as camera:
        replies: asyncio.Queue[bytes] = asyncio.Queue()

        class Client(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: object) -> None:
                replies.put_nowait(data)

        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            Client, remote_addr=("127.0.0.1", camera.discovery_port)
        )
        try:
            transport.sendto(b"no such question")
            assert len(REQUEST) == 27
            transport.sendto(REQUEST)
            reply = await asyncio.wait_for(replies.get(), 10)
            assert replies.empty()
        finally:
            transport.close()
        assert len(reply) == 88
        fields = struct.unpack(">23s13s21s4I4b4b4bH?", reply)
        assert fields[1].rstrip(b"\0") == b"00606E8A1B2C"
        assert fields[2].rstrip(b"\0") == b"camkeep simulator"
        assert fields[-2] == camera.port


async def test_viewers_are_told_of_as_they_come_and_go() -> None:
    lines: list[str] = []
    options = SimulatorOptions(160, 128, fps=50, max_frames=3)
    async with Simulator("mjpeg", options, tell=lines.append) as camera:
        await get(camera.port, "/video")
        await get(camera.port, "/video")
    assert lines == [
        "viewer 1 (127.0.0.1) came",
        "viewer 1 (127.0.0.1) went after 3 frames",
        "viewer 2 (127.0.0.1) came",
        "viewer 2 (127.0.0.1) went after 3 frames",
    ]
    assert isinstance(camera.sent[0], Sent)
