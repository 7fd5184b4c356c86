"""What the ledger knows of the echo: how its answers to a phone stand, and which are still owed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ledger.encryption import Vault
from app.ledger.engine import Tx, sql

ROOM = "echo"
ECHO = "echo"  # kinds of its messages in the outbox
STAT = "stat"


@dataclass(frozen=True, slots=True)
class Tally:
    """Whole messages: `accepted` of which every segment was answered ESME_ROK, `delivered` of which
    every segment is DELIVRD (these were accepted too), `failed` of which some segment failed for
    good, `pending` the rest. delivered + failed + pending is all of them."""

    accepted: int
    delivered: int
    failed: int
    pending: int

    def __str__(self) -> str:
        return (
            f"accepted={self.accepted} delivered={self.delivered} "
            f"failed={self.failed} pending={self.pending}"
        )


# A message sent again has segments of several attempts: it counts once, by the best of them.
_COUNTED = """
    SELECT o.state = 'delivered' OR coalesce(s.delivered, false) AS delivered,
        o.state = 'delivered' OR coalesce(s.accepted, false) AS accepted,
        o.state IN ('failed', 'cancelled') AS closed
    FROM outbox o
    LEFT JOIN LATERAL (
        SELECT bool_or(a.accepted) AS accepted, bool_or(a.delivered) AS delivered
        FROM (SELECT count(*) FILTER (WHERE outcome = 'accepted') >= max(total) AS accepted,
                  count(*) FILTER (WHERE receipt = 'DELIVRD') >= max(total) AS delivered
              FROM segments WHERE outbox_id = o.id GROUP BY attempt) a
    ) s ON true
    WHERE o.room = 'echo' AND o.kind = 'echo'"""
_SUMS = """
    SELECT count(*) FILTER (WHERE accepted) AS accepted,
        count(*) FILTER (WHERE delivered) AS delivered,
        count(*) FILTER (WHERE closed AND NOT delivered) AS failed,
        count(*) FILTER (WHERE NOT closed AND NOT delivered) AS pending
    FROM"""
_OF_PHONE = sql(f"{_SUMS} ({_COUNTED} AND o.phone_index = :phone) m")
_OF_ALL = sql(f"{_SUMS} ({_COUNTED}) m")
_OWED = sql(
    """SELECT EXISTS (SELECT 1 FROM outbox o
        WHERE o.room = 'echo' AND o.kind = 'stat' AND o.phone_index = :phone
          AND o.state IN ('ready', 'claimed', 'unknown')
          AND NOT EXISTS (SELECT 1 FROM segments s
              WHERE s.outbox_id = o.id AND s.outcome = 'accepted'))"""
)


def tally(tx: Tx, phone: bytes | None = None) -> Tally:
    """How the echo's answers to a phone (by its index) stand; without one, all of them."""
    found = tx.execute(_OF_ALL) if phone is None else tx.execute(_OF_PHONE, {"phone": phone})
    row = found.one()
    return Tally(row.accepted, row.delivered, row.failed, row.pending)


def owes_stat(tx: Tx, phone: bytes) -> bool:
    """Whether a STAT answer to the phone still waits to leave."""
    return bool(tx.execute(_OWED, {"phone": phone}).scalar_one())


@dataclass(frozen=True, slots=True)
class Doubt:
    """An answer of which nobody knows whether it left, with what is known of its segments:
    number to outcome."""

    id: UUID
    attempt: int
    phone_index: bytes
    network: str
    body: str
    cid: str
    claimed_at: datetime
    known: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Orphan:
    """A final receipt that belongs to no submit response: its id as it came, and by which bind."""

    id: str
    phone_index: bytes
    network: str
    cid: str
    received_at: datetime


_DOUBTS = sql(
    """SELECT o.id, o.attempts, o.phone_index, o.network, o.body, o.cid, o.claimed_at,
        coalesce((SELECT jsonb_object_agg(s.number, s.outcome) FROM segments s
            WHERE s.outbox_id = o.id AND s.attempt = o.attempts), '{}') AS known
    FROM outbox o
    WHERE o.room = 'echo' AND o.state = 'unknown' AND o.network IS NOT NULL
      AND o.phone_index IN (SELECT phone_index FROM orphan_receipts)
    ORDER BY o.seq FOR UPDATE OF o SKIP LOCKED"""
)
_ORPHANS = sql(
    """SELECT r.ids[1] AS id, r.phone_index, r.network, r.cid, r.received_at
    FROM orphan_receipts r
    WHERE r.phone_index = ANY(CAST(:phones AS bytea[])) AND r.received_at <= :before
      AND r.state NOT IN ('ENROUTE', 'ACCEPTD', 'UNKNOWN')
      AND NOT EXISTS (SELECT 1 FROM segments s
          WHERE s.phone_index = r.phone_index AND s.smsc_id = ANY(r.ids))
    ORDER BY r.received_at"""
)


def doubts(tx: Tx, vault: Vault) -> list[Doubt]:
    """The echo's doubtful answers to phones that have receipts without a message, in the order in
    which they were to leave."""
    return [
        Doubt(
            r.id, r.attempts, bytes(r.phone_index), r.network,
            vault.open(bytes(r.body), r.id.bytes).decode(), r.cid or "", r.claimed_at,
            {int(number): outcome for number, outcome in r.known.items()},
        )
        for r in tx.execute(_DOUBTS)
    ]  # fmt: skip


def orphans(tx: Tx, phones: Sequence[bytes], before: datetime) -> list[Orphan]:
    """Final receipts of these phones without a message, from before `before`, oldest first."""
    found = tx.execute(_ORPHANS, {"phones": list(phones), "before": before})
    return [Orphan(r.id, bytes(r.phone_index), r.network, r.cid, r.received_at) for r in found]
