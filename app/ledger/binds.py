"""How the networks' binds are doing, as every process may read it.

`heard_through` is a bind's low-water mark: whatever the network handed over up to then is
committed. The sweep lets no offer of a network lapse beyond it, so a bind that is down, or has
just come up and is still draining, stops the clock's consequences and not the clock.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from app.ledger.engine import Asked, Tx, sql

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

Counters = dict[str, int | float]


@dataclass(frozen=True, slots=True)
class BindRow:
    """One bind as its gateway last wrote it; `wanted` is what an engineer asked for."""

    cid: str
    network: str
    gateway: UUID
    state: str
    reason: str
    since: datetime
    heard_through: datetime | None = None
    wanted: str = "running"
    has_receipts: bool = True
    hears: bool = True


_WRITE = sql(
    """INSERT INTO binds (cid, network, gateway, state, reason, since, has_receipts, hears)
    VALUES (:cid, :network, :gateway, :state, :reason, :since, :has_receipts, :hears)
    ON CONFLICT (cid) DO UPDATE SET network = excluded.network, gateway = excluded.gateway,
        state = excluded.state, reason = excluded.reason, since = excluded.since,
        has_receipts = excluded.has_receipts, hears = excluded.hears"""
)
# A mark may go back: one written by a clock that was ahead would hold nothing for that long.
_HEARD = sql("UPDATE binds SET heard_through = :through WHERE cid = ANY(CAST(:cids AS text[]))")
_WANTED = sql("SELECT cid, wanted FROM binds WHERE cid = ANY(CAST(:cids AS text[]))")
_ALL = sql("SELECT * FROM binds ORDER BY cid")
_COUNT = sql(
    """UPDATE binds b SET counters = CAST(t.counters AS jsonb)
    FROM unnest(CAST(:cids AS text[]), CAST(:counters AS text[])) AS t (cid, counters)
    WHERE b.cid = t.cid"""
)
_COUNTERS = sql("SELECT cid, counters FROM binds ORDER BY cid")
_FORGET = sql("DELETE FROM binds WHERE NOT cid = ANY(CAST(:cids AS text[])) RETURNING cid")
_WANT = sql("UPDATE binds SET wanted = :wanted WHERE cid = :cid RETURNING cid")


def write(tx: Tx, row: BindRow) -> None:
    """Writes a change of a bind's state; its mark and what is wanted of it stay."""
    names = ("cid", "network", "gateway", "state", "reason", "since", "has_receipts", "hears")
    tx.write(_WRITE, {n: getattr(row, n) for n in names})


def heard(tx: Tx, cids: Sequence[str], through: datetime) -> None:
    """Moves the low-water mark of binds that are up and drained."""
    tx.write(_HEARD, {"cids": list(cids), "through": through})


def wanted(tx: Tx, cids: Sequence[str]) -> dict[str, str]:
    """What an engineer wants of these binds: running or suspended."""
    return {r.cid: r.wanted for r in tx.execute(_WANTED, {"cids": list(cids)})}


def every(tx: Tx) -> list[BindRow]:
    """All binds, by cid."""
    return rows(ask_every(tx))


def ask_every(tx: Tx) -> Asked:
    """Asks for all binds, to be read by `rows`."""
    return tx.ask(_ALL)


def rows(asked: Asked) -> list[BindRow]:
    """The binds that were asked for."""
    return [
        BindRow(
            r.cid,
            r.network,
            r.gateway,
            r.state,
            r.reason,
            r.since,
            r.heard_through,
            r.wanted,
            r.has_receipts,
            r.hears,
        )
        for r in asked.rows()
    ]


def count(tx: Tx, counted: Mapping[str, Counters]) -> None:
    """Writes what gateways counted since their start, by cid; unknown binds are left out."""
    if counted:
        values = [json.dumps(counters) for counters in counted.values()]
        tx.write(_COUNT, {"cids": list(counted), "counters": values})


def counters(tx: Tx) -> dict[str, Counters]:
    """What was counted last of every bind, by cid: a name of a metric and its value."""
    return {r.cid: dict(r.counters) for r in tx.execute(_COUNTERS)}


def forget_all_but(tx: Tx, cids: Sequence[str]) -> list[str]:
    """Removes binds that binds.toml no longer names; which."""
    return list(tx.execute(_FORGET, {"cids": list(cids)}).scalars())


def want(tx: Tx, cid: str, wanted: str) -> bool:
    """Asks for a bind to be `running` or `suspended`. False: there is no such bind."""
    return tx.execute(_WANT, {"cid": cid, "wanted": wanted}).one_or_none() is not None


def heard_through(rows: Sequence[BindRow]) -> dict[str, datetime]:
    """Per network, up to when all it handed over is committed: the lowest mark of its hearing
    binds, up or down. A bind that was never up and drained holds its network back for good."""
    through: dict[str, datetime] = {}
    for row in rows:
        if row.hears:
            mark = row.heard_through or NEVER
            through[row.network] = min(mark, through.get(row.network, mark))
    return through


def silent_networks(rows: Sequence[BindRow]) -> frozenset[str]:
    """Networks none of whose binds brings receipts: no reply window could ever start there."""
    speaking = {row.network for row in rows if row.has_receipts}
    return frozenset(row.network for row in rows) - speaking
