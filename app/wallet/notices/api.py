"""The bodies' way into the wallet: notices and decisions, one by one and in batches, what became of
them, and which are about to break their term (214/НҚ, clauses 4 and 7)."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.api import pages
from app.api.pages import Paged
from app.api.problems import Problem, Refused, gate_text, invalid, not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.texts import FIELDS, INVALID, KINDS
from app.api.values import Iin, Moment, Reference, Words, utc, utc_or_none
from app.catalogue.model import Refusal
from app.ledger.ids import as_id, new_id
from app.ledger.keys import Scope
from app.wallet.actions.noticing import Draft, Duplicate, Made, Wrong, make
from app.wallet.consents import records as consents
from app.wallet.consents.api import EXAMPLE as CONSENT
from app.wallet.consents.api import ConsentAnswer, shown_consent
from app.wallet.notices import records
from app.wallet.notices.examples import AT, ID
from app.wallet.notices.records import Kind, Notice
from app.wallet.rules import terms

MOST_NOTICES = 10_000
DUPLICATE = "duplicate_reference"

MeasureCode = Annotated[str, Meta(min_length=1, max_length=100, description="A measure's code.")]
Region = Annotated[
    str, Meta(pattern="^[a-z0-9-]{1,40}(?![\\s\\S])", description="Where, for the figures alone.")
]
Capacity = Literal[
    "individual", "sole-entrepreneur", "private-practitioner", "legal-consultant", "legal-entity",
    "state-body",
]  # fmt: skip


class NewNotice(Struct, frozen=True, forbid_unknown_fields=True):
    """A notice to be made. `asks`: the two consents of clause 6 are asked too. `recipient_kind`
    says in what capacity the recipient is meant; measures are for individuals."""

    measure: MeasureCode
    iin: Iin
    reference: Reference
    kind: Literal["measure-offer", "personal-data-processing"] = "measure-offer"
    asks: bool = False
    region: Region | None = None
    recipient_kind: Capacity = "individual"


class NewNotices(Struct, frozen=True, forbid_unknown_fields=True):
    """Notices to be made together."""

    notices: Annotated[list[NewNotice], Meta(max_length=MOST_NOTICES)]


class NewDecision(Struct, frozen=True, forbid_unknown_fields=True):
    """A decision that was taken; its notice stands in the cabinet at once. `reason` is shown to
    its recipient there, and nowhere else."""

    measure: MeasureCode
    iin: Iin
    reference: Reference
    decision: Literal["granted", "not-granted"]
    decided_at: Moment
    reason: Words | None = None
    region: Region | None = None
    recipient_kind: Capacity = "individual"


class WalletNotice(Struct, frozen=True):
    """A notice as its provider sees it. The term runs from `counted_from` to `deadline` and was
    kept at `served_at`; `is_overdue`: it was not kept."""

    id: str
    kind: Kind
    reference: str
    measure: str
    decision: Literal["granted", "not-granted"] | None
    created_at: datetime
    counted_from: datetime
    deadline: datetime
    alarm_at: datetime
    is_overdue: bool
    placed_at: datetime | None
    sms: Literal["none", "waiting", "sent", "delivered", "failed", "withheld"]
    sms_sent_at: datetime | None
    sms_delivered_at: datetime | None
    served_at: datetime | None
    read_at: datetime | None
    consents: ConsentAnswer | None = None


class NoticesPage(Struct, frozen=True):
    """Notices, newest first."""

    items: list[WalletNotice]
    next: str | None


class NoticesQuery(Paged, frozen=True, forbid_unknown_fields=True):
    """Which notices. `term`: only those whose term was broken ("overdue"), or that are not served
    and must be within hours ("due-soon")."""

    reference: Reference | None = None
    kind: Kind | None = None
    term: Literal["overdue", "due-soon"] | None = None


class RefusedNotice(Struct, frozen=True, omit_defaults=True):
    """A notice of a batch that was not made, and the rule that refused it."""

    index: int
    gate: str
    clause: str | None
    detail: str


class NoticeBatchAnswer(Struct, frozen=True):
    """What became of a batch; `deadline` is that of all its notices."""

    id: str
    accepted: int
    deadline: datetime | None
    refused: list[RefusedNotice]


def make_notice(call: Call[NewNotice, Nothing]) -> WalletNotice:
    return _made_one(call, _draft(call.body))


def make_decision(call: Call[NewDecision, Nothing]) -> WalletNotice:
    body = call.body
    draft = Draft(
        Kind.DECISION, body.measure, body.iin, body.reference, body.recipient_kind,
        region=body.region, decision=body.decision, decided_at=body.decided_at, words=body.reason,
    )  # fmt: skip
    return _made_one(call, draft)


def make_notices(call: Call[NewNotices, Nothing]) -> NoticeBatchAnswer:
    caller, drafts = call.caller, [_draft(one) for one in call.body.notices]
    made = make(call.rt, call.unit, caller.provider, drafts, caller.reach)
    kept = [one for one in made if isinstance(one, Notice)]
    refused = [
        _refused_row(i, one, call.language)
        for i, one in enumerate(made)
        if not isinstance(one, Notice)
    ]
    deadline = utc(kept[0].deadline) if kept else None
    return NoticeBatchAnswer(str(new_id(call.unit.now)), len(kept), deadline, refused)


def list_notices(call: Call[None, NoticesQuery]) -> NoticesPage:
    query, unit = call.query, call.unit
    provider = provider_of(call)
    after, limit = pages.after(query.cursor), query.limit + 1
    if query.term is not None:
        lead = terms.ALARM_LEAD if query.term == "due-soon" else timedelta(0)
        found = records.urgent(unit.tx, provider, unit.now, lead, after=after, limit=limit)
    else:
        found = records.page(
            unit.tx, provider, kind=query.kind, reference=query.reference, after=after, limit=limit
        )
    page, following = pages.cut(found, query.limit, lambda one: str(one.id))
    return NoticesPage([shown(one, unit.now) for one in page], following)


def read_notice(call: Call[None, Nothing]) -> WalletNotice:
    notice, unit = _found(call), call.unit
    asked = consents.of_notices(unit.tx, unit.vault, [notice.id]).get(notice.id)
    return shown(notice, unit.now, None if asked is None else shown_consent(asked))


def provider_of(call: Call[Any, Any]) -> str | None:
    """Whose cases a caller may see: auditors and operators see everybody's."""
    sees_all = call.caller.may(Scope.AUDITOR) or call.caller.may(Scope.OPERATOR)
    return None if sees_all else call.caller.provider


