"""Connections to PostgreSQL, kept open for the next transaction.

Whoever finds none left over opens one himself. So an outage is told at once, in the server's own
words, and is over for everybody with the server's first answer.
"""

import logging
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, LifoQueue
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import PipelineStatus, TransactionStatus

from app.lanes import WRITABLE, aside, in_lane, wait_until
from app.ledger.arrays import ColumnDumper

RV = TypeVar("RV")

MOST = 10  # connections of one process
PATIENCE_S = 30.0
OLDEST_S = 1800.0
CONNECT_S = 10

# What breaks a pipeline is raised; that its end then fails as well is no news.
logging.getLogger("psycopg").setLevel(logging.ERROR)

Cursors = dict[bytes, "psycopg.Cursor[Any]"]
"""By its query, the cursor of a connection that last said a statement."""


class NoneFree(psycopg.OperationalError):
    """Every connection is in use, and stayed so for `PATIENCE_S`."""


class Driver(psycopg.Connection[Any]):
    """psycopg's connection. In a lane the loop goes on while it waits; elsewhere its thread stands
    still."""

    _poll: "select.poll | None" = None

    def wait(self, gen: PQGen[RV], *args: Any, **named: Any) -> RV:
        """psycopg's: carries `gen` out, which yields what it wants of the socket."""
        if not in_lane():
            return super().wait(gen, *args, **named)
        socket = self.pgconn.socket
        try:
            wanted = next(gen)
            while True:
                # What is to be said can nearly always be said at once.
                can_say = wanted & WRITABLE and self._is_writable(socket)
                wanted = gen.send(WRITABLE if can_say else wait_until(socket, wanted))
        except StopIteration as end:
            result: RV = end.value
            return result
        except BaseException as error:
            if not isinstance(error, Exception):  # the loop ends, and nobody will hear the answer
                self.close()
            raise

    def _is_writable(self, socket: int) -> bool:
        """Now. One that is broken is as well, and says so when it is written to."""
        poll = self._poll
        if poll is None:
            poll = self._poll = select.poll()
            poll.register(socket, select.POLLOUT)
        return bool(poll.poll(0))


@dataclass(slots=True, eq=False)
class Connection:
    """An open connection, and what it learnt of the statements said on it."""

    driver: "psycopg.Connection[Any]"
    cursors: Cursors = field(default_factory=dict)
    since: float = field(default_factory=monotonic)


def connect(url: str) -> Connection:
    """Opens one. It speaks binary, for our statements take whole columns as arrays; what begins
    and ends a transaction is said by `Tx`, together with its neighbours."""
    driver = aside(
        partial(
            Driver.connect,
            url,
            autocommit=True,
            connect_timeout=CONNECT_S,
            application_name="jauap",
            options="-c timezone=UTC",
        )
    )
    driver.adapters.register_dumper(list, ColumnDumper)
    return Connection(driver)


class Pool:
    """At most `MOST` connections, the one used last before the others."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._slots: LifoQueue[Connection | None] = LifoQueue()
        for _ in range(MOST):
            self._slots.put(None)
        self._disposed_at = 0.0

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One for as long as the block lasts; what it left open is rolled back. Raises
        psycopg.OperationalError where the server cannot be reached, or none becomes free."""
        slot = self._next()
        try:
            slot = self._sound(slot) or connect(self._url)
            yield slot
        finally:
            self._slots.put(None if slot is None else self._left(slot))

    def dispose(self) -> None:
        """Closes those that are not in use now, and the others when they come back."""
        self._disposed_at = monotonic()
        idle: list[Connection | None] = []
        try:
            with suppress(Empty):
                while True:
                    idle.append(self._slots.get_nowait())
        finally:
            for slot in idle:
                self._slots.put(None)
                if slot is not None:
                    slot.driver.close()

    def _next(self) -> Connection | None:
        with suppress(Empty):
            return self._slots.get_nowait()
        try:
            return aside(partial(self._slots.get, timeout=PATIENCE_S))
        except Empty:
            raise NoneFree(f"no connection became free in {PATIENCE_S:.0f} s") from None

    def _sound(self, slot: Connection | None) -> Connection | None:
        """Nobody asked an idle connection anything, so what it has to say is that the server has
        closed it. That is known without a trip."""
        if slot is None:
            return None
        if not slot.driver.closed and not _has_news(slot.driver.fileno()):
            return slot
        slot.driver.close()
        return None

    def _left(self, slot: Connection) -> Connection | None:
        """The connection as the next may have it; None where it is better closed."""
        driver = slot.driver
        is_young = slot.since > max(self._disposed_at, monotonic() - OLDEST_S)
        try:
            if driver.info.transaction_status in _ROLLS_BACK:
                driver.rollback()
            if is_young and _is_idle(driver):
                return slot
        except psycopg.Error:  # it is of no use any more
            pass
        driver.close()
        return None


def _is_idle(driver: "psycopg.Connection[Any]") -> bool:
    """In a pipeline that nobody has left, as after an interrupt, nothing said is answered."""
    is_alone = driver.info.pipeline_status == PipelineStatus.OFF
    return is_alone and driver.info.transaction_status == TransactionStatus.IDLE


_ROLLS_BACK = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def _has_news(socket: int) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))
