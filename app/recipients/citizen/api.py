"""The citizen's own settings: the language we write in, SMS on or off. What the registers say of
them is not theirs to change here.
"""

from typing import Any

from msgspec import Struct

from app.api.auth import CITIZEN
from app.api.problems import not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import Language
from app.recipients import records
from app.recipients.records import Recipient
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
        records.set_language(unit.tx, person.id, wishes.language, unit.now)
    if wishes.sms is not None and wishes.sms != person.sms:
        records.set_sms(unit.tx, person.id, wishes.sms, unit.now)
    return _shown(_person(call))


def _person(call: Call[Any, Any]) -> Recipient:
    found = records.by_iin(call.unit.tx, call.unit.vault, [call.caller.iin])
    if not found:
        raise not_found()
    return found[call.caller.iin]


def _shown(person: Recipient) -> Me:
    phone = None if person.phone is None else mask_phone(person.phone)
    return Me(person.language, person.sms, phone)  # type: ignore[arg-type]


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
)
