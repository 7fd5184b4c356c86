"""What leaves now: due messages are claimed, for a claim is the intent to submit."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from app.calendar import in_almaty
from app.ledger import outbox
from app.ledger.outbox import Message
from app.ledger.unit import Unit
from app.runtime import Runtime


def claim(rt: Runtime, unit: Unit, gateway: UUID, room: Mapping[str, int]) -> list[Message]:
    """Claims what is due: the intent is in the ledger before the first octet leaves. Rooms
    are asked once more whether each message may still go."""
    may_offer = _may_offer(rt, unit.now)
    messages: list[Message] = []
    left = sum(room.values())
    for network, free in (*room.items(), (None, left)):
        limit = min(free, left)
        if limit > 0:
            claimed = outbox.claim(
                unit.tx,
                unit.vault,
                gateway,
                unit.now,
                network=network,
                limit=limit,
                bulk=may_offer,
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


def _may_offer(rt: Runtime, now: datetime) -> bool:
    hours = rt.settings.sending.hours
    return hours is None or hours.start <= in_almaty(now).time() < hours.end
