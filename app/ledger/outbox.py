"""The outbox: what is to be said, written in the transaction that decided it, claimed by one
gateway.

A claim is the intent to submit: it is committed before the first octet leaves. What the networks
answered is appended as segments; the message's own row changes only when it is claimed and closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from app.ledger.encryption import Vault
from app.ledger.engine import Tx, sql
from app.ledger.ids import new_id


class Priority(IntEnum):
    """Replies before what the law orders, and both before bulk."""

    REPLY = 0
    LEGAL = 1
    BULK = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one phone. `kind` is its wording's key; `case_id` is None for plain help."""

    id: UUID
    case_id: UUID | None
    room: str | None
    kind: str
    phone_index: bytes
    phone: str
    body: str
    network: str | None
    priority: Priority
    due_at: datetime
    attempts: int = 0
    seq: int = 0


@dataclass(slots=True)
class Outbox:
    """Gathers the messages of one transaction. Those added with `at_once` are claimed by this
    gateway in the same statement, so that they leave from memory right after the commit."""

    vault: Vault
    gateway: UUID | None = None
    messages: list[Message] = field(default_factory=list)
    at_once: list[Message] = field(default_factory=list)

    def add(
        self,
        now: datetime,
        kind: str,
        to: tuple[bytes, str],
        body: str,
        *,
        case_id: UUID | None = None,
        room: str | None = None,
        network: str | None = None,
        priority: Priority = Priority.LEGAL,
    ) -> Message:
        """Adds a message `to` (phone index, E.164)."""
        message = Message(
            new_id(now), case_id, room, kind, to[0], to[1], body, network, priority, now
        )
        at_once = self.gateway is not None and priority is Priority.REPLY
        (self.at_once if at_once else self.messages).append(message)
        return message

    def write(self, tx: Tx, now: datetime) -> None:
        """Stores what was gathered in one statement; `at_once` keeps its list for the gateway."""
        rows = [(m, None) for m in self.messages] + [(m, self.gateway) for m in self.at_once]
        if not rows:
            return
        found = tx.execute(
            _INSERT,
            {
                "id": [m.id for m, _ in rows],
                "case_id": [m.case_id for m, _ in rows],
                "room": [m.room for m, _ in rows],
                "kind": [m.kind for m, _ in rows],
                "phone_index": [m.phone_index for m, _ in rows],
                "phone": [self.vault.seal(m.phone.encode(), m.id.bytes) for m, _ in rows],
                "body": [self.vault.seal(m.body.encode(), m.id.bytes) for m, _ in rows],
                "network": [m.network for m, _ in rows],
                "priority": [int(m.priority) for m, _ in rows],
                "claimed_by": [g for _, g in rows],
                "now": now,
            },
        )
        if self.at_once:
            numbers = {r.id: r.seq for r in found}
            self.at_once = [_numbered(m, numbers[m.id]) for m in self.at_once]
        self.messages.clear()


def _numbered(m: Message, seq: int) -> Message:
    return Message(
        m.id, m.case_id, m.room, m.kind, m.phone_index, m.phone, m.body, m.network, m.priority,
        m.due_at, 1, seq,
    )  # fmt: skip


_INSERT = sql(
    """INSERT INTO outbox (id, case_id, room, kind, phone_index, phone, body, network, priority,
        state, due_at, created_at, claimed_by, claimed_at, attempts)
    SELECT id, case_id, room, kind, phone_index, phone, body, network, priority,
        CASE WHEN claimed_by IS NULL THEN 'ready' ELSE 'claimed' END, :now, :now, claimed_by,
        CASE WHEN claimed_by IS NULL THEN NULL ELSE CAST(:now AS timestamptz) END,
        CASE WHEN claimed_by IS NULL THEN 0 ELSE 1 END
    FROM unnest(CAST(:id AS uuid[]), CAST(:case_id AS uuid[]), CAST(:room AS text[]),
        CAST(:kind AS text[]), CAST(:phone_index AS bytea[]), CAST(:phone AS bytea[]),
        CAST(:body AS bytea[]), CAST(:network AS text[]), CAST(:priority AS smallint[]),
        CAST(:claimed_by AS uuid[]))
        AS t (id, case_id, room, kind, phone_index, phone, body, network, priority, claimed_by)
    RETURNING id, seq"""
)
_CLAIM = sql(
    """UPDATE outbox o SET state = 'claimed', claimed_by = :gateway, claimed_at = :now,
        attempts = least(o.attempts + 1, 32000)
    FROM (SELECT id FROM outbox
          WHERE state = 'ready' AND priority <= :most AND due_at <= :now
            AND coalesce(network, '') = :network
          ORDER BY priority, seq LIMIT :limit FOR UPDATE SKIP LOCKED) c
    WHERE o.id = c.id
    RETURNING o.id, o.case_id, o.room, o.kind, o.phone_index, o.phone, o.body, o.network,
        o.priority, o.due_at, o.attempts, o.seq"""
)
_CANCEL = sql(
    """UPDATE outbox SET state = 'cancelled', closed_at = :now
    WHERE state IN ('ready', 'claimed') AND id = ANY(CAST(:ids AS uuid[]))"""
)
_CANCEL_QUESTIONS = sql(
    """UPDATE outbox SET state = 'cancelled', closed_at = :now
    WHERE state = 'ready' AND priority = 2 AND case_id = ANY(CAST(:cases AS uuid[]))"""
)
_CLOSE = sql(
    """UPDATE outbox o SET state = t.state, cid = coalesce(t.cid, o.cid), closed_at = :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:cids AS text[]))
        AS t (id, state, cid)
    WHERE o.id = t.id AND o.state IN ('claimed', 'sent', 'unknown')"""
)
_RELEASE = sql(
    """UPDATE outbox o SET state = 'ready', claimed_by = NULL, due_at = t.due_at,
        network = coalesce(t.network, o.network)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:due AS timestamptz[]), CAST(:networks AS text[]))
        AS t (id, due_at, network)
    WHERE o.id = t.id AND o.state IN ('claimed', 'unknown')"""
)
_OTHERS = sql(
    """SELECT DISTINCT claimed_by FROM outbox WHERE state = 'claimed' AND claimed_by <> :gateway"""
)
_ANY_NETWORK = sql(
    """UPDATE outbox SET network = NULL
    WHERE state = 'ready' AND NOT network = ANY(CAST(:known AS text[]))"""
)
_FORGOTTEN = sql(
    """UPDATE outbox o SET state = 'unknown', closed_at = :now
    WHERE state = 'claimed' AND claimed_by = :gateway AND claimed_at < :before
      AND NOT id = ANY(CAST(:held AS uuid[]))
      AND NOT EXISTS (SELECT 1 FROM segments s
          WHERE s.outbox_id = o.id AND s.attempt = o.attempts)
    RETURNING id"""
)
_UNKNOWN = sql(
    """UPDATE outbox SET state = 'unknown', closed_at = :now WHERE state = 'claimed'
    AND claimed_by = ANY(CAST(:gateways AS uuid[]))
    RETURNING id, case_id, room, kind"""
)
_STALE_UNKNOWN = sql(
    """SELECT id, case_id, room, kind, attempts FROM outbox
    WHERE state = 'unknown' AND closed_at <= :before
    ORDER BY seq LIMIT 500 FOR UPDATE SKIP LOCKED"""
)


