"""Byte streams into NAL units, and emulation prevention."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from camkeep.media.nal import split_annexb, unescape


def escape(rbsp: bytes) -> bytes:
    """H.264 §7.4.1: no 00 00 0x with x below 4 may stay."""
    out = bytearray()
    zeros = 0
    for byte in rbsp:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


# mostly the bytes that matter
RBSP = st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 0x80, 0xFF]), max_size=60).map(bytes)


@given(RBSP)
def test_unescape_reverses_escape(rbsp: bytes) -> None:
    assert unescape(escape(rbsp)) == rbsp


@given(
    st.lists(st.tuples(st.sampled_from([3, 4, 5]), RBSP), min_size=1, max_size=8),
    st.sampled_from([b"", b"\0", b"\0\0\0"]),
)
def test_split_reverses_joining(parts: list[tuple[int, bytes]], trailer: bytes) -> None:
    nals = [b"\x65" + escape(rbsp) + b"\x80" for _, rbsp in parts]
    stream = b"".join(
        bytes(size - 1) + b"\1" + nal for (size, _), nal in zip(parts, nals, strict=True)
    )
    assert split_annexb(stream + trailer) == nals
    assert split_annexb(memoryview(stream)) == nals


@given(st.binary(max_size=200))
def test_split_of_anything(data: bytes) -> None:
    assert all(nal and b"\0\0\1" not in nal for nal in split_annexb(data))


def test_what_precedes_the_first_start_code_is_left_out() -> None:
    assert split_annexb(b"junk\0\0\1\x67\x42") == [b"\x67\x42"]
    assert split_annexb(b"no start code") == []
