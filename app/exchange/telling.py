"""What rooms are told of their messages' way: they find their own, and judge what it means."""

from collections.abc import Mapping, Sequence

from app.ledger.doubts import Doubtful
from app.ledger.outbox import Message
from app.ledger.unit import Unit
from app.runtime import Runtime

Way = Message | Doubtful


def tell_returned(rt: Runtime, unit: Unit, messages: Sequence[Message]) -> None:
    """These have not left: nobody has seen them."""
    for name, room in rt.rooms.items():
        mine = [(m.case_id, m.kind) for m in messages if m.room == name and m.case_id]
        if mine:
            room.returned(unit, [(case, kind) for case, kind in mine if case])


def tell_failed(rt: Runtime, unit: Unit, lost: Sequence[tuple[Way, str]]) -> None:
    """No network would take these, with the reason in words."""
    for name, room in rt.rooms.items():
        mine = [(m.case_id, m.kind, why) for m, why in lost if m.room == name and m.case_id]
        if mine:
            room.failed(unit, [(case, kind, why) for case, kind, why in mine if case])


def note(
    rt: Runtime, unit: Unit, kind: str, messages: Sequence[tuple[Way, Mapping[str, object]]]
) -> None:
    """A line `kind` for the journals of these messages' cases, with facts beside the usual."""
    for name, room in rt.rooms.items():
        mine = [
            (m.case_id, kind, {"message": m.id, "wording": m.kind, **facts})
            for m, facts in messages
            if m.room == name and m.case_id
        ]
        if mine:
            room.noted(unit, [(case, word, facts) for case, word, facts in mine if case])


def note_all(rt: Runtime, unit: Unit, kind: str, messages: Sequence[Way]) -> None:
    """The same line for all of them."""
    if messages:
        note(rt, unit, kind, [(m, {}) for m in messages])
