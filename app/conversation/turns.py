"""What subscribers wrote becomes turns, and turns become the acts of the room that asked.

Works on a batch in one transaction. It understands and hands over; it holds no rule of any law.
"""

from collections.abc import Sequence
from uuid import UUID

from app.conversation import records, rooms, unasked, ussd
from app.conversation.arrivals import Came, arrived, evidence, waves
from app.conversation.records import Question
from app.conversation.rooms import Reply
from app.conversation.sessions import Session
from app.conversation.unasked import LoopGuard
from app.ledger.engine import Asked
from app.ledger.unit import Unit
from app.runtime import Runtime
from dialogs import every
from dialogs.engine import turn

__all__ = ["Came", "arrived", "take"]


def take(rt: Runtime, unit: Unit, came: Sequence[Came], guard: LoopGuard) -> None:
    """Takes a batch of MOs in their order; each is stored, whatever becomes of it. Only of USSD
    nothing is stored but answers: keys that turn pages say nothing."""
    held: dict[bytes, Session | None] = {}
    senders = {records.sender_index(unit.vault, one.message) for one in came}
    first = records.ask_open(unit.tx, sorted(senders)) if came else None
    rooms.foresee(rt.rooms, unit, sorted(senders))
    for wave in waves(arrived(unit, came)):
        phones = [one for one in wave if one.message.from_phone]
        for one in wave:
            if not one.message.from_phone:
                records.keep(unit.tx, unit.vault, one.message, "not-a-phone")
        ussd.take(rt, unit, [one for one in phones if one.message.ussd is not None], held)
        written = [one for one in phones if one.message.ussd is None]
        _take_wave(rt, unit, written, guard, first if len(written) == len(phones) else None)
        first = None


def _take_wave(
    rt: Runtime, unit: Unit, wave: Sequence[Came], guard: LoopGuard, asked: Asked | None
) -> None:
    """SMS, at most one a phone; `asked` are the open questions, where nothing can have changed
    since they were asked for."""
    heard = [(records.sender_index(unit.vault, one.message), one) for one in wave]
    phones = [phone for phone, _ in heard]
    questions = records.open_of(asked) if asked else records.open_questions(unit.tx, phones)
    answering = [(phone, one) for phone, one in heard if phone in questions]
    fresh = [(p, m.message, evidence(m.message)) for p, m in answering if m.repeats is None]
    taken_back = unasked.take_back(rt, unit, fresh)
    # Octets that cannot be read are no answer, but their sender must not wait in vain for one.
    replies = [
        _reply(questions[phone], one, one.message.text or "")
        for phone, one in answering
        if phone not in taken_back
    ]
    unseen: set[UUID] = set()
    for name, room in rt.rooms.items():
        mine = [r for r in replies if r.question.room == name]
        if mine:
            unseen |= room.reply(unit, mine)
    others = [
        (phone, one.message, evidence(one.message))
        for phone, one in heard
        if one.repeats is None and (phone not in questions or questions[phone].case_id in unseen)
    ]
    unasked.take(rt, unit, others, guard)


def _reply(question: Question, one: Came, text: str) -> Reply:
    dialog = every.dialog(question.dialog)
    return Reply(
        question=question,
        turn=turn.reply(dialog, question.step, "" if one.repeats else text, question.asked),
        text=text,
        raw=one.message.raw,
        received_at=one.message.received_at,
        how="sms",
        language=None,
        evidence=evidence(one.message),
        stuck=one.draining,
        repeats=one.repeats,
    )
