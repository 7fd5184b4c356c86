"""What works in a lane gives way only while it waits, and ends as it would anywhere else."""

import asyncio
import gc
import os
import signal
import socket
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Any, TypeVar

import psycopg
import pytest

from app.embedded import Urls
from app.lanes import Lane, aside, in_lane
from app.ledger.engine import Ledger, LedgerDown, Tx, sql
from app.ledger.failures import is_down
from app.ledger.pool import MOST

HOLD = sql("SELECT pg_advisory_xact_lock(4711)")
IS_AWAITED = sql("SELECT EXISTS (SELECT FROM pg_locks WHERE objid = 4711 AND NOT granted)")
WHO = sql("SELECT pg_backend_pid()")
KILL = sql("SELECT pg_terminate_backend(CAST(:pid AS int))")
ECHO = sql("SELECT CAST(:text AS text)")
ADD = sql("INSERT INTO lane_told (n) VALUES (:n)")
ALL = sql("SELECT n FROM lane_told ORDER BY n")
T = TypeVar("T")

LARGE = 24_000_000  # octets: more than the sockets between us and the server hold


@pytest.fixture
def ledger(servers: Urls) -> Iterator[Ledger]:
    """With a table of its own, and connections that nobody else uses."""
    ledger = Ledger(servers.ledger)
    with ledger.begin() as tx:
        tx.write(sql("CREATE TABLE lane_told (n int PRIMARY KEY)"))
    yield ledger
    with ledger.begin() as tx:
        tx.write(sql("DROP TABLE lane_told"))
    ledger.dispose()


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner() as runner:
        runner.run(work())


def held(ledger: Ledger, then: Callable[[Tx], object] = lambda tx: None) -> None:
    """A transaction that waits for the lock, and does `then` when it has it."""
    with ledger.begin() as tx:
        tx.execute(HOLD)
        then(tx)


def add(n: int) -> Callable[[Tx], object]:
    return lambda tx: tx.write(ADD, {"n": n})


def twice(tx: Tx) -> None:
    tx.execute(ADD, {"n": 7})
    tx.execute(ADD, {"n": 7})


def told(ledger: Ledger) -> list[int]:
    with ledger.begin() as tx:
        return [int(n) for n in tx.execute(ALL).scalars()]


async def until_awaited(ledger: Ledger) -> None:
    with ledger.alone() as tx:
        while not tx.execute(IS_AWAITED).scalar_one():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def begun(
    ledger: Ledger, lane: Lane, work: Callable[[], T]
) -> "AsyncIterator[asyncio.Task[T]]":
    """`work` has begun in `lane` and waits for the lock, which is let go at the end."""
    with ledger.begin() as mine:
        mine.execute(HOLD)
        doing = asyncio.create_task(lane.do(work))
        await until_awaited(ledger)
        yield doing


def test_the_loop_goes_on_while_a_lane_waits_for_what_the_loop_holds(ledger: Ledger) -> None:
    async def work() -> None:
        lane = Lane()
        async with begun(ledger, lane, lambda: held(ledger, add(1))) as doing:
            pass
        await doing
        assert told(ledger) == [1]

    run(work)


def test_two_lanes_work_beside_each_other(ledger: Ledger) -> None:
    async def work() -> None:
        one, other = Lane(), Lane()
        async with begun(ledger, one, lambda: held(ledger, add(1))) as waits:
            assert await other.do(lambda: told(ledger)) == []
        await waits

    run(work)


def test_one_lane_does_one_thing_after_the_other_in_their_order(ledger: Ledger) -> None:
    done: list[int] = []

    def noted(n: int) -> int:
        held(ledger, add(n))
        done.append(n)
        return n

    async def work() -> None:
        lane = Lane()
        with ledger.begin() as mine:
            mine.execute(HOLD)
            doing = [asyncio.create_task(lane.do(partial(noted, n))) for n in range(3)]
            await until_awaited(ledger)
        assert await asyncio.gather(*doing) == done == [0, 1, 2]

    run(work)


