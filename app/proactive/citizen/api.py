"""The citizen's routes of 155/НҚ: the inbox of offers with their screens, and the answer. An offer
that is not theirs does not exist here.
"""

from collections.abc import Sequence
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
from dialogs.engine.render import Card

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


def list_inboxes(calls: Sequence[Call[None, InboxQuery]]) -> list[CitizenOfferPage | Problem]:
    """Many people's inboxes, from their beginning, in one look; other pages one by one."""
    first = [c for c in calls if c.query.cursor is None and c.query.since is None]
    pages_of: dict[int, CitizenOfferPage | Problem] = {}
    if len(first) > 1:
        rt, unit = first[0].rt, first[0].unit
        people = by_iin(unit.tx, unit.vault, [c.caller.iin for c in first])
        ids = {iin: person.id for iin, person in people.items()}
        found = records.latest_of_recipients(
            unit.tx, unit.vault, list(ids.values()), max(c.query.limit for c in first) + 1
        )
        cut = {
            id(c): pages.cut(
                found.get(ids[c.caller.iin], [])[: c.query.limit + 1], c.query.limit, _mark
            )
            if c.caller.iin in ids
            else ([], None)
            for c in first
        }
        shown_in = [(offer, c.wanted) for c in first for offer in cut[id(c)][0]]
        cards = iter(answering.cards(rt, unit, shown_in))
        for c in first:
            page, following = cut[id(c)]
            pages_of[id(c)] = CitizenOfferPage([_worded(o, next(cards)) for o in page], following)
    return [pages_of.get(id(c)) or _or_problem(c) for c in calls]


def _mark(offer: Offer) -> str:
    return str(offer.id)


def _or_problem(call: Call[None, InboxQuery]) -> CitizenOfferPage | Problem:
    try:
        return list_my_offers(call)
    except Problem as problem:
        return problem


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
    cards = answering.cards(call.rt, call.unit, [(offer, call.wanted) for offer in offers])
    return [_worded(offer, card) for offer, card in zip(offers, cards, strict=True)]


def _worded(offer: Offer, card: Card) -> CitizenOffer:
    known = shown(offer)
    screen = ScreenAnswer(card["body"], [Button(c["id"], c["label"]) for c in card["choices"]])
    return CitizenOffer(**msgspec.structs.asdict(known), screen=screen)


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
        many=list_inboxes,
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
