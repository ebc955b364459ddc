"""Each fault does what it says: seen in the bytes that a viewer gets."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.simulate import Fault, Kind, Simulator, SimulatorOptions, parse_fault
from camkeep.cameras.simulate.faults import KINDS
from camkeep.cameras.testcard import picture, read_number
from camkeep.errors import UsageError
from camkeep.media.jpeg import examine
from support.rawhttp import Raw, asked, get, parse, read_until

FRAMES = 12
NUMBER = re.compile(rb"camkeep no\. (\d{10})")
LENGTH = re.compile(rb"content-length: *(-?\d+)\r\n", re.IGNORECASE)


async def stream(*faults: str, kind: str = "mjpeg", frames: int = FRAMES) -> tuple[Raw, Simulator]:
    """The whole stream of a camera with these faults, and the camera."""
    options = SimulatorOptions(
        160, 128, fps=200, faults=frozenset(map(parse_fault, faults)), max_frames=frames
    )
    async with Simulator(kind, options) as camera:  # type: ignore[arg-type]
        path = "/video" if kind == "mjpeg" else "/videostream.cgi"
        raw = await get(camera.port, path)
    return raw, camera


def bodies(raw: Raw) -> list[bytes]:
    """What is between the boundaries, without headers."""
    parts = raw.body.split(b"--frame\r\n")
    return [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts if part]


def numbers(data: bytes) -> list[int]:
    return [int(n) for n in NUMBER.findall(data)]


# in a picture


async def test_nulls_before_the_end_on_one_frame_in_three() -> None:
    raw, camera = await stream("nulls-before-end:3")
    nulls = [examine(body).nulls_before_end for body in bodies(raw)]
    assert [n > 0 for n in nulls] == [False, False, True] * 4
    assert camera.inflicted == {Kind.NULLS_BEFORE_END: 4}
    for body, sent in zip(bodies(raw), camera.sent, strict=True):
        right = picture(sent.number, 160, 128)
        assert len(body) == sent.length
        assert body[:-2].rstrip(b"\0") == right[:-2].rstrip(b"\0")


async def test_junk_before_and_behind() -> None:
    raw, camera = await stream("junk-before:2", "junk-after:3")
    for n, (body, sent) in enumerate(zip(bodies(raw), camera.sent, strict=True)):
        before, mark, after = body.partition(picture(sent.number, 160, 128))
        assert mark
        assert bool(before) == (n % 2 == 1)
        assert bool(after) == (n % 3 == 2)
    assert camera.inflicted == {Kind.JUNK_BEFORE: 6, Kind.JUNK_AFTER: 4}


async def test_truncated_pictures_and_flipped_bits() -> None:
    raw, camera = await stream("truncated:2", "bit-flips:3")
    for n, (body, sent) in enumerate(zip(bodies(raw), camera.sent, strict=True)):
        right = picture(sent.number, 160, 128)
        if n % 2:
            assert len(body) < len(right)
            assert not examine(body).complete
        else:
            assert len(body) == len(right)
            assert (body != right) == (n % 3 == 2)
        assert body.startswith(right[:600])


async def test_what_a_picture_cut_short_hides_is_not_counted() -> None:
    _, camera = await stream("truncated:2", "nulls-before-end", "junk-after", "junk-before")
    assert camera.inflicted == {
        Kind.TRUNCATED: 6,
        Kind.NULLS_BEFORE_END: 6,
        Kind.JUNK_AFTER: 6,
        Kind.JUNK_BEFORE: 12,
    }


async def test_a_frozen_picture_and_another_size() -> None:
    raw, camera = await stream("frozen:4", "size-change:8")
    seen = [read_number(body) for body in bodies(raw)]
    assert len(set(seen)) == 5
    assert seen[4:] == [seen[4]] * 8
    assert [s.number for s in camera.sent] == seen
    sizes = [(examine(body).width, examine(body).height) for body in bodies(raw)]
    assert sizes == [(160, 128)] * 8 + [(320, 240)] * 4


# in a part


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("length-small", lambda length: length // 2),
        ("length-large", lambda length: length + 1000),
        ("length-huge", lambda length: 1 << 32),
        ("length-negative", lambda length: -1),
    ],
)
async def test_lies_about_the_length(name: str, lie: object) -> None:
    raw, camera = await stream(f"{name}:2")
    lengths = [int(n) for n in LENGTH.findall(raw.body)]
    for n, (length, sent) in enumerate(zip(lengths, camera.sent, strict=True)):
        assert length == (lie(sent.length) if n % 2 else sent.length)  # type: ignore[operator]


async def test_no_length_and_odd_case() -> None:
    raw, _ = await stream("no-length:4", "header-case:3")
    assert len(LENGTH.findall(raw.body)) == FRAMES - 3
    assert raw.body.count(b"content-TYPE: image/jpeg\r\n") == 4
    assert raw.body.count(b"cONTENT-lENGTH: ") == 3


async def test_boundaries_doubled_missing_and_junk_between() -> None:
    raw, camera = await stream("boundary-doubled:3")
    assert raw.body.count(b"--frame\r\n--frame\r\n") == 4
    raw, camera = await stream("boundary-missing:3")
    assert raw.body.count(b"--frame\r\n") == FRAMES - 4
    assert numbers(raw.body) == [s.number for s in camera.sent]
    raw, camera = await stream("junk-between:3")
    assert len(re.findall(rb"\xff\xd9\r\n--frame", raw.body)) == FRAMES - 5
    assert camera.inflicted == {Kind.JUNK_BETWEEN: 4}


async def test_empty_parts_and_parts_with_several_pictures() -> None:
    raw, _ = await stream("empty-part:4")
    assert raw.body.count(b"Content-Length: 0\r\n\r\n\r\n--frame\r\n") == 3
    raw, camera = await stream("several:3")
    assert [len(numbers(body)) for body in bodies(raw)] == [1, 1, 2, 1, 2, 1, 2, 1, 1]
    assert numbers(raw.body) == [s.number for s in camera.sent]


# in the whole stream


async def test_declared_boundaries() -> None:
    raw, _ = await stream("boundary-dashes")
    assert raw.headers["content-type"].endswith("boundary=--frame")
    raw, _ = await stream("boundary-quoted")
    assert raw.headers["content-type"].endswith('boundary="frame"')
    assert raw.body.startswith(b"--frame\r\n")


@pytest.mark.parametrize("kind", ["mjpeg", "easyn"])
async def test_no_first_boundary(kind: str) -> None:
    raw, _ = await stream("no-first-boundary", kind=kind)
    assert raw.body.startswith(b"Content-Type: image/jpeg\r\n")
    assert raw.body.count(b"\r\n--") == FRAMES - (kind == "mjpeg")


async def test_line_feeds() -> None:
    raw, camera = await stream("line-feeds")
    pictures = [picture(s.number, 160, 128) for s in camera.sent]
    rest = raw.body
    for jpeg in pictures:
        before, found, rest = rest.partition(jpeg)
        assert found
        assert b"\r" not in before
        assert b"--frame\nContent-Type: image/jpeg\n" in before


async def test_streams_declared_as_one_picture() -> None:
    raw, camera = await stream("declared-jpeg")
    assert raw.headers["content-type"] == "image/jpeg"
    assert raw.body.startswith(b"--frame\r\n")
    raw, camera = await stream("bare", kind="easyn")
    assert raw.headers["content-type"] == "image/jpeg"
    assert raw.body == b"".join(picture(s.number, 160, 128) for s in camera.sent)


async def test_a_chunked_body_is_what_it_would_be_without() -> None:
    raw, camera = await stream("chunked", "bare")
    assert raw.headers["transfer-encoding"] == "chunked"
    body, rest, chunks = b"", raw.body, 0
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        end = int(size, 16)
        assert rest[end : end + 2] == b"\r\n"
        body, rest, chunks = body + rest[:end], rest[end + 2 :], chunks + 1
    assert body == b"".join(picture(s.number, 160, 128) for s in camera.sent)
    assert chunks > FRAMES


# in the connection


def options(*faults: str) -> SimulatorOptions:
    return SimulatorOptions(160, 128, fps=200, faults=frozenset(map(parse_fault, faults)))


async def test_a_stalled_stream_stays_open() -> None:
    async with (
        Simulator("mjpeg", options("stall:5")) as camera,
        asked(camera.port, "/video") as (reader, _),
    ):
        data = await read_until(reader, lambda data: data.count(b"\xff\xd9\r\n") == 5)
        number = camera.number
        while camera.number < number + 20:
            await get(camera.port, "/nothing")
        assert len(numbers(data)) == 5 == len(camera.sent)
        assert camera.viewers == 1
        assert camera.inflicted == {Kind.STALL: 1}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)


async def test_a_stream_ends_or_is_reset() -> None:
    async with Simulator("mjpeg", options("end:5")) as camera:
        assert len(numbers((await get(camera.port, "/video")).body)) == 5
        camera.faults = frozenset({Fault(Kind.RESET, 5)})
        with pytest.raises(ConnectionResetError):
            await get(camera.port, "/video")
        assert len(camera.sent) == 10
        assert camera.inflicted[Kind.RESET] == 1


async def test_all_streams_can_be_reset() -> None:
    async with Simulator("mjpeg", options()) as camera, asked(camera.port, "/video") as (reader, _):
        await read_until(reader, lambda data: len(numbers(data)) > 1)
        camera.reset_viewers()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1 << 40)


async def test_connections_are_refused_at_first() -> None:
    async with Simulator("mjpeg", options("refuse:1")) as camera:
        with pytest.raises(ConnectionRefusedError):
            await get(camera.port, "/snapshot.jpg")
        async with asyncio.timeout(30):
            while True:
                try:
                    assert (await get(camera.port, "/snapshot.jpg")).status == 200
                    break
                except ConnectionError:
                    await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", ["endless-headers", "endless-part-headers"])
async def test_headers_without_end(name: str) -> None:
    async with (
        Simulator("mjpeg", options(name)) as camera,
        asked(camera.port, "/video") as (reader, _),
    ):
        data = await read_until(reader, lambda data: len(data) > 200_000)
    heads = data.count(b"\r\n\r\n")
    assert heads == (1 if name == "endless-part-headers" else 0)


async def test_one_byte_a_second() -> None:
    async with Simulator("mjpeg", options("drip")) as camera:
        for path in ("/video", "/snapshot.jpg"):
            async with asked(camera.port, path) as (reader, _):
                assert await reader.read(65536) == b"H"
        assert camera.inflicted == {Kind.DRIP: 2}


# in the answer


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("unauthorized", 401, b"401 Unauthorized"),
        ("forbidden", 403, b"403 Forbidden"),
        ("login-body", 200, b'var result="Auth Failed";\r\n'),
        ("server-error", 500, b"500 Internal Server Error"),
        ("not-found", 404, b"404 Not Found"),
        ("redirect-loop", 302, b""),
        ("redirect-host", 302, b""),
        ("redirect", 302, b""),
    ],
)
async def test_refusals(name: str, status: int, body: bytes) -> None:
    async with Simulator("mjpeg", options(name)) as camera:
        raw = await get(camera.port, "/video")
        assert (raw.status, raw.body) == (status, body)
        assert camera.inflicted == {parse_fault(name).kind: 1}
        where = raw.headers.get("location")
        if name == "redirect":
            assert where == "/moved/video"
            async with asked(camera.port, where) as (reader, _):
                data = await read_until(reader, lambda data: len(numbers(data)) > 0)
            assert parse(data).status == 200
        elif name == "redirect-loop":
            assert where == "/video"
        elif name == "redirect-host":
            assert where == "http://another-host.invalid/video"


async def test_a_web_page_in_place_of_pictures() -> None:
    async with Simulator("mjpeg", options("html")) as camera:
        raw = await get(camera.port, "/video")
    assert raw.headers["content-type"] == "text/html"
    assert b"<form>" in raw.body


async def test_one_request_fails_and_the_next_does_not() -> None:
    async with Simulator("mjpeg", options()) as camera:
        camera.fail_next(Fault(Kind.SERVER_ERROR), Fault(Kind.UNAUTHORIZED))
        camera.fail_next(Fault(Kind.NOT_FOUND), times=2)
        seen = [(await get(camera.port, "/snapshot.jpg")).status for _ in range(5)]
        assert seen == [500, 401, 404, 404, 200]


async def test_faults_can_be_changed_under_a_running_stream() -> None:
    async with Simulator("mjpeg", options()) as camera, asked(camera.port, "/video") as (reader, _):
        await read_until(reader, lambda data: len(numbers(data)) > 1)
        camera.faults = frozenset({Fault(Kind.NO_LENGTH)})
        await read_until(reader, lambda data: b"image/jpeg\r\n\r\n\xff\xd8" in data)
        assert camera.inflicted[Kind.NO_LENGTH] > 0


async def test_snapshots_are_spoilt_like_the_stream() -> None:
    async with Simulator("mjpeg", options("truncated:2", "nulls-before-end:3")) as camera:
        taken = [(await get(camera.port, "/snapshot.jpg")).body for _ in range(6)]
    assert [examine(jpeg).complete for jpeg in taken] == [True, False] * 3
    assert [len(jpeg) for jpeg in taken] == [s.length for s in camera.sent]


async def test_the_same_seed_does_the_same_damage() -> None:
    first, _ = await stream("junk-before", "nulls-before-end", "junk-after", "junk-between")
    second, _ = await stream("junk-before", "nulls-before-end", "junk-after", "junk-between")
    pictures = re.compile(rb"\xff\xd8.*?\xff\xd9", re.DOTALL)
    damage = [LENGTH.sub(b"", pictures.sub(b"", raw.body)) for raw in (first, second)]
    assert damage[0] == damage[1]


# the names


def test_every_fault_has_a_name_and_words() -> None:
    assert len(KINDS) == len(Kind)
    for kind in Kind:
        fault = parse_fault(kind.code)
        assert fault.kind is kind
        assert str(fault).startswith(kind.what)
        assert fault.number >= 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "--list-faults"),
        ("truncated:0", "from 1"),
        ("truncated:", "from 1"),
        ("truncated:-1", "from 1"),
        ("stall:x", "from 0"),
        ("html:3", "no number"),
    ],
)
def test_a_wrong_fault_says_how_it_is_right(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_fault(text)


@given(st.text(max_size=30))
def test_any_text_is_a_fault_or_a_usage_error(text: str) -> None:
    try:
        assert parse_fault(text).kind.code == text.partition(":")[0]
    except UsageError:
        pass
