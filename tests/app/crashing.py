"""A process that is killed after exactly so many statements: forked, so that it is a real one."""

import os
import signal
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from app.ledger.engine import Ledger, Tx
from app.ledger.pool import Pool

COMPLETED, BROKEN = 0, 3


@dataclass(slots=True)
class Fuse:
    """Counts the points at which a process may die (before every statement, before and after
    every commit) and kills its own at the `at`th, from 1."""

    at: int
    passed: int = 0

    def burn(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def lay(self) -> None:
        """From here on everything that this process says to PostgreSQL burns it."""
        execute, commit = psycopg.Cursor.execute, Tx.commit

        def burn_and_execute(*said: Any, **how: Any) -> Any:
            self.burn()
            return execute(*said, **how)

        def commit_and_burn(tx: Tx) -> None:
            commit(tx)
            self.burn()

        psycopg.Cursor.execute = burn_and_execute  # type: ignore[method-assign]
        Tx.commit = commit_and_burn  # type: ignore[method-assign,assignment]


def killed_at(ledger: Ledger, at: int, act: Callable[[], object]) -> bool:
    """Does `act` in a process that dies by kill -9 at its `at`th point. False: it came through,
    so there is no such point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of ours do not go along
        pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        assert status in (COMPLETED, signal.SIGKILL), f"it ended with status {status}"
        return status != COMPLETED
    code = BROKEN
    try:
        # The connections are the parent's: not ours to use, nor to close by forgetting them.
        _inherited, ledger.pool = ledger.pool, Pool(ledger.url)
        Fuse(at).lay()
        act()
        code = COMPLETED
    finally:
        os._exit(code)
