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

from msgspec import Struct
from msgspec.structs import replace

from app.ledger.encryption import Vault
from app.ledger.engine import Asked, Row, Tx, sql
from app.ledger.ids import new_id
from smpp.text import count


class Priority(IntEnum):
    """Replies before what the law orders, and both before bulk."""

    REPLY = 0
    LEGAL = 1
    BULK = 2


class Message(Struct, frozen=True):
    """One message to one phone. `kind` is its wording's key; `case_id` is None for plain help.

    `refused` are the networks that do not know the phone, `doubts` how often nobody knew whether
    it left. `reference` counts the phone's long messages, `umr` all segments sent to it (the
    user_message_reference of the first one here); both stay the same over all attempts."""

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
    refused: tuple[str, ...] = ()
    doubts: int = 0
    reference: int | None = None
    umr: int | None = None


@dataclass(slots=True)
class Outbox:
    """Gathers the messages of one transaction. Those that are `at_once` are claimed by this
    gateway in the same statement, so that they leave from memory right after the commit."""

    vault: Vault
    gateway: UUID | None = None
    messages: list[Message] = field(default_factory=list)
    at_once: list[Message] = field(default_factory=list)
    written: Asked | None = None

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
        """Stores what was gathered in one statement; what is `at_once` is kept for `leaving`."""
        rows = [(m, None) for m in self.messages] + [(m, self.gateway) for m in self.at_once]
        if not rows:
            return
        self.written = tx.ask(
            _INSERT,
            {
                "id": [m.id for m, _ in rows],
                "case_id": [m.case_id for m, _ in rows],
                "room": [m.room for m, _ in rows],
                "kind": [m.kind for m, _ in rows],
                "phone_index": [m.phone_index for m, _ in rows],
                "phone": self.vault.seal_each([(m.phone.encode(), m.id.bytes) for m, _ in rows]),
                "body": self.vault.seal_each([(m.body.encode(), m.id.bytes) for m, _ in rows]),
                "network": [m.network for m, _ in rows],
                "priority": [int(m.priority) for m, _ in rows],
                "claimed_by": [g for _, g in rows],
                "segments": [_segments_of(m.body) for m, _ in rows],
                "now": now,
            },
        )
        self.messages.clear()

    def leaving(self) -> list[Message]:
        """After the commit: what this gateway has claimed, with the numbers it was given."""
        if self.written is None:
            return []
        given = {r.id: r for r in self.written.rows()}
        return [_given(m, given[m.id]) for m in self.at_once]


def _given(m: Message, r: Row) -> Message:
    return replace(m, network=r.network, attempts=1, seq=r.seq, reference=r.reference, umr=r.umr)


