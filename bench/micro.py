"""What each part of the hot path costs, in µs a frame, on one core without any I/O but files.

    python bench/micro.py [PART...]

The parts are those that a frame goes through: bytes of a connection to samples, samples to
movie. What is missing to the figures of rtsp.py and jpeg.py is the system's: sockets, wake-ups,
writes. The best of several rounds counts, so that other work on the machine does not.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import clips

from camkeep.cameras.multipart import MultipartParser
from camkeep.cameras.rtsp.depacketize_nal import H264Packets
from camkeep.cameras.rtsp.framing import Deframer
from camkeep.cameras.rtsp.track import Outlet
from camkeep.cameras.rtsp.video_track import VideoTrack
from camkeep.cameras.source import Notes
from camkeep.clock import FakeClock, SystemClock, WallUs
from camkeep.engine.plan import Plan
from camkeep.engine.recorder import SETTLE_S, Recorder
from camkeep.media.h264 import H264Stream
from camkeep.media.mp4 import Identity, Muxer, TimedSample
from camkeep.media.nal import split_annexb
from camkeep.model import Sample

ROUNDS = 7
MTU = 1400
FRAGMENT = 12
"""Frames of a fragment: 0.4 s at 30 frames a second."""


def best(work: Callable[[], None], frames: int) -> float:
    """µs a frame of `work`, which handles `frames`."""
    took = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        work()
        took.append(time.process_time_ns() - began)
    return min(took) / 1000 / frames


def access_units() -> list[list[bytes]]:
    """The NAL units of each access unit of the clip, without delimiters."""
    units = clips.h264_clip().read_bytes().split(b"\0\0\0\1\x09")[1:]
    return [split_annexb(unit) for unit in units]


def interleaved(units: Iterable[list[bytes]]) -> list[memoryview]:
    """Each access unit as RTSP carries it (RFC 2326 §10.12, RFC 6184 §5.8), in a chunk of its
    own, as the system mostly hands them out."""
    chunks: list[memoryview] = []
    number = stamp = 0
    for nals in units:
        payloads = [part for nal in nals for part in _fragments(nal)]
        packets = []
        for payload in payloads:
            marker = 0x80 if payload is payloads[-1] else 0
            head = struct.pack(">BBHII", 0x80, marker | 96, number, stamp & 0xFFFFFFFF, 1)
            packets.append(struct.pack(">cBH", b"$", 0, len(payload) + 12) + head + payload)
            number = (number + 1) & 0xFFFF
        chunks.append(memoryview(b"".join(packets)))
        stamp += 3000
    return chunks


def _fragments(nal: bytes) -> list[bytes]:
    most = MTU - 14
    if len(nal) <= most:
        return [nal]
    parts = [nal[at : at + most] for at in range(1, len(nal), most)]
    flags = [0x80, *[0] * (len(parts) - 2), 0x40]
    return [
        bytes((nal[0] & 0xE0 | 28, flag | nal[0] & 0x1F)) + part
        for flag, part in zip(flags, parts, strict=True)
    ]


def deframing() -> float:
    """RTSP: chunks of a connection to packets that nobody takes."""
    chunks = interleaved(access_units())

    def work() -> None:
        deframer = Deframer(lambda _: None, lambda: None, lambda: None)
        deframer.receivers[0] = lambda data, start, stop: None
        deframer.runs[0] = lambda data, start, stop, stride, count: None
        for chunk in chunks:
            deframer.feed(chunk)

    return best(work, len(chunks))


def rtsp() -> float:
    """RTSP: chunks of a connection to samples, packets and access units and times."""
    units = access_units()
    chunks = interleaved(units)
    made: list[Sample] = []

    def work() -> None:
        made.clear()
        clock = FakeClock()
        moment = _Moment(clock)
        out = Outlet(made.append, Notes(), lambda: None)
        track = VideoTrack(H264Packets(H264Stream(90_000)), 96, 90_000, moment, out)
        deframer = Deframer(lambda _: None, lambda: None, lambda: None)
        deframer.receivers[0] = track.receive
        deframer.runs[0] = track.receive_run
        for chunk in chunks:
            clock.advance(1 / 60)
            moment.arrival, moment.arrival_wall = clock.mono(), clock.wall()
            deframer.feed(chunk)

    cost = best(work, len(units))
    assert len(made) == len(units), "frames are missing"
    return cost


def multipart() -> float:
    """JPEG over HTTP: chunks of a connection to pictures."""
    pictures = clips.pictures()
    head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n"
    chunks = [memoryview(head % (len(picture), picture)) for picture in pictures]
    count = 0

    def take(*_: object) -> None:
        nonlocal count
        count += 1

    def work() -> None:
        parser, clock = MultipartParser("frame", take, Notes().trouble), FakeClock()
        for chunk in chunks:
            parser.feed(chunk, clock.mono(), clock.wall())

    cost = best(work, len(pictures))
    assert count >= ROUNDS * (len(pictures) - 1), "pictures are missing"
    return cost


def muxing() -> float:
    """Muxer.fragment, 12 frames at a time."""
    samples = recorded()
    video = samples[0].params

    def work() -> None:
        muxer = Muxer(video, None, Identity("bench", 0, 1, WallUs(0)))
        for at in range(0, len(samples), FRAGMENT):
            muxer.fragment(
                [
                    TimedSample(video, sample.data, number * 33_333, sample.key)
                    for number, sample in enumerate(samples[at : at + FRAGMENT], at)
                ]
            )

    return best(work, len(samples))


def gathering() -> float:
    """The recorder's sink: places frames in the movie's time; nothing is written meanwhile."""
    samples = recorded()

    async def record(folder: Path) -> int:
        recorder = Recorder(Plan(folder / "a.mp4"), Notes(), "bench", SystemClock())
        recorder.session_began()
        recorder(samples[0])
        await asyncio.sleep(SETTLE_S + 0.1)  # the first samples of a session are held back
        began = time.thread_time_ns()
        for sample in samples[1:201]:  # fewer bytes than a fragment has
            recorder(sample)
        took = time.thread_time_ns() - began
        await recorder.close()
        return took

    took = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            took.append(asyncio.run(record(Path(folder))))
    return min(took) / 1000 / 200


class _Moment:
    """When the chunk that is being fed arrived."""

    def __init__(self, clock: FakeClock) -> None:
        self.arrival, self.arrival_wall = clock.mono(), clock.wall()


def recorded() -> list[Sample]:
    """The clip as samples."""
    stream = H264Stream(90_000)
    samples = []
    for number, nals in enumerate(access_units()):
        unit = stream.assemble(nals)
        assert unit is not None
        when = FakeClock()
        when.advance(number / 30)
        samples.append(
            Sample(unit.params, unit.data, number * 3000, when.mono(), when.wall(), unit.key, 0)
        )
    return samples


PARTS = {part.__name__: part for part in (deframing, rtsp, multipart, muxing, gathering)}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        print(f"{name:10} {PARTS[name]():6.1f} µs a frame   {PARTS[name].__doc__}")
