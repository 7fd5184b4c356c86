"""What goes around every answer: a correlation id, security headers, the numbers, one log line.

It is plain ASGI, so that streams pass through it untouched.
"""

import re
import secrets
from time import perf_counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import metrics
from app.api.problems import Problem, survives
from app.api.routing import problem_response
from app.api.texts import DEFAULT

HEADER = "X-Correlation-ID"
_SOUND = re.compile(r"[A-Za-z0-9._-]{1,64}")
_log = structlog.get_logger("api")


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


class Envelope:
    """Wraps an application; `route` in the scope is the declared address, if there is one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        correlation = given if _SOUND.fullmatch(given) else secrets.token_hex(16)
        started_at, status, begun = perf_counter(), 500, False

        async def enveloped(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                headers = MutableHeaders(scope=message)
                headers[HEADER] = correlation
                for name, value in SECURITY:
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation=correlation):
            try:
                if not await survives(lambda: self.app(scope, receive, enveloped)) and not begun:
                    await problem_response(Problem("failed"), DEFAULT)(scope, receive, enveloped)
            finally:
                seconds = perf_counter() - started_at
                route = scope.get("route", "none")
                metrics.answered(scope["method"], route, status, seconds)
                # Probes come every few seconds; they are counted, not logged.
                log = _log.info if route.startswith("/v1") else _log.debug
                log(
                    "answered",
                    method=scope["method"],
                    route=route,
                    status=status,
                    ms=round(seconds * 1000, 1),
                )
