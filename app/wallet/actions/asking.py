"""The two consents are asked (214/НҚ, clause 6): one question at a time on a phone that is asked
nothing else, or in the cabinet where there is no phone to ask. Their way is followed here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.conversation import records as conversation
from app.conversation import rooms
from app.conversation.records import Question
from app.conversation.window import deadline_of
from app.ledger import binds, outbox
from app.ledger.ids import new_id
from app.ledger.journal import Chain
from app.ledger.outbox import Message, Priority
from app.ledger.segments import Standing
from app.ledger.unit import Unit
from app.recipients import records as recipients
from app.recipients.records import Recipient
from app.runtime import Runtime
from app.wallet.actions.saying import DIALOG, ROOM
from app.wallet.actions.telling import FIRST, FIRST_SCREEN, SECOND_SCREENS, say, step_of, tell
from app.wallet.consents import records
from app.wallet.consents.records import Consent
from app.wallet.notices.records import Notice, Sms
from app.wallet.rules import asking as rules
from app.wallet.rules.asking import OPEN, Event
from app.wallet.rules.asking import AskingState as State
from dialogs.engine.model import Screen

CLAUSE = "214:6"


def begin(rt: Runtime, unit: Unit, asked: Sequence[tuple[Notice, Recipient]]) -> None:
    """Asks everyone who is not being asked about that measure already."""
    if not asked:
        return
    busy = records.open_pairs(unit.tx, [p.id for _, p in asked])
    silent = binds.silent_networks(binds.every(unit.tx))
    drawn: list[Consent] = []
    for notice, person in asked:
        if (person.id, notice.measure) in busy:
            continue
        busy.add((person.id, notice.measure))
        drawn.append(_draw_up(rt, unit, notice, person, silent))
    records.insert(unit.tx, unit.vault, drawn)
    phones = {c.id: c for c in drawn if c.has_phone}
    opened = conversation.ask(
        unit.tx, ROOM, DIALOG, FIRST, [(c.id, c.phone_index) for c in phones.values()]
    )
    for question in opened:
        if question.case_id in phones:
            _put(rt, unit, phones[question.case_id])
    rooms.ask(rt.rooms, unit, [q for q in opened if q.case_id not in phones])


def _draw_up(
    rt: Runtime, unit: Unit, notice: Notice, person: Recipient, silent: frozenset[str]
) -> Consent:
    by_phone = notice.sms is Sms.WAITING and notice.network not in silent
    consent_id = new_id(unit.now)
    consent = Consent(
        id=consent_id, notice_id=notice.id, provider=notice.provider, reference=notice.reference,
        measure=notice.measure, recipient_id=person.id,
        phone_index=(person.phone_index or b"") if by_phone else b"",
        phone=(person.phone or "") if by_phone else "", network=notice.network,
        language=person.language, state=State.MADE, chain=Chain(consent_id), created_at=unit.now,
    )  # fmt: skip
    unit.journal.append(
        consent.chain, "made", unit.now, provider=notice.provider, notice=notice.id,
        measure=notice.measure, by_law="214/НҚ", clause=CLAUSE,
        asked_in="phone" if by_phone else "cabinet", **rt.versions.names,
    )  # fmt: skip
    if not by_phone:
        consent.asked_at = unit.now
        received(unit, consent, unit.now, proved_by="cabinet")
    return consent


def _put(rt: Runtime, unit: Unit, consent: Consent) -> None:
    """The first question, or the second where the first was answered in the app meanwhile."""
    say(rt, unit, consent, Screen(DIALOG, step_of(consent)), Priority.BULK)


def ask(rt: Runtime, unit: Unit, questions: Sequence[Question]) -> None:
    """The turn of these has come on their phones."""
    consents = records.lock(unit.tx, unit.vault, [q.case_id for q in questions])
    for consent in consents.values():
        _put(rt, unit, consent)


def received(unit: Unit, consent: Consent, at: datetime, **facts: Any) -> None:
    """The open question was received at `at`: its reply window runs from then."""
    if consent.state in (State.MADE, State.SENT):
        consent.state = rules.step(consent.state, Event.RECEIVED)
    consent.received_at = at
    consent.deadline = deadline_of(at)
    unit.journal.append(
        consent.chain, "received", unit.now, received_at=at, deadline=consent.deadline, **facts
    )


def submitting(rt: Runtime, unit: Unit, messages: Sequence[Message]) -> set[UUID]:
    """Marks the first questions that leave as sent. Returns the ids of those that must not: the
    phone is another's by now, or the question was answered elsewhere."""
    by_case = {m.case_id: m for m in messages if m.case_id is not None}
    consents = records.lock(unit.tx, unit.vault, list(by_case))
    fresh = [c for c in consents.values() if c.state is State.MADE]
    people = recipients.by_id(unit.tx, unit.vault, [c.recipient_id for c in fresh])
    for consent in fresh:
        person = people.get(consent.recipient_id)
        if person is not None and person.sms and person.phone_index == consent.phone_index:
            consent.state = rules.step(consent.state, Event.SUBMITTED)
            consent.asked_at = unit.now
            message = by_case[consent.id].id
            unit.journal.append(consent.chain, "submitted", unit.now, message=message)
        else:
            end(unit, consent, Event.WITHDRAWN, why="the phone takes no SMS of ours any more")
    close(rt, unit, [c for c in fresh if c.state not in OPEN])
    records.save(unit.tx, list(consents.values()))
    asked = (State.MADE, State.SENT, State.AWAITING)
    return {by_case[c.id].id for c in consents.values() if c.state not in asked}


