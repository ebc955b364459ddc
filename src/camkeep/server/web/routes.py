"""All routes that there are, in one place. A router that is not in this list does not exist."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.routing import Mount

API = "/api/v1"

ROUTERS: tuple[tuple[str, APIRouter | Mount], ...] = ()
"""Each with the prefix of its paths. The first that matches serves a request."""
