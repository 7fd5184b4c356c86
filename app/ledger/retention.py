"""Erases personal data when its term is over, batch by batch, and says so in the journal: a case
whose words are gone still verifies, for the chain holds their digests and the erasure itself.

No row of the journal changes. What is erased lies beside it: what people said, the messages we
sent, what belonged to no case, and the phone an offer was made to.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from app.calendar import local_date
from app.catalogue.retention import Keep, Kind
from app.ledger import auditing
from app.ledger.chain import ERASED, Chain
from app.ledger.encryption import Vault
from app.ledger.engine import Ledger, Tx, sql
from app.ledger.ids import first_id, new_id
from app.ledger.journal import Journal

BATCH = 500
# What an earlier run passed over because somebody held it is looked at again for so long.
AGAIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Addressed:
    """A table whose cases hold an address: the sealed column, and what is left in it."""

    table: str
    column: str
    left: bytes


ADDRESSED = (
    Addressed("offers", "facts", b'{"phone":"","values":{}}'),
    Addressed("wallet_notices", "words", b""),
    Addressed("wallet_consents", "phone", b""),
)

# Where a case's own row repeats words for their reader: column by table. They go with the evidence.
WORDED = {"wallet_notices": "words"}


@dataclass(frozen=True, slots=True)
class Erased:
    """What one run did, or would do, for one kind: so many rows from before `before`."""

    what: Kind
    days: int
    before: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Work:
    """One kind's share of a run."""

    ledger: Ledger
    vault: Vault
    keep: Keep
    now: datetime

    @property
    def before(self) -> datetime:
        """What is older than this is to go."""
        return self.now - timedelta(days=self.keep.days)

    @property
    def facts(self) -> dict[str, object]:
        """What the journal says of an erasure."""
        return {"what": self.keep.what, "days": self.keep.days, "rule_of": self.keep.start}


Progress = Callable[[Kind, int], None]

_LOCK = sql("SELECT pg_try_advisory_xact_lock(155, 12)")
_DONE_ON = sql("SELECT EXISTS (SELECT FROM erasures WHERE day = :day)")
_RECORD = sql(
    """INSERT INTO erasures (id, at, day, what, days, rule, erased)
    VALUES (:id, :at, :day, :what, :days, :rule, :erased)"""
)
_LAST = sql("SELECT max(at) FROM erasures WHERE what = :what")
_CASES_WITH_WORDS = sql(
    """SELECT DISTINCT case_id FROM journal_evidence WHERE case_id > :after AND case_id < :bound
    ORDER BY case_id LIMIT :limit"""
)
_CLOSED = """SELECT id, version, head FROM {table}
    WHERE id = ANY(CAST(:ids AS uuid[])) AND closed_at < :before
    ORDER BY id FOR UPDATE SKIP LOCKED"""
_WORDS = sql(
    """SELECT e.case_id, e.seq FROM journal_evidence e
    JOIN journal j ON j.case_id = e.case_id AND j.seq = e.seq
    WHERE e.case_id = ANY(CAST(:ids AS uuid[])) AND j.at < :before ORDER BY e.case_id, e.seq"""
)
_ERASE_WORDS = sql(
    """DELETE FROM journal_evidence e
    USING unnest(CAST(:cases AS uuid[]), CAST(:seqs AS int[])) AS t (case_id, seq)
    WHERE e.case_id = t.case_id AND e.seq = t.seq"""
)
_FORGET = "UPDATE {table} SET {column} = NULL WHERE id = ANY(CAST(:ids AS uuid[]))"
_ADVANCE = """UPDATE {table} o SET version = t.version, head = t.head
    FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[]), CAST(:heads AS bytea[]))
        AS t (id, version, head) WHERE o.id = t.id"""
_WITH_ADDRESS = """SELECT id, version, head FROM {table}
    WHERE id > :after AND id < :bound AND closed_at < :before AND phone_index <> ''
    ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"""
