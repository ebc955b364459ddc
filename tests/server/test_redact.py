"""What looks like a secret, or was told to be one, does not come through."""

from __future__ import annotations

import time
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from camkeep.server.redact import KNOWN_SECRETS, Redactor

PLANTED = "s3cr3t-Pa55"


@pytest.mark.parametrize(
    "text",
    [
        f"rtsp://admin:{PLANTED}@192.0.2.7/stream",
        f"rtsp://admin:x/{PLANTED}@y@192.0.2.7/stream is away",
        f"<http://{PLANTED}@host/>",
        f"GET /videostream.cgi?user=admin&pwd={PLANTED}&resolution=8",
        f"/videostream.cgi?loginuse=admin&loginpas={PLANTED}",
        f"/user=admin_password={PLANTED}_channel=1",
        f"Login(user='a', password='{PLANTED} with \\' more {PLANTED}', x=1)",
        f'{{"name": "garage", "password": "{PLANTED}"}}',
        f"{{'token': '{PLANTED}', 'a': 1}}",
        f"Authorization: Basic {PLANTED}\r\nHost: x",
        f"[(b'host', b'x'), (b'cookie', b'session={PLANTED}')]",
        f"Set-Cookie: a=b; session={PLANTED}; HttpOnly",
        f"with the header Bearer {PLANTED}",
        f"Digest username=admin, nonce=1, response={PLANTED}",
        f"?token={PLANTED}",
        f"?access_token={PLANTED}#x",
        f"?sig={PLANTED}&x",
        f"the token ck_{PLANTED} was made",
        f"GET /share/{PLANTED}{PLANTED} 200",
        f"GET /api/v1/s/{PLANTED}{PLANTED}/clip.mp4 200",
    ],
)
def test_what_looks_like_a_secret_goes(text: str) -> None:
    assert PLANTED not in Redactor()(text)


@pytest.mark.parametrize(
    "text",
    [
        "garage: the camera refused the password; trying again in 5 min",
        "http://192.0.2.7:81/videostream.cgi?resolution=8&rate=6",
        "GET /api/v1/cameras/abc/timeline?from=1&to=2 200",
        "anna@example.org logged in from 192.0.2.1",
        "Basic login was taken; Digest MD5 is better",
        "the segment recordings/garage/2026-11-21/14-03-07Z.mp4 is damaged",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor()(text) == text


@given(
    st.text(min_size=6, max_size=40).filter(lambda s: "*" not in s),
    st.text(max_size=20),
    st.text(max_size=20),
)
@example("pa ss/w%rd@", "", "")
@example('"quoted\\', "a", "b")
def test_a_secret_that_was_learned_goes_in_all_its_spellings(
    secret: str, before: str, after: str
) -> None:
    try:
        login = b64encode(f"anna:{secret}".encode()).decode()
        spelled = [secret, repr(secret)[1:-1], quote(secret, safe=""), quote_plus(secret), login]
    except UnicodeEncodeError:  # a lone surrogate, which no camera can be sent
        return
    redact = Redactor()
    redact.learn(secret, "anna")
    for text in spelled:
        assert text not in redact(f"{before} {text} {after}").replace("***", "")
    assert secret not in repr(redact)


def test_a_surrogate_in_a_secret_is_no_error() -> None:
    redact = Redactor()
    redact.learn("abc\udc80def", "anna")
    assert "abc" not in redact("it is abc\udc80def")


def test_the_longer_of_two_secrets_goes_as_a_whole() -> None:
    redact = Redactor()
    redact.learn("summer")
    redact.learn("summertime")
    assert redact("in summertime") == "in ***"


def test_no_more_than_so_many_are_remembered() -> None:
    redact = Redactor()
    for number in range(KNOWN_SECRETS + 10):
        redact.learn(f"secret-number-{number}-")
    assert repr(redact) == f"<Redactor of {KNOWN_SECRETS}>"
    assert redact("secret-number-0-") == "secret-number-0-"
    assert redact("x secret-number-2005-") == "x ***"


def test_what_is_too_short_is_not_learned() -> None:
    redact = Redactor()
    redact.learn("12")
    assert redact("at 12:12") == "at 12:12"


@pytest.mark.parametrize(
    "text", ["://" * 10_000, "password=" * 4000, "'" * 30_000, "cookie" * 5000, "token'" * 5000]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    Redactor()(text)
    assert time.process_time() - began < 2
