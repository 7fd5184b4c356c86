"""Segments of long MOs, kept until the last has come, across the binds of a network."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from app.conversation.records.heard import Kept, keep_as, octets_of, sender_index, text_of
from app.ledger.encryption import Vault
from app.ledger.engine import Row, Tx, sql
from smpp.messages import Inbound, SegmentOf

_PART = sql(
    """INSERT INTO parts (network, sender_index, destination, reference, total, number, octets,
        text, data_coding, sender, cid, received_at)
    VALUES (:network, :sender_index, :destination, :reference, :total, :number, :octets,
        :text, :data_coding, :sender, :cid, :received_at)
    ON CONFLICT DO NOTHING"""
)
# Two gateways may take two segments at once; the second must see what the first stored.
_LOCK_PARTS = sql("SELECT pg_advisory_xact_lock(16, hashtext(:sender))")
_PARTS = sql(
    """SELECT number, octets, text, data_coding, received_at FROM parts
    WHERE network = :network AND sender_index = :sender_index AND destination = :destination
      AND reference = :reference AND total = :total ORDER BY number FOR UPDATE"""
)
_DROP_PARTS = sql(
    """DELETE FROM parts WHERE network = :network AND sender_index = :sender_index
      AND destination = :destination AND reference = :reference AND total = :total
    RETURNING *"""
)
_COUNT_PARTS = sql("SELECT cid, count(*) AS waiting FROM parts GROUP BY cid")
_STALE_PARTS = sql(
    """DELETE FROM parts p USING (
        SELECT network, sender_index, destination, reference, total FROM parts
        GROUP BY network, sender_index, destination, reference, total
        HAVING max(received_at) < :before) s
    WHERE (p.network, p.sender_index, p.destination, p.reference, p.total)
        = (s.network, s.sender_index, s.destination, s.reference, s.total)
    RETURNING p.*"""
)


def _key_of(vault: Vault, message: Inbound, segment: SegmentOf) -> dict[str, object]:
    return {
        "network": message.network,
        "sender_index": sender_index(vault, message),
        "destination": message.destination,
        "reference": segment.reference,
        "total": segment.total,
    }


def add_part(tx: Tx, vault: Vault, message: Inbound, segment: SegmentOf) -> list[Inbound] | None:
    """Stores one segment of a long MO; once all have come, removes and returns them in order.
    Segments meet across the binds of a network. Handsets use a reference again, so a segment that
    is there already and says something else belongs to an older message: the two never mix."""
    key = _key_of(vault, message, segment)
    context = sender_index(vault, message)
    tx.write(_LOCK_PARTS, {"sender": context.hex()})
    text = message.text
    if any(
        r.number == segment.number and vault.open(bytes(r.octets), context) != message.raw
        for r in tx.execute(_PARTS, key)
    ):
        _set_aside(tx, vault, tx.execute(_DROP_PARTS, key).all())
    tx.write(
        _PART,
        key
        | {
            "number": segment.number,
            "octets": vault.seal(message.raw, context),
            "text": None if text is None else vault.seal(octets_of(text), context),
            "data_coding": message.data_coding,
            "sender": vault.seal(octets_of(message.sender), context),
            "cid": message.cid,
            "received_at": message.received_at,
        },
    )
    rows = tx.execute(_PARTS, key).all()
    if len(rows) < segment.total:
        return None
    tx.write(_DROP_PARTS, key)
    return [
        replace(
            message,
            raw=vault.open(bytes(r.octets), context),
            text=None if r.text is None else text_of(vault.open(bytes(r.text), context)),
            data_coding=r.data_coding,
            received_at=r.received_at,
            segment=SegmentOf(segment.reference, segment.total, r.number),
        )
        for r in rows
    ]


def count_parts(tx: Tx) -> dict[str, int]:
    """How many segments wait for the others of their message, by the bind that brought them."""
    return {r.cid: r.waiting for r in tx.execute(_COUNT_PARTS)}


def take_stale(tx: Tx, vault: Vault, before: datetime) -> int:
    """Moves segments whose message never became whole to `heard`, for review; how many."""
    stale = tx.execute(_STALE_PARTS, {"before": before}).all()
    _set_aside(tx, vault, stale)
    return len(stale)


def _set_aside(tx: Tx, vault: Vault, parts: Sequence[Row]) -> None:
    for r in parts:
        index = bytes(r.sender_index)
        keep_as(
            tx,
            vault,
            Kept(
                r.received_at,
                r.network,
                r.cid,
                index,
                vault.open(bytes(r.sender), index),
                vault.open(bytes(r.octets), index),
                r.data_coding,
            ),
            "part-missing",
        )
