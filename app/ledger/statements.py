"""Statements kept at module level, and how they are said: each leaves at once, and is waited for
with others.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, Final

import psycopg
from psycopg.errors import InFailedSqlTransaction, PipelineAborted
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row

from app.ledger.pool import Connection, Cursors

Row = Any

MOST_KEPT = 1_000  # rows

_NAME: Final = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)", re.ASCII)  # not the `::` of a cast


class Statement:
    """SQL with `:name` for each value; in `CAST(:name AS type)` where PostgreSQL cannot tell."""

    __slots__ = ("_text", "query")

    def __init__(self, statement: str) -> None:
        self._text = statement
        named, names = _NAME.subn(r"%(\1)s", statement.replace("%", "%%"))
        # Where there are no values psycopg takes every octet as it is.
        self.query = (named if names else statement).encode()

    def __str__(self) -> str:
        return self._text


def sql(statement: str) -> Statement:
    """A statement kept at module level, so that its names are looked for once."""
    return Statement(statement)


def of_all(update: str) -> Statement:
    """An UPDATE that must change `:expected` rows: another number is a race that is lost (40001),
    told by the server, so that nobody has to wait for the number before the commit."""
    return sql(
        f"""WITH changed AS ({update} RETURNING 1)
        SELECT must_be_all((SELECT count(*) FROM changed), CAST(:expected AS bigint))"""
    )


class _Named:
    """Makes rows as psycopg's `namedtuple_row` does. The columns of a statement are always the
    same, but over a migration, so they are looked at once."""

    __slots__ = ("_columns", "_make")

    def __init__(self) -> None:
        self._make: Callable[[Sequence[Any]], Row] | None = None
        self._columns = 0

    def __call__(self, cursor: "psycopg.Cursor[Any]") -> Callable[[Sequence[Any]], Row]:
        columns = cursor.pgresult.nfields if cursor.pgresult is not None else 0
        if self._make is None or columns != self._columns:
            make = namedtuple_row(cursor)
            kind = getattr(make, "__self__", None)
            if kind is None:  # there are no columns
                return make
            self._make, self._columns = partial(tuple.__new__, kind), columns
        return self._make


class Rows:
    """All that a statement returned; rows are tuples with names."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: list[Row], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def all(self) -> list[Row]:
        """Every row."""
        return self._rows

    def first(self) -> Row | None:
        """The first row, None without any."""
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Row | None:
        """The only row, None without any; more is a mistake."""
        if len(self._rows) > 1:
            raise ValueError(f"found {len(self._rows)} rows, expected one or none")
        return self.first()

    def one(self) -> Row:
        """The only row; any other number is a mistake."""
        if len(self._rows) != 1:
            raise ValueError(f"found {len(self._rows)} rows, expected one")
        return self._rows[0]

    def scalars(self) -> list[Any]:
        """The first value of every row."""
        return [row[0] for row in self._rows]

    def scalar_one(self) -> Any:
        """The first value of the only row."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        """The first value of the only row, None without any."""
        row = self.one_or_none()
        return None if row is None else row[0]


class Asked:
    """A statement that has been said; `rows` is its answer."""

    __slots__ = ("_cursor", "_is_kept", "_query", "_rows", "_tx", "_values")

    def __init__(
        self, tx: "Tx", query: bytes, values: Mapping[str, Any] | None, *, is_kept: bool = True
    ) -> None:
        self._tx = tx
        self._query = query
        self._values = values
        self._is_kept = is_kept  # what is learnt of it, for the next time it is said
        self._cursor: psycopg.Cursor[Any] | None = None
        self._rows: Rows | None = None

    def rows(self) -> Rows:
        """What it returned. Raises psycopg.Error, for this statement or for one that was said
        before it."""
        if self._rows is None:
            self._tx.wait()
        assert self._rows is not None
        return self._rows

    @property
    def tag(self) -> str | None:
        """What the server calls what it did."""
        return None if self._cursor is None else self._cursor.statusmessage

    def say(self, driver: "psycopg.Connection[Any]", kept: Cursors) -> None:
        """Hands it to psycopg, by a cursor that has `kept` what it learnt of the statement before;
        in a pipeline the answer is there when that has ended."""
        cursor = kept.pop(self._query, None) or driver.cursor(row_factory=_Named())
        prepare = None if self._is_kept else False
        self._cursor = cursor.execute(self._query, self._values or None, prepare=prepare)

    def read(self, kept: Cursors) -> None:
        """Reads the answer, which is there."""
        cursor = self._cursor
        assert cursor is not None
        found = cursor.fetchall() if cursor.rownumber is not None else []
        self._rows = Rows(found, cursor.rowcount)
        if self._is_kept and len(found) < MOST_KEPT:  # a cursor holds its last answer
            kept[self._query] = cursor


class Tx:
    """One transaction on a connection. Its statements leave in their order and at once, so that
    the server works on them while we go on; whoever needs an answer waits for it, and for all that
    was said before it, in one trip (a trip costs more than most statements). What is only written
    (`write`) is waited for with the commit, and may be put off (`meanwhile`). Without a transaction
    (`begin` is not called) each statement is a trip. After a statement that failed, whoever heard
    of it, nothing more is said and nothing is committed."""

    __slots__ = (
        "_begins", "_cursors", "_held", "_pipeline", "_refusal", "_said", "_streams", "_works",
        "driver",
    )  # fmt: skip

    def __init__(self, connection: Connection) -> None:
        self.driver = connection.driver
        self._cursors = connection.cursors
        self._begins = False
        self._pipeline = ExitStack()
        self._refusal: str | None = None
        self._said: list[Asked] = []  # and not yet waited for
        self._works: list[Callable[[], object]] = []  # to be done meanwhile
        self._held: list[Asked] | None = None  # what they say, while they are done
        self._streams = 0

    def begin(self) -> None:
        """Begins the transaction, with the first statement."""
        self._begins = True

    @property
    def _has_begun(self) -> bool:
        return bool(self._said) or self.driver.info.transaction_status != TransactionStatus.IDLE

    def commit(self) -> None:
        """Commits, in one trip with what is still to be waited for. Nothing is said where nothing
        was."""
        self._say_each(self._worked())
        if self._refusal is None and not self._has_begun:
            return
        last = self._say(Asked(self, b"COMMIT", None))
        self.wait()
        if last.tag != "COMMIT":  # PostgreSQL rolls back without an error
            raise InFailedSqlTransaction("found a transaction that had failed")

    def write(self, statement: Statement, values: Mapping[str, Any] | None = None) -> None:
        """Says a statement of which nothing is to be known but that it succeeded."""
        self.ask(statement, values)

    def ask(self, statement: Statement, values: Mapping[str, Any] | None = None) -> Asked:
        """Says a statement whose answer is wanted later. Raises psycopg.Error, for one that was
        said before it too."""
        return self._say(Asked(self, statement.query, values))

    def meanwhile(self, work: Callable[[], object]) -> None:
        """In a transaction: `work`, which only writes, is done while the server looks up what is
        waited for next, or with the commit. What it says leaves after that answer, so that nobody
        waits for it: the server carries it out while he who waited goes on."""
        self._works.append(work)

    def execute(self, statement: Statement, values: Mapping[str, Any] | None = None) -> Rows:
        """Says a statement and returns its answer. Raises psycopg.Error."""
        return self.ask(statement, values).rows()

    def stream(
        self, statement: Statement, values: Mapping[str, Any] | None = None, *, at_once: int
    ) -> Iterator[Row]:
        """The rows of an answer that does not fit, as it is now, fetched so many at a time."""
        self._streams += 1
        name = b"stream_%d" % self._streams
        self._now(b"DECLARE %b NO SCROLL CURSOR FOR %b" % (name, statement.query), values)
        return self._fetched(name, at_once)

    def _fetched(self, name: bytes, at_once: int) -> Iterator[Row]:
        # Nothing is kept of these: the next stream of that name is another.
        fetch = b"FETCH %d FROM %b" % (at_once, name)
        while rows := self._now(fetch).all():
            yield from rows
        self._now(b"CLOSE " + name)

    def _now(self, query: bytes, values: Mapping[str, Any] | None = None) -> Rows:
        return self._say(Asked(self, query, values, is_kept=False)).rows()

    def _say(self, asked: Asked) -> Asked:
        if self._held is not None:
            self._held.append(asked)
            return asked
        self._go_on()
        try:
            if self._begins and not self._said:
                is_first = not self._has_begun
                self._pipeline.enter_context(self.driver.pipeline())
                if is_first:
                    self._hand_over(Asked(self, b"BEGIN", None))
            self._hand_over(asked)
        except psycopg.Error as error:
            raise self._failed(error) from None
        self._refusal = None
        if not self._begins:
            self.wait()
        return asked

    def _hand_over(self, asked: Asked) -> None:
        asked.say(self.driver, self._cursors)
        self._said.append(asked)

    def wait(self) -> None:
        """Waits for all that was said, and reads the answers."""
        held = self._worked()
        self._fetch()
        self._say_each(held)

    def _worked(self) -> Sequence[Asked]:
        """What those say who were to work meanwhile. Of one that breaks nothing may be missing
        unnoticed."""
        if self._held is not None:
            raise RuntimeError("found somebody who waits, expected one who only writes")
        works, self._works = self._works, []
        self._held = []
        try:
            for work in works:
                work()
        except BaseException:
            self._refusal = "what was to be done meanwhile has failed"
            raise
        finally:
            held, self._held = self._held, None
        return held

    def _say_each(self, held: Sequence[Asked]) -> None:
        for asked in held:
            self._say(asked)

    def _fetch(self) -> None:
        self._go_on()
        said, self._said = self._said, []
        try:
            self._pipeline.close()
            for one in said:
                one.read(self._cursors)
        except psycopg.Error as error:
            raise self._failed(error) from None
        self._refusal = None

    def _go_on(self) -> None:
        """Until it is known that a step succeeded, it has not."""
        if self._refusal is not None:
            raise InFailedSqlTransaction(self._refusal)
        self._refusal = "a statement before it has failed" if self._begins else None

    def _failed(self, error: psycopg.Error) -> psycopg.Error:
        self._leave()
        return _first(error)

    def _leave(self) -> None:
        self._said.clear()
        with suppress(psycopg.Error):  # what broke it is known
            self._pipeline.close()

    def end(self) -> None:
        """Says nothing any more: the connection is another's."""
        self._refusal = "its transaction is over"
        self._leave()

    def close(self) -> None:
        """Ends its connection, one that `Ledger.apart` has opened."""
        self.driver.close()


def _first(error: psycopg.Error) -> psycopg.Error:
    """Of a trip's errors the one that broke it: what was said after it was not carried out."""
    while isinstance(error, PipelineAborted) and isinstance(error.__context__, psycopg.Error):
        error = error.__context__
    return error
