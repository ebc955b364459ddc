"""Cameras that go on for as long as somebody watches."""

from __future__ import annotations

from camkeep.cameras.address import parse_address
from camkeep.cameras.source import SourceOptions
from camkeep.engine.schedule import Mode
from camkeep.engine.sources import make_source
from camkeep.engine.wanted import Wanted

_X264 = (
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=12 bitrate=400 "
    "! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1"
)
_TEST = (
    "videotestsrc is-live=true pattern=ball "
    "! video/x-raw,width=320,height=240,framerate=25/1 ! " + _X264
)
_TONE = (
    "audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=1 ! voaacenc ! aacparse "
    "! rtpmp4gpay name=pay1 pt=97"
)
LIVE_H264 = f"( {_TEST} )"
LIVE_H264_AAC = f"( {_TEST}  {_TONE} )"


def camera_at(url: str, name: str = "cam", mode: Mode = Mode.ASKED) -> Wanted:
    """The camera at an address; recorded only when asked."""
    address, _ = parse_address(url)
    return Wanted(name, make_source(address, SourceOptions()), mode=mode)


def card_camera(name: str = "card", fps: int = 25) -> Wanted:
    """The test card, as a camera that sends JPEG."""
    return camera_at(f"testcard:?size=320x240&fps={fps}", name)