def returned(unit: Unit, cases: Sequence[UUID]) -> None:
    """First questions that were claimed and have not left: nobody has seen them."""
    consents = records.lock(unit.tx, unit.vault, cases)
    for consent in consents.values():
        if rules.allows(consent.state, Event.RETURNED):
            consent.state = rules.step(consent.state, Event.RETURNED)
            consent.asked_at = None
            unit.journal.append(consent.chain, "returned", unit.now)
    records.save(unit.tx, list(consents.values()))


def standing(rt: Runtime, unit: Unit, standings: Sequence[Standing]) -> None:
    """Receipts came: a question received in whole opens its window, one that failed ends it."""
    consents = records.lock(unit.tx, unit.vault, [s.case_id for s in standings if s.case_id])
    for s in standings:
        consent = consents.get(s.case_id) if s.case_id else None
        if consent is None:
            continue
        is_open = _is_about(s.kind, consent) and consent.state in OPEN
        if is_open and s.delivered >= s.total and s.last_at is not None:
            if consent.received_at is None or s.kind == FIRST_SCREEN:
                facts = {"message": s.outbox_id, "network": s.network}
                consent.network = s.network
                received(unit, consent, s.last_at, **facts)
        elif is_open and s.failed and rules.allows(consent.state, Event.NOT_DELIVERED):
            end(unit, consent, Event.NOT_DELIVERED, why="receipt")
        elif s.delivered >= s.total or s.failed:
            kind = "message-failed" if s.failed else "message-delivered"
            facts = {"message": s.outbox_id, "wording": s.kind, "at": s.last_at}
            unit.journal.append(consent.chain, kind, unit.now, **facts)
    close(rt, unit, list(consents.values()))
    records.save(unit.tx, list(consents.values()))


def _is_about(kind: str, consent: Consent) -> bool:
    """Whether a message puts the question that is open now."""
    if consent.state is State.SECOND:
        return kind in SECOND_SCREENS
    return kind == FIRST_SCREEN


def failed(rt: Runtime, unit: Unit, messages: Sequence[tuple[UUID, str, str]]) -> None:
    """No network would take these: (case, kind, why)."""
    consents = records.lock(unit.tx, unit.vault, [case for case, _, _ in messages])
    for case, kind, why in messages:
        consent = consents.get(case)
        if consent is None:
            continue
        about = _is_about(kind, consent)
        if about and rules.allows(consent.state, Event.NOT_DELIVERED):
            end(unit, consent, Event.NOT_DELIVERED, why=why)
        else:
            facts = {"wording": kind, "why": why}
            unit.journal.append(consent.chain, "message-failed", unit.now, **facts)
    close(rt, unit, list(consents.values()))
    records.save(unit.tx, list(consents.values()))


def noted(unit: Unit, notes: Sequence[tuple[UUID, str, Mapping[str, object]]]) -> None:
    """Facts about the way of messages, for the journals."""
    consents = records.lock(unit.tx, unit.vault, [case for case, _, _ in notes])
    for case, kind, facts in notes:
        consent = consents.get(case)
        if consent is None:
            continue
        unit.journal.append(consent.chain, kind, unit.now, **facts)
        if kind == "message-sent-again" and consent.state is State.SENT:
            consent.asked_at = unit.now  # its day in the network begins anew
    records.save(unit.tx, list(consents.values()))


TOLD = {
    State.LAPSED: "lapsed",
    State.UNDELIVERED: "undelivered",
    State.STOPPED: "stopped",
    State.WITHDRAWN: "cancelled",
}


def end(unit: Unit, consent: Consent, event: Event, **facts: Any) -> None:
    """Ends the asking without an answer to the open question; what was answered stands."""
    consent.state = rules.step(consent.state, event)
    consent.closed_at = unit.now
    unanswered = [w for w, a in (("data", consent.data), ("sms", consent.sms)) if a is None]
    kind = str(consent.state)
    unit.journal.append(consent.chain, kind, unit.now, unanswered=unanswered, **facts)
    tell(unit, consent, TOLD[consent.state], unanswered=unanswered)


def close(rt: Runtime, unit: Unit, consents: Sequence[Consent]) -> None:
    """Frees the phones of those that have ended, and asks what waited behind them."""
    ended = [c for c in consents if c.state not in OPEN and c.closed_at == unit.now]
    if not ended:
        return
    outbox.cancel_questions(unit.tx, [c.id for c in ended], unit.now)
    pairs = [(c.id, c.phone_index) for c in ended if c.has_phone]
    rooms.ask(rt.rooms, unit, conversation.close(unit.tx, pairs))
