"""The supervisor: children are restarted, stopped in time, and never outlive it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.supervisor import PARENT_FD, Command, Patience, Supervisor

CHILD = """
import signal, sys, time
from app.supervisor import die_with_parent
die_with_parent(grace=0.2)
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdout.write("up\\n")  # in one piece: two write into one pipe
sys.stdout.flush()
time.sleep(60)
"""
SUPERVISOR = """
import sys
from app.supervisor import Command, Supervisor
commands = [Command(n, (sys.executable, "-c", sys.argv[1], n)) for n in ("web", "deaf")]
sys.exit(Supervisor(commands, patience=None).run())
"""
QUICK = Patience(first=0.05, longest=0.2, stop=1.0)


def child(name: str = "web", code: str = CHILD) -> Command:
    return Command(name, (sys.executable, "-c", code, name))


def until(reached: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "not reached in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Running:
    """A supervisor in a thread, as a test of its children needs it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.codes: list[int] = []
        self._thread = threading.Thread(target=lambda: self.codes.append(supervisor.run()))
        self._thread.start()

    def stop(self) -> int:
        self.supervisor.stop()
        return self.join()

    def join(self) -> int:
        self._thread.join(20)
        return self.codes[0]


@pytest.fixture
def run() -> Iterator[Callable[[Supervisor], Running]]:
    started: list[Running] = []

    def start(supervisor: Supervisor) -> Running:
        started.append(Running(supervisor))
        return started[-1]

    yield start
    for running in started:
        running.stop()


Run = Callable[[Supervisor], Running]


def test_a_child_that_dies_is_started_again(run: Run) -> None:
    supervisor = Supervisor([child()], patience=QUICK)
    running = run(supervisor)
    until(lambda: "web" in supervisor.pids())
    first = supervisor.pids()["web"]
    os.kill(first, signal.SIGKILL)
    until(lambda: supervisor.pids().get("web", first) != first)
    assert running.stop() == 0


def test_restarts_wait_longer_each_time(run: Run, tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    code = f"open({str(starts)!r}, 'a').write('x'); raise SystemExit(1)"
    running = run(Supervisor([child(code=code)], patience=Patience(0.2, 5, 1)))
    time.sleep(1.5)
    running.stop()
    assert 2 <= len(starts.read_text()) <= 4


def test_a_child_that_was_called_wrongly_stops_everything(run: Run) -> None:
    wrong = child("wrong", "raise SystemExit(2)")
    assert run(Supervisor([child(), wrong], patience=QUICK)).join() == 2


@pytest.mark.parametrize("name", ["web", "gateway", "worker"])
def test_who_finds_no_ledger_is_started_again_where_somebody_looks_after_it(
    name: str, tmp_path: Path
) -> None:
    environ = dict(os.environ) | {
        "JAUAP_ENVIRONMENT": "sandbox",
        "JAUAP_LEDGER_URL": f"postgresql://jauap@/jauap?host={tmp_path}",
        "JAUAP_REDIS_URL": f"unix://{tmp_path}/redis.sock",
        "JAUAP_PATHS_DATA": str(tmp_path),
    }
    command = Command.of_jauap(name)
    alone = subprocess.run(command.argv, env=environ, cwd=tmp_path)
    read_end, write_end = os.pipe()
    try:
        supervised = subprocess.run(
            command.argv,
            env=environ | {PARENT_FD: str(read_end)},
            cwd=tmp_path,
            pass_fds=(read_end,),
        )
    finally:
        os.close(read_end)
        os.close(write_end)
    assert (alone.returncode, supervised.returncode) == (2, 1)


def test_trouble_outside_the_children_stops_everything(run: Run) -> None:
    assert run(Supervisor([child()], watch=lambda: "a server ended", patience=QUICK)).join() == 1


def test_a_stop_is_bounded_even_if_a_child_does_not_listen(run: Run) -> None:
    supervisor = Supervisor([child("deaf")], patience=QUICK)
    running = run(supervisor)
    until(lambda: "deaf" in supervisor.pids())
    pid = supervisor.pids()["deaf"]
    time.sleep(0.5)
    start = time.monotonic()
    assert running.stop() == 1
    assert time.monotonic() - start < 3
    assert not is_alive(pid)


def children_of(pid: int) -> list[int]:
    task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in task.read_text().split()]


@pytest.fixture
def outside() -> Iterator["subprocess.Popen[str]"]:
    """A supervisor as a process of its own, whose two children say "up" when they are ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, CHILD],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        process_group=0,
    )
    assert process.stdout is not None
    ready = 0
    while ready < 2:
        ready += process.stdout.readline() == "up\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_children_end_when_the_supervisor_is_killed(outside: "subprocess.Popen[str]") -> None:
    children = children_of(outside.pid)
    assert len(children) == 2
    outside.kill()
    until(lambda: not any(is_alive(pid) for pid in children))


def test_ctrl_c_reaches_only_the_supervisor(outside: "subprocess.Popen[str]") -> None:
    groups = {os.getpgid(pid) for pid in children_of(outside.pid)}
    assert outside.pid not in groups
    assert len(groups) == 2