def _segments_of(body: str) -> int:
    """How many segments a body takes at most, but one where it takes one; cheaply, for it only
    keeps references apart."""
    if body.isascii():
        return count(body, "udh16").segments
    units = len(body.encode("utf-16-be", "surrogatepass")) // 2
    return 1 if units <= SINGLE else -(-units // EACH)


SINGLE, EACH = 70, 64  # UTF-16 units: of a single message, and of the smallest even segment
# The phone's counters go up in the statement that writes its messages, so that they are durable,
# without a gap between two processes, and cost no round trip. The network that last answered on
# the phone goes before what a register says.
_INSERT = sql(
    """WITH given AS (
        SELECT *, sum(segments) OVER upto - segments AS segments_before,
            sum(segments) OVER phone AS segments_all,
            count(*) FILTER (WHERE segments > 1) OVER upto AS longs,
            count(*) FILTER (WHERE segments > 1) OVER phone AS longs_all
        FROM unnest(CAST(:id AS uuid[]), CAST(:case_id AS uuid[]), CAST(:room AS text[]),
            CAST(:kind AS text[]), CAST(:phone_index AS bytea[]), CAST(:phone AS bytea[]),
            CAST(:body AS bytea[]), CAST(:network AS text[]), CAST(:priority AS smallint[]),
            CAST(:claimed_by AS uuid[]), CAST(:segments AS int[])) WITH ORDINALITY
            AS t (id, case_id, room, kind, phone_index, phone, body, network, priority,
                claimed_by, segments, place)
        WINDOW phone AS (PARTITION BY phone_index),
            upto AS (PARTITION BY phone_index ORDER BY place)
    ), counted AS (
        INSERT INTO subscribers AS s (phone_index, reference, segments)
        SELECT phone_index, max(longs_all), max(segments_all) FROM given
        GROUP BY phone_index ORDER BY phone_index
        ON CONFLICT (phone_index) DO UPDATE SET
            reference = (s.reference + excluded.reference) & 65535,
            segments = (s.segments + excluded.segments) & 65535
        RETURNING phone_index, reference, segments, network
    )
    INSERT INTO outbox (id, case_id, room, kind, phone_index, phone, body, network, priority,
        state, due_at, created_at, claimed_by, claimed_at, attempts, reference, umr)
    SELECT g.id, g.case_id, g.room, g.kind, g.phone_index, g.phone, g.body,
        CASE WHEN g.network = 'simulator' THEN g.network
            ELSE coalesce(c.network, g.network) END, g.priority,
        CASE WHEN g.claimed_by IS NULL THEN 'ready' ELSE 'claimed' END, :now, :now, g.claimed_by,
        CASE WHEN g.claimed_by IS NULL THEN NULL ELSE CAST(:now AS timestamptz) END,
        CASE WHEN g.claimed_by IS NULL THEN 0 ELSE 1 END,
        CASE WHEN g.segments > 1
            THEN CAST(c.reference - g.longs_all + g.longs AS int) & 65535 END,
        CAST(c.segments - g.segments_all + g.segments_before AS int) & 255
    FROM given g JOIN counted c ON c.phone_index = g.phone_index
    ORDER BY g.place
    RETURNING id, seq, network, reference, umr"""
)
# What was never tried is due, whatever the clock of whoever wrote it said. A CTE that locks is
# carried out once; a subquery may be carried out again for each row of the outbox, where that is
# thought to have few, and then its limit holds for none.
_DUE = """SELECT id FROM outbox
        WHERE state = 'ready' AND (due_at <= :now OR attempts = 0)
          AND coalesce(network, '') = :network"""
_CLAIM = sql(
    f"""WITH urgent AS MATERIALIZED (
        {_DUE} AND priority < :bulk_priority
        ORDER BY priority, seq LIMIT :limit FOR UPDATE SKIP LOCKED),
    bulk AS MATERIALIZED (
        {_DUE} AND priority = :bulk_priority
        ORDER BY priority, seq LIMIT least(:bulk, :limit - (SELECT count(*) FROM urgent))
        FOR UPDATE SKIP LOCKED),
    due AS (SELECT id FROM urgent UNION ALL SELECT id FROM bulk)
    UPDATE outbox o SET state = 'claimed', claimed_by = :gateway, claimed_at = :now,
        attempts = least(o.attempts + 1, 32000)
    FROM due WHERE o.id = due.id
    RETURNING o.id, o.case_id, o.room, o.kind, o.phone_index, o.phone, o.body, o.network,
        o.priority, o.due_at, o.attempts, o.seq, o.refused, o.doubts, o.reference, o.umr"""
)
_CANCEL = sql(
    """UPDATE outbox SET state = 'cancelled', closed_at = :now
    WHERE state IN ('ready', 'claimed') AND id = ANY(CAST(:ids AS uuid[]))"""
)
# Whoever claims one holds it and asks its offer, which we hold, whether it may leave.
_CANCEL_QUESTIONS = sql(
    """WITH held AS MATERIALIZED (
        SELECT id FROM outbox
        WHERE state = 'ready' AND priority = 2 AND case_id = ANY(CAST(:cases AS uuid[]))
        FOR UPDATE SKIP LOCKED)
    UPDATE outbox o SET state = 'cancelled', closed_at = :now
    FROM held WHERE o.id = held.id"""
)
_QUESTIONS = sql(
    """SELECT id, case_id FROM outbox
    WHERE state = 'ready' AND priority = 2 AND case_id = ANY(CAST(:cases AS uuid[]))
    ORDER BY id FOR UPDATE"""
)
_CLOSE = sql(
    """UPDATE outbox o SET state = t.state, cid = coalesce(t.cid, o.cid), closed_at = :now,
        doubts = o.doubts + CASE WHEN t.state = 'unknown' THEN 1 ELSE 0 END
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
_ELSEWHERE = sql(
    """UPDATE outbox o SET state = 'ready', claimed_by = NULL, due_at = :now,
        network = t.network, refused = array_append(o.refused, t.refused)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:refused AS text[]), CAST(:networks AS text[]))
        AS t (id, refused, network)
    WHERE o.id = t.id AND o.state IN ('claimed', 'sent', 'unknown')
      AND o.network IS DISTINCT FROM 'simulator'
    RETURNING o.id"""
)
_BY_ID = sql(
    """SELECT id, case_id, room, kind, phone_index, phone, body, network, priority, due_at,
        attempts, seq, refused, doubts, reference, umr
    FROM outbox WHERE id = ANY(CAST(:ids AS uuid[]))"""
)
_ANY_NETWORK = sql(
    """UPDATE outbox SET network = NULL
    WHERE state = 'ready' AND NOT network = ANY(CAST(:known AS text[]))
      AND network <> 'simulator'"""
)


def claim(
    tx: Tx, gateway: UUID, now: datetime, *, network: str | None, limit: int, bulk: int
) -> Asked:
    """Takes up to `limit` due messages for a network (None: for any) for this gateway, replies
    first, and offers last: at most `bulk` of those. They are read by `claimed`."""
    return tx.ask(
        _CLAIM,
        {
            "gateway": gateway,
            "now": now,
            "network": network or "",
            "limit": limit,
            "bulk": bulk,
            "bulk_priority": int(Priority.BULK),
        },
    )


def claimed(vault: Vault, asked: Asked) -> list[Message]:
    """The messages that were taken, in the order in which they leave."""
    messages = [_message(vault, r) for r in asked.rows()]
    return sorted(messages, key=lambda m: (m.priority, m.seq))


def _message(vault: Vault, r: Row) -> Message:
    return Message(
        r.id, r.case_id, r.room, r.kind, bytes(r.phone_index),
        vault.open(bytes(r.phone), r.id.bytes).decode(),
        vault.open(bytes(r.body), r.id.bytes).decode(),
        r.network, Priority(r.priority), r.due_at, r.attempts, r.seq, tuple(r.refused),
        r.doubts, r.reference, r.umr,
    )  # fmt: skip


def by_id(tx: Tx, vault: Vault, ids: Sequence[UUID]) -> dict[UUID, Message]:
    """Messages by id, whatever became of them."""
    if not ids:
        return {}
    return {r.id: _message(vault, r) for r in tx.execute(_BY_ID, {"ids": list(ids)})}


def try_elsewhere(tx: Tx, rows: Sequence[tuple[UUID, str, str]], now: datetime) -> list[UUID]:
    """Gives messages back at once for another network: (id, the network that does not know the
    phone, the next to try). Returns those that were still ours to give."""
    if not rows:
        return []
    values = {
        "ids": [r[0] for r in rows],
        "refused": [r[1] for r in rows],
        "networks": [r[2] for r in rows],
        "now": now,
    }
    return list(tx.execute(_ELSEWHERE, values).scalars())


def cancel(tx: Tx, message_ids: Sequence[UUID], now: datetime) -> None:
    """Takes messages back that have not left."""
    if message_ids:
        tx.write(_CANCEL, {"ids": list(message_ids), "now": now})


def cancel_questions(tx: Tx, case_ids: Sequence[UUID], now: datetime) -> None:
    """Takes back the questions of these cases that still wait in the outbox."""
    if case_ids:
        tx.write(_CANCEL_QUESTIONS, {"cases": list(case_ids), "now": now})


def waiting_questions(tx: Tx, case_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """By case, its question that still waits in the outbox; locked."""
    rows = tx.execute(_QUESTIONS, {"cases": list(case_ids)}) if case_ids else ()
    return {r.case_id: r.id for r in rows}


def close(tx: Tx, closed: Sequence[tuple[UUID, str, str | None]], now: datetime) -> None:
    """Writes the last (or latest) state of messages: (id, state, cid); a final state stays."""
    if closed:
        tx.write(
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
        tx.write(
            _RELEASE,
            {
                "ids": [r[0] for r in rows],
                "due": [r[1] for r in rows],
                "networks": [r[2] for r in rows],
            },
        )


def free_of_unknown_networks(tx: Tx, known: Sequence[str]) -> None:
    """Messages for networks that nobody serves any more may leave by any."""
    tx.write(_ANY_NETWORK, {"known": list(known)})
