"""Keeps the processes of `jauap up` running: starts, restarts with backoff, and stops them in time.

Children live in process groups of their own, so Ctrl-C reaches only the supervisor, and each holds
the read end of a pipe, so they end when the supervisor is killed.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import structlog

PARENT_FD = "JAUAP_PARENT_FD"
WRONG_USE = 2
"""A child that ends with this would only do so again: everything stops."""

_POLL_SECONDS = 0.1
_STEADY_SECONDS = 10.0  # who ran longer was not ended by what it does at its start
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """One child: its name in the log and its words after `python -m app.cli`, or a whole `argv`.
    `reloads`: it is told of a SIGHUP."""

    name: str
    argv: tuple[str, ...]
    reloads: bool = False

    @classmethod
    def of_jauap(cls, name: str, *words: str, reloads: bool = False) -> "Command":
        """`jauap name words…`, run by the Python that runs us."""
        return cls(name, (sys.executable, "-m", "app.cli", name, *words), reloads)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: the first and the longest wait before a restart, and how long a stop may take."""

    first: float = 0.5
    longest: float = 5.0  # nobody's message waits longer for us, whoever keeps killing us
    stop: float = 20.0


@dataclass(slots=True)
class _Child:
    command: Command
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    again_at: float = 0.0
    delay: float = 0.0
    pid: int = 0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs `commands` until SIGTERM, SIGINT, `stop()` or trouble that a restart cannot mend.

    `watch` is asked ten times a second; it mends what is outside the children (a dead server) and
    names trouble that it could not mend.
    """

    def __init__(
        self,
        commands: Sequence[Command],
        *,
        environ: Mapping[str, str] | None = None,
        watch: Callable[[], str | None] = lambda: None,
        patience: Patience | None = None,
    ) -> None:
        self._children = [_Child(command) for command in commands]
        self._environ = dict(os.environ if environ is None else environ)
        self._watch = watch
        self._patience = patience or Patience()
        self._stopping = threading.Event()
        self._had_terminal = self._reloading = False
        self._exit_code = 0
        self._read_end, self._write_end = -1, -1

    def run(self) -> int:
        """Blocks until everything has stopped. 0: stopped as asked; 1: trouble; 2: wrong use."""
        handlers = self._catch_signals()
        self._read_end, self._write_end = os.pipe()
        try:
            while not self._stopping.is_set():
                self._look_after()
                if self._reloading:
                    self._reload()
                self._stopping.wait(_POLL_SECONDS)
        finally:
            self._stop_all()
            os.close(self._write_end)
            os.close(self._read_end)
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return self._exit_code

    def stop(self) -> None:
        """Asks for the end; `run` returns when it is reached. From any thread."""
        self._stopping.set()

    def pids(self) -> dict[str, int]:
        """The running children, by name."""
        return {c.command.name: c.pid for c in self._children if c.is_running}

    def _catch_signals(self) -> dict[int, Any]:
        if threading.current_thread() is not threading.main_thread():
            return {}
        self._had_terminal = os.isatty(0)
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        return {n: signal.signal(n, self._on_signal) for n in numbers}

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP and not (self._had_terminal and not os.isatty(0)):
            self._reloading = True
            return
        self._stopping.set()  # SIGHUP too where it says that our terminal was closed

    def _reload(self) -> None:
        self._reloading = False
        for child in self._children:
            if child.command.reloads and child.process is not None and child.is_running:
                child.process.send_signal(signal.SIGHUP)
                log.info("reloading", process=child.command.name)

    def _look_after(self) -> None:
        trouble = self._watch()
        if trouble:
            log.error("stopping", reason=trouble)
            self._give_up(1)
            return
        now = time.monotonic()
        for child in self._children:
            if child.process is None and now >= child.again_at:
                self._start(child, now)
            elif child.process is not None and child.process.poll() is not None:
                self._ended(child, child.process.returncode, now)

    def _start(self, child: _Child, now: float) -> None:
        child.process = subprocess.Popen(
            child.command.argv,
            env=self._environ | {PARENT_FD: str(self._read_end)},
            stdin=subprocess.DEVNULL,
            pass_fds=(self._read_end,),
            process_group=0,
        )
        child.started, child.pid = now, child.process.pid
        log.info("started", process=child.command.name, pid=child.pid)

    def _ended(self, child: _Child, code: int, now: float) -> None:
        child.process = None
        if code == WRONG_USE:
            log.error("gave_up", process=child.command.name, code=code)
            self._give_up(WRONG_USE)
            return
        steady = now - child.started > _STEADY_SECONDS
        child.delay = self._patience.first if steady or not child.delay else child.delay * 2
        child.delay = min(child.delay, self._patience.longest)
        child.again_at = now + child.delay
        log.error("ended", process=child.command.name, code=code, again_in=child.delay)

    def _give_up(self, code: int) -> None:
        self._exit_code = code
        self._stopping.set()

    def _stop_all(self) -> None:
        """SIGTERM to all at once, then SIGKILL to the groups of those that took too long."""
        end = time.monotonic() + self._patience.stop
        running = [c.process for c in self._children if c.process is not None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("killed", pid=process.pid, after=self._patience.stop)
                self._exit_code = self._exit_code or 1
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def is_supervised(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody starts this process again when it ends."""
    return PARENT_FD in environ


def die_with_parent(grace: float = 20.0, environ: Mapping[str, str] = os.environ) -> None:
    """Called first thing in a child: when the supervisor is gone, SIGTERM to ourselves and, if that
    takes longer than `grace` seconds, the end. Does nothing in a process without a supervisor."""
    if not is_supervised(environ):
        return
    read_end = int(environ[PARENT_FD])

    def wait() -> None:
        os.read(read_end, 1)  # nobody ever writes: this returns at the end of the supervisor
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
        os._exit(1)

    os.set_inheritable(read_end, False)
    threading.Thread(target=wait, name="parent", daemon=True).start()
