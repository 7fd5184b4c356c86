"""The application around the endpoints: routes, what needs no key, problems for all the rest."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from app.api import docs, language, metrics, openapi
from app.api.auth import Tokens
from app.api.bulk import Bulk
from app.api.door import Door
from app.api.envelope import Envelope
from app.api.lines import Lines
from app.api.problems import Problem, answers, not_found
from app.api.routing import Endpoint, problem_response
from app.api.streams import Streams
from app.runtime import Runtime

View = Callable[[Request], Awaitable[Response]]


class Named(Route):
    """A route that leaves its declared address in the scope, for the numbers and the log."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self.path
        await super().handle(scope, receive, send)


class Addresses(Router):
    """The routes; an address without parameters is found by its name."""

    def __init__(self, routes: Sequence[Route], **more: Any) -> None:
        super().__init__(routes, **more)
        self.plain = {route.path: route for route in routes if "{" not in route.path}

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self.plain.get(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await super().app(scope, receive, send)
            return
        scope["endpoint"], scope["path_params"] = route.endpoint, {}
        await route.handle(scope, receive, send)


def application(rt: Runtime, endpoints: Sequence[Endpoint], tokens: Tokens | None) -> Starlette:
    """The web application over `rt`. One route an address, so that a 405 knows every method."""
    streams, bulk, lines = Streams(rt), Bulk(), Lines()
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    routes = [
        Named(path, _view(Door(rt, tokens, streams, bulk, methods)), methods=list(methods))
        for path, methods in by_path.items()
    ]
    app = Starlette(
        middleware=[Middleware(Envelope, lines=lines)],
        exception_handlers={HTTPException: _refused},
    )
    app.router = Addresses([*_open_routes(rt, endpoints), *routes], redirect_slashes=False)
    app.state.streams, app.state.bulk, app.state.lines = streams, bulk, lines
    return app


def _view(door: Door) -> View:
    async def view(request: Request) -> Response:
        return await door(request)

    return view


def _open_routes(rt: Runtime, endpoints: Sequence[Endpoint]) -> list[Route]:
    # Made when first asked for: most processes and tests never are.
    document = cache(lambda: openapi.document(endpoints))
    page = cache(lambda: docs.page(document()))
    figures = metrics.Numbers(rt)

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(request: Request) -> Response:
        ledger = await run_in_threadpool(answers, rt.ledger.check)
        redis = await run_in_threadpool(answers, rt.redis.ping)
        found = {"ledger": ledger, "redis": redis}
        words = {name: "answers" if ok else "does not answer" for name, ok in found.items()}
        # Without Redis wake-ups are late and nothing is lost: no reason to take a node out.
        return JSONResponse(words, 200 if ledger else 503)

    async def numbers(request: Request) -> Response:
        shown = await run_in_threadpool(figures.shown)
        return Response(shown, headers={"Content-Type": metrics.CONTENT_TYPE})

    async def described(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(document))

    async def documented(request: Request) -> Response:
        return HTMLResponse(
            await run_in_threadpool(page), headers={"Content-Security-Policy": docs.POLICY}
        )

    return [
        Named("/healthz", healthz),
        Named("/readyz", readyz),
        Named("/metrics", numbers),
        Named("/openapi.json", described),
        Named("/docs", documented),
    ]


async def _refused(request: Request, error: Exception) -> Response:
    """What the router refuses: no such address, or not this method."""
    spoken = language.of(request.headers.get("accept-language"))
    if isinstance(error, HTTPException) and error.status_code == 405:
        methods = (error.headers or {}).get("Allow", "")
        return problem_response(
            Problem("method", headers={"Allow": methods}, methods=methods), spoken
        )
    return problem_response(not_found(), spoken)