_ERASE_ADDRESS = """UPDATE {table} o SET {column} = t.left_over, phone_index = ''
    FROM unnest(CAST(:ids AS uuid[]), CAST(:left AS bytea[])) AS t (id, left_over)
    WHERE o.id = t.id"""
_OLD_MESSAGES = sql(
    """SELECT id FROM outbox WHERE id < :bound AND state <> 'ready'
    ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"""
)
_ERASE_SEGMENTS = sql("DELETE FROM segments WHERE outbox_id = ANY(CAST(:ids AS uuid[]))")
_ERASE_MESSAGES = sql("DELETE FROM outbox WHERE id = ANY(CAST(:ids AS uuid[]))")
_ERASE_HEARD = sql(
    """WITH old AS MATERIALIZED (
        SELECT id FROM heard WHERE received_at < :before
        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
    DELETE FROM heard h USING old WHERE h.id = old.id"""
)


def run(
    ledger: Ledger,
    vault: Vault,
    terms: Mapping[Kind, Keep],
    now: datetime,
    *,
    dry: bool = False,
    is_stopped: Callable[[], bool] = lambda: False,
    progress: Progress = lambda what, rows: None,
) -> list[Erased]:
    """Erases what is due by `terms`, in short transactions, and records each kind's count. Broken
    off, it goes on where it was the next time. With `dry` it counts, and undoes every step."""
    done: list[Erased] = []
    for keep in terms.values():
        work, rows = Work(ledger, vault, keep, now), 0
        for erased in _STEPS[keep.what](work, dry):
            rows += erased
            progress(keep.what, rows)
            if is_stopped():
                return done
        done.append(Erased(keep.what, keep.days, work.before, rows))
        if not dry:
            _record(work, rows)
    return done


@contextmanager
def turn(ledger: Ledger, day: date) -> Iterator[bool]:
    """Is it ours to run on that day? Not where a run of it is recorded, and not while another
    process is at it; nobody else begins until the block ends."""
    with ledger.begin() as tx:
        is_ours = bool(tx.execute(_LOCK).scalar_one())
        yield is_ours and not tx.execute(_DONE_ON, {"day": day}).scalar_one()


def _record(work: Work, rows: int) -> None:
    with work.ledger.begin() as tx:
        tx.write(
            _RECORD,
            {
                "id": new_id(work.now),
                "at": work.now,
                "day": local_date(work.now),
                "what": work.keep.what,
                "days": work.keep.days,
                "rule": work.keep.start,
                "erased": rows,
            },
        )


class _Undone(Exception):
    """A dry run's step, to be rolled back."""


def _step(work: Work, dry: bool, act: Callable[[Tx], int]) -> int:
    rows = 0
    try:
        with work.ledger.begin() as tx:
            rows = act(tx)
            if dry:
                raise _Undone
    except _Undone:
        pass
    return rows


def _words(work: Work, dry: bool) -> Iterator[int]:
    """Cases with words, oldest first: ids sort by time, so the first that is too young ends it."""
    after, bound = UUID(int=0), first_id(work.before)
    while True:
        with work.ledger.begin() as tx:
            values = {"after": after, "bound": bound, "limit": BATCH}
            found = list(tx.execute(_CASES_WITH_WORDS, values).scalars())
        if not found:
            return
        after = found[-1]
        ids = found
        yield _step(work, dry, lambda tx, ids=ids: _erase_words(tx, work, ids))  # type: ignore[misc]


