"""The tables of the settings database, and how they came about.

What people decided stands here and nowhere else: unlike the archive's index this is no cache.
A person may look into it with the sqlite3 shell; every column says there what it is. No secret
stands in it as it is: passwords are hashed with Argon2id, the secrets of sessions, tokens and
links with SHA-256 (they are random, 256 bits), and what camkeep must itself be able to read (the
addresses and passwords of cameras) is sealed with the key beside the database (`secrets.py`).
"""

from __future__ import annotations

APPLICATION_ID = 0x63616D73
"""What `file` and SQLite tell this database from others by: "cams"."""
MOST_ROWS = 100_000
"""Of the audit log, and of the journal of events: then the oldest go."""

_ACCOUNTS = "UPDATE revisions SET number = number + 1 WHERE topic = 'accounts';"
_CAMERAS = "UPDATE revisions SET number = number + 1 WHERE topic = 'cameras';"
_SETTINGS = "UPDATE revisions SET number = number + 1 WHERE topic = 'settings';"


def _told(table: str, columns: str, statement: str) -> str:
    """Triggers that run `statement` when rows come, go, or change in `columns`."""
    whens = {"inserted": "INSERT", "deleted": "DELETE", "changed": f"UPDATE OF {columns}"}
    return "".join(
        f"CREATE TRIGGER {table}_{name} AFTER {when} ON {table} BEGIN {statement} END;\n"
        for name, when in whens.items()
    )


