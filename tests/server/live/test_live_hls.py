"""Low-latency HLS: what the playlists say, and players that we did not write."""

from __future__ import annotations

import asyncio
import re
import subprocess
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from camkeep.media.mp4 import read_movie
from camkeep.model import AudioParams
from camkeep.server.access import Role
from camkeep.server.live import hls as hls_module
from camkeep.server.live import hlsstream, packagers
from camkeep.server.live.hlsstream import HlsStream
from support.gst import gst_server
from support.handfed import HandFed
from support.live import WALL, Bytes, samples
from support.livecams import LIVE_H264, LIVE_H264_AAC, camera_at, card_camera
from support.movies import stream
from support.server import Site, serving


class Playlist:
    """A media playlist, parsed and held against RFC 8216bis."""

    def __init__(self, text: str) -> None:
        self.text = text
        lines = text.splitlines()
        assert lines[0] == "#EXTM3U"
        assert text.endswith("\n")
        tags = [line[1:].partition(":")[::2] for line in lines if line.startswith("#")]
        self.one = dict(tags)
        for name in ("EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE"):
            assert [tag for tag, _ in tags].count(name) == 1
        assert int(self.one["EXT-X-VERSION"]) >= 6
        self.sequence = int(self.one["EXT-X-MEDIA-SEQUENCE"])
        self.target = int(self.one["EXT-X-TARGETDURATION"])
        self.part_target = float(attributes(self.one["EXT-X-PART-INF"])["PART-TARGET"])
        control = attributes(self.one["EXT-X-SERVER-CONTROL"])
        assert control["CAN-BLOCK-RELOAD"] == "YES"
        assert float(control["PART-HOLD-BACK"]) >= 2 * self.part_target
        self.segments: list[tuple[str, float]] = []
        self.parts: list[dict[str, str]] = []
        self.dates: list[datetime] = []
        self.breaks = 0
        parts_s, duration = 0.0, None
        mapped = False
        for line in lines:
            name, _, value = line[1:].partition(":")
            if name == "EXT-X-MAP":
                mapped = True
            elif name == "EXT-X-PROGRAM-DATE-TIME":
                self.dates.append(datetime.fromisoformat(value))
            elif name == "EXT-X-DISCONTINUITY":
                self.breaks += 1
            elif name == "EXT-X-PART":
                assert mapped
                found = attributes(value)
                assert float(found["DURATION"]) <= self.part_target + 1e-4
                parts_s += float(found["DURATION"])
                self.parts.append(found)
            elif name == "EXTINF":
                duration = float(value.rstrip(","))
                assert round(duration) <= self.target
                assert parts_s == 0 or parts_s == pytest.approx(duration, abs=1e-3)
                parts_s = 0
            elif not line.startswith("#"):
                assert duration is not None
                assert mapped
                self.segments.append((line, duration))
                duration = None
        self.hint = (
            attributes(self.one["EXT-X-PRELOAD-HINT"])["URI"]
            if ("EXT-X-PRELOAD-HINT" in self.one)
            else None
        )

    @property
    def maps(self) -> list[str]:
        return re.findall(r'#EXT-X-MAP:URI="(.*?)"', self.text)

    @property
    def next(self) -> tuple[int, int]:
        """Of the part that is hinted at."""
        assert self.hint is not None
        found = re.search(r"part(\d+)\.(\d+)\.m4s", self.hint)
        assert found is not None
        return int(found[1]), int(found[2])


def attributes(text: str) -> dict[str, str]:
    return {
        name: value.strip('"') for name, value in re.findall(r'([A-Z-]+)=("[^"]*"|[^,]+)', text)
    }


