"""H.265: real streams of libx265, compared with what ffmpeg makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.errors import MediaError
from camkeep.media.h265 import H265Stream, parse_sps
from camkeep.media.nal import AccessUnit
from support.bitwriter import BitWriter
from support.encoded import access_units, annexb, byte_streams, decode, muxed

VPS, SPS, PPS = 32, 33, 34


@dataclass(frozen=True)
class Case:
    arguments: tuple[str, ...]
    codec: str
    size: str = "320x180"
    frames: int = 12
    x265: str = ""

    def stream(self) -> bytes:
        fixed = "log-level=none:repeat-headers=1:aud=1:pools=1:frame-threads=1"
        options = ":".join(filter(None, (fixed, self.x265)))
        coder = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", options)
        return annexb("hevc", self.size, self.frames, *coder, *self.arguments)


MAIN = ("-pix_fmt", "yuv420p")
CASES = {
    "main": Case(MAIN, "hvc1.1.6.L60.90"),
    "main 10": Case(("-pix_fmt", "yuv420p10le"), "hvc1.2.4.L60.90"),
    "4:2:2 10 bit": Case(("-pix_fmt", "yuv422p10le"), "hvc1.4.10.L60.9D.8"),
    "4:4:4": Case(("-vf", "format=yuv444p,scale=317:179"), "hvc1.4.10.L60.9E.8"),
    "1080": Case(MAIN, "hvc1.1.6.L120.90", "1920x1080", 2),
    "no B": Case(MAIN, "hvc1.1.6.L60.90", x265="bframes=0"),
    "pyramid": Case(MAIN, "hvc1.1.6.L60.90", x265="bframes=4:b-adapt=0:b-pyramid=1:ref=3"),
    "wide pixels": Case((*MAIN, "-vf", "setsar=16/11"), "hvc1.1.6.L60.90"),
    "odd pixels": Case((*MAIN, "-vf", "setsar=123/100"), "hvc1.1.6.L60.90"),
    "scaling lists": Case(MAIN, "hvc1.1.6.L60.90", x265="scaling-list=default"),
    "layers": Case(MAIN, "hvc1.1.6.L60.90", x265="temporal-layers=1:bframes=3:b-adapt=0"),
    "high tier": Case(
        MAIN, "hvc1.1.6.H120.90",
        x265="level-idc=4:high-tier=1:vbv-maxrate=20000:vbv-bufsize=20000",
    ),
    "interlaced": Case(MAIN, "hvc1.1.6.L60.40", x265="interlace=tff"),
}  # fmt: skip


def assembled(stream: bytes) -> list[AccessUnit]:
    made = H265Stream(90_000)
    units = [made.assemble(nals) for nals in access_units("hevc", stream)]
    return [unit for unit in units if unit is not None]


def kind(nal: bytes) -> int:
    return nal[0] >> 1 & 63


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_agrees_with_ffmpeg(case: Case) -> None:
    stream = case.stream()
    units = assembled(stream)
    params = units[0].params
    theirs = muxed("hevc", stream)
    assert (params.width, params.height) == (theirs.width, theirs.height)
    assert params.pixel_aspect == theirs.pixel_aspect
    assert params.reorder == theirs.reorder
    assert params.codec_string == case.codec
    assert all(unit.params is params for unit in units)
    assert len(units) == case.frames
    ours, known = bytearray(params.config), bytearray(theirs.config)
    known[13:16] = b"\xf0\0\xfc"  # libav reads on, for segmentation and parallelism
    known[19:21] = b"\0\0"  # average frame rate
    assert ours[:22] == known[:22]
    assert arrays(bytes(ours)) == arrays(bytes(known))


def arrays(config: bytes) -> dict[int, list[bytes]]:
    """The parameter sets of an hvcC by the byte before them."""
    found: dict[int, list[bytes]] = {}
    pos = 23
    for _ in range(config[22]):
        first, count = config[pos], int.from_bytes(config[pos + 1 : pos + 3])
        pos += 3
        for _ in range(count):
            size = int.from_bytes(config[pos : pos + 2])
            found.setdefault(first, []).append(config[pos + 2 : pos + 2 + size])
            pos += 2 + size
    assert pos == len(config)
    return {first: nals for first, nals in found.items() if first & 63 in (VPS, SPS, PPS)}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_samples_decode_to_the_same_pictures(case: Case) -> None:
    stream = case.stream()
    units = assembled(stream)
    pictures = decode("hevc", units[0].params.config, [unit.data for unit in units])
    assert len(pictures) == case.frames
    assert pictures == decode("hevc", None, byte_streams("hevc", stream))


def test_samples_hold_slices_and_sei_byte_for_byte() -> None:
    stream = CASES["main"].stream()
    wanted = []
    for nals in access_units("hevc", stream):
        kept = [nal for nal in nals if kind(nal) < 32 or kind(nal) in (39, 40)]
        wanted.append(b"".join(len(nal).to_bytes(4) + nal for nal in kept))
    assert [unit.data for unit in assembled(stream)] == wanted


def test_leading_pictures_are_those_that_libav_leaves_out_after_the_key_frame() -> None:
    gop = "keyint=10:min-keyint=10:scenecut=0:open-gop=1:bframes=3:b-adapt=0"
    units = assembled(Case(MAIN, "", frames=30, x265=gop).stream())
    _, second, third = (i for i, unit in enumerate(units) if unit.key)
    assert not any(unit.leading for unit in units[:second])
    tail = units[second:third]
    decodable = [unit.data for unit in tail if not unit.leading]
    assert len(decodable) < len(tail)
    config = units[0].params.config
    shown = decode("hevc", config, [unit.data for unit in tail])
    assert len(shown) == len(decodable)
    assert shown == decode("hevc", config, decodable)


def test_fps_and_depths_of_an_sps() -> None:
    nals = access_units("hevc", CASES["4:2:2 10 bit"].stream())[0]
    said = parse_sps(next(nal for nal in nals if kind(nal) == SPS))
    assert (said.fps, said.bit_depth, said.bit_depth_chroma) == (25.0, 10, 10)
    assert (said.profile_idc, said.level, said.chroma_format) == (4, 60, 2)


def sets_of(case: Case) -> tuple[bytes, ...]:
    return tuple(
        nal for nal in access_units("hevc", case.stream())[0] if kind(nal) in (VPS, SPS, PPS)
    )


def test_sets_from_outside_count_until_others_come() -> None:
    outside = sets_of(CASES["no B"])
    made = H265Stream(90_000, (b"", b"\x42", b"junk", *outside))
    before = made.params
    assert before is not None
    assert before.reorder == 0
    stream = CASES["pyramid"].stream()
    unit = made.assemble(access_units("hevc", stream)[0])
    assert unit is not None
    assert unit.params.reorder == muxed("hevc", stream).reorder
    assert unit.params.reorder != 0


def test_nothing_before_every_set_is_known() -> None:
    first = access_units("hevc", CASES["main"].stream())[0]
    bare = [nal for nal in first if kind(nal) not in (VPS, SPS, PPS)]
    made = H265Stream(90_000)
    for nal in sets_of(CASES["main"]):
        assert made.assemble(bare) is None
        assert made.params is None
        assert made.assemble([nal]) is None
    assert made.assemble(bare) is not None


def test_layers_above_the_base_layer_are_left_out() -> None:
    first = access_units("hevc", CASES["main"].stream())[0]
    made = H265Stream(90_000)
    plain = made.assemble(first)
    second = bytes([first[-1][0], first[-1][1] | 8]) + first[-1][2:]
    far = bytes([first[-1][0] | 1]) + first[-1][1:]
    assert made.assemble([*first, second, far, b"", b"\x40"]) == plain
    assert made.assemble([second]) is None


def test_of_several_sets_the_slice_says_which_is_meant() -> None:
    vps = sets_of(CASES["main"])[0]
    made = H265Stream(90_000)
    first = made.assemble([vps, sps(0, 320), pps(0, 0), sps(1, 640), pps(1, 1), idr(0)])
    second = made.assemble([idr(1)])
    assert first
    assert second
    assert (first.params.width, second.params.width) == (320, 640)


def test_a_forbidden_bit_is_an_error() -> None:
    with pytest.raises(MediaError, match="forbidden"):
        H265Stream(90_000).assemble([b"\xa6\x01\x88"])


def test_sub_layers_reference_sets_and_lists_are_passed_over() -> None:
    """What x265 does not write: profiles of sub-layers, sets predicted from the one before,
    explicit scaling lists, PCM, long-term pictures; the VUI behind them is still found."""
    said = parse_sps(sps(3, 640, rich=True))
    assert (said.id, said.width, said.height) == (3, 640, 180)
    assert (said.reorder, said.pixel_aspect, said.fps) == (2, Fraction(40, 33), 12.5)


def test_a_vui_cut_short_leaves_the_rest() -> None:
    cut = parse_sps(sps(3, 640, rich=True)[:-12])
    assert (cut.width, cut.height, cut.reorder, cut.fps) == (640, 180, 2, None)


def sps(number: int, width: int, *, rich: bool = False) -> bytes:
    bits = BitWriter().u(4, 0).u(3, 2 if rich else 0).u(1, 1)
    bits.u(8, 1).u(32, 0x60000000).u(48, 0x900000000000).u(8, 60)
    if rich:
        bits.u(2, 0b11).u(2, 0b01).u(12, 0).u(88, 1).u(8, 30).u(8, 60)
    bits.ue(number, 1, width, 180).u(1, 0).ue(0, 0, 4)
    bits.u(1, 1).ue(*([4, 1, 0, 4, 2, 0, 4, 2, 0] if rich else [4, 2, 0]))
    bits.ue(0, 3, 0, 3, 0, 0)
    if not rich:
        return b"\x42\x01" + bits.u(6, 0).ue(0).u(4, 0).rbsp()
    bits.u(2, 0b11)
    for size in range(4):
        for matrix in range(2 if size == 3 else 6):
            if matrix == 0:
                bits.u(1, 0).ue(0)
                continue
            bits.u(1, 1)
            if size > 1:
                bits.se(5)
            bits.se(*[-1] * min(64, 1 << (4 + 2 * size)))
    bits.u(2, 0).u(1, 1).u(8, 0x77).ue(0, 2).u(1, 0)
    bits.ue(3, 1, 2, 0).u(1, 1).ue(0).u(1, 1).ue(1).u(1, 0)  # 1 before, 2 after
    bits.u(1, 1).u(1, 0).ue(0).u(1, 1).u(2, 0b01).u(2, 0b00).u(1, 1)  # of its 4, one unused
    bits.u(1, 1).u(1, 0).ue(0).u(4, 0b1111)  # predicted from three pictures
    bits.u(1, 1).ue(2).u(8, 5).u(1, 1).u(8, 6).u(1, 0).u(2, 0)
    bits.u(1, 1).u(1, 1).u(8, 5).u(2, 0b11).u(1, 1).u(5, 0b10111).u(24, 0x010101)
    bits.u(1, 1).ue(1, 1).u(3, 0).u(1, 1).ue(0, 1, 0, 1).u(1, 1).u(32, 2).u(32, 25)
    return b"\x42\x01" + bits.rbsp().replace(b"\0\0", b"\0\0\3")


def pps(number: int, sps_id: int) -> bytes:
    return b"\x44\x01" + BitWriter().ue(number, sps_id).u(2, 0).rbsp()


def idr(pps_id: int) -> bytes:
    return b"\x26\x01" + BitWriter().u(2, 0b10).ue(pps_id).u(32, 0xABCDEF).rbsp()


def mutated(data: bytes, at: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for position, value in at:
        changed[position % len(changed)] = value
    return bytes(changed)


MUTATIONS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=6)


@given(st.sampled_from(sorted(CASES)), MUTATIONS, st.integers(0, 60))
def test_damaged_sets_raise_nothing_else(name: str, at: list[tuple[int, int]], cut: int) -> None:
    vps, first, second = sets_of(CASES[name])[:3]
    damaged = mutated(first, at)[: len(first) - cut]
    made = H265Stream(90_000, [vps, damaged, second])
    try:
        parse_sps(damaged)
        unit = made.assemble([mutated(vps, at), damaged, mutated(second, at), idr(0)])
    except MediaError:
        return
    assert unit is None or unit.params.width > 0


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_raise_nothing_else(nals: list[bytes]) -> None:
    made = H265Stream(90_000, nals)
    for batch in (nals, [b"\x42\x01" + nal for nal in nals], [b"\x26\x01" + nal for nal in nals]):
        try:
            made.assemble(batch)
        except MediaError:
            pass
    for nal in nals:
        try:
            parse_sps(nal)
        except MediaError:
            pass
