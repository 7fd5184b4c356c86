"""Which MOs came before: the copies of each that its network may deliver again.

A copy is forgotten once the network is known to have read our answer to it.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from app.ledger.engine import Tx, sql

Copy = tuple[str, datetime]
"""The connection by which one came, and when it was committed."""

MOST_COPIES = 100  # of the same words from one phone, unread

_NEW = sql(
    """INSERT INTO mo_keys (key, received_at, copies)
    SELECT DISTINCT ON (key) key, :now, CAST(copies AS jsonb)
    FROM unnest(CAST(:keys AS bytea[]), CAST(:copies AS text[])) AS t (key, copies)
    ON CONFLICT (key) DO NOTHING
    RETURNING key"""
)
_KNOWN = sql(
    """SELECT key, copies FROM mo_keys WHERE key = ANY(CAST(:keys AS bytea[]))
    ORDER BY key FOR UPDATE"""
)
_NOTE = sql(
    """UPDATE mo_keys k SET received_at = :now, copies = CAST(t.copies AS jsonb)
    FROM unnest(CAST(:keys AS bytea[]), CAST(:copies AS text[])) AS t (key, copies)
    WHERE k.key = t.key"""
)
_THROUGH = sql(
    """SELECT connection, through FROM mo_reads
    WHERE connection = ANY(CAST(:connections AS text[]))"""
)
_READ = sql(
    """INSERT INTO mo_reads AS r (connection, through)
    SELECT * FROM unnest(CAST(:connections AS text[]), CAST(:through AS timestamptz[]))
    ON CONFLICT (connection) DO UPDATE SET through = excluded.through
        WHERE r.through < excluded.through"""
)
_FORGET_KEYS = sql("DELETE FROM mo_keys WHERE received_at < :before")
_FORGET_READS = sql("DELETE FROM mo_reads WHERE through < :before")


class Sighting(Struct, frozen=True):
    """An MO by its key. `live` are connections that stand, so that nothing of theirs comes by
    another; `since`: older copies do not count. `is_numbered`: the handset's own number is in the
    key, so that an equal key is the same message, read or not."""

    key: bytes
    connection: str
    since: datetime | None
    live: Collection[str] = ()
    is_numbered: bool = False


def sight(tx: Tx, sightings: Sequence[Sighting], now: datetime) -> list[datetime | None]:
    """Notes MOs in their order, and tells of each when the copy was committed that it repeats, or
    None where it is a message of its own."""
    if not sightings:
        return []
    first = {s.key: [(s.connection, now)] for s in reversed(sightings)}
    texts = {c: _written([(c, now)]) for c in {s.connection for s in sightings}}  # few
    values = {
        "keys": list(first),
        "copies": [texts[connection] for [(connection, _)] in first.values()],
        "now": now,
    }
    new = {bytes(key) for key in tx.execute(_NEW, values).scalars()}
    old = [key for key in first if key not in new]
    found = tx.execute(_KNOWN, {"keys": old}).all() if old else []
    copies: dict[bytes, list[Copy]] = {key: [] for key in first}
    copies |= {bytes(r.key): _copies(r.copies) for r in found}
    through = _through(tx, {c for known in copies.values() for c, _ in known})
    told = [_take(s, copies[s.key], through, now) for s in sightings]
    changed = [k for k, known in copies.items() if known != first[k] or k not in new]
    if changed:
        written = [_written(copies[k]) for k in changed]
        tx.write(_NOTE, {"keys": changed, "copies": written, "now": now})
    return told


def _take(
    s: Sighting, copies: list[Copy], through: Mapping[str, datetime], now: datetime
) -> datetime | None:
    """The oldest copy that this may be, taken away; this one is noted in its place."""
    repeated: Copy | None = None
    for copy in copies:
        connection, at = copy
        is_unread = s.is_numbered or connection not in through or at > through[connection]
        is_elsewhere = connection != s.connection and connection not in s.live
        if is_unread and is_elsewhere and (s.since is None or at >= s.since):
            repeated = copy
            break
    if repeated is not None:
        copies.remove(repeated)
    copies.append((s.connection, now))
    del copies[:-MOST_COPIES]
    return None if repeated is None else repeated[1]


def _copies(found: Sequence[Sequence[str]]) -> list[Copy]:
    return [(connection, datetime.fromisoformat(at)) for connection, at in found]


def _written(copies: Sequence[Copy]) -> str:
    return json.dumps([[connection, at.isoformat()] for connection, at in copies])


def _through(tx: Tx, connections: Collection[str]) -> dict[str, datetime]:
    if not connections:
        return {}
    found = tx.execute(_THROUGH, {"connections": sorted(connections)})
    return {r.connection: r.through for r in found}


def read(tx: Tx, through: Mapping[str, datetime]) -> None:
    """By connection, up to which commit the network has read our answers."""
    if through:
        names = sorted(through)
        tx.write(_READ, {"connections": names, "through": [through[n] for n in names]})


def forget_keys(tx: Tx, before: datetime) -> None:
    """Forgets what is too old to be redelivered."""
    tx.write(_FORGET_KEYS, {"before": before})
    tx.write(_FORGET_READS, {"before": before})
