"""What a phone may look at of the offers it was asked about: the one it can answer, those that
have ended lately (155/НҚ, clause 4). The screens are the same on USSD and in the app.
"""

from collections.abc import Mapping

from app.conversation import records as conversation
from app.conversation.records import Question
from app.conversation.rooms import Listed
from app.ledger.unit import Unit
from app.proactive import records, rules
from app.proactive.actions import choosing
from app.proactive.actions.closing import is_open
from app.proactive.actions.replying import ALREADY, LATE_ANSWERS
from app.proactive.actions.saying import DIALOG, ROOM, service_values
from app.proactive.actions.sweeping import in_person
from app.proactive.records import Offer
from app.proactive.rules import State
from app.recipients import records as recipients
from app.runtime import Runtime
from dialogs import every
from dialogs.engine.model import Screen, Value

MENU = "offers"
MOST = 24


def listed(rt: Runtime, unit: Unit, phones: Mapping[bytes, str]) -> dict[bytes, list[Listed]]:
    """The offers these phones, each in its language, were asked about and whose recipients still
    have them: what others were asked on a phone once is no business of theirs."""
    found = records.of_phones(
        unit.tx,
        unit.vault,
        list(phones),
        now=unit.now,
        since=unit.now - LATE_ANSWERS,
        limit=MOST,
    )
    people = recipients.by_id(unit.tx, unit.vault, [o.recipient_id for o in found])
    theirs = {(p.id, p.phone_index) for p in people.values() if p.wrong_phone_at is None}
    questions = conversation.open_questions(unit.tx, list(phones))
    shown: dict[bytes, list[Listed]] = {}
    for offer in found:
        if (offer.recipient_id, phone := offer.phone_index) in theirs:
            one = _listed(rt, unit, offer, questions.get(phone), phones[phone])
            shown.setdefault(phone, []).append(one)
    return shown


def _listed(
    rt: Runtime, unit: Unit, offer: Offer, question: Question | None, language: str
) -> Listed:
    asked = question if question is not None and question.case_id == offer.id else None
    said = choosing.just_chosen(rt, unit, offer)
    screen, dialog = said or screen_of(rt, unit, offer, asked), None
    if asked is not None and choosing.open_question(unit, offer, asked):
        screen, dialog = choosing.screen_of(rt, offer, asked.step), choosing.dialog_of(rt, offer)
    elif asked is not None and is_answerable(unit, offer):
        dialog = every.dialog(asked.dialog)
    label = service_values(rt.catalogue, offer)["service"]
    return Listed(
        room=ROOM,
        menu=MENU,
        case_id=offer.id,
        label=label if isinstance(label, str) else label[language],
        screen=screen,
        after=_after(rt, unit, offer),
        question=asked if dialog is not None else None,
        dialog=dialog,
    )


def is_answerable(unit: Unit, offer: Offer) -> bool:
    """Whether an answer given now would count."""
    asked = offer.state in rules.ANSWERABLE
    return asked and rules.in_time(unit.now, offer.deadline)


def screen_of(rt: Runtime, unit: Unit, offer: Offer, question: Question | None) -> Screen:
    """What is shown of an offer now: its question while it can be answered, then how it ended."""
    values: dict[str, Value] = service_values(rt.catalogue, offer)
    if is_answerable(unit, offer):
        step = question.step if question is not None else every.dialog(DIALOG).start
        return Screen(question.dialog if question is not None else DIALOG, step, values)
    if is_open(offer):  # the sweep will say so soon
        return Screen(DIALOG, "late", values)
    if offer.state is State.EXPIRED:
        if rt.catalogue.find_service(offer.service) is None:
            return Screen(DIALOG, "late", values)
        values |= in_person(rt, offer, unit.now)
    return Screen(DIALOG, str(offer.state), values)


def _after(rt: Runtime, unit: Unit, offer: Offer) -> Screen:
    """What is said to an answer after the end: the first one stands, or the window is over."""
    if offer.state in ALREADY and offer.answered_by is not None:
        answer = rt.words.each(DIALOG, f"answer.{ALREADY[offer.state]}")
        return Screen(DIALOG, "already", {"answer": answer})
    return screen_of(rt, unit, offer, None)
