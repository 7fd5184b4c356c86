"""Questions to everybody (mt) and answers from everybody (turn), through the real processes."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from app.bench import records
from app.bench.filling import fill
from app.bench.house import BenchError, House, Smsc, house
from app.bench.people import people
from app.bench.records import Flow
from app.clock import system_clock
from app.exchange import Batch, Exchange
from app.ledger.outbox import Message
from app.runtime import Runtime
from app.supervisor import PARENT_FD
from smpp.messages import Acknowledgement, Receipt, ReceiptState, SubmitOutcome, SubmitResult

QUESTION = "offer.ask"
CONFIRMATION = "offer.accepted"
WORKERS = "rq:workers"  # where RQ keeps the names of those that work
STALL_S = 30.0
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked for. `smsc` None: our own simulator. `rate` 0: as fast as the window lets.
    The `binds` are shared out among `gateways`."""

    n: int
    segments: int = 1
    window: int = 50
    rate: float = 0.0
    binds: int = 1
    gateways: int = 1
    smsc: tuple[str, int] | None = None

    @property
    def shares(self) -> list[list[str]]:
        """The binds of each gateway, by cid."""
        cids = [f"bench-{number}" for number in range(1, self.binds + 1)]
        return [cids[gateway :: self.gateways] for gateway in range(self.gateways)]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. Seconds run from the first answer to a submit to the last receipt (mt),
    or from the first to the last submitted answer (turn), by the ledger's own times; latencies
    are milliseconds from the MO to its MT and known only to our own simulator."""

    work: str
    n: int
    segments: int
    window: int
    binds: int
    gateways: int
    smsc: str
    seconds: float
    messages_per_s: float
    segments_per_s: float
    accepted_offers_per_s: float
    p50_ms: float | None
    p99_ms: float | None
    memory_mb: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def mt(work: Work, progress: Progress) -> Figures:
    """`n` questions of `segments` segments to as many phones, every receipt recorded."""
    with centre(work, citizens=0) as (smsc, _), house(smsc) as home:
        persons = people(work.n)
        serve(home, work.segments)
        offered = fill(home, persons)
        run(home, work.shares)
        whole = work.n * work.segments
        flow = _until(home, lambda: _look(home, QUESTION), whole, progress)
        return _figures("mt", work, flow, offered, home)


def turn(work: Work, progress: Progress) -> Figures:
    """`n` open offers answered "1", each answered by one message."""
    latencies: list[float] = []
    with centre(work, citizens=work.n) as (smsc, told):
        with house(smsc) as home:
            persons = people(work.n)
            serve(home, work.segments)
            offered = fill(home, persons)
            ask_everybody(home.rt)
            run(home, work.shares)
            flow = _until(home, lambda: _look_at_answers(home), work.n, progress)
            figures = _figures("turn", work, flow, offered, home)
        latencies += told()
    return _with_latencies(figures, latencies)


@contextmanager
def centre(work: Work, *, citizens: int) -> Iterator[tuple[Smsc, Callable[[], list[float]]]]:
    """The message centre, and how to hear its latencies at the end."""
    if work.smsc is not None:
        host, port = work.smsc
        yield Smsc(host, port, work.window, work.binds), list
        return
    with TemporaryDirectory(prefix="jauap-smsc-") as folder, _lifeline() as lifeline:
        note = Path(folder) / "told.json"
        words = [str(note), str(citizens), str(work.window), str(work.rate)]
        process = subprocess.Popen(
            [sys.executable, "-m", "app.bench.simulated", *words],
            env={**os.environ, PARENT_FD: str(lifeline)},
            pass_fds=(lifeline,),
            process_group=0,
        )
        try:
            yield (
                Smsc("127.0.0.1", _port(note), work.window, work.binds),
                lambda: _told(process, note),
            )
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def _lifeline() -> Iterator[int]:
    read_end, write_end = os.pipe()
    try:
        yield read_end
    finally:
        os.close(read_end)
        os.close(write_end)


def _port(note: Path) -> int:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with suppress(OSError, ValueError):
            return int(json.loads(note.read_text("utf-8"))["port"])
        time.sleep(0.02)
    raise BenchError("the simulator did not start")


def _told(process: "subprocess.Popen[bytes]", note: Path) -> list[float]:
    process.terminate()
    process.wait(10)
    found: list[float] = json.loads(note.read_text("utf-8")).get("latencies", [])
    return found


def serve(home: House, segments: int) -> None:
    """Starts the web process with questions of so many segments, and waits until it listens."""
    home.start("web", "app.bench.padded", str(segments))
    home.until(lambda: _listens(home.port), "the web process listens")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(home: House, shares: Sequence[Sequence[str]] = ((),)) -> None:
    """Starts worker and gateways on what is there; the worker first, so that no network hears of
    us while it still reads its modules. `shares` are each gateway's binds; empty: all of them."""
    with home.rt.ledger.begin() as tx:
        records.analyze(tx)
    home.start("worker", "app.cli", "worker")
    home.until(lambda: home.rt.redis.exists(WORKERS) > 0, "the worker is up")
    for number, cids in enumerate(shares, 1):
        name = "gateway" if number == 1 else f"gateway-{number}"
        home.start(name, "app.cli", "gateway", *(word for c in cids for word in ("--bind", c)))


