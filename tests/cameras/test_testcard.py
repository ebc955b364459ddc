from __future__ import annotations

import asyncio
import io
import subprocess

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from camkeep.cameras import testcard
from camkeep.cameras.address import parse_address
from camkeep.cameras.source import Notes, SourceOptions
from camkeep.cameras.testcard import number as numbers
from camkeep.cameras.testcard import picture, read_number, read_number_from_luma
from camkeep.cameras.testcard.jpeg import head, join_row, make_tile
from camkeep.errors import MediaError, UsageError
from camkeep.media.jpeg import examine
from camkeep.model import Sample

SIZES = [(160, 128), (176, 144), (320, 240), (354, 290), (640, 480), (1280, 720)]


def luma(jpeg: bytes) -> np.ndarray:
    """As Pillow decodes it."""
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image.convert("L"))


@pytest.mark.parametrize(("width", "height"), [*SIZES, (1920, 1080), (1920, 1088), (160, 1088)])
def test_a_picture_is_what_others_decode_and_both_numbers_are_read(width: int, height: int) -> None:
    jpeg = picture(305419896, width, height)
    pixels = luma(jpeg)
    assert pixels.shape == (height, width)
    assert read_number(jpeg) == 305419896
    assert read_number_from_luma(pixels, width, height) == 305419896
    assert read_number_from_luma([bytes(row) for row in pixels], width, height) == 305419896
    found = examine(jpeg)
    assert (found.width, found.height, found.complete) == (width, height, True)
    assert (found.start, found.end, found.nulls_before_end) == (0, len(jpeg), 0)


def test_decoders_have_nothing_to_complain_about(capfd: pytest.CaptureFixture[str]) -> None:
    for width, height in SIZES:
        jpegs = [picture(n, width, height) for n in (0, 7, 123456)]
        for jpeg in jpegs:
            assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) is not None
        command = ["ffmpeg", "-v", "warning", "-f", "mjpeg", "-i", "-", "-f", "null", "-"]
        run = subprocess.run(command, input=b"".join(jpegs), capture_output=True, check=True)
        assert run.stderr == b""
    assert capfd.readouterr().err == ""


def test_the_same_arguments_give_the_same_bytes_whatever_came_between() -> None:
    before = [picture(n, 320, 240) for n in range(5)]
    for n in range(100, 130):
        picture(n, 320, 240, (0.3, -0.4))
    assert [picture(n, 320, 240) for n in range(5)] == before
    assert len(set(before)) == 5


def test_the_number_survives_being_encoded_anew() -> None:
    with Image.open(io.BytesIO(picture(4711))) as image:
        del image.info["comment"]
        for quality in (20, 50, 90):
            again = io.BytesIO()
            image.save(again, "JPEG", quality=quality)
            assert read_number_from_luma(luma(again.getvalue()), 640, 480) == 4711
            with pytest.raises(MediaError, match="no number"):
                read_number(again.getvalue())


def test_the_number_survives_h264() -> None:
    jpegs = b"".join(picture(n, 320, 240) for n in range(10))
    encode = "ffmpeg -v error -f mjpeg -i - -c:v libx264 -b:v 100k -f h264 -"
    coded = subprocess.run(encode.split(), input=jpegs, capture_output=True, check=True).stdout
    decode = "ffmpeg -v error -f h264 -i - -pix_fmt gray -f rawvideo -"
    raw = subprocess.run(decode.split(), input=coded, capture_output=True, check=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, 240, 320)
    assert [read_number_from_luma(f, 320, 240) for f in frames] == list(range(10))


def test_what_is_seen_moves_with_the_number_and_the_aim() -> None:
    still = luma(picture(0)).astype(int)
    moved = luma(picture(0, aim=(1.0, -1.0))).astype(int)
    later = luma(picture(30)).astype(int)
    # the cells at the foot and the digits count, the dot turns, the bars stay as they are
    assert np.abs(still[448:] - later[448:]).max() > 200
    assert np.abs(still[:320] - later[:320]).max() > 100
    assert np.abs(still[:320, :180] - later[:320, :180]).max() == 0
    # the cross hairs have left the middle for the upper right
    assert still[160, 320] > 200 > 50 > moved[160, 320]
    assert np.abs(still[:60, 500:] - moved[:60, 500:]).max() > 50
    assert np.abs(still[320:] - moved[320:]).max() == 0


def test_neither_black_nor_white_is_a_number() -> None:
    for value in (0, 16, 235, 255):
        with pytest.raises(MediaError, match="checksum"):
            read_number_from_luma([[value] * 320] * 240, 320, 240)
    with pytest.raises(MediaError, match="too small"):
        read_number_from_luma([[0] * 8] * 8, 8, 8)


