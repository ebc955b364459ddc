"""All routes that there are, in one place. A router that is not in this list does not exist."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.routing import Mount

from camkeep.server.api import (
    audit,
    backup,
    cameras,
    clips,
    controls,
    days,
    download,
    events,
    health,
    login,
    logins,
    offers,
    playback,
    recording,
    shares,
    storage,
    system,
    timeline,
    users,
)
from camkeep.server.live import routes as live
from camkeep.server.web import pages

API = "/api/v1"

ROUTERS: tuple[tuple[str, APIRouter | Mount], ...] = (
    (API, login.router),
    (API, users.router),
    (API, logins.router),
    (API, shares.router),
    (API, audit.router),
    (API, clips.router),
    (API, days.router),
    (API, timeline.router),
    (API, download.router),
    (API, playback.router),
    (API, storage.router),
    (API, events.router),
    ("", health.root),
    (API, health.router),
    (API, system.router),
    (API, backup.router),
    (API, offers.router),  # before those of one camera
    (API, cameras.router),
    (API, recording.router),
    (API, controls.router),
    (API, live.router),
    ("", pages.router),
)
"""Each with the prefix of its paths. The first that matches serves a request."""
