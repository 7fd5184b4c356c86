"""The providers' way in: offers, one by one and in batches. What may be offered is decided by the
gates; calls that come at once share a transaction, and each keeps its own answer.
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from app.api.limits import too_many
from app.api.problems import Problem, Refused, gate_text, invalid
from app.api.routing import Call, Endpoint, Nothing
from app.api.texts import FIELDS, INVALID, KINDS
from app.api.values import Iin, Reference
from app.ledger.ids import new_id
from app.ledger.keys import Reach, Scope
from app.proactive.actions.offering import Capped, Draft, Duplicate
from app.proactive.actions.proposing import Proposed, propose
from app.proactive.api import EXAMPLE, OfferAnswer, shown
from app.proactive.records import Offer
from app.proactive.rules import Refusal
from app.proactive.rules.accounts import Wrong

MOST_OFFERS = 10_000
DUPLICATE = "duplicate_reference"
CAPPED = "too_many"

Scalar = str | int | float | bool | None
Service = Annotated[str, Meta(min_length=1, max_length=100, description="A service's code.")]


class Proposal(Struct, frozen=True, forbid_unknown_fields=True):
    """An offer to be made; `reference` is unique per provider."""

    service: Service
    iin: Iin
    reference: Reference
    values: Annotated[dict[str, Scalar | list[str]], Meta(max_length=50)] = {}


class Proposals(Struct, frozen=True, forbid_unknown_fields=True):
    """Offers to be made together."""

    offers: Annotated[list[Proposal], Meta(max_length=MOST_OFFERS)]


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


def make_offer(call: Call[Proposal, Nothing]) -> OfferAnswer:
    [told] = make_offers([call])
    if isinstance(told, Problem):
        raise told
    return told


def make_offers(calls: Sequence[Call[Proposal, Nothing]]) -> list[OfferAnswer | Problem]:
    """Each call's offer, or why there is none; those of one key are made together."""
    by_key: dict[tuple[str, Reach], list[int]] = {}
    for place, call in enumerate(calls):
        by_key.setdefault((call.caller.provider, call.caller.reach), []).append(place)
    answers: dict[int, OfferAnswer | Problem] = {}
    for (provider, reach), places in by_key.items():
        drafts = [draft_of(calls[place].body) for place in places]
        first = calls[places[0]]
        made = propose(first.rt, first.unit, provider, drafts, reach)
        answers |= {place: _told(one) for place, one in zip(places, made, strict=True)}
    return [answers[place] for place in range(len(calls))]


def make_batch(call: Call[Proposals, Nothing]) -> BatchAnswer:
    caller, drafts = call.caller, [draft_of(p) for p in call.body.offers]
    made = propose(call.rt, call.unit, caller.provider, drafts, caller.reach)
    refused = [
        refused_row(i, one, call.language)
        for i, one in enumerate(made)
        if not isinstance(one, Offer)
    ]
    return BatchAnswer(str(new_id(call.unit.now)), len(made) - len(refused), refused)


def draft_of(proposal: Proposal) -> Draft:
    """A proposal as the room takes it."""
    return Draft(proposal.service, proposal.iin, proposal.reference, proposal.values)


def _told(one: Proposed) -> OfferAnswer | Problem:
    match one:
        case Wrong():
            return invalid(one.field, one.key)
        case Duplicate():
            return Problem(DUPLICATE)
        case Capped():
            return too_many(one.seconds)
        case Refusal():
            return Problem("refused", refused=Refused(one.gate, one.clause, one.detail_key))
    return shown(one)


def refused_row(index: int, one: Proposed, language: str) -> RefusedRow:
    """Why a row of many was not made."""
    match one:
        case Wrong():
            said = f"{one.field}: {FIELDS[one.key].in_language(language)}"
            return RefusedRow(index, INVALID, None, said)
        case Duplicate():
            return RefusedRow(index, DUPLICATE, None, KINDS[DUPLICATE].detail.in_language(language))
        case Capped():
            return RefusedRow(index, CAPPED, None, KINDS[CAPPED].detail.in_language(language))
        case Refusal():
            text = gate_text(Refused(one.gate, one.clause, one.detail_key))
            return RefusedRow(index, one.gate, one.clause, text.in_language(language))
    raise AssertionError("an offer was made")


_PROPOSAL = Proposal("birth-benefit", "900101300126", "A-1")
_PROVIDER = (Scope.PROVIDER,)
_EXAMPLE_ID = EXAMPLE.id

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/offers",
        scopes=_PROVIDER,
        summary="Make an offer",
        handler=make_offer,
        many=make_offers,
        body=Proposal,
        answer=OfferAnswer,
        status=201,
        location="/v1/offers/{id}",
        errors=(DUPLICATE, "refused"),
        body_example=_PROPOSAL,
        answer_example=EXAMPLE,
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
)