@pytest.mark.parametrize("height", [128, 136])
def test_no_picture_looks_as_if_nulls_had_been_put_before_its_end(height: int) -> None:
    assert all(examine(picture(n, 160, height)).nulls_before_end == 0 for n in range(300))


@given(st.integers(0, 0xFFFF_FFFF), st.integers(0, 39))
def test_every_single_wrong_cell_is_noticed(number: int, wrong: int) -> None:
    place = numbers.cells(160, 128)
    rows = [bytearray(160) for _ in range(128)]
    for n, white in enumerate(numbers.bits(number)):
        x, y = place.at(n)
        for row in rows[y : y + place.height]:
            row[x : x + place.width] = bytes([200 if white else 40]) * place.width
    assert read_number_from_luma(rows, 160, 128) == number
    x, y = place.at(wrong)
    for row in rows[y : y + place.height]:
        row[x : x + place.width] = bytes(p ^ 0xE0 for p in row[x : x + place.width])
    with pytest.raises(MediaError, match="checksum"):
        read_number_from_luma(rows, 160, 128)


@given(st.binary(max_size=300))
def test_read_number_raises_nothing_but_media_error(data: bytes) -> None:
    with pytest.raises(MediaError):
        read_number(data)


@given(st.integers(0, 1 << 40))
@settings(max_examples=30)
def test_numbers_wrap_at_32_bits(number: int) -> None:
    jpeg = picture(number, 160, 128)
    assert read_number(jpeg) == number % (1 << 32)
    assert read_number_from_luma(luma(jpeg), 160, 128) == number % (1 << 32)


@given(st.lists(st.binary(min_size=64, max_size=64), min_size=6, max_size=6))
def test_a_tile_of_any_pixels_can_be_coded(blocks: list[bytes]) -> None:
    tile = make_tile(blocks[:4], blocks[4], blocks[5])
    for bits in (tile.luma_bits, tile.cb_bits, tile.cr_bits):
        assert set(bits) <= {"0", "1"}


@given(st.binary(min_size=64 * 6, max_size=64 * 6))
@settings(max_examples=30)
def test_a_tile_of_any_pixels_is_decoded_to_nearly_those(pixels: bytes) -> None:
    blocks = [pixels[i : i + 64] for i in range(0, 384, 64)]
    jpeg = head(16, 16, b"") + join_row([make_tile(blocks[:4], b"\x80" * 64, b"\x80" * 64)], 0)
    decoded = luma(jpeg + b"\xff\xd9").astype(int)
    wanted = np.block(
        [
            [np.frombuffer(blocks[2 * y + x], np.uint8).reshape(8, 8) for x in range(2)]
            for y in range(2)
        ]
    ).astype(int)
    # noise is the worst there is for JPEG; still its steps are of about this size
    assert np.abs(decoded - wanted).mean() < 12


@pytest.mark.parametrize(("width", "height"), [(159, 480), (640, 127), (1936, 480), (640, 1089)])
def test_sizes_that_there_are_not(width: int, height: int) -> None:
    with pytest.raises(UsageError, match="choose one from 160x128 to 1920x1088"):
        picture(0, width, height)


# the source


def source(url: str) -> testcard.TestcardSource:
    address, _ = parse_address(url)
    return testcard.TestcardSource(address, SourceOptions())


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("size=640", "size=640x480"),
        ("size=10x10", "choose one from"),
        ("fps=0", "write fps=30"),
        ("fps=many", "write fps=30"),
        ("fps=nan", "write fps=30"),
        ("colour=red", "only size= and fps="),
    ],
)
def test_a_wrong_address_says_how_it_is_right(query: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        source(f"testcard:?{query}")


async def test_the_source_counts_and_keeps_to_its_schedule() -> None:
    taken: list[Sample] = []
    enough = asyncio.Event()

    def sink(sample: Sample) -> None:
        taken.append(sample)
        if len(taken) == 60:
            enough.set()

    notes = Notes()
    camera = source("testcard:?size=320x240&fps=100")
    task = asyncio.create_task(camera.run(sink, notes))
    await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [read_number(s.data) for s in taken] == list(range(len(taken)))
    assert all(s.key and s.is_video and s.run == taken[0].run for s in taken)
    assert all(s.params is notes.video for s in taken)
    assert [s.ticks for s in taken] == sorted({s.ticks for s in taken})
    # never early: picture n comes at n/fps or later, so that nothing adds up
    assert all(s.arrival - taken[0].arrival > (n - 1) * 10_000_000 for n, s in enumerate(taken))
    assert (notes.transport, notes.promised_fps) == ("test card", 100.0)
    assert notes.video is not None
    assert (notes.video.width, notes.video.height) == (320, 240)


async def test_the_sources_snapshot_is_a_picture() -> None:
    assert await source("testcard:").snapshot(Notes()) == picture(0)