@pytest.mark.provokes("ERROR:  duplicate key value violates unique constraint")
def test_what_fails_is_raised_where_it_is_awaited_and_rolled_back(ledger: Ledger) -> None:
    async def work() -> None:
        lane = Lane()
        with pytest.raises(psycopg.errors.UniqueViolation):
            await lane.do(lambda: held(ledger, twice))
        await lane.do(lambda: held(ledger, add(8)))

    run(work)
    assert told(ledger) == [8]


@pytest.mark.provokes("ERROR:  duplicate key value violates unique constraint")
def test_what_fails_stops_nothing_that_waits_behind_it(ledger: Ledger) -> None:
    async def work() -> None:
        lane = Lane()
        async with begun(ledger, lane, lambda: held(ledger, twice)) as fails:
            behind = asyncio.create_task(lane.do(lambda: told(ledger)))
        assert await behind == []
        with pytest.raises(psycopg.errors.UniqueViolation):
            await fails

    run(work)


def test_nothing_is_kept_of_what_has_failed() -> None:
    """An outage lasts for hours, and every batch that fails in it has messages."""

    class FailedError(Exception):
        pass

    kept: list[weakref.ref[FailedError]] = []

    def fail() -> None:
        error = FailedError()
        kept.append(weakref.ref(error))
        raise error

    async def work() -> None:
        lane = Lane()
        for _ in range(3):
            with pytest.raises(FailedError):
                await lane.do(fail)
        gc.collect()
        assert [ref() for ref in kept[:-1]] == [None] * 2  # the last is the test's own

    run(work)


def test_what_nobody_waits_for_any_more_is_not_begun(ledger: Ledger) -> None:
    async def work() -> None:
        lane = Lane()
        async with begun(ledger, lane, lambda: held(ledger)) as doing:
            dropped = asyncio.create_task(lane.do(lambda: held(ledger, add(1))))
            last = asyncio.create_task(lane.do(lambda: held(ledger, add(2))))
            await asyncio.sleep(0)
            dropped.cancel()
        await doing
        await last
        assert dropped.cancelled()

    run(work)
    assert told(ledger) == [2]


def test_a_lane_ends_when_all_is_done_and_does_no_more(ledger: Ledger) -> None:
    async def work() -> None:
        lane = Lane()
        async with begun(ledger, lane, lambda: held(ledger, add(1))) as doing:
            ending = asyncio.create_task(lane.end())
            behind = asyncio.create_task(lane.do(lambda: held(ledger, add(2))))
            await asyncio.sleep(0)
            assert not ending.done()
        await ending
        assert doing.done() and behind.done() and told(ledger) == [1, 2]
        with pytest.raises(RuntimeError, match="ended"):
            await lane.do(lambda: None)

    run(work)


def test_more_lanes_than_connections_wait_for_one_without_standing_in_the_way(
    ledger: Ledger, servers: Urls
) -> None:
    async def work() -> None:
        other = Ledger(servers.ledger)
        with other.begin() as mine:
            mine.execute(HOLD)
            each = [Lane().do(partial(held, ledger, add(n))) for n in range(MOST + 2)]
            doing = asyncio.gather(*each)
            await until_awaited(other)
        await doing
        other.dispose()

    run(work)
    assert told(ledger) == [*range(MOST + 2)]


def test_a_socket_that_is_waited_for_no_longer_is_looked_after_no_longer(ledger: Ledger) -> None:
    """The next connection may have its number."""

    def waited() -> int:
        with ledger.begin() as tx:
            tx.execute(HOLD)
            return tx.driver.fileno()

    async def work() -> None:
        socket, loop = await Lane().do(waited), asyncio.get_running_loop()
        assert not loop.remove_reader(socket) and not loop.remove_writer(socket)

    run(work)


def test_who_no_longer_waits_stops_nothing_that_has_begun(ledger: Ledger) -> None:
    async def work() -> None:
        lane = Lane()
        async with begun(ledger, lane, lambda: held(ledger, add(1))) as doing:
            doing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await doing
            after = asyncio.create_task(lane.do(lambda: told(ledger)))
        assert await after == [1]
        await lane.end()

    run(work)


