"""What commands share: lengths of time, sizes, trust, and where a password comes from."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.source import parse_trust
from camkeep.cli.amounts import seconds
from camkeep.cli.common import add_camera, camera_from, in_bytes, in_rate, in_time
from camkeep.errors import UsageError


@pytest.mark.parametrize(
    ("text", "length"),
    [("90", 90), ("90s", 90), ("1.5m", 90), ("10min", 600), ("2h", 7200), ("1h30m", 5400)],
)
def test_lengths_of_time(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "x", "10x", "-5", "0", "1h-3m", "m10", "1..5s", "nan"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        seconds(text)


@given(st.text(max_size=20))
def test_any_text_is_a_length_or_a_clear_refusal(text: str) -> None:
    try:
        assert seconds(text) > 0
    except argparse.ArgumentTypeError:
        pass


def test_words_for_a_person() -> None:
    assert [in_bytes(n) for n in (0, 999, 1500, 4_100_000, 7e12)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "4.1 MB",
        "7.0 TB",
    ]
    assert [in_time(s) for s in (8.25, 245, 3723)] == ["8.2 s", "4:05", "1:02:03"]
    assert [in_rate(r) for r in (64_000, 3_900_000)] == ["64 kbit/s", "3.9 Mbit/s"]


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_camera(parser)
    return parser.parse_args(arguments)


def password(*arguments: str) -> tuple[str, str] | None:
    login = camera_from(parse(*arguments))[1].credentials
    return login and (login.user, login.password)


def test_where_the_password_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pw"
    file.write_text("of the file\nsecond line\n")
    monkeypatch.delenv("CAMKEEP_PASSWORD", raising=False)
    assert password("rtsp://cam/") is None
    assert password("rtsp://u:url@cam/") == ("u", "url")
    assert password("rtsp://u:url@cam/", "--user", "v") == ("v", "url")
    assert password("rtsp://u@cam/", "--password-file", str(file)) == ("u", "of the file")
    monkeypatch.setenv("CAMKEEP_PASSWORD", "of the environment")
    assert password("rtsp://u@cam/") == ("u", "of the environment")
    assert password("rtsp://u:url@cam/") == ("u", "url")
    assert password("rtsp://cam/", "--user", "u") == ("u", "of the environment")


def test_a_password_file_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the password from"):
        password("rtsp://u@cam/", "--password-file", str(tmp_path / "none"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not text"):
        password("rtsp://u@cam/", "--password-file", str(tmp_path / "binary"))
    with pytest.raises(UsageError, match="needs a --user"):
        password("rtsp://cam/", "--password-file", str(tmp_path / "none"))


def test_trust() -> None:
    assert parse_trust(None).fingerprint is None
    assert parse_trust("sha256:" + "AB:" * 31 + "AB").fingerprint == "ab" * 32
    assert parse_trust("camera.pem").ca_file == "camera.pem"
    with pytest.raises(UsageError, match="64"):
        parse_trust("sha256:abc")
