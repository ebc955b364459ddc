"""MJPEG streams: pictures are whole, and the same whatever pieces the stream comes in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from camkeep.cameras.multipart import MultipartParser
from camkeep.cameras.trouble import Trouble
from camkeep.clock import MonoNs, WallUs
from fuzz import checks, samples
from fuzz.reading import chunked, chunks, long

_BOUNDARIES = (None, "b", "--b--", '"ipcamera"')


def one_input(data: bytes) -> None:
    boundary = _BOUNDARIES[(data[:1] or b"\0")[0] % len(_BOUNDARIES)]
    pieces = chunks(data[1:])
    pictures, trouble = _parse(boundary, pieces)
    whole = sum(map(len, pieces))
    assert sum(map(len, pictures)) <= whole
    assert sum(trouble.values()) <= 4 * whole
    if len(pieces) > 1:
        assert _parse(boundary, [b"".join(pieces)])[0] == pictures


def _parse(boundary: str | None, pieces: list[bytes]) -> tuple[list[bytes], Counter[Trouble]]:
    pictures: list[bytes] = []
    trouble: Counter[Trouble] = Counter()
    arrivals: list[int] = []

    def on_picture(data: bytes, width: int, height: int, at: MonoNs, wall: WallUs) -> None:
        checks.picture(data)
        assert width > 0
        assert height > 0
        assert int(at) == int(wall)
        pictures.append(data)
        arrivals.append(at)

    parser = MultipartParser(boundary, on_picture, trouble)
    for number, piece in enumerate(pieces):
        parser.feed(memoryview(piece), MonoNs(number), WallUs(number))
    parser.finish()
    assert parser.pictures == len(pictures)
    assert arrivals == sorted(arrivals)
    return pictures, trouble


def seeds() -> Iterable[bytes]:
    small, other = samples.jpeg(16, 16, quality=5), samples.jpeg(8, 8, quality=5)
    for name, mark in enumerate((b"--b", b"--b", b"----b--", b"--ipcamera")):
        part = b"\r\n%b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b"
        good = b"".join(part % (mark, len(p), p) for p in (small, other, small))
        yield bytes([name]) + chunked(good, 3, 700, 1500)
        yield bytes([name]) + chunked(good.replace(b"\r\n", b"\n"))
    for body in (
        small + other + small,
        b"--b\r\n\r\n" + small + b"\r\n--b\r\n--b\r\n\r\n" + other + small,
        b"--b\nContent-Length: 99\n\njunk" + small + b"junk\n--b\n\n" + small[:200] + other,
        b"--b\nContent-Length: 0\n\n\n--b\n" + small[:-2] + b"\0\0\0" + small[-2:],
    ):
        yield b"\1" + chunked(body, 50, 400)
    for unit in (
        b"x\n--b\r\n\r\n",
        b"\xff\xd8",
        b"\xff\xd8\xff\xfe\0\2",
        b"--b\r\na:b\r\n",
        b"--b ",
    ):
        yield b"\1" + long(b"", unit, b"--b\r\n\r\n" + other)
