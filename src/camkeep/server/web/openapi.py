"""The description of the API (OpenAPI 3.1), made from the routes.

The framework writes it; added here are the right that each operation demands, the ways to log in,
which answers do not end by themselves, and that errors are problem details.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse

from camkeep.server.access import Right
from camkeep.server.web.answers import PROBLEM_JSON
from camkeep.server.web.guard import Looker, routes_of

router = APIRouter()

SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": "camkeep"},
    "token": {"type": "http", "scheme": "bearer"},
}
ENDLESS = frozenset({"text/event-stream", "multipart/x-mixed-replace"})
"""What comes until somebody leaves: such operations are marked with ``x-lasting``. One of another
type, as a live movie, says so itself, with ``openapi_extra``."""
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, and what to do (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, who: Looker) -> JSONResponse:
    """The description of the API. On a thread: the first one takes a quarter of a second."""
    return JSONResponse(request.app.openapi())


def described(app: FastAPI) -> dict[str, Any]:
    """The description of `app`, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _describe(app)
    return app.openapi_schema


def _describe(app: FastAPI) -> dict[str, Any]:
    about = "The API of the camkeep recorder. Times are microseconds since 1970, UTC."
    schema = get_openapi(title=app.title, version=app.version, description=about, routes=app.routes)
    parts = schema.setdefault("components", {})
    parts["securitySchemes"] = SCHEMES
    schemas = parts.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    failure = {
        "description": "What went wrong.",
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for route in routes_of(app):
        for method in route.methods:
            operation = schema.get("paths", {}).get(route.path, {}).get(method.lower())
            if operation is not None:
                operation["x-right"] = route.right
                if ENDLESS & {*operation["responses"].get("200", {}).get("content", ())}:
                    operation["x-lasting"] = True
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = failure
                if route.right is not Right.PUBLIC:
                    operation["security"] = [{name: []} for name in SCHEMES]
    return schema
