"""Which failures mean that PostgreSQL is away or too busy, so that the caller should come again."""

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.ledger.engine import LedgerDown


def is_down(error: Exception) -> bool:
    """True where trying again later may help: no connection, a lost one, none free, a deadlock."""
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout | LedgerDown)
