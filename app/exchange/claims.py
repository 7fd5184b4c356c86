"""What leaves now: due messages are claimed, for a claim is the intent to submit."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from app.exchange.admission import Admission
from app.ledger import outages, outbox
from app.ledger.outbox import Message
from app.ledger.unit import Unit
from app.runtime import Runtime


def admission(rt: Runtime, unit: Unit) -> Admission:
    """What keeps offers back, as the settings and the ledger have it now."""
    return Admission(rt.settings.sending.hours, tuple(outages.ahead(unit.tx, unit.now)))


def claim(
    rt: Runtime,
    unit: Unit,
    gateway: UUID,
    room: Mapping[str, int],
    bulk_room: Mapping[str, int] | None,
    admitted: Admission,
) -> list[Message]:
    """Claims what is due: the intent is in the ledger before the first octet leaves. Rooms
    are asked once more whether each message may still go."""
    messages: list[Message] = []
    left = sum(room.values())
    for network, free, is_bulk in _looks(unit, room, bulk_room, admitted):
        limit = min(free, left)
        if limit > 0:
            claimed = outbox.claim(
                unit.tx,
                unit.vault,
                gateway,
                unit.now,
                network=network,
                limit=limit,
                bulk=is_bulk,
            )
            messages += claimed
            left -= len(claimed)
    stopped: set[UUID] = set()
    for name, law_room in rt.rooms.items():
        mine = [m for m in messages if m.room == name]
        if mine:
            stopped |= law_room.submitting(unit, mine)
    outbox.cancel(unit.tx, sorted(stopped), unit.now)
    return [m for m in messages if m.id not in stopped]


def _looks(
    unit: Unit, room: Mapping[str, int], bulk_room: Mapping[str, int] | None, admitted: Admission
) -> Iterator[tuple[str | None, int, bool]]:
    """(network, most, with bulk?): one look where bulk has as much room as the rest, else one
    after the other, so that a queue full of offers takes answers all the same."""
    bulk = room if bulk_room is None else bulk_room
    whole, whole_bulk = sum(room.values()), sum(bulk.values())
    for network, free, free_bulk in (
        *((n, free, bulk.get(n, 0)) for n, free in room.items()),
        (None, whole, whole_bulk),
    ):
        concerned = [network] if network is not None else [None, *room]
        if not free_bulk or any(admitted.held(n, unit.now) for n in concerned):
            yield network, free, False
        elif free_bulk >= free:
            yield network, free, True
        else:
            yield network, free, False
            yield network, free_bulk, True
