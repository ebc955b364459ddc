"""The routes of live pictures."""

from __future__ import annotations

from fastapi import APIRouter

from camkeep.server.live import socket

router = APIRouter()
for _part in (socket,):
    router.include_router(_part.router)
