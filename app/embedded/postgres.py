"""A real PostgreSQL out of a wheel: made once, started on its data, stopped in order.

It listens on a unix socket only, in a directory that is ours alone; fsync stays on.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from app.embedded import places, processes
from app.embedded.lifeline import Running
from app.embedded.processes import Account, EmbeddedError

NAME = "jauap"
START_SECONDS = 60  # recovery after a crash replays the log first
_STOP = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "synchronous_commit": "on",
    "fsync": "on",
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "min_wal_size": "80MB",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # shared memory is scarce in containers
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # a statement may hold what must not be logged
    "log_error_verbosity": "terse",
}


class Postgres:
    """One server on `data`/postgres with its socket in `run`; `start` returns its URL."""

    def __init__(self, data: Path, run: Path) -> None:
        self._data, self._run = data, run
        self._log = data / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """postgresql://… of a server that answers. Raises EmbeddedError."""
        who = processes.account()
        binaries = places.postgres_binaries(who)
        home = places.home(self._data, who)
        run = self._run
        since = processes.open_log(self._log)
        if not (home / "PG_VERSION").exists():
            self._make(home, binaries, who, since)
        _take_over(home, run, who)
        try:
            self._process = processes.spawn(_command(binaries, home, run), who, self._log)
            self._wait(home, since)
            self._make_database(home, binaries, run, who, since)
        except BaseException:
            self.stop()
            raise
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(run), safe='/')}"

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, what was committed is kept."""
        if self._process is not None:
            processes.stop(self._process, _STOP)
            self._process = None

    def ended(self) -> int | None:
        """The exit code when the server ended by itself."""
        return self._process.poll() if self._process else None

    @property
    def is_up(self) -> bool:
        """Whether it was started, and nobody has stopped it."""
        return self._process is not None

    def running(self) -> Running:
        """How somebody else finds and ends it: fast shutdown."""
        assert self._process is not None
        return Running(self._process.pid, str(self._run), "INT")

    def _make(self, home: Path, binaries: Path, who: Account | None, since: int) -> None:
        """initdb in a draft beside it: a start killed in the middle leaves nothing half made."""
        if home.exists() and any(home.iterdir()):
            raise EmbeddedError(
                f"{home} is not a data directory of PostgreSQL; restore it or move it away"
            )
        draft = home.with_name(home.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if who:
            os.chown(draft, who.uid, who.gid)
        words = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        words += ["--no-locale", "--auth=trust", f"--username={NAME}", "--no-instructions"]
        words += ["--wal-segsize=4"]  # MB: a commit that needs a new one waits until it is zeroed
        if not processes.finish(
            [str(binaries / "initdb"), *words, "-D", str(draft)], who, self._log
        ):
            reason = processes.told(self._log, since)
            shutil.rmtree(draft, ignore_errors=True)
            raise EmbeddedError(f"PostgreSQL could not make {home}: {reason}")
        if home.exists():
            home.rmdir()
        draft.rename(home)

    def _wait(self, home: Path, since: int) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.ended() is not None:
                break
            if _status(home) == "ready":
                return
            time.sleep(0.01)
        raise EmbeddedError(
            f"PostgreSQL does not start on {home}: {processes.told(self._log, since)}"
        )

    def _make_database(
        self, home: Path, binaries: Path, run: Path, who: Account | None, since: int
    ) -> None:
        made = home / "jauap.made"
        if made.exists():
            return
        command = [str(binaries / "createdb"), "-h", str(run), "-U", NAME, NAME]
        if not processes.finish(command, who, self._log):
            reason = processes.told(self._log, since)
            if "already exists" not in reason:
                raise EmbeddedError(f"PostgreSQL could not make the database: {reason}")
        made.touch()


def _command(binaries: Path, home: Path, run: Path) -> list[str]:
    settings = _SETTINGS | {"unix_socket_directories": f'"{run}"'}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [str(binaries / "postgres"), "-D", str(home), *words]


def _pid_file(home: Path) -> list[str]:
    """postmaster.pid: line 1 the pid, line 8 the status (PostgreSQL, miscadmin.h)."""
    try:
        return (home / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _status(home: Path) -> str:
    lines = _pid_file(home)
    return lines[7].strip() if len(lines) > 7 else ""


def _take_over(home: Path, run: Path, who: Account | None) -> None:
    """After a kill -9: ends the server that was left, and removes its pid and lock files.

    PostgreSQL believes a stale pid file when another process has that pid by now, as happens in
    containers. We hold the lock on paths.data and nobody works in `home`, so they are stale.
    """
    lines = _pid_file(home)
    pid = int(lines[0]) if lines and lines[0].strip().isdigit() else None
    processes.end_orphans(home, signal.SIGINT, pid)
    if Path("/proc/self/cwd").exists():
        for stale in (home / "postmaster.pid", *run.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
    if who and home.stat().st_uid != who.uid:
        for path in (home, *home.rglob("*")):
            os.chown(path, who.uid, who.gid, follow_symlinks=False)
    elif who is None and home.stat().st_uid != os.geteuid():
        raise EmbeddedError(
            f"{home} belongs to another account; start jauap from that one or move paths.data"
        )
