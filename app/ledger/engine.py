"""The door to PostgreSQL: a pool, transactions, migrations. It decides nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.ledger.arrays import ColumnDumper
from app.ledger.statements import Row, Rows, Statement, Tx, sql

__all__ = ["Ledger", "LedgerDown", "Row", "Rows", "Statement", "Tx", "sql"]

MIGRATIONS = Path(__file__).parent / "migrations"


class LedgerDown(Exception):
    """PostgreSQL cannot be reached; the message says where it was looked for, without secrets."""


class Ledger:
    """The ledger at `url` (postgresql://…); `pool` is the most connections one process opens."""

    def __init__(self, url: str, *, pool: int = 8) -> None:
        if url.startswith("postgresql://"):
            url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
        self.engine: Engine = create_engine(
            url,
            pool_size=pool,
            max_overflow=2,
            pool_pre_ping=True,
            pool_recycle=1800,
            hide_parameters=True,  # an error must not tell what a row holds
            connect_args={
                "connect_timeout": 10,
                "application_name": "jauap",
                "options": "-c timezone=UTC",
            },
        )

        event.listen(self.engine, "connect", _speak_binary)

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """One transaction: committed on leaving, rolled back on any exception."""
        with self.engine.begin() as connection:
            yield Tx(connection)

    @contextmanager
    def alone(self) -> Iterator[Tx]:
        """Statements that are each a transaction of their own."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield Tx(connection)

    def migrate(self) -> None:
        """Brings the schema to the newest version; running it again changes nothing."""
        import alembic.command  # 11 MB that only migrations need
        from alembic.config import Config

        try:
            with self.engine.begin() as connection:
                # Two processes may start at once: one migrates, the other waits and finds it done.
                connection.execute(text("SELECT pg_advisory_xact_lock(155)"))
                config = Config()
                config.set_main_option("script_location", str(MIGRATIONS))
                config.set_main_option("path_separator", "os")
                config.attributes["connection"] = connection
                alembic.command.upgrade(config, "head")
        except OperationalError as error:
            raise LedgerDown(self.describe(error)) from None

    def check(self) -> None:
        """Raises LedgerDown unless the ledger answers and has been migrated."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1 FROM alembic_version"))
        except OperationalError as error:
            raise LedgerDown(self.describe(error)) from None
        except DBAPIError:
            raise LedgerDown(
                f"the ledger at {self.where} has no tables of jauap yet; run: jauap migrate"
            ) from None

    @property
    def where(self) -> str:
        """Host and database, never the password."""
        url = self.engine.url
        return f"{url.query.get('host') or url.host or 'local socket'}/{url.database}"

    def describe(self, error: DBAPIError) -> str:
        """The server's first line about why it cannot be reached."""
        lines = str(error.orig).strip().splitlines() or ["no answer"]
        return f"PostgreSQL at {self.where} cannot be used: {lines[0]}"

    def dispose(self) -> None:
        """Closes every pooled connection."""
        self.engine.dispose()


def _speak_binary(connection: Any, _record: object) -> None:
    """Our statements take whole columns as arrays: in binary no octet has to be escaped."""
    connection.adapters.register_dumper(list, ColumnDumper)


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
    tx.execute(_SET_CLOCK, {"real": now, "virtual": virtual, "scale": scale})
    return now, virtual


_CANARY = sql("SELECT sealed FROM vault_canary")
_SET_CANARY = sql("INSERT INTO vault_canary (sealed) VALUES (:sealed) ON CONFLICT DO NOTHING")


def canary(tx: Tx, fresh: bytes) -> bytes:
    """The sealed word that tells whether the master key is this ledger's; written once."""
    tx.execute(_SET_CANARY, {"sealed": fresh})
    return bytes(tx.execute(_CANARY).scalar_one())


def ids(values: list[UUID]) -> list[UUID]:
    """Sorted, without repeats: rows are always locked in this order, so batches cannot deadlock."""
    return sorted(set(values))
