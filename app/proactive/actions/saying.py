"""What the room says to a recipient: the screen, worded in their language, put into the outbox."""

from collections.abc import Mapping
from typing import Any

from app.catalogue.model import Catalogue
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.proactive.records import Offer
from app.runtime import Runtime
from dialogs.engine.model import Screen, Value
from dialogs.engine.render import sms
from dialogs.engine.wording import BOTH

ROOM = "proactive"
DIALOG = "offer"
CONSENT_REVOKED = "consent revoked"  # the result of an offer that lost its ground


def say(
    rt: Runtime,
    unit: Unit,
    offer: Offer,
    screen: Screen,
    *,
    priority: Priority = Priority.LEGAL,
    language: str | None = None,
    values: Mapping[str, Value] | None = None,
) -> None:
    """Puts `screen` into the outbox for the offer's phone; without a known language, in both."""
    spoken = language or offer.language or BOTH
    worded = service_values(rt.catalogue, offer) | dict(screen.values) | dict(values or {})
    body = sms(rt.words, screen, spoken, worded)
    unit.outbox.add(
        unit.now,
        f"{screen.dialog}.{screen.key}",
        offer.to,
        body,
        case_id=offer.id,
        room=ROOM,
        network=offer.network,
        priority=priority,
    )


def service_values(catalogue: Catalogue, offer: Offer) -> dict[str, Value]:
    """The values every wording of an offer may use: the service's short name."""
    service = catalogue.find_service(offer.service)
    if service is None:  # taken out of the catalogue since: its code still says what was meant
        return {"service": offer.service}
    return {"service": {"kk": service.short.kk, "ru": service.short.ru}}


def public(offer: Offer) -> dict[str, Any]:
    """The offer as providers see it (CONTRACT: the offer object); nothing personal."""
    return {
        "id": offer.id,
        "reference": offer.reference,
        "service": offer.service,
        "state": offer.state,
        "language": offer.language,
        "created_at": offer.created_at,
        "sent_at": offer.sent_at,
        "received_at": offer.received_at,
        "deadline": offer.deadline,
        "closed_at": offer.closed_at,
        "answered_by": offer.answered_by,
        "result": offer.result,
    }


def taken_back(offer: Offer) -> Screen:
    """Why a withdrawn offer needs no answer: its recipient's consent is gone, or its provider
    took it back."""
    return Screen(DIALOG, "revoked" if offer.result == CONSENT_REVOKED else "withdrawn")


def for_recipient(offer: Offer) -> tuple[str, dict[str, Any]] | None:
    """What the recipient's app is told of a change; nothing of what they were not asked yet."""
    if offer.sent_at is None:
        return None
    known = public(offer)
    del known["reference"]
    return f"offer.{offer.state}", {"type": f"offer.{offer.state}", "offer": known}


def tell_provider(unit: Unit, offer: Offer) -> None:
    """Hands the offer's new state over to its provider: one event, numbered by the journal."""
    unit.handover.add(
        unit.now,
        offer.id,
        offer.chain.version,
        offer.provider,
        f"offer.{offer.state}",
        public(offer),
    )
