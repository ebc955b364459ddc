"""A6: which addresses a camera may have, in whatever way they are written."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from camkeep.cameras.address import SCHEMES, parse_address
from camkeep.errors import CamkeepError, Forbidden, UsageError
from camkeep.server.urlpolicy import UrlPolicy, numeric

CAREFUL = UrlPolicy()
OPEN = UrlPolicy(loopback=True)


def judged(url: str, policy: UrlPolicy = CAREFUL) -> None:
    policy.check(parse_address(url)[0])


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://192.168.1.9/main",
        "rtsps://10.0.0.7/x",
        "http://172.16.3.4:8080/video",
        "https://cam.example.com/video",
        "easyn://[fd12:3456::9]/",
        "easyns://203.0.114.7/",
        "http://100.64.3.1/",
        "0",
        "/dev/video12?size=640x480",
        "/dev/v4l/by-id/usb-046d_HD_Webcam-video-index0",
        "testcard:?fps=10",
        "http://localhost.example.com/",
        "http://notlocalhost/",
        "http://1.2.3.4.5/",
    ],
)
def test_addresses_of_cameras(url: str) -> None:
    judged(url)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "concat:a|b",
        "subfile:,,start,0,end,9,,:/etc/passwd",
        "data:text/plain,x",
        "exec:id",
        "ftp://192.168.1.9/x",
        "gopher://192.168.1.9/x",
        "unix:/run/docker.sock",
        "rtmp://192.168.1.9/x",
        "FILE:///etc/passwd",
        "tcp://192.168.1.9:22",
        "javascript:alert(1)",
        "crypto:x",
        "pipe:0",
        "rtsp+unix://x/",
        "/etc/passwd",
        "v4l2:/etc/passwd",
        "/dev/../etc/passwd",
        "/dev/sda",
        "/dev/v4l/by-id/../../../etc/passwd",
        "/dev/video0/../sda",
    ],
)
def test_other_kinds_of_addresses_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        judged(url, OPEN)


HERE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "017700000001",
    "0177.0.0.01",
    "127.255.255.254",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "127.0.0.1.",
    "cam.localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[::ffff:0:127.0.0.1]",
    "１２７.0.0.1",
    "127。0。0。1",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
]
LINK = ["169.254.7.7", "0xa9fe0707", "[fe80::1]", "[fe80::1%eth0]", "[::ffff:169.254.7.7]"]
NEVER = [
    "0.0.0.0",
    "0",
    "0.0.0.7",
    "[::]",
    "255.255.255.255",
    "224.0.0.1",
    "[ff02::1]",
    "169.254.169.254",
    "2852039166",
    "0xA9.0xFE.0xA9.0xFE",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "250.1.2.3",
]


@pytest.mark.parametrize("host", HERE + LINK)
@pytest.mark.parametrize("scheme", ["http", "rtsp", "easyn", "rtsps"])
def test_this_machine_is_refused_unless_the_operator_turned_it_on(host: str, scheme: str) -> None:
    with pytest.raises(UsageError, match="allow_loopback_cameras"):
        judged(f"{scheme}://{host}/x")
    judged(f"{scheme}://admin:pw@{host}:8080/x", OPEN)


@pytest.mark.parametrize("host", NEVER)
def test_what_is_no_camera_is_always_refused(host: str) -> None:
    for policy in (CAREFUL, OPEN):
        with pytest.raises(UsageError):
            judged(f"http://{host}/x", policy)


@pytest.mark.parametrize("host", ["a b", "127.0.0.1%00", "%6cocalhost", ".", "a,b"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(UsageError):
        judged(f"http://{host}/")


def test_networks_of_the_house_are_for_administrators() -> None:
    others = UrlPolicy(private=False)
    judged("http://8.8.8.8/", others)
    for host in ("10.1.2.3", "192.168.0.1", "172.31.0.1", "[fd00::1]", "[::ffff:10.0.0.1]"):
        with pytest.raises(UsageError, match="administrators"):
            judged(f"http://{host}/", others)


def notations(ip: IPv4Address) -> st.SearchStrategy[str]:
    """Ways to write it that the C library takes."""
    value = int(ip)

    def written(kept: int, bases: list[str]) -> str:
        octets = [value >> shift & 255 for shift in (24, 16, 8, 0)]
        numbers = [*octets[:kept], value & (256 ** (4 - kept) - 1)]
        return ".".join(
            {"d": str(n), "o": f"0{n:o}", "x": f"0x{n:x}", "X": f"0X{n:08X}"}[base]
            for n, base in zip(numbers, bases, strict=False)
        )

    return st.builds(
        written, st.integers(0, 3), st.lists(st.sampled_from("doxX"), min_size=4, max_size=4)
    )


FORBIDDEN = st.one_of(
    st.integers(int(IPv4Address("127.0.0.0")), int(IPv4Address("127.255.255.255"))),
    st.integers(int(IPv4Address("169.254.0.0")), int(IPv4Address("169.254.255.255"))),
    st.integers(int(IPv4Address("224.0.0.0")), int(IPv4Address("255.255.255.255"))),
    st.integers(0, int(IPv4Address("0.255.255.255"))),
).map(IPv4Address)


@given(st.data(), FORBIDDEN)
def test_no_notation_gets_past(data: st.DataObject, ip: IPv4Address) -> None:
    text = data.draw(notations(ip))
    assert socket.inet_aton(text) == ip.packed, "the test writes what the system reads"
    assert numeric(text) == ip
    with pytest.raises(UsageError):
        judged(f"http://{text}/")
    for carrier in (f"::ffff:{ip}", f"64:ff9b::{ip}", f"::ffff:0:{ip}"):
        with pytest.raises(UsageError):
            judged(f"http://[{carrier}]/")
        with pytest.raises(Forbidden):
            CAREFUL.check_ip(carrier)


@given(st.text("0123456789abcdefxX.", max_size=24))
@example("08")
@example("0x")
@example("1..2")
@example("4294967296")
def test_numbers_are_read_as_the_system_reads_them(text: str) -> None:
    try:
        system: IPv4Address | None = IPv4Address(socket.inet_aton(text))
    except OSError:
        system = None
    if system is not None:
        assert numeric(text) == system
    elif numeric(text) is not None:  # more careful than the system
        assert text.rstrip(".") != text or "0x" in text.lower()


def refuses(judge: Callable[[], None]) -> bool:
    try:
        judge()
    except CamkeepError:
        return True
    return False


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_saving_and_connecting_judge_alike(ip: IPv4Address | IPv6Address) -> None:
    host = f"[{ip}]" if ip.version == 6 else str(ip)
    for policy in (CAREFUL, OPEN):
        saving = refuses(partial(judged, f"rtsp://{host}/", policy))
        assert saving == refuses(partial(policy.check_ip, str(ip)))
    if ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        with pytest.raises(Forbidden):
            CAREFUL.check_ip(str(ip))


@given(st.text(max_size=60))
@example("http://\u2488.\u2489/")
@example("http://xn--/")
@example("http://" + "a" * 70 + "/")
def test_any_text_is_refused_or_one_of_the_kinds(text: str) -> None:
    for url in (text, f"http://{text}", f"rtsp://{text}/x", f"v4l2:{text}"):
        try:
            judged(url)
        except UsageError:
            continue
        address, _ = parse_address(url)
        assert address.scheme in SCHEMES
        if address.scheme == "v4l2":
            assert ".." not in address.path
            assert address.path.startswith(("/dev/video", "/dev/v4l/"))


def test_the_addresses_that_a_judge_gets_are_numeric() -> None:
    with pytest.raises(Forbidden):
        CAREFUL.check_ip("localhost")
    CAREFUL.check_ip(str(ip_address("192.168.1.1")))
