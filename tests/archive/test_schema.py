"""The tables of the index: every column explained and checked; old indexes are brought up."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from camkeep.archive import catalog, schema
from camkeep.archive.catalog import Catalog
from camkeep.archive.index import Index
from camkeep.errors import DiskFull, IndexDamaged, UsageError, WriteFailed
from support.tiny import small_archive

TABLE = re.compile(r"CREATE TABLE (\w+) \(\n(.*?)\n\)(?: WITHOUT ROWID)?;", re.DOTALL)


def columns() -> list[tuple[str, str, str]]:
    """Table and name of each column, and all that is written of it: comment and definition."""
    found = []
    for script in schema.SCRIPTS:
        for table, body in TABLE.findall(script):
            # a column and its comment are indented by four, what goes on by more
            for part in re.split(r",\n(?=    --)", re.sub(r",\n    PRIMARY KEY.*", "", body)):
                name = re.search(r"^    (\w+) ", part, re.MULTILINE)
                assert name is not None, part
                found.append((table, name[1], part))
    return found


@pytest.mark.parametrize(("table", "column", "text"), columns())
def test_a_column_has_a_comment_and_a_check(table: str, column: str, text: str) -> None:
    assert text.lstrip().startswith("-- "), f"{table}.{column} has no comment"
    assert "CHECK (" in text, f"{table}.{column} has no CHECK"
    assert len(re.findall(r"^    \w", text, re.MULTILINE)) == 1, f"{table}: a comment is missing"


def test_no_column_is_left_out(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index.db"):
        pass
    with sqlite3.connect(tmp_path / "index.db") as db:
        tables = [
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        real = {(t, row[1]) for t in tables for row in db.execute(f"PRAGMA table_info({t})")}
    db.close()
    assert {(table, column) for table, column, _ in columns()} == real


def test_a_check_refuses_what_is_of_another_kind(tmp_path: Path) -> None:
    small_archive(tmp_path)
    db = sqlite3.connect(tmp_path / "index.db")
    for change in (
        "segments SET start_us = 1.5",
        "segments SET state = 'gone'",
        "segments SET size = -1",
        "segments SET chain = x'00'",
        "segments SET name = '../../etc/passwd'",
        "cameras SET folder = '../x'",
        "gaps SET end_us = start_us - 1",
        "clips SET held = 2",
        "removals SET last = first - 1",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            db.execute(f"UPDATE {change}")
    db.close()


def test_an_old_index_is_brought_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording, _ = small_archive(tmp_path)
    path = tmp_path / "index.db"
    added = "CREATE TABLE more (a INTEGER); INSERT INTO more SELECT sequence FROM segments;"
    for module in (schema, catalog):
        monkeypatch.setattr(module, "SCRIPTS", (schema.SCRIPTS[0], added))
    with pytest.raises(IndexDamaged, match="old"):
        Catalog.open(path)
    with Index.open(path) as index:
        assert list(index.every_segment(recording.camera.id)) == recording.segments
        index.examine()
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (2,)
    assert db.execute("SELECT number FROM versions").fetchall() == [(1,), (2,)]
    assert db.execute("SELECT count(*) FROM more").fetchone() == (8,)
    db.close()


def test_a_step_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording, _ = small_archive(tmp_path)
    path = tmp_path / "index.db"
    with monkeypatch.context() as patch:
        broken = (schema.SCRIPTS[0], "CREATE TABLE more (a INTEGER); SELECT * FROM nothing;")
        patch.setattr(schema, "SCRIPTS", broken)
        with pytest.raises(IndexDamaged):
            Index.open(path)
    with Index.open(path) as index:
        assert list(index.every_segment(recording.camera.id)) == recording.segments


def test_an_index_of_a_newer_camkeep_is_left_alone(tmp_path: Path) -> None:
    small_archive(tmp_path)
    path = tmp_path / "index.db"
    db = sqlite3.connect(path)
    db.executescript("INSERT INTO versions VALUES (99); PRAGMA user_version = 99;")
    db.close()
    before = path.read_bytes()
    for opened in (Index.open, Catalog.open):
        with pytest.raises(UsageError, match="newer camkeep"):
            opened(path)
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_none_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    db = sqlite3.connect(path)
    db.executescript("CREATE TABLE t (a); PRAGMA user_version = 1;")
    db.close()
    with pytest.raises(IndexDamaged):
        Index.open(path)


def test_errors_of_sqlite_are_sorted(tmp_path: Path) -> None:
    def meant(code: int) -> type[Exception]:
        error = sqlite3.OperationalError("x")
        error.sqlite_errorcode = code
        return type(schema.index_error(error, tmp_path))

    assert meant(sqlite3.SQLITE_FULL) is DiskFull
    assert meant(sqlite3.SQLITE_IOERR_WRITE) is WriteFailed
    assert meant(sqlite3.SQLITE_IOERR_SHORT_READ) is IndexDamaged
    assert meant(sqlite3.SQLITE_READONLY) is WriteFailed
    assert meant(sqlite3.SQLITE_CORRUPT) is IndexDamaged
    assert meant(sqlite3.SQLITE_NOTADB) is IndexDamaged
    assert meant(sqlite3.SQLITE_CONSTRAINT_CHECK) is IndexDamaged
    assert meant(sqlite3.SQLITE_ERROR) is IndexDamaged
