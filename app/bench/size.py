"""What a ledger's size costs: the same offers made, answered and swept beside few and beside many
open ones, in this process, so that nothing but PostgreSQL differs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from app.bench import records
from app.bench.filling import batched
from app.bench.house import BenchError, house
from app.bench.messaging import Progress, ask_everybody
from app.bench.people import SERVICE, Person, people
from app.conversation.arrivals import Came
from app.exchange import Batch, Exchange
from app.ledger import binds
from app.ledger.binds import BindRow
from app.proactive.actions import offering, sweeping
from app.recipients import records as recipients
from app.runtime import Runtime
from smpp.messages import Acknowledgement, Inbound

AT_ONCE = 5_000
BATCH = 50


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds an offer: to make it, to answer it, to sweep it when it is due."""

    make_us: float
    turn_us: float
    sweep_us: float


@dataclass(frozen=True, slots=True)
class Sizes:
    """The same work beside `few` and beside `many` other open offers, and the sweep's plan."""

    work: str
    n: int
    few: Costs
    open_offers: int
    many: Costs
    plans: list[str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure(n: int, open_offers: int, progress: Progress) -> Sizes:
    """Works on `n` offers twice, the second time beside `open_offers` that are not due."""
    with house(None) as home:
        rt = home.rt
        some = people(4 * n)
        register(rt, some)
        _settle(rt)
        few = _costs(rt, some[: 2 * n])
        progress(1, 3)
        with rt.ledger.begin() as tx:
            records.clone_open(tx, open_offers, rt.clock())
        _settle(rt)
        progress(2, 3)
        many = _costs(rt, some[2 * n :])
        with rt.ledger.begin() as tx:
            plans = records.plans(tx, rt.clock())
        progress(3, 3)
        return Sizes("sweep", n, few, open_offers, many, plans)


def _settle(rt: Runtime) -> None:
    with rt.ledger.alone() as tx:
        records.settle(tx)


def register(rt: Runtime, persons: Sequence[Person]) -> None:
    """Writes people and their consents, as a day ago."""
    now = rt.clock() - timedelta(days=1)
    for some in batched(persons, AT_ONCE):
        with rt.unit() as unit:
            new = [
                recipients.NewRecipient(p.iin, p.phone, "mobile", "kk", "bench", now) for p in some
            ]
            recipients.save(unit.tx, unit.vault, new, now)
            given = [
                recipients.NewConsent(p.iin, "personal-data", f"c{p.number}", now, None, None)
                for p in some
            ]
            recipients.save_consents(unit.tx, unit.vault, given, now)


def _costs(rt: Runtime, persons: Sequence[Person]) -> Costs:
    half = len(persons) // 2
    made = _timed(lambda: make(rt, persons), len(persons))
    ask_everybody(rt)
    turned = _timed(lambda: _answer(rt, persons[:half]), half)
    later = _at(rt, rt.clock() + timedelta(hours=25))
    with later.unit() as unit:
        row = BindRow("bench-1", "bench", uuid4(), "bound", "", unit.now)
        binds.write(unit.tx, row)
        binds.heard(unit.tx, ["bench-1"], unit.now)
    swept = _timed(lambda: _sweep(later, half), half)
    return Costs(made, turned, swept)


def _timed(work: Callable[[], None], n: int) -> float:
    begun = time.perf_counter()
    work()
    return round((time.perf_counter() - begun) / n * 1e6, 1)


def make(rt: Runtime, persons: Sequence[Person], provider: str = "bench") -> None:
    """Makes offers without the web process."""
    for some in batched(persons, 500):
        with rt.unit() as unit:
            drafts = [offering.Draft(SERVICE, p.iin, f"r{p.number}", {}) for p in some]
            offering.make(rt, unit, provider, drafts)


def _answer(rt: Runtime, persons: Sequence[Person]) -> None:
    exchange = Exchange(rt, uuid4(), ["bench"])
    for some in batched(persons, BATCH):
        exchange.commit(Batch(inbound=[Came(said(p, rt.clock()), "bench") for p in some]))


def said(person: Person, now: datetime) -> Inbound:
    """A person's yes."""
    return Inbound(
        cid="bench-1",
        network="bench",
        sender=person.phone,
        destination="1414",
        text="1",
        raw=b"\x00\x31",
        data_coding=8,
        received_at=now,
        acknowledgement=Acknowledgement("bench-1", 0, 0, 0),
    )


def _sweep(rt: Runtime, due: int) -> None:
    swept = 0
    while some := sweeping.sweep(rt):
        swept += some
    if swept != due:
        raise BenchError(f"found {swept} offers swept, expected {due}")


def _at(rt: Runtime, now: datetime) -> Runtime:
    later = replace(rt, clock=lambda: now, rooms={})
    later.rooms.update(rt.rooms)
    return later
