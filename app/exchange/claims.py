"""What leaves now: due messages are claimed, for a claim is the intent to submit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.exchange.admission import Admission
from app.exchange.model import Batch, Memory
from app.ledger import outages, outbox
from app.ledger.failures import Raced
from app.ledger.outages import Outage
from app.ledger.outbox import Message, Priority
from app.ledger.unit import Unit
from app.runtime import Runtime


class Outdated(Raced):
    """Claimed by an admission that is no longer so; the right one is remembered."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a look has claimed: how many messages were due, those of them that may leave, and
    whether more may be left of what goes before offers."""

    messages: Sequence[Message] = ()
    found: int = 0
    has_more: bool = False


def look(rt: Runtime, memory: Memory, unit: Unit, gateway: UUID, batch: Batch) -> Claimed:
    """Claims what is due, where the batch has room, and looks up what keeps offers back, in one
    trip: claimed by what was found the last time, which is seldom otherwise now. Raises
    Outdated where it is; nothing may then be committed."""
    known = memory.admission  # once: another lane may look meanwhile
    ahead = outages.ask_ahead(unit.tx, unit.now)
    claimed: list[Message] = []
    has_more = False
    if batch.room:
        claimed, has_more = claim(unit, gateway, batch.room, batch.bulk, known)
    memory.admission = now = _admission(rt, outages.rows(ahead))
    if batch.room and now != known:
        raise Outdated
    return Claimed(rechecked(rt, unit, claimed), len(claimed), has_more)


def admission(rt: Runtime, unit: Unit) -> Admission:
    """What keeps offers back, as the settings and the ledger have it now."""
    return _admission(rt, outages.ahead(unit.tx, unit.now))


def _admission(rt: Runtime, ahead: Sequence[Outage]) -> Admission:
    return Admission(rt.settings.sending.hours, tuple(ahead))


def claim(
    unit: Unit,
    gateway: UUID,
    room: Mapping[str, int],
    bulk_room: Mapping[str, int] | None,
    admitted: Admission,
) -> tuple[list[Message], bool]:
    """Claims what is due: the intent is in the ledger before the first octet leaves. Returns also
    whether more may be left of what goes before offers. All networks are asked in one trip, so of
    what may leave by any it is as much as the one with the most room would take."""
    looks = [
        (free, outbox.claim(unit.tx, gateway, unit.now, network=network, limit=free, bulk=bulk))
        for network, free, bulk in _looks(unit, room, bulk_room, admitted)
    ]
    messages: list[Message] = []
    has_more = False
    for limit, asked in looks:
        claimed = outbox.claimed(unit.vault, asked)
        messages += claimed
        has_more |= sum(m.priority is not Priority.BULK for m in claimed) >= limit
    return messages, has_more


def rechecked(rt: Runtime, unit: Unit, messages: Sequence[Message]) -> list[Message]:
    """Rooms are asked once more whether each message may still go; those that may."""
    stopped: set[UUID] = set()
    for name, law_room in rt.rooms.items():
        mine = [m for m in messages if m.room == name]
        if mine:
            stopped |= law_room.submitting(unit, mine)
    outbox.cancel(unit.tx, sorted(stopped), unit.now)
    return [m for m in messages if m.id not in stopped]


def _looks(
    unit: Unit, room: Mapping[str, int], bulk_room: Mapping[str, int] | None, admitted: Admission
) -> Iterator[tuple[str | None, int, int]]:
    """(network, most, of it offers): a queue full of offers takes answers all the same."""
    bulk = room if bulk_room is None else bulk_room
    for network, free in room.items():
        yield network, free, 0 if admitted.held(network, unit.now) else bulk.get(network, 0)
    is_held = any(admitted.held(n, unit.now) for n in [None, *room])
    yield None, max(room.values()), 0 if is_held else max(bulk.values(), default=0)
