"""What waits to be handed over, webhook by webhook: which have something due, and taking it.

A delivery is taken by moving its `next_at` on, at the moment it is carried out: a job that was
lost took nothing, and a worker that dies gives back what it took by not renewing it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ledger.encryption import Vault
from app.ledger.engine import Tx, sql


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a webhook leads and what signs its deliveries."""

    webhook_id: UUID
    url: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one webhook, taken; `attempts` were made before this one."""

    event_id: UUID
    body: bytes
    attempts: int
    first_at: datetime


# Within a case the events go out in order: only the first that is still due may be taken. Asked
# with min(), which is looked up row by row: as an anti-join it grows with the square of a backlog.
_FIRST = """state = 'due' AND next_at <= :now AND f.sequence = (
            SELECT min(b.sequence) FROM deliveries b
            WHERE b.case_id = f.case_id AND b.webhook_id = f.webhook_id AND b.state = 'due')
        ORDER BY next_at"""
_WAITING = sql(
    f"""SELECT id FROM webhooks w CROSS JOIN LATERAL (
        SELECT FROM deliveries f WHERE f.webhook_id = w.id AND {_FIRST} LIMIT 1) d
    WHERE deleted_at IS NULL ORDER BY id"""
)
_DESTINATION = sql("SELECT url, secret FROM webhooks WHERE id = :id AND deleted_at IS NULL")
_TAKE = sql(
    f"""WITH first AS (
        SELECT event_id FROM deliveries f WHERE f.webhook_id = :webhook AND {_FIRST}
        LIMIT :limit FOR UPDATE SKIP LOCKED),
    taken AS (
        UPDATE deliveries d SET next_at = :until FROM first
        WHERE d.event_id = first.event_id AND d.webhook_id = :webhook
        RETURNING d.event_id, d.attempts, d.first_at)
    SELECT e.id, e.body, t.attempts, t.first_at FROM taken t JOIN events e ON e.id = t.event_id
    ORDER BY e.id"""
)
_RENEW = sql(
    """UPDATE deliveries SET next_at = :longer
    WHERE event_id = ANY(:events) AND webhook_id = :webhook AND state = 'due'
        AND next_at = :until"""
)


def waiting(tx: Tx, now: datetime) -> list[UUID]:
    """The webhooks for which something is due."""
    return list(tx.execute(_WAITING, {"now": now}).scalars())


def destination(tx: Tx, vault: Vault, webhook_id: UUID) -> Destination | None:
    """Where a webhook leads, or None when it has been deleted."""
    row = tx.execute(_DESTINATION, {"id": webhook_id}).one_or_none()
    if row is None:
        return None
    return Destination(webhook_id, row.url, vault.open(bytes(row.secret), webhook_id.bytes))


def take(
    tx: Tx, webhook_id: UUID, now: datetime, until: datetime, limit: int
) -> Sequence[Delivery]:
    """Up to `limit` deliveries of a webhook, at most one a case; no one else takes them again
    before `until`."""
    found = tx.execute(_TAKE, {"webhook": webhook_id, "now": now, "until": until, "limit": limit})
    return [Delivery(r.id, bytes(r.body), r.attempts, r.first_at) for r in found]


def renew(
    tx: Tx, webhook_id: UUID, events: Sequence[UUID], until: datetime, longer: datetime
) -> None:
    """Keeps what was taken `until` for `longer`; what has been settled meanwhile stays as it is."""
    values = {"webhook": webhook_id, "events": list(events), "until": until, "longer": longer}
    tx.write(_RENEW, values)
