"""Starting, finding and stopping the processes of the embedded servers.

Each runs in a session of its own, so that Ctrl-C reaches us first and we stop it in order.
"""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TELLING = ("FATAL", "PANIC", "ERROR", "HINT", "# ", "Can't", "rror", "denied", "No space")


class EmbeddedError(Exception):
    """An embedded server cannot be started; the message is for people and is all they need."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom PostgreSQL runs as when we are root, which it refuses to be."""

    uid: int
    gid: int
    name: str


def account() -> Account | None:
    """None for an ordinary login; for root an account that owns nothing else of ours."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, name)
    raise EmbeddedError(
        "PostgreSQL refuses to run as root and there is no account postgres or nobody to run it; "
        "start jauap from an ordinary account"
    )


def _environment() -> dict[str, str]:
    """No PG* or LC_* of whoever started us may change what the server does."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def spawn(command: Sequence[str], who: Account | None, log: Path) -> subprocess.Popen[bytes]:
    """Starts `command` with its output appended to `log`; it inherits nothing else of ours."""
    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            umask=0o077,
            user=who.uid if who else None,
            group=who.gid if who else None,
            extra_groups=[] if who else None,
        )


def finish(command: Sequence[str], who: Account | None, log: Path) -> bool:
    """Runs `command` to its end; False when it failed, with the reasons in `log`."""
    process = spawn(command, who, log)
    try:
        return process.wait() == 0
    except BaseException:
        process.kill()
        process.wait()
        raise


def of_directory(directory: Path) -> list[int]:
    """The processes that work in `directory`, as a server and its children do in their data.

    Without /proc (macOS) it finds none, and the server's own pid file decides.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "cwd") == str(directory):
                found.append(int(entry.name))
        except OSError:
            continue  # ended meanwhile, or another account's
    return found


def end_orphans(directory: Path, gentle: signal.Signals, main_pid: int | None) -> None:
    """Ends what a killed start left behind in `directory`: gently, then not.

    Two servers on one directory would destroy it, so this returns only when none is left.
    Raises EmbeddedError when one does not go away.
    """
    if main_pid in of_directory(directory):
        _signal([main_pid] if main_pid else [], gentle)
        _gone(directory, seconds=15)
    for last in (signal.SIGQUIT, signal.SIGKILL):
        left = of_directory(directory)
        if not left:
            return
        _signal(left, last)
        _gone(directory, seconds=5)
    if left := of_directory(directory):
        raise EmbeddedError(f"processes {left} still work in {directory} and cannot be ended")


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _gone(directory: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while of_directory(directory) and time.monotonic() < end:
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Sends each signal in turn and waits its seconds, until the process has ended."""
    for number, seconds in signals:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue


def open_log(log: Path) -> int:
    """Keeps a log from growing for ever and returns where this start's lines will begin."""
    if log.exists() and log.stat().st_size > 5_000_000:
        log.replace(log.with_suffix(".log.1"))
    return log.stat().st_size if log.exists() else 0


def told(log: Path, since: int) -> str:
    """What a server said before it gave up, in one line."""
    with log.open("rb") as file:
        file.seek(since)
        lines = file.read().decode("utf-8", "replace").splitlines()
    telling = [line.strip() for line in lines if any(word in line for word in _TELLING)]
    said = " / ".join((telling or lines)[-3:]) or "nothing"
    if "No space left" in said:
        return f"the disk is full ({said})"
    return f"it said: {said} (more in {log})"
