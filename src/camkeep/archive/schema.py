"""The tables of the index, how they came about, and how its connections are made.

The index is a cache: all it holds also stands in the files, and `reindex` makes it anew. A
person may look into it with the sqlite3 shell; every column says there what it is.

SQLite notices a torn page, not a flipped bit. Each row therefore carries a checksum, which is
compared wherever a row is read (`rows.py`).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

from camkeep.errors import DiskFull, IndexDamaged, StorageError, UsageError, WriteFailed

APPLICATION_ID = 0x63616D6B
"""What `file` and SQLite tell our databases from others by: "camk"."""
ROOM_BYTES = 4 * 1024 * 1024
"""What the index keeps for itself, so that deletions can be noted on a full disk."""
LONG_GAP_US = 86_400_000_000
"""Gaps that are longer are few, and looked up apart."""

_BUSY_S = 10.0
_VERSION_1 = f"""
CREATE TABLE versions (
    -- The scripts that made this database, oldest first: the same as user_version.
    number INTEGER PRIMARY KEY CHECK (number > 0)
);

CREATE TABLE cameras (
    -- What other tables call the camera: it is short, and differs in each index.
    number INTEGER PRIMARY KEY CHECK (number > 0),
    -- What the files call it: 12 letters and digits.
    id TEXT NOT NULL UNIQUE CHECK (typeof(id) = 'text'),
    -- As a person calls it.
    name TEXT NOT NULL CHECK (typeof(name) = 'text'),
    -- Under recordings/.
    folder TEXT NOT NULL UNIQUE CHECK (typeof(folder) = 'text' AND folder NOT LIKE '%/%'),
    -- Where it was last, without secrets.
    address TEXT NOT NULL CHECK (typeof(address) = 'text'),
    -- When it was first to be recorded: microseconds since 1970, UTC, as all that end in _us.
    since_us INTEGER NOT NULL CHECK (typeof(since_us) = 'integer'),
    -- CRC-32 of the columns above.
    crc INTEGER NOT NULL CHECK (typeof(crc) = 'integer'),
    -- How many segments it has; those being deleted do not count. Triggers keep this and the
    -- next three.
    segments INTEGER NOT NULL DEFAULT 0 CHECK (typeof(segments) = 'integer' AND segments >= 0),
    -- Their size.
    bytes INTEGER NOT NULL DEFAULT 0 CHECK (typeof(bytes) = 'integer' AND bytes >= 0),
    -- How long they last, microseconds.
    recorded_us INTEGER NOT NULL DEFAULT 0
        CHECK (typeof(recorded_us) = 'integer' AND recorded_us >= 0),
    -- No segment lasts or lasted longer, microseconds. It bounds the search for an instant.
    longest_us INTEGER NOT NULL DEFAULT 0
        CHECK (typeof(longest_us) = 'integer' AND longest_us >= 0)
);

CREATE TABLE segments (
    -- Whose it is.
    camera INTEGER NOT NULL REFERENCES cameras (number) CHECK (typeof(camera) = 'integer'),
    -- Rises with each segment of the camera, in the order of recording.
    sequence INTEGER NOT NULL CHECK (typeof(sequence) = 'integer'),
    -- The same for segments that follow each other without a break.
    run INTEGER NOT NULL CHECK (typeof(run) = 'integer'),
    -- The file, in the camera's folder: 2026-11-21/14-03-07Z.mp4
    name TEXT NOT NULL CHECK (typeof(name) = 'text' AND name LIKE '____-__-__/%.mp4'),
    -- When the first frame was taken.
    start_us INTEGER NOT NULL CHECK (typeof(start_us) = 'integer'),
    -- Up to the end of the last frame, microseconds.
    duration_us INTEGER NOT NULL CHECK (typeof(duration_us) = 'integer' AND duration_us >= 0),
    -- Bytes of the file.
    size INTEGER NOT NULL CHECK (typeof(size) = 'integer' AND size >= 0),
    -- Pictures in it.
    frames INTEGER NOT NULL CHECK (typeof(frames) = 'integer' AND frames >= 0),
    -- Of the pictures (RFC 6381).
    codec TEXT NOT NULL CHECK (typeof(codec) = 'text'),
    -- Pixels.
    width INTEGER NOT NULL CHECK (typeof(width) = 'integer' AND width >= 0),
    -- Pixels.
    height INTEGER NOT NULL CHECK (typeof(height) = 'integer' AND height >= 0),
    -- Codec of the sound (RFC 6381); empty without sound.
    audio TEXT NOT NULL CHECK (typeof(audio) = 'text'),
    -- What may be done with it.
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'damaged', 'deleting')),
    -- SHA-256 of its seal, which stands for it and all before it; empty until it is closed.
    chain BLOB NOT NULL CHECK (typeof(chain) = 'blob' AND length(chain) IN (0, 32)),
    -- CRC-32 of the columns above.
    crc INTEGER NOT NULL CHECK (typeof(crc) = 'integer'),
    PRIMARY KEY (camera, sequence)
) WITHOUT ROWID;
CREATE INDEX segments_by_start ON segments (camera, start_us);
CREATE INDEX segments_unfinished ON segments (camera, sequence) WHERE state <> 'closed';