_VERSION_1 = f"""
CREATE TABLE revisions (
    -- What it counts the changes of. Other processes that have the database open look here.
    topic TEXT PRIMARY KEY CHECK (topic IN ('accounts', 'cameras', 'settings')),
    -- Rises with each change that matters to them. Triggers keep it.
    number INTEGER NOT NULL CHECK (number >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO revisions VALUES ('accounts', 0), ('cameras', 0), ('settings', 0);

CREATE TABLE seals (
    -- There is one row.
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- A value that is known, sealed: whether the key at hand is the one that all was sealed with.
    probe BLOB NOT NULL CHECK (length(probe) > 28)
) STRICT;

CREATE TABLE cameras (
    -- As the archive calls it: 12 letters and digits.
    id TEXT PRIMARY KEY CHECK (length(id) > 0),
    -- As a person calls it.
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 200),
    -- The order in which people see them.
    position INTEGER NOT NULL CHECK (position >= 0),
    -- How it is recorded, JSON. No secret, and no address: those may hold one.
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    -- Its addresses and its password, sealed; NULL where they were forgotten with a lost key.
    secret BLOB CHECK (secret IS NULL OR length(secret) > 28),
    -- When it was added: microseconds since 1970, UTC, as all that end in _us.
    created_us INTEGER NOT NULL CHECK (created_us >= 0)
) STRICT, WITHOUT ROWID;
{_told("cameras", "id, name, position, settings, secret", _CAMERAS)}

CREATE TABLE settings (
    -- What is set: words with dots between them.
    key TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 100),
    -- To what, JSON. No secret.
    value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;
{_told("settings", "key, value", _SETTINGS)}

CREATE TABLE users (
    -- 16 hexadecimal digits.
    id TEXT PRIMARY KEY CHECK (length(id) = 16),
    -- As they log in.
    name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
    -- What they may do.
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- Hash of the password, Argon2id with its salt and parameters (RFC 9106).
    password TEXT NOT NULL CHECK (password LIKE '$argon2id$%'),
    -- When the password was set.
    password_us INTEGER NOT NULL CHECK (password_us >= 0),
    -- 1 where they see all cameras, those to come as well; 0 for those in grants.
    all_cameras INTEGER NOT NULL CHECK (all_cameras IN (0, 1)),
    -- 1 where they may not log in.
    disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    -- When the account was made.
    created_us INTEGER NOT NULL CHECK (created_us >= 0)
) STRICT, WITHOUT ROWID;
{_told("users", "id, name, role, password_us, all_cameras, disabled", _ACCOUNTS)}

CREATE TABLE grants (
    -- Who sees it.
    user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE CHECK (length(user) = 16),
    -- Which camera: an id of the archive. It may have been removed, its recordings are there.
    camera TEXT NOT NULL CHECK (length(camera) > 0),
    PRIMARY KEY (user, camera)
) STRICT, WITHOUT ROWID;
{_told("grants", "user, camera", _ACCOUNTS)}

CREATE TABLE sessions (
    -- What lists call it: 16 hexadecimal digits, no secret.
    id TEXT PRIMARY KEY CHECK (length(id) = 16),
    -- Who logged in.
    user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE CHECK (length(user) = 16),
    -- SHA-256 of the secret that the browser shows.
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    -- When they logged in.
    created_us INTEGER NOT NULL CHECK (created_us >= 0),
    -- When it was shown last, to about an hour.
    used_us INTEGER NOT NULL CHECK (used_us >= 0),
    -- When it ends, however much it is used.
    expires_us INTEGER NOT NULL CHECK (expires_us >= created_us),
    -- From where they logged in: an IP address.
    address TEXT NOT NULL CHECK (length(address) <= 64),
    -- With which browser, as it says of itself.
    agent TEXT NOT NULL CHECK (length(agent) <= 200)
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user);
{_told("sessions", "id, user, hash, expires_us", _ACCOUNTS)}

CREATE TABLE tokens (
    -- What lists call it: 16 hexadecimal digits, no secret.
    id TEXT PRIMARY KEY CHECK (length(id) = 16),
    -- In whose name it acts.
    user TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE CHECK (length(user) = 16),
    -- What it is for, as they call it.
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    -- SHA-256 of the secret that the program shows.
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    -- The most that may be done with it; never more than the user may.
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- The cameras that may be seen with it, JSON: a list of ids; NULL for all that the user sees.
    cameras TEXT CHECK (cameras IS NULL OR json_type(cameras) = 'array'),
    -- When it was made.
    created_us INTEGER NOT NULL CHECK (created_us >= 0),
    -- When it ends; NULL for never.
    expires_us INTEGER CHECK (expires_us >= created_us),
    -- When it was shown last, to about an hour; NULL for never.
    used_us INTEGER CHECK (used_us >= 0),
    UNIQUE (user, name)
) STRICT, WITHOUT ROWID;
{_told("tokens", "id, user, name, hash, role, cameras, expires_us", _ACCOUNTS)}

CREATE TABLE shares (
    -- What lists call it: 16 hexadecimal digits, no secret.
    id TEXT PRIMARY KEY CHECK (length(id) = 16),
    -- Which clip the link leads to.
    clip TEXT NOT NULL CHECK (length(clip) > 0),
    -- Whom it is for, as they call it.
    name TEXT NOT NULL CHECK (length(name) <= 200),
    -- SHA-256 of the secret in the link.
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    -- Who made it; NULL on loopback without accounts. Their links go with them.
    user TEXT REFERENCES users (id) ON DELETE CASCADE CHECK (user IS NULL OR length(user) = 16),
    -- When it was made.
    created_us INTEGER NOT NULL CHECK (created_us >= 0),
    -- When it ends.
    expires_us INTEGER NOT NULL CHECK (expires_us >= created_us),
    -- 1 where somebody took it back.
    revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1)),
    -- How often the clip was fetched with it.
    downloads INTEGER NOT NULL DEFAULT 0 CHECK (downloads >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX shares_by_clip ON shares (clip);
CREATE INDEX shares_by_user ON shares (user);
{_told("shares", "id, clip, name, hash, user, expires_us, revoked", _ACCOUNTS)}

CREATE TABLE audit (
    -- Rises, and is never used again.
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
    -- When it was done.
    wall_us INTEGER NOT NULL CHECK (wall_us >= 0),
    -- Who did it, by the name that they had then.
    who TEXT NOT NULL CHECK (length(who) <= 200),
    -- How they showed who they are; empty where they did not.
    how TEXT NOT NULL CHECK (how IN ('session', 'token', 'loopback', '')),
    -- From where: an IP address; empty on the command line.
    address TEXT NOT NULL CHECK (length(address) <= 64),
    -- What they did: camera.remove, login.refused ...
    action TEXT NOT NULL CHECK (length(action) BETWEEN 1 AND 64),
    -- With what: an id or a name.
    object TEXT NOT NULL CHECK (length(object) <= 200),
    -- More of it, JSON. No secret.
    detail TEXT NOT NULL CHECK (json_type(detail) = 'object' AND length(detail) <= 4000)
) STRICT;
CREATE TRIGGER audit_bounded AFTER INSERT ON audit BEGIN
    DELETE FROM audit WHERE id <= new.id - {MOST_ROWS};
END;

CREATE TABLE events (
    -- Rises by one with each, over restarts, too.
    id INTEGER PRIMARY KEY CHECK (id > 0),
    -- When it happened.
    wall_us INTEGER NOT NULL CHECK (wall_us >= 0),
    -- What it is about: state, recording, storage, settings ...
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 32),
    -- Which camera's; NULL where it concerns all.
    camera TEXT CHECK (length(camera) > 0),
    -- One sentence for a person.
    told TEXT NOT NULL CHECK (length(told) <= 2000),
    -- The same for programs, JSON.
    detail TEXT NOT NULL CHECK (json_type(detail) = 'object')
) STRICT;
CREATE INDEX events_by_camera ON events (camera, id);
CREATE TRIGGER events_bounded AFTER INSERT ON events BEGIN
    DELETE FROM events WHERE id <= new.id - {MOST_ROWS};
END;
"""

SCRIPTS = (_VERSION_1,)
"""What makes each version of the database from the one before."""
