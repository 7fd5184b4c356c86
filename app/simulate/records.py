"""What a simulation asks of its own ledger, and how that ledger is set up for speed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.ledger.engine import Ledger, Row, Tx, sql

AT_ONCE = 5_000  # offers read together
# A simulation that loses power starts anew: nothing of it has to be on a disk. And what the server
# does by itself, by the wall's clock, must not choose another plan in one run than in the next.
_FAST = (
    "ALTER DATABASE {database} SET synchronous_commit = off",
    "ALTER SYSTEM SET autovacuum = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "SELECT pg_reload_conf()",
)
# Those that refer to one another, which would have to change together, are of other rooms.
_TABLES = """SELECT c.oid::regclass::text FROM pg_class c
    WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND c.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_constraint f
                    WHERE f.contype = 'f' AND c.oid IN (f.conrelid, f.confrelid))
    ORDER BY c.relname"""


def make_fast(ledger: Ledger) -> None:
    """Nothing waits for the disk any more, nothing is written ahead of it, nothing is cleaned up
    by the wall's clock. Only for a ledger of our own that is empty and is thrown away."""
    with ledger.alone() as tx:
        for statement in _FAST:
            tx.write(sql(statement.format(database=ledger.database)))
        for table in tx.execute(sql(_TABLES)).scalars():
            tx.write(sql(f"ALTER TABLE {table} SET UNLOGGED"))
    ledger.dispose()


_CLEAN = sql("VACUUM (INDEX_CLEANUP ON) offers, offer_deadlines, outbox, questions, segments")


def clean(ledger: Ledger) -> None:
    """Takes away what is dead, as autovacuum would, but by the campaign's own clock."""
    with ledger.alone() as tx:
        tx.write(_CLEAN)


_NEXT_DUE = sql("SELECT min(due_at) FROM outbox WHERE state = 'ready'")
_OPEN = sql("SELECT count(*) FROM offers WHERE state IN ('made', 'sent', 'awaiting')")


def next_due(tx: Tx) -> datetime | None:
    """When the next message may leave as far as the outbox has a say; None: there is none."""
    due: datetime | None = tx.execute(_NEXT_DUE).scalar_one()
    return due


def open_offers(tx: Tx) -> int:
    """How many offers have no outcome yet."""
    return int(tx.execute(_OPEN).scalar_one())


@dataclass(frozen=True, slots=True)
class Ended:
    """An offer at the end, and all that was counted about it: entries of its journal that end it,
    closing messages, events of its outcome, and words of its recipient that are kept with it."""

    id: UUID
    state: str
    network: str | None
    sent_at: datetime | None
    received_at: datetime | None
    deadline: datetime | None
    closed_at: datetime | None
    answered_by: str | None
    endings: int
    lapsed_at: datetime | None
    closings: int
    outcomes: tuple[str, ...]
    kept: int
    unclear: int


_ENDED = sql(
    """SELECT o.id, o.state, o.network, o.sent_at, o.received_at, o.deadline, o.closed_at,
        o.answered_by, coalesce(j.endings, 0) AS endings, j.lapsed_at,
        coalesce(b.closings, 0) AS closings, coalesce(e.types, '{}') AS outcomes,
        coalesce(k.kept, 0) AS kept, coalesce(j.unclear, 0) AS unclear
    FROM offers o
    LEFT JOIN (SELECT case_id, count(*) FILTER (WHERE kind = ANY(CAST(:endings AS text[])))
                   AS endings, min(at) FILTER (WHERE kind = 'lapsed') AS lapsed_at,
                   count(*) FILTER (WHERE kind = 'heard-unclear') AS unclear
               FROM journal GROUP BY case_id) j ON j.case_id = o.id
    LEFT JOIN (SELECT case_id, count(*) AS closings FROM outbox
               WHERE kind = ANY(CAST(:closings AS text[])) AND state <> 'cancelled'
               GROUP BY case_id) b ON b.case_id = o.id
    LEFT JOIN (SELECT case_id, array_agg(type ORDER BY sequence) AS types FROM events
               WHERE type = ANY(CAST(:events AS text[])) GROUP BY case_id) e ON e.case_id = o.id
    LEFT JOIN (SELECT case_id, count(*) AS kept FROM journal_evidence GROUP BY case_id) k
        ON k.case_id = o.id
    ORDER BY o.reference"""
)
_HEARD = sql("SELECT phone_index, count(*) AS kept FROM heard GROUP BY phone_index")
_STATES = sql("SELECT id, state FROM offers WHERE id = ANY(CAST(:ids AS uuid[]))")


def ended(
    tx: Tx, endings: Sequence[str], closings: Sequence[str], events: Sequence[str]
) -> Iterable[Ended]:
    """Every offer, one after another; the arguments are what ends one in the journal, what tells
    its recipient so, and what tells its provider."""
    values: dict[str, Any] = {
        "endings": list(endings),
        "closings": list(closings),
        "events": list(events),
    }
    return (_ended(r) for r in tx.stream(_ENDED, values, at_once=AT_ONCE))


def _ended(r: Row) -> Ended:
    return Ended(
        r.id, r.state, r.network, r.sent_at, r.received_at, r.deadline, r.closed_at,
        r.answered_by, r.endings, r.lapsed_at, r.closings, tuple(r.outcomes), r.kept, r.unclear,
    )  # fmt: skip


def heard(tx: Tx) -> dict[bytes, int]:
    """How many messages are kept beside any case, by the phone's index."""
    return {bytes(r.phone_index): r.kept for r in tx.execute(_HEARD)}


def states(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Where these offers stand."""
    return {r.id: r.state for r in tx.execute(_STATES, {"ids": list(ids)})}
