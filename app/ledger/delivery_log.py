"""What became of every event at a webhook, for its provider: when it was sent last, what was
answered, and when it is tried again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ledger.engine import Tx, sql


@dataclass(frozen=True, slots=True)
class Logged:
    """One event at one webhook. `next_at` is when a `due` one is tried, `closed_at` when it was
    taken or given up; `last_status` and `last_error` are those of the last attempt."""

    event_id: UUID
    case_id: UUID
    sequence: int
    type: str
    created_at: datetime
    state: str
    attempts: int
    next_at: datetime
    closed_at: datetime | None
    last_status: int | None
    last_error: str | None


_PAGE = sql(
    """SELECT d.event_id, d.case_id, d.sequence, e.type, e.created_at, d.state, d.attempts,
        d.next_at, d.closed_at, d.last_status, d.last_error
    FROM deliveries d JOIN events e ON e.id = d.event_id
    WHERE d.webhook_id = :webhook AND (CAST(:after AS uuid) IS NULL OR d.event_id < :after)
      AND (CAST(:state AS text) IS NULL OR d.state = :state)
    ORDER BY d.event_id DESC LIMIT :limit"""
)


def page(
    tx: Tx, webhook_id: UUID, *, state: str | None, after: UUID | None, limit: int
) -> Sequence[Logged]:
    """Events of a webhook, newest first, after the event `after`."""
    found = tx.execute(
        _PAGE,
        {"webhook": webhook_id, "state": state, "after": after, "limit": limit},
    )
    return [Logged(*row) for row in found]
