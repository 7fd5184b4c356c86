"""A process that is killed after exactly so many statements: forked, so that it is a real one."""

import os
import signal
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Engine
from sqlalchemy.pool import PoolProxiedConnection

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

    def lay(self, engine: Engine) -> None:
        """From here on everything that is said to `engine` burns it."""
        execute = psycopg.Cursor.execute

        def burn_and_execute(*said: Any, **how: Any) -> Any:
            self.burn()
            return execute(*said, **how)

        psycopg.Cursor.execute = burn_and_execute  # type: ignore[method-assign]
        dialect, commit = engine.dialect, engine.dialect.do_commit

        def do_commit(connection: PoolProxiedConnection) -> None:
            self.burn()
            commit(connection)
            self.burn()

        vars(dialect)["do_commit"] = do_commit


def killed_at(engine: Engine, at: int, act: Callable[[], object]) -> bool:
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
        engine.dispose(close=False)  # the connections are the parent's
        Fuse(at).lay(engine)
        act()
        code = COMPLETED
    finally:
        os._exit(code)
