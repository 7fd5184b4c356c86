"""What is kept of a reply whatever it is about: the words, the language, wishes about the phone."""

from typing import Any

from app.conversation import hearing
from app.conversation.hearing import falls_silent
from app.conversation.rooms import Reply
from app.ledger.unit import Unit
from app.proactive.records import Offer
from app.proactive.reviewing import records as reviews
from app.proactive.rules import Event
from app.recipients import records as recipients

__all__ = ["falls_silent", "heed", "learn_language", "put_for_review", "write_down"]


def learn_language(unit: Unit, offer: Offer, one: Reply, languages: dict[bytes, str]) -> None:
    """A wish for a language always counts, and one that was chosen on USSD; the language of an
    answer only where none is known."""
    chosen = hearing.language_of(one, offer.language)
    if chosen is not None and chosen != offer.language:
        offer.language = chosen
        languages[offer.phone_index] = chosen


def heed(unit: Unit, offer: Offer, event: Event | None) -> None:
    """What was said of the phone itself, which holds in time or late."""
    if event is Event.STOPPED:
        # Whoever writes it means the phone, whose-ever offer it was: as where nothing is asked.
        recipients.stop_phones(unit.tx, [offer.phone_index], unit.now)
    if event is Event.WRONG_PERSON:
        recipients.mark_wrong_phone(unit.tx, [offer.recipient_id], unit.now)


def write_down(unit: Unit, offer: Offer, kind: str, one: Reply, **more: Any) -> None:
    """Journals a reply with its words, how it was read and by which rule."""
    facts = hearing.facts_of(one)
    unit.journal.append(offer.chain, kind, unit.now, one.raw, **facts, **more)


def put_for_review(unit: Unit, offer: Offer, one: Reply) -> None:
    """A reply nobody could understand, after which we fall silent: a 1414 employee is to look at
    the case, never to answer for the recipient."""
    unit.journal.append(offer.chain, "for-review", unit.now, received_at=one.received_at)
    reviews.put(unit.tx, offer.id, one.received_at)
