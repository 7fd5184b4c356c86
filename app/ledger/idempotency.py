"""The first answer to every Idempotency-Key, kept in the transaction that did what it asked.

It compares fingerprints and never sees a body; what it stores is the answer, which holds nothing
personal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import LockNotAvailable

from app.ledger.engine import Tx, sql

PATIENCE_MS = 5000  # how long a second call waits for the first one of its key
RUNNING = 0  # the status of a claim whose answer is not there yet; only its own transaction sees it


@dataclass(frozen=True, slots=True)
class Claim:
    """A key of an owner, and the fingerprint of what is asked with it."""

    owner: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time: HTTP status and body."""

    status: int
    body: bytes


class Reused(Exception):
    """The key was used before, for something else."""


class Running(Exception):
    """The first call of this key has not ended yet."""


_PATIENCE = sql("SELECT set_config('lock_timeout', :value, true)")
_CLAIM = sql(
    f"""INSERT INTO idempotency (owner, key, fingerprint, status, body, created_at)
    VALUES (:owner, :key, :fingerprint, {RUNNING}, '', :now)
    ON CONFLICT (owner, key) DO NOTHING RETURNING key"""
)
_FIND = sql("SELECT fingerprint, status, body FROM idempotency WHERE owner = :owner AND key = :key")
_CLAIM_ALL = sql(
    f"""INSERT INTO idempotency (owner, key, fingerprint, status, body, created_at)
    SELECT owner, key, fingerprint, {RUNNING}, '', :now
    FROM unnest(CAST(:owners AS text[]), CAST(:keys AS text[]), CAST(:fingerprints AS bytea[]))
        AS t (owner, key, fingerprint)
    ORDER BY owner, key
    ON CONFLICT (owner, key) DO NOTHING RETURNING owner, key"""
)
_STORE = sql(
    "UPDATE idempotency SET status = :status, body = :body WHERE owner = :owner AND key = :key"
)
_STORE_ALL = sql(
    """UPDATE idempotency i SET status = t.status, body = t.body
    FROM unnest(CAST(:owners AS text[]), CAST(:keys AS text[]), CAST(:statuses AS smallint[]),
        CAST(:bodies AS bytea[])) AS t (owner, key, status, body)
    WHERE i.owner = t.owner AND i.key = t.key"""
)
_GIVE_UP = sql(
    """DELETE FROM idempotency i USING unnest(CAST(:owners AS text[]), CAST(:keys AS text[]))
        AS t (owner, key)
    WHERE i.owner = t.owner AND i.key = t.key"""
)
_FORGET = sql("DELETE FROM idempotency WHERE created_at < :before")


def claim(tx: Tx, wanted: Claim, now: datetime) -> Answer | None:
    """None: the key is ours, to be answered with `store` in this transaction. Else the first
    answer. A call of the same key that is still running is waited for, at most five seconds.

    Raises Reused, or Running when the wait was too long; the transaction is then lost."""
    if _insert(tx, wanted, now):
        return None
    return _first(tx, wanted)


def _first(tx: Tx, wanted: Claim) -> Answer:
    row = tx.execute(_FIND, {"owner": wanted.owner, "key": wanted.key}).one()
    if bytes(row.fingerprint) != wanted.fingerprint:
        raise Reused
    return Answer(row.status, bytes(row.body))


def _insert(tx: Tx, wanted: Claim, now: datetime) -> bool:
    values = {
        "owner": wanted.owner,
        "key": wanted.key,
        "fingerprint": wanted.fingerprint,
        "now": now,
    }
    tx.write(_PATIENCE, {"value": f"{PATIENCE_MS}ms"})
    try:
        is_ours = tx.execute(_CLAIM, values).one_or_none() is not None
    except LockNotAvailable:
        raise Running from None
    tx.write(_PATIENCE, {"value": "0"})
    return is_ours


def claim_all(tx: Tx, wanted: Sequence[Claim], now: datetime) -> dict[Claim, Answer | Reused]:
    """The same for claims of different keys at once: those that are not ours, with the answer
    given before, or with Reused. Whoever is still running is waited for without end: call it only
    in transactions that are as short as those it may wait for."""
    if not wanted:
        return {}
    values = {
        "owners": [c.owner for c in wanted],
        "keys": [c.key for c in wanted],
        "fingerprints": [c.fingerprint for c in wanted],
        "now": now,
    }
    ours = {(r.owner, r.key) for r in tx.execute(_CLAIM_ALL, values)}
    known: dict[Claim, Answer | Reused] = {}
    for one in wanted:
        if (one.owner, one.key) not in ours:
            try:
                answer = _first(tx, one)
            except Reused as reused:
                known[one] = reused
            else:
                known[one] = answer
    return known


def store(tx: Tx, claimed: Claim, answer: Answer) -> None:
    """Keeps the answer to a claim of this transaction."""
    tx.write(
        _STORE,
        {
            "owner": claimed.owner,
            "key": claimed.key,
            "status": answer.status,
            "body": answer.body,
        },
    )


def store_all(tx: Tx, answered: Sequence[tuple[Claim, Answer]]) -> None:
    """Keeps the answers to claims of this transaction."""
    if answered:
        values = {
            "owners": [c.owner for c, _ in answered],
            "keys": [c.key for c, _ in answered],
            "statuses": [a.status for _, a in answered],
            "bodies": [a.body for _, a in answered],
        }
        tx.write(_STORE_ALL, values)


def give_up(tx: Tx, claimed: Sequence[Claim]) -> None:
    """Frees claims of this transaction that got no answer worth keeping."""
    if claimed:
        tx.write(_GIVE_UP, {"owners": [c.owner for c in claimed], "keys": [c.key for c in claimed]})


def forget(tx: Tx, before: datetime) -> int:
    """Removes answers given before `before`; how many."""
    return tx.execute(_FORGET, {"before": before}).rowcount
