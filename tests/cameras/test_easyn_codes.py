"""Tables, replies and discovery packets of EasyN cameras."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.easyn import codes
from camkeep.cameras.easyn.codes import movement, nearest_rate, parse_rate, parse_resolution
from camkeep.cameras.easyn.discovery import REQUEST, parse_reply
from camkeep.cameras.easyn.replies import check_reply
from camkeep.cameras.easyn.replies import parse_reply as parse_variables
from camkeep.errors import LoginRefused, MediaError, NotSupported, UsageError


@pytest.mark.parametrize(
    ("wish", "code"),
    [("10", 6), ("10fps", 6), ("max", 0), ("30", 0), ("24", 0), ("18", 1), ("7", 11), ("0.5", 17)]  # noqa: RUF005
    + [("1/3", 19), ("0.01", 23), ("code:14", 14), ("code:0", 0), (" 5 FPS ", 11)],
)
def test_rates(wish: str, code: int) -> None:
    assert parse_rate(wish).code == code


def test_a_rate_shows_what_was_wished_and_what_is_promised() -> None:
    assert str(parse_rate("10")) == "rate code 6, 10 fps"
    assert str(nearest_rate(12)) == "rate code 6, 10 fps (12 wished)"


@given(st.fractions(min_value="1/100", max_value=100))
def test_no_rate_is_nearer_than_the_nearest(fps: Fraction) -> None:
    rate = nearest_rate(fps)
    assert all(abs(rate.fps - rate.wished) <= abs(f - rate.wished) for f in codes.RATES.values())


@pytest.mark.parametrize("wish", ["", "0", "-5", "fast", "code:2", "code:x", "nan", "1e9", "1/0"])
def test_wrong_rates_are_told_what_there_is(wish: str) -> None:
    with pytest.raises(UsageError, match=r"max|21"):
        parse_rate(wish)


def test_resolutions() -> None:
    assert [parse_resolution(t) for t in ("640x480", "VGA", "32")] == [32] * 3
    assert [parse_resolution(t) for t in ("320X240", "qvga", "8")] == [8] * 3
    for wrong in ("", "800x600", "9", "x"):
        with pytest.raises(UsageError, match=r"320x240 \(or 8\), 640x480 \(or 32\)"):
            parse_resolution(wrong)


def test_directions_on_inverted_axes() -> None:
    both = frozenset({"horizontal", "vertical"})
    assert movement("left", frozenset()) == 4
    assert movement("left", frozenset({"horizontal"})) == 6
    assert movement("up", frozenset({"horizontal"})) == 0
    assert movement("up-left", frozenset({"vertical"})) == 92
    assert movement("up-left", both) == 93
    assert movement("down-right", both) == 90
    with pytest.raises(UsageError, match="up, down, left"):
        movement("north", frozenset())


def test_presets() -> None:
    assert [codes.preset_commands(n) for n in (1, 2, 16)] == [(30, 31), (32, 33), (60, 61)]
    for wrong in (0, 17):
        with pytest.raises(UsageError, match="1 to 16"):
            codes.preset_commands(wrong)


def test_replies() -> None:
    reply = (
        b"var id='000DC5D00001';\r\nvar sys_ver=\"0.37.2.36\";\nvar now=1352782970;\r\n"
        b"var alias='Bob\\'s; cam';var tz=-3600;\nvar empty='';\nresult=0;\n<!-- x='y' -->\n"
        b"var a\xe9='no name';\n"
    )
    assert parse_variables(reply) == {
        "id": "000DC5D00001",
        "sys_ver": "0.37.2.36",
        "now": "1352782970",
        "alias": "Bob's; cam",
        "tz": "-3600",
        "empty": "",
        "result": "0",
    }


def test_replies_that_are_errors_with_status_200() -> None:
    check_reply(b"ok.\n", "x")
    check_reply(b"var alias='error of judgement';", "x")
    with pytest.raises(NotSupported, match="refuses brightness 300"):
        check_reply(b"error: illegal params.\n", "brightness 300")
    for refusal in (b'var result="Auth Failed";', b"error: illegal user or password"):
        with pytest.raises(LoginRefused):
            check_reply(refusal, "x")


@given(st.binary(max_size=600))
def test_any_reply_is_survived(data: bytes) -> None:
    parse_variables(data)
    parse_variables(b"var a='" + data + b"';\nvar b=" + data)
    try:
        check_reply(data, "x")
    except (LoginRefused, NotSupported):
        pass
    with pytest.raises(MediaError):
        parse_reply(data[:80])


def test_a_reply_of_one_long_line_takes_no_time() -> None:
    for line in (
        b"a" * 200_000,
        b"var " * 50_000,
        b"a='" * 60_000,
        b" " * 200_000,
        b";a=" * 60_000,
        b"a=" + b" " * 200_000 + b"'",
    ):
        parse_variables(line)
    with pytest.raises(MediaError, match="too long"):
        parse_variables(bytes(300_000))


def test_discovery_packets() -> None:
    assert REQUEST.hex() == "4d4f5f49" + "00" * 11 + "0400000004" + "00" * 6 + "01"
    assert len(REQUEST) == 27
    reply = struct.pack(
        ">23s13s21s4I4b4b4bH?",
        *(b"MO_I\1", b"000DC5D00001", b"Garage\x1b[0m"),
        *(0xC0000207, 0xFFFFFF00, 0xC0000201, 0xC0000201),
        *(0, 0, 0, 0, 0, 37, 2, 36, 3, 2, 2, 18),
        *(8080, True),
    )
    found = parse_reply(reply)
    assert (found.id, found.name) == ("000DC5D00001", "Garage[0m")
    assert (found.ip, found.mask, found.gateway) == ("192.0.2.7", "255.255.255.0", "192.0.2.1")
    assert (found.system_version, found.app_version) == ("0.37.2.36", "3.2.2.18")
    assert found.url == "easyn://192.0.2.7:8080/"
    assert found.dhcp
    for wrong in (REQUEST, reply[:-1], reply + b"x", b"X" + reply[1:]):
        with pytest.raises(MediaError):
            parse_reply(wrong)


@given(st.binary(min_size=84, max_size=84))
def test_any_answer_of_the_right_length_is_read(data: bytes) -> None:
    found = parse_reply(b"MO_I" + data)
    assert found.name.isprintable()
    assert 0 <= found.port < 65536
