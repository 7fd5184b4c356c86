"""What goes around every answer: a correlation id, security headers, the numbers, one log line.

It is plain ASGI, so that streams pass through it untouched.
"""

from collections.abc import Iterable
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import correlation, metrics
from app.api.lines import Lines
from app.api.problems import Problem, survives
from app.api.routing import problem_response
from app.api.texts import DEFAULT

# Nothing we answer is to be run, framed, guessed at or told on. Over plain HTTP a browser passes
# over Strict-Transport-Security; where TLS ends in front of us, it counts.
SECURITY = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Strict-Transport-Security", "max-age=31536000"),
)


_SECURITY = [(name.lower().encode(), value.encode()) for name, value in SECURITY]
_HEADER = correlation.HEADER.lower().encode()


class Envelope:
    """Wraps an application; `route` in the scope is the declared address, if there is one."""

    def __init__(self, app: ASGIApp, lines: Lines) -> None:
        self.app, self.lines = app, lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = scope[correlation.FIELD] = correlation.of(_given(scope))
        started_at, status, begun = perf_counter(), 500, False

        async def enveloped(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                message["headers"] = _enveloped(message.get("headers", ()), name)
            await send(message)

        with structlog.contextvars.bound_contextvars(**{correlation.FIELD: name}):
            try:
                if not await survives(lambda: self.app(scope, receive, enveloped)) and not begun:
                    await problem_response(Problem("failed"), DEFAULT)(scope, receive, enveloped)
            finally:
                seconds = perf_counter() - started_at
                method, route = scope["method"], scope.get("route", "none")
                metrics.answered(method, route, status, seconds)
                if route.startswith("/v1"):  # probes come every few seconds: counted, not logged
                    self.lines.add(method, route, status, seconds, name)


def _given(scope: Scope) -> str | None:
    """The caller's own correlation id, whatever it looks like."""
    for name, value in scope["headers"]:
        if name == _HEADER:
            return str(value, "latin-1")
    return None


def _enveloped(headers: Iterable[tuple[bytes, bytes]], name: str) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with those that every answer has."""
    own = list(headers)
    known = {one for one, _ in own}
    own += [(one, value) for one, value in _SECURITY if one not in known]
    own.append((_HEADER, name.encode()))
    return own
