"""What is kept of a reply whatever it is about: the words, the language, wishes about the phone."""

from collections.abc import Mapping
from typing import Any

from app.conversation.rooms import Reply
from app.ledger.unit import Unit
from app.proactive.actions.grounds import phone_mark
from app.proactive.records import Offer
from app.proactive.reviewing import records as reviews
from app.proactive.rules import Event
from app.recipients import records as recipients
from dialogs import every
from dialogs.engine.turn import Event as Said


def learn_language(unit: Unit, offer: Offer, one: Reply, languages: dict[bytes, str]) -> None:
    """A wish for a language always counts, and one that was chosen on USSD; the language of an
    answer only where none is known."""
    understood = one.turn.understood
    heard = understood.language if understood is not None and offer.language is None else None
    chosen = one.turn.language or one.language or heard
    if chosen is not None and chosen != offer.language:
        offer.language = chosen
        languages[offer.phone_index] = chosen


def heed(unit: Unit, offer: Offer, event: Event | None) -> None:
    """What was said of the phone itself, which holds in time or late."""
    if event is Event.STOPPED:
        recipients.set_sms(unit.tx, offer.recipient_id, sms=False, now=unit.now)
    if event is Event.WRONG_PERSON:
        recipients.mark_wrong_phone(unit.tx, [offer.recipient_id], unit.now)


def write_down(unit: Unit, offer: Offer, kind: str, one: Reply, **more: Any) -> None:
    """Journals a reply with its words, how it was read and by which rule."""
    understood = one.turn.understood
    facts: Mapping[str, Any] = {
        "how": one.how,
        "received_at": one.received_at,
        "step": one.question.step,
        "rule": understood.rule if understood else "choice",
        "label": understood.label if understood else one.turn.outcome,
        **one.evidence,
    }
    if one.how != "app":
        more["phone"] = phone_mark(unit.vault, offer.id, one.question.phone_index)
    if one.stuck:
        more["judged_in_time"] = "the network's bind was down at the deadline"
    unit.journal.append(offer.chain, kind, unit.now, one.raw, **facts, **more)


def falls_silent(one: Reply) -> bool:
    """Whether this is the reply after which we say nothing more; later ones are met like it."""
    is_first = (
        one.question.asked <= every.dialog(one.question.dialog).ask(one.question.step).unclear_again
    )
    return one.turn.event is Said.SILENT and is_first


def put_for_review(unit: Unit, offer: Offer, one: Reply) -> None:
    """A reply nobody could understand, after which we fall silent: a 1414 employee is to look at
    the case, never to answer for the recipient."""
    unit.journal.append(offer.chain, "for-review", unit.now, received_at=one.received_at)
    reviews.put(unit.tx, offer.id, one.received_at)