def _erase_words(tx: Tx, work: Work, case_ids: Sequence[UUID]) -> int:
    erased = 0
    for table in _closing_tables(tx):
        statement = sql(_CLOSED.format(table=table))
        rows = tx.execute(statement, {"ids": list(case_ids), "before": work.before})
        chains = {r.id: Chain(r.id, r.version, bytes(r.head)) for r in rows}
        values = {"ids": list(chains), "before": work.before}
        words = [(r.case_id, r.seq) for r in tx.execute(_WORDS, values)]
        if not words:
            continue
        by_case: dict[UUID, list[int]] = {}
        for case_id, seq in words:
            by_case.setdefault(case_id, []).append(seq)
        told = [(chains[case_id], {"entries": seqs}) for case_id, seqs in by_case.items()]
        _tell(tx, work, table, told)
        if table in WORDED:
            forget = sql(_FORGET.format(table=table, column=WORDED[table]))
            tx.write(forget, {"ids": list(by_case)})
        columns = {"cases": [c for c, _ in words], "seqs": [s for _, s in words]}
        erased += tx.execute(_ERASE_WORDS, columns).rowcount
    return erased


def _tell(
    tx: Tx, work: Work, table: str, chains: Sequence[tuple[Chain, Mapping[str, object]]]
) -> None:
    """One entry a case, and the cases' own rows follow."""
    journal = Journal(work.vault)
    for chain, facts in chains:
        journal.append(chain, ERASED, work.now, **work.facts, **facts)
    journal.write(tx)
    ends = [chain for chain, _ in chains]
    tx.write(
        sql(_ADVANCE.format(table=table)),
        {
            "ids": [c.case_id for c in ends],
            "versions": [c.version for c in ends],
            "heads": [c.head for c in ends],
        },
    )


def _closing_tables(tx: Tx) -> list[str]:
    return auditing.case_tables(tx, "closed_at")


def _addresses(work: Work, dry: bool) -> Iterator[int]:
    with work.ledger.begin() as tx:
        last = tx.execute(_LAST, {"what": work.keep.what}).scalar_one()
    for one in ADDRESSED:
        begin = UUID(int=0) if last is None else first_id(work.before - (work.now - last) - AGAIN)
        after = [begin]
        while True:
            rows = _step(work, dry, lambda tx, one=one, at=after: _erase_address(tx, work, one, at))  # type: ignore[misc]
            if not rows:
                break
            yield rows


def _erase_address(tx: Tx, work: Work, one: Addressed, after: list[UUID]) -> int:
    """`after` moves on to the last case that was looked at."""
    values = {
        "after": after[0],
        "bound": first_id(work.before),
        "before": work.before,
        "limit": BATCH,
    }
    rows = list(tx.execute(sql(_WITH_ADDRESS.format(table=one.table)), values))
    if not rows:
        return 0
    after[0] = rows[-1].id
    _tell(tx, work, one.table, [(Chain(r.id, r.version, bytes(r.head)), {}) for r in rows])
    ids = [r.id for r in rows]
    left = [work.vault.seal(one.left, case_id.bytes) for case_id in ids]
    statement = sql(_ERASE_ADDRESS.format(table=one.table, column=one.column))
    tx.write(statement, {"ids": ids, "left": left})
    return len(ids)


def _messages(work: Work, dry: bool) -> Iterator[int]:
    def act(tx: Tx) -> int:
        values = {"bound": first_id(work.before), "limit": BATCH if not dry else None}
        ids = list(tx.execute(_OLD_MESSAGES, values).scalars())
        tx.write(_ERASE_SEGMENTS, {"ids": ids})
        return tx.execute(_ERASE_MESSAGES, {"ids": ids}).rowcount

    return _until_none(work, dry, act)


def _heard(work: Work, dry: bool) -> Iterator[int]:
    def act(tx: Tx) -> int:
        values = {"before": work.before, "limit": BATCH if not dry else None}
        return tx.execute(_ERASE_HEARD, values).rowcount

    return _until_none(work, dry, act)


def _until_none(work: Work, dry: bool, act: Callable[[Tx], int]) -> Iterator[int]:
    while True:
        rows = _step(work, dry, act)
        yield rows
        if dry or not rows:
            return


_STEPS: Mapping[Kind, Callable[[Work, bool], Iterator[int]]] = {
    Kind.WORDS: _words,
    Kind.MESSAGES: _messages,
    Kind.HEARD: _heard,
    Kind.ADDRESS: _addresses,
}
