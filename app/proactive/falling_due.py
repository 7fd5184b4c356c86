"""Which offers fall due: reply windows that are over, questions of which nothing proves receipt."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from app.ledger.engine import Tx, sql
from app.ledger.ids import first_id

_THROUGH = """coalesce(
          (SELECT h.through FROM unnest(CAST(:networks AS text[]),
              CAST(:through AS timestamptz[])) AS h (network, through)
           WHERE h.network = o.network), :slowest)"""
# A deadline is noted when it is set and forgotten once it has passed: of offers that were answered
# in time here, of those that lapse by the next look.
# By place and offer by offer: joined, either table might be read in whole.
_FORGET = sql(
    """DELETE FROM offer_deadlines WHERE ctid = ANY (ARRAY (
        SELECT d.ctid FROM offer_deadlines d LEFT JOIN LATERAL (
            SELECT true AS runs FROM offers o
            WHERE o.id = d.offer_id AND o.state = 'awaiting' AND o.deadline = d.at OFFSET 0) o
            ON true
        WHERE d.at < :now AND o.runs IS NULL
        ORDER BY d.at LIMIT :limit FOR UPDATE OF d SKIP LOCKED))"""
)
# A reply stamped at the deadline itself is in time, so an offer lapses strictly after it; and not
# while a long reply that began in time still waits for its last segment.
_DUE = sql(
    f"""SELECT o.id FROM offer_deadlines d
    JOIN offers o ON o.id = d.offer_id AND o.state = 'awaiting' AND o.deadline = d.at
    WHERE d.at < :now AND d.at < {_THROUGH}
      AND NOT EXISTS (SELECT 1 FROM parts p
          WHERE p.sender_index = o.phone_index AND p.received_at <= o.deadline)
    ORDER BY d.at LIMIT :limit FOR UPDATE OF o SKIP LOCKED"""
)
# An offer that no receipt came for has no network yet: it waits for the slowest of them. While its
# question is to leave again nothing can be said of it: an outage of ours must not end it. Ids are
# in the order of their making, and few offers are open that long.
_UNPROVEN = sql(
    f"""SELECT id FROM offers o
    WHERE is_open AND id < :made_before AND state = 'sent' AND sent_at < :before
      AND sent_at + (CAST(:now AS timestamptz) - CAST(:before AS timestamptz)) < {_THROUGH}
      AND id NOT IN (SELECT case_id FROM outbox
          WHERE state IN ('ready', 'unknown') AND case_id IS NOT NULL)
    ORDER BY sent_at LIMIT :limit FOR UPDATE SKIP LOCKED"""
)
_ID_STEP = timedelta(milliseconds=1)  # what ids are exact to
MOST_FORGOTTEN = 5_000  # deadlines a look


def due(tx: Tx, now: datetime, heard_through: Mapping[str, datetime], limit: int) -> list[UUID]:
    """Offers whose reply window is over and whose network has handed over all replies till then;
    oldest first, locked. A network that no bind serves any more waits for the slowest."""
    if not heard_through:
        return []
    tx.write(_FORGET, {"now": now, "limit": MOST_FORGOTTEN})
    values = {"now": now, "limit": limit, **_marks(heard_through)}
    return list(tx.execute(_DUE, values).scalars())


def unproven(
    tx: Tx, now: datetime, before: datetime, heard_through: Mapping[str, datetime], limit: int
) -> list[UUID]:
    """Offers sent before `before` of which nothing proves receipt; locked."""
    if not heard_through:
        return []
    times = {"now": now, "before": before, "made_before": first_id(before + _ID_STEP)}
    values = {**times, "limit": limit, **_marks(heard_through)}
    return list(tx.execute(_UNPROVEN, values).scalars())


def _marks(heard_through: Mapping[str, datetime]) -> dict[str, object]:
    return {
        "networks": list(heard_through),
        "through": list(heard_through.values()),
        "slowest": min(heard_through.values()),
    }
