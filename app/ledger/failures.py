"""The ledger's failures for those who may not know its libraries: away, in the way, or refusing."""

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation

from app.ledger.engine import LedgerDown


def is_down(error: Exception) -> bool:
    """True where trying again later may help: no connection, a lost one, none free, a deadlock."""
    if isinstance(error, SerializationFailure):
        return False  # a lost race (`of_all`), although psycopg ranks it with outages
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | LedgerDown)


class Raced(Exception):
    """Another transaction changed a row between its loading and saving; the batch runs again."""


FAILURES = (psycopg.Error, LedgerDown, Raced)


def is_race(error: Exception) -> bool:
    """True where running the same batch again is the cure: a lost race, a deadlock."""
    return isinstance(error, Raced | DeadlockDetected | SerializationFailure | UniqueViolation)


def in_words(error: Exception) -> str:
    """The server's first line about what went wrong, never the values of a statement; of what is
    no failure of the ledger only its kind, for its text may hold what was said."""
    if not isinstance(error, FAILURES):
        return type(error).__name__
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
