"""What the ledger knows of the echo: how its answers to a phone stand, and which are still owed."""

from dataclasses import dataclass

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
