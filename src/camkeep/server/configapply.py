"""Exports what people decided, and applies such a file: all of it or nothing.

Functions for one transaction of the settings database. Secrets that the file does not carry stay
where they are known already, and only there: `cameraurl` says when.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import replace

from camkeep.archive.layout import new_camera_id
from camkeep.clock import WallUs
from camkeep.errors import UsageError
from camkeep.model import CameraId
from camkeep.server import camerarows
from camkeep.server.applied import check_addresses
from camkeep.server.camerasettings import CameraSettings, changed, new_settings
from camkeep.server.cameraurl import HIDDEN, bare, login_of
from camkeep.server.configfile import CameraEntry, Document, Report, write_document
from camkeep.server.configusers import UserImport, exported_users
from camkeep.server.secrets import Secrets
from camkeep.server.urlpolicy import UrlPolicy


def export(connection: sqlite3.Connection, secrets: Secrets, *, with_secrets: bool) -> str:
    """The file. Raises UsageError."""
    cameras = camerarows.all_cameras(connection, secrets)
    names = {camera.id: camera.name for camera in cameras}
    users = exported_users(connection, names, with_secrets=with_secrets)
    return write_document(cameras, users, _settings(connection), secrets=with_secrets)


class Import:
    """Applies one document. `run` it within a transaction, and undo that where it raises."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        secrets: Secrets,
        policy: UrlPolicy,
        now: WallUs,
        known: Mapping[str, CameraId],
        *,
        prune: bool,
    ) -> None:
        """`known` are cameras of the archive by their folded names: a new camera that is called
        like one of them is that one. With `prune` goes what the file does not name, of the kinds
        of which it names any."""
        self._connection = connection
        self._secrets = secrets
        self._policy = policy
        self._now = now
        self._known = known
        self._prune = prune
        self.report = Report()

    def run(self, document: Document) -> Report:
        """Do it. Raises UsageError."""
        before = camerarows.all_cameras(self._connection, self._secrets)
        after = self._match(before, document.cameras)
        if self._prune and document.cameras:
            for camera in before:
                if camera.id not in {each.id for each in after}:
                    camerarows.delete(self._connection, camera.id)
                    self._tell(f"- camera {camera.name}")
        self._write_cameras({camera.id: camera for camera in before}, after)
        self._order([camera.id for camera in before], [camera.id for camera in after])
        names = {
            camera.name.casefold(): camera.id
            for camera in camerarows.all_cameras(self._connection, self._secrets)
        }
        names = {**self._known, **names}
        UserImport(self._connection, self._now, names, self.report).run(
            document.users, prune=self._prune
        )
        if document.settings is not None:
            self._set(document.settings)
        return self.report

    # cameras

    def _match(
        self, before: list[CameraSettings], entries: tuple[CameraEntry, ...]
    ) -> list[CameraSettings]:
        """What the cameras of the file are to be: each that is known by its id or, without one
        that is known, by its name."""
        ids = {camera.id: camera for camera in before}
        names = {camera.name.casefold(): camera for camera in before}
        claimed = {entry.id for entry in entries if entry.id in ids}
        found = []
        for entry in entries:
            same = ids.get(entry.id) if entry.id is not None else None
            if same is None:
                named = names.get(entry.name.strip().casefold())
                same = None if named is None or named.id in claimed else named
            try:
                found.append(self._merged(same, entry))
            except UsageError as error:
                raise UsageError(f"camera {entry.name}: {error}") from None
        return found

    def _merged(self, same: CameraSettings | None, entry: CameraEntry) -> CameraSettings:
        values = dict(entry.values)
        if same is not None:
            values.setdefault("sub_address", None)
            merged = changed(same, values, unfilled=True)
        else:
            name = entry.name.strip().casefold()
            camera = entry.id or self._known.get(name) or new_camera_id()
            merged = new_settings(camera, values, unfilled=True)
        if merged.url:
            check_addresses(merged, self._policy)
        return merged

    def _write_cameras(
        self, before: Mapping[CameraId, CameraSettings], after: list[CameraSettings]
    ) -> None:
        moving = [c for c in after if c.id in before and c.name != before[c.id].name]
        for number, camera in enumerate(moving):  # two may swap their names
            parked = replace(before[camera.id], name=f"\N{BULLET} {number} {camera.id}")
            camerarows.update(self._connection, self._secrets, parked)
        for camera in after:
            old = before.get(camera.id)
            if old is None:
                camerarows.insert(self._connection, self._secrets, camera, self._now)
                self._tell(f"+ camera {camera.name}")
            elif camera != old:
                camerarows.update(self._connection, self._secrets, camera)
                self._tell(f"~ camera {camera.name}: {', '.join(_differences(old, camera))}")
            self._remark(camera, old)

    def _remark(self, camera: CameraSettings, old: CameraSettings | None) -> None:
        """What is missing of it, that the file cannot carry."""
        login = login_of(camera.url)
        if camera.url and f"={HIDDEN}" in bare(camera.url):
            self.report.remarks.append(
                f"camera {camera.name}: its address has {HIDDEN} in place of a secret: set it with "
                f"`camkeep camera set {camera.name!r} --address`"
            )
        if login and not login.password and (old is None or old.url != camera.url):
            self.report.remarks.append(
                f"camera {camera.name}: no password is known: set it with "
                f"`camkeep camera set {camera.name!r} --password-file FILE`"
            )

    def _order(self, before: list[CameraId], after: list[CameraId]) -> None:
        """Those of the file as they stand in it, the others behind them."""
        rows = camerarows.all_cameras(self._connection, self._secrets)
        if [camera.id for camera in rows if camera.id in set(after)] == after:
            return
        camerarows.reorder(self._connection, after)
        if [c for c in before if c in set(after)] != [c for c in after if c in set(before)]:
            self._tell("~ the order of the cameras")

    # the rest

    def _set(self, wanted: Mapping[str, object]) -> None:
        before = _settings(self._connection)
        for key, value in sorted(wanted.items()):
            if key not in before or before[key] != value:
                self._connection.execute(
                    "INSERT INTO settings VALUES (?, ?) "
                    "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    (key, json.dumps(value, ensure_ascii=False)),
                )
                self._tell(f"{'~' if key in before else '+'} setting {key}")
        for key in sorted(set(before) - set(wanted)) if self._prune else ():
            self._connection.execute("DELETE FROM settings WHERE key = ?", (key,))
            self._tell(f"- setting {key}")

    def _tell(self, line: str) -> None:
        self.report.changes.append(line)


def _settings(connection: sqlite3.Connection) -> dict[str, object]:
    return {k: json.loads(v) for k, v in connection.execute("SELECT key, value FROM settings")}


def _differences(old: CameraSettings, new: CameraSettings) -> list[str]:
    """What differs, by the names of `public`; of secrets only that they do."""
    before, after = old.public(), new.public()
    found = [key.removesuffix("_set") for key in after if before[key] != after[key]]
    return found or ["a secret"]
