"""The small files of an archive: values that can be written again, or a ValueError."""

from __future__ import annotations

from collections.abc import Iterable

from camkeep.archive.beside import (
    FOREVER,
    camera_json,
    clip_json,
    gap_line,
    read_camera,
    read_clip,
    read_gaps,
    read_removals,
    removals_json,
)
from camkeep.clock import WallUs
from camkeep.model import CameraId, Cause, Clip, Gap, KeptCamera, Removal

_CAMERA = CameraId("abcdefghijkm")
_START, _END = WallUs(1_795_249_847_123_457), WallUs(1_795_249_847_123_458)


def one_input(data: bytes) -> None:
    """The first byte says which file it is."""
    data, kind = data[1:], data[:1]
    gaps, bad = read_gaps(data)
    assert 0 <= bad <= data.count(b"\n")
    for gap in gaps:
        assert gap.start <= gap.end <= FOREVER
        assert gap.lasting == (gap.end == FOREVER)
    assert read_gaps(b"".join(map(gap_line, gaps))) == (gaps, 0)
    try:
        if kind == b"c":
            camera = read_camera(data, "garage")
            assert read_camera(camera_json(camera), "garage") == camera
            assert camera.name.isprintable()
        elif kind == b"p":
            clip = read_clip(data)
            assert read_clip(clip_json(clip)) == clip
            assert clip.id.isascii()
            assert clip.id.isalnum()
        else:
            removals = read_removals(data, _CAMERA)
            assert read_removals(removals_json(removals), _CAMERA) == removals
            assert all(0 <= r.first <= r.last < 1 << 62 for r in removals)
    except ValueError:
        pass


def seeds() -> Iterable[bytes]:
    yield b"c" + camera_json(KeptCamera(_CAMERA, "Höf", "garage", "rtsp://192.0.2.1/", _START))
    yield b"p" + clip_json(Clip("abcdefghijkmnpqr", "fox", (_CAMERA,), _START, _END, True, _END))
    yield b"p" + clip_json(Clip("abcdefghijkmnpqr", "", (), _END, None, False, _END))
    removal = Removal(_CAMERA, 3, 7, 5, _START, _END, bytes(32), bytes(range(32)), _END)
    yield b"r" + removals_json([removal])
    yield b"r" + removals_json([])
    lasting = Gap(_END, FOREVER, Cause.UNREACHABLE, "it is “away”\n", lasting=True)
    yield b"g" + gap_line(Gap(_START, _END, Cause.BROKEN)) + gap_line(lasting)
