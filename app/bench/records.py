"""What the ledger of a measured house knows of its speed: when segments left, what came of them."""

from dataclasses import dataclass
from datetime import datetime

from app.ledger.engine import Tx, sql


@dataclass(frozen=True, slots=True)
class Flow:
    """Segments submitted and those with a receipt, and when the first left and the last arrived."""

    submitted: int
    received: int
    first_at: datetime | None
    last_at: datetime | None


_FLOW = sql(
    """SELECT count(*) AS submitted, count(receipt_at) AS received, min(at) AS first_at,
        max(receipt_at) AS last_at
    FROM segments s JOIN outbox o ON o.id = s.outbox_id WHERE o.kind = :kind"""
)
_ANSWERS = sql(
    """SELECT count(*) AS submitted,
        count(*) FILTER (WHERE s.number = s.total AND s.receipt_at IS NOT NULL) AS received,
        min(s.at) AS first_at, max(s.at) AS last_at
    FROM segments s JOIN outbox o ON o.id = s.outbox_id WHERE o.kind <> :kind"""
)


def flow(tx: Tx, kind: str) -> Flow:
    """How far the messages of that wording have come."""
    r = tx.execute(_FLOW, {"kind": kind}).one()
    return Flow(r.submitted, r.received, r.first_at, r.last_at)


def answers(tx: Tx, question: str) -> Flow:
    """What left that was not the question itself; `received` counts whole messages."""
    r = tx.execute(_ANSWERS, {"kind": question}).one()
    return Flow(r.submitted, r.received, r.first_at, r.last_at)


def analyze(tx: Tx) -> None:
    """Brings the planner's statistics up to date, as autovacuum would in time."""
    tx.execute(sql("ANALYZE"))
