"""The operators' list of cases whose recipient could not be understood. Whoever looks at one may
note it, and never answers for the recipient: there is no route for that.
"""

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from app.api import pages
from app.api.pages import Paged
from app.api.problems import not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import Language, Words, utc, utc_or_none
from app.ledger.ids import as_id
from app.ledger.keys import Scope
from app.proactive import records
from app.proactive.records import Offer
from app.proactive.reviewing import records as reviews
from app.proactive.reviewing.records import Review
from app.proactive.rules import State
from app.recipients.rules import mask_phone


class ReviewAnswer(Struct, frozen=True):
    """A case to be looked at; of the phone only its end is shown."""

    id: str
    service: str
    state: State
    language: Language | None
    phone: str
    unclear_at: datetime
    deadline: datetime | None
    seen_at: datetime | None
    seen_by: str | None


class ReviewPage(Struct, frozen=True):
    """Cases, newest first."""

    items: list[ReviewAnswer]
    next: str | None


class Seen(Struct, frozen=True, forbid_unknown_fields=True):
    """What was found, for the case's journal."""

    note: Words | None = None


def list_reviews(call: Call[None, Paged]) -> ReviewPage:
    unit, limit = call.unit, call.query.limit
    found = reviews.waiting(unit.tx, pages.after(call.query.cursor), limit + 1)
    page, following = pages.cut(found, limit, lambda review: str(review.case_id))
    cases = [(one, records.one(unit.tx, unit.vault, one.case_id, None)) for one in page]
    return ReviewPage([_shown(one, offer) for one, offer in cases if offer], following)


def see_review(call: Call[Seen, Nothing]) -> ReviewAnswer:
    unit, case_id = call.unit, as_id(call.path["id"])
    offer = None if case_id is None else records.lock(unit, [case_id]).get(case_id)
    if offer is None:
        raise not_found()
    review = reviews.seen(unit.tx, offer.id, call.caller.provider, unit.now)
    if review is None:
        raise not_found()
    note = call.body.note
    said = None if note is None else note.encode()
    unit.journal.append(offer.chain, "review-seen", unit.now, said, by=call.caller.provider)
    records.save(unit.tx, [offer])
    return _shown(review, offer)


def _shown(review: Review, offer: Offer) -> ReviewAnswer:
    return ReviewAnswer(
        id=str(offer.id),
        service=offer.service,
        state=offer.state,
        language=offer.language,  # type: ignore[arg-type]
        phone=mask_phone(offer.to[1]),
        unclear_at=utc(review.at),
        deadline=utc_or_none(offer.deadline),
        seen_at=utc_or_none(review.seen_at),
        seen_by=review.seen_by,
    )


_AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
_REVIEW: dict[str, Any] = {
    "id": "019c1234-5678-7abc-8def-0123456789ab",
    "service": "birth-benefit",
    "state": State.AWAITING,
    "language": "kk",
    "phone": "+7 701 *** ** 00",
    "unclear_at": _AT,
    "deadline": _AT,
    "seen_at": None,
    "seen_by": None,
}

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/offers/review",
        scopes=(Scope.OPERATOR,),
        summary="List open cases whose recipient could not be understood",
        handler=list_reviews,
        query=Paged,
        answer=ReviewPage,
        answer_example=ReviewPage([ReviewAnswer(**_REVIEW)], None),
    ),
    Endpoint(
        method="POST",
        path="/v1/offers/review/{id}/seen",
        scopes=(Scope.OPERATOR,),
        summary="Note that a case was looked at",
        handler=see_review,
        body=Seen,
        body_optional=True,
        answer=ReviewAnswer,
        errors=("not_found",),
        body_example=Seen("Called back; the recipient will answer by SMS."),
        answer_example=ReviewAnswer(**_REVIEW),
        description="It goes into the case's journal and answers nothing for the recipient.",
    ),
)
