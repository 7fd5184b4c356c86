"""A recipient answers, or writes when nothing is asked any more (155/НҚ, clause 4)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import structs

from app.conversation import records as conversation
from app.conversation.rooms import Reply, Unasked
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.proactive import open_offers, records, rules
from app.proactive.actions import choosing, hearing
from app.proactive.actions.closing import close, is_open, step
from app.proactive.actions.delivering import open_window
from app.proactive.actions.saying import DIALOG, say, taken_back
from app.proactive.choices import records as choices
from app.proactive.records import Offer
from app.proactive.rules import Event, State
from app.recipients import records as recipients
from app.runtime import Runtime
from dialogs import every
from dialogs.engine import turn
from dialogs.engine.model import Screen
from dialogs.engine.turn import Event as Said
from dialogs.engine.understanding import ANOTHER_PERSON, Label, bare_digit, understand

LATE_ANSWERS = timedelta(days=30)  # how long a closed offer is remembered in conversation
# An answer this soon after another one, to a question that no receipt proves to be on the handset,
# may be the other one sent twice: an old "1" is not read as an answer to a new question.
HASTE = timedelta(minutes=10)
NO_SMS = "no SMS"  # why an offer counts as declined by who wants no more messages
OUTCOMES = {"accept": Event.YES, "decline": Event.NO}


def reply(rt: Runtime, unit: Unit, replies: Sequence[Reply]) -> set[UUID]:
    """Judges each answer at the time it reached us, and does what it means. Returns the cases
    whose question nobody has seen yet: what was said is no reply to them."""
    unseen = choosing.reply(rt, unit, [r for r in replies if r.question.dialog == choosing.DIALOG])
    replies = [r for r in replies if r.question.dialog == DIALOG]
    offers = records.lock(unit, [r.question.case_id for r in replies])
    hasty = _hasty(unit, list(offers.values()))
    closed: list[Offer] = []
    again: list[tuple[Any, int]] = []
    languages: dict[bytes, str] = {}
    for one in replies:
        offer = offers.get(one.question.case_id)
        event = _event(one)
        if offer is None or not _has_been_asked(offer, event):
            unseen.add(one.question.case_id)
            continue
        if one.repeats is not None and not _was_asked_after(offer, one.repeats):
            continue  # a redelivery of what this very question was answered with
        hearing.learn_language(unit, offer, one, languages)
        if not rules.in_time(one.received_at, offer.deadline, stuck=one.stuck):
            _too_late(rt, unit, offer, one, event)
        elif offer.id in hasty and one.how == "sms" and event in (Event.YES, Event.NO):
            _too_early(rt, unit, offer, one, again)
        elif event is None:
            _not_an_answer(rt, unit, offer, one, again)
        else:
            _answer(rt, unit, offer, one, event)
            closed.append(offer)
    conversation.asked_again(unit.tx, again)
    conversation.speaks(unit.tx, languages)
    recipients.set_languages(
        unit.tx,
        {
            o.recipient_id: languages[o.phone_index]
            for o in offers.values()
            if o.phone_index in languages
        },
    )
    last = {r.question.case_id for r in replies if r.question.is_last and not unit.is_again}
    close(rt, unit, closed, last)  # the next question is put in the language just learned
    disown(rt, unit, [o for o in closed if o.result == ANOTHER_PERSON])
    records.save(unit.tx, list(offers.values()))
    return unseen


def _has_been_asked(offer: Offer, event: Event | None) -> bool:
    """Only who was asked can answer; a wish for no more messages also stops what is on its way."""
    return is_open(offer) and (offer.state is not State.MADE or event is Event.STOPPED)


def _was_asked_after(offer: Offer, moment: datetime) -> bool:
    return offer.sent_at is not None and offer.sent_at >= moment


def _event(one: Reply) -> Event | None:
    if one.turn.event is Said.STOP:
        return Event.STOPPED
    if one.turn.understood is not None and one.turn.understood.rule == ANOTHER_PERSON:
        return Event.WRONG_PERSON
    return OUTCOMES.get(one.turn.outcome or "")


def _answer(rt: Runtime, unit: Unit, offer: Offer, one: Reply, event: Event) -> None:
    # A reply that comes before its receipt proves receipt.
    if offer.received_at is None and offer.state is State.SENT:
        offer.received_at = one.received_at
    step(unit, offer, event)
    why = {"reason": NO_SMS} if event is Event.STOPPED else {}
    hearing.write_down(unit, offer, str(event), one, state=offer.state, **why)
    hearing.heed(unit, offer, event)
    if event is Event.WRONG_PERSON:  # no answer, and nothing more is said to a stranger
        offer.result = ANOTHER_PERSON
        return
    offer.answered_by = one.how
    if one.turn.screen is not None and one.how == "sms":
        say(rt, unit, offer, one.turn.screen, priority=Priority.REPLY)


def disown(rt: Runtime, unit: Unit, offers: Sequence[Offer]) -> None:
    """A stranger answered: what still waited for this phone on behalf of the same recipients
    cannot be delivered."""
    if not offers:
        return
    ended, phones = {o.id for o in offers}, {o.phone_index for o in offers}
    open_ids = open_offers.of(unit.tx, [o.recipient_id for o in offers])
    found = records.lock(unit, [i for i in open_ids if i not in ended])
    others = [o for o in found.values() if o.state is State.MADE and o.phone_index in phones]
    for offer in others:
        step(unit, offer, Event.NOT_DELIVERED)
        offer.result = ANOTHER_PERSON
        unit.journal.append(offer.chain, "not-delivered", unit.now, why=ANOTHER_PERSON)
    close(rt, unit, others)
    records.save(unit.tx, others)


def _hasty(unit: Unit, offers: Sequence[Offer]) -> set[UUID]:
    """The offers nobody has proved to have received, on phones that have just answered another."""
    unproven = [o for o in offers if o.state is State.SENT]
    phones = [o.phone_index for o in unproven]
    lately = choices.phones_that_answered(unit.tx, phones, unit.now - HASTE)
    return {o.id for o in unproven if o.phone_index in lately}


def _too_early(
    rt: Runtime, unit: Unit, offer: Offer, one: Reply, again: list[tuple[Any, int]]
) -> None:
    """The question is put again, as after an unclear reply; what was said is kept."""
    question = one.question
    plain = turn.reply(every.dialog(question.dialog), question.step, "", question.asked)
    said = structs.replace(one, turn=replace(plain, understood=one.turn.understood))
    _not_an_answer(rt, unit, offer, said, again, early=True)


def _not_an_answer(
    rt: Runtime,
    unit: Unit,
    offer: Offer,
    one: Reply,
    again: list[tuple[Any, int]],
    *,
    early: bool = False,
) -> None:
    hearing.write_down(unit, offer, "heard-early" if early else f"heard-{one.turn.event}", one)
    # Whoever answers a question, however unclearly, has received it; unless what was said may be
    # older than the question.
    if offer.state is State.SENT and not early and one.repeats is None:
        network = str(one.evidence.get("network", offer.network))
        open_window(rt, unit, offer, one.received_at, network, proved_by="reply")
    if one.turn.event is Said.UNCLEAR:
        again.append((offer.id, one.question.asked + 1))
    if hearing.falls_silent(one):
        again.append((offer.id, one.question.asked + 1))
        hearing.put_for_review(unit, offer, one)
    if one.turn.event is Said.START:
        recipients.start_phones(unit.tx, [offer.phone_index], unit.now)
    if one.turn.screen is not None:
        say(rt, unit, offer, one.turn.screen, priority=Priority.REPLY)


def _too_late(rt: Runtime, unit: Unit, offer: Offer, one: Reply, event: Event | None) -> None:
    """The window is over and the sweep will say so; the answer is kept and changes nothing."""
    hearing.write_down(unit, offer, "heard-late", one)
    hearing.heed(unit, offer, event)
    if event is not Event.WRONG_PERSON and one.how == "sms":
        stopped = one.turn.screen if event is Event.STOPPED else None
        say(rt, unit, offer, stopped or Screen(DIALOG, "late"), priority=Priority.REPLY)


ALREADY = {State.ACCEPTED: "yes", State.RENDERED: "yes", State.REFUSED: "yes", State.DECLINED: "no"}


def unasked(rt: Runtime, unit: Unit, messages: Sequence[Unasked]) -> set[bytes]:
    """Answers after the end: politely, the window is over or the first answer stands. What is no
    answer is not about a case that has ended."""
    messages = [m for m in messages if _is_answer(m.text) or bare_digit(m.text)]
    since = unit.now - LATE_ANSWERS
    latest = records.latest_of_phones(unit.tx, unit.vault, [m.phone_index for m in messages], since)
    locked = records.lock(unit, [o.id for o in latest.values()])
    unchosen = choosing.lapsed(unit, list(locked))
    answered: set[bytes] = set()
    for message in messages:
        found = latest.get(message.phone_index)
        offer = locked.get(found.id) if found else None
        if offer is None or is_open(offer) or offer.sent_at is None:
            continue
        if offer.result == ANOTHER_PERSON:  # it was no offer to whoever writes
            continue
        chooses = offer.id in unchosen and bare_digit(message.text) is not None
        if not chooses and not _is_answer(message.text):
            continue
        unit.journal.append(
            offer.chain,
            "heard-after-the-end",
            unit.now,
            message.raw,
            received_at=message.received_at,
            **message.evidence,
        )
        answered.add(message.phone_index)
        if chooses:
            late = Screen(choosing.DIALOG, "late")
            say(rt, unit, offer, late, priority=Priority.REPLY, language=message.language)
        else:
            _answer_after_the_end(rt, unit, offer, message)
    records.save(unit.tx, list(locked.values()))
    return answered


def last_closed(unit: Unit, phones: Sequence[bytes]) -> dict[bytes, datetime]:
    """When an offer last ended on each phone, as far back as it is remembered."""
    latest = records.latest_of_phones(unit.tx, unit.vault, phones, unit.now - LATE_ANSWERS)
    return {p: o.closed_at for p, o in latest.items() if o.closed_at is not None}


def _is_answer(text: str) -> bool:
    return understand(text).label in (Label.YES, Label.NO)


def _answer_after_the_end(rt: Runtime, unit: Unit, offer: Offer, message: Unasked) -> None:
    language = message.language or offer.language
    if offer.state in (State.EXPIRED, State.UNDELIVERED):
        say(rt, unit, offer, Screen(DIALOG, "late"), priority=Priority.REPLY, language=language)
    elif offer.state is State.WITHDRAWN:
        say(rt, unit, offer, taken_back(offer), priority=Priority.REPLY, language=language)
    elif offer.state in ALREADY and offer.answered_by is not None:
        answer = rt.words.each(DIALOG, f"answer.{ALREADY[offer.state]}")
        screen = Screen(DIALOG, "already", {"answer": answer})
        say(rt, unit, offer, screen, priority=Priority.REPLY, language=language)
