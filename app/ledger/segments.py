"""What the networks answered: one appended row a submitted segment, and the receipts that match it.

A receipt is matched by the spellings of its id and the phone, newest first, for ids repeat and
change their spelling on the way (SMPP 3.4, Appendix B); two messages that both match is an error
to be counted, never a guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ledger.engine import Row, Tx, sql


@dataclass(frozen=True, slots=True)
class Submitted:
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


@dataclass(frozen=True, slots=True)
class Proof:
    """A receipt as the ledger needs it; `ids` are the spellings its id may have."""

    ids: tuple[str, ...]
    phone_index: bytes
    network: str
    state: str
    error: str
    done_at: datetime | None
    received_at: datetime
    is_final: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How a whole message stands after a receipt: its segments with and without a final state."""

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


@dataclass(frozen=True, slots=True)
class Hit:
    """A receipt and the segment it belongs to, submitted at `submitted_at`."""

    proof: Proof
    outbox_id: UUID
    attempt: int
    number: int
    submitted_at: datetime

    @property
    def received_at(self) -> datetime:
        """The done date where it lies between submission and arrival, else the arrival: an SMSC
        whose clock or zone is wrong must not shorten anybody's 24 hours."""
        done, arrived = self.proof.done_at, self.proof.received_at
        if done is None or done < self.submitted_at:
            return arrived
        return min(done, arrived)


