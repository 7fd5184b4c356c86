"""The ledger's failures for those who may not know its libraries: away, in the way, or refusing."""

from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation

from app.ledger.engine import LedgerDown

TRIES = 3

T = TypeVar("T")


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


def tried(run: Callable[[bool], T]) -> T:
    """What `run` returns, tried again where another transaction was in its way; it is told whether
    that was so. Raises what the last try raised."""
    for left in reversed(range(TRIES)):
        try:
            return run(left + 1 < TRIES)
        except FAILURES as error:
            if not left or not is_race(error):
                raise
    raise AssertionError("not reached")


def in_words(error: Exception) -> str:
    """The server's first line about what went wrong, never the values of a statement; of what is
    no failure of the ledger only its kind, for its text may hold what was said."""
    if not isinstance(error, FAILURES):
        return type(error).__name__
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
