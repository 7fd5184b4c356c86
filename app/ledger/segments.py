"""What the networks answered: a row is appended for each segment, with its receipt or before it.

Which segment a receipt is about is for `matching` to say.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import astuple

from app.ledger.engine import Row, Tx, ids, of_all, sql


class Submitted(Struct, frozen=True):
    """A segment after its submit_sm_resp, or after waiting for one in vain."""

    outbox_id: UUID
    attempt: int
    number: int
    total: int
    cid: str
    network: str
    phone_index: bytes
    smsc_id: str
    status: int
    outcome: str
    at: datetime
    umr: int | None = None


class Proof(Struct, frozen=True):
    """A receipt as the ledger needs it; `ids` are the spellings its id may have, `umr` the low
    octet of its user_message_reference, where it has one."""

    ids: tuple[str, ...]
    phone_index: bytes
    network: str
    state: str
    error: str
    done_at: datetime | None
    received_at: datetime
    is_final: bool
    umr: int | None = None
    cid: str = ""


class Standing(Struct, frozen=True):
    """How a whole message stands after a receipt: its segments with and without a final state.
    `errors` are those of the failed ones; `is_news`: it went by another network than recorded."""

    outbox_id: UUID
    case_id: UUID | None
    room: str | None
    kind: str
    network: str
    total: int
    delivered: int
    failed: int
    submitted_at: datetime
    last_at: datetime | None
    phone_index: bytes = b""
    errors: tuple[str, ...] = ()
    is_news: bool = False


class Hit(Struct, frozen=True):
    """A receipt and the segment it belongs to, submitted at `submitted_at`; its message has `total`
    segments."""

    proof: Proof
    outbox_id: UUID
    attempt: int
    number: int
    submitted_at: datetime
    total: int

    @property
    def received_at(self) -> datetime:
        """The done date where it lies between submission and arrival, else the arrival: an SMSC
        whose clock or zone is wrong must not shorten anybody's 24 hours."""
        done, arrived = self.proof.done_at, self.proof.received_at
        if done is None or done < self.submitted_at:
            return arrived
        return min(done, arrived)


_COLUMNS = """outbox_id, attempt, number, total, cid, network, phone_index, smsc_id, status,
    outcome, at, umr"""
_ROWS = """CAST(:outbox_id AS uuid[]), CAST(:attempt AS smallint[]), CAST(:number AS smallint[]),
    CAST(:total AS smallint[]), CAST(:cid AS text[]), CAST(:network AS text[]),
    CAST(:phone_index AS bytea[]), CAST(:smsc_id AS text[]), CAST(:status AS bigint[]),
    CAST(:outcome AS text[]), CAST(:at AS timestamptz[]), CAST(:umr AS smallint[])"""
_INSERT = sql(
    f"""INSERT INTO segments ({_COLUMNS}) SELECT * FROM unnest({_ROWS})
    ON CONFLICT (outbox_id, attempt, number) DO UPDATE
        SET smsc_id = excluded.smsc_id, status = excluded.status, outcome = excluded.outcome,
            cid = excluded.cid, network = excluded.network, at = excluded.at, umr = excluded.umr"""
)
_INSERT_WHOLE = of_all(
    f"""INSERT INTO segments ({_COLUMNS}, receipt, receipt_error, receipt_at)
    SELECT * FROM unnest({_ROWS}, CAST(:receipt AS text[]), CAST(:error AS text[]),
        CAST(:received_at AS timestamptz[]))
    ON CONFLICT DO NOTHING"""
)
# Of a message sent again the latest attempt without an answer is meant.
_ANSWERED_LATE = sql(
    """UPDATE segments s SET smsc_id = t.smsc_id, status = 0, outcome = 'accepted'
    FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS smallint[]), CAST(:cids AS text[]),
        CAST(:smsc_ids AS text[])) AS t (outbox_id, number, cid, smsc_id)
    WHERE s.outbox_id = t.outbox_id AND s.number = t.number AND s.cid = t.cid
      AND s.outcome = 'unknown' AND s.attempt = (
          SELECT max(x.attempt) FROM segments x WHERE x.outbox_id = t.outbox_id
            AND x.number = t.number AND x.cid = t.cid AND x.outcome = 'unknown')
    RETURNING s.*"""
)
# Two gateways may hear of two segments at once, and neither sees what the other has not committed:
# the second waits, or both would think the message incomplete. Messages are held before their
# segments, and both before the offers they are about.
_HOLD = sql(
    """SELECT FROM outbox WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE"""
)
_RECORD = sql(
    """UPDATE segments s SET receipt = t.receipt, receipt_error = t.error, receipt_at = t.at
    FROM unnest(CAST(:outbox_id AS uuid[]), CAST(:attempt AS smallint[]),
        CAST(:number AS smallint[]), CAST(:receipt AS text[]), CAST(:error AS text[]),
        CAST(:at AS timestamptz[])) AS t (outbox_id, attempt, number, receipt, error, at)
    WHERE s.outbox_id = t.outbox_id AND s.attempt = t.attempt AND s.number = t.number
      AND (s.receipt IS NULL OR s.receipt IN ('ENROUTE', 'ACCEPTD', 'UNKNOWN'))
    RETURNING s.outbox_id"""
)
_WAITING = sql(
    """SELECT s.outbox_id, s.attempt, s.number, s.total, s.at, s.phone_index, s.smsc_id
    FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS smallint[]), CAST(:smsc_ids AS text[]))
        AS t (id, number, smsc_id)
    JOIN outbox o ON o.id = t.id AND o.state IN ('claimed', 'unknown')
    JOIN segments s ON s.outbox_id = t.id AND s.attempt = o.attempts AND s.number = t.number
        AND s.smsc_id = t.smsc_id"""
)
# Of a message sent again, the copy that arrived in whole counts; without one, the latest.
_STANDING = sql(
    """SELECT o.id, o.case_id, o.room, o.kind, s.network, s.total, s.submitted_at, s.last_at,
        s.delivered, s.failed, o.phone_index, s.errors,
        o.network IS DISTINCT FROM s.network OR o.refused <> '{}' AS is_news
    FROM unnest(CAST(:ids AS uuid[])) AS t (id)
    JOIN outbox o ON o.id = t.id
    CROSS JOIN LATERAL (
        SELECT min(network) AS network, max(total) AS total, min(at) AS submitted_at,
            max(receipt_at) AS last_at,
            count(*) FILTER (WHERE receipt = 'DELIVRD') AS delivered,
            count(*) FILTER (WHERE receipt IN
                ('EXPIRED', 'DELETED', 'UNDELIV', 'REJECTD')) AS failed,
            array_agg(receipt || ' ' || coalesce(receipt_error, '')) FILTER (WHERE receipt IN
                ('EXPIRED', 'DELETED', 'UNDELIV', 'REJECTD')) AS errors
        FROM segments WHERE outbox_id = t.id
        GROUP BY attempt
        ORDER BY (count(*) FILTER (WHERE receipt = 'DELIVRD') >= max(total)) DESC, attempt DESC
        LIMIT 1
    ) s"""
)


