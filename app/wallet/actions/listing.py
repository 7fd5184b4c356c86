"""What a phone may look at in the USSD menu of measures: the question it can answer, how others
ended, and the consents it may take back there."""

from collections.abc import Mapping

from app.conversation import records as conversation
from app.conversation import window
from app.conversation.records import Question
from app.conversation.rooms import Listed
from app.ledger.unit import Unit
from app.recipients import records as recipients
from app.runtime import Runtime
from app.wallet.actions import withdrawing
from app.wallet.actions.answering import REMEMBERED
from app.wallet.actions.saying import DIALOG, ROOM, label_of, measure_values
from app.wallet.actions.telling import screen_of
from app.wallet.consents import records
from app.wallet.consents.records import Consent
from app.wallet.rules.asking import OPEN
from dialogs.engine.model import Screen
from dialogs.measure import MEASURE
from dialogs.withdrawal import of as withdrawal_of

MENU = "measures"
MOST = 24


def listed(rt: Runtime, unit: Unit, phones: Mapping[bytes, str]) -> dict[bytes, list[Listed]]:
    """The askings on these phones, each in its language, whose recipients still have them, the
    open one first."""
    found = records.of_phones(unit.tx, list(phones), unit.now - REMEMBERED, MOST)
    standing = records.standing_of_phones(unit.tx, list(phones))
    known = records.some(unit.tx, unit.vault, [*found, *standing])
    if not known:
        return {}
    people = recipients.by_id(unit.tx, unit.vault, [c.recipient_id for c in known])
    theirs = {(p.id, p.phone_index) for p in people.values() if p.wrong_phone_at is None}
    questions = conversation.open_questions(unit.tx, list(phones))
    shown: dict[bytes, list[Listed]] = {}
    for consent in sorted(known, key=lambda c: c.state not in OPEN):
        if (consent.recipient_id, phone := consent.phone_index) in theirs:
            one = _listed(rt, unit, consent, questions.get(phone), phones[phone])
            shown.setdefault(phone, []).append(one)
    return shown


def _listed(
    rt: Runtime, unit: Unit, consent: Consent, question: Question | None, language: str
) -> Listed:
    asked = question if question is not None and question.case_id == consent.id else None
    may_answer = asked is not None and _is_answerable(unit, consent)
    measure = rt.catalogue.find_measure(consent.measure)
    after = Screen(DIALOG, "late")
    common = {
        "room": ROOM, "menu": MENU, "case_id": consent.id, "after": after,
        "label": label_of(measure, consent.measure, language),
    }  # fmt: skip
    if may_answer:
        return Listed(**common, screen=screen_of(rt, consent), question=asked, dialog=MEASURE)  # type: ignore[arg-type]
    stands = withdrawing.standing_in(consent)
    if consent.state in OPEN or not stands or _just_withdrawn(unit, consent):
        return Listed(**common, screen=_shown(rt, consent))  # type: ignore[arg-type]
    values = measure_values(rt.catalogue, consent.measure)
    return Listed(
        **common,  # type: ignore[arg-type]
        screen=Screen(withdrawing.DIALOG, withdrawing.START, values),
        question=Question(
            consent.id, consent.phone_index, ROOM, withdrawing.DIALOG, withdrawing.START, 0
        ),
        dialog=withdrawal_of(*stands),
        standing=True,
    )


def _is_answerable(unit: Unit, consent: Consent) -> bool:
    return consent.state in OPEN and window.in_time(unit.now, consent.deadline)


def _just_withdrawn(unit: Unit, consent: Consent) -> bool:
    return unit.now in (consent.data_withdrawn_at, consent.sms_withdrawn_at, consent.closed_at)


def _shown(rt: Runtime, consent: Consent) -> Screen:
    if consent.state in OPEN:  # it waits for its turn, or the sweep will say that it is over
        return Screen(DIALOG, "notice", measure_values(rt.catalogue, consent.measure))
    if consent.sms_withdrawn_at is not None and not consent.stands[1]:
        return Screen(withdrawing.DIALOG, "sms-withdrawn")
    if consent.data_withdrawn_at is not None:
        return Screen(withdrawing.DIALOG, "data-withdrawn")
    return screen_of(rt, consent)
