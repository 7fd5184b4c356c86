"""A whole jauap for one measurement: servers, web, gateway and worker as processes of their own,
in a folder that is gone afterwards."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app import embedded
from app.commands.places import migrate
from app.rooms import open_rooms
from app.runtime import Runtime, open_runtime
from app.settings import Settings, load
from app.supervisor import PARENT_FD

PATIENCE_S = 30.0
PASSWORD = "JAUAP_BENCH_PASSWORD"
LEAVE_S = 20.0


class BenchError(Exception):
    """A measurement that cannot be taken; the message says why."""


@dataclass(frozen=True, slots=True)
class Smsc:
    """Where the message centre listens, and how the gateway is to use it."""

    host: str
    port: int
    window: int = 50
    binds: int = 1
    throughput: float = 0.0  # segments a second and bind; 0: as fast as the window lets


@dataclass(slots=True)
class House:
    """What runs; `rt` is the measuring process's own view of the same ledger."""

    folder: Path
    rt: Runtime
    environ: Mapping[str, str]
    port: int
    lifeline: int
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, name: str, *words: str) -> None:
        """Starts `python -m words…` as the process `name`."""
        log = (self.folder / f"{name}.log").open("wb")
        with log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *words],
                env={**self.environ, PARENT_FD: str(self.lifeline)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self.lifeline,),
                process_group=0,
            )

    def until(self, ready: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Waits until `ready`; raises BenchError after `patience_s` or when a process has ended."""
        end = time.monotonic() + patience_s
        while not ready():
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise BenchError(f"{name} ended with {process.returncode}: {self.tail(name)}")
            if time.monotonic() > end:
                raise BenchError(f"waited {patience_s:.0f} s in vain: {what}")
            time.sleep(0.02)

    def tail(self, name: str) -> str:
        """The last line that a process wrote."""
        lines = (self.folder / f"{name}.log").read_text("utf-8", "replace").splitlines()
        return lines[-1] if lines else "it wrote nothing"

    def memory_mb(self) -> dict[str, float]:
        """The most memory each process has held so far, in MB (Linux; empty elsewhere)."""
        found: dict[str, float] = {}
        for name, process in self.processes.items():
            try:
                status = Path(f"/proc/{process.pid}/status").read_text("ascii")
            except OSError:
                continue
            kb = next((s.split()[1] for s in status.splitlines() if s.startswith("VmHWM")), "0")
            found[name] = round(int(kb) / 1024, 1)
        return found

    def stop(self) -> None:
        """SIGTERM to all at once, SIGKILL to those that take too long."""
        for process in self.processes.values():
            process.terminate()
        end = time.monotonic() + LEAVE_S
        for process in self.processes.values():
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def house(smsc: Smsc | None) -> Iterator[House]:
    """A house bound to `smsc` once its gateway is started; nothing runs yet but the servers."""
    folder = Path(tempfile.mkdtemp(prefix="jauap-bench-"))
    folder.chmod(0o755)  # PostgreSQL may run as another account
    try:
        yield from _furnished(folder, smsc)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _furnished(folder: Path, smsc: Smsc | None) -> Iterator[House]:
    settings = _settings(folder, smsc)
    with embedded.Servers("jauap bench") as servers:
        urls = servers.start(settings)
        migrate(urls.ledger)
        rt = open_runtime(settings, urls.ledger, urls.redis)
        open_rooms(rt)
        environ = dict(os.environ) | settings.as_environ() | {PASSWORD: "bench"}
        environ |= {"JAUAP_LEDGER_URL": urls.ledger, "JAUAP_REDIS_URL": urls.redis}
        environ |= {"JAUAP_LOG_LEVEL": "warning"}
        read_end, write_end = os.pipe()
        made = House(folder, rt, environ, settings.server.port, read_end)
        try:
            yield made
        finally:
            made.stop()
            os.close(read_end)
            os.close(write_end)
            rt.ledger.dispose()
            rt.redis.close()


def _settings(folder: Path, smsc: Smsc | None) -> Settings:
    (folder / "binds.toml").write_text(_binds(smsc), "utf-8")
    flags = {
        "environment": "sandbox",
        "sandbox.simulator": False,
        "server.port": _free_port(),
        "limits.key_per_second": 0,
        "paths.data": str(folder / "var"),
        "paths.binds": str(folder / "binds.toml"),
    }
    return load(None, {}, flags)


def _binds(smsc: Smsc | None) -> str:
    if smsc is None:
        return ""
    blocks = []
    for number in range(smsc.binds):
        values = {
            "cid": f"bench-{number + 1}",
            "network": "bench",
            "host": smsc.host,
            "port": smsc.port,
            "system_id": "jauap",
            "password_env": PASSWORD,
            "window": smsc.window,
            "throughput": smsc.throughput,
        }
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
        blocks.append(f"[[bind]]\n{lines}\n")
    return "\n".join(blocks)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
