"""`camkeep config`, `camkeep backup` and `camkeep restore` as a person runs them."""

from __future__ import annotations

import io
import os
import sqlite3
import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from camkeep.archive.root import Lock, open_root
from camkeep.cli.main import main
from camkeep.clock import SystemClock
from camkeep.server.camerabook import CameraBook
from camkeep.server.database import DATABASE, KEY, Database

SECRET = "s3cret-pw"
URL = f"rtsp://admin:{SECRET}@192.0.2.9/main"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in `tmp_path`: its exit code, what it said, and what it complained of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAMKEEP_DATA", "cams")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        return (code, *capsys.readouterr())

    return call


def names(data: Path) -> list[str]:
    database = Database.open(data / DATABASE, data / KEY)
    try:
        return [camera.name for camera in CameraBook(database, SystemClock()).now.list()]
    finally:
        database.close()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_export_and_import(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    assert run("config", "export", "house.toml") == (0, "wrote house.toml\n", "")
    text = (tmp_path / "house.toml").read_text()
    assert SECRET not in text
    assert run("config", "export")[1] == text
    assert "nothing has changed" in run("config", "export", "house.toml")[1]
    (tmp_path / "house.toml").write_text(text.replace('"always"', '"off"'))
    before = (tmp_path / "cams" / DATABASE).read_bytes()
    assert run("config", "import", "house.toml", "--dry-run") == (
        0,
        "this would change:\n  ~ camera garage: mode\n",
        "",
    )
    assert (tmp_path / "cams" / DATABASE).read_bytes() == before
    assert run("config", "import", "house.toml")[1] == "changed:\n  ~ camera garage: mode\n"
    assert run("config", "import", "house.toml")[1] == "all is so already\n"


def test_an_export_with_secrets_is_for_nobody_else(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    path = tmp_path / "all.toml"
    (tmp_path / ".all.toml.part").write_text("a draft that all can read")
    code, told, _ = run("config", "export", "all.toml", "--secrets")
    assert (code, "holds secrets" in told, mode(path)) == (0, True, 0o600)
    assert SECRET in path.read_text()
    code, told, complained = run("config", "import", "all.toml", "--data", "other")
    assert (code, told, complained) == (0, "changed:\n  + camera garage\n", "")
    assert run("config", "export", "--secrets", "--data", "other")[1] == path.read_text()


def test_what_has_to_be_done_after_an_import(run: Run) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    run("config", "export", "house.toml")
    _, told, complained = run("config", "import", "house.toml", "--data", "other")
    assert told == "changed:\n  + camera garage\n"
    assert complained == (
        "camkeep: camera garage: no password is known: set it with `camkeep camera set 'garage' "
        "--password-file FILE`\n"
    )


def test_import_from_standard_input(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pw").write_text(SECRET)
    text = '[[camera]]\nname = "a"\naddress = "rtsp://cam/x"\nuser = "u"\npassword_file = "pw"\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert run("config", "import", "-")[1] == "changed:\n  + camera a\n"
    assert SECRET in run("config", "export", "--secrets")[1]


def test_a_file_of_somebody_else_is_not_replaced(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    (tmp_path / "camkeep.toml").write_text("[server]\n")
    code, _, complained = run("config", "export", "camkeep.toml")
    assert (code, "is no" in complained) == (7, True)
    assert run("config", "export", "camkeep.toml", "--overwrite")[0] == 0


def test_mistakes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('[[camera]]\nname = "a"\naddress = "http://[::1]/"\n')
    for arguments, words in (
        (("config", "import", "bad.toml"), "bad.toml: camera a: ::1 is this machine"),
        (("config", "import", "none.toml"), "none.toml cannot be read"),
        (("config", "export", "--data", "nowhere"), "there is no archive at nowhere"),
        (("config", "new-key"), "there is a key"),
        (("backup", "x.tar", "--data", "nowhere"), "there is no archive at nowhere"),
        (("restore", "none.tar"), "none.tar cannot be read"),
        (("restore", "bad.toml"), "no backup that camkeep made"),
    ):
        code, _, complained = run(*arguments)
        assert (code, words in complained) == (2, True), complained
    assert names(tmp_path / "cams") == []


def test_the_data_may_stand_in_camkeep_toml(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CAMKEEP_DATA")
    (tmp_path / "other.toml").write_text('[server]\ndata = "there"\n')
    run("camera", "add", "garage", URL, "--no-test", "--config", "other.toml")
    assert names(tmp_path / "there") == ["garage"]
    run("camera", "add", "yard", URL, "--no-test")
    assert names(tmp_path / ".local" / "share" / "camkeep") == ["yard"]


def test_a_lost_key(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    (tmp_path / "cams" / KEY).unlink()
    code, _, complained = run("camera", "list")
    assert (code, "camkeep config new-key" in complained) == (2, True)
    code, told, _ = run("config", "new-key")
    assert (code, "set the address of each camera" in told) == (0, True)
    assert "its address is lost" in run("camera", "list")[1]
    assert run("camera", "set", "garage", "--address", URL, "--no-test")[0] == 0
    assert "rtsp://192.0.2.9/main" in run("camera", "list")[1]


# backups


def test_backup_and_restore(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    exported = run("config", "export", "--secrets")[1]
    code, told, _ = run("backup", "plain.tar")
    assert (code, "only be used together with" in told) == (0, True)
    code, told, _ = run("backup", "full.tar", "--with-key")
    assert (code, "keep it to yourself" in told) == (0, True)
    for name in ("plain.tar", "full.tar"):
        assert mode(tmp_path / name) == 0o600
        data = (tmp_path / name).read_bytes()
        assert SECRET.encode() not in data
        assert ((tmp_path / "cams" / KEY).read_bytes() in data) == (name == "full.tar")
    assert run("backup", "full.tar", "--with-key")[0] == 7
    assert run("backup", "full.tar", "--with-key", "--overwrite")[0] == 0
    assert run("restore", "full.tar", "--data", "other")[0] == 0
    assert run("config", "export", "--secrets", "--data", "other")[1] == exported
    for name in (DATABASE, KEY):
        assert mode(tmp_path / "other" / name) == 0o600


def test_a_backup_and_its_key_apart(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    run("backup", "plain.tar")
    to_other = ("restore", "plain.tar", "--data", "other")
    code, _, complained = run(*to_other)
    assert (code, "with --key" in complained) == (2, True)
    assert not (tmp_path / "other").exists()
    code, _, complained = run(*to_other, "--key", "nowhere.key")
    assert (code, "nowhere.key cannot be read" in complained) == (2, True)
    assert run(*to_other, "--key", f"cams/{KEY}")[0] == 0
    assert run("config", "export", "--secrets", "--data", "other") == run(
        "config", "export", "--secrets"
    )


def test_who_was_logged_in_has_to_log_in_again(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")

    def logins(data: Path, statement: str) -> list[tuple[object, ...]]:
        database = Database.open(data / DATABASE, data / KEY)
        try:
            return database.run_now(
                lambda db: [db.execute(s) for s in statement.split(";")][-1].fetchall()
            )
        finally:
            database.close()

    user, table = "0123456789abcdef", "INSERT INTO users VALUES"
    hashed = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"
    logins(
        tmp_path / "cams",
        f"{table} ('{user}', 'anna', 'admin', '{hashed}', 0, 1, 0, 0);"
        f"INSERT INTO sessions VALUES ('{user}', '{user}', x'{'ab' * 32}', 0, 0, 1, '', '')",
    )
    run("backup", "full.tar", "--with-key")
    run("restore", "full.tar", "--data", "other")
    assert logins(tmp_path / "cams", "SELECT id FROM sessions") == [(user,)]
    assert logins(tmp_path / "other", "SELECT id FROM sessions") == []
    assert logins(tmp_path / "other", "SELECT name FROM users") == [("anna",)]


def test_restoring_over_what_is_there(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    run("backup", "plain.tar")
    run("camera", "add", "yard", URL, "--no-test")
    code, _, complained = run("restore", "plain.tar")
    assert (code, "--overwrite puts the backup there" in complained) == (7, True)
    assert names(tmp_path / "cams") == ["garage", "yard"]
    (tmp_path / "cams" / f"{DATABASE}-journal").write_bytes(b"of what goes")
    assert run("restore", "plain.tar", "--overwrite")[0] == 0
    assert names(tmp_path / "cams") == ["garage"]
    assert not list((tmp_path / "cams").glob(".camkeep-restore*"))


def test_a_backup_without_its_key(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    run("backup", "plain.tar")
    code, _, complained = run("restore", "plain.tar", "--data", "other")
    assert (code, "holds no key" in complained) == (2, True)
    run("camera", "add", "garage", URL, "--no-test", "--data", "third")
    before = (tmp_path / "third" / DATABASE).read_bytes()
    code, _, complained = run("restore", "plain.tar", "--data", "third", "--overwrite")
    assert (code, "is not the one that the settings were sealed with" in complained) == (2, True)
    assert "restore-" not in complained
    assert (tmp_path / "third" / DATABASE).read_bytes() == before


def test_no_service_may_run_meanwhile(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    run("backup", "full.tar", "--with-key")
    lock = Lock(open_root(tmp_path / "cams"))
    code, _, complained = run("restore", "full.tar", "--overwrite")
    lock.release()
    assert (code, f"process {os.getpid()}" in complained) == (2, True)
    assert run("restore", "full.tar", "--overwrite")[0] == 0


def packed(path: Path, *entries: tuple[str, bytes, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, content, kind in entries:
            entry = tarfile.TarInfo(name)
            entry.size, entry.type, entry.linkname = len(content), kind, "/etc/passwd"
            tar.addfile(entry, io.BytesIO(content))


def test_what_is_no_backup(run: Run, tmp_path: Path) -> None:
    run("camera", "add", "garage", URL, "--no-test")
    good = (tmp_path / "cams" / DATABASE).read_bytes()
    sqlite3.connect(tmp_path / "foreign.db").execute("CREATE TABLE x (y)").connection.close()
    foreign = (tmp_path / "foreign.db").read_bytes()
    files: list[tuple[tuple[str, bytes, bytes], ...]] = [
        (),
        (("../camkeep.db", good, tarfile.REGTYPE),),
        ((DATABASE, good, tarfile.REGTYPE), ("/etc/x", b"", tarfile.REGTYPE)),
        ((DATABASE, b"", tarfile.SYMTYPE),),
        ((DATABASE, good, tarfile.REGTYPE), (DATABASE, good, tarfile.REGTYPE)),
        ((DATABASE, good, tarfile.REGTYPE), (KEY, b"x" * 2000, tarfile.REGTYPE)),
        ((DATABASE, good, tarfile.REGTYPE), (KEY, b"nonsense", tarfile.REGTYPE)),
        ((DATABASE, b"nonsense", tarfile.REGTYPE),),
        ((DATABASE, foreign, tarfile.REGTYPE),),
        ((DATABASE, good[: len(good) // 2], tarfile.REGTYPE),),
    ]
    for entries in files:
        packed(tmp_path / "x.tar", *entries)
        code, _, complained = run("restore", "x.tar", "--overwrite")
        assert (code, "backup" in complained) == (2, True), complained
        assert names(tmp_path / "cams") == ["garage"]


def test_a_backup_while_settings_are_written(run: Run, tmp_path: Path) -> None:
    """Two values are always changed together; no copy has one without the other."""
    run("camera", "add", "garage", URL, "--no-test")
    database = Database.open(tmp_path / "cams" / DATABASE, tmp_path / "cams" / KEY)
    done = threading.Event()

    def both(connection: sqlite3.Connection) -> None:
        for key in "ab":
            connection.execute(
                "INSERT INTO settings VALUES (?, '0') "
                "ON CONFLICT (key) DO UPDATE SET value = value + 1",
                (key,),
            )

    def write() -> None:
        while not done.is_set():
            database.run_now(both)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for _ in range(10):
            assert run("backup", "x.tar", "--overwrite")[0] == 0
            with tarfile.open(tmp_path / "x.tar") as tar:
                copy = tar.extractfile(DATABASE)
                assert copy is not None
                (tmp_path / "copy.db").write_bytes(copy.read())
            connection = sqlite3.connect(tmp_path / "copy.db")
            values = {row[0] for row in connection.execute("SELECT value FROM settings")}
            connection.close()
            assert len(values) <= 1
    finally:
        done.set()
        writing.join()
        database.close()
