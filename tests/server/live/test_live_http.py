"""live.mjpeg, live.mp4 and snapshot.jpg, read by programs that we did not write."""

from __future__ import annotations

import asyncio
import io
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import cv2
import httpx
import pytest
from PIL import Image

from camkeep.cameras.pacer import pacer
from camkeep.engine.schedule import Mode
from camkeep.engine.wanted import Wanted
from camkeep.errors import LoginRefused, StreamBroken
from camkeep.media.mp4 import read_movie
from camkeep.server.access import Role
from camkeep.server.live import answer, pictures, snapshot
from camkeep.server.live import mjpeg as mjpeg_module
from camkeep.server.live.viewers import Which, stream_of
from support.gst import gst_server
from support.handfed import HandFed
from support.live import Bytes
from support.livecams import LIVE_H264, LIVE_H264_AAC, camera_at, card_camera
from support.server import Site, serving


def address(site: Site, what: str, number: int = 0) -> str:
    return f"{site.url}/api/v1/cameras/{site.cameras[number]}/{what}"


@asynccontextmanager
async def gst_site(folder: Path, launch: str = LIVE_H264) -> AsyncIterator[Site]:
    with gst_server({"/live": launch}) as gst:
        async with serving(folder, wanted=[camera_at(gst.url())]) as site:
            yield site


def opencv(url: str, count: int) -> list[tuple[int, int]]:
    """Sizes of the first frames that OpenCV reads."""
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    try:
        assert capture.isOpened()
        sizes = []
        for _ in range(count):
            good, frame = capture.read()
            assert good
            sizes.append((frame.shape[1], frame.shape[0]))
        return sizes
    finally:
        capture.release()


def ffmpeg(url: str, seconds: float, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["ffmpeg", "-v", "warning", "-nostdin", *arguments, "-i", url]
    command += ["-t", str(seconds), "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


async def gone(site: Site) -> None:
    """Until nobody watches any more."""
    async with asyncio.timeout(10):
        hubs = [f.hub for c in site.desk.service.cameras.values() for f in c.feeds()]
        while len(site.desk.live.viewers) or any(hub.readers for hub in hubs):
            await asyncio.sleep(0.02)


async def parts(response: httpx.Response, count: int) -> list[tuple[dict[str, str], bytes]]:
    """The first parts of a multipart answer, by the lengths that they tell."""
    assert response.headers["content-type"] == mjpeg_module.MULTIPART
    data = b""
    found: list[tuple[dict[str, str], bytes]] = []
    async for chunk in response.aiter_bytes():
        data += chunk
        while b"\r\n\r\n" in data:
            head, _, rest = data.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            assert first == "--camkeep"
            headers = dict(line.split(": ") for line in lines)
            length = int(headers["Content-Length"])
            if len(rest) < length + 2:
                break
            found.append((headers, rest[:length]))
            assert rest[length : length + 2] == b"\r\n"
            data = rest[length + 2 :]
            if len(found) == count:
                return found
    return found


async def test_mjpeg_of_a_camera_that_sends_jpeg(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera()]) as site:
        async with site.client.stream("GET", address(site, "live.mjpeg")) as response:
            assert response.headers["cache-control"] == "no-store"
            found = await parts(response, 10)
        times = [float(headers["X-Timestamp"]) for headers, _ in found]
        assert abs(times[0] - time.time()) < 20
        assert times == sorted(times)
        for _, jpeg in found:
            with Image.open(io.BytesIO(jpeg)) as image:
                assert image.size == (320, 240)
        await gone(site)


async def test_fewer_pictures_a_second(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera(fps=30)]) as site:
        url = address(site, "live.mjpeg?fps=5")
        async with site.client.stream("GET", url) as response:
            found = await parts(response, 6)
        times = [float(headers["X-Timestamp"]) for headers, _ in found]
        assert (times[-1] - times[0]) / 5 == pytest.approx(0.2, abs=0.05)


async def test_mjpeg_of_a_camera_that_sends_video(tmp_path: Path) -> None:
    async with gst_site(tmp_path / "a") as site:
        async with site.client.stream("GET", address(site, "live.mjpeg")) as response:
            found = await parts(response, 4)
        times = [float(headers["X-Timestamp"]) for headers, _ in found]
        assert (times[-1] - times[1]) / 2 == pytest.approx(0.48, abs=0.2)  # 12 frames
        async with site.client.stream("GET", address(site, "live.mjpeg?fps=25")) as response:
            found = await parts(response, 20)
        times = [float(headers["X-Timestamp"]) for headers, _ in found]
        assert times == sorted(times)
        with Image.open(io.BytesIO(found[-1][1])) as image:
            assert image.size == (320, 240)
        await gone(site)
        assert site.desk.live.pictures.workers == 0


