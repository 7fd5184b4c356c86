"""Claims nobody can answer for: those of dead gateways, forgotten ones, and messages of which it is
not known whether they left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ledger.engine import Tx, sql

_OTHERS = sql(
    """SELECT DISTINCT claimed_by FROM outbox WHERE state = 'claimed' AND claimed_by <> :gateway"""
)
_FORGOTTEN = sql(
    """UPDATE outbox o SET state = 'unknown', closed_at = :now, doubts = o.doubts + 1
    WHERE state = 'claimed' AND claimed_by = :gateway AND claimed_at < :before
      AND NOT id = ANY(CAST(:held AS uuid[]))
      AND NOT EXISTS (SELECT 1 FROM segments s
          WHERE s.outbox_id = o.id AND s.attempt = o.attempts)
    RETURNING id"""
)
_ACCEPTED = """SELECT 1 FROM segments s
    WHERE s.outbox_id = o.id AND s.attempt = o.attempts AND s.outcome = 'accepted'
    HAVING count(*) = max(s.total)"""
_TAKE_OVER = sql(
    f"""UPDATE outbox o SET claimed_by = :gateway
    WHERE o.state = 'claimed' AND o.claimed_by = ANY(CAST(:gateways AS uuid[]))
      AND EXISTS ({_ACCEPTED})"""
)
_TAKE_OPEN = sql(
    f"""WITH held AS MATERIALIZED (
        SELECT o.id FROM outbox o
        WHERE o.state = 'claimed' AND o.claimed_by = ANY(CAST(:gateways AS uuid[]))
          AND NOT EXISTS ({_ACCEPTED})
        ORDER BY o.id FOR NO KEY UPDATE OF o)
    UPDATE outbox o SET claimed_by = :gateway FROM held WHERE o.id = held.id
    RETURNING o.id, o.claimed_at"""
)
_HOLD = sql(
    """SELECT FROM outbox WHERE id = ANY(CAST(:ids AS uuid[]))
        AND state IN ('claimed', 'unknown')
    ORDER BY id FOR NO KEY UPDATE"""
)
_UNKNOWN = sql(
    """UPDATE outbox SET state = 'unknown', closed_at = :now, doubts = doubts + 1
    WHERE state = 'claimed' AND claimed_by = ANY(CAST(:gateways AS uuid[]))
    RETURNING id, case_id, room, kind, attempts, doubts"""
)
_TAKEN = sql(
    f"""UPDATE outbox o SET state = 'claimed', claimed_by = :gateway, closed_at = NULL
    WHERE o.state = 'unknown' AND o.id = ANY(CAST(:ids AS uuid[])) AND EXISTS ({_ACCEPTED})
    RETURNING o.id, o.case_id, o.room, o.kind, o.attempts, o.doubts"""
)
_OVERDUE = sql(
    """SELECT id, case_id, room, kind, attempts, doubts FROM outbox
    WHERE state = 'unknown' AND closed_at <= :before
    ORDER BY seq LIMIT 500 FOR UPDATE SKIP LOCKED"""
)
_REST = sql(
    """UPDATE outbox SET state = 'sent', closed_at = :now
    WHERE state = 'claimed' AND claimed_by = :gateway AND claimed_at < :before
      AND NOT id = ANY(CAST(:held AS uuid[]))"""
)


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A message of which nobody knows yet whether it left."""

    id: UUID
    case_id: UUID | None
    room: str | None
    kind: str
    attempts: int = 1
    doubts: int = 1


def claimed_by_others(tx: Tx, gateway: UUID) -> list[UUID]:
    """Other gateways that hold claims; the dead among them left theirs behind."""
    return list(tx.execute(_OTHERS, {"gateway": gateway}).scalars())


def doubt_forgotten(
    tx: Tx, gateway: UUID, held: Sequence[UUID], before: datetime, now: datetime
) -> list[UUID]:
    """Own claims older than `before` of which this gateway knows nothing: their commit succeeded
    and its answer was lost. They become `unknown`."""
    values = {"gateway": gateway, "held": list(held), "before": before, "now": now}
    return list(tx.execute(_FORGOTTEN, values).scalars())


def take_over(tx: Tx, gateways: Sequence[UUID], gateway: UUID, now: datetime) -> list[Doubtful]:
    """The claims of dead gateways: what a network had accepted in whole goes on waiting for its
    receipts, as ours; the others become `unknown` and are returned: only a receipt or patience
    settles them."""
    tx.write(_TAKE_OVER, {"gateways": list(gateways), "gateway": gateway})
    found = tx.execute(_UNKNOWN, {"gateways": list(gateways), "now": now})
    return [Doubtful(r.id, r.case_id, r.room, r.kind, r.attempts, r.doubts) for r in found]


def hold(tx: Tx, ids: Sequence[str]) -> None:
    """Holds those of these messages that nobody has closed."""
    if ids:
        tx.write(_HOLD, {"ids": list(ids)})


def take_open(tx: Tx, gateways: Sequence[UUID], gateway: UUID) -> dict[UUID, datetime]:
    """The claims of dead gateways that no network is known to have accepted in whole, now ours to
    settle, with when they were claimed."""
    found = tx.execute(_TAKE_OPEN, {"gateways": list(gateways), "gateway": gateway})
    return {r.id: r.claimed_at for r in found}


def overdue(tx: Tx, before: datetime) -> list[Doubtful]:
    """Messages that became unknown before `before` and of which no receipt has come, locked."""
    found = tx.execute(_OVERDUE, {"before": before})
    return [Doubtful(r.id, r.case_id, r.room, r.kind, r.attempts, r.doubts) for r in found]


def no_longer(tx: Tx, gateway: UUID, ids: Sequence[UUID]) -> list[Doubtful]:
    """Those of the unknown messages `ids` that a network is now known to have accepted in whole:
    ours again, to wait for their receipts."""
    found = tx.execute(_TAKEN, {"gateway": gateway, "ids": list(ids)})
    return [Doubtful(r.id, r.case_id, r.room, r.kind, r.attempts, r.doubts) for r in found]


def rest(tx: Tx, gateway: UUID, held: Sequence[UUID], before: datetime, now: datetime) -> None:
    """Own accepted messages claimed before `before` are waited for no longer: their receipts are
    lost, and a late one is still taken."""
    tx.write(_REST, {"gateway": gateway, "held": list(held), "before": before, "now": now})