def _draft(one: NewNotice) -> Draft:
    return Draft(
        Kind(one.kind), one.measure, one.iin, one.reference, one.recipient_kind, one.asks,
        one.region,
    )  # fmt: skip


def _made_one(call: Call[Any, Any], draft: Draft) -> WalletNotice:
    [made] = make(call.rt, call.unit, call.caller.provider, [draft], call.caller.reach)
    match made:
        case Wrong():
            raise invalid(made.field, made.key)
        case Duplicate():
            raise Problem(DUPLICATE)
        case Refusal():
            raise Problem("refused", refused=Refused(made.gate, made.clause, made.detail_key))
    asked = consents.of_notices(call.unit.tx, call.unit.vault, [made.id]).get(made.id)
    return shown(made, call.unit.now, None if asked is None else shown_consent(asked))


def _refused_row(index: int, one: Made, language: str) -> RefusedNotice:
    match one:
        case Wrong():
            said = f"{one.field}: {FIELDS[one.key].in_language(language)}"
            return RefusedNotice(index, INVALID, None, said)
        case Refusal():
            text = gate_text(Refused(one.gate, one.clause, one.detail_key))
            return RefusedNotice(index, one.gate, one.clause, text.in_language(language))
    return RefusedNotice(index, DUPLICATE, None, KINDS[DUPLICATE].detail.in_language(language))


