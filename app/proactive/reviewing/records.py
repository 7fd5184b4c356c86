"""Cases to be looked at: entered when a recipient could not be understood, shown while they are
open, gone from the list by themselves when the offer ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ledger.engine import Tx, sql


@dataclass(frozen=True, slots=True)
class Review:
    """A case that waits for somebody to look at it."""

    case_id: UUID
    at: datetime
    seen_at: datetime | None
    seen_by: str | None


_PUT = sql(
    """INSERT INTO reviews (case_id, at) VALUES (:case_id, :at)
    ON CONFLICT (case_id) DO UPDATE SET at = excluded.at, seen_at = NULL, seen_by = NULL"""
)
_OPEN = sql(
    """SELECT r.case_id, r.at, r.seen_at, r.seen_by
    FROM reviews r JOIN offers o ON o.id = r.case_id
    WHERE o.state IN ('made', 'sent', 'awaiting')
      AND (CAST(:after AS uuid) IS NULL OR r.case_id < :after)
    ORDER BY r.case_id DESC LIMIT :limit"""
)
_SEEN = sql(
    """UPDATE reviews SET seen_at = :now, seen_by = :by WHERE case_id = :case_id
    RETURNING case_id, at, seen_at, seen_by"""
)


def put(tx: Tx, case_id: UUID, at: datetime) -> None:
    """Enters a case, once more where it was seen before."""
    tx.write(_PUT, {"case_id": case_id, "at": at})


def waiting(tx: Tx, after: UUID | None, limit: int) -> Sequence[Review]:
    """Open cases to be looked at, newest first."""
    found = tx.execute(_OPEN, {"after": after, "limit": limit})
    return [Review(r.case_id, r.at, r.seen_at, r.seen_by) for r in found]


def seen(tx: Tx, case_id: UUID, by: str, now: datetime) -> Review | None:
    """Notes who looked at a case and when. None: it is not among them."""
    r = tx.execute(_SEEN, {"case_id": case_id, "by": by, "now": now}).one_or_none()
    return None if r is None else Review(r.case_id, r.at, r.seen_at, r.seen_by)
