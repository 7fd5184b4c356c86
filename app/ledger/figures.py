"""What the ledger tells the alarms: backlogs, overdue cases, hand-overs, outcomes.

Every statement reads an index or a small table; outcomes are counted forward from where they were
counted last, for their table only grows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.ledger.engine import Tx, sql

START = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the outbox for one network ("" is any) at one priority."""

    network: str
    priority: int
    messages: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at the ledger. `sealed_through` is the last day whose cases are sealed; `first_at`
    when the first case was made."""

    backlog: Sequence[Backlog]
    overdue: int
    reassembly: int
    orphans: int
    deliveries: Mapping[str, int]
    sealed_through: date | None
    first_at: datetime | None


_PATIENCE = sql("SET LOCAL statement_timeout = '5s'")
_BACKLOG = sql(
    """SELECT coalesce(network, '') AS network, priority, count(*) AS messages,
        min(created_at) AS oldest
    FROM outbox WHERE state = 'ready' GROUP BY 1, 2 ORDER BY 1, 2"""
)
_OVERDUE = sql(
    """SELECT count(*) FROM offer_deadlines d JOIN offers o
        ON o.id = d.offer_id AND o.state = 'awaiting' AND o.deadline = d.at
    WHERE d.at < :now"""
)
_REASSEMBLY = sql(
    """SELECT count(*) FROM (SELECT 1 FROM parts
        GROUP BY network, sender_index, destination, reference, total) p"""
)
_ORPHANS = sql("SELECT count(*) FROM orphan_receipts")
_DELIVERIES = sql(
    """SELECT 'due' AS state, count(*) AS n FROM deliveries WHERE state = 'due'
    UNION ALL SELECT 'parked', count(*) FROM deliveries WHERE state = 'parked'"""
)
_SEALED = sql("SELECT day FROM seals ORDER BY number DESC LIMIT 1")
_FIRST = sql("SELECT created_at FROM offers ORDER BY id LIMIT 1")
_OUTCOMES = sql(
    """SELECT type, count(*) AS n FROM events WHERE id > :after AND id <= :until GROUP BY type"""
)


def read(tx: Tx, now: datetime) -> Figures:
    """Raises what the ledger raises, after five seconds at most."""
    tx.write(_PATIENCE)
    return Figures(
        backlog=[
            Backlog(r.network, r.priority, r.messages, r.oldest) for r in tx.execute(_BACKLOG)
        ],
        overdue=tx.execute(_OVERDUE, {"now": now}).scalar_one(),
        reassembly=tx.execute(_REASSEMBLY).scalar_one(),
        orphans=tx.execute(_ORPHANS).scalar_one(),
        deliveries={r.state: r.n for r in tx.execute(_DELIVERIES)},
        sealed_through=tx.execute(_SEALED).scalar_one_or_none(),
        first_at=tx.execute(_FIRST).scalar_one_or_none(),
    )


def outcomes(tx: Tx, after: UUID, until: UUID) -> dict[str, int]:
    """How many events of each type have an id in (after, until]: ids sort by time."""
    return {r.type: r.n for r in tx.execute(_OUTCOMES, {"after": after, "until": until})}
