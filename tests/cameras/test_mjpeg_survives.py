"""The MJPEG client on every fault of the simulated cameras: each frame that can be had is kept
byte for byte, and each fault is counted as often as it was met."""

from __future__ import annotations

import pytest

from camkeep.cameras.address import parse_address
from camkeep.cameras.mjpeg import HttpSource
from camkeep.cameras.simulate import Kind, Simulator, SimulatorOptions, parse_fault
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.cameras.testcard import picture, read_number
from camkeep.cameras.trouble import Trouble
from camkeep.errors import StreamBroken
from camkeep.model import Sample, VideoParams

COUNTED = {
    Kind.NULLS_BEFORE_END: Trouble.JPEG_NULLS_BEFORE_END,
    Kind.JUNK_BEFORE: Trouble.JPEG_JUNK_BEFORE,
    Kind.JUNK_AFTER: Trouble.JPEG_JUNK_AFTER,
    Kind.TRUNCATED: Trouble.JPEG_NO_END,
    Kind.EMPTY_PART: Trouble.JPEG_EMPTY,
    Kind.SEVERAL: Trouble.PART_SEVERAL_PICTURES,
    Kind.NO_LENGTH: Trouble.PART_LENGTH_MISSING,
    Kind.LENGTH_SMALL: Trouble.PART_LENGTH_WRONG,
    Kind.LENGTH_LARGE: Trouble.PART_LENGTH_WRONG,
    Kind.LENGTH_HUGE: Trouble.PART_LENGTH_WRONG,
    Kind.LENGTH_NEGATIVE: Trouble.PART_LENGTH_WRONG,
    Kind.JUNK_BETWEEN: Trouble.PART_JUNK,
    Kind.BOUNDARY_DOUBLED: Trouble.BOUNDARY_DOUBLED,
    Kind.BOUNDARY_MISSING: Trouble.BOUNDARY_MISSING,
    Kind.NO_FIRST_BOUNDARY: Trouble.BOUNDARY_MISSING,
    Kind.DECLARED_JPEG: Trouble.NOT_MULTIPART,
    Kind.BARE: Trouble.NOT_MULTIPART,
}
HARMLESS = (
    *(Kind.BIT_FLIPS, Kind.FROZEN, Kind.SIZE_CHANGE, Kind.HEADER_CASE, Kind.CHUNKED),
    *(Kind.BOUNDARY_DASHES, Kind.BOUNDARY_QUOTED, Kind.LINE_FEEDS, Kind.REDIRECT),
)
FRAMES = 31  # not a multiple of 3: what is behind the last frame cannot be noticed


async def watched(kind: str, *faults: str) -> tuple[list[Sample], Notes, Simulator]:
    options = SimulatorOptions(
        160, 128, fps=200, faults=frozenset(map(parse_fault, faults)), max_frames=FRAMES
    )
    taken: list[Sample] = []
    notes = Notes()
    async with Simulator(kind, options) as camera:  # type: ignore[arg-type]
        address, _ = parse_address(camera.stream_url)
        with pytest.raises(StreamBroken):
            await HttpSource(address, SourceOptions()).run(taken.append, notes)
    return taken, notes, camera


@pytest.mark.parametrize("kind", ["mjpeg", "easyn"])
@pytest.mark.parametrize("fault", [*COUNTED, *HARMLESS], ids=lambda fault: fault.code)
async def test_one_fault(kind: str, fault: Kind) -> None:
    number = {"every": ":3", "after": ":10"}.get(fault.measure, "")
    taken, notes, camera = await watched(kind, fault.code + number)
    met = camera.inflicted[fault]
    assert met > 0
    lost = met if fault is Kind.TRUNCATED else 0
    assert len(taken) == len(camera.sent) - lost == FRAMES - lost
    assert notes.trouble == ({COUNTED[fault]: met} if fault in COUNTED else {})
    changed = met if fault in (Kind.NULLS_BEFORE_END, Kind.BIT_FLIPS) else 0
    assert sum(not as_made(sample) for sample in taken) == changed


def as_made(sample: Sample) -> bool:
    """Whether a sample is the test card's picture, byte for byte."""
    params = sample.params
    assert isinstance(params, VideoParams)
    return sample.data == picture(read_number(sample.data), params.width, params.height)


@pytest.mark.parametrize("kind", ["mjpeg", "easyn"])
async def test_many_faults_at_once(kind: str) -> None:
    faults = ("nulls-before-end:2", "junk-before:3", "junk-after:4", "truncated:5", "no-length:2")
    taken, notes, camera = await watched(kind, *faults, "chunked", "boundary-dashes")
    wanted = {COUNTED[fault]: n for fault, n in camera.inflicted.items() if fault in COUNTED}
    assert notes.trouble == wanted
    assert len(wanted) == len(faults)
    assert len(taken) == FRAMES - camera.inflicted[Kind.TRUNCATED]