async def test_viewers_of_one_stream_share_a_decoder_and_there_are_few(tmp_path: Path) -> None:
    async with gst_site(tmp_path / "a") as site:
        site.desk.live.pictures.most = 1
        url = address(site, "live.mjpeg")
        async with (
            site.client.stream("GET", url) as one,
            site.client.stream("GET", url) as two,
        ):
            assert len(await parts(one, 2)) == len(await parts(two, 2)) == 2
            assert site.desk.live.pictures.workers == 1
            third = await site.client.get(address(site, "live.mjpeg?fps=5"))
            assert third.status_code == 503
            assert "live.mp4" in third.json()["detail"]
        await gone(site)


async def test_a_decoder_that_is_killed_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "RESTART_S", 0.05)
    async with gst_site(tmp_path / "a") as site:
        url = address(site, "live.mjpeg")
        response = await site.client.send(site.client.build_request("GET", url), stream=True)
        async with aclosing(response):
            chunks = response.aiter_bytes()
            await anext(chunks)
            (stream,) = site.desk.live.pictures._streams.values()
            assert stream._worker._child is not None
            stream._worker._child.kill()
            seen = stream.newest
            assert seen is not None
            async with asyncio.timeout(20):
                while stream.newest is not None and stream.newest.number < seen.number + 3:
                    await anext(chunks)


async def test_without_pyav_video_is_not_decoded_and_the_answer_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "can_decode", lambda: False)
    async with gst_site(tmp_path / "a") as site:
        for what in ("live.mjpeg", "snapshot.jpg"):
            response = await site.client.get(address(site, what))
            assert response.status_code == 409
            assert "live.mp4" in response.json()["detail"]


async def test_opencv_reads_mjpeg_and_mp4(tmp_path: Path) -> None:
    async with gst_site(tmp_path / "b", LIVE_H264_AAC) as site:
        for what in ("live.mp4", "live.mjpeg?fps=25"):
            sizes = await asyncio.to_thread(opencv, address(site, what), 20)
            assert sizes == [(320, 240)] * 20
        await gone(site)
    async with serving(tmp_path / "a", wanted=[card_camera()]) as site:
        for what in ("live.mjpeg", "live.mp4"):
            sizes = await asyncio.to_thread(opencv, address(site, what), 20)
            assert sizes == [(320, 240)] * 20
        await gone(site)


async def test_ffmpeg_reads_mp4_with_sound(tmp_path: Path) -> None:
    async with gst_site(tmp_path / "a", LIVE_H264_AAC) as site:
        done = await asyncio.to_thread(ffmpeg, address(site, "live.mp4"), 2)
        assert (done.returncode, done.stderr) == (0, "")
        command = ["ffprobe", "-v", "warning", "-show_entries", "stream=codec_name", "-of", "csv"]
        probed = await asyncio.to_thread(
            subprocess.run,
            [*command, address(site, "live.mp4")],
            capture_output=True,
            text=True,
            check=True,
        )
        assert probed.stdout.split() == ["stream,h264", "stream,aac"]
        assert probed.stderr == ""


async def test_ffmpeg_reads_mjpeg(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera()]) as site:
        done = await asyncio.to_thread(ffmpeg, address(site, "live.mjpeg"), 1, "-f", "mpjpeg")
        assert (done.returncode, done.stderr) == (0, "")


async def test_mp4_goes_on_over_a_reconnect_and_ends_with_another_size(tmp_path: Path) -> None:
    source = HandFed()
    async with serving(tmp_path / "a", source) as site:
        await source.connected.wait()
        source.give(source.film("h264")[:20])
        async with site.client.stream("GET", address(site, "live.mp4")) as response:
            assert response.status_code == 200
            source.fail(StreamBroken("the camera ended the stream"))
            await asyncio.sleep(0.1)
            await asyncio.wait_for(source.connected.wait(), 10)
            source.give(source.film("h264", after_us=5_000_000))
            source.give(source.film("h264-large", run=1, after_us=7_000_000))
            data = await response.aread()
        movie = read_movie(Bytes(data))
        assert movie.video is not None
        times = [sample.time_us for sample in movie.video.samples]
        assert movie.valid_end == len(data)
        first = next(n for n, time_us in enumerate(times) if time_us > 1_000_000)
        assert len(times) - first == 50
        await gone(site)


