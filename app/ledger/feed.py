"""What a citizen's app is told: one row for everything that changed in their inbox, written with
the change itself and read in the order of commits.

A number drawn in a transaction says nothing about when it commits, so a place in the feed is the
transaction and the number, and nothing is read past a transaction that still runs: whoever reads
on from a place they know misses nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from app.ledger.engine import Tx, sql

_SPELLED = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)
_encode = msgspec.json.Encoder(order="sorted").encode

Told = tuple[str, Mapping[str, object]]  # kind, data


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the feed; it spells itself as `xid-seq`."""

    xid: int
    seq: int

    def __str__(self) -> str:
        return f"{self.xid}-{self.seq}"


BEGINNING = Place(0, 0)


def as_place(spelled: str) -> Place | None:
    """The place spelled so, "0" being the beginning; None where it is none of ours."""
    if spelled == "0":
        return BEGINNING
    found = _SPELLED.fullmatch(spelled)
    return Place(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a recipient is told; `body` is JSON without anything personal."""

    place: Place
    recipient_id: UUID
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """Items in order, and up to where the feed is settled: nothing new appears before `through`.
    `unsettled`: there is more, which a running transaction still holds back."""

    items: list[Item]
    through: Place
    unsettled: bool = False


@dataclass(slots=True)
class Feed:
    """Gathers what one transaction changed, once a subject; what is told is asked at the end, when
    the subject has its last state. `write` stores it in one statement."""

    changed: dict[UUID, tuple[UUID, Callable[[], Told | None]]] = field(default_factory=dict)
    is_written: bool = False

    def add(self, recipient_id: UUID, subject: UUID, tell: Callable[[], Told | None]) -> None:
        """`tell` gives the kind ("offer.sent") and data, or None for nothing."""
        self.changed[subject] = (recipient_id, tell)

    def write(self, tx: Tx) -> None:
        """Stores what was gathered."""
        rows = [(who, told) for who, tell in self.changed.values() if (told := tell()) is not None]
        self.changed.clear()
        if rows:
            tx.write(
                _INSERT,
                {
                    "recipients": [who for who, _ in rows],
                    "kinds": [kind for _, (kind, _) in rows],
                    "bodies": [_encode(data) for _, (_, data) in rows],
                },
            )
            self.is_written = True


_INSERT = sql(
    """INSERT INTO feed (recipient_id, kind, body)
    SELECT * FROM unnest(CAST(:recipients AS uuid[]), CAST(:kinds AS text[]),
        CAST(:bodies AS bytea[]))"""
)
_HORIZON = sql("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
_AFTER = sql(
    """SELECT xid, seq, recipient_id, kind, body FROM feed
    WHERE (xid, seq) > (:xid, :seq) AND xid < :horizon ORDER BY xid, seq LIMIT :limit"""
)
_OF_RECIPIENT = sql(
    """SELECT xid, seq, recipient_id, kind, body FROM feed
    WHERE recipient_id = :recipient AND (xid, seq) > (:xid, :seq) AND xid < :horizon
    ORDER BY xid, seq LIMIT :limit"""
)
_UNSETTLED = sql("SELECT EXISTS (SELECT 1 FROM feed WHERE xid >= :horizon)")


def settled(tx: Tx) -> Place:
    """The place before which nothing new can appear."""
    return Place(tx.execute(_HORIZON).scalar_one(), 0)


def after(tx: Tx, place: Place, limit: int, recipient_id: UUID | None = None) -> Found:
    """Up to `limit` items after `place`, of one recipient or of all."""
    horizon = settled(tx)
    values = {"xid": place.xid, "seq": place.seq, "horizon": horizon.xid, "limit": limit}
    if recipient_id is None:
        rows = tx.execute(_AFTER, values)
    else:
        rows = tx.execute(_OF_RECIPIENT, values | {"recipient": recipient_id})
    items = [Item(Place(r.xid, r.seq), r.recipient_id, r.kind, bytes(r.body)) for r in rows]
    if len(items) == limit:
        return Found(items, items[-1].place)
    unsettled = tx.execute(_UNSETTLED, {"horizon": horizon.xid}).scalar_one()
    return Found(items, max(horizon, place), unsettled)
