"""What every room writes down of a reply, and the language it shows. It knows no rule of law."""

from collections.abc import Mapping
from typing import Any

from app.conversation import records
from app.conversation.inbox import HeedsLanguage
from app.conversation.rooms import Reply, Rooms
from app.ledger.unit import Unit
from app.recipients import records as recipients
from dialogs import every
from dialogs.engine.turn import Event as Said


def facts_of(one: Reply) -> dict[str, Any]:
    """The journal's facts of a reply: how it came, what it was read as and by which rule."""
    understood = one.turn.understood
    facts: dict[str, Any] = {
        "how": one.how,
        "received_at": one.received_at,
        "step": one.question.step,
        "rule": understood.rule if understood else "choice",
        "label": understood.label if understood else one.turn.outcome,
        **one.evidence,
    }
    if one.stuck:
        facts["judged_in_time"] = "the network's bind was down at the deadline"
    return facts


def language_of(one: Reply, known: str | None) -> str | None:
    """A wish for a language always counts, and one that was chosen on USSD; the language of an
    answer only where none is `known`."""
    understood = one.turn.understood
    heard = understood.language if understood is not None and known is None else None
    return one.turn.language or one.language or heard


def choose_languages(rooms: Rooms, unit: Unit, choices: Mapping[bytes, str]) -> None:
    """Phones chose their language (52, clause 16: a recorded choice): it is remembered for the
    phone and for everyone on it, and open cases heed it."""
    records.speaks(unit.tx, dict(choices))
    people = recipients.set_languages_of_phones(unit.tx, choices)
    for room in rooms.values():
        for recipient_id, language in people:
            if isinstance(room, HeedsLanguage):
                room.language_chosen(unit, recipient_id, language)


def falls_silent(one: Reply) -> bool:
    """Whether this is the reply after which we say nothing more; later ones are met like it."""
    is_first = (
        one.question.asked <= every.dialog(one.question.dialog).ask(one.question.step).unclear_again
    )
    return one.turn.event is Said.SILENT and is_first
