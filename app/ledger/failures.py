"""The ledger's failures for those who may not know its libraries: away, in the way, or refusing."""

from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.ledger.engine import LedgerDown


def is_down(error: Exception) -> bool:
    """True where trying again later may help: no connection, a lost one, none free, a deadlock."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, SerializationFailure):
        return False  # a lost race (`of_all`), although psycopg ranks it with outages
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout | LedgerDown)


class Raced(Exception):
    """Another transaction changed a row between its loading and saving; the batch runs again."""


FAILURES = (DBAPIError, PoolTimeout, LedgerDown, Raced)


def is_race(error: Exception) -> bool:
    """True where running the same batch again is the cure: a lost race, a deadlock."""
    races = (DeadlockDetected, SerializationFailure, UniqueViolation)
    return isinstance(error, Raced) or (
        isinstance(error, DBAPIError) and isinstance(error.orig, races)
    )


def in_words(error: Exception) -> str:
    """The server's first line about what went wrong; never the values of a statement."""
    said = str(error.orig if isinstance(error, DBAPIError) else error)
    return (said.strip().splitlines() or [type(error).__name__])[0]
