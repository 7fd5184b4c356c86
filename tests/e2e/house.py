"""A jauap that really runs: `jauap up` in a process of its own, its log, its API and its end."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app import embedded
from app.ledger import keys
from app.runtime import Runtime, open_runtime
from app.settings import load
from tests import server_logs

JAUAP = (sys.executable, "-m", "app.cli")
TIME_SCALE = 4320  # the law's 24 hours last 20 seconds
FOREIGN_ONLY = f"[sandbox]\nsimulator = false\ntime_scale = {TIME_SCALE}\n"
READY_S = 30.0
STOP_S = 30.0
REGISTERED = "2026-01-15T08:00:00Z"


def until(reached: Callable[[], object], seconds: float, what: str, *, every: float = 0.02) -> None:
    """Waits for a condition, never for a time. AssertionError with `what` when it stays away."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(every)


@contextmanager
def open_folder(*provoked: str) -> Iterator[Path]:
    """A directory that the account of PostgreSQL may pass through, as pytest's are not. The logs
    of servers in its `var` must be clean in the end, but for what is said to be provoked."""
    with tempfile.TemporaryDirectory(prefix="jauap-e2e-") as name:
        os.chmod(name, 0o711)
        folder = Path(name).resolve()
        yield folder
        server_logs.check(server_logs.troubles(folder / "var"), provoked)


def free_port() -> int:
    """A port of this machine that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environ(**more: str) -> dict[str, str]:
    """Our environment without what is meant for another jauap."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith("JAUAP_")}
    root = str(Path(__file__).parents[2])
    return ours | {"PYTHONPATH": root, "NO_COLOR": "1", "TERM": "dumb"} | more


def is_alive(pid: int) -> bool:
    """Whether a process is there and no mere entry that nobody has collected."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another account's
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(shown.stdout.strip()) and not shown.stdout.strip().startswith("Z")


def gone(pids: Iterable[int], seconds: float = 30) -> None:
    """Waits until none of these processes is left."""
    waited = list(pids)
    until(lambda: not any(map(is_alive, waited)), seconds, f"they end: {waited}", every=0.2)


def processes_under(pid: int) -> dict[int, str]:
    """All processes that come of `pid`, without it, with their command lines."""
    shown = subprocess.run(["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True)
    rows = [line.split(None, 2) for line in shown.stdout.splitlines()]
    found: dict[int, str] = {}
    parents = {pid}
    while parents:
        below = {int(r[0]): r[2] for r in rows if int(r[1]) in parents and int(r[0]) not in found}
        found |= below
        parents = set(below)
    return found


@dataclass(slots=True)
class House:
    """`jauap up` in `folder`, which keeps its configuration, its data and its log."""

    folder: Path
    toml: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    apis: "list[Api]" = field(default_factory=list)
    orphans: list[int] = field(default_factory=list)
    before: int = 0  # how much earlier starts have said

    @property
    def config(self) -> Path:
        return self.folder / "jauap.toml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "House":
        """Starts it and does not wait."""
        self.write_config()
        self.before = len(self.said())
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [*self.prefix, *JAUAP, "up", "--sandbox", "--config", str(self.config)],
                cwd=self.folder,
                env=clean_environ(**self.environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        return self

    def write_config(self) -> None:
        """jauap.toml; paths in it count from its directory."""
        head = f"""environment = "sandbox"
