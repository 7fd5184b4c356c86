"""Connections are kept and given out again, and none is given out that is of no use."""

import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from psycopg._pipeline_base import BasePipeline
from psycopg.conninfo import make_conninfo
from psycopg.pq import PipelineStatus

from app.embedded import Urls
from app.ledger import pool
from app.ledger.engine import Ledger, LedgerDown, Tx, sql
from app.ledger.failures import is_down
from app.ledger.pool import MOST, NoneFree

WHO = sql("SELECT pg_backend_pid()")
NUMBERS = sql("SELECT n FROM generate_series(1, CAST(:last AS int)) AS n")
NOWHERE = "postgresql://jauap@127.0.0.1:1/jauap"
TABLE = sql("CREATE TABLE left_open (n int)")
IS_THERE = sql("SELECT to_regclass('left_open') IS NOT NULL")


@pytest.fixture
def ledger(servers: Urls) -> Iterator[Ledger]:
    """One whose connections nobody else uses."""
    ledger = Ledger(servers.ledger)
    yield ledger
    ledger.dispose()


def who(tx: Tx) -> int:
    return int(tx.execute(WHO).scalar_one())


def whose_turn(ledger: Ledger) -> int:
    with ledger.begin() as tx:
        return who(tx)


def test_the_connection_used_last_is_used_again(ledger: Ledger) -> None:
    with ledger.begin() as one, ledger.begin() as other:
        assert who(one) != who(other)
        last = who(one)
    assert [whose_turn(ledger) for _ in range(3)] == [last] * 3


def test_what_was_left_open_is_rolled_back_and_the_connection_goes_on(ledger: Ledger) -> None:
    with pytest.raises(KeyError), ledger.begin() as tx:
        tx.execute(TABLE)
        left = who(tx)
        raise KeyError
    with ledger.begin() as tx:
        assert (who(tx), tx.execute(IS_THERE).scalar_one()) == (left, False)


@pytest.mark.parametrize("step", ["_enter_gen", "_exit"])
def test_a_connection_left_in_a_pipeline_is_closed(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """An interrupt comes behind its beginning, or in front of its end: the next one's statements
    would wait in it, and none be answered."""
    real = getattr(BasePipeline, step)

    def entered(*said: Any) -> Iterator[Any]:
        monkeypatch.undo()
        yield from real(*said)
        raise KeyboardInterrupt

    def leaving(*said: Any) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), ledger.begin() as tx:
        monkeypatch.setattr(BasePipeline, step, entered if step == "_enter_gen" else leaving)
        tx.write(WHO)
    with ledger.alone() as tx:
        assert tx.execute(sql("SELECT 5")).scalars() == [5]
        assert tx.driver.info.pipeline_status == PipelineStatus.OFF


def test_a_connection_left_in_the_middle_of_a_statement_is_closed(ledger: Ledger) -> None:
    with pytest.raises(KeyboardInterrupt), ledger.begin() as tx:
        left = who(tx)
        tx.driver.pgconn.exec_(b"COPY (SELECT 1) TO STDOUT")  # of which nothing is read
        raise KeyboardInterrupt
    assert tx.driver.closed
    assert whose_turn(ledger) != left


