"""The routes of live pictures."""

from __future__ import annotations

from fastapi import APIRouter

from camkeep.server.live import hls, mjpeg, mp4, snapshot, socket

router = APIRouter()
for _part in (socket, hls, mjpeg, mp4, snapshot):
    router.include_router(_part.router)
