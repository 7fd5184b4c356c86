"""The sandbox's message centre: the simulator with its handsets, on a thread of its own, and the
binds file by which the gateway finds it."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.clock import Clock, ScaledClock, system_clock
from app.embedded import Urls
from app.ledger.engine import Ledger, sandbox_anchor
from app.settings import Settings
from smpp.simulator import Simulator

BINDS = "JAUAP_SIMULATOR_BINDS"
NETWORK = "simulator"
SERVICE_CODE = "*1414#"


@contextmanager
def simulator(settings: Settings, urls: Urls) -> Iterator[Path | None]:
    """Runs the simulator where the sandbox wants one; yields the binds file that leads to it."""
    if not (settings.is_sandbox and settings.sandbox.simulator):
        yield None
        return
    clock, seconds = sandbox_clock(settings, urls.ledger)
    with Simulation(clock, seconds) as running:
        yield running.write_binds(settings.paths.data)


def sandbox_clock(settings: Settings, ledger_url: str) -> tuple[Clock, Callable[[float], float]]:
    """The clock of this sandbox, and how long its seconds last on the wall."""
    scale = settings.sandbox.time_scale
    if scale == 1:
        return system_clock, float
    ledger = Ledger(ledger_url)
    try:
        with ledger.begin() as tx:
            real, virtual = sandbox_anchor(tx, system_clock(), scale)
    finally:
        ledger.dispose()
    clock = ScaledClock(real, virtual, scale)
    return clock.now, clock.real_seconds


class Simulation:
    """A simulator on its own loop and thread for as long as its `with` lasts."""

    def __init__(self, clock: Clock, seconds: Callable[[float], float]) -> None:
        self.loop = asyncio.new_event_loop()
        self.smsc = Simulator(clock=clock, seconds=seconds)
        self._thread = threading.Thread(target=self.loop.run_forever, name="simulator", daemon=True)

    def __enter__(self) -> "Simulation":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.smsc.start(), self.loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.smsc.stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    def call(self, act: Callable[[], object]) -> None:
        """Does something on the simulator's own thread."""
        self.loop.call_soon_threadsafe(act)

    def write_binds(self, data: Path) -> Path:
        """Writes the binds file of this run, readable by us alone."""
        password = data / "simulator.password"
        file = data / "simulator.binds.toml"
        for path, text in ((password, "sandbox"), (file, self._binds(password))):
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
        os.chmod(file, 0o600)
        return file

    def _binds(self, password: Path) -> str:
        lines = {
            "cid": "simulator-1",
            "network": NETWORK,
            "host": "127.0.0.1",
            "port": self.smsc.port,
            "system_id": "jauap",
            "password_file": str(password),
            "window": 50,
            "reconnect_delay_max": 2,
            "prefixes": ["7700000"],
        }
        keys = "".join(f"{k} = {json.dumps(v)}\n" for k, v in lines.items())
        return f'[[bind]]\n{keys}ussd = {{ service_code = "{SERVICE_CODE}" }}\n'
