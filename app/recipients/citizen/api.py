"""The citizen's own settings: the language we write in, SMS on or off. What the registers say of
them is not theirs to change here.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from app.api.auth import CITIZEN
from app.api.problems import invalid, not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import Language, utc, utc_or_none
from app.recipients import actions, records
from app.recipients.records import Consent, Recipient
from app.recipients.rules import mask_phone


class Me(Struct, frozen=True):
    """What a citizen may know and choose; of the phone only its end is shown. `language` null:
    we write in both."""

    language: Language | None
    sms: bool
    phone: str | None


class Wishes(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change; what is left out stays."""

    language: Language | None = None
    sms: bool | None = None


def read_me(call: Call[None, Nothing]) -> Me:
    return _shown(_person(call))


def change_me(call: Call[Wishes, Nothing]) -> Me:
    unit, wishes, person = call.unit, call.body, _person(call)
    if wishes.language is not None and wishes.language != person.language:
        actions.choose_language(call.rt.rooms, unit, person, wishes.language)
    if wishes.sms is not None and wishes.sms != person.sms:
        records.set_sms(unit.tx, person.id, wishes.sms, unit.now)
    return _shown(_person(call))


class MyConsent(Struct, frozen=True):
    """A consent and whether it holds now; `ended_at` is when it was withdrawn or revoked."""

    purpose: str
    reference: str
    given_at: datetime
    valid_until: datetime | None
    ended_at: datetime | None


class MyConsents(Struct, frozen=True):
    """Consents, latest first."""

    items: list[MyConsent]
    next: str | None


Purpose = Annotated[
    str,
    Meta(
        pattern="^(personal-data|measure-(data|sms):[a-z0-9-]{1,40})(?![\\s\\S])",
        description="`personal-data`, or one of the two consents to a measure of support: "
        "`measure-data:` or `measure-sms:` and the measure's code.",
        examples=["personal-data", "measure-sms:school-meals"],
    ),
]


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """`given` true: I consent; false: I withdraw whatever consent there is for the purpose."""

    purpose: Purpose
    given: bool


def list_my_consents(call: Call[None, Nothing]) -> MyConsents:
    _person(call)
    found = records.consents_of(call.unit.tx, call.unit.vault, call.caller.iin)
    return MyConsents([_consent(one) for one in found], None)


def decide_on_consent(call: Call[Decision, Nothing]) -> MyConsents:
    unit, person, iin = call.unit, _person(call), call.caller.iin
    _, _, code = call.body.purpose.partition(":")
    if code and call.rt.catalogue.find_measure(code) is None:
        raise invalid("purpose", "measure")
    if call.body.given:
        actions.give_consent(unit, person, iin, call.body.purpose)
    else:
        actions.withdraw_consent(call.rt.rooms, unit, person, iin, call.body.purpose)
    found = records.consents_of(unit.tx, unit.vault, iin)
    return MyConsents([_consent(one) for one in found], None)


def _consent(one: Consent) -> MyConsent:
    return MyConsent(
        one.purpose, one.reference, utc(one.given_at), utc_or_none(one.valid_until),
        utc_or_none(one.ended_at),
    )  # fmt: skip


def _person(call: Call[Any, Any]) -> Recipient:
    found = records.by_iin(call.unit.tx, call.unit.vault, [call.caller.iin])
    if not found:
        raise not_found()
    return found[call.caller.iin]


def _shown(person: Recipient) -> Me:
    phone = None if person.phone is None else mask_phone(person.phone)
    return Me(person.language, person.sms, phone)  # type: ignore[arg-type]


_AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
_CONSENTS = MyConsents([MyConsent("personal-data", "C-1", _AT, None, None)], None)
_ME = Me("kk", True, "+7 701 *** ** 00")

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/me",
        scopes=(CITIZEN,),
        summary="Read my settings",
        handler=read_me,
        answer=Me,
        errors=("not_found",),
        answer_example=_ME,
        revalidated=True,
    ),
    Endpoint(
        method="PATCH",
        path="/v1/me",
        scopes=(CITIZEN,),
        summary="Change my language, or turn SMS on or off",
        handler=change_me,
        body=Wishes,
        answer=Me,
        errors=("not_found",),
        body_example=Wishes(language="ru"),
        answer_example=_ME,
    ),
    Endpoint(
        method="GET",
        path="/v1/me/consents",
        scopes=(CITIZEN,),
        summary="List the consents I gave",
        handler=list_my_consents,
        answer=MyConsents,
        errors=("not_found",),
        answer_example=_CONSENTS,
        revalidated=True,
    ),
    Endpoint(
        method="POST",
        path="/v1/me/consents",
        scopes=(CITIZEN,),
        summary="Give or withdraw a consent",
        handler=decide_on_consent,
        body=Decision,
        answer=MyConsents,
        errors=("not_found",),
        body_example=Decision("personal-data", False),
        answer_example=_CONSENTS,
        description=(
            "The same decision again changes nothing. What is withdrawn ends the open offers that "
            "were made on it (155/НҚ, clause 3), and no older word of a register undoes it."
        ),
    ),
)
