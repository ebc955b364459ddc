"""Live pictures over a WebSocket: a real server, a real client, cameras of several kinds."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from camkeep.clock import SystemClock
from camkeep.engine.schedule import Mode
from camkeep.engine.wanted import Wanted
from camkeep.errors import LoginRefused, StreamBroken
from camkeep.media.mp4 import read_movie
from camkeep.model import VideoParams
from camkeep.server.access import Role
from camkeep.server.live import viewers as viewers_module
from camkeep.server.web import connections
from support.gst import gst_server
from support.handfed import HandFed
from support.live import Bytes
from support.livecams import LIVE_H264_AAC, camera_at, card_camera
from support.livesocket import FRAGMENT, INIT, JPEG, Message, watching
from support.server import serving


async def test_a_camera_that_sends_jpeg(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera()]) as site:
        async with watching(site) as page:
            header = await page.until("header")
            assert header["mime"] == "image/jpeg"
            assert (header["width"], header["height"]) == (320, 240)
            frames = await page.frames(5)
        assert all(f.kind == JPEG and f.data[:2] == b"\xff\xd8" and f.key for f in frames)
        assert frames[0].wall == header["wall_us"]
        assert all(f.wall - f.time_us == header["wall_us"] for f in frames)
        assert abs(header["now_us"] - SystemClock().wall()) < 20_000_000
        assert page.told[0]["type"] == "state"


async def test_h264_with_sound_from_gstreamer(tmp_path: Path) -> None:
    with gst_server({"/live": LIVE_H264_AAC}) as gst:
        wanted = [camera_at(gst.url())]
        async with serving(tmp_path / "a", wanted=wanted) as site, watching(site) as page:
            header = await page.until("header")
            assert header["mime"].startswith('video/mp4; codecs="avc1.')
            assert header["sound"] is True
            init = await page.binary()
            assert init.kind == INIT
            frames = await page.frames(60)
    data = init.data + b"".join(f.data for f in frames)
    movie = read_movie(Bytes(data))
    assert movie.valid_end == len(data)
    assert movie.video is not None
    assert movie.audio is not None
    assert len(movie.video.samples) == sum(f.picture for f in frames) > 40
    assert len(movie.audio.samples) > 50
    assert frames[0].key
    (tmp_path / "live.mp4").write_bytes(data)
    pictures = [f for f in frames if f.picture]
    assert pictures == sorted(pictures, key=lambda f: f.wall)


async def test_the_stream_is_fetched_only_while_somebody_watches(tmp_path: Path) -> None:
    source = HandFed()
    async with serving(tmp_path / "a", wanted=[Wanted("cam", source, mode=Mode.ASKED)]) as site:
        assert not source.connected.is_set()
        async with watching(site) as page:
            await page.until("state", state="connecting")
            await asyncio.wait_for(source.connected.wait(), 5)
            source.give(source.film("h264"))
            await page.until("state", state="live")
            assert len(await page.frames(50)) == 50
            feed = site.desk.service.cameras[site.cameras[0]].main
            assert feed.hub.readers == 1
        async with asyncio.timeout(5):
            while feed.hub.readers:
                await asyncio.sleep(0.01)
        assert len(site.desk.live.viewers) == 0


async def test_states_reach_the_viewer_while_no_pictures_come(tmp_path: Path) -> None:
    source = HandFed()
    async with serving(tmp_path / "a", source) as site, watching(site) as page:
        await source.connected.wait()
        source.give(source.film("h264")[:3])
        await page.frames(3)
        source.refuses = LoginRefused("the camera refused the password")
        source.fail(StreamBroken("the camera ended the stream"))
        told = await page.until("state", state="waiting")
        assert told["told"] == "the camera ended the stream"
        assert told["retry_s"] > 0
        told = await page.until("state", state="refused")
        assert told["told"] == "the camera refused the password"


async def test_another_session_goes_on_with_its_key_frame(tmp_path: Path) -> None:
    source = HandFed()
    async with serving(tmp_path / "a", source) as site, watching(site) as page:
        await source.connected.wait()
        film = source.film("h264")
        source.give(film[:15])
        first = await page.frames(15)
        source.fail(StreamBroken("the camera ended the stream"))
        await page.until("state", state="waiting")
        await asyncio.wait_for(source.connected.wait(), 10)
        source.give(source.film("h264", after_us=5_000_000)[1:])
        again = await page.frames(38)
        assert again[0].key
        assert again[0].time_us == pytest.approx(5_000_000 + 12 * 40_000, abs=12)
        assert sum(t["type"] == "header" for t in page.told) == 1
        assert first[0].wall < again[0].wall


async def test_another_size_has_a_header_of_its_own(tmp_path: Path) -> None:
    source = HandFed()
    async with serving(tmp_path / "a", source) as site, watching(site) as page:
        await source.connected.wait()
        source.give(source.film("h264"))
        await page.frames(50)
        source.give(source.film("h264-large", run=1, after_us=2_000_000))
        header = await page.until("header")
        assert (header["width"], header["header"]) == (640, 1)
        init = await page.binary()
        frames = await page.frames(50)
        assert {f.header for f in [init, *frames]} == {1}
        assert read_movie(Bytes(init.data + frames[0].data)).video is not None


async def test_the_small_stream_where_there_is_one(tmp_path: Path) -> None:
    main, sub = HandFed("main"), HandFed("sub")
    wanted = [Wanted("both", main, sub=sub), Wanted("one", HandFed("other"))]
    async with serving(tmp_path / "a", wanted=wanted) as site:
        async with watching(site, stream="sub") as page:
            await asyncio.wait_for(sub.connected.wait(), 5)
            sub.give(sub.film("jpeg"))
            assert (await page.until("header"))["stream"] == "sub"
        async with watching(site, 1, stream="sub") as page:
            other = site.desk.service.cameras[site.cameras[1]].main.source
            assert isinstance(other, HandFed)
            await asyncio.wait_for(other.connected.wait(), 5)
            other.give(other.film("jpeg"))
            assert (await page.until("header"))["stream"] == "main"


async def test_a_tab_that_is_hidden_fetches_nothing(tmp_path: Path) -> None:
    source = HandFed()
    async with serving(tmp_path / "a", source) as site, watching(site) as page:
        await source.connected.wait()
        film = source.film("h264")
        source.give(film[:10])
        await page.frames(10)
        hub = site.desk.service.cameras[site.cameras[0]].main.hub
        await page.socket.send(json.dumps({"type": "pause"}))
        async with asyncio.timeout(5):
            while hub.readers:
                await asyncio.sleep(0.01)
        source.give(film[10:20])
        await page.socket.send(json.dumps({"type": "resume"}))
        async with asyncio.timeout(5):
            while not hub.readers:
                await asyncio.sleep(0.01)
        source.give(film[20:])
        frames = await page.frames(38)
        assert frames[0].key  # number 12: what followed is remembered
        assert frames[0].time_us == pytest.approx(12 * 40_000, abs=12)


@pytest.mark.parametrize("word", ["hello", "[]", '{"type": 3}', "[" * 9000])
async def test_a_viewer_that_says_something_else_is_told(tmp_path: Path, word: str) -> None:
    async with serving(tmp_path / "a", HandFed()) as site, watching(site) as page:
        await page.socket.send(word)
        told = await page.until("end")
        assert "pause" in told["told"]
        with pytest.raises(ConnectionClosed):
            await page.next()
        assert page.socket.close_code == 1003


# how it ends


async def test_a_camera_that_is_removed_or_switched_off(tmp_path: Path) -> None:
    first, second = HandFed("one"), HandFed("two")
    async with serving(tmp_path / "a", first, second) as site:
        async with watching(site, 0) as one, watching(site, 1) as two:
            await two.until("state")
            await first.connected.wait()
            await site.desk.service.change(site.cameras[0], Wanted("cam0", first, mode=Mode.OFF))
            await one.until("state", state="off")
            assert (await one.until("end"))["why"] == "off"
            await site.desk.service.remove(site.cameras[1])
            assert (await two.until("end"))["why"] == "removed"
            with pytest.raises(ConnectionClosed):
                await two.next()
            assert two.socket.close_code == 1000
        async with watching(site, 0) as one:
            assert (await one.until("end"))["why"] == "off"


async def test_the_service_is_stopped(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", HandFed()) as site, watching(site) as page:
        await page.until("state")
        stopping = asyncio.create_task(site.server.stop())
        assert (await page.until("end"))["why"] == "stopped"
        with pytest.raises(ConnectionClosed):
            await page.next()
        assert page.socket.close_code == 1001
        await asyncio.wait_for(stopping, 5)


async def test_who_loses_a_camera_loses_its_pictures_at_once(tmp_path: Path) -> None:
    sources = HandFed("one"), HandFed("two")
    async with serving(tmp_path / "a", *sources) as site:
        await site.user("anna", Role.ADMIN)
        ben = await site.user("ben", Role.VIEWER, [site.cameras[0]])
        cookie = await site.session("ben")
        async with watching(site, 0, cookie=cookie) as page:
            await page.until("state")
            user = site.accounts.users.by_id(ben)
            assert user is not None
            await site.accounts.users.change(replace(user, cameras=frozenset()))
            assert (await page.until("end"))["why"] == "rights"
            with pytest.raises(ConnectionClosed):
                await page.next()
            assert page.socket.close_code == 1008
        for number in (0, 1):
            with pytest.raises(InvalidStatus, match="404"):
                async with watching(site, number, cookie=cookie):
                    pass
        with pytest.raises(InvalidStatus, match="401"):
            async with watching(site, 0):
                pass


async def test_there_are_so_many_viewers_and_no_more(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", HandFed()) as site:
        site.desk.live.viewers.most = 1
        async with watching(site) as page:
            await page.until("state")
            with pytest.raises(InvalidStatus, match="503"):
                async with watching(site):
                    pass
        async with asyncio.timeout(5):
            while len(site.desk.live.viewers):
                await asyncio.sleep(0.01)
        async with watching(site) as page:
            await page.until("state")


# those who do not keep up


async def test_a_viewer_that_falls_behind_skips_to_a_key_frame_and_is_told(
    tmp_path: Path,
) -> None:
    source = HandFed()
    async with serving(tmp_path / "a", source) as site, watching(site) as page:
        await source.connected.wait()
        viewer = next(iter(site.desk.live.viewers))
        params = source.film("h264")[0].params
        assert isinstance(params, VideoParams)
        number = 0
        most = 0
        while viewer.skipped < 100:  # nothing is read at the other end meanwhile
            frame = source.shot(
                params,
                bytes(100_000),
                number * 40_000,
                key=number % 25 == 0,
            )
            source.give([frame])
            most = max(most, viewer.waiting_bytes)
            number += 1
            await asyncio.sleep(0.01)  # 80 Mbit/s
        assert most < 8_000_000
        seen: list[Message] = []
        skips = 0
        while not skips:
            found = await page.next()
            if isinstance(found, Message):
                seen.append(found)
                number += 1
                source.give([source.shot(params, bytes(1000), number * 40_000)])
            elif found["type"] == "skipped":
                skips = found["frames"]
        after = await page.binary(FRAGMENT)
        assert skips > 50
        assert after.key
        assert after.time_us > seen[-1].time_us


async def test_a_viewer_that_never_reads_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers_module, "STALL_S", 0.5)
    monkeypatch.setattr(connections, "CLOSING_S", 0.5)
    source = HandFed()
    async with serving(tmp_path / "a", source) as site, watching(site):
        await source.connected.wait()
        params = source.film("h264")[0].params
        assert isinstance(params, VideoParams)
        async with asyncio.timeout(20):
            number = 0
            while len(site.desk.live.viewers):
                frame = source.shot(params, bytes(1_000_000), number * 40_000)
                source.give([frame])
                number += 1
                await asyncio.sleep(0.02)
            while site.server.connections:
                await asyncio.sleep(0.05)
