"""The hand-over to providers: an event is written with the outcome it reports, once, numbered per
case, and delivered to every webhook of the provider that listens for it (155/НҚ, clause 6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.ledger.encryption import Vault
from app.ledger.engine import Tx, sql
from app.ledger.ids import new_id

_encode = msgspec.json.Encoder(order="sorted").encode


class Event(Struct, frozen=True):
    """What a provider is told; `body` is the JSON that every delivery and replay sends."""

    id: UUID
    case_id: UUID
    sequence: int
    provider: str
    type: str
    body: bytes
    created_at: datetime


@dataclass(slots=True)
class HandOver:
    """Gathers the events of one transaction; `write` stores them and their deliveries."""

    events: list[Event] = field(default_factory=list)

    def add(
        self, now: datetime, case_id: UUID, sequence: int, provider: str, kind: str, data: Any
    ) -> None:
        """Adds event `kind` ("offer.accepted") about a case; `data` holds nothing personal.
        `sequence` grows within a case, with gaps: it is the case's journal number."""
        event_id = new_id(now)
        body = _encode(
            {
                "id": event_id,
                "case": case_id,
                "sequence": sequence,
                "type": kind,
                "created_at": now,
                "data": data,
            }
        )
        self.events.append(Event(event_id, case_id, sequence, provider, kind, body, now))

    def write(self, tx: Tx) -> None:
        """Stores what was gathered: one statement for the events, one for the deliveries."""
        if not self.events:
            return
        names = Event.__struct_fields__
        tx.write(_INSERT, {n: [getattr(e, n) for e in self.events] for n in names})
        self.events.clear()


_INSERT = sql(
    """WITH e AS (
        INSERT INTO events (id, case_id, sequence, provider, type, body, created_at)
        SELECT * FROM unnest(CAST(:id AS uuid[]), CAST(:case_id AS uuid[]),
            CAST(:sequence AS int[]), CAST(:provider AS text[]), CAST(:type AS text[]),
            CAST(:body AS bytea[]), CAST(:created_at AS timestamptz[]))
        RETURNING *)
    INSERT INTO deliveries (event_id, webhook_id, case_id, sequence, state, next_at, first_at)
    SELECT e.id, w.id, e.case_id, e.sequence, 'due', e.created_at, e.created_at
    FROM e JOIN webhooks w ON w.provider = e.provider AND w.deleted_at IS NULL
        AND (e.type = ANY(w.events) OR '*' = ANY(w.events))"""
)
_ADD_WEBHOOK = sql(
    """INSERT INTO webhooks (id, provider, url, events, secret, created_at)
    VALUES (:id, :provider, :url, :events, :secret, :now)"""
)
_WEBHOOKS = sql(
    """SELECT id, url, events, created_at FROM webhooks
    WHERE provider = :provider AND deleted_at IS NULL ORDER BY id"""
)
_DROP_WEBHOOK = sql(
    """UPDATE webhooks SET deleted_at = :now
    WHERE id = :id AND provider = :provider AND deleted_at IS NULL RETURNING id"""
)
_DROP_DELIVERIES = sql(
    "UPDATE deliveries SET state = 'parked', last_error = 'webhook deleted' "
    "WHERE webhook_id = :id AND state = 'due'"
)
_REPLAY = sql(
    """INSERT INTO deliveries (event_id, webhook_id, case_id, sequence, state, next_at, first_at)
    SELECT e.id, w.id, e.case_id, e.sequence, 'due', :now, :now
    FROM webhooks w JOIN events e ON e.provider = w.provider
        AND (e.type = ANY(w.events) OR '*' = ANY(w.events))
    WHERE w.id = :id AND w.provider = :provider AND w.deleted_at IS NULL
      AND e.created_at >= :since
    ON CONFLICT (event_id, webhook_id) DO UPDATE
        SET state = 'due', next_at = :now, first_at = :now, attempts = 0, closed_at = NULL
        WHERE deliveries.state <> 'due'
    RETURNING event_id"""
)
_SETTLE = sql(
    """UPDATE deliveries SET state = :state, attempts = attempts + 1, next_at = :next_at,
        last_status = :status, last_error = :error,
        closed_at = CASE WHEN :state = 'due' THEN NULL ELSE CAST(:now AS timestamptz) END
    WHERE event_id = :event_id AND webhook_id = :webhook_id AND state = 'due'"""
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a provider wants its events; the secret is never shown again."""

    id: UUID
    url: str
    events: tuple[str, ...]
    created_at: datetime


def add_webhook(
    tx: Tx, vault: Vault, provider: str, url: str, events: Sequence[str], secret: str, now: datetime
) -> Webhook:
    """Registers a webhook; `events` may hold "*"."""
    hook = Webhook(new_id(now), url, tuple(events), now)
    tx.write(
        _ADD_WEBHOOK,
        {
            "id": hook.id,
            "provider": provider,
            "url": url,
            "events": list(events),
            "secret": vault.seal(secret.encode(), hook.id.bytes),
            "now": now,
        },
    )
    return hook


def webhooks(tx: Tx, provider: str) -> list[Webhook]:
    """A provider's webhooks, oldest first."""
    return [
        Webhook(r.id, r.url, tuple(r.events), r.created_at)
        for r in tx.execute(_WEBHOOKS, {"provider": provider})
    ]


def drop_webhook(tx: Tx, provider: str, webhook_id: UUID, now: datetime) -> bool:
    """Removes a webhook; what it had not received is parked. False: there is no such one."""
    values = {"id": webhook_id, "provider": provider, "now": now}
    if tx.execute(_DROP_WEBHOOK, values).one_or_none() is None:
        return False
    tx.write(_DROP_DELIVERIES, {"id": webhook_id})
    return True


def replay(tx: Tx, provider: str, webhook_id: UUID, since: datetime, now: datetime) -> int:
    """Makes every event since `since` due again for a webhook, under its old id; how many."""
    values = {"id": webhook_id, "provider": provider, "since": since, "now": now}
    return len(tx.execute(_REPLAY, values).all())


def settle(
    tx: Tx,
    event_id: UUID,
    webhook_id: UUID,
    state: str,
    now: datetime,
    *,
    next_at: datetime,
    status: int | None,
    error: str | None,
) -> None:
    """Writes what came of a delivery: `done`, `due` again at `next_at`, or `parked`."""
    tx.write(
        _SETTLE,
        {
            "event_id": event_id,
            "webhook_id": webhook_id,
            "state": state,
            "now": now,
            "next_at": next_at,
            "status": status,
            "error": error,
        },
    )
