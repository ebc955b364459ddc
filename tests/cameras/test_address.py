"""Addresses: what a person types, and nothing secret in what is shown of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.address import Address, parse_address
from camkeep.errors import UsageError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0", "/dev/video0"),
        ("12", "/dev/video12"),
        ("/dev/video3?size=640x480", "/dev/video3?size=640x480"),
        ("v4l2:/dev/video1", "/dev/video1"),
        ("testcard:", "testcard:/"),
        ("testcard:?fps=5", "testcard:/?fps=5"),
        ("http://cam", "http://cam/"),
        ("http://cam:8080/a?b=c", "http://cam:8080/a?b=c"),
        ("HTTP://cam/", "http://cam/"),
        ("rtsp://u:p@[fe80::1]:8554/main", "rtsp://[fe80::1]:8554/main"),
        ("easyn://admin:secret@192.0.2.7/?rate=10", "easyn://192.0.2.7/?rate=10"),
        ("http://c/snap.cgi?user=admin&pwd=secret", "http://c/snap.cgi?user=admin&pwd=***"),
        ("http://c/s?loginuse=a&loginpas=secret&x", "http://c/s?loginuse=a&loginpas=***&x"),
        ("http://c/s?p%61ssword=secret", "http://c/s?p%61ssword=***"),
        ("http://c/s?a=1;pwd=secret;b=2", "http://c/s?a=1;pwd=***;b=2"),
        (
            "rtsp://c/user=admin&password=secret&channel=1&stream=0.sdp?real_stream",
            "rtsp://c/user=admin&password=***&channel=1&stream=0.sdp?real_stream",
        ),
        (
            "rtsp://c/user=admin_password=secret_x_channel=1_stream=0.sdp",
            "rtsp://c/user=admin_password=***_channel=1_stream=0.sdp",
        ),
        ("rtsp://c/live/token=secret/main", "rtsp://c/live/token=***/main"),
    ],
)
def test_shown_without_secrets(text: str, shown: str) -> None:
    address, _ = parse_address(text)
    assert str(address) == shown
    assert "secret" not in repr(address)


def test_the_login_is_kept_apart_and_unquoted() -> None:
    address, login = parse_address("rtsp://ad%40min:p%3Ass%2Fw@cam/x")
    assert login is not None
    assert (login.user, login.password) == ("ad@min", "p:ss/w")
    assert "p:ss/w" not in repr(login)
    assert address == Address("rtsp", "cam", 554, "/x")


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd",
        "concat:a|b",
        "subfile,,start,0:x",
        "data:text/plain,x",
        "ftp://cam/",
        "exec:sh",
        "//cam/",
        "cam",
        "",
        "http://",
        "http:///path",
        "http://cam:99999/",
        "http://cam:x/",
        "http://[::1/",
        "http://cam/ x",
        "http://cam/\r\nHost: other",
        "9" * 5000,
        "/dev/video0\0",
    ],
)
def test_everything_else_is_refused_in_a_sentence_without_the_text(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "passwd" not in str(caught.value)


@given(st.text(max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        address, _ = parse_address(text)
    except UsageError:
        return
    assert "\n" not in str(address)
