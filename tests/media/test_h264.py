"""H.264: real streams of libx264, compared with what ffmpeg makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.errors import MediaError
from camkeep.media.h264 import H264Stream, parse_sps
from camkeep.media.nal import AccessUnit
from support.bitwriter import BitWriter
from support.encoded import access_units, annexb, byte_streams, decode, muxed

X264 = ("-c:v", "libx264", "-preset", "veryfast")


@dataclass(frozen=True)
class Case:
    arguments: tuple[str, ...]
    codec: str
    size: str = "320x180"
    frames: int = 12
    x264: str = ""

    def stream(self) -> bytes:
        options = ":".join(filter(None, ("repeat-headers=1:aud=1", self.x264)))
        arguments = (*X264, *self.arguments, "-x264-params", options)
        return annexb("h264", self.size, self.frames, *arguments)


CASES = {
    "baseline": Case(("-profile:v", "baseline", "-pix_fmt", "yuv420p"), "avc1.42C00C"),
    "main": Case(("-profile:v", "main", "-pix_fmt", "yuv420p"), "avc1.4D400C"),
    "high": Case(("-bf", "3", "-pix_fmt", "yuv420p"), "avc1.64000C"),
    "no B": Case(("-bf", "0", "-pix_fmt", "yuv420p"), "avc1.64000C"),
    "slices": Case(("-pix_fmt", "yuv420p"), "avc1.64000C", x264="slices=4"),
    "1080 cropped": Case(("-pix_fmt", "yuv420p"), "avc1.640028", "1920x1080", 3),
    "interlaced": Case(
        ("-pix_fmt", "yuv420p", "-flags", "+ilme+ildct"), "avc1.640028", "1920x1080", 3
    ),
    "odd size": Case(("-vf", "format=yuv444p,scale=317:179"), "avc1.F4000C"),
    "4:2:2 10 bit": Case(("-pix_fmt", "yuv422p10le"), "avc1.7A000C"),
    "4:4:4 10 bit": Case(("-pix_fmt", "yuv444p10le"), "avc1.F4000C"),
    "grey": Case(("-pix_fmt", "gray"), "avc1.64000C"),
    "wide pixels": Case(("-pix_fmt", "yuv420p", "-vf", "setsar=16/11"), "avc1.64000C"),
    "odd pixels": Case(("-pix_fmt", "yuv420p", "-vf", "setsar=123/100"), "avc1.64000C"),
    "HRD": Case(
        ("-pix_fmt", "yuv420p"), "avc1.64000D",
        x264="nal-hrd=vbr:vbv-maxrate=500:vbv-bufsize=500",
    ),
    "scaling lists": Case(("-pix_fmt", "yuv420p"), "avc1.64000C", x264="cqm=jvt"),
}  # fmt: skip


def assembled(stream: bytes, sets: tuple[bytes, ...] = ()) -> list[AccessUnit]:
    made = H264Stream(90_000, sets)
    units = [made.assemble(nals) for nals in access_units("h264", stream)]
    return [unit for unit in units if unit is not None]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_agrees_with_ffmpeg(case: Case) -> None:
    stream = case.stream()
    units = assembled(stream)
    params = units[0].params
    theirs = muxed("h264", stream)
    assert params.config == theirs.config
    assert (params.width, params.height) == (theirs.width, theirs.height)
    assert params.pixel_aspect == theirs.pixel_aspect
    assert params.reorder == theirs.reorder
    assert params.codec_string == case.codec
    assert all(unit.params is params for unit in units)
    assert len(units) == case.frames


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_samples_decode_to_the_same_pictures(case: Case) -> None:
    stream = case.stream()
    units = assembled(stream)
    pictures = decode("h264", units[0].params.config, [unit.data for unit in units])
    assert len(pictures) == case.frames
    assert pictures == decode("h264", None, byte_streams("h264", stream))


def nal_types(data: bytes) -> list[int]:
    types = []
    while data:
        size = int.from_bytes(data[:4])
        types.append(data[4] & 31)
        data = data[4 + size :]
    return types


def test_samples_hold_slices_and_sei_byte_for_byte() -> None:
    stream = CASES["slices"].stream()
    wanted = []
    for nals in access_units("h264", stream):
        kept = [nal for nal in nals if nal[0] & 31 in (1, 5, 6)]
        wanted.append(b"".join(len(nal).to_bytes(4) + nal for nal in kept))
    units = assembled(stream)
    assert [unit.data for unit in units] == wanted
    assert nal_types(units[0].data) == [6, 5, 5, 5, 5]


def test_fps_and_depths_of_an_sps() -> None:
    nals = access_units("h264", CASES["4:2:2 10 bit"].stream())[0]
    sps = parse_sps(next(nal for nal in nals if nal[0] & 31 == 7))
    assert (sps.fps, sps.bit_depth, sps.bit_depth_chroma) == (25.0, 10, 10)
    assert (sps.profile_idc, sps.level, sps.chroma_format) == (122, 12, 2)


def test_key_frames_of_closed_and_open_groups() -> None:
    closed = Case(("-pix_fmt", "yuv420p"), "", frames=25, x264="keyint=10:scenecut=0")
    assert [i for i, unit in enumerate(assembled(closed.stream())) if unit.key] == [0, 10, 20]
    gop = "keyint=10:min-keyint=10:scenecut=0:open-gop=1:bframes=2:b-adapt=0"
    opened = Case(("-pix_fmt", "yuv420p"), "", frames=25, x264=gop)
    keys = [i for i, unit in enumerate(assembled(opened.stream())) if unit.key]
    assert len(keys) == 3  # two of them announced by a recovery point
    refresh = Case(("-pix_fmt", "yuv420p"), "", frames=25, x264="keyint=10:intra-refresh=1")
    assert [i for i, unit in enumerate(assembled(refresh.stream())) if unit.key] == [0]


def sets_of(case: Case) -> tuple[bytes, ...]:
    nals = access_units("h264", case.stream())[0]
    return tuple(nal for nal in nals if nal[0] & 31 in (7, 8))


def test_sets_from_outside_count_until_others_come() -> None:
    stream = CASES["high"].stream()
    outside = sets_of(CASES["no B"])
    made = H264Stream(90_000, (b"", b"\x67", b"junk", *(nal + b"\0" for nal in outside)))
    before = made.params
    assert before is not None
    assert before.reorder == 0
    groups = access_units("h264", stream)
    bare = [nal for nal in groups[0] if nal[0] & 31 not in (7, 8)]
    unit = made.assemble(bare)
    assert unit is not None
    assert unit.params is before
    unit = made.assemble(groups[0])
    assert unit is not None
    assert unit.params.config == muxed("h264", stream).config


def test_sets_from_outside_may_have_start_codes() -> None:
    sps_nal, pps_nal = sets_of(CASES["high"])
    plain = H264Stream(90_000, [sps_nal, pps_nal]).params
    assert plain is not None
    assert H264Stream(90_000, [b"\0\0\0\1" + sps_nal, b"\0\0\1" + pps_nal]).params == plain
    assert H264Stream(90_000, [sps_nal + b"\0\0\0\1" + pps_nal]).params == plain


def test_nothing_before_the_sets_are_known() -> None:
    first = access_units("h264", CASES["high"].stream())[0]
    made = H264Stream(90_000)
    sps, pps = (nal for nal in first if nal[0] & 31 in (7, 8))
    bare = [nal for nal in first if nal[0] & 31 not in (7, 8)]
    assert made.assemble(bare) is None
    assert made.assemble([pps]) is None
    assert made.assemble(bare) is None
    assert made.params is None
    assert made.assemble([sps, b""]) is None
    assert made.params is not None
    assert made.assemble(bare) is not None


def test_a_change_makes_new_params_and_a_repetition_does_not() -> None:
    small = access_units("h264", CASES["high"].stream())[0]
    large = access_units("h264", CASES["1080 cropped"].stream())[0]
    made = H264Stream(90_000)
    one, two, three, four = (made.assemble(nals) for nals in (small, small, large, small))
    assert one
    assert two
    assert three
    assert four
    assert one.params is two.params
    assert (three.params.width, four.params.width) == (1920, 320)
    made.assemble([nal for nal in large if nal[0] & 31 in (7, 8)])  # and back before a picture
    back = made.assemble(small)
    assert back is not None
    assert back.params is four.params


def test_of_several_sets_the_slice_says_which_is_meant() -> None:
    large, small = 1, 0
    made = H264Stream(90_000)
    sets = [sps(number=small, columns=20), pps(small, small), sps(large, 40), pps(large, large)]
    first = made.assemble([*sets, idr(small)])
    second = made.assemble([idr(large)])
    third = made.assemble([idr(large)])
    assert first
    assert second
    assert third
    assert (first.params.width, second.params.width) == (320, 640)
    assert second.params is third.params
    assert first.params.config[5] == 0xE2  # both stay in the configuration
    assert first.params.config.count(pps(large, large)) == 1


def test_a_forbidden_bit_is_an_error() -> None:
    with pytest.raises(MediaError, match="forbidden"):
        H264Stream(90_000).assemble([b"\xe5\x88"])


@pytest.mark.parametrize(
    ("profile", "constraints", "order_type", "wanted"),
    [(66, 0, 0, 0), (77, 0, 0, None), (77, 0, 2, 0), (100, 0x10, 0, 0), (100, 0, 1, None)],
)
def test_reordering_where_no_vui_says(
    profile: int, constraints: int, order_type: int, wanted: int | None
) -> None:
    nal = sps(profile=profile, constraints=constraints, order_type=order_type)
    assert parse_sps(nal).reorder == wanted


def test_a_vui_cut_short_leaves_the_rest() -> None:
    whole = sets_of(CASES["wide pixels"])[0]
    cut = parse_sps(whole[:-6])
    assert (cut.width, cut.height, cut.pixel_aspect) == (320, 180, Fraction(16, 11))
    assert cut.reorder is None


@pytest.mark.parametrize(("columns", "crop"), [(20, 160), (5000, 0)])
def test_impossible_sizes_are_errors(columns: int, crop: int) -> None:
    with pytest.raises(MediaError, match="picture size"):
        parse_sps(sps(columns=columns, crop=crop))


def sps(
    number: int = 0, columns: int = 20, *, profile: int = 77, constraints: int = 0,
    order_type: int = 0, crop: int = 0,
) -> bytes:  # fmt: skip
    bits = BitWriter().u(8, profile).u(8, constraints).u(8, 30).ue(number)
    if profile == 100:
        bits.ue(1, 0, 0).u(2, 0)
    bits.ue(0, order_type)
    if order_type == 0:
        bits.ue(2)
    elif order_type == 1:
        bits.u(1, 0).se(-1, 1).ue(2).se(3, -3)
    bits.ue(1).u(1, 0).ue(columns - 1, 11).u(2, 0b11)
    bits.u(1, 1).ue(0, crop, 0, 0) if crop else bits.u(1, 0)
    return b"\x67" + bits.u(1, 0).rbsp()


def pps(number: int, sps_id: int) -> bytes:
    return b"\x68" + BitWriter().ue(number, sps_id).u(2, 0).rbsp()


def idr(pps_id: int) -> bytes:
    return b"\x65" + BitWriter().ue(0, 7, pps_id).u(32, 0xABCDEF).rbsp()


def mutated(data: bytes, at: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for position, value in at:
        changed[position % len(changed)] = value
    return bytes(changed)


MUTATIONS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=6)


@given(st.sampled_from(sorted(CASES)), MUTATIONS, st.integers(0, 60))
def test_damaged_sets_raise_nothing_else(name: str, at: list[tuple[int, int]], cut: int) -> None:
    first, second = sets_of(CASES[name])[:2]
    damaged = mutated(first, at)[: len(first) - cut]
    made = H264Stream(90_000, [damaged, second])
    try:
        parse_sps(damaged)
        unit = made.assemble([damaged, mutated(second, at), idr(0), b"\x06" + damaged])
    except MediaError:
        return
    assert unit is None or unit.params.width > 0


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_raise_nothing_else(nals: list[bytes]) -> None:
    made = H264Stream(90_000, nals)
    for batch in (nals, [b"\x06" + nal for nal in nals] + [b"\x41" + nal for nal in nals]):
        try:
            made.assemble(batch)
        except MediaError:
            pass
    for nal in nals:
        try:
            parse_sps(nal)
        except MediaError:
            pass