def append(tx: Tx, rows: Sequence[Submitted]) -> None:
    """Appends what became of submitted segments."""
    if rows:
        tx.write(_INSERT, _columns(rows))


def append_whole(tx: Tx, rows: Sequence[Submitted], hits: Sequence[Hit]) -> None:
    """Appends segments together with their receipts. Where one is there already, the transaction
    fails as a race does."""
    received = {
        "receipt": [h.proof.state for h in hits],
        "error": [h.proof.error for h in hits],
        "received_at": [h.received_at for h in hits],
    }
    tx.write(_INSERT_WHOLE, _columns(rows) | received | {"expected": len(rows)})


def _columns(rows: Sequence[Submitted]) -> dict[str, Any]:
    columns = zip(*map(astuple, rows), strict=True)
    return {n: list(c) for n, c in zip(Submitted.__struct_fields__, columns, strict=True)}


def answered_late(tx: Tx, answers: Sequence[tuple[UUID, int, str, str]]) -> list[Submitted]:
    """Notes that segments of which nothing was known were taken after all, by (message, number,
    cid, id at the SMSC); returns those for which that was news."""
    messages, numbers, cids, smsc_ids = map(list, zip(*answers, strict=True))
    _hold(tx, ids(messages))
    values = {"ids": messages, "numbers": numbers, "cids": cids, "smsc_ids": smsc_ids}
    return [
        Submitted(
            r.outbox_id, r.attempt, r.number, r.total, r.cid, r.network, bytes(r.phone_index),
            r.smsc_id, r.status, r.outcome, r.at, r.umr,
        )
        for r in tx.execute(_ANSWERED_LATE, values)
    ]  # fmt: skip


def _hold(tx: Tx, messages: Sequence[UUID]) -> None:
    if messages:
        tx.write(_HOLD, {"ids": messages})


def record(tx: Tx, matched: Sequence[Hit]) -> list[Standing]:
    """Writes receipts to their segments (the first final state wins) and tells how the messages
    stand now for which that was news; a receipt that comes twice is none."""
    if not matched:
        return []
    # A later receipt of one segment within the batch must not hide an earlier final one.
    latest: dict[tuple[UUID, int, int], Hit] = {}
    for hit in matched:
        key = (hit.outbox_id, hit.attempt, hit.number)
        if key not in latest or not latest[key].proof.is_final:
            latest[key] = hit
    messages = ids(key[0] for key in latest)
    _hold(tx, ids(hit.outbox_id for hit in matched if hit.total > 1))
    changed = tx.ask(
        _RECORD,
        {
            "outbox_id": [k[0] for k in latest],
            "attempt": [k[1] for k in latest],
            "number": [k[2] for k in latest],
            "receipt": [h.proof.state for h in latest.values()],
            "error": [h.proof.error for h in latest.values()],
            "at": [h.received_at for h in latest.values()],
        },
    )
    stand = standings(tx, messages)
    news = set(changed.rows().scalars())
    return [s for s in stand if s.outbox_id in news]


def waiting(tx: Tx, said: Sequence[tuple[UUID, int, str]]) -> dict[tuple[UUID, int, str], Row]:
    """Of these segments (message, number, id at the SMSC) those of messages that nobody has closed,
    in their latest attempt."""
    messages, numbers, smsc_ids = map(list, zip(*said, strict=True))
    found = tx.execute(_WAITING, {"ids": messages, "numbers": numbers, "smsc_ids": smsc_ids})
    return {(r.outbox_id, r.number, r.smsc_id): r for r in found}


def standings(tx: Tx, outbox_ids: Sequence[UUID]) -> list[Standing]:
    """How whole messages stand, by the attempt that arrived, or else the latest."""
    return [
        Standing(
            r.id, r.case_id, r.room, r.kind, r.network, r.total, r.delivered, r.failed,
            r.submitted_at, r.last_at, bytes(r.phone_index), tuple(r.errors or ()), r.is_news,
        )
        for r in tx.execute(_STANDING, {"ids": list(outbox_ids)})
        if r.total is not None
    ]  # fmt: skip
