"""Statements kept at module level, and how they are said: what is to be said together leaves
together, by psycopg.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """A statement that has been said, or waits to be said with others; `rows` is its answer."""

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
        """What it returned. Raises psycopg.Error, for this statement or for one that was said with
        it."""
        if self._rows is None:
            self._tx.flush()
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
    """One transaction on a connection; its statements are said in their order. A trip to the
    server costs more than most statements, so what is only written waits (`write`), and so does
    what is read later (`ask`): they leave in one trip with the next that must be answered, or with
    the commit. Without a transaction (`begin` is not called) nothing waits. After a trip that
    failed, whoever heard of it, nothing more is said and nothing is committed."""

    __slots__ = ("_begun", "_cursors", "_refusal", "_streams", "_waiting", "driver")

    def __init__(self, connection: Connection) -> None:
        self.driver = connection.driver
        self._cursors = connection.cursors
        self._begun = False
        self._refusal: str | None = None
        self._streams = 0
        self._waiting: list[Asked] = []

    def begin(self) -> None:
        """Begins the transaction, with the first statement."""
        self._begun = True
        self._waiting.append(Asked(self, b"BEGIN", None))

    def commit(self) -> None:
        """Says what waits, and commits, in one trip. Nothing is said where nothing was."""
        status = self.driver.info.transaction_status
        if len(self._waiting) == 1 and status == TransactionStatus.IDLE:  # only its beginning waits
            self._waiting.clear()
            return
        last = Asked(self, b"COMMIT", None)
        self._waiting.append(last)
        self.flush()
        if last.tag != "COMMIT":  # PostgreSQL rolls back without an error
            raise InFailedSqlTransaction("found a transaction that had failed")

    def write(self, statement: Statement, values: Mapping[str, Any] | None = None) -> None:
        """Says a statement of which nothing is to be known but that it succeeded."""
        self.ask(statement, values)

    def ask(self, statement: Statement, values: Mapping[str, Any] | None = None) -> Asked:
        """Says a statement whose answer is wanted later."""
        asked = Asked(self, statement.query, values)
        self._waiting.append(asked)
        if not self._begun:
            self.flush()
        return asked

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
        asked = Asked(self, query, values, is_kept=False)
        self._waiting.append(asked)
        return asked.rows()

    def flush(self) -> None:
        """Says what waits."""
        if self._refusal is not None:
            raise InFailedSqlTransaction(self._refusal)
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        self._refusal = "a statement before it has failed" if self._begun else None
        try:
            self._say(waiting)
        except psycopg.Error as error:
            raise _first(error) from None
        self._refusal = None

    def _say(self, waiting: list[Asked]) -> None:
        driver, kept = self.driver, self._cursors
        if len(waiting) == 1:
            waiting[0].say(driver, kept)
        else:
            with driver.pipeline():
                for one in waiting:
                    one.say(driver, kept)
        for one in waiting:
            one.read(kept)

    def end(self) -> None:
        """Says nothing any more: the connection is another's."""
        self._refusal = "its transaction is over"

    def close(self) -> None:
        """Ends its connection, one that `Ledger.apart` has opened."""
        self.driver.close()


def _first(error: psycopg.Error) -> psycopg.Error:
    """Of a trip's errors the one that broke it: what was said after it was not carried out."""
    while isinstance(error, PipelineAborted) and isinstance(error.__context__, psycopg.Error):
        error = error.__context__
    return error
