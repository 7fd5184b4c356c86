"""The embedded servers: a real PostgreSQL and Valkey under `paths.data`, held by one process.

Which settings say "embedded" is all this knows of the house.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import structlog

from app.clock import system_clock
from app.embedded.lifeline import Lifeline
from app.embedded.places import run_directory
from app.embedded.postgres import Postgres
from app.embedded.processes import EmbeddedError, account
from app.embedded.valkey import Valkey
from app.settings import EMBEDDED, Settings

__all__ = ["MOST_STARTS", "EmbeddedError", "Servers", "Urls", "attach", "running"]

_PATIENCE = 1.0  # seconds; somebody may just be asking whether the lock is held
MOST_ENDS = 60  # within AGAIN_WITHIN_S: more is no accident
MOST_STARTS = 5  # in vain, one after the other
AGAIN_WITHIN_S = 300.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the ledger and Redis are: postgresql://…, and unix://… or redis://…"""

    ledger: str
    redis: str


class Servers:
    """Starts what the settings call "embedded" and stops it at the end of its `with`."""

    def __init__(self, command: str = "jauap") -> None:
        self._command = command
        self._lock: IO[str] | None = None
        self._note: Path | None = None
        self._run: Path | None = None
        self._started: list[Postgres | Valkey] = []
        self._lifeline: Lifeline | None = None
        self._ends: list[float] = []
        self._failed: dict[str, int] = {}  # how often a server that is down was started in vain

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, settings: Settings) -> Urls:
        """The URLs to use from here on; those of outside servers are passed through.

        Raises EmbeddedError, also when another process holds `paths.data`.
        """
        ledger, redis = settings.ledger.url, settings.redis.url
        if EMBEDDED not in (ledger, redis):
            return Urls(ledger, redis)
        data = settings.paths.data
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _hold(data, self._command)
            self._run = run = run_directory(data, account())
            urls = Urls(
                self._begin(Postgres(data, run)) if ledger == EMBEDDED else ledger,
                self._begin(Valkey(data, run)) if redis == EMBEDDED else redis,
            )
            self._note = _leave_note(data, urls)
            self._tie()
        except OSError as error:
            self.stop()
            raise EmbeddedError(f"paths.data: {error.strerror}: {error.filename}") from error
        except BaseException:
            self.stop()
            raise
        return urls

    def ended(self) -> str | None:
        """Names a server that ended by itself, for whoever watches over the processes."""
        for server in self._started:
            code = server.ended()
            if code is not None:
                return f"{type(server).__name__} ended with code {code}"
        return None

    def mend(self) -> str | None:
        """Starts again, where it was, a server that ended by itself; what it had committed is
        there. Names the trouble when that is in vain, for whoever watches over the processes."""
        for server in self._started:
            code, name = server.ended(), type(server).__name__
            if code is not None:
                log.error("server_ended", server=name, code=code)
                self._ends.append(time.monotonic())
                self._failed.setdefault(name, 0)
            if name in self._failed and (trouble := self._again(server, name)):
                return trouble
        return None

    def _again(self, server: Postgres | Valkey, name: str) -> str | None:
        now = time.monotonic()
        self._ends = [at for at in self._ends if now - at < AGAIN_WITHIN_S]
        if len(self._ends) > MOST_ENDS:
            return f"{name} ended, as servers did {MOST_ENDS} times in {AGAIN_WITHIN_S:.0f} s"
        try:
            server.start()
        except (EmbeddedError, OSError) as error:
            self._failed[name] += 1
            if self._failed[name] >= MOST_STARTS:
                return f"{name} ended and does not start again: {error}"
            log.error("server_does_not_start", server=name, tries=self._failed[name])
            return None
        del self._failed[name]
        self._tie()
        log.info("server_started_again", server=name, after_s=round(time.monotonic() - now, 1))
        return None

    def _tie(self) -> None:
        """Should we be killed, they end too."""
        if self._lifeline is not None:
            self._lifeline.close()
        self._lifeline = Lifeline([s.running() for s in self._started if s.is_up])

    def stop(self) -> None:
        """Stops them in the opposite order; safe to call twice."""
        if self._note is not None:
            self._note.unlink(missing_ok=True)
        while self._started:
            self._started.pop().stop()
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None
        if self._run is not None:
            with suppress(OSError):  # somebody else's file in it, or gone already
                self._run.rmdir()
        if self._lock is not None:
            self._lock.close()
        self._lock = self._note = self._run = None

    def _begin(self, server: Postgres | Valkey) -> str:
        url = server.start()
        self._started.append(server)
        return url


def attach(settings: Settings) -> Urls | None:
    """The URLs of the servers that another process is running on `paths.data` just now."""
    if EMBEDDED not in (settings.ledger.url, settings.redis.url):
        return Urls(settings.ledger.url, settings.redis.url)
    try:
        with (settings.paths.data / "lock").open() as file:
            if _locked(file, fcntl.LOCK_SH):
                return None
        return Urls(**json.loads((settings.paths.data / "servers.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def running(settings: Settings, command: str = "jauap") -> Iterator[Urls]:
    """Servers for a short command: those that run already, or our own until it is done."""
    urls = attach(settings)
    if urls is not None:
        yield urls
        return
    with Servers(command) as servers:
        yield servers.start(settings)


def _locked(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _hold(data: Path, command: str) -> IO[str]:
    """The lock on `data`; the system lets go of it even after kill -9."""
    file = (data / "lock").open("a+")
    end = time.monotonic() + _PATIENCE
    while not _locked(file, fcntl.LOCK_EX):
        if time.monotonic() > end:
            file.seek(0)
            holder = file.read().strip() or "another process"
            file.close()
            raise EmbeddedError(f"paths.data {data} is in use by {holder}")
        time.sleep(0.05)
    file.truncate(0)
    file.write(f"{command} (pid {os.getpid()}) since {system_clock():%Y-%m-%dT%H:%M:%SZ}\n")
    file.flush()
    return file


def _leave_note(data: Path, urls: Urls) -> Path:
    note = data / "servers.json"
    draft = note.with_suffix(".new")
    draft.write_text(json.dumps(asdict(urls)))
    draft.chmod(0o600)
    return draft.replace(note)
