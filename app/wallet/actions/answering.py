"""A person answers one of the two consents, by SMS, USSD or in the app (214/НҚ, clause 6). Each
answer is its own evidence; what was said to one question is never read as an answer to the other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from app.conversation import hearing, window
from app.conversation import records as conversation
from app.conversation.records import Question
from app.conversation.rooms import Reply
from app.ledger.unit import Unit
from app.recipients import records as recipients
from app.runtime import Runtime
from app.wallet.actions import asking
from app.wallet.actions.saying import DIALOG, ROOM
from app.wallet.actions.telling import (
    DATA,
    FIRST,
    SECOND,
    WHICH,
    purpose_of,
    say,
    step_of,
    tell,
)
from app.wallet.consents import records
from app.wallet.consents.records import GIVEN, REFUSED, Consent
from app.wallet.rules import asking as rules
from app.wallet.rules.asking import OPEN, Event
from app.wallet.rules.asking import AskingState as State
from dialogs.engine import turn
from dialogs.engine.model import Screen
from dialogs.engine.turn import Event as Said
from dialogs.engine.understanding import ANOTHER_PERSON
from dialogs.measure import MEASURE

REMEMBERED = timedelta(days=30)  # how long a closed asking is remembered in conversation
Again = list[tuple[UUID, int]]


class AnsweredBefore(Exception):
    """Another answer was given first, and it stands."""

    def __init__(self, first: str) -> None:
        self.first = first
        super().__init__(f"found another answer, expected {first!r}, which was given first")


class TooLate(Exception):
    """The question is closed."""


def reply(rt: Runtime, unit: Unit, replies: Sequence[Reply]) -> set[UUID]:
    """Judges each answer at the time it reached us. Returns the cases whose question nobody has
    seen yet: what was said is no reply to them."""
    consents = records.lock(unit.tx, unit.vault, [r.question.case_id for r in replies])
    unseen: set[UUID] = set()
    again: Again = []
    languages: dict[bytes, str] = {}
    for one in replies:
        consent = consents.get(one.question.case_id)
        if consent is None or not _has_been_asked(consent, one):
            unseen.add(one.question.case_id)
            continue
        if one.repeats is not None and not _was_asked_after(consent, one.repeats):
            continue  # a redelivery of what was said before this question was put
        spoken = hearing.language_of(one, consent.language)
        if spoken is not None and spoken != consent.language:
            consent.language = languages[consent.phone_index] = spoken
        _judge(rt, unit, consent, one, again)
    _remember(unit, list(consents.values()), languages, again)
    asking.close(rt, unit, list(consents.values()))
    records.save(unit.tx, list(consents.values()))
    return unseen


def _was_asked_after(consent: Consent, moment: datetime) -> bool:
    return consent.asked_at is not None and consent.asked_at > moment


def _remember(
    unit: Unit, consents: Sequence[Consent], languages: dict[bytes, str], again: Again
) -> None:
    conversation.asked_again(unit.tx, again)
    phones = {phone: one for phone, one in languages.items() if phone}
    conversation.speaks(unit.tx, phones)
    spoken = {c.recipient_id: languages.get(c.phone_index) for c in consents}
    recipients.set_languages(unit.tx, {r: one for r, one in spoken.items() if one})


def _has_been_asked(consent: Consent, one: Reply) -> bool:
    """Only who was asked can answer; a wish for no more messages also stops what is on its way."""
    if consent.state not in OPEN or one.question.step != step_of(consent):
        return False
    return consent.state is not State.MADE or one.how == "app" or one.turn.event is Said.STOP


def _judge(rt: Runtime, unit: Unit, consent: Consent, one: Reply, again: Again) -> None:
    wish = _wish(one)
    if wish is Event.STOPPED:
        recipients.set_sms(unit.tx, consent.recipient_id, sms=False, now=unit.now)
        _end(unit, consent, one, wish)
        _answer(rt, unit, consent, one, one.turn.screen)
    elif wish is Event.WRONG_PERSON:
        recipients.mark_wrong_phone(unit.tx, [consent.recipient_id], unit.now)
        _end(unit, consent, one, wish)
    elif not window.in_time(one.received_at, consent.deadline, stuck=one.stuck):
        _write_down(unit, consent, "heard-late", one)
        _answer(rt, unit, consent, one, Screen(DIALOG, "late"))
    elif one.turn.event is Said.CHOICE and not _is_early(one, consent):
        choose(rt, unit, consent, one)
    else:
        _not_an_answer(rt, unit, consent, one, again)


def _wish(one: Reply) -> Event | None:
    """What ends the asking without an answer: no more messages, or a stranger."""
    if one.turn.event is Said.STOP:
        return Event.STOPPED
    if one.turn.understood is not None and one.turn.understood.rule == ANOTHER_PERSON:
        return Event.WRONG_PERSON
    return None


def _is_early(one: Reply, consent: Consent) -> bool:
    """Words sent before the second question was on the handset cannot be about it: whoever types
    "1" twice has consented once."""
    if one.how != "sms" or one.question.step != SECOND:
        return False
    return consent.received_at is None or one.received_at <= consent.received_at


def choose(rt: Runtime, unit: Unit, consent: Consent, one: Reply) -> None:
    """Takes the answer: its journal entry, its row in the consents register, its event; then the
    second question, or the end."""
    which = WHICH[one.question.step]
    answer = GIVEN if one.turn.choice == "yes" else REFUSED
    if consent.received_at is None and consent.state is State.SENT:
        consent.received_at = one.received_at  # a reply before its receipt proves receipt
    if which == DATA:
        consent.state = rules.step(consent.state, Event.DATA_ANSWERED)
        consent.data, consent.data_at = answer, one.received_at
    else:
        consent.state = rules.step(consent.state, Event.SMS_ANSWERED)
        consent.sms, consent.sms_at, consent.closed_at = answer, one.received_at, unit.now
    purpose = purpose_of(which, consent.measure)
    facts = {"clause": asking.CLAUSE, "purpose": purpose, **rt.versions.names}
    _write_down(unit, consent, f"{which}-{answer}", one, **facts)
    if answer == GIVEN:
        given = (consent.recipient_id, purpose, str(consent.id), one.received_at)
        recipients.note_given(unit.tx, [given], unit.now)
    tell(unit, consent, answer, which=which, how=one.how)
    if which == DATA:
        _ask_second(unit, consent, one)
    _answer(rt, unit, consent, one, one.turn.screen)


def _ask_second(unit: Unit, consent: Consent, one: Reply) -> None:
    """By SMS its window opens when the handset has it. On a screen it is seen at once, and words
    by SMS are then no answer until it was put by SMS too."""
    consent.asked_at, consent.received_at = unit.now, None
    consent.deadline = None if one.how == "sms" else window.deadline_of(unit.now)
    if consent.has_phone:
        conversation.follow_up(unit.tx, [consent.id], DIALOG, SECOND)


def _not_an_answer(rt: Runtime, unit: Unit, consent: Consent, one: Reply, again: Again) -> None:
    said, screen = one.turn.event, one.turn.screen
    kind = f"heard-{said}"
    if said is Said.CHOICE:  # early
        kind = "heard-early"
        said, screen = _put_second(unit, consent, one)
    _write_down(unit, consent, kind, one)
    if consent.state is State.SENT:  # whoever answers a question has received it
        asking.received(unit, consent, one.received_at, proved_by="reply")
    if said is Said.UNCLEAR or hearing.falls_silent(one):
        again.append((consent.id, one.question.asked + 1))
    if said is Said.START:
        recipients.set_sms(unit.tx, consent.recipient_id, sms=True, now=unit.now)
    _answer(rt, unit, consent, one, screen)


def _put_second(unit: Unit, consent: Consent, one: Reply) -> tuple[Said, Screen | None]:
    """What words are met with that came before their question. A handset that has never had it,
    for it was shown in the app or on USSD, gets it in full: "1" must not agree to it unread."""
    if consent.deadline is not None:
        consent.asked_at, consent.deadline = unit.now, None
        return Said.HELP, Screen(DIALOG, SECOND)
    left = MEASURE.ask(SECOND).again[one.question.asked :]
    return (Said.UNCLEAR, Screen(DIALOG, left[0])) if left else (Said.SILENT, None)


def _end(unit: Unit, consent: Consent, one: Reply, event: Event) -> None:
    _write_down(unit, consent, f"heard-{event}", one)
    asking.end(unit, consent, event)


def _answer(rt: Runtime, unit: Unit, consent: Consent, one: Reply, screen: Screen | None) -> None:
    if screen is not None and one.how == "sms":
        say(rt, unit, consent, screen)


def _write_down(unit: Unit, consent: Consent, kind: str, one: Reply, **more: Any) -> None:
    facts = hearing.facts_of(one) | more
    unit.journal.append(consent.chain, kind, unit.now, one.raw, **facts)


def answer_in_app(
    rt: Runtime, unit: Unit, recipient_id: UUID, consent_id: UUID, choice: str, step: str | None
) -> Consent | None:
    """Takes the answer `choice` given in the app to the open question, or to `step` where it is
    named ("data", "sms"). The same answer again changes nothing. None: no asking of this person.

    Raises UnknownChoice, AnsweredBefore, TooLate."""
    consent = records.lock(unit.tx, unit.vault, [consent_id]).get(consent_id)
    if consent is None or consent.recipient_id != recipient_id:
        return None
    asked = {DATA: FIRST, "sms": SECOND}.get(step or "", step_of(consent))
    said = turn.choose(MEASURE, asked, choice)
    given = consent.data if asked == FIRST else consent.sms
    if given is not None:
        if given != (GIVEN if choice == "yes" else REFUSED):
            raise AnsweredBefore("yes" if given == GIVEN else "no")
        return consent
    if consent.state not in OPEN or asked != step_of(consent):
        raise TooLate
    if not window.in_time(unit.now, consent.deadline):
        raise TooLate
    question = Question(consent.id, consent.phone_index, ROOM, DIALOG, asked, 0)
    one = Reply(
        question=question, turn=said, text=choice, raw=choice.encode(), received_at=unit.now,
        how="app", language=None, evidence={"choice": choice},
    )  # fmt: skip
    choose(rt, unit, consent, replace(one, turn=said))
    asking.close(rt, unit, [consent])
    records.save(unit.tx, [consent])
    return consent
