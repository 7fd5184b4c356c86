"""kill -9 of everything there is, in any order, while a town answers: then the reckoning.

`make chaos` runs it in full; `python -m tests.chaos.storm --help` shows what may be chosen.
"""

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import redis

from app import embedded
from app.settings import load
from tests.chaos.reckoning import Line, reckon, table, undone
from tests.chaos.town import Hook, Provider
from tests.e2e.house import House, free_port, open_folder, until
from tests.server_logs import OF_BEING_KILLED, OF_LOST_RACES

# Real seconds of the law's 24 hours: longer than any outage of ours may take here, for what is
# left undelivered over a whole day counts as undelivered.
DAY_S = 40
TOML = """[sandbox]
simulator = false
time_scale = {scale}
[sending]
drain_grace = {grace}
patience = 5
[webhooks]
allow_private = true
[limits]
key_per_second = 0
"""
KILLED = {
    "gateway": "app.cli gateway",
    "worker": "app.cli worker",
    "web": "app.cli web",
    "valkey": "/valkey-server ",
    "postgresql": "/postgres ",
}
PATIENCE_S = 30.0
TOLD = 4_000  # octets of the house's log, where a run came to no end
# How often each is chosen, of all times.
CHANCES = {"gateway": 5, "worker": 3, "web": 3, "valkey": 2, "postgresql": 2, "flush": 2, "drop": 4}


@dataclass(slots=True)
class Centre:
    """The message centre in its own process."""

    port: int
    process: "subprocess.Popen[str]"

    def tell(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def report(self) -> dict[str, Any]:
        """What it counted."""
        self.tell("report")
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found


@contextmanager
def centre(seed: int) -> Iterator[Centre]:
    """Starts it and waits until it listens."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.smsc", str(port), str(seed)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield Centre(port, process)
    finally:
        process.kill()
        process.communicate()


@dataclass(slots=True)
class Storm:
    """One run. `pause` is how many seconds lie between two blows, on average; they go on for
    `seconds`, and until everything has been struck. `day` is how many seconds the law's day has."""

    seed: int
    many: int
    seconds: float
    pause: float
    day: float = DAY_S
    log: Path | None = None
    blows: Counter[str] = field(default_factory=Counter)

    def run(self, told: Any = print) -> list[Line]:
        """The whole of it; returns what the reckoning found."""
        random, begun = Random(self.seed), time.monotonic()
        told(f"storm: seed {self.seed}, {self.many} conversations, {self.seconds:.0f} s of blows")
        with open_folder(*OF_BEING_KILLED, *OF_LOST_RACES) as folder, centre(self.seed) as smsc:
            toml = TOML.format(scale=86_400 / self.day, grace=self.day / 4)
            house, hook = House(folder, toml), Hook(self.seed)
            write_binds(folder, smsc.port)
            try:
                house.start().ready(120)
                told(f"ready after {time.monotonic() - begun:.0f} s")
                house.until(lambda: smsc.report()["binds"], 60, "the centre sees a bind")
                provider = Provider(house, hook, self.many)
                provider.open()
                self._blow(random, house, smsc, hook, provider)
                told(f"calm after {time.monotonic() - begun:.0f} s; {dict(self.blows)}")
                states = provider.until_closed(180)
                provider.finish()
                house.until(lambda: not smsc.report()["waiting"], 60, "the centre is rid of all")
                house.until(lambda: not hook.owed(), 60, "the provider hears what it refused")
                wait_for_deliveries(house, 60)
                told(f"reckoning after {time.monotonic() - begun:.0f} s")
                lines = reckon(house, provider, hook, smsc.report(), states, self.blows)
            except BaseException:
                told(house.said()[-TOLD:])
                raise
            finally:
                house.end()
                hook.close()
                if self.log is not None:
                    self.log.write_text(house.said(), "utf-8")
        told(table(lines))
        told(f"took {time.monotonic() - begun:.0f} s")
        return lines

    def _blow(
        self, random: Random, house: House, smsc: Centre, hook: Hook, provider: Provider
    ) -> None:
        smsc.tell("wild")
        hook.is_wild = True
        provider.start(self.seconds * 0.8)
        end = time.monotonic() + self.seconds
        targets = self._targets(random)
        while time.monotonic() < end or set(CHANCES) - set(self.blows):
            time.sleep(random.uniform(0.3, 1.7) * self.pause)  # the storm's own rhythm
            name = next(targets)
            self._strike(name, house, smsc)
            self.blows[name] += 1
        smsc.tell("calm")
        hook.is_wild = False

    def _targets(self, random: Random) -> Iterator[str]:
        """Everything once in any order, then by chance."""
        yield from random.sample(list(CHANCES), len(CHANCES))
        while True:
            yield from random.choices(list(CHANCES), list(CHANCES.values()))

    def _strike(self, name: str, house: House, smsc: Centre) -> None:
        """One blow; what is still down from the one before is waited for."""
        if name == "drop":
            smsc.tell("drop")
        elif name == "flush":
            house.until(lambda: _flush(house), PATIENCE_S, "Redis is there to be flushed")
        else:
            house.until(lambda: _kill(house, name), PATIENCE_S, f"{name} is there to be killed")


def _kill(house: House, name: str) -> bool:
    try:
        os.kill(house.find(KILLED[name]), signal.SIGKILL)
    except (AssertionError, ProcessLookupError):
        return False  # it is down already
    return True


def _flush(house: House) -> bool:
    urls = embedded.attach(load(house.config, {}))
    if urls is None:
        return False
    there = redis.Redis(unix_socket_path=urlsplit(urls.redis).path)
    try:
        return bool(there.flushall())
    except redis.RedisError:
        return False
    finally:
        there.close()


def wait_for_deliveries(house: House, seconds: float) -> None:
    """Waits until nothing is left to be handed over, or so long; the reckoning tells what is."""
    with house.runtime() as rt, suppress(AssertionError):
        until(lambda: not undone(rt), seconds, "everything is handed over", every=0.2)


def write_binds(folder: Path, port: int) -> None:
    """The house's only network is the storm's."""
    password = folder / "storm.password"
    password.touch(0o600)
    password.write_text("secret")
    (folder / "binds.toml").write_text(
        f"""[[bind]]
cid = "storm-1"
network = "storm"
host = "127.0.0.1"
port = {port}
system_id = "jauap"
password_file = "storm.password"
window = 50
reconnect_delay = 0.2
reconnect_delay_max = 1
response_timeout = 5
"""
    )


def main() -> int:
    """Exits 0 where every promise was kept."""
    words = argparse.ArgumentParser(description="Kills everything, in any order, and reckons.")
    words.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    words.add_argument("--conversations", type=int, default=2_000)
    words.add_argument("--seconds", type=float, default=120.0, help="how long blows fall")
    words.add_argument("--pause", type=float, default=2.0, help="between two blows, on average")
    words.add_argument("--day", type=float, default=DAY_S, help="seconds of the law's 24 hours")
    words.add_argument("--log", type=Path, help="a file for what the house said")
    given = words.parse_args()
    storm = Storm(given.seed, given.conversations, given.seconds, given.pause, given.day, given.log)
    lines = storm.run(lambda words: print(words, flush=True))
    return 0 if all(line.is_kept for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
