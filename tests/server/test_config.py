"""Settings as a file: round trips, secrets that are not in it, and all or nothing."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camkeep.archive.layout import new_camera_id
from camkeep.archive.retention import Limits, Policy
from camkeep.clock import SystemClock
from camkeep.engine.schedule import DAYS
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server import camerarows
from camkeep.server.accounts.values import checked_name
from camkeep.server.camerabook import CameraBook
from camkeep.server.camerasettings import CameraSettings, new_settings
from camkeep.server.cameraurl import login_of
from camkeep.server.configapply import Import, export
from camkeep.server.configfile import Report
from camkeep.server.configread import CAMERA_KEYS, Reader
from camkeep.server.database import Database
from camkeep.server.keeppolicy import read_policy, write_policy
from camkeep.server.urlpolicy import UrlPolicy

SECRET = "s3cret-sw0rdfish"
CLOCK = SystemClock()
HASH = "$argon2id$v=19$m=32768,t=3,p=1$" + "a" * 22 + "$" + "b" * 43
OTHER_HASH = HASH.replace("b", "c")


@dataclass
class House:
    """An installation."""

    database: Database

    @property
    def book(self) -> CameraBook:
        return CameraBook(self.database, CLOCK)

    def export(self, secrets: bool = False) -> str:
        return self.database.run_now(
            lambda c: export(c, self.database.secrets, with_secrets=secrets), reads=True
        )

    def take(
        self,
        text: str,
        *,
        prune: bool = False,
        known: dict[str, CameraId] | None = None,
        folder: Path = Path("/"),
        **environment: str,
    ) -> Report:
        document = Reader("cams.toml", folder, environment).document(text.encode())
        return self.database.run_now(
            lambda connection: Import(
                connection,
                self.database.secrets,
                UrlPolicy(),
                CLOCK.wall(),
                known or {},
                prune=prune,
            ).run(document)
        )

    def add_user(
        self, name: str, role: str = "admin", cameras: list[str] | None = None, hashed: str = HASH
    ) -> None:
        def job(connection: Any) -> None:
            user = f"{len(connection.execute('SELECT 1 FROM users').fetchall()):016x}"
            connection.execute(
                "INSERT INTO users (id, name, role, password, password_us, all_cameras, "
                "created_us) VALUES (?, ?, ?, ?, 0, ?, 0)",
                (user, name, role, hashed, cameras is None),
            )
            rows = [(user, camera) for camera in cameras or ()]
            connection.executemany("INSERT INTO grants VALUES (?, ?)", rows)

        self.database.run_now(job)

    def users(self) -> dict[str, tuple[Any, ...]]:
        rows = self.database.run_now(
            lambda c: c.execute("SELECT name, role, password, all_cameras FROM users").fetchall()
        )
        return {row[0]: row[1:] for row in rows}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    database = Database.open(tmp_path / "camkeep.db", tmp_path / "camkeep.key")
    yield House(database)
    database.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[House]:
    database = Database.open(tmp_path / "other.db", tmp_path / "other.key")
    yield House(database)
    database.close()


def furnish(house: House) -> CameraSettings:
    garage = house.book.now.add(
        {
            "name": "garage",
            "address": f"rtsp://admin:{SECRET}@192.168.1.9/main?token={SECRET}",
            "sub_address": "rtsp://192.168.1.9/sub",
            "mode": "schedule",
            "schedule": ["mon-fri 08:00-18:00"],
            "zone": "Europe/Vienna",
            "max_bytes": 50 * 10**9,
            "max_age_s": 30 * 86400.0,
        }
    )
    house.book.now.add({"name": "yard", "address": "http://192.168.1.7/video", "audio": False})
    house.add_user("anna")
    house.add_user("ben", "viewer", [garage.id])
    return garage


def test_the_file_for_a_person(house: House) -> None:
    garage = furnish(house)
    text = house.export()
    assert text.startswith("# The settings of camkeep")
    assert "holds no secret" in text
    found = tomllib.loads(text)
    assert found["camera"][0] == {
        "id": garage.id,
        "name": "garage",
        "address": "rtsp://192.168.1.9/main?token=***",
        "user": "admin",
        "sub_address": "rtsp://192.168.1.9/sub",
        "mode": "schedule",
        "schedule": ["mon,tue,wed,thu,fri 08:00-18:00"],
        "zone": "Europe/Vienna",
        "max_size": "50GB",
        "max_age": "30d",
    }
    assert found["user"][1] == {"name": "ben", "role": "viewer", "cameras": ["garage"]}
    assert found["user"][0]["cameras"] == "all"
    assert text == house.export()


def test_no_secret_unless_asked_for(house: House) -> None:
    furnish(house)
    assert SECRET not in house.export()
    assert HASH not in house.export()
    with_secrets = house.export(secrets=True)
    assert with_secrets.count(SECRET) == 2
    assert HASH in with_secrets
    assert "IT HOLDS SECRETS" in with_secrets


def test_one_change_changes_one_line(house: House) -> None:
    garage = furnish(house)
    before = house.export().splitlines()
    house.book.now.change(garage.id, {"max_bytes": 60 * 10**9})
    after = house.export().splitlines()
    differ = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert differ == [('max_size = "50GB"', 'max_size = "60GB"')]


def test_what_is_there_already_changes_nothing(house: House) -> None:
    furnish(house)
    for secrets in (False, True):
        version = house.database.version
        report = house.take(house.export(secrets), prune=True)
        assert (report.changes, report.remarks) == ([], [])
        assert house.database.version == version


def test_into_an_empty_installation(house: House, empty: House) -> None:
    furnish(house)
    report = empty.take(house.export())
    assert report.changes == [
        "+ camera garage",
        "+ camera yard",
        "+ user anna: admin",
        "+ user ben: viewer",
    ]
    assert [line.split(":")[0] for line in report.remarks] == [
        "camera garage",
        "camera garage",
        "user anna",
        "user ben",
    ]
    assert empty.export() == house.export()
    report = empty.take(house.export(secrets=True))
    assert report.changes == ["~ camera garage: password", *PASSWORDS]
    assert report.remarks == []
    assert empty.export(secrets=True) == house.export(secrets=True)


PASSWORDS = ["~ user anna: password", "~ user ben: password"]


def test_secrets_that_the_file_does_not_carry_stay(house: House) -> None:
    garage = furnish(house)
    text = house.export().replace("/main?", "/other?").replace('"garage"', '"Garage 2"')
    report = house.take(text)
    assert report.changes == ["~ camera Garage 2: name, address"]
    assert house.book.now.get(garage.id).url == (
        f"rtsp://admin:{SECRET}@192.168.1.9/other?token={SECRET}"
    )
    assert house.users()["anna"][1] == HASH


def test_they_do_not_go_to_another_host(house: House) -> None:
    garage = furnish(house)
    report = house.take(house.export().replace("192.168.1.9", "192.168.1.66"))
    assert SECRET not in house.book.now.get(garage.id).url
    assert len(report.remarks) == 2
    assert "camkeep camera set" in report.remarks[0]


def test_passwords_from_files_and_variables(house: House, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from a file\nand more\n")
    text = """
    [[camera]]
    name = "one"
    address = "rtsp://cam1/x"
    user = "admin"
    password_file = "pw"
    [[camera]]
    name = "two"
    address = "rtsp://cam2/x"
    user = "admin"
    password_env = "CAM2"
    sub_address = "rtsp://cam3/x"
    sub_user = "admin"
    sub_password = "plain"
    """
    house.take(text, folder=tmp_path, CAM2="from the environment")
    one, two = house.book.now.list()
    logins = [login_of(url or "") for url in (one.url, two.url, two.sub_url)]
    assert [login and login.password for login in logins] == [
        "from a file",
        "from the environment",
        "plain",
    ]


def test_a_camera_that_the_archive_knows_keeps_its_recordings(house: House) -> None:
    text = '[[camera]]\nname = "Garage"\naddress = "rtsp://cam1/x"\n'
    house.take(text, known={"garage": CameraId("abcabcabcabc")})
    assert [camera.id for camera in house.book.now.list()] == ["abcabcabcabc"]


def test_names_may_be_swapped_and_cameras_ordered(house: House) -> None:
    furnish(house)
    text = house.export()
    swapped = text.replace('name = "garage"', 'name = "X"').replace('"yard"', '"garage"')
    swapped = swapped.replace('name = "X"', 'name = "yard"').replace('    "garage"', '    "yard"')
    report = house.take(swapped)
    assert report.changes == ["~ camera yard: name", "~ camera garage: name"]
    head, first, second, *rest = swapped.split("[[camera]]")[0:1] + swapped.split("[[camera]]")[1:]
    tail = second.partition("[[user]]")
    turned = "[[camera]]".join([head, tail[0], first + "".join(tail[1:])])
    assert house.take(turned).changes == ["~ the order of the cameras"]
    assert [camera.name for camera in house.book.now.list()] == ["garage", "yard"]
    assert rest == []


def test_pruning(house: House) -> None:
    furnish(house)
    only_yard = '[[camera]]\nname = "yard"\naddress = "http://192.168.1.7/video"\naudio = false\n'
    assert house.take(only_yard).changes == []
    assert house.take(only_yard, prune=True).changes == ["- camera garage"]
    assert set(house.users()) == {"anna", "ben"}, "of users it says nothing"
    assert "viewer" in house.export()
    only_anna = '[[user]]\nname = "anna"\nrole = "admin"\ncameras = "all"\n'
    assert house.take(only_anna, prune=True).changes == ["- user ben"]
    assert len(house.book.now.list()) == 1


def test_a_grant_of_a_camera_that_was_removed_stays(house: House, empty: House) -> None:
    garage = furnish(house)
    house.book.now.remove(garage.id)
    assert garage.id in house.export()
    empty.take(house.export())
    assert empty.export() == house.export()


def test_settings(house: House, empty: House) -> None:
    values = {"a.b": 1, "c": [1.5, "x"], "d": None, "e": {"x": None}, "f": 2**70, "g": True}

    def put(connection: Any) -> None:
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        connection.executemany("INSERT INTO settings VALUES (?, ?)", rows)

    house.database.run_now(put)
    text = house.export()
    assert '"a.b" = 1' in text
    assert len(empty.take(text).changes) == len(values)
    assert empty.export() == text
    assert empty.take('[settings]\nc = "y"\n').changes == ["~ setting c"]
    assert "- setting g" in empty.take('[settings]\nc = "y"\n', prune=True).changes


def test_how_much_is_kept(house: House, empty: House) -> None:
    policy = Policy(Limits(5 * 10**11, 30 * 86400.0), 20 * 10**9)
    house.database.run_now(lambda c: write_policy(c, policy))
    text = house.export()
    assert '[keep]\nmax_size = "500GB"\nmax_age = "30d"\nkeep_free = "20GB"\n' in text
    assert empty.take(text).changes == ["+ setting policy"]
    assert empty.database.run_now(read_policy) == policy
    assert (empty.export(), empty.take(text).changes) == (text, [])
    house.take('[keep]\nmax_size = "1TB"\n')
    assert house.database.run_now(read_policy) == Policy(Limits(10**12))
    assert house.export() == house.export()
    for wrong in ("keep = 1", "[keep]\nsize = 1", '[keep]\nmax_size = "1"', "[keep]\nmax_age = 1"):
        with pytest.raises(UsageError):
            house.take(wrong)


CAMERA = '[[camera]]\nname = "a"\naddress = "rtsp://cam/x"\n'
USER = '[[user]]\nname = "u"\nrole = "admin"\ncameras = "all"\n'
WRONG = [
    ("[[camera]", "not TOML"),
    ("x = 1", "'x' is unknown"),
    ("version = 2", "newer camkeep"),
    ("camera = 1", r"write \[\[camera\]\]"),
    ("[camera]\nname = 'a'", r"write \[\[camera\]\]"),
    ("settings = 1", r"write \[settings\]"),
    ("[settings]\nx = 2026-01-01", "settings.x"),
    ("[settings]\nx = nan", "settings.x"),
    ('[[camera]]\nname = "a"', "camera a: address"),
    ('[[camera]]\naddress = "rtsp://cam/x"', "camera number 2: name"),
    (CAMERA + "colour = 1", "camera a: 'colour' is unknown"),
    (CAMERA + 'id = "../x"', "camera a: id"),
    (CAMERA + 'pre_roll = "10m"', "camera a: pre_roll: 10m is not within"),
    (CAMERA + "max_size = 5", "camera a: max_size: write a text"),
    (CAMERA + 'mode = "x"', "camera a: mode: write always"),
    (CAMERA + 'password = "x"', "camera a: address: a password needs a user"),
    (CAMERA + 'user = "x"\npassword_file = "no"', "camera a: password_file: cannot read no"),
    (CAMERA + 'user = "x"\npassword_env = "NO"', "there is no variable NO"),
    (CAMERA + 'password = "x"\npassword_env = "NO"', "one of them is enough"),
    (CAMERA + CAMERA, r"two \[\[camera\]\] have the name a"),
    (CAMERA + CAMERA.replace('"a"', '"A"'), "have the name"),
    (CAMERA.replace("rtsp://cam", "http://127.0.0.1"), "camera a: 127.0.0.1 is this machine"),
    (CAMERA.replace("rtsp://cam/x", "file:///etc/passwd"), "camera a: address: a camera's"),
    ('[[user]]\nname = ""', "user number 1: write a text"),
    (USER + "admin = true", "user u: 'admin' is unknown"),
    (USER.replace("admin", "root"), "user u: role: write viewer, operator, admin"),
    (USER.replace('"all"', "1"), "user u: cameras"),
    (USER.replace('"all"', '["nowhere"]'), "user u: there is no camera nowhere"),
    (USER.replace("admin", "viewer"), "nobody would be an administrator"),
    (USER + "disabled = true", "nobody would be an administrator"),
    (USER + 'disabled = "no"', "disabled: write true or false"),
    (USER + 'password_hash = "x"', "password_hash"),
    (USER + f'password_hash = "{HASH.replace("32768", "9999999")}"', "password_hash"),
    (USER + USER, r"two \[\[user\]\]"),
]


@pytest.mark.parametrize(("text", "words"), WRONG, ids=[words for _, words in WRONG])
def test_a_mistake_leaves_all_as_it_was(house: House, text: str, words: str) -> None:
    good = CAMERA.replace('"a"', '"good"').replace("cam/", "cam2/")
    with pytest.raises(UsageError, match=words):
        house.take(good + text if text.startswith("[[") else text)
    assert house.book.now.list() == []
    assert house.users() == {}


def test_a_new_role_or_password_ends_sessions(house: House) -> None:
    furnish(house)

    def log_in(connection: Any) -> None:
        users = [row[0] for row in connection.execute("SELECT id FROM users ORDER BY name")]
        for n, user in enumerate(users):
            row = (f"{n:016x}", user, bytes(31) + bytes([n]), 0, 0, 1, "", "")
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def sessions() -> int:
        (count,) = house.database.run_now(
            lambda c: c.execute("SELECT count(*) FROM sessions").fetchone()
        )
        return int(count)

    house.database.run_now(log_in)
    house.take(house.export(secrets=True))
    assert sessions() == 2
    house.take(house.export().replace('role = "viewer"', 'role = "operator"'))
    assert sessions() == 1
    house.take(house.export(secrets=True).replace(HASH, OTHER_HASH))
    assert sessions() == 0


# any file

ANY = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)
LIKELY = st.sampled_from(
    ["a", "b", "rtsp://cam/x", "all", ["a"], "admin", "viewer", "5s", "50GB", "always", True, "u"]
)
KEYS = {
    "camera": CAMERA_KEYS,
    "user": ("name", "role", "cameras", "disabled", "password_hash"),
    "keep": ("max_size", "max_age", "keep_free"),
    "settings": ("a", "b", "policy"),
}


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, keys in KEYS.items():
        table = st.dictionaries(
            st.sampled_from(keys) | st.text(max_size=3), LIKELY | ANY, max_size=5
        )
        good = {"name": draw(st.sampled_from("ab")), "address": "rtsp://cam/x"}
        if kind == "user":
            good = {"name": draw(st.sampled_from("ab")), "role": "admin", "cameras": "all"}
        tables = st.lists(table.map(lambda t, good=good: {**good, **t}), max_size=2)
        if draw(st.booleans()):
            found[kind] = draw(tables if kind in ("camera", "user") else table)
    return found


@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files(), st.booleans())
def test_any_file_is_applied_or_refused(house: House, found: dict[str, Any], prune: bool) -> None:
    before = house.export(secrets=True)
    try:
        house.take(tomli_w.dumps(found), prune=prune)
    except UsageError:
        assert house.export(secrets=True) == before
        return
    text = house.export(secrets=True)
    assert house.take(text, prune=True).changes == []


@given(st.binary(max_size=80))
def test_any_bytes_are_a_document_or_a_sentence(data: bytes) -> None:
    with suppress(UsageError):
        Reader("x", Path("/"), {}).document(data)
    with suppress(UsageError):
        Reader("x", Path("/"), {}).document(b"[[camera]]\n" + data)


# any installation

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12
).filter(str.isprintable)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=9)
TIMES = st.builds(
    lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.integers(0, 59)
)
SPANS = st.builds(
    lambda days, start, end: f"{','.join(sorted(days))} {start}-{end}",
    st.sets(st.sampled_from(DAYS), min_size=1),
    TIMES,
    TIMES,
)
ADDRESSES = st.sampled_from(
    [
        "rtsp://cam/main",
        "http://192.168.1.7:8080/user=a_password=hidden_channel=1?pwd=hidden&x=1",
        "easyn://[fd00::9]/",
        "https://cam.example/%20%C3%BC?a=&b",
    ]
)


@st.composite
def cameras(draw: st.DrawFn) -> dict[str, object]:
    values: dict[str, object] = {
        "name": draw(NAMES),
        "address": draw(ADDRESSES),
        "mode": draw(st.sampled_from(["always", "asked", "off"])),
        "schedule": draw(st.lists(SPANS, max_size=3)),
        "zone": draw(st.sampled_from(["UTC", "Europe/Vienna"])),
        "audio": draw(st.booleans()),
        "transport": draw(st.sampled_from(["tcp", "udp"])),
        "trust": draw(st.none() | st.just("sha256:" + "ab" * 32) | st.just("/etc/cam.pem")),
        "pre_roll_s": draw(st.floats(0, 300)),
        "segment_s": draw(st.integers(5, 600)),
        "flush_s": draw(st.floats(1, 60)),
        "timeout_s": draw(st.floats(1, 300)),
        "max_bytes": draw(st.none() | st.integers(1, 2**59)),
        "max_age_s": draw(st.none() | st.floats(0.001, 1e10)),
    }
    if draw(st.booleans()):
        values["user"] = draw(WORDS)
        values["password"] = draw(WORDS | st.just(""))
    if draw(st.booleans()):
        values["sub_address"] = draw(ADDRESSES)
    return values


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(cameras(), max_size=4, unique_by=lambda v: str(v["name"]).casefold()),
    st.lists(st.tuples(NAMES, st.booleans(), st.sets(st.integers(0, 5))), max_size=3),
    st.dictionaries(WORDS, st.none() | st.booleans() | st.integers() | WORDS, max_size=3),
    st.booleans(),
)
def test_round_trip(
    wanted: list[dict[str, object]],
    users: list[tuple[str, bool, set[int]]],
    set_: dict[str, object],
    secrets: bool,
) -> None:
    with TemporaryDirectory() as folder:
        houses = [
            House(Database.open(Path(folder, f"{n}.db"), Path(folder, f"{n}.key")))
            for n in range(2)
        ]
        first, second = houses
        try:

            def fill(connection: Any) -> None:
                for values in wanted:
                    camera = new_settings(new_camera_id(), values)
                    camerarows.insert(connection, first.database.secrets, camera, CLOCK.wall())
                rows = [(key, json.dumps(value)) for key, value in set_.items()]
                connection.executemany("INSERT INTO settings VALUES (?, ?)", rows)

            first.database.run_now(fill)
            there = [camera.id for camera in first.book.now.list()]
            for n, (name, sees_all, granted) in enumerate(users):
                ids = [there[g] if g < len(there) else new_camera_id() for g in granted]
                first.add_user(checked_name(f"{n} {name}"), "viewer", None if sees_all else [*ids])
            first.add_user("root")
            text = first.export(secrets)
            second.take(text)
            assert second.export(secrets) == text
            assert second.take(text, prune=True).changes == []
            assert first.take(text, prune=True).changes == []
            if secrets:
                assert second.book.now.list() == first.book.now.list()
        finally:
            for house in houses:
                house.database.close()