async def test_answers_end_with_the_rights_and_with_the_service(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera()]) as site:
        await site.user("anna", Role.ADMIN)
        await site.user("ben", Role.VIEWER)
        token = await site.token("ben")
        for what in ("live.mjpeg", "live.mp4"):
            async with site.client.stream("GET", f"{address(site, what)}?token={token}") as r:
                assert r.status_code == 200
                chunks = r.aiter_bytes()
                await anext(chunks)
                user = site.accounts.users.by_name("ben")
                assert user is not None
                await site.accounts.users.set_password(user.id, "another password")
                async with asyncio.timeout(5):
                    async for _ in chunks:
                        pass
            token = await site.token("ben", of=what)
        async with site.client.stream("GET", f"{address(site, 'live.mjpeg')}?token={token}") as r:
            chunks = r.aiter_bytes()
            await anext(chunks)
            stopping = asyncio.create_task(site.server.stop())
            async with asyncio.timeout(5):
                async for _ in chunks:
                    pass
                await stopping


async def test_what_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "FIRST_S", 0.5)
    monkeypatch.setattr(snapshot, "TIMEOUT_S", 0.5)
    silent, refusing = HandFed("silent"), HandFed("refusing")
    refusing.refuses = LoginRefused("the camera refused the password")
    off = Wanted("off", HandFed("off"), mode=Mode.OFF)
    async with serving(tmp_path / "a", silent, refusing, wanted=[off]) as site:
        for what in ("live.mjpeg", "live.mp4", "snapshot.jpg"):
            told = [await site.client.get(address(site, what, n)) for n in range(3)]
            assert [r.status_code for r in told] == [504, 502, 409], what
            assert "password" in told[1].json()["detail"]
            unknown = await site.client.get(f"{site.url}/api/v1/cameras/nobody/{what}")
            assert unknown.status_code == 404
        await gone(site)


# snapshots


async def test_the_newest_jpeg_as_it_came(tmp_path: Path) -> None:
    source = HandFed()
    async with serving(tmp_path / "a", source) as site:
        await source.connected.wait()
        film = source.film("jpeg")
        source.give(film[:10])
        response = await site.client.get(address(site, "snapshot.jpg"))
        assert response.content == film[9].data
        assert response.headers["content-type"] == "image/jpeg"
        assert float(response.headers["x-timestamp"]) == pytest.approx(film[9].wall / 1e6)
        assert int(response.headers["age"]) < 10


async def test_the_newest_key_frame_of_a_stream_that_nobody_watches(tmp_path: Path) -> None:
    async with gst_site(tmp_path / "a") as site:
        response = await site.client.get(address(site, "snapshot.jpg"))
        assert response.status_code == 200, response.text
        with Image.open(io.BytesIO(response.content)) as image:
            assert image.size == (320, 240)
        await gone(site)
        assert site.desk.live.pictures.workers == 0


async def test_pictures_of_many_cameras_asked_for_at_once_all_come(tmp_path: Path) -> None:
    """As by a list of cameras. No more are made at once than may be."""
    sources = [HandFed(f"camera{number}") for number in range(7)]
    async with serving(tmp_path / "a", *sources) as site:
        for source in sources:
            await source.connected.wait()
            source.give(source.film("h264")[:1])
        asked = [site.client.get(address(site, "snapshot.jpg", n)) for n in range(len(sources))]
        answers = await asyncio.gather(*asked)
        assert [answer.status_code for answer in answers] == [200] * len(sources)
        assert site.desk.live.pictures.workers == 0


async def test_a_camera_that_somebody_watches_is_read_sooner(tmp_path: Path) -> None:
    async with gst_site(tmp_path / "a") as site:
        async with site.client.stream("GET", address(site, "live.mp4")) as response:
            await anext(response.aiter_bytes())
            assert (len(pacer()._hurried.reads), len(pacer()._calm.reads)) == (1, 0)
        await gone(site)
        assert len(pacer()._hurried.reads) == 0


async def test_who_comes_back_while_the_decoding_ends_sees_pictures(tmp_path: Path) -> None:
    """As a page does that is loaded anew. Also where the one that left was cut short."""
    async with gst_site(tmp_path / "a") as site:
        (camera,) = site.desk.service.cameras.values()
        source, decoded = stream_of(camera, Which.MAIN), site.desk.live.pictures
        for cut_short in (False, True):
            opening = decoded.open(source, every=False)
            before = await opening.__aenter__()
            assert await before.after(0) is not None
            leaving = asyncio.create_task(opening.__aexit__(None, None, None))
            await asyncio.sleep(0)
            if cut_short:
                leaving.cancel()
            async with asyncio.timeout(10), decoded.open(source, every=False) as again:
                assert again is not before
                assert await again.after(0) is not None
            await asyncio.wait([leaving])
            assert decoded.workers == 0
