"""Up to where each state register has been read: written in the transaction that mirrors what was
read, and by compare-and-set, so that of two readers one goes on."""

from datetime import datetime

from app.ledger.engine import Tx, sql

_CURSOR = sql("SELECT cursor FROM register_cursors WHERE register = :register")
_MOVE = sql(
    """INSERT INTO register_cursors AS c (register, cursor, read_at, accepted, rejected)
    VALUES (:register, :onwards, :now, :accepted, :rejected)
    ON CONFLICT (register) DO UPDATE SET cursor = excluded.cursor, read_at = excluded.read_at,
        accepted = c.accepted + excluded.accepted, rejected = c.rejected + excluded.rejected
    WHERE c.cursor IS NOT DISTINCT FROM :cursor RETURNING register"""
)


def cursor_of(tx: Tx, register: str) -> str | None:
    """Up to where a register was read; None: not yet."""
    cursor: str | None = tx.execute(_CURSOR, {"register": register}).scalar_one_or_none()
    return cursor


def move_cursor(
    tx: Tx,
    register: str,
    cursor: str | None,
    onwards: str | None,
    now: datetime,
    accepted: int,
    rejected: int,
) -> bool:
    """Moves a register's cursor on from `cursor`. False: somebody else has moved it."""
    values = {
        "register": register,
        "cursor": cursor,
        "onwards": onwards,
        "now": now,
        "accepted": accepted,
        "rejected": rejected,
    }
    return tx.execute(_MOVE, values).one_or_none() is not None
