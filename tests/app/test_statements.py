"""Statements leave together, and yet each is answered, refused and undone as if it were alone."""

from collections.abc import Iterator

import psycopg
import pytest

from app.ledger.engine import Ledger, of_all, sql
from app.ledger.failures import is_down, is_race
from app.runtime import Runtime

ONE = sql("SELECT CAST(:n AS int)")
ADD = sql("INSERT INTO sandbox_told (n) VALUES (:n)")
ALL = sql("SELECT n FROM sandbox_told ORDER BY n")
BROKEN = sql("SELECT 1 / CAST(:n AS int)")
SAVE = of_all("UPDATE sandbox_told SET n = n + 100 WHERE n = ANY(CAST(:ns AS int[]))")
WHO = sql("SELECT pg_backend_pid()")
IS_THERE = sql("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = CAST(:pid AS int))")
KILL = sql("SELECT pg_terminate_backend(CAST(:pid AS int))")

IS_HELD = sql(
    """SELECT EXISTS (SELECT FROM pg_locks
        WHERE relation = CAST('sandbox_told' AS regclass) AND mode = 'RowExclusiveLock')"""
)

TERMINATED = "FATAL:  terminating connection due to administrator command"


@pytest.fixture
def ledger(rt: Runtime) -> Iterator[Ledger]:
    """With a table of its own."""
    with rt.ledger.begin() as tx:
        tx.execute(sql("CREATE TABLE sandbox_told (n int PRIMARY KEY)"))
    yield rt.ledger
    with rt.ledger.begin() as tx:
        tx.execute(sql("DROP TABLE sandbox_told"))


def told(ledger: Ledger) -> list[int]:
    with ledger.begin() as tx:
        return tx.execute(ALL).scalars()


def test_what_is_only_written_is_there_for_the_next_statement_and_after_the_commit(
    ledger: Ledger,
) -> None:
    with ledger.begin() as tx:
        tx.write(ADD, {"n": 1})
        tx.write(ADD, {"n": 2})
        assert tx.execute(ALL).scalars() == [1, 2]
        tx.write(ADD, {"n": 3})
        assert told(ledger) == []
    assert told(ledger) == [1, 2, 3]


def test_the_server_works_on_what_nobody_waits_for_yet(ledger: Ledger) -> None:
    with ledger.alone() as other, ledger.begin() as tx:
        tx.write(ADD, {"n": 1})
        while not other.execute(IS_HELD).scalar_one():
            continue


def test_one_statement_said_twice_in_one_trip_has_two_answers(ledger: Ledger) -> None:
    for _ in range(3):  # by the second time the connection knows the statement
        with ledger.begin() as tx:
            first, second = (tx.ask(ONE, {"n": n}) for n in (1, 2))
            assert (second.rows().scalar_one(), first.rows().scalar_one()) == (2, 1)


