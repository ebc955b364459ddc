"""What people decide about a camera: what is refused, what is shown, and which secret stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camkeep.cameras.address import Credentials, parse_address
from camkeep.engine.schedule import Mode
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server.applied import applied
from camkeep.server.camerasettings import (
    WRITABLE,
    CameraSettings,
    changed,
    from_parts,
    new_settings,
)
from camkeep.server.cameraurl import login_of, renewed, shown, with_login
from camkeep.server.urlpolicy import UrlPolicy

ID = CameraId("abcdefghijkm")
SECRET = "s3cret-sw0rdfish"
URL = f"rtsp://admin:{SECRET}@192.168.1.9/main"


def garage(**values: object) -> CameraSettings:
    return new_settings(ID, {"name": "garage", "address": URL, **values})


def reread(camera: CameraSettings) -> CameraSettings:
    """As it comes back from the database."""
    return from_parts(ID, camera.name, json.dumps(camera.open_part()), camera.secret_part())


WRONG: list[tuple[dict[str, object], str]] = [
    ({"name": ""}, "name"),
    ({"name": " "}, "name"),
    ({"name": "x" * 101}, "100"),
    ({"name": "a\x1bb"}, "letters"),
    ({"name": 7}, "name"),
    ({"address": "file:///etc/passwd"}, "address"),
    ({"address": 7}, "address"),
    ({"address": "x" * 5000}, "4000"),
    ({"transport": "carrier pigeon"}, "transport"),
    ({"trust": "sha256:12"}, "fingerprint"),
    ({"trust": 1}, "trust"),
    ({"mode": "sometimes"}, "always, schedule, asked, off"),
    ({"mode": "schedule"}, "at least one interval"),
    ({"schedule": ["nonsense"]}, "interval"),
    ({"schedule": "daily 08:00-10:00"}, "list"),
    ({"schedule": ["daily 08:00-10:00"] * 101}, "at most"),
    ({"zone": "Atlantis"}, "Atlantis"),
    ({"zone": "../../etc/passwd"}, "zone"),
    ({"audio": "yes"}, "true or false"),
    ({"pre_roll_s": -1}, "pre_roll_s"),
    ({"pre_roll_s": 301}, "pre_roll_s"),
    ({"pre_roll_s": float("nan")}, "pre_roll_s"),
    ({"pre_roll_s": True}, "pre_roll_s"),
    ({"segment_s": 1}, "segment_s"),
    ({"segment_s": 10**400}, "segment_s"),
    ({"flush_s": 0}, "flush_s"),
    ({"max_bytes": 0}, "max_bytes"),
    ({"max_bytes": 1.5}, "max_bytes"),
    ({"max_bytes": 2**70}, "max_bytes"),
    ({"max_age_s": 0}, "max_age_s"),
    ({"max_age_s": float("inf")}, "max_age_s"),
    ({"timeout_s": 0.1}, "timeout_s"),
    ({"colour": "red"}, "colour"),
    ({"id": "other"}, "id"),
    ({"user": "", "password": "x"}, "user"),
    ({"user": "a" * 201}, "200"),
    ({"password": "\ud800"}, "text"),
    ({"sub_address": "gopher://x/"}, "sub_address"),
    ({"sub_password": "x"}, "address"),
]


@pytest.mark.parametrize(("values", "word"), WRONG, ids=[f"{k}" for k, _ in WRONG])
def test_one_sentence_for_each_mistake(values: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        changed(garage(), values)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_new_camera_needs_a_name_and_an_address() -> None:
    for missing in ("name", "address"):
        values = {"name": "garage", "address": URL, missing: ""}
        with pytest.raises(UsageError, match=missing):
            new_settings(ID, values)


def test_nothing_that_is_shown_holds_a_secret() -> None:
    url = f"http://admin:{SECRET}@cam/user=a_password={SECRET}_channel=1?token={SECRET}&channel=1"
    camera = garage(address=url, sub_address=f"http://b:{SECRET}@cam/?pwd={SECRET}")
    told = repr(camera) + json.dumps(camera.public()) + json.dumps(camera.open_part())
    assert SECRET not in told
    assert SECRET in camera.secret_part()
    public = camera.public()
    assert (public["user"], public["password_set"], public["sub_user"]) == ("admin", True, "b")
    assert public["address"] == "http://cam/user=a_password=***_channel=1?token=***&channel=1"


def test_what_is_shown_can_be_given_back() -> None:
    url = f"http://admin:{SECRET}@cam/user=a_password={SECRET}_channel=1?token={SECRET}&channel=1"
    camera = garage(address=url, mode="schedule", schedule=["mon-fri 08:00-18:00"], sub_address=URL)
    again = {k: v for k, v in camera.public().items() if k in WRITABLE}
    assert changed(camera, again) == camera
    assert (
        from_parts(camera.id, camera.name, json.dumps(camera.open_part()), camera.secret_part())
        == camera
    )


LOGIN = Credentials("admin", SECRET)


@pytest.mark.parametrize(
    ("values", "login"),
    [
        ({"address": "rtsp://192.168.1.9/other"}, LOGIN),
        ({"address": "rtsp://192.168.1.9:554/other?x=1"}, LOGIN),
        ({"address": "rtsp://admin@192.168.1.9/other"}, LOGIN),
        ({"address": "rtsp://admin:***@192.168.1.9/other"}, LOGIN),
        ({"user": "admin"}, LOGIN),
        ({"name": "yard"}, LOGIN),
        ({"address": "rtsp://192.168.1.8/main"}, None),
        ({"address": "rtsp://192.168.1.9:555/main"}, None),
        ({"address": "rtsps://192.168.1.9:554/main"}, None),
        ({"address": "http://192.168.1.9/main"}, None),
        ({"address": "rtsp://admin@192.168.1.8/main"}, Credentials("admin")),
        ({"address": "rtsp://eve@192.168.1.9/main"}, Credentials("eve")),
        ({"user": "eve"}, Credentials("eve")),
        ({"user": "eve", "password": "new"}, Credentials("eve", "new")),
        ({"password": "new"}, Credentials("admin", "new")),
        ({"password": ""}, Credentials("admin")),
        ({"user": ""}, None),
        ({"user": None}, None),
        ({"address": "rtsp://eve:new@192.168.1.8/main"}, Credentials("eve", "new")),
        ({"address": "testcard:"}, None),
    ],
)
def test_a_password_stays_with_its_camera(
    values: dict[str, object], login: Credentials | None
) -> None:
    assert login_of(changed(garage(), values).url) == login


@pytest.mark.parametrize(
    "values",
    [
        {"address": "rtsp://admin:***@192.168.1.8/main"},
        {"address": "rtsp://eve:***@192.168.1.9/main"},
        {"address": "http://192.168.1.9/?token=***"},
        {"address": "http://192.168.1.9/user=a_password=***_x"},
    ],
)
def test_stars_are_no_secret(values: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"\*\*\*"):
        changed(garage(), values)


def test_the_small_stream_has_the_login_of_the_large_one_only_at_the_same_place() -> None:
    def sub_login(address: str) -> Any:
        wanted = applied(garage(sub_address=address), UrlPolicy()).wanted
        assert wanted.sub is not None
        return wanted.sub._options.credentials  # type: ignore[attr-defined]

    assert sub_login("rtsp://192.168.1.9/sub") == LOGIN
    assert sub_login("rtsp://192.168.1.8/sub") is None
    assert sub_login("rtsp://192.168.1.9:555/sub") is None
    assert sub_login("rtsp://eve:x@192.168.1.9/sub") == Credentials("eve", "x")


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
HOSTS = st.sampled_from(["cam", "192.0.2.9", "[2001:db8::1]", "a.example"])
PATHS = st.text("abc/=_-.~%20", max_size=10).map(lambda text: f"/{text}")


@given(WORDS, WORDS | st.just(""), HOSTS, PATHS, st.sampled_from(["rtsp", "http", "easyn"]))
def test_an_address_with_its_login_comes_back(
    user: str, password: str, host: str, path: str, scheme: str
) -> None:
    address, _ = parse_address(f"{scheme}://{host}:81{path}")
    login = Credentials(user, password)
    url = with_login(address, login)
    assert parse_address(url) == (address, login)
    assert renewed(url, None) == url
    assert renewed(shown(url), url) == url


@given(HOSTS, HOSTS, PATHS, st.sampled_from(["rtsp", "http"]), st.sampled_from([80, 81]), st.data())
def test_no_change_of_an_address_sends_the_password_elsewhere(
    host: str, other: str, path: str, scheme: str, port: int, data: st.DataObject
) -> None:
    old = f"http://admin:{SECRET}@{host}/a?token={SECRET}"
    who = data.draw(st.sampled_from(["", "admin@", "eve@", "admin:***@"]))
    user = data.draw(st.sampled_from([None, "admin", "eve"]))
    text = f"{scheme}://{who}{other}:{port}{path}"
    try:
        new = renewed(text, old, user)
    except UsageError:
        return
    _, login = parse_address(new)
    if (scheme, other, port) != ("http", host, 80) or (login and login.user != "admin"):
        assert SECRET not in new


def test_a_new_name_leaves_the_connection_alone() -> None:
    policy = UrlPolicy()
    first = applied(garage(sub_address="rtsp://192.168.1.9/sub"), policy)
    quiet: list[dict[str, object]] = [
        {"name": "yard"},
        {"mode": "off"},
        {"segment_s": 30},
        {"max_bytes": 10**9, "max_age_s": 60},
        {"address": "rtsp://192.168.1.9/main"},
        {"mode": "schedule", "schedule": ["daily 08:00-10:00"], "zone": "Europe/Vienna"},
    ]
    for values in quiet:
        after = applied(changed(first.settings, values), policy, first).wanted
        assert (after.source, after.sub) == (first.wanted.source, first.wanted.sub), values
    loud: list[dict[str, object]] = [
        {"password": "new"},
        {"transport": "udp"},
        {"timeout_s": 3},
        {"audio": False},
        {"address": "rtsp://192.168.1.9/other"},
        {"trust": "sha256:" + "ab" * 32},
    ]
    for values in loud:
        after = applied(changed(first.settings, values), policy, first).wanted
        assert after.source is not first.wanted.source, values
        assert after.sub is not first.wanted.sub, values
    after = applied(changed(first.settings, {"sub_address": None}), policy, first).wanted
    assert (after.source, after.sub) == (first.wanted.source, None)
    other = applied(first.settings, UrlPolicy(loopback=True), first).wanted
    assert other.source is not first.wanted.source


def test_what_the_engine_is_asked_for() -> None:
    camera = garage(
        mode="asked", pre_roll_s=7, segment_s=30, flush_s=2, audio=False, max_bytes=10, max_age_s=9
    )
    wanted = applied(camera, UrlPolicy()).wanted
    assert (wanted.id, wanted.name, wanted.mode) == (ID, "garage", Mode.ASKED)
    options = wanted.options
    assert (options.pre_roll_s, options.segment_s, options.sync_s, options.audio) == (
        7,
        30,
        2,
        False,
    )
    assert (wanted.limits.max_bytes, wanted.limits.max_age_s) == (10, 9)
    with pytest.raises(UsageError, match="this machine"):
        applied(garage(address="http://127.0.0.1/"), UrlPolicy())
    with pytest.raises(UsageError, match="lost with the key"):
        applied(CameraSettings(ID, "garage", ""), UrlPolicy())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(WRITABLE)), JSON, max_size=3))
def test_any_values_are_taken_or_refused(values: dict[str, object]) -> None:
    try:
        camera = changed(garage(), values)
    except UsageError:
        return
    json.dumps(camera.public(), allow_nan=False)
    assert (
        from_parts(ID, camera.name, json.dumps(camera.open_part()), camera.secret_part()) == camera
    )
