"""How long replies wait beside a crowd: offers by the ten thousand that fall due in one minute, or
that a provider hands in at once. Both must never keep a citizen's reply waiting (155/НҚ, clause 4).
"""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from app.bench import records, size
from app.bench.filling import batched, fill, open_door, post_offers, register
from app.bench.house import BenchError, House, house
from app.bench.messaging import (
    CONFIRMATION,
    Progress,
    Work,
    answered,
    ask_everybody,
    centre,
    run,
    serve,
)
from app.bench.people import Person, people

CLOSES_IN = timedelta(seconds=20)  # time enough for the processes to start
MINUTE = timedelta(seconds=60)
BATCH = 10_000
CROWD = "crowd"  # whose offers they are


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds from a reply to its answer at the handset, while the crowd was worked on; `own`
    without the message centre: from the reply's arrival at the gateway to the response to the
    answer's submit. `done` is how much of the crowd was through at the end."""

    work: str
    replies: int
    replies_per_s: float
    crowd: int
    done: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    own_p50_ms: float
    own_p99_ms: float
    own_max_ms: float
    memory_mb: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def due(replies: int, rate: float, crowd: int, progress: Progress) -> Figures:
    """`replies` people answer, `rate` a second, while `crowd` other offers fall due in a minute
    and everybody in it is told where to apply. Raises BenchError where they would be done before
    that minute has begun."""
    least = CLOSES_IN + MINUTE / 2
    if replies / rate < least.total_seconds():
        raise BenchError(
            f"{replies} replies at {rate:g}/s are over before the crowd falls due: "
            f"at least {least.total_seconds() * rate:g} are needed"
        )
    return _beside("due", replies, rate, crowd, progress)


def batches(replies: int, rate: float, crowd: int, progress: Progress) -> Figures:
    """The same beside batches of 10 000 offers that are handed in all at once and go out."""
    return _beside("batches", replies, rate, crowd, progress)


def _beside(work: str, replies: int, rate: float, crowd: int, progress: Progress) -> Figures:
    persons = people(replies + crowd)
    latencies: list[float] = []
    with centre(Work(replies, rate=rate), citizens=replies) as (smsc, told):
        with house(smsc) as home:
            serve(home, 1)
            fill(home, persons[:replies])
            register(home, persons[replies:])
            if work == "due":
                _make_due(home, persons[replies:])
            else:
                ask_everybody(home.rt)
            run(home)
            handing_in = _hand_in(home, persons[replies:]) if work == "batches" else []
            answered(home, replies, progress)
            for thread in handing_in:
                thread.join()
            with home.rt.ledger.begin() as tx:
                done = records.through(tx, CROWD, "sent" if work == "batches" else "expired")
                own = records.waits(tx, CONFIRMATION)
            memory = home.memory_mb()
        latencies += told()
    whole, ours = _ranks(latencies), _ranks(own)
    return Figures(work, len(latencies), rate, crowd, done, *whole, *ours, memory)


def _make_due(home: House, persons: Sequence[Person]) -> None:
    size.make(home.rt, persons, CROWD)
    ask_everybody(home.rt)
    with home.rt.ledger.begin() as tx:
        records.make_due(tx, CROWD, home.rt.clock() + CLOSES_IN, MINUTE)


def _hand_in(home: House, persons: Sequence[Person]) -> list[threading.Thread]:
    """Each batch by a connection of its own, all at the same time."""
    secret = open_door(home, CROWD)
    threads = [
        threading.Thread(target=post_offers, args=(home, secret, some), daemon=True)
        for some in batched(persons, BATCH)
    ]
    for thread in threads:
        thread.start()
    return threads


def _ranks(seconds: Sequence[float]) -> tuple[float, float, float]:
    """Median, 99 % and the longest, in milliseconds."""
    if not seconds:
        raise BenchError("nobody was answered")
    ordered = sorted(seconds)
    p50, p99, most = (round(ordered[int(q * (len(ordered) - 1))] * 1e3, 1) for q in (0.5, 0.99, 1))
    return p50, p99, most
