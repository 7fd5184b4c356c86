"""The door to PostgreSQL: a pool, transactions, migrations. It decides nothing."""

import logging
import select
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError

from app.ledger.arrays import ColumnDumper
from app.ledger.statements import Asked, Row, Rows, Statement, Tx, of_all, sql

__all__ = ["Asked", "Ledger", "LedgerDown", "Row", "Rows", "Statement", "Tx", "of_all", "sql"]

# What breaks a pipeline is raised; that its end then fails as well is no news.
logging.getLogger("psycopg").setLevel(logging.ERROR)
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
            isolation_level="AUTOCOMMIT",  # Tx says BEGIN and COMMIT, each with its neighbours
            pool_size=pool,
            max_overflow=2,
            pool_recycle=1800,
            hide_parameters=True,  # an error must not tell what a row holds
            connect_args={
                "connect_timeout": 10,
                "application_name": "jauap",
                "options": "-c timezone=UTC",
            },
        )

        event.listen(self.engine, "connect", _speak_binary)
        event.listen(self.engine, "checkout", _must_stand)

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """One transaction: committed on leaving, rolled back on any exception."""
        with self.engine.begin() as connection:
            tx = Tx(connection)
            tx.begin()
            yield tx
            tx.commit()

    @contextmanager
    def alone(self) -> Iterator[Tx]:
        """Statements that are each a transaction of their own."""
        with self.engine.connect() as connection:
            yield Tx(connection)

    def migrate(self) -> None:
        """Brings the schema to the newest version; running it again changes nothing."""
        import alembic.command  # 11 MB that only migrations need
        from alembic.config import Config

        try:
            with self.engine.execution_options(
                isolation_level="READ COMMITTED"
            ).begin() as connection:
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


def _must_stand(connection: Any, record: Any, _proxy: object) -> None:
    """Nobody asked an idle connection anything, so what it has to say is that the server has
    closed it. That is known without a trip; all that stem from the same server are given up."""
    is_new = record.info.setdefault("new", True)
    record.info["new"] = False
    if not is_new and (connection.closed or _has_news(connection.fileno())):
        raise InvalidatePoolError


def _has_news(socket: int) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


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
