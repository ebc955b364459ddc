"""RTSP against GStreamer's server: a peer that shares no line with us."""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from camkeep.cameras.address import Credentials, parse_address
from camkeep.cameras.rtsp import RtspSource
from camkeep.cameras.rtsp.session import Session as RtspSession
from camkeep.cameras.rtsp.udp import UdpPair
from camkeep.cameras.source import Notes, SourceOptions, Trust
from camkeep.errors import (
    CameraError,
    LoginRefused,
    NotFound,
    NotTrusted,
    Stalled,
    StreamBroken,
)
from camkeep.model import Codec, Sample
from support.clips import clip, packets, slices
from support.gst import GstServer, gst_server, play
from support.proxy import proxy

G711 = (
    "( videotestsrc num-buffers=40 is-live=true ! video/x-raw,width=160,height=120,framerate=25/1"
    " ! x264enc tune=zerolatency key-int-max=10 ! rtph264pay name=pay0"
    "  audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc"
    " ! rtppcmapay name=pay1 pt=8 )"
)


@pytest.fixture(scope="module")
def server() -> Iterator[GstServer]:
    mounts = {
        "/h264": play("h264", "h264"),
        "/h264-b": play("h264-b", "h264"),
        "/h265-b": play("h265-b", "h265"),
        "/jpeg": play("jpeg", "jpeg"),
        "/h264-aac": play("h264-aac", "h264", "aac"),
        "/h264-opus": play("h264-opus", "h264", "opus"),
        "/g711": G711,
    }
    with gst_server(mounts) as running:
        yield running


class Session:
    """What one session gave."""

    def __init__(self) -> None:
        self.video: list[Sample] = []
        self.audio: list[Sample] = []
        self.notes = Notes()
        self.error: CameraError | None = None

    def sink(self, sample: Sample) -> None:
        (self.video if sample.is_video else self.audio).append(sample)


async def watch(url: str, **options: Any) -> Session:
    """Run one session to its end."""
    address, _ = parse_address(url)
    session = Session()
    try:
        source = RtspSource(address, SourceOptions(**{"stall_s": 5.0, **options}))
        await source.run(session.sink, session.notes)
    except CameraError as error:
        session.error = error
    return session


async def watch_both(url: str) -> list[tuple[str, Session]]:
    """The same over TCP and over UDP."""
    transports = ("tcp", "udp")
    sessions = await asyncio.gather(*(watch(url, transport=over) for over in transports))
    return list(zip(transports, sessions, strict=True))


@pytest.mark.parametrize("name", ["h264", "h264-b", "h265-b", "h264-aac", "h264-opus"])
async def test_every_frame_of_a_clip(server: GstServer, name: str) -> None:
    """Byte for byte, in order, and at its time."""
    for transport, session in await watch_both(server.url(f"/{name}")):
        check_clip(session, name, transport)


def check_clip(session: Session, name: str, transport: str) -> None:
    h265 = name.startswith("h265")
    truth = packets(clip(name))
    sent = [slices(packet.data, h265=h265) for packet in truth]
    assert [slices(sample.data, h265=h265) for sample in session.video] == sent
    assert [sample.key for sample in session.video] == [packet.key for packet in truth]
    first = session.video[0].ticks
    times = [(sample.ticks - first) / 90_000 for sample in session.video]
    assert times == pytest.approx([packet.pts - truth[0].pts for packet in truth], abs=1e-3)
    assert {sample.run for sample in session.video} == {0}
    assert isinstance(session.error, StreamBroken)
    assert not session.notes.trouble
    assert session.notes.promised_fps == pytest.approx(25)
    assert session.notes.clock_offset_s == pytest.approx(0, abs=5)
    assert session.notes.transport == f"RTSP over {transport.upper()}"


@pytest.mark.parametrize(("name", "codec"), [("h264-aac", Codec.AAC), ("h264-opus", Codec.OPUS)])
async def test_sound_beside_the_picture(server: GstServer, name: str, codec: Codec) -> None:
    session = await watch(server.url(f"/{name}"))
    truth = [packet.data for packet in packets(clip(name), "audio")]
    got = [sample.data for sample in session.audio]
    start = truth.index(got[0])
    assert len(got) > 80
    assert got == truth[start : start + len(got)]
    assert session.notes.audio is session.audio[0].params
    assert session.notes.audio is not None
    assert session.notes.audio.codec is codec
    walls = [sample.wall for sample in session.audio]
    assert walls == sorted(walls)


async def test_sound_that_is_not_wanted(server: GstServer) -> None:
    session = await watch(server.url("/h264-aac"), audio=False)
    assert (len(session.video), session.audio, session.notes.audio) == (50, [], None)


