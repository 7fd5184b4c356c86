"""The two consents of clause 6 in the app: a person sees the open question and answers it there.
Taking a consent back is for /v1/me/consents."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from app.api import pages
from app.api.auth import CITIZEN
from app.api.pages import Paged
from app.api.problems import Problem, Refused, invalid, not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import utc, utc_or_none
from app.ledger.ids import as_id
from app.recipients.records import by_iin
from app.wallet.actions import answering
from app.wallet.actions.answering import AnsweredBefore, TooLate
from app.wallet.actions.telling import WHICH, screen_of, step_of
from app.wallet.consents import records
from app.wallet.consents.records import Consent
from app.wallet.notices.examples import AT, ID
from app.wallet.rules.asking import OPEN, AskingState
from dialogs.engine.render import mobile
from dialogs.engine.turn import UnknownChoice
from dialogs.engine.wording import BOTH
from dialogs.measure import MEASURE

CLOSED = Refused("reply_window", "214:6", "gate.reply_window.consent-closed")
Given = Literal["given", "refused"]


class ConsentAnswer(Struct, frozen=True):
    """The two consents to a measure: to the processing of data, and to receiving it by SMS."""

    id: str
    measure: str
    state: AskingState
    deadline: datetime | None
    data: Given | None
    data_at: datetime | None
    data_withdrawn_at: datetime | None
    sms: Given | None
    sms_at: datetime | None
    sms_withdrawn_at: datetime | None


class MeasureButton(Struct, frozen=True):
    """A choice that can be made now."""

    id: str
    label: str


class MeasureScreen(Struct, frozen=True):
    """What to show: a text and the choices below it. `question` is the consent that is asked."""

    body: str
    choices: list[MeasureButton]
    question: Literal["data", "sms"] | None


class MyMeasure(Struct, frozen=True):
    """A measure I am or was asked about."""

    consents: ConsentAnswer
    screen: MeasureScreen


class MyMeasures(Struct, frozen=True):
    """Measures, newest first."""

    items: list[MyMeasure]
    next: str | None


class MeasureChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to the open question, or to the one that `question` names, so that an answer sent
    twice is never taken for one to the next question."""

    choice: Literal["yes", "no"]
    question: Literal["data", "sms"] | None = None


def shown_consent(consent: Consent) -> ConsentAnswer:
    """The two consents as the API shows them."""
    return ConsentAnswer(
        id=str(consent.id),
        measure=consent.measure,
        state=consent.state,
        deadline=utc_or_none(consent.deadline),
        data=consent.data,  # type: ignore[arg-type]
        data_at=utc_or_none(consent.data_at),
        data_withdrawn_at=utc_or_none(consent.data_withdrawn_at),
        sms=consent.sms,  # type: ignore[arg-type]
        sms_at=utc_or_none(consent.sms_at),
        sms_withdrawn_at=utc_or_none(consent.sms_withdrawn_at),
    )


def list_my_measures(call: Call[None, Paged]) -> MyMeasures:
    recipient_id, query, unit = _recipient(call), call.query, call.unit
    if recipient_id is None:
        return MyMeasures([], None)
    ids = records.of_recipients(
        unit.tx, [recipient_id], after=pages.after(query.cursor), limit=query.limit + 1
    )
    page, following = pages.cut(ids, query.limit, str)
    found = records.some(unit.tx, unit.vault, page)
    return MyMeasures([_shown(call, consent) for consent in found], following)


def answer_my_measure(call: Call[MeasureChoice, Nothing]) -> MyMeasure:
    recipient_id, consent_id = _recipient(call), as_id(call.path["id"])
    if recipient_id is None or consent_id is None:
        raise not_found()
    try:
        consent = answering.answer_in_app(
            call.rt, call.unit, recipient_id, consent_id, call.body.choice, call.body.question
        )
    except UnknownChoice:
        raise invalid("choice", "choice") from None
    except AnsweredBefore as error:
        raise Problem("answered", answer=error.first) from None
    except TooLate:
        raise Problem("too_late", refused=CLOSED) from None
    if consent is None:
        raise not_found()
    return _shown(call, consent)


def _recipient(call: Call[Any, Any]) -> UUID | None:
    person = by_iin(call.unit.tx, call.unit.vault, [call.caller.iin]).get(call.caller.iin)
    return None if person is None else person.id


def _shown(call: Call[Any, Any], consent: Consent) -> MyMeasure:
    screen = screen_of(call.rt, consent)
    card = mobile(call.rt.words, MEASURE, screen, call.wanted or consent.language or BOTH)
    is_open = consent.state in OPEN
    buttons = [MeasureButton(c["id"], c["label"]) for c in card["choices"]]
    question = WHICH[step_of(consent)] if is_open else None
    return MyMeasure(
        shown_consent(consent),
        MeasureScreen(card["body"], buttons, question),  # type: ignore[arg-type]
    )


EXAMPLE = ConsentAnswer(
    ID, "school-meals", AskingState.AWAITING, utc(AT), None, None, None, None, None, None
)
_MINE = MyMeasure(
    EXAMPLE,
    MeasureScreen(
        "Келісесіз бе?", [MeasureButton("yes", "Иә"), MeasureButton("no", "Жоқ")], "data"
    ),
)

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/me/measures",
        scopes=(CITIZEN,),
        summary="List the measures I am asked about, newest first",
        handler=list_my_measures,
        query=Paged,
        answer=MyMeasures,
        answer_example=MyMeasures([_MINE], None),
        revalidated=True,
    ),
    Endpoint(
        method="POST",
        path="/v1/me/measures/{id}/answer",
        scopes=(CITIZEN,),
        summary="Answer one of the two consents to a measure",
        handler=answer_my_measure,
        body=MeasureChoice,
        answer=MyMeasure,
        errors=("not_found", "answered", "too_late"),
        body_example=MeasureChoice("yes", "data"),
        answer_example=_MINE,
        description=(
            "214/НҚ, clause 6: first the processing of data, then receiving by SMS. Refusing one "
            "says nothing about the other. The same answer again changes nothing."
        ),
    ),
)