_INSERT = sql(
    """INSERT INTO segments (outbox_id, attempt, number, total, cid, network, phone_index,
        smsc_id, status, outcome, at)
    SELECT * FROM unnest(CAST(:outbox_id AS uuid[]), CAST(:attempt AS smallint[]),
        CAST(:number AS smallint[]), CAST(:total AS smallint[]), CAST(:cid AS text[]),
        CAST(:network AS text[]), CAST(:phone_index AS bytea[]), CAST(:smsc_id AS text[]),
        CAST(:status AS bigint[]), CAST(:outcome AS text[]), CAST(:at AS timestamptz[]))
    ON CONFLICT (outbox_id, attempt, number) DO UPDATE
        SET smsc_id = excluded.smsc_id, status = excluded.status, outcome = excluded.outcome,
            cid = excluded.cid, network = excluded.network, at = excluded.at"""
)
_MATCH = sql(
    """SELECT t.n, s.outbox_id, s.attempt, s.number, s.at
    FROM unnest(CAST(:n AS int[]), CAST(:smsc_id AS text[]), CAST(:phone AS bytea[]),
        CAST(:network AS text[])) WITH ORDINALITY AS t (n, smsc_id, phone_index, network, place)
    JOIN segments s ON s.smsc_id = t.smsc_id AND s.phone_index = t.phone_index
        AND s.network = t.network
    ORDER BY t.place, s.at DESC"""
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
# Of a message sent again, the copy that arrived in whole counts; without one, the latest.
_STANDING = sql(
    """SELECT o.id, o.case_id, o.room, o.kind, s.network, s.total, s.submitted_at, s.last_at,
        s.delivered, s.failed
    FROM unnest(CAST(:ids AS uuid[])) AS t (id)
    JOIN outbox o ON o.id = t.id
    CROSS JOIN LATERAL (
        SELECT min(network) AS network, max(total) AS total, min(at) AS submitted_at,
            max(receipt_at) AS last_at,
            count(*) FILTER (WHERE receipt = 'DELIVRD') AS delivered,
            count(*) FILTER (WHERE receipt IN
                ('EXPIRED', 'DELETED', 'UNDELIV', 'REJECTD')) AS failed
        FROM segments WHERE outbox_id = t.id
        GROUP BY attempt
        ORDER BY (count(*) FILTER (WHERE receipt = 'DELIVRD') >= max(total)) DESC, attempt DESC
        LIMIT 1
    ) s"""
)
_ORPHAN = sql(
    """INSERT INTO orphan_receipts
        (smsc_id, phone_index, network, state, error, done_at, received_at)
    SELECT * FROM unnest(CAST(:smsc_id AS text[]), CAST(:phone AS bytea[]),
        CAST(:network AS text[]), CAST(:state AS text[]), CAST(:error AS text[]),
        CAST(:done AS timestamptz[]), CAST(:received AS timestamptz[]))"""
)
_ADOPT = sql(
    """DELETE FROM orphan_receipts r
    USING unnest(CAST(:smsc_id AS text[]), CAST(:phone AS bytea[])) AS t (smsc_id, phone_index)
    WHERE r.smsc_id = t.smsc_id AND r.phone_index = t.phone_index
    RETURNING r.*"""
)


def append(tx: Tx, rows: Sequence[Submitted]) -> None:
    """Appends what became of submitted segments."""
    if rows:
        names = Submitted.__slots__
        tx.execute(_INSERT, {n: [getattr(r, n) for r in rows] for n in names})


def adopt(tx: Tx, rows: Sequence[Submitted]) -> list[Proof]:
    """Receipts that came before the responses in `rows` and waited for them; final ones last."""
    named = [r for r in rows if r.smsc_id]
    if not named:
        return []
    spelled = [(s, r.phone_index) for r in named for s in spellings(r.smsc_id)]
    found = tx.execute(
        _ADOPT, {"smsc_id": [s for s, _ in spelled], "phone": [p for _, p in spelled]}
    )
    back = {s: r.smsc_id for r in named for s in spellings(r.smsc_id)}
    return [_adopted(r, back[r.smsc_id]) for r in found]


def spellings(smsc_id: str) -> tuple[str, ...]:
    """The forms in which a receipt may spell this id: as it is, its case, without leading zeros,
    and its value written in the other base."""
    forms = {smsc_id, smsc_id.lower(), smsc_id.upper(), smsc_id.lstrip("0") or "0"}
    if smsc_id.isdecimal() and smsc_id.isascii():
        forms |= {f"{int(smsc_id):x}", f"{int(smsc_id):X}"}
    elif all(c in "0123456789abcdefABCDEF" for c in smsc_id):
        forms.add(str(int(smsc_id, 16)))
    return tuple(forms)


def match(tx: Tx, proofs: Sequence[Proof]) -> tuple[list[Hit], list[Proof], int]:
    """Finds the segment of each receipt: (matched, orphans, how many were ambiguous). The
    likeliest spelling that matches anything decides; with one spelling the newest message wins."""
    flat = [(n, s, p) for n, p in enumerate(proofs) for s in p.ids if s]
    found: dict[int, list[Hit]] = {}
    if flat:
        rows = tx.execute(
            _MATCH,
            {
                "n": [n for n, _, _ in flat],
                "smsc_id": [s for _, s, _ in flat],
                "phone": [p.phone_index for _, _, p in flat],
                "network": [p.network for _, _, p in flat],
            },
        )
        for r in rows:
            found.setdefault(r.n, []).append(
                Hit(proofs[r.n], r.outbox_id, r.attempt, r.number, r.at)
            )
    matched = [hits[0] for hits in found.values()]
    orphans = [p for n, p in enumerate(proofs) if n not in found]
    ambiguous = sum(1 for hits in found.values() if len({h.outbox_id for h in hits}) > 1)
    return matched, orphans, ambiguous


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
    changed = tx.execute(
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
    return standings(tx, sorted(set(changed.scalars())))


def standings(tx: Tx, outbox_ids: Sequence[UUID]) -> list[Standing]:
    """How whole messages stand, by the attempt that arrived, or else the latest."""
    return [
        Standing(
            r.id, r.case_id, r.room, r.kind, r.network, r.total, r.delivered, r.failed,
            r.submitted_at, r.last_at,
        )
        for r in tx.execute(_STANDING, {"ids": list(outbox_ids)})
        if r.total is not None
    ]  # fmt: skip


_ACCEPTED = sql(
    """SELECT outbox_id FROM segments s
    WHERE outbox_id = ANY(CAST(:ids AS uuid[]))
    GROUP BY outbox_id, attempt, total
    HAVING count(*) FILTER (WHERE outcome = 'accepted') = total"""
)


def accepted(tx: Tx, outbox_ids: Sequence[UUID]) -> list[UUID]:
    """Which of these messages the network accepted in whole."""
    if not outbox_ids:
        return []
    return list(tx.execute(_ACCEPTED, {"ids": list(outbox_ids)}).scalars())


def keep_orphans(tx: Tx, orphans: Sequence[Proof]) -> None:
    """Stores receipts whose submit response has not come yet; the response will look for them."""
    flat = [(s, p) for p in orphans for s in p.ids]
    if flat:
        tx.execute(
            _ORPHAN,
            {
                "smsc_id": [s for s, _ in flat],
                "phone": [p.phone_index for _, p in flat],
                "network": [p.network for _, p in flat],
                "state": [p.state for _, p in flat],
                "error": [p.error for _, p in flat],
                "done": [p.done_at for _, p in flat],
                "received": [p.received_at for _, p in flat],
            },
        )


_LATE = sql(
    """DELETE FROM orphan_receipts r USING segments s
    WHERE s.smsc_id = r.smsc_id AND s.phone_index = r.phone_index AND s.network = r.network
    RETURNING r.*"""
)
_FORGET_ORPHANS = sql("DELETE FROM orphan_receipts WHERE received_at < :before")


def late_matches(tx: Tx, forget_before: datetime) -> list[Proof]:
    """Orphans whose segment has been stored since by another gateway; those received before
    `forget_before` are forgotten, for no response comes that late."""
    found = [_adopted(r, r.smsc_id) for r in tx.execute(_LATE)]
    tx.execute(_FORGET_ORPHANS, {"before": forget_before})
    return found


def _adopted(r: Row, smsc_id: str) -> Proof:
    return Proof(
        (smsc_id,),
        bytes(r.phone_index),
        r.network,
        r.state,
        r.error,
        r.done_at,
        r.received_at,
        r.state not in ("ENROUTE", "ACCEPTD", "UNKNOWN"),
    )
