"""The providers' routes of 155/НҚ: the states and case files of their offers. What may be offered
and what follows from an answer is decided elsewhere.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.api import pages
from app.api.pages import Paged
from app.api.problems import Problem, not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import Language, Reference, Words, utc, utc_or_none
from app.evidence.casefile import CaseEntry, CaseSeal, case_file
from app.ledger.ids import as_id
from app.ledger.keys import Scope
from app.ledger.unit import Unit
from app.proactive import records
from app.proactive.actions import providing
from app.proactive.records import Offer
from app.proactive.rules import IllegalTransition, State

Outcome = Annotated[
    str,
    Meta(
        description="`rendered` or `refused`, as reported; of a withdrawn offer why, where it was "
        "not its provider: `consent revoked`, or `gate:` and the gate that no longer held.",
        examples=["rendered"],
    ),
]


class OfferAnswer(Struct, frozen=True):
    """An offer as its provider sees it."""

    id: str
    reference: str
    service: str
    state: State
    language: Language | None
    created_at: datetime
    sent_at: datetime | None
    received_at: datetime | None
    deadline: datetime | None
    closed_at: datetime | None
    answered_by: Literal["sms", "ussd", "app"] | None
    result: Outcome | None


class OfferPage(Struct, frozen=True):
    """Offers, newest first."""

    items: list[OfferAnswer]
    next: str | None


class OfferQuery(Paged, frozen=True, forbid_unknown_fields=True):
    """Which offers."""

    reference: Reference | None = None
    state: State | None = None


class Withdrawal(Struct, frozen=True, forbid_unknown_fields=True):
    """Why an offer is taken back."""

    reason: Words


class Result(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of the service after the recipient accepted it."""

    result: Literal["rendered", "refused"]
    reason: Words | None = None
    document: Words | None = None


class CaseAnswer(Struct, frozen=True):
    """An offer and all that happened to it; the chain begins with 32 zero octets and ends in
    `head`. `seals` are those of the days on which something happened: the answer, kept as a file,
    is a case file, which `jauap journal verify --file` checks without us."""

    offer: OfferAnswer
    entries: list[CaseEntry]
    head: str
    case: str
    exported_at: datetime
    seals: list[CaseSeal]


def read_offer(call: Call[None, Nothing]) -> OfferAnswer:
    offer = records.one(call.unit.tx, call.unit.vault, _id(call), call.caller.provider)
    return shown(_found(offer))


def list_offers(call: Call[None, OfferQuery]) -> OfferPage:
    query = call.query
    found = records.page(
        call.unit.tx,
        call.unit.vault,
        call.caller.provider,
        reference=query.reference,
        state=query.state,
        after=pages.after(query.cursor),
        limit=query.limit + 1,
    )
    page, following = pages.cut(found, query.limit, lambda offer: str(offer.id))
    return OfferPage([shown(offer) for offer in page], following)


def withdraw_offer(call: Call[Withdrawal, Nothing]) -> OfferAnswer:
    try:
        offer = providing.withdraw(
            call.rt, call.unit, call.caller.provider, _id(call), call.body.reason
        )
    except IllegalTransition as error:
        raise Problem("state", state=error.state) from None
    return shown(_found(offer))


def report_result(call: Call[Result, Nothing]) -> OfferAnswer:
    said = call.body
    try:
        offer = providing.report(
            call.rt,
            call.unit,
            call.caller.provider,
            _id(call),
            said.result,
            said.reason,
            said.document,
        )
    except IllegalTransition as error:
        raise Problem("state", state=error.state) from None
    return shown(_found(offer))


def read_case(call: Call[None, Nothing]) -> CaseAnswer:
    is_auditor = call.caller.may(Scope.AUDITOR)
    provider = None if is_auditor else call.caller.provider
    offer = _found(records.one(call.unit.tx, call.unit.vault, _id(call), provider))
    return case_of(call.unit, offer, with_said=is_auditor)


def case_of(unit: Unit, offer: Offer, *, with_said: bool) -> CaseAnswer:
    """A case as the API shows it; what people said is opened only `with_said`."""
    file = case_file(unit.tx, unit.vault, offer.id, unit.now, with_said=with_said)
    if file is None:
        raise not_found()
    at = utc(file.exported_at)
    return CaseAnswer(shown(offer), file.entries, file.head, file.case, at, file.seals)


def _id(call: Call[Any, Any]) -> UUID:
    found = as_id(call.path["id"])
    if found is None:
        raise not_found()
    return found


def _found(offer: Offer | None) -> Offer:
    if offer is None:
        raise not_found()
    return offer


def shown(offer: Offer) -> OfferAnswer:
    """An offer as the API shows it, to its provider and to the person it was made to."""
    return OfferAnswer(
        id=str(offer.id),
        reference=offer.reference,
        service=offer.service,
        state=offer.state,
        language=offer.language,  # type: ignore[arg-type]
        created_at=utc(offer.created_at),
        sent_at=utc_or_none(offer.sent_at),
        received_at=utc_or_none(offer.received_at),
        deadline=utc_or_none(offer.deadline),
        closed_at=utc_or_none(offer.closed_at),
        answered_by=offer.answered_by,  # type: ignore[arg-type]
        result=offer.result,
    )


_AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
_EXAMPLE_ID = "019c1234-5678-7abc-8def-0123456789ab"
EXAMPLE = OfferAnswer(
    _EXAMPLE_ID, "A-1", "birth-benefit", State.MADE, "kk", _AT, None, None, None, None, None, None
)
_ENTRY = CaseEntry(1, _AT, "made", {}, "{…}", "5e…", None)
_PROVIDER = (Scope.PROVIDER,)

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/offers",
        scopes=_PROVIDER,
        summary="List offers, newest first",
        handler=list_offers,
        query=OfferQuery,
        answer=OfferPage,
        answer_example=OfferPage([EXAMPLE], None),
    ),
    Endpoint(
        method="GET",
        path="/v1/offers/{id}",
        scopes=_PROVIDER,
        summary="Read an offer",
        handler=read_offer,
        answer=OfferAnswer,
        errors=("not_found",),
        answer_example=EXAMPLE,
    ),
    Endpoint(
        method="POST",
        path="/v1/offers/{id}/withdraw",
        scopes=_PROVIDER,
        summary="Take back an offer that has no outcome yet",
        handler=withdraw_offer,
        body=Withdrawal,
        answer=OfferAnswer,
        errors=("not_found", "state"),
        body_example=Withdrawal("The child was registered in another region."),
        answer_example=EXAMPLE,
    ),
    Endpoint(
        method="POST",
        path="/v1/offers/{id}/result",
        scopes=_PROVIDER,
        summary="Report that an accepted service was rendered or refused",
        handler=report_result,
        body=Result,
        answer=OfferAnswer,
        errors=("not_found", "state"),
        body_example=Result("rendered", document="No. 17 of 31.01.2026"),
        answer_example=EXAMPLE,
    ),
    Endpoint(
        method="GET",
        path="/v1/offers/{id}/case",
        scopes=(Scope.PROVIDER, Scope.AUDITOR),
        summary="Read the whole case with its hash chain",
        handler=read_case,
        answer=CaseAnswer,
        errors=("not_found",),
        answer_example=CaseAnswer(EXAMPLE, [_ENTRY], "5e…", EXAMPLE.id, _AT, []),
    ),
)