def claim(
    tx: Tx,
    vault: Vault,
    gateway: UUID,
    now: datetime,
    *,
    network: str | None,
    limit: int,
    bulk: bool,
) -> list[Message]:
    """Takes up to `limit` due messages for a network (None: for any) for this gateway, replies
    first; `bulk` False leaves offers where they are (quiet hours)."""
    found = tx.execute(
        _CLAIM,
        {
            "gateway": gateway,
            "now": now,
            "network": network or "",
            "limit": limit,
            "most": int(Priority.BULK if bulk else Priority.LEGAL),
        },
    )
    messages = [
        Message(
            r.id, r.case_id, r.room, r.kind, bytes(r.phone_index),
            vault.open(bytes(r.phone), r.id.bytes).decode(),
            vault.open(bytes(r.body), r.id.bytes).decode(),
            r.network, Priority(r.priority), r.due_at, r.attempts, r.seq,
        )
        for r in found
    ]  # fmt: skip
    return sorted(messages, key=lambda m: (m.priority, m.seq))


def cancel(tx: Tx, message_ids: Sequence[UUID], now: datetime) -> None:
    """Takes messages back that have not left."""
    if message_ids:
        tx.execute(_CANCEL, {"ids": list(message_ids), "now": now})


def cancel_questions(tx: Tx, case_ids: Sequence[UUID], now: datetime) -> None:
    """Takes back the questions of these cases that still wait in the outbox."""
    if case_ids:
        tx.execute(_CANCEL_QUESTIONS, {"cases": list(case_ids), "now": now})


def close(tx: Tx, closed: Sequence[tuple[UUID, str, str | None]], now: datetime) -> None:
    """Writes the last (or latest) state of messages: (id, state, cid); a final state stays."""
    if closed:
        tx.execute(
            _CLOSE,
            {
                "ids": [c[0] for c in closed],
                "states": [c[1] for c in closed],
                "cids": [c[2] for c in closed],
                "now": now,
            },
        )


def release(tx: Tx, rows: Sequence[tuple[UUID, datetime, str | None]]) -> None:
    """Gives messages back to the outbox: (id, due at, network to try or None for the same)."""
    if rows:
        tx.execute(
            _RELEASE,
            {
                "ids": [r[0] for r in rows],
                "due": [r[1] for r in rows],
                "networks": [r[2] for r in rows],
            },
        )


def claimed_by_others(tx: Tx, gateway: UUID) -> list[UUID]:
    """Other gateways that hold claims; the dead among them left theirs behind."""
    return list(tx.execute(_OTHERS, {"gateway": gateway}).scalars())


def free_of_unknown_networks(tx: Tx, known: Sequence[str]) -> None:
    """Messages for networks that nobody serves any more may leave by any."""
    tx.execute(_ANY_NETWORK, {"known": list(known)})


def doubt_forgotten(
    tx: Tx, gateway: UUID, held: Sequence[UUID], before: datetime, now: datetime
) -> list[UUID]:
    """Own claims older than `before` of which this gateway knows nothing: their commit succeeded
    and its answer was lost. They become `unknown`."""
    values = {"gateway": gateway, "held": list(held), "before": before, "now": now}
    return list(tx.execute(_FORGOTTEN, values).scalars())


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A message of which nobody knows yet whether it left."""

    id: UUID
    case_id: UUID | None
    room: str | None
    kind: str
    attempts: int = 1


def doubt(tx: Tx, gateways: Sequence[UUID], now: datetime) -> list[Doubtful]:
    """The claims of dead gateways become `unknown`: only a receipt or patience settles them."""
    found = tx.execute(_UNKNOWN, {"gateways": list(gateways), "now": now})
    return [Doubtful(r.id, r.case_id, r.room, r.kind) for r in found]


def overdue_doubts(tx: Tx, before: datetime) -> list[Doubtful]:
    """Messages that became unknown before `before` and of which no receipt has come, locked."""
    found = tx.execute(_STALE_UNKNOWN, {"before": before})
    return [Doubtful(r.id, r.case_id, r.room, r.kind, r.attempts) for r in found]