CREATE TRIGGER segments_insert AFTER INSERT ON segments WHEN NEW.state <> 'deleting' BEGIN
    UPDATE cameras SET
        segments = segments + 1,
        bytes = bytes + NEW.size,
        recorded_us = recorded_us + NEW.duration_us,
        longest_us = max(longest_us, NEW.duration_us)
    WHERE number = NEW.camera;
END;
CREATE TRIGGER segments_update AFTER UPDATE ON segments BEGIN
    UPDATE cameras SET
        segments = segments - (OLD.state <> 'deleting') + (NEW.state <> 'deleting'),
        bytes = bytes - OLD.size * (OLD.state <> 'deleting') + NEW.size * (NEW.state <> 'deleting'),
        recorded_us = recorded_us - OLD.duration_us * (OLD.state <> 'deleting')
            + NEW.duration_us * (NEW.state <> 'deleting'),
        longest_us = max(longest_us, NEW.duration_us)
    WHERE number = NEW.camera;
END;
CREATE TRIGGER segments_delete AFTER DELETE ON segments WHEN OLD.state <> 'deleting' BEGIN
    UPDATE cameras SET
        segments = segments - 1,
        bytes = bytes - OLD.size,
        recorded_us = recorded_us - OLD.duration_us
    WHERE number = OLD.camera;
END;

CREATE TABLE gaps (
    -- Who was not recorded.
    camera INTEGER NOT NULL REFERENCES cameras (number) CHECK (typeof(camera) = 'integer'),
    -- From when on.
    start_us INTEGER NOT NULL CHECK (typeof(start_us) = 'integer'),
    -- Until when; NULL while it lasts.
    end_us INTEGER CHECK (end_us IS NULL OR (typeof(end_us) = 'integer' AND end_us >= start_us)),
    -- Why: a word of model.Cause.
    cause TEXT NOT NULL CHECK (typeof(cause) = 'text'),
    -- What happened, for a person.
    detail TEXT NOT NULL CHECK (typeof(detail) = 'text'),
    -- CRC-32 of the columns above.
    crc INTEGER NOT NULL CHECK (typeof(crc) = 'integer'),
    PRIMARY KEY (camera, start_us)
) WITHOUT ROWID;
CREATE INDEX gaps_long ON gaps (camera, start_us)
    WHERE end_us IS NULL OR end_us - start_us > {LONG_GAP_US};

CREATE TABLE clips (
    -- 16 letters and digits.
    id TEXT PRIMARY KEY NOT NULL CHECK (typeof(id) = 'text'),
    -- As a person calls it.
    name TEXT NOT NULL CHECK (typeof(name) = 'text'),
    -- From when on.
    start_us INTEGER NOT NULL CHECK (typeof(start_us) = 'integer'),
    -- Until when; NULL while it is recorded. Before the start where the clock was set back.
    end_us INTEGER CHECK (end_us IS NULL OR typeof(end_us) = 'integer'),
    -- Whether its segments stay, whatever the quotas say.
    held INTEGER NOT NULL CHECK (held IN (0, 1)),
    -- When a person asked for it.
    created_us INTEGER NOT NULL CHECK (typeof(created_us) = 'integer'),
    -- CRC-32 of the columns above and of its cameras.
    crc INTEGER NOT NULL CHECK (typeof(crc) = 'integer')
) WITHOUT ROWID;
CREATE TABLE clip_cameras (
    -- Which clip.
    clip TEXT NOT NULL REFERENCES clips (id) ON DELETE CASCADE CHECK (typeof(clip) = 'text'),
    -- Its first, second ... camera.
    position INTEGER NOT NULL CHECK (typeof(position) = 'integer' AND position >= 0),
    -- cameras.id, perhaps of a camera that this archive does not know.
    camera TEXT NOT NULL CHECK (typeof(camera) = 'text'),
    PRIMARY KEY (clip, position)
) WITHOUT ROWID;