[server]
port = {self.port}
[paths]
data = "var"
binds = "binds.toml"
"""
        self.config.write_text(head + self.toml, encoding="utf-8")

    def ready(self, seconds: float = READY_S) -> "House":
        """Waits until it serves. Its log is asked, for a start wants the processors to itself."""
        self.until(self.has_listened, seconds, "it says where it listens")
        self.until(self.is_ready, seconds, "/readyz answers 200")
        return self

    def has_listened(self) -> bool:
        """Whether this start has said where it listens."""
        assert self.process is not None and self.process.poll() is None, f"it ended: {self.said()}"
        return f"jauap: {self.url}/docs" in self.said()[self.before :]

    @property
    def log(self) -> Path:
        return self.folder / "jauap.log"

    def said(self) -> str:
        """Everything it has printed and logged, over all its starts."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    @property
    def pid(self) -> int:
        assert self.process is not None, "it was never started"
        return self.process.pid

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).is_success
        except httpx.TransportError:
            return False

    def until(self, reached: Callable[[], object], seconds: float, what: str) -> None:
        """Waits for a condition; tells the end of the log when it stays away."""
        try:
            until(reached, seconds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()[-4000:]}") from None

    def runs(self, words: str) -> bool:
        """Whether one of our processes has `words` in its command line just now."""
        if self.process is None or self.process.poll() is not None:
            return False
        return any(words in args for args in processes_under(self.pid).values())

    def find(self, words: str) -> int:
        """The pid of the first of our processes with `words` in its command line."""
        found = [pid for pid, args in processes_under(self.pid).items() if words in args]
        assert found, f"no {words!r} among {processes_under(self.pid)}"
        return found[0]

    def wait(self, seconds: float = STOP_S) -> int:
        """Its exit code."""
        assert self.process is not None
        return self.process.wait(seconds)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Asks for the end and returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.wait()

    def kill(self) -> dict[int, str]:
        """kill -9 of the supervisor alone; what ran under it, which may now be ending."""
        left = processes_under(self.pid)
        os.kill(self.pid, signal.SIGKILL)
        self.wait()
        self.orphans += left
        return left

    def end(self) -> None:
        """Ends what a failed test has left; nothing of it outlives the test."""
        for api in self.apis:
            api.http.close()
        if self.process is None:
            return
        left = [*processes_under(self.pid), *self.orphans]
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in left:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)

    @contextmanager
    def runtime(self) -> Iterator[Runtime]:
        """What its own commands hold in their hands, on its running servers."""
        settings = load(self.config, self.environ)
        urls = embedded.attach(settings)
        assert urls is not None, "its servers do not run"
        rt = open_runtime(settings, urls.ledger, urls.redis)
        try:
            yield rt
        finally:
            rt.ledger.dispose()
            rt.redis.close()

    def api(self) -> "Api":
        """Its HTTP API with a new key for everything."""
        with self.runtime() as rt, rt.unit() as unit:
            scopes = [keys.Scope.REGISTRY, keys.Scope.PROVIDER]
            name = f"tests-{time.monotonic_ns()}"
            _, secret = keys.add(unit.tx, name, scopes, unit.now, "tests")
        self.apis.append(Api(self.url, secret))
        return self.apis[-1]


class Api:
    """The HTTP API as a provider and a register see it."""

    def __init__(self, url: str, key: str) -> None:
        self.http = httpx.Client(
            base_url=url, timeout=10, headers={"Authorization": f"Bearer {key}"}
        )

    def post(self, path: str, body: object) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def register(self, iin: str, phone: str, language: str = "kk") -> None:
        """A person with a phone and a standing consent."""
        person = {"iin": iin, "phone": phone, "language": language, "registered_at": REGISTERED}
        consent = {
            "iin": iin,
            "purpose": "personal-data",
            "reference": f"consent-{iin}",
            "given_at": REGISTERED,
        }
        told = self.post("/v1/registry/recipients", {"recipients": [person]})
        assert told == {"accepted": 1, "rejected": []}
        told = self.post("/v1/registry/consents", {"consents": [consent]})
        assert told == {"accepted": 1, "rejected": []}

    def offer(self, iin: str, service: str = "birth-benefit") -> str:
        """The id of a new offer."""
        body = {"service": service, "iin": iin, "reference": f"{iin}-{service}"}
        return str(self.post("/v1/offers", body)["id"])

    def see(self, offer: str) -> dict[str, Any]:
        """The offer as the provider sees it."""
        answer = self.http.get(f"/v1/offers/{offer}")
        assert answer.is_success, answer.text
        seen: dict[str, Any] = answer.json()
        return seen

    def case(self, offer: str) -> dict[str, Any]:
        """The whole case with its chain."""
        answer = self.http.get(f"/v1/offers/{offer}/case")
        assert answer.is_success, answer.text
        seen: dict[str, Any] = answer.json()
        return seen

    def state(self, offer: str) -> str:
        return str(self.see(offer)["state"])


def iin(number: int) -> str:
    """An IIN of nobody: its date does not exist, its control digit holds."""
    for serial in range(number * 20, number * 20 + 20):
        digits = f"999999{serial:05d}"
        for weights in (range(1, 12), (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)):
            control = sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11
            if control < 10:
                return f"{digits}{control}"
    raise AssertionError("not reached")