def _found(call: Call[Any, Any]) -> Notice:
    notice_id: UUID | None = as_id(call.path["id"])
    found = records.page(call.unit.tx, provider_of(call), notice_id=notice_id) if notice_id else []
    if not found:
        raise not_found()
    return found[0]


def _overdue(notice: Notice, now: datetime) -> bool:
    return terms.is_overdue(notice.deadline, notice.served_at, now)


def shown(notice: Notice, now: datetime, asked: ConsentAnswer | None = None) -> WalletNotice:
    """A notice as the API shows it."""
    return WalletNotice(
        id=str(notice.id),
        kind=notice.kind,
        reference=notice.reference,
        measure=notice.measure,
        decision=notice.decision,  # type: ignore[arg-type]
        created_at=utc(notice.created_at),
        counted_from=utc(notice.counted_from),
        deadline=utc(notice.deadline),
        alarm_at=utc(terms.alarm_at(notice.deadline)),
        is_overdue=_overdue(notice, now),
        placed_at=utc_or_none(notice.placed_at),
        sms=notice.sms.value,
        sms_sent_at=utc_or_none(notice.sms_sent_at),
        sms_delivered_at=utc_or_none(notice.sms_delivered_at),
        served_at=utc_or_none(notice.served_at),
        read_at=utc_or_none(notice.read_at),
        consents=asked,
    )


_NEW = NewNotice("school-meals", "900101300126", "M-1", asks=True)
EXAMPLE = WalletNotice(
    ID, Kind.OFFER, "M-1", "school-meals", None, AT, AT, AT, AT, False, AT, "waiting", None, None,
    AT, None, CONSENT,
)  # fmt: skip
_DECISION = NewDecision("school-meals", "900101300126", "D-1", "granted", AT)
_MAKERS = (Scope.PROVIDER,)
_READERS = (Scope.PROVIDER, Scope.AUDITOR, Scope.OPERATOR)
_TERM = "in the cabinet and/or by SMS within one working day (Asia/Almaty, moved days off)"

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/notices",
        scopes=_MAKERS,
        summary="Tell somebody of a measure of support, or of the processing of their data",
        handler=make_notice,
        body=NewNotice,
        answer=WalletNotice,
        status=201,
        location="/v1/notices/{id}",
        errors=(DUPLICATE, "refused"),
        body_example=_NEW,
        answer_example=EXAMPLE,
        description=f"214/НҚ, clause 4: {_TERM}.",
    ),
    Endpoint(
        method="POST",
        path="/v1/notice-batches",
        scopes=_MAKERS,
        summary="Make up to 10 000 notices",
        handler=make_notices,
        body=NewNotices,
        answer=NoticeBatchAnswer,
        status=202,
        body_example=NewNotices([_NEW]),
        answer_example=NoticeBatchAnswer(ID, 1, AT, []),
        description="All of them stand in the cabinet when this is answered; SMS leave after it.",
    ),
    Endpoint(
        method="GET",
        path="/v1/notices",
        scopes=_READERS,
        summary="List notices, newest first; with `term`, those whose working day is at stake",
        handler=list_notices,
        query=NoticesQuery,
        answer=NoticesPage,
        answer_example=NoticesPage([EXAMPLE], None),
    ),
    Endpoint(
        method="GET",
        path="/v1/notices/{id}",
        scopes=_READERS,
        summary="Read a notice and the consents asked with it",
        handler=read_notice,
        answer=WalletNotice,
        errors=("not_found",),
        answer_example=EXAMPLE,
    ),
    Endpoint(
        method="POST",
        path="/v1/decisions",
        scopes=_MAKERS,
        summary="Tell somebody of a decision about a measure",
        handler=make_decision,
        body=NewDecision,
        answer=WalletNotice,
        status=201,
        location="/v1/notices/{id}",
        errors=(DUPLICATE, "refused"),
        body_example=_DECISION,
        answer_example=EXAMPLE,
        description="214/НҚ, clause 7: to the cabinet, whoever it is; by SMS as an addition.",
    ),
)
