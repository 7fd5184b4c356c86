"""The providers' routes of 155/НҚ: offers in, their states and case files out. What may be offered
and what follows from an answer is decided elsewhere.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from app.api import pages
from app.api.pages import Paged
from app.api.problems import Problem, Refused, gate_text, invalid, not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.texts import FIELDS, INVALID, KINDS
from app.api.values import Iin, Language, Reference, Words, utc, utc_or_none
from app.ledger import journal
from app.ledger.ids import as_id, new_id
from app.ledger.keys import Scope
from app.proactive import records
from app.proactive.actions import offering, providing
from app.proactive.actions.offering import Draft, Duplicate, Made
from app.proactive.records import Offer
from app.proactive.rules import IllegalTransition, Refusal, State
from app.recipients.rules import check_iin

MOST_OFFERS = 10_000
DUPLICATE = "duplicate_reference"

Scalar = str | int | float | bool | None
Service = Annotated[str, Meta(min_length=1, max_length=100, description="A service's code.")]


class Proposal(Struct, frozen=True, forbid_unknown_fields=True):
    """An offer to be made; `reference` is unique per provider."""

    service: Service
    iin: Iin
    reference: Reference
    values: Annotated[dict[str, Scalar], Meta(max_length=50)] = {}


class Proposals(Struct, frozen=True, forbid_unknown_fields=True):
    """Offers to be made together."""

    offers: Annotated[list[Proposal], Meta(max_length=MOST_OFFERS)]


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
    result: Literal["rendered", "refused"] | None


class RefusedRow(Struct, frozen=True, omit_defaults=True):
    """An offer of a batch that was not made. `gate` is the rule that refused, with its clause;
    "invalid" and "duplicate_reference" are no rules of law and have no clause."""

    index: int
    gate: str
    clause: str | None
    detail: str


class BatchAnswer(Struct, frozen=True):
    """What became of a batch."""

    id: str
    accepted: int
    refused: list[RefusedRow]


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


class Said(Struct, frozen=True):
    """What a person wrote, in hex: `digest` in the body is SHA-256(salt + octets)."""

    salt: str
    octets: str


class CaseEntry(Struct, frozen=True):
    """One entry: hash = SHA-256(hash before it + body). `body` is the text that was hashed, and
    `facts` is taken from it; only an auditor is shown what was `said`."""

    seq: int
    at: datetime
    kind: str
    facts: dict[str, Any]
    body: str
    hash: str
    said: Said | None


class CaseAnswer(Struct, frozen=True):
    """An offer and all that happened to it; the chain begins with 32 zero octets and ends in
    `head`."""

    offer: OfferAnswer
    entries: list[CaseEntry]
    head: str


def make_offer(call: Call[Proposal, Nothing]) -> OfferAnswer:
    if wrong := check_iin(call.body.iin):
        raise invalid("iin", wrong)
    made = _make(call, [call.body])[0]
    if isinstance(made, Duplicate):
        raise Problem(DUPLICATE)
    if isinstance(made, Refusal):
        raise Problem("refused", refused=Refused(made.gate, made.clause, made.detail_key))
    return shown(made)


def make_batch(call: Call[Proposals, Nothing]) -> BatchAnswer:
    wrong = {i: why for i, p in enumerate(call.body.offers) if (why := check_iin(p.iin))}
    sound = [(i, p) for i, p in enumerate(call.body.offers) if i not in wrong]
    made = _make(call, [p for _, p in sound])
    refused = [
        RefusedRow(i, INVALID, None, f"iin: {FIELDS[why].in_language(call.language)}")
        for i, why in wrong.items()
    ]
    for (i, _), one in zip(sound, made, strict=True):
        if not isinstance(one, Offer):
            refused.append(_refused_row(i, one, call.language))
    refused.sort(key=lambda row: row.index)
    accepted = len(call.body.offers) - len(refused)
    return BatchAnswer(str(new_id(call.unit.now)), accepted, refused)


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
    entries = journal.of_case(call.unit.tx, offer.id)
    return CaseAnswer(
        offer=shown(offer),
        entries=[_entry(call, entry, with_said=is_auditor) for entry in entries],
        head=(entries[-1].hash if entries else journal.GENESIS).hex(),
    )


def _make(call: Call[Any, Nothing], proposals: list[Proposal]) -> list[Made]:
    provider = call.caller.provider
    drafts = [Draft(p.service, p.iin, p.reference, p.values) for p in proposals]
    made = offering.make(call.rt, call.unit, provider, drafts)
    refused = [d.reference for d, m in zip(drafts, made, strict=True) if isinstance(m, Refusal)]
    if not refused:
        return made
    # Of two calls racing with one reference the second learns only from the database that it is
    # taken, and that cannot tell which of the two rules was broken.
    kept = {m.reference for m in made if isinstance(m, Offer)}
    taken = records.known_references(call.unit.tx, provider, refused) - kept
    return [
        Duplicate(d.reference) if isinstance(m, Refusal) and d.reference in taken else m
        for d, m in zip(drafts, made, strict=True)
    ]


def _refused_row(index: int, made: Refusal | Duplicate, language: str) -> RefusedRow:
    if isinstance(made, Duplicate):
        return RefusedRow(index, DUPLICATE, None, KINDS[DUPLICATE].detail.in_language(language))
    text = gate_text(Refused(made.gate, made.clause, made.detail_key))
    return RefusedRow(index, made.gate, made.clause, text.in_language(language))


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
        result=offer.result,  # type: ignore[arg-type]
    )


def _entry(call: Call[None, Nothing], entry: journal.Entry, *, with_said: bool) -> CaseEntry:
    said = None
    if with_said and entry.evidence is not None:
        opened = call.unit.vault.open(entry.evidence, entry.case_id.bytes)
        said = Said(opened[: journal.SALT].hex(), opened[journal.SALT :].hex())
    facts = msgspec.json.decode(entry.body)["facts"]
    body = entry.body.decode()
    return CaseEntry(entry.seq, utc(entry.at), entry.kind, facts, body, entry.hash.hex(), said)


_AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
_EXAMPLE_ID = "019c1234-5678-7abc-8def-0123456789ab"
_PROPOSAL = Proposal("birth-benefit", "900101300126", "A-1")
_OFFER = OfferAnswer(
    _EXAMPLE_ID, "A-1", "birth-benefit", State.MADE, "kk", _AT, None, None, None, None, None, None
)
_ENTRY = CaseEntry(1, _AT, "made", {}, "{…}", "5e…", None)
_PROVIDER = (Scope.PROVIDER,)

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/offers",
        scopes=_PROVIDER,
        summary="Make an offer",
        handler=make_offer,
        body=Proposal,
        answer=OfferAnswer,
        status=201,
        location="/v1/offers/{id}",
        errors=(DUPLICATE, "refused"),
        body_example=_PROPOSAL,
        answer_example=_OFFER,
        description="Judged by the gates of 155/НҚ at once; the SMS leaves within sending hours.",
    ),
    Endpoint(
        method="POST",
        path="/v1/offer-batches",
        scopes=_PROVIDER,
        summary="Make up to 10 000 offers",
        handler=make_batch,
        body=Proposals,
        answer=BatchAnswer,
        status=202,
        body_example=Proposals([_PROPOSAL]),
        answer_example=BatchAnswer(
            _EXAMPLE_ID, 0, [RefusedRow(0, "consent_given", "155:3", "There is no consent.")]
        ),
    ),
    Endpoint(
        method="GET",
        path="/v1/offers",
        scopes=_PROVIDER,
        summary="List offers, newest first",
        handler=list_offers,
        query=OfferQuery,
        answer=OfferPage,
        answer_example=OfferPage([_OFFER], None),
    ),
    Endpoint(
        method="GET",
        path="/v1/offers/{id}",
        scopes=_PROVIDER,
        summary="Read an offer",
        handler=read_offer,
        answer=OfferAnswer,
        errors=("not_found",),
        answer_example=_OFFER,
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
        answer_example=_OFFER,
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
        answer_example=_OFFER,
    ),
    Endpoint(
        method="GET",
        path="/v1/offers/{id}/case",
        scopes=(Scope.PROVIDER, Scope.AUDITOR),
        summary="Read the whole case with its hash chain",
        handler=read_case,
        answer=CaseAnswer,
        errors=("not_found",),
        answer_example=CaseAnswer(_OFFER, [_ENTRY], "5e…"),
    ),
)
