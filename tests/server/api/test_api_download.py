"""Movies over HTTP, by clients that we did not write: curl, OpenCV, ffmpeg; and in ranges."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import cv2
import httpx
import pytest

from camkeep.archive.virtual import open_clip
from camkeep.clock import FakeClock, WallUs
from camkeep.media.mp4.clip_verify import verify_clip
from camkeep.server.access import Role
from camkeep.server.movies import disposition
from support.files import FileBytes
from support.kept import GARAGE, GATE, Footage, clip, footage, recorder
from support.movies import ffprobe, probed
from support.segments import NOON, SECOND
from support.server import API, serving

VIDEO = f"{API}/cameras/{GARAGE}/video.mp4"
END = NOON + 6 * SECOND
ASKED = {"from": NOON, "to": END}


@pytest.fixture
def kept(tmp_path: Path) -> Footage:
    """6 s of the garage, with sound."""
    recorded = recorder(tmp_path / "archive")
    for _ in range(3):
        recorded.record("h264", "aac")
    return footage(recorded)


def clock() -> FakeClock:
    return FakeClock(wall=NOON + 60 * SECOND)


def whole(kept: Footage, start: int = NOON, end: int = END) -> bytes:
    """The movie as the archive has it."""
    with open_clip(kept.root, kept.segments, WallUs(start), WallUs(end)) as opened:
        return opened[0].read(0, opened[0].size)


async def ran(*command: object) -> bytes:
    """What a command wrote to its output; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, error = await process.communicate()
    assert process.returncode == 0, error.decode()
    return out


async def test_the_movie_is_that_of_the_archive(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        answer = await site.client.get(VIDEO, params=ASKED)
        head = await site.client.head(VIDEO, params=ASKED)
    assert answer.status_code == 200
    assert answer.content == whole(kept)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="Garage 2026-11-21 12-00-00Z.mp4"'
    )
    assert head.status_code == 200
    assert head.content == b""
    for name in ("etag", "content-length", "content-disposition"):
        assert head.headers[name] == answer.headers[name]


async def test_ranges(kept: Footage) -> None:
    data = whole(kept)
    size = len(data)
    async with serving(kept.root, clock=clock()) as site:

        async def ask(ranges: str, **headers: str) -> httpx.Response:
            sent = {"range": f"bytes={ranges}", **headers}
            return await site.client.get(VIDEO, params=ASKED, headers=sent)

        for text, start, end in (
            ("0-0", 0, 1),
            ("100-299", 100, 300),
            ("1000-", 1000, size),
            ("-500", size - 500, size),
            (f"{size - 1}-{size + 10}", size - 1, size),
        ):
            answer = await ask(text)
            assert answer.status_code == 206
            assert answer.content == data[start:end]
            assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        etag = answer.headers["etag"]
        assert (await ask("0-9", **{"if-range": etag})).status_code == 206
        assert (await ask("0-9", **{"if-range": '"another"'})).status_code == 200
        beyond = await ask(f"{size}-")
        assert beyond.status_code == 416
        assert beyond.headers["content-range"] == f"bytes */{size}"
        assert (await ask(",".join(["0-0"] * 10_000))).status_code in (416, 431)
        unchanged = await site.client.get(VIDEO, params=ASKED, headers={"if-none-match": etag})
        assert unchanged.status_code == 304


async def test_several_ranges_at_once(kept: Footage) -> None:
    data = whole(kept)
    async with serving(kept.root, clock=clock()) as site:
        headers = {"range": "bytes=0-9, 100-119, -5"}
        answer = await site.client.get(VIDEO, params=ASKED, headers=headers)
    assert answer.status_code == 206
    boundary = answer.headers["content-type"].partition("boundary=")[2]
    parts = answer.content.split(f"--{boundary}".encode())[1:-1]
    bodies = [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts]
    assert bodies == [data[:10], data[100:120], data[-5:]]
    assert re.search(rb"content-range: bytes 100-119/", parts[1])


async def test_curl_goes_on_where_it_was(kept: Footage, tmp_path: Path) -> None:
    data, saved = whole(kept), tmp_path / "saved.mp4"
    saved.write_bytes(data[:54_321])
    async with serving(kept.root, clock=clock()) as site:
        url = f"{site.url}{VIDEO}?from={NOON}&to={END}"
        await ran("curl", "-sS", "--fail", "-C", "-", "-o", saved, url)
        assert saved.read_bytes() == data
        await ran("curl", "-sS", "--fail", "-OJ", "--output-dir", tmp_path, url)
    assert (tmp_path / "Garage 2026-11-21 12-00-00Z.mp4").read_bytes() == data


