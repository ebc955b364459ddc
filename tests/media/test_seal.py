"""The seal, and the digests in it: the same from whatever state of the file they are taken."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.clock import WallUs
from camkeep.errors import MediaError
from camkeep.media.audio import aac_params
from camkeep.media.mp4 import Identity, Muxer, TimedSample, read_movie
from camkeep.media.mp4.digests import Blocks, Digests, Placed, leaf
from camkeep.media.mp4.seal import NOTHING_BEFORE, SEAL_READ, Seal, read_seal, seal_box
from camkeep.model import VideoParams
from support.files import MemoryFile
from support.movies import (
    IDENTITY,
    SealedMovie,
    Stream,
    probed,
    retimed,
    sealed,
    stream,
    turned,
    undeclared,
)

VIDEO = ["h264", "h264-b", "h264-open", "h265-b", "jpeg"]
SEAL = Seal(
    IDENTITY,
    60_000_000,
    1500,
    "avc1.64000D",
    320,
    240,
    "mp4a.40.2",
    *(bytes([n]) * 32 for n in (1, 2, 3)),
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
numbers = st.integers(-(2**63) + 1, 2**63 - 1)
digests = st.binary(min_size=32, max_size=32)
seals = st.builds(
    Seal,
    st.builds(Identity, texts, numbers, numbers, numbers.map(WallUs), texts),
    *(numbers, numbers, texts, numbers, numbers, texts, digests, digests, digests),
)


@given(seals, st.binary(max_size=100))
def test_a_seal_is_read_from_the_end_of_a_file(seal: Seal, before: bytes) -> None:
    assert read_seal((before + seal_box(seal))[-SEAL_READ:]) == seal


def test_no_bit_of_a_seal_can_be_changed() -> None:
    box = seal_box(SEAL)
    for place in range(len(box)):
        for bit in (1, 0x20, 0x80):
            changed = box[:place] + bytes([box[place] ^ bit]) + box[place + 1 :]
            try:
                assert read_seal(changed) is None
            except MediaError:
                continue


def test_what_is_no_seal() -> None:
    box = seal_box(SEAL)
    for tail in (b"", box[:-1], box + b"\0", bytes(100), bytes(60), b"\0\0\0\x3c" * 15):
        assert read_seal(tail) is None


def test_one_json_has_one_form() -> None:
    """A body that says the same in other words is not what was sealed."""
    body = SEAL.body().replace(b'"frames":1500', b'"frames": 1500')
    head, size = seal_box(SEAL)[4:24], 60 + len(body)
    chain = hashlib.sha256(body).digest()
    changed = size.to_bytes(4, "big") + head + body + chain + size.to_bytes(4, "big")
    with pytest.raises(MediaError, match="malformed"):
        read_seal(changed)


def test_the_chain_names_the_segment_before() -> None:
    following = replace(SEAL, previous=SEAL.chain)
    assert following.chain != SEAL.chain
    assert hashlib.sha256(SEAL.body()).digest() == SEAL.chain


def test_a_name_that_the_seal_cannot_hold_is_refused_before_anything_is_recorded() -> None:
    params = stream("h264").params
    assert isinstance(params, VideoParams)
    for length in (2800, 2900, 3000):
        named = replace(IDENTITY, camera="x" * length)
        try:
            muxer = Muxer(params, None, named, sealed=True)
        except MediaError:
            assert length > 2800
            continue
        muxer.fragment([TimedSample(params, b"x", 0, True)])
        muxer.finish(previous=NOTHING_BEFORE)
    with pytest.raises(MediaError, match="too long"):
        Muxer(params, None, replace(IDENTITY, camera="x" * 3000), sealed=True)


def placed(data: bytes) -> list[Placed]:
    """The samples of a movie in either state, as its tables have them."""
    return sorted(
        Placed(s.offset, s.size, track.track_id, s.time, s.key)
        for track in read_movie(MemoryFile(data)).tracks
        for s in track.samples
    )


def samples_digest(data: bytes) -> bytes:
    """As the seal's docstring says it."""
    leaves = [
        leaf(p.track_id, p.time, p.key, [data[p.offset : p.offset + p.size]]) for p in placed(data)
    ]
    return hashlib.sha256(b"".join(leaves)).digest()


def structure_digest(closed: bytes, seal: Seal) -> bytes:
    header = int.from_bytes(closed[:4], "big") + 16
    rest = bytearray(closed[: -len(seal_box(seal))])
    for sample in reversed(placed(closed)):
        del rest[sample.offset : sample.offset + sample.size]
    return hashlib.sha256(rest[header:] + rest[:header]).digest()


def agree(movie: SealedMovie) -> None:
    assert samples_digest(movie.growing) == movie.seal.samples
    assert samples_digest(movie.closed) == movie.seal.samples
    assert structure_digest(movie.closed, movie.seal) == movie.seal.structure
    assert read_seal(movie.closed[-SEAL_READ:]) == movie.seal


@pytest.mark.parametrize("begin_us", [0, 123_457])
@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("name", VIDEO)
def test_digests_agree_in_every_state(name: str, announced: bool, begin_us: int) -> None:
    source = stream(name) if announced else undeclared(stream(name))
    times = sorted(sample.time_us + begin_us for sample in source.samples)
    sound = stream("aac")
    late = retimed(sound, [sample.time_us + 31_007 for sample in sound.samples])
    for audio in (None, late):
        movie = sealed(retimed(source, times), audio, size=7)
        agree(movie)
        assert (movie.seal.frames, movie.seal.width, movie.seal.height) == (50, 320, 240)
        assert movie.seal.codec == source.params.codec_string
        assert movie.seal.audio == ("mp4a.40.2" if audio else "")


