"""Which offers fall due: reply windows that are over, questions of which nothing proves receipt."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from app.conversation.window import VALIDITY
from app.ledger.engine import Tx, sql

_THROUGH = """coalesce(
          (SELECT h.through FROM unnest(CAST(:networks AS text[]),
              CAST(:through AS timestamptz[])) AS h (network, through)
           WHERE h.network = o.network), :slowest)"""
_LAPSES = "o.state = 'awaiting' AND o.deadline = d.at"
# In seconds: a day of the calendar may be longer or shorter where the session has a zone.
_STAYS_UNPROVEN = """o.state = 'sent'
            AND o.sent_at + make_interval(secs => CAST(:validity_s AS double precision)) = d.at"""
# When an offer falls due is noted as that changes and forgotten once it has passed: of offers that
# were answered in time, or received later than sent, here; of others by the next look.
# By place and offer by offer: joined, either table might be read in whole. The same below, where a
# row is locked only once it is known to be due.
_FORGET = sql(
    f"""DELETE FROM offer_deadlines WHERE ctid = ANY (ARRAY (
        SELECT d.ctid FROM offer_deadlines d LEFT JOIN LATERAL (
            SELECT true AS runs FROM offers o
            WHERE o.id = d.offer_id AND ({_LAPSES} OR {_STAYS_UNPROVEN}) OFFSET 0) o
            ON true
        WHERE d.at < :now AND o.runs IS NULL
        ORDER BY d.at LIMIT :limit FOR UPDATE OF d SKIP LOCKED))"""
)


def _passed(condition: str) -> str:
    """Offers that fell due by `condition` and whose network has handed over everything till then,
    the oldest first."""
    return f"""SELECT d.offer_id FROM (
        SELECT offer_id, at FROM offer_deadlines WHERE at < :reached ORDER BY at OFFSET 0) d
    CROSS JOIN LATERAL (
        SELECT FROM offers o WHERE o.id = d.offer_id AND d.at < {_THROUGH} AND {condition}
        FOR UPDATE SKIP LOCKED) o
    ORDER BY d.at LIMIT :limit"""


# A reply stamped at the deadline itself is in time, so an offer lapses strictly after it; and not
# while a long reply that began in time still waits for its last segment.
_DUE = sql(
    _passed(
        f"""{_LAPSES} AND NOT EXISTS (SELECT FROM parts p
            WHERE p.sender_index = o.phone_index AND p.received_at <= o.deadline)"""
    )
)
# An offer that no receipt came for has no network yet: it waits for the slowest of them. While its
# question is to leave again nothing can be said of it: an outage of ours must not end it.
_UNPROVEN = sql(
    _passed(
        f"""{_STAYS_UNPROVEN}
            AND NOT EXISTS (SELECT FROM outbox m WHERE m.case_id = o.id AND m.state = 'ready')
            AND o.id NOT IN (SELECT case_id FROM outbox
                WHERE state = 'unknown' AND case_id IS NOT NULL)"""
    )
)
MOST_FORGOTTEN = 5_000  # a look
VALIDITY_S = VALIDITY.total_seconds()


def due(tx: Tx, now: datetime, heard_through: Mapping[str, datetime], limit: int) -> list[UUID]:
    """Offers whose reply window is over and whose network has handed over all replies till then;
    oldest first, locked. A network that no bind serves any more waits for the slowest."""
    if not heard_through:
        return []
    tx.write(_FORGET, {"now": now, "limit": MOST_FORGOTTEN, "validity_s": VALIDITY_S})
    values = {"limit": limit, **_marks(now, heard_through)}
    return list(tx.execute(_DUE, values).scalars())


def unproven(
    tx: Tx, now: datetime, heard_through: Mapping[str, datetime], limit: int
) -> list[UUID]:
    """Offers of which nothing proved receipt as long as the network kept their question; locked."""
    if not heard_through:
        return []
    values = {"validity_s": VALIDITY_S, "limit": limit, **_marks(now, heard_through)}
    return list(tx.execute(_UNPROVEN, values).scalars())


def _marks(now: datetime, heard_through: Mapping[str, datetime]) -> dict[str, object]:
    """`reached`: what fell due later no network has handed over everything till."""
    return {
        "reached": min(now, max(heard_through.values())),
        "networks": list(heard_through),
        "through": list(heard_through.values()),
        "slowest": min(heard_through.values()),
    }
