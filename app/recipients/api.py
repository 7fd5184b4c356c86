"""The registers' routes: recipients and consents in, what was taken and what was not out."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from app.api.routing import Call, Endpoint, Nothing
from app.api.texts import FIELDS
from app.api.values import Iin, Language, Moment, Reference
from app.ledger.keys import Scope
from app.recipients import actions
from app.recipients.actions import RecipientRow, Taken
from app.recipients.records import NewConsent

MOST_ROWS = 10_000


class Person(Struct, frozen=True, forbid_unknown_fields=True):
    """A recipient as the mobile citizens base has them."""

    iin: Iin
    phone: Annotated[str, Meta(max_length=100, description="Better E.164; 8… is understood.")]
    registered_at: Moment
    language: Language | None = None
    network: Annotated[str, Meta(pattern="^[a-z0-9-]{1,40}(?![\\s\\S])")] | None = None


class Recipients(Struct, frozen=True, forbid_unknown_fields=True):
    """Recipients to mirror; a known IIN is updated."""

    recipients: Annotated[list[Person], Meta(max_length=MOST_ROWS)]


class Consent(Struct, frozen=True, forbid_unknown_fields=True):
    """A consent as the access-control service has it."""

    iin: Iin
    purpose: Literal["personal-data"]
    reference: Reference
    given_at: Moment
    valid_until: Moment | None = None
    revoked_at: Moment | None = None


class Consents(Struct, frozen=True, forbid_unknown_fields=True):
    """Consents to mirror; one with a known IIN, purpose and reference is updated."""

    consents: Annotated[list[Consent], Meta(max_length=MOST_ROWS)]


class RejectedRow(Struct, frozen=True):
    """A row that was not taken: its place, and what was wrong with it."""

    index: int
    detail: str


class Registered(Struct, frozen=True):
    """How many rows were taken, and which were not."""

    accepted: int
    rejected: list[RejectedRow]


def register_recipients(call: Call[Recipients, Nothing]) -> Registered:
    rows = [
        RecipientRow(p.iin, p.phone, p.language, p.network, p.registered_at)
        for p in call.body.recipients
    ]
    return _told(actions.register_recipients(call.unit, rows), call.language)


def register_consents(call: Call[Consents, Nothing]) -> Registered:
    rows = [
        NewConsent(c.iin, c.purpose, c.reference, c.given_at, c.valid_until, c.revoked_at)
        for c in call.body.consents
    ]
    return _told(actions.register_consents(call.rt.rooms, call.unit, rows), call.language)


def _told(taken: Taken, language: str) -> Registered:
    return Registered(
        taken.accepted,
        [
            RejectedRow(r.index, f"{r.field}: {FIELDS[r.why].in_language(language)}")
            for r in taken.rejected
        ],
    )


_AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
_IIN = "900101300126"

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/registry/recipients",
        scopes=(Scope.REGISTRY,),
        summary="Mirror recipients and their phones",
        handler=register_recipients,
        body=Recipients,
        answer=Registered,
        body_example=Recipients([Person(_IIN, "+77010000100", _AT, "kk", "kcell")]),
        answer_example=Registered(1, []),
    ),
    Endpoint(
        method="POST",
        path="/v1/registry/consents",
        scopes=(Scope.REGISTRY,),
        summary="Mirror consents to the processing of personal data",
        handler=register_consents,
        body=Consents,
        answer=Registered,
        body_example=Consents([Consent(_IIN, "personal-data", "C-1", _AT)]),
        answer_example=Registered(1, []),
    ),
)
