"""Every fault of the simulated camera: no good picture is lost, and the counts are exact."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from pathlib import Path

import pytest

from camkeep.cameras.address import Credentials, parse_address
from camkeep.cameras.mjpeg import HttpSource
from camkeep.cameras.simulate import Fault, Kind, Simulator, SimulatorOptions
from camkeep.cameras.source import Notes, SourceOptions, Trust
from camkeep.cameras.testcard import read_number
from camkeep.cameras.trouble import Trouble
from camkeep.errors import (
    CameraError,
    Forbidden,
    LoginRefused,
    NotFound,
    NotTrusted,
    RetrySoon,
    StreamBroken,
    WrongProtocol,
)
from camkeep.model import Sample
from support.watch import watch

FRAMES = 32
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
}
HARMLESS = {
    Kind.BIT_FLIPS: {},
    Kind.HEADER_CASE: {},
    Kind.NO_FIRST_BOUNDARY: {Trouble.BOUNDARY_MISSING: 1},
    Kind.BOUNDARY_DASHES: {},
    Kind.BOUNDARY_QUOTED: {},
    Kind.LINE_FEEDS: {},
    Kind.DECLARED_JPEG: {Trouble.NOT_MULTIPART: 1},
    Kind.BARE: {Trouble.NOT_MULTIPART: 1},
    Kind.CHUNKED: {},
    Kind.REDIRECT: {},
}


def simulator(*faults: Fault, **more) -> Simulator:
    chosen = {"width": 320, "height": 240, "fps": 100.0, "max_frames": FRAMES, **more}
    return Simulator("mjpeg", SimulatorOptions(faults=frozenset(faults), **chosen))


async def all_of(camera: Simulator, notes: Notes, options: SourceOptions) -> list[Sample]:
    """Every frame until the camera ends the stream."""
    samples: list[Sample] = []
    source = HttpSource(parse_address(camera.stream_url)[0], options)
    with pytest.raises(StreamBroken, match="ended the stream"):
        await source.run(samples.append, notes)
    return samples


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("kind", COUNTED, ids=lambda kind: kind.code)
async def test_pictures_are_kept_and_faults_counted(kind: Kind, every: int) -> None:
    notes = Notes()
    async with simulator(Fault(kind, every)) as camera:
        samples = await all_of(camera, notes, SourceOptions())
        dropped = camera.inflicted[kind] if kind is Kind.TRUNCATED else 0
        assert camera.inflicted[kind]
        assert len(samples) == FRAMES - dropped
        assert len({read_number(s.data) for s in samples}) == len(samples)
        assert notes.trouble == {COUNTED[kind]: camera.inflicted[kind]}


@pytest.mark.parametrize("kind", HARMLESS, ids=lambda kind: kind.code)
async def test_odd_streams_are_read(kind: Kind) -> None:
    notes = Notes()
    async with simulator(Fault(kind)) as camera:
        samples = await all_of(camera, notes, SourceOptions())
        assert len({read_number(s.data) for s in samples}) == FRAMES
        assert notes.trouble == HARMLESS[kind]


async def test_a_size_that_changes_in_mid_stream() -> None:
    async with simulator(Fault(Kind.SIZE_CHANGE, 10)) as camera:
        samples = await all_of(camera, Notes(), SourceOptions())
        sizes = [(s.params.width, s.params.height) for s in samples]
        assert sizes == [(320, 240)] * 10 + [(640, 480)] * (FRAMES - 10)


REFUSALS = {
    Kind.UNAUTHORIZED: LoginRefused,
    Kind.FORBIDDEN: LoginRefused,
    Kind.SERVER_ERROR: RetrySoon,
    Kind.NOT_FOUND: NotFound,
    Kind.HTML: WrongProtocol,
    Kind.REDIRECT_HOST: Forbidden,
    Kind.REDIRECT_LOOP: Forbidden,
    Kind.ENDLESS_HEADERS: WrongProtocol,
    Kind.ENDLESS_PART_HEADERS: RetrySoon,
    Kind.DRIP: RetrySoon,
    Kind.REFUSE: RetrySoon,
}


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.code)
async def test_refusals(kind: Kind) -> None:
    async with simulator(Fault(kind)) as camera:
        address, _ = parse_address(camera.stream_url)
        with pytest.raises(REFUSALS[kind]):
            await watch(HttpSource(address, SourceOptions(stall_s=0.5)), 1)


@pytest.mark.parametrize("login", ["basic", "digest", "digest-sha256"])
async def test_logins(login: str) -> None:
    words = {"basic": "Basic", "digest": "Digest MD5", "digest-sha256": "Digest SHA-256"}
    async with simulator(user="admin", password="hunter2", login=login) as camera:
        notes = Notes()
        options = SourceOptions(Credentials("admin", "hunter2"))
        address, _ = parse_address(camera.stream_url)
        assert len(await watch(HttpSource(address, options), 5, notes)) == 5
        assert notes.login == words[login]
        camera.faults = frozenset({Fault(Kind.STALE_NONCE, 1)})
        polled, _ = parse_address(camera.snapshot_url)
        assert len(await watch(HttpSource(polled, options, poll_fps=50), 6, Notes())) == 6
        with pytest.raises(LoginRefused) as caught:
            await watch(HttpSource(address, SourceOptions(Credentials("admin", "wr0ng"))), 1)
        assert "wr0ng" not in str(caught.value)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls") / "camera.pem")


def self_signed(path: Path) -> Path:
    """A self-signed certificate with its key, as cameras make them."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=camera -keyout"
    made = subprocess.run([*command.split(), path], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + made.stdout)
    return path


async def test_a_chosen_certificate_is_the_only_one(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are not compared then, so that any other that the system trusts would do."""
    other = self_signed(tmp_path / "other.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with simulator(certificate=certificate) as camera:
        address, _ = parse_address(camera.stream_url)
        with pytest.raises(NotTrusted):
            await watch(HttpSource(address, SourceOptions(trust=Trust(ca_file=str(other)))), 1)


async def test_tls_with_a_certificate_that_a_person_chose(certificate: Path) -> None:
    text = certificate.read_text()
    shown = ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :])
    fingerprint = hashlib.sha256(shown).hexdigest()
    async with simulator(certificate=certificate) as camera:
        address, _ = parse_address(camera.stream_url)
        assert address.scheme == "https"
        for trust in (Trust(fingerprint=fingerprint), Trust(ca_file=str(certificate))):
            source = HttpSource(address, SourceOptions(trust=trust))
            assert len(await watch(source, 3)) == 3
        for trust in (Trust(), Trust(fingerprint="0" * 64)):
            with pytest.raises(NotTrusted, match=f"sha256:{fingerprint}"):  # to be compared
                await watch(HttpSource(address, SourceOptions(trust=trust)), 1)
        plain, _ = parse_address(camera.stream_url.replace("https:", "http:"))
        with pytest.raises(CameraError):
            await watch(HttpSource(plain, SourceOptions(stall_s=1)), 1)
