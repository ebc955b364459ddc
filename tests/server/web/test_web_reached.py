"""A4: by which names the service may be called, what pages of other origins may do, and what is
believed of proxies."""

from __future__ import annotations

import socket
from ipaddress import ip_network
from pathlib import Path

import pytest
from fastapi import APIRouter, WebSocket
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from camkeep.errors import UsageError
from camkeep.server.access import Role
from camkeep.server.problems import Problem
from camkeep.server.web.guard import Anybody, Looker
from camkeep.server.web.options import WebOptions
from camkeep.server.web.reached import Reach, origin_of, visit
from camkeep.server.web.visit import Visit, VisitOf
from support.rawrequest import ask, knock
from support.server import ANYWHERE, serving

PROXY = (ip_network("10.1.0.0/16"), ip_network("127.0.0.1/32"))
REACH = Reach.of(
    WebOptions(
        public_url="https://cams.example/",
        allowed_hosts=("nas", "[2001:db8::1]"),
        trusted_proxies=PROXY,
    )
)


def seen(peer: str = "192.0.2.7", scheme: str = "http", **headers: str) -> tuple[object, ...]:
    found = visit(
        REACH,
        peer,
        scheme,
        Headers(raw=[(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]),
    )
    return (found.address, found.scheme, found.host, found.port, found.local)


def status(**headers: str) -> int:
    with pytest.raises(Problem) as refused:
        seen(**headers)
    return refused.value.status


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        ("localhost:8090", "localhost", 8090),
        ("LOCALHOST", "localhost", 80),
        ("127.0.0.1:1", "127.0.0.1", 1),
        ("[::1]:8090", "::1", 8090),
        ("[2001:DB8:0::1]", "2001:db8::1", 80),
        ("[::ffff:192.0.2.1]:80", "192.0.2.1", 80),
        ("192.0.2.1", "192.0.2.1", 80),
        ("cams.example", "cams.example", 80),
        ("cams.example.:443", "cams.example", 443),
        ("nas", "nas", 80),
        (socket.gethostname(), socket.gethostname().lower(), 80),
        (f"{socket.gethostname()}.local", f"{socket.gethostname().lower()}.local", 80),
    ],
)
def test_names_by_which_it_may_be_called(host: str, name: str, port: int) -> None:
    assert seen(host=host)[2:4] == (name, port)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "cams.example.evil.example", "xcams.example",
     "localhost.evil.example", "0x7f000001", "2130706433",
     "localhost.localdomain.evil.example:8090"],
)  # fmt: skip
def test_names_by_which_it_may_not(host: str) -> None:
    assert status(host=host) == 421


@pytest.mark.parametrize(
    "host",
    ["", " ", "a b", "user@localhost", "localhost:x", "localhost:99999", "localhost:0", "[::1",
     "::1", "localhost/", "localhost:80:80", "[evil]", "localhost\\", "é", "a" * 300],
)  # fmt: skip
def test_a_host_that_does_not_read(host: str) -> None:
    assert status(host=host) == 400


def test_one_host_is_said() -> None:
    for hosts in ([], [b"localhost", b"evil.example"], [b"localhost", b"localhost"]):
        headers = Headers(raw=[(b"host", host) for host in hosts])
        with pytest.raises(Problem, match="one Host"):
            visit(REACH, "127.0.0.1", "http", headers)


def test_a_proxy_is_believed_only_if_it_is_one() -> None:
    said = {
        "host": "camkeep",
        "x_forwarded_for": "198.51.100.4",
        "x_forwarded_proto": "https",
        "x_forwarded_host": "cams.example",
    }
    assert seen("10.1.2.3", **said) == ("198.51.100.4", "https", "cams.example", 443, False)
    said["host"] = "192.0.2.1"
    assert seen("192.0.2.7", **said) == ("192.0.2.7", "http", "192.0.2.1", 80, False)


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("198.51.100.4", "198.51.100.4"),
        ("203.0.113.9, 198.51.100.4", "198.51.100.4"),
        ("127.0.0.1, 198.51.100.4, 10.1.0.9", "198.51.100.4"),
        ("10.1.0.8, 10.1.0.9", "10.1.0.8"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("198.51.100.4:5000", "198.51.100.4"),
        ("rubbish, 198.51.100.4", "198.51.100.4"),
    ],
)
def test_the_client_is_who_stands_before_the_proxies(line: str, address: str) -> None:
    assert seen("10.1.2.3", host="nas", x_forwarded_for=line)[0] == address


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "for=198.51.100.4;proto=https;host=cams.example",
            ("198.51.100.4", "https", "cams.example"),
        ),
        ('For="[2001:db8::7]:4711";Proto=https', ("2001:db8::7", "https", "nas")),
        ("for=127.0.0.1, for=198.51.100.4;by=10.1.2.3", ("198.51.100.4", "http", "nas")),
        ('for=198.51.100.4;ext="a;b,c\\"d"', ("198.51.100.4", "http", "nas")),
    ],
)
def test_forwarded_is_read_too(line: str, found: tuple[str, str, str]) -> None:
    assert seen("10.1.2.3", host="nas", forwarded=line)[:3] == found


