"""How long it takes until everybody has a notice of a measure in their cabinet (214/НҚ, clause 4),
and how long replies to open offers wait meanwhile."""

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from app.bench import records
from app.bench.filling import batched, fill, open_door, post_notices, register
from app.bench.house import BenchError, House, house
from app.bench.messaging import Progress, Work, answered, ask_everybody, centre, run, serve
from app.bench.people import Person, people

BATCH = 10_000
BODY = "crowd"  # who tells


@dataclass(frozen=True, slots=True)
class Figures:
    """`seconds` run from the first batch handed in to the answer to the last, when all of them
    stand in the cabinet. Their SMS go out at the bind's `pace`, in segments a second (0: as fast as
    its window lets), and `sms_left` of them had left when the last reply was answered. Milliseconds
    are from a reply to its answer at the handset, while notices were placed and went out."""

    notices: int
    seconds: float
    notices_per_s: float
    placed: int
    sms_left: int
    pace: float
    replies: int
    replies_per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    memory_mb: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(slots=True)
class _HandingIn:
    """A body that hands all its notices in, on a thread of its own."""

    home: House
    secret: str
    persons: Sequence[Person]
    seconds: float = 0.0
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        begun = time.monotonic()
        for some in batched(self.persons, BATCH):
            post_notices(self.home, self.secret, some)
        self.seconds = time.monotonic() - begun


def measure(n: int, replies: int, rate: float, pace: float, progress: Progress) -> Figures:
    """`n` people are told of a measure at once, while `replies` others answer their offers, `rate`
    a second."""
    persons = people(replies + n)
    latencies: list[float] = []
    with centre(Work(replies, rate=rate), citizens=replies) as (smsc, told):
        with house(replace(smsc, throughput=pace)) as home:
            serve(home, 1)
            fill(home, persons[:replies])
            register(home, persons[replies:])
            ask_everybody(home.rt)
            handing_in = _HandingIn(home, open_door(home, BODY), persons[replies:])
            run(home)
            handing_in.thread.start()
            answered(home, replies, progress)
            handing_in.thread.join()
            with home.rt.ledger.begin() as tx:
                placed, left = records.notices(tx)
            memory = home.memory_mb()
        latencies += told()
    if not handing_in.seconds or placed != n or not latencies:
        raise BenchError(f"found {placed} notices placed and {len(latencies)} replies answered")
    return _figures(n, handing_in.seconds, left, pace, rate, sorted(latencies), memory)


def _figures(
    n: int,
    seconds: float,
    left: int,
    pace: float,
    rate: float,
    ordered: Sequence[float],
    memory: dict[str, float],
) -> Figures:
    p50, p99, most = (round(ordered[int(q * (len(ordered) - 1))] * 1e3, 1) for q in (0.5, 0.99, 1))
    return Figures(
        n, round(seconds, 2), round(n / seconds, 1), n, left, pace, len(ordered), rate, p50, p99,
        most, memory,
    )  # fmt: skip
