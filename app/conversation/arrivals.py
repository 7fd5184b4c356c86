"""What arrived from the networks: what was committed before is put aside, long messages wait for
their last segment, and the rest comes in waves of one message a phone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from app.conversation import records
from app.conversation.records import Sighting
from app.ledger.unit import Unit
from smpp.messages import Inbound
from smpp.text import joined

# A redelivery after a lost link counts once, the same words typed twice count twice. Nothing in
# SMPP tells them apart but this: a network delivers again only what it does not know to be
# acknowledged. So a message repeats another only if that came by a connection that is gone, before
# anything proved that our answer to it had been read; for a while, and, however long the link was
# away, as long as the network hands over what it kept. Where the handset numbers its messages, the
# number decides.
REDELIVERY = timedelta(minutes=15)
SHORT = 8  # digits


class Came(Struct, frozen=True):
    """One MO with what the gateway knows of its way: `connection` names the link's connection
    and process, `draining` says that the bind has only just come back, `live` are connections that
    stand. `repeats` is when the same octets were committed from an earlier connection, where this
    may be their redelivery."""

    message: Inbound
    connection: str
    draining: bool = False
    repeats: datetime | None = None
    live: frozenset[str] = frozenset()


def arrived(unit: Unit, came: Sequence[Came]) -> list[Came]:
    """The messages that are whole now and were not committed before; the rest is kept durably."""
    return _whole(unit, _new(unit, came))


def _new(unit: Unit, came: Sequence[Came]) -> list[Came]:
    """Puts aside what was committed already, by a connection that is gone. Who was asked something
    else since may well have said the same again, so the room is to judge it."""
    sightings = [_sighting(unit, one) for one in came]
    new: list[Came] = []
    for one, repeats in zip(came, records.sight(unit.tx, sightings, unit.now), strict=True):
        if repeats is None:
            new.append(one)
            continue
        records.keep(unit.tx, unit.vault, one.message, "redelivered")
        if one.message.segment is None:
            new.append(replace(one, repeats=repeats))
    return new


def _sighting(unit: Unit, one: Came) -> Sighting:
    return Sighting(
        records.mo_key(unit.vault, one.message),
        one.connection,
        None if one.draining else unit.now - REDELIVERY,
        one.live,
        one.message.user_message_reference is not None,
    )


def _whole(unit: Unit, came: Sequence[Came]) -> list[Came]:
    """Puts long messages together; what still lacks a segment waits in the ledger. A whole one
    counts by its first segment: the citizen wrote it no later than that."""
    whole: list[Came] = []
    for one in came:
        message = one.message
        if message.segment is None or message.segment.total < 2:
            whole.append(one)
            continue
        parts = records.add_part(unit.tx, unit.vault, message, message.segment)
        if parts is None:
            continue
        text, raw = joined(parts)
        first = min(part.received_at for part in parts)
        merged = replace(message, text=text, raw=raw, segment=None, received_at=first)
        whole.append(replace(one, message=merged))
    return whole


def waves(came: Sequence[Came]) -> list[list[Came]]:
    """The messages in their order, at most one a phone in each wave: two replies of one phone are
    two turns, and the second meets what the first did."""
    made: list[list[Came]] = []
    seen: dict[str, int] = {}
    for one in came:
        place = seen.get(one.message.sender, -1) + 1
        seen[one.message.sender] = place
        if place == len(made):
            made.append([])
        made[place].append(one)
    return made


def short_number(destination: str) -> str | None:
    """What was written to, where it is a short number: anything longer may be a person's."""
    is_short = len(destination) <= SHORT and destination.isascii() and destination.isdigit()
    return destination if is_short else None


def evidence(message: Inbound) -> Mapping[str, object]:
    """The PDU's fields that are evidence and name nobody."""
    return {
        "network": message.network,
        "cid": message.cid,
        "data_coding": message.data_coding,
        "octets": len(message.raw),
        "destination": short_number(message.destination),
    }