async def test_opencv_and_ffmpeg_read_it(kept: Footage, tmp_path: Path) -> None:
    made = kept.save_clip(clip(end=END))
    async with serving(kept.root, clock=clock()) as site:
        url = f"{site.url}{API}/clips/{made.id}/video.mp4"

        def frames() -> int:
            capture = cv2.VideoCapture(url)
            count = 0
            while capture.grab():
                count += 1
            capture.set(cv2.CAP_PROP_POS_MSEC, 4000)
            assert capture.read()[0]
            capture.release()
            return count

        assert await asyncio.to_thread(frames) == 150
        copied = tmp_path / "copied.mp4"
        await ran("ffmpeg", "-v", "error", "-i", url, "-c", "copy", copied)
        await ran("ffmpeg", "-v", "error", "-xerror", "-ss", "3", "-i", url, "-f", "null", "-")
    assert len(probed(copied)) == 150
    kinds = {stream["codec_type"] for stream in ffprobe(copied, "-show_streams")["streams"]}
    assert kinds == {"video", "audio"}


async def test_a_clip_of_several_cameras(kept: Footage) -> None:
    made = kept.save_clip(clip(cameras=(GATE, GARAGE), name='a "cat" und Mäuse/50 %'))
    where = f"{API}/clips/{made.id}/video.mp4"
    async with serving(kept.root, clock=clock()) as site:
        nothing = await site.client.get(where)
        assert nothing.status_code == 404
        assert nothing.json()["title"] == "Nothing recorded"
        answer = await site.client.get(where, params={"camera": GARAGE})
        assert answer.status_code == 200
        assert answer.content == whole(kept, NOON, NOON + 3 * SECOND)
        shown = answer.headers["content-disposition"]
        assert shown.startswith('attachment; filename="a -cat- und Mause-50 - Garage.mp4"')
        assert "filename*=UTF-8''a%20-cat-%20und%20M%C3%A4use-50%20%25%20Garage.mp4" in shown


@pytest.mark.parametrize("name", ["", "...", "\x00\r\nset-cookie: a=b", "x" * 1000, "猫", "\ud800"])
def test_no_name_breaks_the_header(name: str) -> None:
    value = disposition(name)
    value.encode("ascii")
    assert "\r" not in value
    assert "\n" not in value
    assert len(value) < 2500
    assert re.match(r'attachment; filename="[^"\\]+\.mp4"', value)


async def test_evidence_can_be_verified(kept: Footage, tmp_path: Path) -> None:
    async with serving(kept.root, clock=clock()) as site:
        asked = {"from": NOON + SECOND, "to": END - SECOND, "evidence": "1"}
        (tmp_path / "proof.mp4").write_bytes((await site.client.get(VIDEO, params=asked)).content)
    assert verify_clip(FileBytes(tmp_path / "proof.mp4")).intact


async def test_parts_and_what_is_shown_when(tmp_path: Path) -> None:
    recorded = recorder(tmp_path / "archive")
    recorded.record("h264")
    recorded.record("h265-b")
    made = footage(recorded)
    async with serving(made.root, clock=clock()) as site:
        told = (await site.client.get(f"{VIDEO}/parts", params=ASKED)).json()
        first, second = told["parts"]
        assert first["spans"] == [{"at_us": 0, "wall_us": NOON, "length_us": 2 * SECOND}]
        assert second["start_us"] == NOON + 2 * SECOND
        for part in told["parts"]:
            answer = await site.client.get(VIDEO, params={**ASKED, "part": part["part"]})
            assert len(answer.content) == part["bytes"]
            assert answer.headers["etag"] == f'"{part["etag"]}"'
        assert (await site.client.get(VIDEO, params={**ASKED, "part": 2})).status_code == 404


async def test_a_download_under_way_is_whole_whatever_is_deleted(tmp_path: Path) -> None:
    """F19. The client does not read while the footage goes; what it asked for is larger than all
    that can lie between it and the service."""
    recorded = recorder(tmp_path / "archive")
    for _ in range(120):
        recorded.record("h264-large")
    made = footage(recorded)
    asked = {"from": NOON, "to": NOON + 240 * SECOND}
    data = whole(made, NOON, NOON + 240 * SECOND)
    async with serving(made.root, clock=FakeClock(wall=NOON + 999 * SECOND)) as site:
        async with site.client.stream("GET", VIDEO, params=asked) as answer:
            etag = answer.headers["etag"]
            await site.desk.archive.remove(GARAGE, made.segments)
            assert not any((made.root / segment.path).exists() for segment in made.segments)
            assert [opened.users for opened in site.app.state.shelf.clips._open] == [1]
            found = b"".join([piece async for piece in answer.aiter_bytes()])
        assert found == data
        headers = {"range": "bytes=1000-", "if-range": etag}  # somebody was cut off, and goes on
        rest = await site.client.get(VIDEO, params=asked, headers=headers)
        assert rest.status_code == 206
        assert rest.content == data[1000:]