@pytest.mark.provokes("FATAL:  connection to client lost")
def test_a_loop_that_ends_in_the_middle_leaves_no_transaction(ledger: Ledger) -> None:
    """And no connection that is of no use: what was said on it is never heard."""
    with ledger.begin() as mine:
        mine.execute(HOLD)

        async def work() -> None:
            lane = Lane()
            lost = asyncio.create_task(lane.do(lambda: held(ledger, add(1))))
            await until_awaited(ledger)
            lost.cancel()

        run(work)
    assert told(ledger) == []


@pytest.mark.parametrize("how", ["text", "rows"])
def test_what_does_not_fit_a_socket_is_said_and_heard(ledger: Ledger, how: str) -> None:
    def echo() -> str:
        with ledger.begin() as tx:
            if how == "text":
                return str(tx.execute(ECHO, {"text": "x" * LARGE}).scalar_one())
            asked = [tx.ask(ECHO, {"text": "x" * (LARGE // 8)}) for _ in range(8)]
            return "".join(str(one.rows().scalar_one()) for one in asked)

    async def work() -> None:
        assert await Lane().do(echo) == "x" * LARGE

    run(work)


def test_the_loop_goes_on_while_a_server_does_not_read_what_is_said(ledger: Ledger) -> None:
    pids: list[int] = []

    def stopped() -> int:
        with ledger.begin() as tx:
            pids.append(int(tx.execute(WHO).scalar_one()))
            os.kill(pids[0], signal.SIGSTOP)
            return len(tx.execute(ECHO, {"text": "x" * LARGE}).scalar_one())

    async def work() -> None:
        doing = asyncio.create_task(Lane().do(stopped))
        try:
            while not pids:
                await asyncio.sleep(0)
        finally:
            os.kill(pids[0], signal.SIGCONT)
        assert await doing == LARGE

    run(work)


@pytest.mark.provokes("FATAL:  terminating connection due to administrator command")
def test_a_connection_that_is_lost_while_it_is_waited_for_is_a_ledger_that_is_down(
    ledger: Ledger,
) -> None:
    pids: list[int] = []

    def killed() -> None:
        with ledger.begin() as tx:
            pids.append(int(tx.execute(WHO).scalar_one()))
            tx.execute(HOLD)

    async def work() -> None:
        lane = Lane()
        with ledger.begin() as mine:
            mine.execute(HOLD)
            doing = asyncio.create_task(lane.do(killed))
            await until_awaited(ledger)
            mine.execute(KILL, {"pid": pids[0]})
            with pytest.raises(psycopg.OperationalError) as failed:
                await doing
        assert is_down(failed.value)
        assert await lane.do(lambda: told(ledger)) == []

    run(work)


@pytest.mark.parametrize("connect", [Ledger.check, lambda ledger: ledger.apart()])
def test_the_loop_goes_on_while_a_server_does_not_let_us_in(
    connect: Callable[[Ledger], object],
) -> None:
    """One that takes connections and says nothing, as behind a firewall that is too strict."""

    async def work() -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as mute:
            port = mute.getsockname()[1]
            nowhere = Ledger(f"postgresql://jauap@127.0.0.1:{port}/jauap")
            doing = asyncio.create_task(Lane().do(lambda: connect(nowhere)))
            mute.setblocking(False)
            caller, _ = await asyncio.get_running_loop().sock_accept(mute)
            assert not doing.done()
            caller.close()
            with pytest.raises((psycopg.OperationalError, LedgerDown)):
                await doing

    run(work)


def test_what_is_done_aside_is_done_at_once_where_there_is_no_lane() -> None:
    assert aside(in_lane) is False

    async def work() -> None:
        assert await Lane().do(in_lane)
        assert not await Lane().do(lambda: aside(in_lane))

    run(work)


def test_what_fails_aside_is_raised_where_it_was_asked_for() -> None:
    def fail() -> None:
        raise KeyError("aside")

    def mended() -> str:
        try:
            aside(fail)
        except KeyError as error:
            return str(error)
        return "nothing was raised"

    async def work() -> None:
        assert await Lane().do(mended) == "'aside'"

    run(work)
