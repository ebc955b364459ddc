"""camkeep.toml as people write and miswrite it."""

from __future__ import annotations

import logging
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.errors import UsageError
from camkeep.server.amounts import Room
from camkeep.server.options import (
    ServeOptions,
    find_options,
    parse_listen,
    parse_options,
    read_options,
)

FULL = """
[server]
listen = ["0.0.0.0:8090", "[::1]:9000"]
data = "cams"
tls_certificate = "/etc/ssl/cam.pem"
tls_key = "cam.key"
public_url = "https://cams.example.com/"
allowed_hosts = ["Cams.local", "cams"]
trusted_proxies = ["127.0.0.1", "10.1.0.0/16"]
allow_loopback_cameras = true
log_format = "json"
log_level = "warning"

[keep]
max_size = "500GB"
max_age = "30d"
keep_free = "10%"
"""


def parse(text: str) -> ServeOptions:
    return parse_options(text.encode(), "camkeep.toml", Path("/etc/camkeep"))


def test_everything_there_is() -> None:
    options = parse(FULL)
    web = options.web
    assert web.listen == (("0.0.0.0", 8090), ("::1", 9000))
    assert web.certificate is not None
    assert (web.certificate.chain, web.certificate.key) == (
        Path("/etc/ssl/cam.pem"),
        Path("/etc/camkeep/cam.key"),
    )
    assert web.public_url == "https://cams.example.com/"
    assert web.allowed_hosts == ("cams.local", "cams")
    assert web.trusted_proxies == (ip_network("127.0.0.1"), ip_network("10.1.0.0/16"))
    assert options.data == Path("/etc/camkeep/cams")
    assert options.cameras.loopback
    assert (options.log_format, options.log_level) == ("json", logging.WARNING)
    assert (options.keep.limits.max_bytes, options.keep.limits.max_age_s) == (5 * 10**11, 2592000)
    assert options.keep.keep_free == Room(share=0.1)


def test_nothing_is_needed() -> None:
    options = parse("")
    assert options == ServeOptions()
    assert options.web.listen == (("127.0.0.1", 8090),)
    assert not options.cameras.loopback
    assert options.keep.keep_free.of(1000) == 50


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server", "not TOML"),
        ("x = 1", "'x' is unknown: write"),
        ("[servers]", "'servers' is unknown"),
        ("server = 1", "'server' is unknown"),
        ("[server]\nport = 80", r"\[server\] has no 'port': it has listen, data"),
        ("[keep]\nsize = 1", r"\[keep\] has no 'size': it has max_size"),
        ("[server]\nlisten = true", "server.listen: write a text"),
        ("[server]\nlisten = []", "at least one address"),
        ('[server]\nlisten = "host:99999"', "server.listen: 'host:99999' is no address"),
        ('[server]\nlisten = "http://x/"', "server.listen"),
        ('[server]\nlog_format = "xml"', "server.log_format: write text or json"),
        ("[server]\nlog_level = 3", "server.log_level: write a text"),
        ('[server]\nlog_level = "loud"', "debug, info, warning or error"),
        ('[server]\nallow_loopback_cameras = "yes"', "write true or false"),
        ('[server]\ntrusted_proxies = ["proxy"]', "no address of a proxy"),
        ('[server]\ntrusted_proxies = ["10.1.2.3/16"]', "no address of a proxy"),
        ('[server]\nallowed_hosts = ["*"]', "no name of a host"),
        ('[server]\nallowed_hosts = ["a b"]', "no name of a host"),
        ('[server]\npublic_url = "cams.example.com"', "no address of a page"),
        ('[server]\npublic_url = "https://u:p@cams/"', "no address of a page"),
        ('[server]\npublic_url = "https://cams/path"', "no address of a page"),
        ('[server]\ndata = ""', "server.data: write a text"),
        ('[server]\ntls_key = "k"', "needs a server.tls_certificate"),
        ('[keep]\nmax_size = "500"', "keep.max_size: '500' is no size: write 500GB"),
        ("[keep]\nmax_size = 500", "keep.max_size: write a text"),
        ('[keep]\nmax_age = "30"', "keep.max_age: '30' is no age: write 30d"),
        ('[keep]\nkeep_free = "some"', "no room on a disk"),
    ],
)
def test_one_sentence_for_each_mistake(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        parse(text)
    assert str(caught.value).startswith("camkeep.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("8091", ("127.0.0.1", 8091)),
        ("192.0.2.7", ("192.0.2.7", 8090)),
        ("cams.local:80", ("cams.local", 80)),
        ("[::]:0", ("::", 0)),
        ("*:8090", ("0.0.0.0", 8090)),
    ],
)
def test_where_to_listen(text: str, where: tuple[str, int]) -> None:
    assert parse_listen(text) == where


def test_keep_free_may_be_nothing() -> None:
    assert parse("[keep]\nkeep_free = 0").keep.keep_free == Room()


def test_where_it_is_looked_for(tmp_path: Path) -> None:
    def write(path: Path, port: int) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[server]\nlisten = {port}\n")
        return path

    def port(chosen: Path | None = None, **environment: str) -> int:
        return find_options(chosen, environment).web.listen[0][1]

    home = tmp_path / "home"
    write(home / ".config" / "camkeep" / "camkeep.toml", 1)
    write(tmp_path / "xdg" / "camkeep" / "camkeep.toml", 2)
    named, chosen = write(tmp_path / "named.toml", 3), write(tmp_path / "chosen.toml", 4)
    assert port(HOME=str(home)) == 1
    assert port(HOME=str(home), XDG_CONFIG_HOME=str(tmp_path / "xdg")) == 2
    assert port(HOME=str(home), CAMKEEP_CONFIG=str(named)) == 3
    assert port(chosen, CAMKEEP_CONFIG=str(named)) == 4
    assert find_options(chosen, {}).file == chosen
    for missing in ({"CAMKEEP_CONFIG": str(tmp_path / "no.toml")}, {}):
        with pytest.raises(UsageError, match="cannot read"):
            find_options(None if missing else tmp_path / "no.toml", missing)


def test_a_file_that_cannot_be_one(tmp_path: Path) -> None:
    big = tmp_path / "big.toml"
    big.write_bytes(b"#" * 1_000_001)
    for path, words in ((big, "too large"), (tmp_path, "cannot read")):
        with pytest.raises(UsageError, match=words):
            read_options(path)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_options_or_a_sentence(data: bytes) -> None:
    for text in (data, b"[server]\nlisten = " + data, b"[keep]\nmax_age = " + data):
        with suppress(UsageError):
            parse_options(text, "camkeep.toml", Path("/"))