def test_an_answer_may_be_read_after_the_commit(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        asked = tx.ask(ONE, {"n": 7})
    assert asked.rows().scalar_one() == 7


@pytest.mark.provokes("division by zero")
@pytest.mark.parametrize("place", range(4))
def test_of_a_trip_that_failed_the_statement_that_broke_it_is_named_and_nothing_is_kept(
    ledger: Ledger, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(psycopg.Error) as failed, ledger.begin() as tx:
        for n in range(4):
            tx.write(BROKEN, {"n": 0}) if n == place else tx.write(ADD, {"n": n})
    assert isinstance(failed.value, psycopg.errors.DivisionByZero)
    assert told(ledger) == []
    assert not [r for r in caplog.records if r.name == "psycopg"]


@pytest.mark.provokes("division by zero")
def test_a_transaction_whose_failure_nobody_heeded_does_not_pass_for_committed(
    ledger: Ledger,
) -> None:
    with pytest.raises(psycopg.Error), ledger.begin() as tx:
        tx.write(ADD, {"n": 1})
        with pytest.raises(psycopg.Error):
            tx.execute(BROKEN, {"n": 0})
    assert told(ledger) == []


def test_what_never_reached_the_server_fails_the_transaction_all_the_same(ledger: Ledger) -> None:
    with pytest.raises(psycopg.Error), ledger.begin() as tx:
        tx.write(ADD, {"n": 1})
        before = tx.ask(ONE, {"n": 2})
        with pytest.raises(psycopg.Error):
            tx.write(ADD, {"n": object()})
        with pytest.raises(psycopg.Error):
            tx.ask(ONE, {"n": 3})
        with pytest.raises(psycopg.Error):
            before.rows()
    assert told(ledger) == []


@pytest.mark.provokes("rows as they were loaded")
def test_an_update_that_does_not_find_every_row_is_a_race_that_is_lost(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.write(ADD, {"n": 1})
    with pytest.raises(psycopg.Error) as failed, ledger.begin() as tx:
        tx.write(SAVE, {"ns": [1, 2], "expected": 2})
    assert is_race(failed.value)
    assert not is_down(failed.value)
    assert told(ledger) == [1]
    with ledger.begin() as tx:
        tx.write(SAVE, {"ns": [1, 2], "expected": 1})
    assert told(ledger) == [101]


def test_where_nothing_was_said_nothing_is_committed_and_the_connection_is_free(
    ledger: Ledger,
) -> None:
    with ledger.begin() as tx:
        driver = tx.driver
    assert driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


@pytest.mark.provokes(TERMINATED)
def test_a_connection_that_the_server_has_closed_is_not_given_out_again(ledger: Ledger) -> None:
    with ledger.alone() as other:
        with ledger.begin() as tx:
            pid = tx.execute(WHO).scalar_one()
        other.execute(KILL, {"pid": pid})
        while other.execute(IS_THERE, {"pid": pid}).scalar_one():
            continue
        for _ in range(3):
            assert told(ledger) == []


@pytest.mark.provokes(TERMINATED)
def test_a_connection_lost_before_the_commit_is_an_outage_and_leaves_nothing(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(psycopg.Error) as failed, ledger.begin() as tx:
        tx.write(ADD, {"n": 1})
        pid = tx.execute(WHO).scalar_one()
        with ledger.alone() as other:
            other.execute(KILL, {"pid": pid})
        tx.write(ADD, {"n": 2})
    assert is_down(failed.value)
    assert told(ledger) == []
    assert not [r for r in caplog.records if r.name == "psycopg"]


def test_rows_have_the_names_of_the_columns_that_there_are_now(ledger: Ledger) -> None:
    everything = sql("SELECT * FROM changing")
    with ledger.begin() as tx:
        tx.write(sql("CREATE TABLE changing (a int, b int, c int)"))
        tx.write(sql("INSERT INTO changing VALUES (1, 2, 3)"))
    try:
        with ledger.begin() as tx:
            assert tx.execute(everything).one().b == 2
        with ledger.begin() as tx:
            tx.write(sql("ALTER TABLE changing DROP COLUMN a"))
        with ledger.begin() as tx:
            assert tx.execute(everything).one().b == 2
    finally:
        with ledger.begin() as tx:
            tx.write(sql("DROP TABLE changing"))


def test_what_is_said_meanwhile_leaves_after_what_was_waited_for(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        asked = tx.ask(ALL)
        tx.meanwhile(lambda: tx.write(ADD, {"n": 1}))
        tx.meanwhile(lambda: tx.write(ADD, {"n": 3}))
        tx.write(ADD, {"n": 2})
        assert tx.execute(ALL).scalars() == [2]
        assert asked.rows().scalars() == []
        assert tx.execute(ALL).scalars() == [1, 2, 3]
    assert told(ledger) == [1, 2, 3]


def test_what_was_to_be_done_meanwhile_is_done_though_nobody_waits(ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.meanwhile(lambda: tx.write(ADD, {"n": 1}))
    assert told(ledger) == [1]


@pytest.mark.provokes("division by zero")
def test_what_fails_meanwhile_fails_the_transaction(ledger: Ledger) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), ledger.begin() as tx:
        tx.write(ADD, {"n": 1})
        tx.meanwhile(lambda: tx.write(BROKEN, {"n": 0}))
        tx.execute(ALL)
        tx.write(ADD, {"n": 2})
    assert told(ledger) == []


def test_of_work_that_breaks_meanwhile_nothing_is_committed_whoever_heeds_it(
    ledger: Ledger,
) -> None:
    def work() -> None:
        tx.write(ADD, {"n": 2})
        raise KeyError("a bug of ours")

    with pytest.raises(psycopg.Error), ledger.begin() as tx:
        tx.write(ADD, {"n": 1})
        tx.meanwhile(work)
        with pytest.raises(KeyError):
            tx.execute(ALL)
        tx.write(ADD, {"n": 3})
    assert told(ledger) == []


def test_who_works_meanwhile_waits_for_nothing(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError, match="expected one who only writes"), ledger.begin() as tx:
        tx.write(ADD, {"n": 1})
        tx.meanwhile(lambda: print(tx.execute(ALL).scalars()))
        tx.execute(ALL)
    assert told(ledger) == []
