"""Footage whose frames carry their number, to be read off a screen.

The number stands in the top eighth of the picture as 16 fields, black or white, the lowest bit on
the left; below it a bar moves. Frame N of a camera was taken N / RATE seconds after it began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from PIL import Image

from camkeep.archive.beside import camera_json, gap_line
from camkeep.archive.index import Index
from camkeep.archive.layout import CAMERA_FILE, GAPS_FILE, INDEX, RECORDINGS, day_name
from camkeep.archive.root import make_root
from camkeep.clock import SystemClock, WallUs
from camkeep.media.jpeg import jpeg_params
from camkeep.media.mp4 import TimedSample
from camkeep.model import CameraId, Cause, Codec, Gap, KeptCamera, VideoParams
from camkeep.server.camerabook import CameraBook
from camkeep.server.urlpolicy import UrlPolicy
from support.accounts import opened
from support.movies import Stream
from support.segments import SECOND, Camera

RATE = 25
FRAME = SECOND // RATE
GROUP = 25
"""Frames from one key frame to the next."""
BITS = 16
WIDTH, HEIGHT = 320, 192

READ = """(names) => names.map((name) => {
  const tile = [...document.querySelectorAll("camkeep-tile")]
    .find((each) => each.querySelector("h2").textContent === name);
  const source = ["canvas", "video"].map((tag) => tile?.querySelector(`camkeep-then > ${tag}`))
    .findLast((each) => each && getComputedStyle(each).visibility === "visible");
  if (!source) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [16, 1];
  const context = canvas.getContext("2d");
  const [width, height] = [source.videoWidth ?? source.width, source.videoHeight ?? source.height];
  context.drawImage(source, 0, 0, width, height / 8, 0, 0, 16, 1);
  const { data } = context.getImageData(0, 0, 16, 1);
  let number = 0;
  for (let bit = 0; bit < 16; bit++) number |= (data[4 * bit] > 127 ? 1 : 0) << bit;
  return number;
})"""
"""The numbers that are on the screen of cameras of those names; null where there is no picture."""


@dataclass(frozen=True)
class Numbered:
    """A camera that is to be in an archive."""

    name: str
    id: CameraId
    codec: str = "h264"
    """h264, h264-b (frames are reordered) or jpeg."""
    seconds: int = 60
    holes: Sequence[tuple[int, int]] = field(default=())
    """When it was not recorded: from which second to which, whole segments."""
    segment: int = 10


def picture(number: int) -> np.ndarray:
    """One frame: height x width x 3, RGB."""
    image = np.full((HEIGHT, WIDTH), 90, np.uint8)
    place = number * 4 % (WIDTH - 32)
    image[:, place : place + 32] = 180
    for bit in range(BITS):
        width = WIDTH // BITS
        light = 235 if number >> bit & 1 else 16
        image[: HEIGHT // 8, bit * width : (bit + 1) * width] = light
    return np.repeat(image[:, :, None], 3, axis=2)


@cache
def film(codec: str, frames: int) -> Stream:
    """Frames from number 0 on, in decoding order."""
    return _jpegs(frames) if codec == "jpeg" else _video(codec, frames)


def _jpegs(frames: int) -> Stream:
    params = jpeg_params(WIDTH, HEIGHT)
    samples = []
    for number in range(frames):
        file = BytesIO()
        Image.fromarray(picture(number)).save(file, "JPEG", quality=80)
        samples.append(TimedSample(params, file.getvalue(), number * FRAME, True))
    return Stream(params, samples)


def _video(codec: str, frames: int) -> Stream:
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", RATE)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, 90_000)
        tuned = {"bf": "2"} if codec == "h264-b" else {"tune": "zerolatency"}
        stream.options = {"preset": "ultrafast", "g": str(GROUP), "sc_threshold": "0", **tuned}
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    file.seek(0)
    with av.open(file) as container:
        source = container.streams.video[0]
        config = bytes(source.codec_context.extradata or b"")
        params = VideoParams(
            Codec.H264,
            WIDTH,
            HEIGHT,
            90_000,
            f"avc1.{config[1:4].hex().upper()}",
            config,
            reorder=2 if codec == "h264-b" else 0,
        )
        return Stream(
            params,
            [
                TimedSample(
                    params,
                    bytes(packet),
                    round((packet.pts or 0) * source.time_base * RATE) * FRAME,
                    packet.is_keyframe,
                )
                for packet in container.demux(source)
                if packet.size
            ],
        )


def fill(folder: Path, begin: WallUs, *cameras: Numbered) -> None:
    """A new archive with footage of those cameras from `begin` on. They are set up, and off."""
    make_root(folder, new=True)
    with Index.open(folder / INDEX) as index:
        for numbered in cameras:
            _record(folder, index, begin, numbered)
    database = opened(folder)
    try:
        book = CameraBook(database, SystemClock(), UrlPolicy(loopback=True)).now
        for numbered in cameras:
            values = {"name": numbered.name, "address": "testcard:", "mode": "off"}
            book.add(values, numbered.id)
    finally:
        database.close()


def _record(folder: Path, index: Index, begin: WallUs, numbered: Numbered) -> None:
    home = numbered.name.lower()
    kept = KeptCamera(numbered.id, numbered.name, home, "testcard:", begin)
    base = folder / RECORDINGS / home
    base.mkdir(parents=True)
    (base / CAMERA_FILE).write_bytes(camera_json(kept))
    index.save_camera(kept)
    whole = film(numbered.codec, numbered.seconds * RATE)
    camera = Camera(folder, begin, folder=home, id=numbered.id)
    length = numbered.segment * SECOND
    gaps = []
    for first in range(0, numbered.seconds, numbered.segment):
        if any(start <= first < end for start, end in numbered.holes):
            gap = Gap(camera.now, WallUs(camera.now + length), Cause.STALLED, "it stalled")
            gaps.append(gap)
            camera.wait(length)
            continue
        begins = first * SECOND
        samples = [
            each._replace(time_us=each.time_us - begins)
            for each in whole.samples
            if begins <= each.time_us < begins + length
        ]
        camera.record(Stream(whole.params, samples), length_us=length)
    index.save_segments(camera.segments)
    index.save_gaps(numbered.id, gaps)
    for gap in gaps:
        there = base / day_name(gap.start)
        there.mkdir(exist_ok=True)
        with (there / GAPS_FILE).open("ab") as file:
            file.write(gap_line(gap))
