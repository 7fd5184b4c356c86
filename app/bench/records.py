"""What the ledger of a measured house knows of its speed: when segments left, what came of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

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


_NOTICES = sql(
    """SELECT count(*) FILTER (WHERE placed_at IS NOT NULL) AS placed,
        count(*) FILTER (WHERE sms_sent_at IS NOT NULL) AS sent FROM wallet_notices"""
)


def notices(tx: Tx) -> tuple[int, int]:
    """How many notices of measures stand in cabinets, and how many SMS of them left."""
    r = tx.execute(_NOTICES).one()
    return r.placed, r.sent


def analyze(tx: Tx) -> None:
    """Brings the planner's statistics up to date, as autovacuum would in time."""
    tx.write(sql("ANALYZE"))


def settle(tx: Tx) -> None:
    """Brings statistics up to date and begins a checkpoint's term, whatever was written before:
    what a page costs the first time is then part of every measurement. Not within a
    transaction."""
    analyze(tx)
    tx.write(sql("CHECKPOINT"))


# Rows as a year of offers would leave them, made by the server: what is measured is their index.
_CLONE = sql(
    """INSERT INTO offers (id, provider, reference, service, recipient_id, phone_index, network,
        language, facts, state, version, head, created_at, sent_at, received_at, deadline)
    SELECT CAST(lpad(to_hex(CAST(extract(epoch FROM CAST(:now AS timestamptz)) * 1000 AS bigint)
            - :many + n), 12, '0') || '7000' || substr(md5(n::text), 1, 16) AS uuid),
        'clone', 'c' || n, o.service, gen_random_uuid(),
        decode(md5(n::text), 'hex'), o.network, o.language, o.facts, 'awaiting', 3, o.head,
        o.created_at, o.sent_at, o.received_at,
        CAST(:now AS timestamptz) + interval '30 days' + n * interval '1 millisecond'
    FROM generate_series(1, :many) n, (SELECT * FROM offers LIMIT 1) o"""
)
_CLONE_DEADLINES = sql(
    """INSERT INTO offer_deadlines (offer_id, at)
    SELECT id, deadline FROM offers WHERE provider = 'clone'"""
)
_CLONE_QUESTIONS = sql(
    """INSERT INTO questions (case_id, phone_index, room, dialog, step, state)
    SELECT id, phone_index, 'proactive', 'offer', 'ask', 'open' FROM offers
    WHERE provider = 'clone'"""
)
_CLONE_PLACES = sql(
    """INSERT INTO open_offers (recipient_id, service, offer_id)
    SELECT recipient_id, service, id FROM offers WHERE provider = 'clone'"""
)
OPEN = ["made", "sent", "awaiting"]
_MAKE_DUE = sql(
    """WITH due AS (UPDATE offers o SET deadline = CAST(:first AS timestamptz)
        + CAST(:within AS interval) * ((n.place - 1)::float / n.whole)
    FROM (SELECT id, count(*) OVER () AS whole, row_number() OVER (ORDER BY id) AS place
        FROM offers WHERE provider = :provider AND state = 'awaiting') n
    WHERE o.id = n.id RETURNING o.id, o.deadline)
    INSERT INTO offer_deadlines (offer_id, at) SELECT id, deadline FROM due"""
)
_WAITS = sql(
    """SELECT extract(epoch FROM s.at - h.at) FROM outbox o
    JOIN segments s ON s.outbox_id = o.id AND s.number = 1
    CROSS JOIN LATERAL (SELECT min(CAST(
            convert_from(j.body, 'UTF8')::jsonb #>> '{facts,received_at}' AS timestamptz)) AS at
        FROM journal j WHERE j.case_id = o.case_id
            AND convert_from(j.body, 'UTF8')::jsonb #>> '{facts,how}' IS NOT NULL) h
    WHERE o.kind = :kind AND h.at IS NOT NULL"""
)
_THROUGH = sql(
    "SELECT count(*) FROM offers WHERE provider = :provider AND NOT state = ANY(:unwanted)"
)
_PLANS = {
    "sweep": """SELECT d.offer_id FROM (
            SELECT offer_id, at FROM offer_deadlines WHERE at < :now ORDER BY at OFFSET 0) d
        CROSS JOIN LATERAL (SELECT FROM offers o
            WHERE o.id = d.offer_id AND o.state = 'awaiting' AND o.deadline = d.at
            FOR UPDATE SKIP LOCKED) o
        ORDER BY d.at LIMIT 200""",
    "reply": "SELECT * FROM questions WHERE state = 'open' AND phone_index = ANY(:phones)",
}


def clone_open(tx: Tx, many: int, now: datetime) -> None:
    """Adds so many open offers that are due in a month, each with its open question."""
    tx.write(_CLONE, {"many": many, "now": now})
    tx.write(_CLONE_DEADLINES)
    tx.write(_CLONE_QUESTIONS)
    tx.write(_CLONE_PLACES)


def make_due(tx: Tx, provider: str, first: datetime, within: timedelta) -> None:
    """Lets the provider's open offers fall due from `first` on, spread over `within`."""
    tx.write(_MAKE_DUE, {"provider": provider, "first": first, "within": within})


def waits(tx: Tx, kind: str) -> list[float]:
    """Seconds from a reply's arrival at the gateway to the network's response to its answer."""
    return [float(n) for n in tx.execute(_WAITS, {"kind": kind}).scalars()]


def through(tx: Tx, provider: str, wanted: str) -> int:
    """How many of the provider's offers have been sent, or have expired."""
    values = {"provider": provider, "unwanted": ["made"] if wanted == "sent" else OPEN}
    return int(tx.execute(_THROUGH, values).scalar_one())


def plans(tx: Tx, now: datetime) -> list[str]:
    """How PostgreSQL finds what is due and what is being asked, as EXPLAIN says it."""
    values = {"now": now, "phones": [b"0" * 16]}
    found: list[str] = []
    for name, statement in _PLANS.items():
        rows = tx.execute(sql(f"EXPLAIN (COSTS OFF) {statement}"), values).scalars()
        found += [f"{name}: {row.strip()}" for row in rows]
    return found