async def test_a_movie_that_grows_is_opened_anew_but_not_under_a_player(tmp_path: Path) -> None:
    recorded = recorder(tmp_path / "archive")
    recorded.record("h264")
    made = footage(recorded)
    now = clock()
    async with serving(made.root, clock=now) as site:
        asked = {"from": NOON}
        first = await site.client.get(VIDEO, params=asked)
        more = recorded.record("h264").segment
        site.desk.archive.ask(lambda index: index.save_segments([more]))
        now.advance(10)
        second = await site.client.get(VIDEO, params=asked)
        assert len(second.content) > len(first.content)
        assert second.headers["etag"] != first.headers["etag"]
        headers = {"range": "bytes=500-", "if-range": first.headers["etag"]}
        rest = await site.client.get(VIDEO, params=asked, headers=headers)
        assert rest.status_code == 206
        assert rest.content == first.content[500:]


async def test_what_is_open_is_bounded_and_closed(kept: Footage) -> None:
    now = clock()
    async with serving(kept.root, clock=now) as site:
        for n in range(20):
            asked = {"from": NOON + n * 1000, "to": END}
            answer = await site.client.get(VIDEO, params=asked, headers={"range": "bytes=0-9"})
            assert answer.status_code == 206
        clips = site.app.state.shelf.clips
        async with asyncio.timeout(5):
            while len(clips) > 8:  # the last one is given back behind its answer
                await asyncio.sleep(0.01)
        now.advance(61)
        clips.tidy()
        assert len(clips) == 0


async def test_a_client_that_leaves_lets_go(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        async with site.client.stream("GET", VIDEO, params=ASKED) as answer:
            assert answer.status_code == 200
        clips = site.app.state.shelf.clips
        async with asyncio.timeout(5):
            while any(opened.users for opened in clips._open):
                await asyncio.sleep(0.01)


async def test_what_is_too_much_or_nothing_is_told(kept: Footage) -> None:
    async with serving(kept.root, clock=clock()) as site:
        early = await site.client.get(VIDEO, params={"from": 0, "to": SECOND})
        assert early.status_code == 404
        for query in ("", "from=x", f"from={END}&to={NOON}", f"from={NOON}&part=-1"):
            assert (await site.client.get(f"{VIDEO}?{query}")).status_code == 422


async def test_a_shared_clip_needs_no_login_and_leads_nowhere_else(kept: Footage) -> None:
    made = kept.save_clip(clip(cameras=(GARAGE, GATE)))
    now = clock()
    async with serving(kept.root, clock=now) as site:
        await site.user("boss")
        olaf = await site.user("olaf", Role.OPERATOR, [GATE])
        boss = site.accounts.users.by_name("boss")
        assert boss is not None
        until = WallUs(now.wall() + 3600 * SECOND)
        secret, share = await site.accounts.shares.make(made.id, "Eva", until, boss.id)
        where = f"{API}/shared/{secret}"
        async with site.fresh() as anybody:
            told = (await anybody.get(where)).json()
            assert (told["name"], told["cameras"]) == ("a cat", 2)
            movie = await anybody.get(f"{where}/video.mp4")
            assert movie.content == whole(kept, NOON, NOON + 3 * SECOND)
            assert told["movies"] == [[len(movie.content)], []]
            assert (await anybody.get(f"{where}/video.mp4?camera=2")).status_code == 404
            assert (await anybody.get(f"{API}/clips/{made.id}/video.mp4")).status_code == 401
            (counted,) = await site.accounts.shares.all(made.id)
            assert counted.downloads == 1
            gates, _ = await site.accounts.shares.make(made.id, "", until, olaf)
            assert (await anybody.get(f"{API}/shared/{gates}")).json()["cameras"] == 1
            assert (await anybody.get(f"{API}/shared/{gates}/video.mp4")).status_code == 404
            unknown = await anybody.get(f"{API}/shared/{'x' * 43}")
            await site.accounts.shares.revoke(share.id)
            revoked = await anybody.get(where)
            now.advance(3601)
            ended = await anybody.get(f"{API}/shared/{gates}")
            assert unknown.json() == revoked.json() == ended.json()
            assert unknown.status_code == 404