async def test_g711_and_a_live_encoder(server: GstServer) -> None:
    session = await watch(server.url("/g711"))
    assert len(session.video) > 30  # the encoder has begun before the server lets anything out
    steps = [b.ticks - a.ticks for a, b in pairwise(session.video)]
    assert steps == pytest.approx([3600] * len(steps), abs=100)
    assert session.audio[0].params.codec is Codec.PCMA
    assert sum(len(sample.data) for sample in session.audio) > 8000
    assert not session.notes.trouble


async def test_jpeg(server: GstServer) -> None:
    """The headers are made anew, the picture is the same."""
    truth = packets(clip("jpeg"))
    for _, session in await watch_both(server.url("/jpeg")):
        assert len(session.video) == len(truth)
        for sample, packet in list(zip(session.video, truth, strict=True))[::10]:
            got, sent = Image.open(io.BytesIO(sample.data)), Image.open(io.BytesIO(packet.data))
            assert ImageChops.difference(got.convert("RGB"), sent.convert("RGB")).getbbox() is None


async def test_snapshot(server: GstServer) -> None:
    source = RtspSource(parse_address(server.url("/jpeg"))[0], SourceOptions())
    picture = await source.snapshot(Notes())
    assert Image.open(io.BytesIO(picture)).size == (320, 240)


async def test_no_such_path(server: GstServer) -> None:
    assert isinstance((await watch(server.url("/none"))).error, NotFound)


@pytest.mark.parametrize("scheme", ["basic", "digest"])
async def test_login(scheme: str) -> None:
    with gst_server({"/": play("h264", "h264")}, login=(scheme, "admin", "s3cret")) as running:
        good = await watch(running.url("/"), credentials=Credentials("admin", "s3cret"))
        bad = await watch(running.url("/"), credentials=Credentials("admin", "wrong"))
    assert len(good.video) == 50
    assert (good.notes.login or "").lower().startswith(scheme)
    assert isinstance(bad.error, LoginRefused)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=camera -keyout"
    subprocess.run([*command.split(), path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


async def test_tls(certificate: Path) -> None:
    with gst_server({"/": play("h264", "h264")}, certificate=certificate) as running:
        url = running.url("/", "rtsps")
        assert isinstance((await watch(url)).error, NotTrusted)
        session = await watch(url, trust=Trust(ca_file=f"{certificate}.crt"))
    assert len(session.video) == 50
    assert session.notes.transport == "RTSP over TLS"


async def test_a_stall_in_the_middle_is_noticed_and_the_server_is_free_again(
    server: GstServer,
) -> None:
    async with proxy(server.port) as between:
        url = f"rtsp://127.0.0.1:{between.port}/h264"
        first = asyncio.Event()
        source = RtspSource(parse_address(url)[0], SourceOptions(stall_s=1.0))
        task = asyncio.create_task(source.run(lambda sample: first.set(), Notes()))
        await first.wait()
        between.stall()
        with pytest.raises(Stalled):
            await task
        between.resume()
        assert len((await watch(url)).video) == 50


async def test_cancelled_at_any_moment_it_leaves_nothing_open(server: GstServer) -> None:
    for delay_s in (0.0, 0.005, 0.02, 0.1, 0.4):
        source = RtspSource(parse_address(server.url("/h264"))[0], SourceOptions(transport="udp"))
        task = asyncio.create_task(source.run(lambda sample: None, Notes()))
        with suppress(TimeoutError):
            await asyncio.wait_for(task, delay_s)
    assert asyncio.all_tasks() == {asyncio.current_task()}


LIVE = (
    "( videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=25/1"
    " ! x264enc tune=zerolatency key-int-max=10 ! rtph264pay name=pay0 )"
)


async def test_a_server_is_kept_from_ending_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of its timeouts long, and not without the keep-alive. Over TCP this server goes by
    the connection, and over UDP by receiver reports, too: so without these."""

    async def silent(self: RtspSession) -> None:
        await asyncio.Event().wait()

    async def lasts(url: str) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(13):
                await watch(url, transport="udp", stall_s=2)
                return False
        return True

    monkeypatch.setattr(UdpPair, "_report", lambda self: None)
    with gst_server({"/live": LIVE}, session_timeout_s=3) as server:
        kept = asyncio.create_task(lasts(server.url()))
        await asyncio.sleep(1)
        monkeypatch.setattr(RtspSession, "keep_alive", silent)
        assert await asyncio.gather(kept, lasts(server.url())) == [True, False]