def test_whoever_finds_none_free_waits_and_then_calls_it_an_outage(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PATIENCE_S", 0.01)
    with ExitStack() as held:
        for _ in range(MOST):
            held.enter_context(ledger.begin())
        with pytest.raises(NoneFree) as none, ledger.begin():
            pass
    assert is_down(none.value)
    assert whose_turn(ledger)


def test_an_outage_is_told_at_once_every_time_and_costs_no_place() -> None:
    ledger = Ledger(NOWHERE)
    for _ in range(MOST + 1):
        with pytest.raises(psycopg.OperationalError) as away, ledger.begin():
            pass
        assert is_down(away.value) and not isinstance(away.value, NoneFree)
    with pytest.raises(LedgerDown, match=r"127\.0\.0\.1/jauap cannot be used: .*refused"):
        ledger.check()


def test_disposed_of_it_closes_those_in_use_as_they_come_back_and_opens_new_ones(
    ledger: Ledger,
) -> None:
    whose_turn(ledger)
    with ledger.begin() as used, ledger.begin() as other:
        mine, driver = who(used), other.driver
        ledger.dispose()
        assert who(used) == mine
    assert driver.closed and used.driver.closed
    assert whose_turn(ledger) != mine


def test_an_old_connection_is_replaced(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    first = whose_turn(ledger)
    monkeypatch.setattr(pool, "OLDEST_S", 0.0)
    assert whose_turn(ledger) == first  # it is looked at when it comes back
    assert whose_turn(ledger) != first


def test_whoever_takes_a_connection_in_the_midst_of_a_disposal_costs_no_place(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots, elsewhere = ledger.pool._slots, ExitStack()
    take = slots.get_nowait

    def take_after_another() -> pool.Connection | None:
        with monkeypatch.context() as once:
            once.setattr(slots, "get_nowait", take)
            elsewhere.enter_context(ledger.begin())
        monkeypatch.undo()
        return take()

    monkeypatch.setattr(slots, "get_nowait", take_after_another)
    ledger.dispose()
    elsewhere.close()
    with ExitStack() as held:
        assert len({who(held.enter_context(ledger.begin())) for _ in range(MOST)}) == MOST


@pytest.mark.parametrize("url", ["postgresql://u:hunter2%zz@h/d", "postgresql://u:hunter2@h/d?x=1"])
def test_a_url_that_cannot_be_read_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(LedgerDown, match="expected postgresql://user@host/database") as refused:
        Ledger(url)
    assert "hunter2" not in str(refused.value) and refused.value.__cause__ is None


def test_of_two_processes_that_migrate_at_once_one_waits_and_finds_it_done(servers: Urls) -> None:
    fresh = Ledger(make_conninfo(servers.ledger, dbname="twice"))
    owner = Ledger(servers.ledger)
    with owner.alone() as tx:
        tx.write(sql("CREATE DATABASE twice"))
        tx.write(sql("ALTER DATABASE twice SET default_transaction_isolation = 'repeatable read'"))
        try:
            with ThreadPoolExecutor(2) as both:
                for migrated in [both.submit(Ledger(fresh.url).migrate) for _ in range(2)]:
                    migrated.result()
            fresh.check()
        finally:
            fresh.dispose()
            tx.write(sql("DROP DATABASE twice"))
    owner.dispose()


def test_streams_of_one_transaction_are_read_side_by_side(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        some = tx.stream(NUMBERS, {"last": 10}, at_once=3)
        others = tx.stream(NUMBERS, {"last": 5}, at_once=2)
        assert [next(some).n, next(others).n, next(some).n] == [1, 1, 2]
        assert [r.n for r in others] == [2, 3, 4, 5]
        assert [r.n for r in some] == list(range(3, 11))


def test_a_stream_shows_what_was_there_when_it_was_asked_for(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.write(TABLE)
        tx.write(sql("INSERT INTO left_open SELECT generate_series(1, 5)"))
        rows = tx.stream(sql("SELECT n FROM left_open ORDER BY n"), at_once=2)
        tx.write(sql("DELETE FROM left_open"))
        assert [r.n for r in rows] == [1, 2, 3, 4, 5]
        tx.write(sql("DROP TABLE left_open"))


def test_a_stream_that_outlives_its_transaction_touches_nobody_elses(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        rows = tx.stream(NUMBERS, {"last": 9}, at_once=2)
        next(rows)
    with ledger.begin() as other:
        [third] = [other.stream(NUMBERS, {"last": 3}, at_once=9)]
        next(rows)  # it was fetched before
        with pytest.raises(psycopg.errors.InFailedSqlTransaction, match="is over"):
            next(rows)
        del rows
        gc.collect()
        assert [r.n for r in third] == [1, 2, 3]


def test_a_transaction_that_is_over_says_nothing_any_more(ledger: Ledger) -> None:
    for way in (ledger.begin, ledger.alone):
        with way() as tx:
            who(tx)
        with pytest.raises(psycopg.errors.InFailedSqlTransaction, match="is over"):
            who(tx)


@pytest.mark.parametrize(
    ("statement", "values", "answer"),
    [
        ("SELECT '12:30' AS a, 7 % 4 AS b, 1::text AS c", None, ("12:30", 3, "1")),
        ("SELECT '12:30' AS a, 7 % 4 AS b, 1::text AS c", {}, ("12:30", 3, "1")),
        (
            "SELECT '12:30' AS a, 7 % 4 AS b, CAST(:a AS int)::text AS c",
            {"a": 1},
            ("12:30", 3, "1"),
        ),
        ("SELECT '%s' AS a, :a::int + CAST(:a AS int) AS b", {"a": 2}, ("%s", 4)),
    ],
)
def test_a_name_is_a_value_and_all_else_stands_as_it_is_written(
    ledger: Ledger, statement: str, values: dict[str, int] | None, answer: tuple[object, ...]
) -> None:
    with ledger.begin() as tx:
        assert tuple(tx.execute(sql(statement), values).one()) == answer
