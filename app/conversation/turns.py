"""What subscribers wrote becomes turns, and turns become the acts of the room that asked.

Works on a batch in one transaction. It understands and hands over; it holds no rule of any law.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.conversation import records, unasked
from app.conversation.records import Question, SeenBefore
from app.conversation.rooms import Reply
from app.conversation.unasked import LoopGuard
from app.ledger.unit import Unit
from app.runtime import Runtime
from dialogs import every
from dialogs.engine import turn
from smpp.messages import Inbound
from smpp.text import joined

# A redelivery after a lost link counts once. Nothing in SMPP tells it from the same words typed
# twice except that the link was lost in between, so only then the second is taken for the first:
# for a while, and, however long the link was away, as long as the network hands over what it kept.
REDELIVERY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Came:
    """One MO with what the gateway knows of its way: `connection` names the link's connection
    and process, `draining` says that the bind has only just come back. `repeats` is when the same
    octets were committed from an earlier connection, where this may be their redelivery."""

    message: Inbound
    connection: str
    draining: bool = False
    repeats: datetime | None = None


def take(rt: Runtime, unit: Unit, came: Sequence[Came], guard: LoopGuard) -> None:
    """Takes a batch of MOs in their order; each is stored, whatever becomes of it."""
    whole = arrived(unit, came)
    waves: list[list[Came]] = []
    seen: dict[str, int] = {}
    for one in whole:  # two replies of one phone are two turns: the second meets what the first did
        place = seen.get(one.message.sender, -1) + 1
        seen[one.message.sender] = place
        if place == len(waves):
            waves.append([])
        waves[place].append(one)
    for wave in waves:
        _take_wave(rt, unit, wave, guard)


def arrived(unit: Unit, came: Sequence[Came]) -> list[Came]:
    """The messages that are whole now and were not committed before; the rest is kept durably."""
    return _whole(unit, _new(unit, came))


def _new(unit: Unit, came: Sequence[Came]) -> list[Came]:
    """Puts aside what was committed already, by an earlier connection, shortly before. Who was
    asked something else since may well have said the same again, so the room is to judge it."""
    keyed = [(records.mo_key(unit.vault, c.message), c) for c in came]
    before = records.seen_before(unit.tx, [(k, c.connection) for k, c in keyed], unit.now)
    new: list[Came] = []
    for key, one in keyed:
        first = before.setdefault(key, SeenBefore(one.connection, unit.now))
        is_recent = one.draining or unit.now - first.at <= REDELIVERY
        if first.connection == one.connection or not is_recent:
            new.append(one)
            continue
        records.keep(unit.tx, unit.vault, one.message, "redelivered")
        if one.message.segment is None:
            new.append(replace(one, repeats=first.at))
    return new


def _whole(unit: Unit, came: Sequence[Came]) -> list[Came]:
    """Puts long messages together; what still lacks a segment waits in the ledger. A whole one
    counts by its first segment: the citizen wrote it no later than that."""
    whole: list[Came] = []
    for one in came:
        message = one.message
        if message.segment is None or message.segment.total < 2:
            whole.append(one)
            continue
        parts = records.add_part(unit.tx, unit.vault, message, message.segment)
        if parts is None:
            continue
        text, raw = joined(parts)
        first = min(part.received_at for part in parts)
        merged = replace(message, text=text, raw=raw, segment=None, received_at=first)
        whole.append(replace(one, message=merged))
    return whole


def _take_wave(rt: Runtime, unit: Unit, wave: Sequence[Came], guard: LoopGuard) -> None:
    """At most one message a phone."""
    heard: list[tuple[bytes, Came]] = []
    for one in wave:
        if not one.message.from_phone:
            records.keep(unit.tx, unit.vault, one.message, "not-a-phone")
        elif one.message.ussd is not None:
            records.keep(unit.tx, unit.vault, one.message, "ussd")
        else:
            phone = records.sender_index(unit.vault, one.message)
            heard.append((phone, one))
    questions = records.open_questions(unit.tx, [phone for phone, _ in heard])
    # Octets that cannot be read are no answer, but their sender must not wait in vain for one.
    replies = [
        _reply(questions[phone], one, one.message.text or "")
        for phone, one in heard
        if phone in questions
    ]
    unseen: set[UUID] = set()
    for name, room in rt.rooms.items():
        mine = [r for r in replies if r.question.room == name]
        if mine:
            unseen |= room.reply(unit, mine)
    others = [
        (phone, one.message, _evidence(one.message))
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
        evidence=_evidence(one.message),
        stuck=one.draining,
        repeats=one.repeats,
    )


def _evidence(message: Inbound) -> Mapping[str, object]:
    """The PDU's fields that are evidence and name nobody."""
    return {
        "network": message.network,
        "cid": message.cid,
        "data_coding": message.data_coding,
        "octets": len(message.raw),
    }