@pytest.mark.parametrize(
    "headers",
    [
        {"forwarded": "for=unknown"},
        {"forwarded": "for=198.51.100.4 rubbish"},
        {"forwarded": 'for="198.51.100.4'},
        {"x_forwarded_for": "somebody"},
        {"x_forwarded_proto": "gopher"},
        {"x_forwarded_for": "198.51.100.4", "forwarded": "for=203.0.113.9"},
    ],
)
def test_a_proxy_that_does_not_speak_plainly(headers: dict[str, str]) -> None:
    with pytest.raises(Problem) as refused:
        seen("10.1.2.3", host="nas", **headers)
    assert refused.value.status == 400


def test_what_a_proxy_names_is_no_way_past_the_names() -> None:
    with pytest.raises(Problem) as refused:
        seen("10.1.2.3", host="nas", x_forwarded_host="evil.example")
    assert refused.value.status == 421


@pytest.mark.parametrize(
    ("peer", "headers", "local"),
    [
        ("127.0.0.2", {"host": "localhost:8090"}, True),
        ("::1", {"host": "[::1]:8090"}, True),
        ("::ffff:127.0.0.2", {"host": "127.0.0.1"}, True),
        ("127.0.0.1", {"host": "localhost"}, False),  # it is a proxy of ours here
        ("127.0.0.2", {"host": "nas"}, False),
        ("127.0.0.2", {"host": "192.0.2.1"}, False),
        ("127.0.0.2", {"host": "localhost", "x_forwarded_for": "127.0.0.1"}, False),
        ("127.0.0.2", {"host": "localhost", "x_forwarded_proto": "http"}, False),
        ("127.0.0.2", {"host": "localhost", "forwarded": "for=127.0.0.1"}, False),
        ("127.0.0.2", {"host": "localhost", "via": "1.1 x"}, False),
        ("127.0.0.2", {"host": "localhost", "x_real_ip": "127.0.0.1"}, False),
        ("192.0.2.7", {"host": "localhost"}, False),
        ("", {"host": "localhost"}, False),
    ],
)
def test_who_is_on_this_machine(peer: str, headers: dict[str, str], local: bool) -> None:
    assert seen(peer, **headers)[4] is local


def test_an_old_proxy_is_not_taken_for_this_machine() -> None:
    headers = Headers(raw=[(b"host", b"127.0.0.1:8090")])
    assert not visit(Reach.of(WebOptions()), "127.0.0.1", "http", headers, "1.0").local


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Cams.Example", ("https", "cams.example", 443)),
        ("http://[::1]:8090", ("http", "::1", 8090)),
        ("null", None),
        ("file://", None),
        ("http://", None),
        ("http://a:b", None),
        ("http://user@localhost", None),
        ("https://cams.example:443", ("https", "cams.example", 443)),
    ],
)
def test_origins(url: str, origin: object) -> None:
    assert origin_of(url) == origin


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_whatever_headers_say_it_is_a_visit_or_a_problem(host: str, line: str, plain: str) -> None:
    raw = [
        (b"host", host.encode("latin-1", "replace")),
        (b"forwarded", line.encode("latin-1", "replace")),
        (b"x-forwarded-for", plain.encode("latin-1", "replace")),
    ]
    for headers in (raw, [(b"host", b"localhost"), *raw[1:2]], [(b"host", b"nas"), *raw[2:]]):
        try:
            found = visit(REACH, "10.1.2.3", "http", Headers(raw=headers))
        except Problem as problem:
            assert problem.status in (400, 421)  # noqa: PT017
        else:
            assert not found.local


@pytest.mark.parametrize("name", ["a b", "http://x", "", "x:80", "*"])
def test_a_name_that_is_none_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="not the name of a host"):
        Reach.of(WebOptions(allowed_hosts=(name,)))


def test_a_public_url_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match="address of a page"):
        Reach.of(WebOptions(public_url="cams.example"))


# over HTTP

router = APIRouter()


@router.get("/thing")
@router.post("/thing")
@router.delete("/thing")
def thing(who: Looker) -> str:
    return who.name


@router.get("/came")
def where(who: Anybody, visit: VisitOf) -> dict[str, object]:
    return {"address": visit.address, "url": visit.url, "local": visit.local}


