"""Basic and Digest as a server would check them."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.address import Credentials
from camkeep.cameras.login import Challenge, Login, parse_challenges
from camkeep.errors import LoginRefused

WHO = Credentials("Mufasa", "Circle of Life")


def fields(header: str) -> dict[str, str]:
    scheme, _, rest = header.partition(" ")
    assert scheme == "Digest"
    return {m[1]: m[2] or m[3] for m in re.finditer(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', rest)}


def verified(header: str, method: str, make: str) -> bool:
    """The server's side of RFC 7616 §3.4.1."""
    given_ = fields(header)

    def h(text: str) -> str:
        return hashlib.new(make, text.encode()).hexdigest()

    a1 = h(f"{WHO.user}:{given_['realm']}:{WHO.password}")
    a2 = h(f"{method}:{given_['uri']}")
    if "qop" in given_:
        middle = f"{given_['nonce']}:{given_['nc']}:{given_['cnonce']}:{given_['qop']}"
        return given_["response"] == h(f"{a1}:{middle}:{a2}")
    return given_["response"] == h(f"{a1}:{given_['nonce']}:{a2}")


def test_a_realm_with_commas_and_several_challenges_in_one_value() -> None:
    value = 'Digest realm="a, b=\\"c\\", Basic x", nonce="n", qop="auth,auth-int", Basic realm="z"'
    assert parse_challenges([value]) == [
        Challenge("digest", {"realm": 'a, b="c", Basic x', "nonce": "n", "qop": "auth,auth-int"}),
        Challenge("basic", {"realm": "z"}),
    ]


@pytest.mark.parametrize("unit", ['"\\', 'a="\\', "a", "Digest ", ",\t", "a= ", 'a="b"'])
def test_a_hostile_challenge_costs_no_more_than_its_length(unit: str) -> None:
    """With work that grows with the square of the length this would take hours."""
    parse_challenges(["Digest x=1, " + unit * (1_000_000 // len(unit))])


def test_a_string_without_an_end() -> None:
    found = [Challenge("digest", {"realm": "a, b", "nonce": 'c"\\'})]
    assert parse_challenges(['Digest realm="a, b", nonce="c\\"\\\\']) == found
    assert parse_challenges(['Digest nonce="c\\"\\\\", realm="a, b']) == found
    assert parse_challenges(['"', "Digest realm=" + '"', '"\\']) == [
        Challenge("digest", {"realm": ""})
    ]


def test_basic() -> None:
    login = Login(WHO)
    assert login.header("GET", "/") is None
    login.challenged(['Basic realm="x"'])
    header = login.header("GET", "/")
    assert header is not None
    assert base64.b64decode(header.split()[1]).decode() == "Mufasa:Circle of Life"
    assert login.scheme == "Basic"


@pytest.mark.parametrize(
    ("challenge", "scheme", "make"),
    [
        ('Digest realm="r", nonce="n"', "Digest MD5", "md5"),
        ('Digest realm="r", nonce="n", qop="auth", algorithm=MD5', "Digest MD5", "md5"),
        ('Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256', "Digest SHA-256", "sha256"),
        ('Digest realm="r,s", nonce="n", qop="auth-int, auth"', "Digest MD5", "md5"),
    ],
)
def test_digest(challenge: str, scheme: str, make: str) -> None:
    login = Login(WHO)
    login.challenged([challenge])
    for count in (1, 2):
        header = login.header("DESCRIBE", "rtsp://cam/x")
        assert header is not None
        assert verified(header, "DESCRIBE", make)
        if "qop" in challenge:
            assert fields(header)["nc"] == f"{count:08x}"
    assert login.scheme == scheme


def test_the_strongest_of_several_is_taken() -> None:
    login = Login(WHO)
    login.challenged(
        [
            'Basic realm="r"',
            'Digest realm="r", nonce="n", algorithm=MD5',
            'Digest realm="r", nonce="n", algorithm=SHA-256',
        ]
    )
    assert login.scheme == "Digest SHA-256"


def test_a_stale_nonce_is_worth_another_try_and_a_wrong_password_is_not() -> None:
    login = Login(WHO)
    login.challenged(['Digest realm="r", nonce="1"'])
    login.header("GET", "/")
    login.challenged(['Digest realm="r", nonce="2", stale=TRUE'])
    login.header("GET", "/")
    with pytest.raises(LoginRefused, match="refused the user or password"):
        login.challenged(['Digest realm="r", nonce="3"'])


def test_a_new_nonce_after_success_is_no_refusal() -> None:
    login = Login(WHO)
    login.challenged(['Digest realm="r", nonce="1"'])
    login.header("GET", "/")
    login.accepted()
    login.challenged(['Digest realm="r", nonce="2"'])
    assert fields(login.header("GET", "/") or "")["nonce"] == "2"


def test_without_a_login_or_with_an_unknown_scheme() -> None:
    with pytest.raises(LoginRefused, match="wants a login"):
        Login(None).challenged(['Basic realm="r"'])
    with pytest.raises(LoginRefused, match="negotiate"):
        Login(WHO).challenged(["Negotiate"])


@given(st.lists(st.text(max_size=200), max_size=4))
def test_no_challenge_raises_anything_else(values: list[str]) -> None:
    login = Login(WHO)
    try:
        login.challenged(values)
    except LoginRefused:
        return
    assert login.header("GET", "/")
