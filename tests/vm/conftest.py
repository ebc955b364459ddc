"""Inside the virtual machine: drivers to load, and pictures to send. See tools/webcam-vm."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from drivers import load, unload

CLIPS = Path(os.environ.get("WEBCAM_VM_OUT", "."), "clips")


@pytest.fixture(scope="session")
def pictures() -> list[bytes]:
    """JPEGs of 640x480, each another."""
    return [path.read_bytes() for path in sorted((CLIPS / "mjpg").iterdir())]


@pytest.fixture(scope="session")
def units() -> list[bytes]:
    """H.264 access units as byte streams, a key frame every 10."""
    return [path.read_bytes() for path in sorted((CLIPS / "h264").iterdir())]


@pytest.fixture
def vivid() -> Iterator[str]:
    """A virtual camera with raw formats and every kind of control."""
    load("vivid", "n_devs=1", "node_types=0x1", "vid_cap_nr=40", "no_error_inj=0")
    yield "/dev/video40"
    unload("vivid")


@pytest.fixture
def loopback() -> Iterator[str]:
    """A camera whose pictures a program writes."""
    load("v4l2loopback", "devices=1", "video_nr=50", "card_label=Loopback", "max_buffers=8")
    yield "/dev/video50"
    unload("v4l2loopback")
