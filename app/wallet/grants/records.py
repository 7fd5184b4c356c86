"""The tables of grants, their uses and closings: rows are only ever added."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.ledger.engine import Row, Tx, sql
from app.ledger.journal import Chain


@dataclass(frozen=True, slots=True)
class Grant:
    """An account of a grant, or a correction of one (`corrects` names the first). `amount` is in
    tiyn, `iin_index` the opaque index of the person."""

    id: UUID
    owner: str
    source: str
    source_id: str
    measure: str
    recipient_id: UUID
    iin_index: bytes
    kind: str | None
    amount: int | None
    granted_at: datetime
    is_cancelled: bool
    corrects: UUID | None
    notice_id: UUID | None
    chain: Chain
    created_at: datetime
    used_at: datetime | None = None


_PLAIN = (
    ("id", "uuid"), ("owner", "text"), ("source", "text"), ("source_id", "text"),
    ("measure", "text"), ("recipient_id", "uuid"), ("kind", "text"), ("amount", "bigint"),
    ("granted_at", "timestamptz"), ("is_cancelled", "boolean"), ("corrects", "uuid"),
    ("notice_id", "uuid"), ("created_at", "timestamptz"),
)  # fmt: skip
_ALL = (*_PLAIN, ("version", "int"), ("head", "bytea"))
_NAMES = ", ".join(name for name, _ in _ALL)
_ARRAYS = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _ALL)
_SELECT = f"""SELECT {", ".join(f"g.{name}" for name, _ in _ALL)}, g.seq, r.iin_index, u.used_at
    FROM wallet_grants g JOIN recipients r ON r.id = g.recipient_id
    LEFT JOIN wallet_uses u ON u.grant_id = coalesce(g.corrects, g.id)"""
# Two calls with one source id wait for one another here, so that the second sees the first.
_LOCK = sql(
    """SELECT pg_advisory_xact_lock(214, k) FROM (
        SELECT DISTINCT hashtext(:owner || chr(31) || s || chr(31) || i) & 1023 AS k
        FROM unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS t (s, i)
        ORDER BY k) locks"""
)
_INSERT = sql(f"INSERT INTO wallet_grants ({_NAMES}) SELECT * FROM unnest({_ARRAYS})")
_BY_SOURCE = sql(
    f"""{_SELECT} JOIN unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS t (s, i)
        ON t.s = g.source AND t.i = g.source_id
    WHERE g.owner = :owner"""
)
# How a grant stands: its last correction, or itself.
_CURRENT = sql(
    f"""SELECT DISTINCT ON (first) * FROM (
        SELECT coalesce(g.corrects, g.id) AS first, g.* FROM ({_SELECT}) g
        WHERE g.id = ANY(CAST(:ids AS uuid[])) OR g.corrects = ANY(CAST(:ids AS uuid[]))) c
    ORDER BY first, seq DESC"""
)
# As they stand after their corrections; what was cancelled was no grant.
_OF_PERIOD = sql(
    """SELECT f.source_id FROM (
        SELECT DISTINCT ON (coalesce(corrects, id)) coalesce(corrects, id) AS first, measure,
            granted_at, is_cancelled
        FROM wallet_grants WHERE owner = :owner AND source = :source
        ORDER BY coalesce(corrects, id), seq DESC) g
    JOIN wallet_grants f ON f.id = g.first
    WHERE NOT g.is_cancelled AND (CAST(:measure AS text) IS NULL OR g.measure = :measure)
      AND g.granted_at >= :since AND g.granted_at < :until
      AND NOT g.first = ANY(CAST(:but AS uuid[]))
    ORDER BY g.granted_at, f.source_id"""
)
_PAGE = sql(
    f"""{_SELECT} WHERE (CAST(:owner AS text) IS NULL OR g.owner = :owner)
      AND (CAST(:measure AS text) IS NULL OR g.measure = :measure)
      AND (CAST(:source_id AS text) IS NULL OR g.source_id = :source_id)
      AND (CAST(:after AS uuid) IS NULL OR g.id < :after)
    ORDER BY g.id DESC LIMIT :limit"""
)
_USE = sql(
    """INSERT INTO wallet_uses (grant_id, used_at, created_at) VALUES (:grant, :at, :now)
    ON CONFLICT DO NOTHING RETURNING grant_id"""
)
_CLOSE = sql(
    """INSERT INTO wallet_closings (id, owner, source, source_id, measure, recipient_id, notice_id,
        grant_id, version, head, created_at)
    VALUES (:id, :owner, :source, :source_id, :measure, :recipient_id, :notice_id, :grant_id,
        :version, :head, :now)
    ON CONFLICT DO NOTHING RETURNING id"""
)
_CLOSED = sql(
    """SELECT id, created_at, notice_id, grant_id FROM wallet_closings
    WHERE owner = :owner AND source = :source AND source_id = :source_id"""
)


def _grant(r: Row) -> Grant:
    return Grant(
        r.id, r.owner, r.source, r.source_id, r.measure, r.recipient_id, bytes(r.iin_index),
        r.kind, r.amount, r.granted_at, r.is_cancelled, r.corrects, r.notice_id,
        Chain(r.id, r.version, bytes(r.head)), r.created_at, r.used_at,
    )  # fmt: skip


def lock(tx: Tx, owner: str, keys: Sequence[tuple[str, str]]) -> None:
    """Holds these (source, source id) of an owner until the transaction ends."""
    tx.write(_LOCK, {"owner": owner, "sources": [s for s, _ in keys], "ids": [i for _, i in keys]})


def insert(tx: Tx, grants: Sequence[Grant]) -> None:
    """Adds accounts; their source ids were found to be free under a lock."""
    if not grants:
        return
    values: dict[str, Any] = {n: [getattr(g, n) for g in grants] for n, _ in _PLAIN}
    values["version"] = [g.chain.version for g in grants]
    values["head"] = [g.chain.head for g in grants]
    tx.write(_INSERT, values)


def by_source(tx: Tx, owner: str, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Grant]:
    """What was accounted for under these (source, source id) of an owner."""
    if not keys:
        return {}
    values = {"owner": owner, "sources": [s for s, _ in keys], "ids": [i for _, i in keys]}
    return {(r.source, r.source_id): _grant(r) for r in tx.execute(_BY_SOURCE, values)}


def current(tx: Tx, first_ids: Sequence[UUID]) -> dict[UUID, Grant]:
    """How these grants stand after their corrections, by the id of the first account."""
    if not first_ids:
        return {}
    return {r.first: _grant(r) for r in tx.execute(_CURRENT, {"ids": list(first_ids)})}


def of_period(
    tx: Tx, owner: str, source: str, measure: str | None, since: datetime, until: datetime,
    but: Sequence[UUID],
) -> list[str]:  # fmt: skip
    """The source ids of the first accounts of grants that stand and were made from `since` until
    before `until`, but for those whose first accounts are named."""
    values = {
        "owner": owner, "source": source, "measure": measure, "since": since, "until": until,
        "but": list(but),
    }  # fmt: skip
    return list(tx.execute(_OF_PERIOD, values).scalars())


def page(
    tx: Tx, owner: str | None, *, measure: str | None, source_id: str | None, after: UUID | None,
    limit: int,
) -> list[Grant]:  # fmt: skip
    """Accounts and corrections, newest first."""
    values = {
        "owner": owner, "measure": measure, "source_id": source_id, "after": after, "limit": limit,
    }  # fmt: skip
    return [_grant(r) for r in tx.execute(_PAGE, values)]


def use(tx: Tx, grant_id: UUID, at: datetime, now: datetime) -> bool:
    """Notes that a grant was used. False: that was known."""
    values = {"grant": grant_id, "at": at, "now": now}
    return tx.execute(_USE, values).one_or_none() is not None


def close(tx: Tx, chain: Chain, values: dict[str, Any], now: datetime) -> bool:
    """Adds the closing of a rendering through another system. False: it was closed before."""
    more = {"id": chain.case_id, "version": chain.version, "head": chain.head, "now": now}
    return tx.execute(_CLOSE, values | more).one_or_none() is not None


def closed(tx: Tx, owner: str, source: str, source_id: str) -> Row | None:
    """The closing of a rendering (id, created_at, notice_id, grant_id), if there is one."""
    values = {"owner": owner, "source": source, "source_id": source_id}
    return tx.execute(_CLOSED, values).one_or_none()
