"""The citizen's routes of 155/НҚ: the inbox of offers with their screens, and the answer. An offer
that is not theirs does not exist here.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from app.api import pages
from app.api.auth import CITIZEN
from app.api.pages import Paged
from app.api.problems import Problem, Refused, invalid, not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import Moment
from app.ledger.ids import as_id
from app.proactive import records
from app.proactive.actions import answering
from app.proactive.actions.answering import AnsweredBefore, TooLate, UnknownChoice
from app.proactive.actions.saying import DIALOG
from app.proactive.api import OfferAnswer, shown
from app.proactive.records import Offer
from app.proactive.rules import IllegalTransition, State
from app.recipients.records import by_iin

WINDOW_CLOSED = Refused("reply_window", "155:4", "gate.reply_window.closed")


class Button(Struct, frozen=True):
    """One answer that may be given: its id for the API, its label for the person."""

    id: str
    label: str


class ScreenAnswer(Struct, frozen=True):
    """What the app shows; without choices there is nothing to answer."""

    body: str
    choices: list[Button]


class CitizenOffer(OfferAnswer, frozen=True):
    """An offer as the person it was made to sees it."""

    screen: ScreenAnswer


class CitizenOfferPage(Struct, frozen=True):
    """Offers, newest first."""

    items: list[CitizenOffer]
    next: str | None


class Answered(Struct, frozen=True, forbid_unknown_fields=True):
    """One of the choices of the offer's screen."""

    choice: Annotated[str, Meta(min_length=1, max_length=50, examples=["yes"])]


class InboxQuery(Paged, frozen=True, forbid_unknown_fields=True):
    """Which of them; `since`: only those to which something happened from then on."""

    since: Moment | None = None


def list_my_offers(call: Call[None, InboxQuery]) -> CitizenOfferPage:
    after = pages.after(call.query.cursor)
    recipient_id = _recipient_id(call)
    if recipient_id is None:
        return CitizenOfferPage([], None)
    limit = call.query.limit
    found = records.of_recipient(
        call.unit.tx,
        call.unit.vault,
        recipient_id,
        after=after,
        limit=limit + 1,
        since=call.query.since,
    )
    page, following = pages.cut(found, limit, lambda offer: str(offer.id))
    return CitizenOfferPage(_shown(call, page), following)


def read_my_offer(call: Call[None, Nothing]) -> CitizenOffer:
    recipient_id, offer_id = _ids(call)
    offer = answering.find(call.unit, recipient_id, offer_id)
    if offer is None:
        raise not_found()
    return _shown(call, [offer])[0]


def answer_my_offer(call: Call[Answered, Nothing]) -> CitizenOffer | Problem:
    recipient_id, offer_id = _ids(call)
    choice = call.body.choice
    try:
        offer = answering.answer(call.rt, call.unit, recipient_id, offer_id, choice, call.wanted)
    except UnknownChoice:
        raise invalid("choice", "choice") from None
    except AnsweredBefore as error:
        raise Problem("answered", answer=_in_words(call, error.first)) from None
    except TooLate:  # returned, not raised: that it came is in the journal and must stay there
        return Problem("too_late", refused=WINDOW_CLOSED)
    except IllegalTransition as error:
        raise Problem("state", state=error.state) from None
    if offer is None:
        raise not_found()
    return _shown(call, [offer])[0]


def _in_words(call: Call[Any, Any], choice: str) -> str:
    """An answer as it is called in the language of problems; the id where it has no word there."""
    return call.rt.words.each(DIALOG, f"answer.{choice}").get(call.language, choice)


def _recipient_id(call: Call[Any, Any]) -> UUID | None:
    person = by_iin(call.unit.tx, call.unit.vault, [call.caller.iin]).get(call.caller.iin)
    return None if person is None else person.id


def _ids(call: Call[Any, Any]) -> tuple[UUID, UUID]:
    recipient_id, offer_id = _recipient_id(call), as_id(call.path["id"])
    if recipient_id is None or offer_id is None:
        raise not_found()
    return recipient_id, offer_id


def _shown(call: Call[Any, Any], offers: list[Offer]) -> list[CitizenOffer]:
    cards = answering.screens(call.rt, call.unit, offers, call.wanted)
    return [
        CitizenOffer(
            **msgspec.structs.asdict(shown(offer)),
            screen=msgspec.convert(cards[offer.id], type=ScreenAnswer),
        )
        for offer in offers
    ]


_AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
_OFFER = CitizenOffer(
    id="019c1234-5678-7abc-8def-0123456789ab",
    reference="A-1",
    service="birth-benefit",
    state=State.SENT,
    language="kk",
    created_at=_AT,
    sent_at=_AT,
    received_at=None,
    deadline=None,
    closed_at=None,
    answered_by=None,
    result=None,
    screen=ScreenAnswer("Келісесіз бе?", [Button("yes", "Иә"), Button("no", "Жоқ")]),
)

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/me/offers",
        scopes=(CITIZEN,),
        summary="List the offers I was asked about, newest first",
        handler=list_my_offers,
        query=InboxQuery,
        answer=CitizenOfferPage,
        answer_example=CitizenOfferPage([_OFFER], None),
        revalidated=True,
    ),
    Endpoint(
        method="GET",
        path="/v1/me/offers/{id}",
        scopes=(CITIZEN,),
        summary="Read an offer I was asked about",
        handler=read_my_offer,
        answer=CitizenOffer,
        errors=("not_found",),
        answer_example=_OFFER,
        revalidated=True,
    ),
    Endpoint(
        method="POST",
        path="/v1/me/offers/{id}/answer",
        scopes=(CITIZEN,),
        summary="Answer an offer",
        handler=answer_my_offer,
        body=Answered,
        answer=CitizenOffer,
        errors=("not_found", "answered", "too_late", "state"),
        body_example=Answered("yes"),
        answer_example=_OFFER,
        description="The same answer may be given again: the first one counts and is shown.",
    ),
)