def test_a_leaf_does_not_depend_on_decoding_times() -> None:
    """The one case in which the closed movie has another decoding time than the growing one."""
    source = stream("h264")
    times = [80_000, 0, 40_000, *(n * 40_000 for n in range(3, 50))]
    samples = [s._replace(time_us=t) for s, t in zip(source.samples, times, strict=True)]
    movie = sealed(undeclared(Stream(source.params, samples)), size=3)
    first = [read_movie(MemoryFile(d)).tracks[0].samples[0] for d in (movie.growing, movie.closed)]
    assert first[0].dts != first[1].dts
    agree(movie)


@given(st.integers(0, 2**34), st.integers(0, 12))
def test_sound_begins_at_the_same_tick_in_every_state(begin_us: int, rate: int) -> None:
    """Also where a tick of the sound is shorter than one of the movie: index 0 is 96 kHz."""
    audio = aac_params((2 << 11 | rate << 7 | 1 << 3).to_bytes(2, "big"))
    muxer = Muxer(None, audio, IDENTITY, sealed=True)
    samples = [TimedSample(audio, bytes(400), begin_us + 20_000 * n, True) for n in range(3)]
    growing = muxer.header() + b"".join(muxer.fragment(samples))
    closing = muxer.finish(previous=NOTHING_BEFORE)
    assert closing.seal is not None
    assert samples_digest(turned(growing, closing)) == closing.seal.samples
    assert samples_digest(growing) == closing.seal.samples


def test_tracks_without_a_sample_are_not_in_the_seal() -> None:
    movie = sealed(stream("h264"), Stream(stream("aac").params, []))
    assert movie.seal.audio == ""
    agree(movie)


def test_a_dropped_fragment_is_in_no_digest() -> None:
    source = stream("h264")
    assert isinstance(source.params, VideoParams)
    muxer = Muxer(source.params, None, IDENTITY, sealed=True)
    data = muxer.header() + b"".join(muxer.fragment(source.samples[:10]))
    muxer.fragment(source.samples[10:20])
    muxer.drop_fragment()
    data += b"".join(muxer.fragment(source.samples[24:]))
    closing = muxer.finish(previous=NOTHING_BEFORE)
    assert closing.seal is not None
    agree(SealedMovie(data, turned(data, closing), closing.seal, []))
    # and dropping the last one leaves the movie that it was before
    muxer.fragment(source.samples[:0])
    assert muxer.finish(previous=NOTHING_BEFORE) == closing


def test_a_movie_without_a_seal_is_as_it_was() -> None:
    source = stream("h264")
    assert isinstance(source.params, VideoParams)
    muxer = Muxer(source.params, None, IDENTITY)
    plain = b"".join([muxer.header(), *muxer.fragment(source.samples)])
    assert muxer.finish().seal is None
    other = Muxer(source.params, None, IDENTITY, sealed=True)
    marked = b"".join([other.header(), *other.fragment(source.samples)])
    assert len(marked) - len(plain) == 56
    assert other.finish().seal is None


def test_a_file_is_hashed_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    movie = sealed(stream("jpeg"), stream("pcma"))
    end = len(movie.closed) - len(seal_box(movie.seal))
    for block in (1000, 4096, 1 << 20):
        monkeypatch.setattr("camkeep.media.mp4.digests.BLOCK", block)
        source, found = MemoryFile(movie.closed), Digests()
        begin = int.from_bytes(movie.closed[:4], "big") + 16
        found.scan(Blocks(source), begin, end, placed(movie.closed))
        assert found.finish(b"", movie.closed[:begin]) == (movie.seal.samples, movie.seal.structure)
        assert source.longest_read <= block


def test_samples_that_overlap_are_refused() -> None:
    source = MemoryFile(random.Random(1).randbytes(1000))
    good = [Placed(10, 20, 1, 0, True), Placed(30, 5, 1, 1, True)]
    Digests().scan(Blocks(source), 0, 1000, good)
    for bad in (
        [Placed(10, 20, 1, 0, True), Placed(29, 5, 1, 1, True)],
        [Placed(995, 6, 1, 0, True)],
    ):
        with pytest.raises(MediaError, match="one over the other"):
            Digests().scan(Blocks(source), 0, 1000, bad)
    with pytest.raises(MediaError, match="shorter"):
        Digests().scan(Blocks(source), 0, 1001, good)


@pytest.mark.parametrize("name", VIDEO)
def test_players_pass_over_checks_and_seal(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    source, sound = stream(name), stream("aac")
    movie = sealed(source, sound, size=9)
    for state, data in (("growing", movie.growing), ("closed", movie.closed)):
        path = tmp_path_factory.mktemp(name) / f"{state}.mp4"
        path.write_bytes(data)
        wanted = [hashlib.md5(s.data, usedforsecurity=False).hexdigest() for s in source.samples]
        assert [packet.md5 for packet in probed(path)] == wanted
        assert len(probed(path, "a:0")) == len(sound.samples)
