"""The application: routes, what stands before them, and how errors are answered.

It refuses to be made with a route that does not declare exactly one right.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from starlette.routing import Mount

import camkeep
from camkeep.server.desk import Desk
from camkeep.server.web.answers import add_handlers
from camkeep.server.web.entrance import Entrance
from camkeep.server.web.guard import routes_of
from camkeep.server.web.openapi import described, router
from camkeep.server.web.routes import ROUTERS
from camkeep.server.webcounts import Counting

Part = APIRouter | Mount


def make_app(desk: Desk, more: Sequence[tuple[str, Part]] = ()) -> FastAPI:
    """The application over `desk`. `more` are further routers, each with the prefix of its paths.
    Raises ValueError for a route that does not declare one right."""
    app = FastAPI(
        title="camkeep",
        version=camkeep.__version__,
        openapi_url=None,  # a route of our own, which demands a right
        docs_url=None,  # those pages load scripts of others
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.desk = desk
    app.add_middleware(Entrance, options=desk.web)
    app.add_middleware(Counting, counts=desk.monitor.web)  # around it: what it refuses counts, too
    add_handlers(app)
    for prefix, part in (*ROUTERS, ("/api/v1", router), *more):
        if isinstance(part, Mount):
            app.router.routes.append(part)
        else:
            app.include_router(part, prefix=prefix)
    routes_of(app)
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    return app
