"""Accepted segments of which no receipt has come: which of them to ask the network about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.ledger.engine import Tx, sql


@dataclass(frozen=True, slots=True)
class Silent:
    """One of the `total` segments of a message, accepted at `at` by the bind `cid` under
    `smsc_id`."""

    outbox_id: UUID
    attempt: int
    number: int
    cid: str
    smsc_id: str
    at: datetime
    total: int


@dataclass(frozen=True, slots=True)
class Patience:
    """A segment is asked after `first` without a receipt, then after twice as long each time, at
    most `most` times; `at_once` bounds one round."""

    first: timedelta
    most: int
    at_once: int


# Messages that await their receipts are claims of this gateway: the few rows of a partial index.
_ASK = sql(
    """WITH silent AS (
        SELECT s.outbox_id, s.attempt, s.number FROM outbox o
        JOIN segments s ON s.outbox_id = o.id AND s.attempt = o.attempts
        WHERE o.state = 'claimed' AND o.claimed_by = :gateway AND o.claimed_at <= :before
          AND s.cid = ANY(CAST(:cids AS text[])) AND s.outcome = 'accepted' AND s.smsc_id <> ''
          AND (s.receipt IS NULL OR s.receipt IN ('ENROUTE', 'ACCEPTD', 'UNKNOWN'))
          AND s.asked < :most
          AND coalesce(s.asked_at, s.at) + CAST(:first AS interval) * (1 << s.asked) <= :now
        ORDER BY o.claimed_at LIMIT :at_once)
    UPDATE segments s SET asked = s.asked + 1, asked_at = :now FROM silent
    WHERE s.outbox_id = silent.outbox_id AND s.attempt = silent.attempt
      AND s.number = silent.number
    RETURNING s.outbox_id, s.attempt, s.number, s.cid, s.smsc_id, s.at, s.total"""
)


def ask(
    tx: Tx, gateway: UUID, cids: Sequence[str], now: datetime, patience: Patience
) -> list[Silent]:
    """Segments of this gateway's binds that are to be asked after now; each is noted as asked."""
    values = {
        "gateway": gateway,
        "cids": list(cids),
        "now": now,
        "before": now - patience.first,
        "first": patience.first,
        "most": patience.most,
        "at_once": patience.at_once,
    }
    return [
        Silent(r.outbox_id, r.attempt, r.number, r.cid, r.smsc_id, r.at, r.total)
        for r in tx.execute(_ASK, values)
    ]
