"""The door to PostgreSQL: transactions and migrations. It decides nothing."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from app.ledger.pool import Pool, connect
from app.ledger.statements import Asked, Row, Rows, Statement, Tx, of_all, sql

__all__ = ["Asked", "Ledger", "LedgerDown", "Row", "Rows", "Statement", "Tx", "of_all", "sql"]

MIGRATIONS = Path(__file__).parent / "migrations"


class LedgerDown(Exception):
    """PostgreSQL cannot be reached; the message says where it was looked for, without secrets."""


class Ledger:
    """The ledger at `url` (postgresql://…). Raises LedgerDown for a URL that libpq cannot read."""

    def __init__(self, url: str) -> None:
        try:
            self._parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError:  # it quotes what may be a password
            raise LedgerDown(
                "found a ledger.url that PostgreSQL cannot read, "
                "expected postgresql://user@host/database"
            ) from None
        self.url = url
        self.pool = Pool(url)

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """One transaction: committed on leaving, rolled back on any exception."""
        with self.alone() as tx:
            tx.begin()
            yield tx
            tx.commit()

    @contextmanager
    def alone(self) -> Iterator[Tx]:
        """Statements that are each a transaction of their own."""
        with self.pool.connection() as connection:
            tx = Tx(connection)
            try:
                yield tx
            finally:
                tx.end()

    def apart(self) -> Tx:
        """The same on a connection of its own, which lives until it is closed."""
        return Tx(connect(self.url))

    def migrate(self, to: str = "head") -> None:
        """Brings the schema to the newest version, or to another that follows the one it has;
        running it again changes nothing."""
        import alembic.command  # 23 MB that only migrations need
        from alembic.config import Config
        from sqlalchemy import NullPool, create_engine, text
        from sqlalchemy.exc import DBAPIError

        engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            isolation_level="READ COMMITTED",  # whoever has waited sees what was done meanwhile
            poolclass=NullPool,
        )
        try:
            with engine.begin() as connection:
                # Two processes may start at once: one migrates, the other waits and finds it done.
                connection.execute(text("SELECT pg_advisory_xact_lock(155)"))
                config = Config()
                config.set_main_option("script_location", str(MIGRATIONS))
                config.set_main_option("path_separator", "os")
                config.attributes["connection"] = connection
                alembic.command.upgrade(config, to)
        except DBAPIError as error:
            found = error.orig
            if isinstance(found, psycopg.OperationalError):
                raise LedgerDown(self.describe(found)) from None
            raise (found or error) from None

    def _connect(self) -> "psycopg.Connection[Any]":
        driver = connect(self.url).driver
        driver.autocommit = False
        return driver

    def check(self) -> None:
        """Raises LedgerDown unless the ledger answers and has been migrated."""
        try:
            with self.alone() as tx:
                tx.execute(_IS_MIGRATED)
        except psycopg.OperationalError as error:
            raise LedgerDown(self.describe(error)) from None
        except psycopg.Error:
            raise LedgerDown(
                f"the ledger at {self.where} has no tables of jauap yet; run: jauap migrate"
            ) from None

    @property
    def where(self) -> str:
        """Host and database, never the password."""
        return f"{self._part('host') or 'local socket'}/{self.database}"

    @property
    def database(self) -> str:
        """The database's name."""
        return self._part("dbname") or self._part("user")

    def _part(self, name: str) -> str:
        return str(self._parts.get(name) or "")

    def describe(self, error: psycopg.Error) -> str:
        """The server's first line about why it cannot be reached."""
        lines = str(error).strip().splitlines() or ["no answer"]
        return f"PostgreSQL at {self.where} cannot be used: {lines[0]}"

    def dispose(self) -> None:
        """Closes every connection that is kept."""
        self.pool.dispose()


_IS_MIGRATED = sql("SELECT 1 FROM alembic_version")
_CLOCK = sql("SELECT real, virtual, scale FROM sandbox_clock")
_SET_CLOCK = sql(
    """INSERT INTO sandbox_clock (real, virtual, scale) VALUES (:real, :virtual, :scale)
    ON CONFLICT (one) DO UPDATE SET real = :real, virtual = :virtual, scale = :scale"""
)


def sandbox_anchor(tx: Tx, now: datetime, scale: float) -> tuple[datetime, datetime]:
    """Where the sandbox's fast clock is anchored (real, virtual): every process of a sandbox
    reads one row, and a restart with another scale goes on from the same virtual moment."""
    row = tx.execute(_CLOCK).one_or_none()
    if row is not None and row.scale == scale:
        return row.real, row.virtual
    virtual = now if row is None else row.virtual + (now - row.real) * row.scale
    tx.write(_SET_CLOCK, {"real": now, "virtual": virtual, "scale": scale})
    return now, virtual


_CANARY = sql("SELECT sealed FROM vault_canary")
_SET_CANARY = sql("INSERT INTO vault_canary (sealed) VALUES (:sealed) ON CONFLICT DO NOTHING")


def canary(tx: Tx, fresh: bytes) -> bytes:
    """The sealed word that tells whether the master key is this ledger's; written once."""
    tx.write(_SET_CANARY, {"sealed": fresh})
    return bytes(tx.execute(_CANARY).scalar_one())


_BY_INDEX = sql("SET LOCAL enable_seqscan = off")


def by_index(tx: Tx) -> None:
    """No statement of this transaction needs a table in whole. A plan made while a table is new
    and small would read it so, and is kept for minutes while it grows."""
    tx.write(_BY_INDEX)


_BY_NUMBER = attrgetter("int")  # as UUIDs are compared, but not in Python


def ids(values: Iterable[UUID]) -> list[UUID]:
    """Sorted, without repeats: rows are always locked in this order, so batches cannot deadlock."""
    return sorted(set(values), key=_BY_NUMBER)
