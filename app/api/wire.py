"""What is wrong before a call is one: octets that are no HTTP, or a head without an end. It is
answered as every other problem is, and logged under its correlation id. And what outlives a call:
an answer that stays open is handed over, so that nothing of the call is kept for it.
"""

import asyncio
from http import HTTPStatus
from typing import cast

import structlog
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.api import correlation, metrics
from app.api.envelope import SECURITY
from app.api.lasting import LINE, Successor
from app.api.problems import MEDIA_TYPE, Problem
from app.api.texts import DEFAULT

MOST_HEAD = 64 * 1024  # octets of the first line and the headers
_UNREAD = "none"
_CONTINUE = b"HTTP/1.1 100 "
_log = structlog.get_logger("api")


class _Joined:
    """A transport that keeps the head of an answer until its body comes: one write for both."""

    __slots__ = ("_head", "_is_begun", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport, self._head, self._is_begun = transport, b"", False

    def write(self, octets: bytes) -> None:
        if self._is_begun or octets.startswith(_CONTINUE):
            self._transport.write(octets)
        elif not self._head:
            self._head = octets
        else:
            self.flush(octets)

    def flush(self, body: bytes = b"") -> None:
        """Writes what was kept, and `body` behind it."""
        self._is_begun = True
        if self._head or body:
            self._transport.write(self._head + body)
        self._head = b""

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self.flush()
        self._transport.close()


class Wire(HttpToolsProtocol):
    """One connection of HTTP/1.1."""

    _head = -1  # octets of a head that is not complete yet; -1 between heads

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head >= 0 and not self.transport.is_closing():
            self._head += len(data)
            if self._head > MOST_HEAD:
                self._refuse(Problem("head_too_large", limit=MOST_HEAD))

    def on_message_begin(self) -> None:
        self._head = 0
        super().on_message_begin()
        self.scope["extensions"] = {LINE: {"hand_over": self.hand_over}}

    def on_headers_complete(self) -> None:
        self._head = -1
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """In place of uvicorn's line of plain text."""
        self._refuse(Problem("not_http"))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.transport = cast(asyncio.Transport, _Joined(self.transport))
        super()._start_asgi_task(cycle, app)

    def hand_over(self, successor: Successor) -> bool:
        """Gives the connection to `successor`, who goes on with the body of the answer that has
        begun, in chunks (RFC 9112, section 7.1), and closes it. False: nobody is there any more."""
        if self.cycle.disconnected or self.transport.is_closing():
            return False
        cast(_Joined, self.cycle.transport).flush()
        self.cycle.disconnected = True  # for the call, which may end without ending its answer
        connections = cast(set[object], self.connections)
        connections.discard(self)
        connections.add(successor)  # a stopping server waits until all of them are gone
        successor.begin(connections, self.flow.write_paused)
        self.parser = None  # type: ignore[assignment]
        self.transport.set_protocol(successor)
        successor.connection_made(self.transport)
        return True

    def _refuse(self, problem: Problem) -> None:
        name, body = correlation.new(), problem.body(DEFAULT)
        headers = {
            correlation.HEADER: name,
            **dict(SECURITY),
            "Cache-Control": "no-store",
            "Content-Language": DEFAULT,
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode("ascii") + body)
        self.transport.close()
        metrics.answered(_UNREAD, _UNREAD, problem.status, 0.0)
        _log.info(
            "answered",
            method=_UNREAD,
            route=_UNREAD,
            status=problem.status,
            correlation=name,
        )