def ask_everybody(rt: Runtime) -> None:
    """Every question sent and received, by the same exchange and without a network."""
    exchange = Exchange(rt, uuid4(), ["bench"])
    while claimed := exchange.commit(Batch(room={"bench": 400})).to_submit:
        results = [_accepted(m) for m in claimed]
        exchange.commit(Batch(results=results, receipts=[_received(m) for m in claimed]))


def _accepted(m: Message) -> SubmitResult:
    return SubmitResult(
        cid="bench-1",
        network="bench",
        message_id=str(m.id),
        segment=1,
        total=1,
        status=0,
        smsc_id=f"q{m.seq}",
        outcome=SubmitOutcome.ACCEPTED,
        at=system_clock(),
        phone=m.phone,
    )


def _received(m: Message) -> Receipt:
    now = system_clock()
    return Receipt(
        cid="bench-1",
        network="bench",
        phone=m.phone,
        message_ids=(f"q{m.seq}",),
        state=ReceiptState.DELIVRD,
        error="000",
        done_at=None,
        received_at=now,
        acknowledgement=Acknowledgement("bench-1", 0, 0, 0),
    )


def _look(home: House, kind: str) -> Flow:
    with home.rt.ledger.begin() as tx:
        return records.flow(tx, kind)


def answered(home: House, whole: int, progress: Progress) -> None:
    """Waits until so many yeses have their confirmation at the handset."""
    _until(home, lambda: _look(home, CONFIRMATION), whole, progress)


def _look_at_answers(home: House) -> Flow:
    with home.rt.ledger.begin() as tx:
        return records.answers(tx, QUESTION)


def _until(home: House, look: Callable[[], Flow], whole: int, progress: Progress) -> Flow:
    """Waits until all of it has come; gives up when nothing moves any more."""
    before, since = -1, time.monotonic()
    while True:
        flow = look()
        done = flow.received
        progress(done, whole)
        if done >= whole:
            return flow
        if done != before:
            before, since = done, time.monotonic()
        if time.monotonic() - since > STALL_S:
            raise BenchError(f"stopped at {done} of {whole}: {home.tail('gateway')}")
        home.until(lambda: True, "the processes live")
        time.sleep(1)


def _figures(name: str, work: Work, flow: Flow, offered: float, home: House) -> Figures:
    if flow.first_at is None or flow.last_at is None:
        raise BenchError("nothing was sent")
    seconds = max((flow.last_at - flow.first_at).total_seconds(), 1e-6)
    per_message = work.segments if name == "mt" else 1
    rate = flow.received / seconds
    return Figures(
        name, work.n, per_message, work.window, work.binds, work.gateways, _named(work),
        round(seconds, 3), round(rate / per_message, 1), round(rate, 1), round(offered, 1),
        None, None, home.memory_mb(),
    )  # fmt: skip


def _named(work: Work) -> str:
    return "our simulator" if work.smsc is None else f"{work.smsc[0]}:{work.smsc[1]}"


def _with_latencies(figures: Figures, latencies: Sequence[float]) -> Figures:
    if not latencies:
        return figures
    ordered = sorted(latencies)
    at = {"p50_ms": 0.50, "p99_ms": 0.99}
    ranks = {k: round(ordered[int(q * (len(ordered) - 1))] * 1000, 1) for k, q in at.items()}
    return Figures(**{**figures.as_dict(), **ranks})