@router.websocket("/socket")
async def socket_(websocket: WebSocket, who: Looker) -> None:
    await websocket.accept()
    await websocket.close()


@pytest.mark.parametrize(
    ("header", "good"),
    [
        ("Origin: http://127.0.0.1:{port}", True),
        ("X-Nothing: x", True),
        ("Sec-Fetch-Site: same-origin", True),
        ("Sec-Fetch-Site: none", True),
        ("Origin: http://127.0.0.1:{other}", False),
        ("Origin: https://127.0.0.1:{port}", False),
        ("Origin: http://localhost:{port}", False),
        ("Origin: http://evil.example", False),
        ("Origin: http://127.0.0.1", False),
        ("Origin: null", False),
        ("Origin:", False),
        ("Sec-Fetch-Site: cross-site", False),
        ("Sec-Fetch-Site: same-site", False),
    ],
)
async def test_pages_of_other_origins_change_nothing(
    tmp_path: Path, header: str, good: bool
) -> None:
    async with serving(tmp_path, more=[("", router)]) as site:
        await site.user("anna")
        cookie = f"Cookie: camkeep={await site.session('anna')}"
        line = header.format(port=site.port, other=site.port - 1)
        for method in ("POST", "DELETE"):
            answer = await ask(site.port, method, "/thing", cookie, line)
            assert answer.status == (200 if good else 403)
        answer = await knock(site.port, "/socket", cookie, line)
        assert answer.status == (101 if good else 403)
        assert (await ask(site.port, "GET", "/thing", cookie, line)).status == 200


async def test_a_rebound_name_gets_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, more=[("", router)]) as site:
        for method in ("GET", "POST", "OPTIONS"):
            answer = await ask(site.port, method, "/thing", host=f"evil.example:{site.port}")
            assert answer.status == 421
        assert (await knock(site.port, "/socket", host="evil.example")).status == 421


async def test_no_other_origin_may_read_answers(tmp_path: Path) -> None:
    async with serving(tmp_path, more=[("", router)]) as site:
        asking = ("Origin: http://evil.example", "Access-Control-Request-Method: POST")
        for method in ("GET", "OPTIONS"):
            answer = await ask(site.port, method, "/thing", *asking)
            assert not [name for name in answer.headers if name.startswith("access-control")]
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_a_page_elsewhere_is_not_this_machine(tmp_path: Path) -> None:
    async with serving(tmp_path, more=[("", router)]) as site:
        assert (await ask(site.port, "GET", "/thing")).json() == "this machine"
        for place in ("cross-site", "same-site"):
            answer = await ask(site.port, "GET", "/thing", f"Sec-Fetch-Site: {place}")
            assert answer.status == 401


async def test_behind_a_proxy(tmp_path: Path) -> None:
    web = WebOptions(
        listen=ANYWHERE,
        trusted_proxies=(ip_network("127.0.0.0/8"),),
        public_url="https://cams.example/",
    )
    async with serving(tmp_path, more=[("", router)], web=web) as site:
        said = ("X-Forwarded-For: 198.51.100.4", "X-Forwarded-Proto: https")
        answer = await ask(site.port, "GET", "/came", *said, host="cams.example")
        assert answer.json() == {
            "address": "198.51.100.4",
            "url": "https://cams.example",
            "local": False,
        }
        assert "strict-transport-security" in answer.headers
        assert (await ask(site.port, "POST", "/thing", *said, host="cams.example")).status == 401
        assert (await ask(site.port, "GET", "/thing")).status == 401  # a proxy that is silent
        await site.user("anna", Role.ADMIN)
        cookie = f"Cookie: __Host-camkeep={await site.session('anna')}"
        plain = f"Cookie: camkeep={await site.session('anna')}"
        own, other = "Origin: https://cams.example", "Origin: http://cams.example"
        for origin, status in ((own, 200), (other, 403)):
            got = await ask(site.port, "POST", "/thing", *said, cookie, origin, host="cams.example")
            assert got.status == status
        assert (
            await ask(site.port, "GET", "/thing", *said, plain, host="cams.example")
        ).status == 401


@pytest.mark.parametrize(
    ("url", "trustworthy"),
    [
        ("http://localhost:8090", True),
        ("http://127.0.0.1:8090", True),
        ("http://[::1]:8090", True),
        ("https://cams.example", True),
        ("http://192.0.2.4:8090", False),
        ("http://cams.example", False),
    ],
)
def test_what_browsers_trust(url: str, trustworthy: bool) -> None:
    found = origin_of(url)
    assert found is not None
    scheme, host, port = found
    assert Visit("192.0.2.9", scheme, host, port, local=False).trustworthy is trustworthy
