"""`jauap demo`: a scripted day in the sandbox, on real servers and real sockets, printed as the
conversations that the handsets saw. It exits 0 only if every one ended as the law says."""

import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from app import embedded, logs
from app.clock import system_clock
from app.commands import simulation
from app.commands.output import JsonFlag, show
from app.commands.places import least, migrate
from app.commands.simulation import Simulation, sandbox_clock
from app.commands.transcripts import USSD, show_talk
from app.commands.wallet_day import PURSES, Kept, WalletDay
from app.ledger import binds, journal, keys
from app.runtime import open_runtime
from app.sandbox_issuer import issue
from app.settings import Settings, load
from app.supervisor import Command, Supervisor
from smpp.handsets import Handset

TIME_SCALE = 5760  # the law's 24 hours last 15 seconds
PATIENCE_S = 75.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One conversation: who, what is offered, and how it has to end. `says` are beginnings of
    wordings that must have reached the handset, so that a silent failure cannot pass."""

    title: str
    phone: str
    iin: str
    language: str | None
    services: tuple[str, ...]
    ends: tuple[str, ...]
    messages: int
    in_app: str | None = None  # the choice made in the mobile app, where nobody writes an SMS
    on_ussd: tuple[str, ...] = ()  # what is dialled, then the keys pressed


# IINs are checked by their control digit only; these belong to nobody (their dates do not exist).
SCENES = (
    Scene("yes, in Kazakh", "+77000000100", "999999000012", "kk", ("birth-benefit",),
          ("accepted",), 2),
    Scene("no, in Russian", "+77000000203", "999999000022", "ru", ("childcare-benefit",),
          ("declined",), 2),
    Scene("unclear, then yes", "+77000000300", "999999000032", None, ("birth-benefit",),
          ("accepted",), 3),
    Scene("silence for 24 hours", "+77000000001", "999999000042", "kk", ("birth-benefit",),
          ("expired",), 2),
    Scene("two offers to one phone", "+77000000102", "999999000052", "ru",
          ("birth-benefit", "childcare-benefit"), ("accepted", "accepted"), 4),
    Scene("never delivered", "+77000000401", "999999000062", "ru", ("birth-benefit",),
          ("undelivered",), 0),
    Scene("an answer after 24 hours", "+77000000900", "999999000072", "ru", ("birth-benefit",),
          ("expired",), 3),
    Scene("yes, in the mobile app", "+77000000002", "999999000082", "kk", ("birth-benefit",),
          ("accepted",), 1, in_app="yes"),
    Scene("no, by USSD, in Russian", "+77000000003", "999999000092", "ru", ("birth-benefit",),
          ("declined",), 1, on_ussd=(USSD, "2", "1")),
)  # fmt: skip


@dataclass(slots=True)
class Outcome:
    """How a scene ended."""

    scene: Scene
    states: list[str]
    messages: int
    screens: int

    @property
    def is_lawful(self) -> bool:
        seen = (self.messages, self.screens)
        must_see = (self.scene.messages, len(self.scene.on_ussd))
        return tuple(self.states) == self.scene.ends and seen == must_see


def demo(as_json: JsonFlag = False) -> None:
    """A scripted day in the sandbox, printed as conversations. Example: jauap demo

    A day of the sandbox's clock lasts 15 seconds; nothing is left behind. With --json the
    conversations go to stderr and stdout has how each of them ended."""
    console = Console(stderr=as_json)
    logs.configure("demo", level=logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="jauap-demo-") as folder:
        settings = load(
            None,
            {},
            {
                "environment": "sandbox",
                "paths.data": folder,
                "paths.binds": str(Path(folder) / "binds.toml"),
                "sandbox.time_scale": TIME_SCALE,
                "server.port": 0,
            },
        )
        with _running(settings, console) as day:
            outcomes, kept = day.play(console)
            breaks = day.verify()
    console.print(_summary(outcomes, kept))
    console.print(
        "journal: every chain holds" if not breaks else f"journal: {len(breaks)} breaks", end="\n"
    )
    is_lawful = all(o.is_lawful for o in outcomes) and all(k.is_lawful for k in kept)
    if as_json:
        told = {"conversations": _rows(outcomes, kept), "journal_breaks": len(breaks)}
        show(told, "", as_json=True)
    if breaks or not is_lawful:
        raise typer.Exit(1)


@contextmanager
def _running(settings: Settings, console: Console) -> Iterator["Day"]:
    started = time.monotonic()
    with embedded.Servers("jauap demo") as servers:
        urls = servers.start(settings)
        migrate(urls.ledger)
        urls = replace(urls, ledger=least(settings, urls.ledger))
        clock, seconds = sandbox_clock(settings, urls.ledger)
        port = _free_port()
        with Simulation(clock, seconds) as simulated:
            environ = dict(os.environ) | settings.as_environ()
            environ |= {
                "JAUAP_LEDGER_URL": urls.ledger,
                "JAUAP_REDIS_URL": urls.redis,
                "JAUAP_SERVER_PORT": str(port),
                simulation.BINDS: str(simulated.write_binds(settings.paths.data)),
                "JAUAP_LOG_LEVEL": "error",
            }
            commands = [Command.of_jauap(name) for name in ("web", "gateway", "worker")]
            supervisor = Supervisor(commands, environ=environ, watch=servers.mend)
            runner = threading.Thread(target=supervisor.run, name="supervisor")
            runner.start()
            try:
                yield Day(settings, urls, simulated, f"http://127.0.0.1:{port}", console, started)
            finally:
                supervisor.stop()
                runner.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Day:
    """One day: makes the keys, fills the registers, makes the offers, waits for the ends."""

    def __init__(
        self,
        settings: Settings,
        urls: embedded.Urls,
        simulated: Simulation,
        address: str,
        console: Console,
        started: float,
    ) -> None:
        self.rt = open_runtime(settings, urls.ledger, urls.redis)
        self.simulated = simulated
        self.api = httpx.Client(base_url=address, timeout=10)
        self.console = console
        self.started = started
        self.in_app: dict[str, str] = {}
        self.pressed: dict[str, list[tuple[datetime, str]]] = {}

    def play(self, console: Console) -> tuple[list[Outcome], list[Kept]]:
        """Plays all scenes and the wallet's day side by side, and prints what each handset saw."""
        self._until("the web process answers", self._is_ready)
        with self.rt.unit() as unit:
            _, secret = keys.add(
                unit.tx, "demo", [keys.Scope.REGISTRY, keys.Scope.PROVIDER], unit.now, None
            )
        self.api.headers["Authorization"] = f"Bearer {secret}"
        took = time.monotonic() - self.started
        console.print(f"PostgreSQL, Valkey, web, gateway and worker are up ({took:.1f} s)\n")
        self._register()
        offers = {scene.title: self._offer(scene) for scene in SCENES}
        for scene in SCENES:
            if scene.in_app is not None:
                self._answer_in_app(scene, offers[scene.title][0])
            if scene.on_ussd:
                self._answer_on_ussd(scene)
        wallet = WalletDay(self.rt, self.api, self.simulated, self._until)
        kept = wallet.play()
        outcomes: list[Outcome] = []
        for scene in SCENES:
            self._until(scene.title, partial(self._is_over, scene, offers[scene.title]))
            outcomes.append(self._outcome(scene, offers[scene.title]))
            self._print(scene, outcomes[-1])
        wallet.show(console, kept)
        return outcomes, kept

    def verify(self) -> list[journal.Break]:
        """Recomputes every chain of the day's journal."""
        with self.rt.unit() as unit:
            return [
                found
                for case in journal.cases(unit.tx)
                for found in journal.verify(journal.of_case(unit.tx, case), self.rt.vault)
            ]

    def _is_ready(self) -> bool:
        try:
            if self.api.get("/readyz").status_code != httpx.codes.OK:
                return False
        except httpx.TransportError:
            return False
        with self.rt.unit() as unit:
            return any(r.state == "bound" for r in binds.every(unit.tx))

    def _register(self) -> None:
        at = (system_clock() - timedelta(days=30)).isoformat().replace("+00:00", "Z")
        told = [(s.iin, s.phone, s.language) for s in SCENES]
        told += [(p.iin, p.phone, p.language) for p in PURSES]
        people = [
            {"iin": iin, "phone": phone, "registered_at": at}
            | ({"language": language} if language else {})
            for iin, phone, language in told
        ]
        consents = [
            {"iin": s.iin, "purpose": "personal-data", "reference": f"demo-{s.iin}", "given_at": at}
            for s in SCENES
        ]
        for path, body in (
            ("/v1/registry/recipients", {"recipients": people}),
            ("/v1/registry/consents", {"consents": consents}),
        ):
            answer = self.api.post(path, json=body).raise_for_status().json()
            if answer["rejected"]:
                raise RuntimeError(f"{path}: {answer['rejected']}")

    def _offer(self, scene: Scene) -> list[str]:
        made: list[str] = []
        for service in scene.services:
            body = {"service": service, "iin": scene.iin, "reference": f"{scene.iin}-{service}"}
            made.append(self.api.post("/v1/offers", json=body).raise_for_status().json()["id"])
        return made

    def _answer_in_app(self, scene: Scene, offer: str) -> None:
        """The citizen opens the app once the SMS is there, reads the offer and answers it."""
        handset = self.simulated.smsc.handset(scene.phone)
        self._until(scene.title, lambda: bool(handset.messages))
        token = issue(self.rt.settings.paths.data, scene.iin, system_clock())
        headers = {"Authorization": f"Bearer {token}"}
        shown = self.api.get(f"/v1/me/offers/{offer}", headers=headers).raise_for_status().json()
        self.api.post(
            f"/v1/me/offers/{offer}/answer", json={"choice": scene.in_app}, headers=headers
        ).raise_for_status()
        labels = " / ".join(choice["label"] for choice in shown["screen"]["choices"])
        self.in_app[scene.title] = f"{shown['screen']['body']} [{labels}] → {scene.in_app}"

    def _answer_on_ussd(self, scene: Scene) -> None:
        """The citizen dials once the SMS is there, and presses a key on each page that comes."""
        smsc = self.simulated.smsc
        handset = smsc.handset(scene.phone)
        self._until(scene.title, lambda: bool(handset.messages))
        dialled, *keys = scene.on_ussd
        deeds = [(dialled, partial(smsc.dial, scene.phone, dialled))]
        deeds += [(key, partial(smsc.key, scene.phone, key)) for key in keys]
        for number, (pressed, act) in enumerate(deeds, start=1):
            self.pressed.setdefault(scene.title, []).append((self.rt.clock(), pressed))
            self.simulated.call(act)
            self._until(scene.title, partial(_has_screens, handset, number))

    def _states(self, offers: list[str]) -> list[str]:
        return [self.api.get(f"/v1/offers/{o}").raise_for_status().json()["state"] for o in offers]

    def _is_over(self, scene: Scene, offers: list[str]) -> bool:
        return (
            len(self.simulated.smsc.handset(scene.phone).messages) >= scene.messages
            and tuple(self._states(offers)) == scene.ends
        )

    def _outcome(self, scene: Scene, offers: list[str]) -> Outcome:
        handset = self.simulated.smsc.handset(scene.phone)
        return Outcome(scene, self._states(offers), len(handset.messages), len(handset.screens))

    def _until(self, what: str, holds: Callable[[], bool]) -> None:
        """Waits for a condition; what never comes is printed as it stands and counts as failed."""
        while not holds():
            if time.monotonic() - self.started > PATIENCE_S:
                self.console.print(f"[red]still waiting for: {what}[/red]")
                return
            time.sleep(0.05)

    def _print(self, scene: Scene, outcome: Outcome) -> None:
        handset = self.simulated.smsc.handset(scene.phone)
        show_talk(self.console, scene.title, handset, self.pressed.get(scene.title, []))
        if scene.title in self.in_app:
            self.console.print(f"  in the app:   {self.in_app[scene.title]}", highlight=False)
        self.console.print(f"  offers: {', '.join(outcome.states)}\n", highlight=False)


def _has_screens(handset: Handset, number: int) -> bool:
    return len(handset.screens) >= number


def _rows(outcomes: list[Outcome], kept: list[Kept]) -> list[dict[str, Any]]:
    """How each conversation ended, as it must and as it did; of SMS how many came and must."""
    names = ("conversation", "must_end", "ended", "sms", "as_the_law_says")
    rows: list[tuple[object, ...]] = [
        (o.scene.title, o.scene.ends, o.states, (o.messages, o.scene.messages), o.is_lawful)
        for o in outcomes
    ]
    rows += [(k.title, k.must, k.ended, k.messages, k.is_lawful) for k in kept]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _summary(outcomes: list[Outcome], kept: list[Kept]) -> Table:
    table = Table("conversation", "must end", "ended", "SMS to the handset", "as the law says")
    for row in _rows(outcomes, kept):
        sms = row["sms"]
        table.add_row(
            row["conversation"],
            ", ".join(row["must_end"]),
            ", ".join(row["ended"]),
            f"{sms[0]} of {sms[1]}" if sms is not None else "–",
            "yes" if row["as_the_law_says"] else "NO",
        )
    return table
