"""Which cases a phone had on a day."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.ledger.engine import Tx, sql

_TALKED = sql(
    """SELECT id FROM offers WHERE phone_index = :phone AND created_at < :until
      AND EXISTS (SELECT FROM journal j
          WHERE j.case_id = offers.id AND j.at >= :since AND j.at < :until)
    ORDER BY id LIMIT :limit"""
)


def talked_with(
    tx: Tx, phone_index: bytes, since: datetime, until: datetime, limit: int
) -> Sequence[UUID]:
    """Cases of a phone in which something happened from `since` until before `until`."""
    values = {"phone": phone_index, "since": since, "until": until, "limit": limit}
    return list(tx.execute(_TALKED, values).scalars())
