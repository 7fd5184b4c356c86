"""Where the time of a message goes: its transactions one after the other in this process, so that
nothing but our own code and PostgreSQL takes part."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.bench import flames
from app.bench.filling import batched
from app.bench.house import house
from app.bench.messaging import Progress
from app.bench.people import people
from app.bench.size import make, register, said
from app.commands.places import spare_the_collector
from app.conversation.arrivals import Came
from app.exchange import Batch, Committed, Exchange
from app.ledger.outbox import Message
from smpp.messages import Acknowledgement, Receipt, ReceiptState, SubmitOutcome, SubmitResult

BATCH = 50
STAGES = ("claim", "results", "receipts", "delivered", "turns")


@dataclass(frozen=True, slots=True)
class Stage:
    """Microseconds a message: by the wall's clock, and of this process's processor."""

    wall_us: float
    python_us: float


@dataclass(frozen=True, slots=True)
class Stages:
    """A question is claimed, its responses are stored, then its receipts, or both together
    (`delivered`), then its answer."""

    work: str
    n: int
    batch: int
    claim: Stage
    results: Stage
    receipts: Stage
    delivered: Stage
    turns: Stage

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(slots=True)
class _Clock:
    wall: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    python: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    messages: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))

    def time(
        self, name: str, work: Callable[[], Committed], messages: int | None = None
    ) -> Committed:
        """`messages` are those that it submits unless it says otherwise."""
        wall, python = time.perf_counter(), time.thread_time()
        done = work()
        self.messages[name] += len(done.to_submit) if messages is None else messages
        self.wall[name] += time.perf_counter() - wall
        self.python[name] += time.thread_time() - python
        return done

    def stage(self, name: str) -> Stage:
        each = 1e6 / max(1, self.messages[name])
        return Stage(round(self.wall[name] * each, 1), round(self.python[name] * each, 1))


def measure(n: int, progress: Progress, flame: Path | None = None) -> Stages:
    """Takes `n` questions all the way; `flame` is where a picture of the stacks is put."""
    with house(None) as home:
        rt = home.rt
        some = people(n)
        register(rt, some)
        make(rt, some)
        spare_the_collector()  # as whoever serves does
        exchange, clock = Exchange(rt, uuid4(), ["bench"]), _Clock()
        sampler = flames.Sampler()
        with sampler.running(of=flame is not None):
            done = 0
            while asked := _claim(exchange, clock):
                _settle(exchange, clock, asked, together=bool(done // BATCH % 2))
                done += len(asked)
                progress(done, 2 * n)
            for part in batched(some, BATCH):
                came = [Came(said(p, rt.clock()), "bench:1") for p in part]
                clock.time("turns", partial(exchange.commit, Batch(inbound=came)), len(part))
                done += len(part)
                progress(done, 2 * n)
        if flame is not None:
            flame.write_text(flames.as_svg(sampler.stacks, "exchange"), "utf-8")
        return Stages("stages", n, BATCH, *map(clock.stage, STAGES))


def _claim(exchange: Exchange, clock: _Clock) -> Sequence[Message]:
    batch = Batch(room={"bench": BATCH})
    return clock.time("claim", partial(exchange.commit, batch)).to_submit


def _settle(exchange: Exchange, clock: _Clock, asked: Sequence[Message], *, together: bool) -> None:
    """Every other batch has its responses and its receipts `together`."""
    now = exchange.rt.clock()
    results = [
        SubmitResult(
            "bench-1", "bench", str(m.id), 1, 1, 0, f"{m.seq:x}", SubmitOutcome.ACCEPTED, now,
            m.phone,
        )
        for m in asked
    ]  # fmt: skip
    receipts = [
        Receipt(
            "bench-1", "bench", m.phone, (f"{m.seq:x}",), ReceiptState.DELIVRD, "000", None, now,
            Acknowledgement("bench-1", 0, 0, 0),
        )
        for m in asked
    ]  # fmt: skip
    batches = {
        "results": Batch(results=results),
        "receipts": Batch(receipts=receipts),
        "delivered": Batch(results=results, receipts=receipts),
    }
    for name in ("delivered",) if together else ("results", "receipts"):
        clock.time(name, partial(exchange.commit, batches[name]), len(asked))
