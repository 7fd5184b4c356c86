"""Statements kept at module level, and how they are said: compiled once by SQLAlchemy, then handed
straight to psycopg. What SQLAlchemy does around every execution was a quarter of what a message
cost; connections, transactions and errors stay its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, overload

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, CursorResult, TextClause, make_url, text
from sqlalchemy.exc import DBAPIError

Row = Any

_DIALECT: Final = make_url("postgresql+psycopg://").get_dialect()()


class Statement:
    """SQL with `:name` for each value; in `CAST(:name AS type)` where PostgreSQL cannot tell."""

    __slots__ = ("clause", "query")

    def __init__(self, statement: str) -> None:
        self.clause = text(statement)
        self.query = str(self.clause.compile(dialect=_DIALECT)).encode()

    def __str__(self) -> str:
        return self.clause.text

    def streamed(self, at_once: int) -> TextClause:
        """The same for results that do not fit: so many rows are fetched at a time."""
        return self.clause.execution_options(stream_results=True, yield_per=at_once)


def sql(statement: str) -> Statement:
    """A statement kept at module level, so that it is compiled once."""
    return Statement(statement)


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


class Tx:
    """One transaction of a SQLAlchemy connection."""

    __slots__ = ("_cursor", "_open")

    def __init__(self, open_: Connection) -> None:
        self._open = open_
        self._cursor: psycopg.Cursor[Any] | None = None

    @overload
    def execute(self, statement: Statement, values: Mapping[str, Any] | None = None) -> Rows: ...

    @overload
    def execute(
        self, statement: TextClause, values: Mapping[str, Any] | None = None
    ) -> CursorResult[Any]: ...

    def execute(
        self, statement: Statement | TextClause, values: Mapping[str, Any] | None = None
    ) -> Rows | CursorResult[Any]:
        """Says a statement: Rows, or for one `streamed` SQLAlchemy's own result. Raises what
        SQLAlchemy raises."""
        if not isinstance(statement, Statement):
            return self._open.execute(statement, values)
        try:
            if self._cursor is None:
                self._cursor = self.driver.cursor(row_factory=namedtuple_row)
            cursor = self._cursor.execute(statement.query, values)
            rows = cursor.fetchall() if cursor.rownumber is not None else []
        except psycopg.Error as error:
            raise self._known(error) from error
        return Rows(rows, cursor.rowcount)

    def exec_driver_sql(self, statement: str, values: Any = None) -> CursorResult[Any]:
        """What no names are in, as psycopg takes it."""
        return self._open.exec_driver_sql(statement, values)

    @property
    def driver(self) -> psycopg.Connection[Any]:
        """psycopg's connection."""
        driver = self._open.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        return driver

    def detach(self) -> None:
        """Takes the connection out of the pool, to live until it is closed."""
        self._open.detach()

    def close(self) -> None:
        """Ends it, and a detached connection with it."""
        self._open.close()

    def _known(self, error: psycopg.Error) -> BaseException:
        """The error as SQLAlchemy raises it, without any value; a lost connection is given up."""
        is_lost = self._cursor is not None and self._cursor.connection.closed
        if is_lost:
            self._cursor = None
            if not self._open.invalidated:
                self._open.invalidate(error)
        return DBAPIError.instance(
            None, None, error, psycopg.Error,
            hide_parameters=True, connection_invalidated=is_lost, dialect=_DIALECT,
        )  # fmt: skip
