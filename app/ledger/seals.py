"""Daily seals: a signed Merkle root over the ends of all chains that grew (155/НҚ, clause 6).

A seal covers every entry that happened before its day ended in Almaty and that no earlier seal
covers; what is committed later belongs to the next one. Its leaves are kept, so that a case that
was taken out is missed by name; each seal holds the hash of the one before it.
"""

import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from app.calendar import ALMATY, local_date
from app.ledger import merkle
from app.ledger.engine import Row, Tx, sql
from app.ledger.signing import SealKey, key_id

NOTHING_BEFORE = bytes(32).hex()
VERSION = 1
LOOK_BACK = timedelta(days=2)
SLOWEST_S = 600.0  # a transaction that takes longer than that has long been given up
AT_ONCE = 5_000

_canonical = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One case in one seal: its entries after `since` up to `seq`, whose hash is `head`."""

    number: int
    place: int
    case_id: UUID
    since: int
    seq: int
    head: bytes

    @property
    def hash(self) -> bytes:
        """The leaf's hash in the tree."""
        return leaf_hash(self.case_id, self.since, self.seq, self.head)


@dataclass(frozen=True, slots=True)
class Seal:
    """One day's seal. `body` is canonical JSON and what is signed; `hash` its SHA-256."""

    number: int
    day: date
    body: bytes
    hash: bytes
    signature: bytes
    blocks: bytes

    @property
    def facts(self) -> dict[str, Any]:
        """What the body says; empty where it is no body of ours."""
        return facts_of(self.body)


def facts_of(body: bytes) -> dict[str, Any]:
    """number, day, made_at, previous, root, cases, entries, key, public_key, version."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def leaf_hash(case_id: UUID, since: int, seq: int, head: bytes) -> bytes:
    """Leaf data: the case's id (16 octets), `since` and `seq` (4 each, big-endian), its head."""
    return merkle.leaf(case_id.bytes + struct.pack(">II", since, seq) + head)


_LOCK = sql("SELECT pg_try_advisory_xact_lock(155, 6)")
_LAST = sql("SELECT number, day, hash FROM seals ORDER BY number DESC LIMIT 1")
# Ids sort by time: the first day or one very near to it; the first seal covers all before.
_FIRST_AT = sql("SELECT at FROM journal ORDER BY case_id, seq LIMIT 1")
_LEAVES = sql(
    """INSERT INTO seal_leaves (number, place, case_id, since, seq, head)
    SELECT :number, row_number() OVER (ORDER BY t.case_id) - 1, t.case_id, t.since, t.seq, j.hash
    FROM (SELECT g.case_id, g.seq, coalesce(s.seq, 0) AS since
          FROM (SELECT case_id, max(seq) AS seq FROM journal
                WHERE at < :until AND (CAST(:after AS timestamptz) IS NULL OR at >= :after)
                GROUP BY case_id) g
          LEFT JOIN LATERAL (SELECT l.seq FROM seal_leaves l WHERE l.case_id = g.case_id
                             ORDER BY l.seq DESC LIMIT 1) s ON true) t
    JOIN journal j ON j.case_id = t.case_id AND j.seq = t.seq
    WHERE t.seq > t.since"""
)
_OF_SEAL = sql("SELECT * FROM seal_leaves WHERE number = :number ORDER BY place")
_INSERT = sql(
    """INSERT INTO seals (number, day, body, hash, signature, blocks)
    VALUES (:number, :day, :body, :hash, :signature, :blocks)"""
)
_ALL = sql("SELECT * FROM seals ORDER BY number")
_OF_CASE = sql("SELECT * FROM seal_leaves WHERE case_id = :case_id ORDER BY number")
_SOME = sql("SELECT * FROM seals WHERE number = ANY(CAST(:numbers AS int[])) ORDER BY number")
_BLOCK = sql(
    """SELECT * FROM seal_leaves WHERE number = :number AND place >= :low AND place < :high
    ORDER BY place"""
)


def next_day(tx: Tx, now: datetime) -> date | None:
    """The day to be sealed next; None while it is not over in Almaty or nothing has happened."""
    last = tx.execute(_LAST).one_or_none()
    if last is not None:
        day: date = last.day + timedelta(days=1)
    else:
        first = tx.execute(_FIRST_AT).scalar_one_or_none()
        if first is None:
            return None
        day = local_date(first)
    return day if day < local_date(now) else None


def make(
    tx: Tx, key: SealKey, now: datetime, late: timedelta = LOOK_BACK, *, everything: bool = False
) -> Seal | None:
    """Seals the next day that is over; None where there is none, or another process is sealing.

    Entries up to `late` older than the day are looked for as well, for they may have been
    committed after their own day's seal; with `everything`, older ones too."""
    if not tx.execute(_LOCK).scalar_one():
        return None
    day = next_day(tx, now)
    if day is None:
        return None
    last = tx.execute(_LAST).one_or_none()
    number = 1 if last is None else last.number + 1
    after = None if last is None or everything else midnight(day) - late
    until = midnight(day + timedelta(days=1))
    tx.write(_LEAVES, {"number": number, "until": until, "after": after})
    blocks, entries = merkle.Blocks(), 0
    for leaf in leaves(tx, number):
        blocks.add(leaf.hash)
        entries += leaf.seq - leaf.since
    roots = blocks.close()
    body = _canonical.encode(
        {
            "version": VERSION,
            "number": number,
            "day": day,
            "made_at": now,
            "previous": NOTHING_BEFORE if last is None else bytes(last.hash).hex(),
            "root": merkle.root(roots).hex(),
            "cases": blocks.count,
            "entries": entries,
            "key": key_id(key.public),
            "public_key": key.public.hex(),
        }
    )
    seal = Seal(number, day, body, sha256(body).digest(), key.sign(body), b"".join(roots))
    tx.write(_INSERT, asdict(seal))
    return seal


def midnight(day: date) -> datetime:
    """When `day` begins in Almaty."""
    return datetime(day.year, day.month, day.day, tzinfo=ALMATY)


def every(tx: Tx) -> list[Seal]:
    """All seals, oldest first."""
    return [_seal(r) for r in tx.execute(_ALL)]


def leaves(tx: Tx, number: int) -> Iterator[Leaf]:
    """The leaves of a seal in their order, by a cursor."""
    return (_leaf(r) for r in tx.stream(_OF_SEAL, {"number": number}, at_once=AT_ONCE))


def of_case(tx: Tx, case_id: UUID) -> list[Leaf]:
    """A case's leaf in every seal that covers something of it, oldest first."""
    return [_leaf(r) for r in tx.execute(_OF_CASE, {"case_id": case_id})]


def some(tx: Tx, numbers: list[int]) -> dict[int, Seal]:
    """Seals by their numbers."""
    return {r.number: _seal(r) for r in tx.execute(_SOME, {"numbers": numbers})}


def proof(tx: Tx, seal: Seal, place: int) -> list[bytes]:
    """The path from the leaf at `place` up to the seal's root."""
    low = place - place % merkle.BLOCK
    rows = tx.execute(_BLOCK, {"number": seal.number, "low": low, "high": low + merkle.BLOCK})
    hashes = [_leaf(r).hash for r in rows]
    return merkle.path_of_block(merkle.cut(seal.blocks), hashes, place)


def _seal(r: Row) -> Seal:
    return Seal(r.number, r.day, bytes(r.body), bytes(r.hash), bytes(r.signature), bytes(r.blocks))


def _leaf(r: Row) -> Leaf:
    return Leaf(r.number, r.place, r.case_id, r.since, r.seq, bytes(r.head))
