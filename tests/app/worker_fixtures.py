"""What the tests of the worker and the webhooks have in common: a provider that listens, events,
and outages."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import msgspec
from psycopg.conninfo import make_conninfo

from app.ledger import handover
from app.ledger.engine import Ledger, sql
from app.runtime import Runtime

SECRET = "the provider's own secret"
PROVIDER = "mintrud"


class Provider:
    """A provider's HTTP server: answers what it is told to and remembers what it was sent."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.answer: Callable[[dict[str, str], bytes], int] = self._next
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer._take(dict(self.headers), body)
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", outer.url + "/elsewhere")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def speak_tls(self, context: ssl.SSLContext) -> None:
        """From now on only TLS is understood here."""
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )

    def _next(self, headers: dict[str, str], body: bytes) -> int:
        return self.answers.pop(0) if self.answers else 200

    def _take(self, headers: dict[str, str], body: bytes) -> int:
        with self._lock:
            self.heard.append((headers, body))
            return self.answer(headers, body)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The bodies heard, decoded, in order."""
        return [msgspec.json.decode(body) for _, body in self.heard]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that listens."""
    there = Provider()
    try:
        yield there
    finally:
        there.close()


def listen(rt: Runtime, url: str, *kinds: str) -> UUID:
    """Registers a webhook for all events, or for some; its id."""
    with rt.ledger.begin() as tx:
        hook = handover.add_webhook(
            tx, rt.vault, PROVIDER, url, kinds or ("*",), SECRET, rt.clock()
        )
    return hook.id


def happen(rt: Runtime, *events: tuple[UUID, int], kind: str = "offer.accepted") -> None:
    """Writes events: (case, sequence)."""
    with rt.unit() as unit:
        for case_id, sequence in events:
            unit.handover.add(unit.now, case_id, sequence, PROVIDER, kind, {"state": "accepted"})


def states(rt: Runtime) -> list[tuple[str, int, int | None, str | None]]:
    """(state, attempts, last status, last error) of every delivery, by case and sequence."""
    with rt.ledger.begin() as tx:
        found = tx.execute(
            sql(
                "SELECT state, attempts, last_status, last_error FROM deliveries "
                "ORDER BY case_id, sequence"
            )
        )
        return [tuple(row) for row in found]


def eventually(is_so: Callable[[], bool], within_s: float = 10) -> None:
    """Waits until something is so; AssertionError when it does not become so in time."""
    ends = monotonic() + within_s
    while not is_so():
        assert monotonic() < ends, "it did not happen in time"
        sleep(0.02)


@contextmanager
def ledger_outage(rt: Runtime) -> Iterator[None]:
    """While inside, PostgreSQL turns everyone away from this runtime's database."""
    database = rt.ledger.database
    server = Ledger(make_conninfo(rt.ledger.url, dbname="postgres"))
    with server.alone() as tx:
        tx.write(sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false"))
        tx.write(
            sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": database},
        )
        try:
            yield
        finally:
            tx.write(sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true"))
            server.dispose()