CREATE TABLE removals (
    -- Whose segments were deleted.
    camera INTEGER NOT NULL REFERENCES cameras (number) CHECK (typeof(camera) = 'integer'),
    -- Sequence of the first of them.
    first INTEGER NOT NULL CHECK (typeof(first) = 'integer'),
    -- Sequence of the last.
    last INTEGER NOT NULL CHECK (typeof(last) = 'integer' AND last >= first),
    -- How many they were.
    count INTEGER NOT NULL CHECK (typeof(count) = 'integer' AND count >= 0),
    -- When the earliest frame of them was taken.
    start_us INTEGER NOT NULL CHECK (typeof(start_us) = 'integer'),
    -- When the last frame of them ended.
    end_us INTEGER NOT NULL CHECK (typeof(end_us) = 'integer'),
    -- segments.chain of the one before the first; zeros where it was the camera's first.
    previous BLOB NOT NULL CHECK (typeof(previous) = 'blob'),
    -- segments.chain of the last.
    chain BLOB NOT NULL CHECK (typeof(chain) = 'blob'),
    -- When the last of them was deleted.
    removed_us INTEGER NOT NULL CHECK (typeof(removed_us) = 'integer'),
    -- CRC-32 of the columns above.
    crc INTEGER NOT NULL CHECK (typeof(crc) = 'integer'),
    PRIMARY KEY (camera, first)
) WITHOUT ROWID;

CREATE TABLE room (
    -- Nothing for long: writing and deleting it leaves free pages.
    bytes BLOB NOT NULL CHECK (typeof(bytes) = 'blob')
);
"""

SCRIPTS = (_VERSION_1,)
"""What makes each version of the database from the one before."""

Failed = (sqlite3.Error, UnicodeDecodeError)
"""What a call of sqlite3 raises; the second where it cannot even say what is wrong with a name."""

_FULL, _CORRUPT = 13, 11
_OF_THE_DISK = {
    3: "no permission",
    5: "another process has it locked",
    6: "another process has it locked",
    7: "no memory is left",
    8: "it can only be read",
    10: "the disk failed",
    14: "it cannot be opened",
}
"""SQLite's primary result codes (sqlite3.h) that say nothing of what the database holds."""
_SHORT_READ = 522
"""SQLITE_IOERR_SHORT_READ: not the disk's fault, the file was cut."""
_NO_ROOM_FOR_LOG = 4874
"""SQLITE_IOERR_SHMSIZE: what stands beside the log takes 32 KB."""


_WITH_LOG = ("PRAGMA journal_mode = WAL",)
_WITHOUT_LOG = (
    "PRAGMA locking_mode = EXCLUSIVE",  # only so can a log be ended that has no room to begin
    "PRAGMA journal_mode = MEMORY",
    "PRAGMA locking_mode = NORMAL",
)


def connect(path: Path, *, write: bool, log: bool = True) -> sqlite3.Connection:
    """A connection to a database that is there unless `write`: for the calling thread, or where
    it only reads for one thread at a time.

    Without a `log`, rows are changed in place: it is for a disk on which no log has room, and
    then a crash while one is written costs a reindex. Raises sqlite3.Error.
    """
    mode = "rwc" if write else "ro"
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        isolation_level=None,  # transactions begin where BEGIN is said
        timeout=_BUSY_S,
        cached_statements=64,
        check_same_thread=write,  # readers are handed from thread to thread, never shared
    )
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")  # a damaged page ends in an error
        if write:
            for setting in _WITH_LOG if log else _WITHOUT_LOG:
                connection.execute(setting)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def version_of(connection: sqlite3.Connection) -> int:
    """How many scripts made the database; 0 where it is empty.

    Raises IndexDamaged where it is not ours, UsageError where a newer camkeep made it, and
    sqlite3.Error.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        return 0
    # said twice, so that a flipped bit is not taken for a newer version
    (written,) = connection.execute("SELECT max(number) FROM versions").fetchone()
    if application != APPLICATION_ID or written != version:
        raise IndexDamaged("the index is not one that camkeep made")
    if version > len(SCRIPTS):
        raise UsageError(
            "the index was made by a newer camkeep: use that, or delete index.db and let this one "
            "make it anew"
        )
    return int(version)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to the newest version, each step whole or not at all.

    Raises as `version_of` does.
    """
    for number in range(version_of(connection) + 1, len(SCRIPTS) + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {SCRIPTS[number - 1]}"
            f"INSERT INTO versions VALUES ({number});"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        )


def index_error(error: Exception, path: Path) -> StorageError:
    """What an error of SQLite means: DiskFull, WriteFailed, or IndexDamaged.

    Our statements are the same every time, so what SQLite has against one of them (a column that
    is not there, a CHECK that fails) is the fault of what the database holds.
    """
    extended = getattr(error, "sqlite_errorcode", _CORRUPT)
    code = extended & 0xFF
    if code == _FULL or extended == _NO_ROOM_FOR_LOG:
        return DiskFull(f"no space is left for {path}: free some, or choose another disk")
    if code in _OF_THE_DISK and extended != _SHORT_READ:
        return WriteFailed(f"the index {path} does not work: {_OF_THE_DISK[code]}")
    return IndexDamaged(f"the index {path} is damaged: `camkeep archive reindex` makes it anew")