def fed(*names: str, seconds: int = 10) -> HlsStream:
    """A stream that was played again and again."""
    announced = stream(names[1]).params if len(names) > 1 else None
    assert announced is None or isinstance(announced, AudioParams)
    hls = HlsStream("garage", 100, announced)
    for turn in range(seconds // 2):
        for sample in samples(*names, shift_us=turn * 2_000_000):
            hls.add(sample)
    return hls


@pytest.mark.parametrize("names", [("h264",), ("h264-b",), ("h265-b",), ("h264", "aac")])
def test_a_playlist_is_by_the_rules_and_its_pieces_play(names: tuple[str, ...]) -> None:
    hls = fed(*names)
    playlist = Playlist(hls.playlist("x/"))
    assert playlist.sequence == 100
    assert len(playlist.segments) >= 4
    assert playlist.dates[0].timestamp() == pytest.approx(WALL / 1e6, abs=0.001)
    assert playlist.maps == ["x/init0.mp4"]
    data = hls.maps[0]
    for segment in hls.segments:
        assert segment.parts[0].independent
        data += b"".join(part.data for part in segment.parts)
    movie = read_movie(Bytes(data))
    assert movie.valid_end == len(data)
    assert movie.video is not None
    frames = list(movie.video.samples)
    assert len(frames) > 230
    assert all(a.dts + a.duration == b.dts for a, b in pairwise(frames))
    if len(names) > 1:
        assert movie.audio is not None
        assert len(movie.audio.samples) > 400


@pytest.mark.parametrize("rate", [1, 3, 10, 60])
def test_other_frame_rates(rate: int) -> None:
    hls = HlsStream("garage", 0, None)
    film = samples("h264")
    for number in range(20 * rate):
        at = film[number % 50]
        hls.add(at._replace(wall=WALL + number * 1_000_000 // rate, arrival=number))  # type: ignore[arg-type]
        if hls.segments and hls.segments[-1].parts:
            Playlist(hls.playlist(""))
    assert len(hls.segments) >= 5


def test_a_long_group_of_pictures_does_not_make_long_segments() -> None:
    hls = HlsStream("garage", 0, None)
    first, other = samples("h264")[:2]
    hls.add(first)
    for number in range(1, 500):
        hls.add(other._replace(wall=WALL + number * 40_000))  # type: ignore[arg-type]
    playlist = Playlist(hls.playlist(""))
    assert all(duration <= 4.01 for _, duration in playlist.segments)
    assert [part for part in playlist.parts if "INDEPENDENT" in part] == []


def test_gaps_and_other_params_are_discontinuities() -> None:
    hls = fed("h264", seconds=4)
    for sample in samples("h264", run=1, shift_us=60_000_000):
        hls.add(sample)
    for sample in samples("h264-large", run=2, shift_us=62_000_000):
        hls.add(sample)
    playlist = Playlist(hls.playlist(""))
    assert playlist.breaks == 2
    assert len(playlist.maps) == 2
    assert playlist.one["EXT-X-DISCONTINUITY-SEQUENCE"] == "0"
    for turn in range(1, 12):
        for sample in samples("h264-large", run=2, shift_us=62_000_000 + turn * 2_000_000):
            hls.add(sample)
    playlist = Playlist(hls.playlist(""))
    assert playlist.one["EXT-X-DISCONTINUITY-SEQUENCE"] == "2"
    assert playlist.breaks == 0
    assert list(hls.maps) == [1]


def test_what_is_kept_is_bounded() -> None:
    hls = HlsStream("garage", 0, None)
    film = samples("h264")
    most = 0
    for number in range(2000):
        large = film[number % 50]._replace(
            wall=WALL + number * 40_000,  # type: ignore[arg-type]
            data=bytes(300_000),
        )
        hls.add(large)
        most = max(most, sum(segment.size for segment in hls.segments) + hls._bytes)
    assert most <= hlsstream.BYTES
    assert len(fed("h264", seconds=60).segments) <= hlsstream.SEGMENTS + 1


# over the network


def address(site: Site, what: str = "live.m3u8") -> str:
    return f"{site.url}/api/v1/cameras/{site.cameras[0]}/{what}"


async def fetched(
    site: Site, source: HandFed, asked: str = "", after_us: int = 0
) -> httpx.Response:
    """What a playlist's address gives when the camera then sends two seconds."""
    hub = site.desk.service.cameras[site.cameras[0]].main.hub
    await asyncio.wait_for(source.connected.wait(), 5)
    getting = asyncio.create_task(site.client.get(f"{address(site)}?{asked}"))
    while not hub.readers and not getting.done():
        await asyncio.sleep(0.01)
    source.give(source.film("h264", after_us=after_us))
    return await getting


def play(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["ffmpeg", "-v", "warning", "-nostdin", *arguments, "-i", url]
    command += ["-t", "4", "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


async def test_ffmpeg_plays_it(tmp_path: Path) -> None:
    with gst_server({"/live": LIVE_H264_AAC}) as gst:
        async with serving(tmp_path / "a", wanted=[camera_at(gst.url())]) as site:
            await site.user("anna", Role.ADMIN)
            url = f"{address(site)}?token={await site.token('anna')}"
            done = await asyncio.to_thread(play, url)
            assert done.returncode == 0
            # its playlist reader reads the same initialization segment again with each reload
            known = ("Found duplicated MOOV Atom", "Last message repeated")
            told = [line for line in done.stderr.splitlines() if not any(k in line for k in known)]
            assert told == []
            command = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name"]
            probed = await asyncio.to_thread(
                subprocess.run,
                [*command, "-of", "csv=p=0", url],
                capture_output=True,
                text=True,
                check=True,
            )
            assert set(probed.stdout.split()) == {"h264", "aac"}


async def test_what_is_next_is_waited_for(tmp_path: Path) -> None:
    with gst_server({"/live": LIVE_H264}) as gst:
        async with serving(tmp_path / "a", wanted=[camera_at(gst.url())]) as site:
            response = await site.client.get(address(site))
            assert response.headers["content-type"] == hls_module.PLAYLIST
            assert response.headers["cache-control"] == "no-store"
            playlist = Playlist(response.text)
            for _ in range(6):
                number, part = playlist.next
                assert playlist.hint is not None
                asked = {"_HLS_msn": number, "_HLS_part": part}
                reloaded, hinted = await asyncio.gather(
                    site.client.get(address(site), params=asked),
                    site.client.get(address(site, playlist.hint)),
                )
                assert hinted.status_code == 200
                assert hinted.content[4:8] == b"moof"
                playlist = Playlist(reloaded.text)
                assert playlist.next > (number, part)
            whole = await site.client.get(address(site), params={"_HLS_msn": playlist.next[0]})
            assert Playlist(whole.text).next[0] > playlist.next[0]
            init = await site.client.get(address(site, playlist.maps[0]))
            uri = Playlist(whole.text).segments[-1][0]
            segment = await site.client.get(address(site, uri))
            data = init.content + segment.content
            assert read_movie(Bytes(data)).valid_end == len(data)


@pytest.mark.parametrize(
    ("asked", "status"),
    [("_HLS_part=1", 400), ("_HLS_msn=99999999999", 400), ("_HLS_msn=-1", 422)],
)
async def test_what_makes_no_sense(tmp_path: Path, asked: str, status: int) -> None:
    source = HandFed()
    async with serving(tmp_path / "a", source) as site:
        assert (await fetched(site, source, asked)).status_code == status
        for name in ("init9.mp4", "seg1.m4s", "part1.1.m4s", "..%2fx", "x" * 300):
            response = await site.client.get(address(site, f"hls/main/{name}"))
            assert response.status_code == 404


async def test_a_stream_that_stalls_holds_nobody_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hls_module, "WAIT_S", 0.3)
    source = HandFed()
    async with serving(tmp_path / "a", source) as site:
        playlist = Playlist((await fetched(site, source)).text)
        number, part = playlist.next
        asked = {"_HLS_msn": number, "_HLS_part": part}
        response = await site.client.get(address(site), params=asked)
        assert response.status_code == 503
        assert "retry-after" in response.headers


async def test_a_camera_that_sends_jpeg_has_none(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", wanted=[card_camera()]) as site:
        response: httpx.Response = await site.client.get(address(site))
        assert response.status_code == 409
        assert "live.mjpeg" in response.json()["detail"]


async def test_it_ends_when_nobody_asks_and_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packagers, "IDLE_S", 0.4)
    source = HandFed()
    async with serving(tmp_path / "a", source) as site:
        before = Playlist((await fetched(site, source)).text)
        hub = site.desk.service.cameras[site.cameras[0]].main.hub
        assert len(site.desk.live.packagers) == hub.readers == 1
        async with asyncio.timeout(5):
            while len(site.desk.live.packagers) or hub.readers:
                await asyncio.sleep(0.02)
        again = Playlist((await fetched(site, source, after_us=2_000_000)).text)
        assert again.sequence >= before.sequence
