"""Planned outages: when a network, or all of them, will not be there, as somebody announced it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ledger.engine import Asked, Row, Tx, sql
from app.ledger.ids import new_id

EVERY_NETWORK = "*"


@dataclass(frozen=True, slots=True)
class Outage:
    """`network` is away from `starts_at` until before `ends_at`; "*" is all networks, as when our
    own house is closed."""

    id: UUID
    network: str
    starts_at: datetime
    ends_at: datetime
    reason: str

    def concerns(self, network: str | None) -> bool:
        """Whether it may be met by a message to this network; None is a network nobody knows."""
        return network is None or self.network in (EVERY_NETWORK, network)


_COLUMNS = "id, network, starts_at, ends_at, reason"
_ADD = sql(
    """INSERT INTO outages (id, network, starts_at, ends_at, reason, added_at)
    VALUES (:id, :network, :starts_at, :ends_at, :reason, :now)"""
)
_AHEAD = sql(
    f"""SELECT {_COLUMNS} FROM outages WHERE removed_at IS NULL AND ends_at > :now
    ORDER BY starts_at, id"""
)
_ALL = sql(f"SELECT {_COLUMNS} FROM outages WHERE removed_at IS NULL ORDER BY starts_at, id")
_REMOVE = sql(
    """UPDATE outages SET removed_at = :now WHERE id = :id AND removed_at IS NULL
    RETURNING id"""
)
_TWIN = sql(
    f"""SELECT {_COLUMNS} FROM outages WHERE removed_at IS NULL AND network = :network
      AND starts_at = :starts_at AND ends_at = :ends_at"""
)


def _outage(r: Row) -> Outage:
    return Outage(r.id, r.network, r.starts_at, r.ends_at, r.reason)


def add(
    tx: Tx, network: str, starts_at: datetime, ends_at: datetime, reason: str, now: datetime
) -> Outage:
    """Announces an outage; the same one once more changes nothing. `ends_at` is after
    `starts_at`."""
    values = {"network": network, "starts_at": starts_at, "ends_at": ends_at}
    twin = tx.execute(_TWIN, values).first()
    if twin is not None:
        return _outage(twin)
    outage = Outage(new_id(now), network, starts_at, ends_at, reason)
    tx.write(_ADD, {**values, "id": outage.id, "reason": reason, "now": now})
    return outage


def remove(tx: Tx, outage_id: UUID, now: datetime) -> bool:
    """Calls an outage off. False: there is no such one."""
    return tx.execute(_REMOVE, {"id": outage_id, "now": now}).first() is not None


def ahead(tx: Tx, now: datetime) -> list[Outage]:
    """Outages that are not over, the soonest first."""
    return rows(ask_ahead(tx, now))


def ask_ahead(tx: Tx, now: datetime) -> Asked:
    """Asks for those, to be read by `rows`."""
    return tx.ask(_AHEAD, {"now": now})


def rows(asked: Asked) -> list[Outage]:
    """The outages that were asked for."""
    return [_outage(r) for r in asked.rows()]


def every(tx: Tx) -> list[Outage]:
    """Those that are over too; not those that were called off."""
    return [_outage(r) for r in tx.execute(_ALL)]
