"""Errors, whatever raised them, as problem details (RFC 9457) without a stack or a secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response

from camkeep.errors import CamkeepError
from camkeep.server.problems import Problem, problem_of

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
MOST_FAULTS = 20
"""Faults of one request that are told."""
WORDS = {
    404: "there is nothing at this address",
    405: "this address does not know that method",
}


def problem_response(problem: Problem, **more: object) -> Response:
    """The answer that tells of it; `more` are further members of the problem object."""
    body = json.dumps({**problem.body(), **more}).encode()
    return Response(body, problem.status, headers=problem.headers, media_type=PROBLEM_JSON)


def unexpected(error: Exception, where: str) -> Response:
    """The answer to an error that nobody foresaw: the log has it, the client has not."""
    log.error("%s failed for a reason that nobody foresaw", where, exc_info=error)
    return problem_response(
        Problem(
            500, "Failed", "camkeep could not do this; its log says why", kind="urn:camkeep:failed"
        )
    )


def add_handlers(app: Starlette) -> None:
    """Have `app` answer errors as problem details."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(CamkeepError, _camkeep_error)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(WebSocketRequestValidationError, _invalid)


async def _problem(_: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return problem_response(error)


async def _camkeep_error(_: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, CamkeepError)
    return problem_response(problem_of(error))


async def _http(_: HTTPConnection, error: Exception) -> Response:
    """Of the framework itself: no such route, no such method, a body that does not read."""
    assert isinstance(error, HTTPException)
    detail = WORDS.get(error.status_code, str(error.detail))
    title = HTTPStatus(error.status_code).phrase
    return problem_response(Problem(error.status_code, title, detail, headers=error.headers))


async def _invalid(_: HTTPConnection, error: Exception) -> Response:
    """What was sent is not what the route takes. What it was is not repeated: it may be secret."""
    assert isinstance(error, RequestValidationError | WebSocketRequestValidationError)
    faults = [_fault(each) for each in list(error.errors())[:MOST_FAULTS]]
    told = "; ".join(f"{fault['where']}: {fault['what']}" for fault in faults)
    return problem_response(
        Problem(422, "Not understood", told, kind="urn:camkeep:usage"), errors=faults
    )


def _fault(error: Mapping[str, object]) -> dict[str, str]:
    place = error["loc"]
    parts = [str(part)[:100] for part in place] if isinstance(place, tuple | list) else []
    where = ".".join(parts[1:] if len(parts) > 1 else parts)
    return {"where": where or "body", "what": str(error["msg"])[:300]}
