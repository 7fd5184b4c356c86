"""What subscribers wrote becomes turns, and turns become the acts of the room that asked.

Works on a batch in one transaction. It understands and hands over; it holds no rule of any law.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.conversation import records
from app.conversation.records import Question
from app.conversation.rooms import Reply, Unasked
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.runtime import Runtime
from dialogs import every
from dialogs.engine import turn
from dialogs.engine.model import COMMON, Screen
from dialogs.engine.render import sms
from dialogs.engine.understanding import understand
from dialogs.engine.wording import BOTH
from smpp.messages import Inbound
from smpp.text import joined

# A redelivery after a lost link counts once. Nothing in SMPP tells it from the same words typed
# twice except that the link was lost in between, so only then the second is taken for the first.
REDELIVERY = timedelta(minutes=15)
HELP_AGAIN = timedelta(days=1)
LOOP_WINDOW = timedelta(minutes=10)
LOOP_MOST = 10  # answers to a phone that is asked nothing: more is two machines talking


@dataclass(slots=True)
class LoopGuard:
    """Counts answers to phones that are asked nothing, so that two machines fall silent."""

    answered: dict[bytes, deque[datetime]] = field(default_factory=dict)

    def allows(self, phone: bytes, now: datetime) -> bool:
        """True while the phone has had fewer than LOOP_MOST answers lately; counts this one."""
        if len(self.answered) > 10_000:
            self.answered.clear()
        times = self.answered.setdefault(phone, deque(maxlen=LOOP_MOST))
        while times and now - times[0] > LOOP_WINDOW:
            times.popleft()
        if len(times) >= LOOP_MOST:
            return False
        times.append(now)
        return True


@dataclass(frozen=True, slots=True)
class Came:
    """One MO with what the gateway knows of its way: `connection` names the link's connection
    and process, `draining` says that the bind has only just come back."""

    message: Inbound
    connection: str
    draining: bool = False


def take(rt: Runtime, unit: Unit, came: Sequence[Came], guard: LoopGuard) -> None:
    """Takes a batch of MOs in their order; each is stored, whatever becomes of it."""
    whole = _whole(unit, _new(unit, came))
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


def _new(unit: Unit, came: Sequence[Came]) -> list[Came]:
    """Leaves out what was committed already, by an earlier connection, shortly before."""
    keyed = [(records.mo_key(c.message), c) for c in came]
    before = records.seen_before(unit.tx, [(k, c.connection) for k, c in keyed], unit.now)
    return [
        c
        for key, c in keyed
        if key not in before
        or before[key].connection == c.connection
        or unit.now - before[key].at > REDELIVERY
    ]


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
    readable: list[tuple[bytes, Came, str]] = []
    for one in wave:
        if not one.message.from_phone:
            records.keep(unit.tx, unit.vault, one.message, "not-a-phone")
        elif one.message.ussd is not None:
            records.keep(unit.tx, unit.vault, one.message, "ussd")
        elif one.message.text is None:
            records.keep(unit.tx, unit.vault, one.message, "undecodable")
        else:
            phone = unit.vault.index("phone", one.message.sender)
            readable.append((phone, one, one.message.text))
    questions = records.open_questions(unit.tx, [phone for phone, _, _ in readable])
    replies = [
        _reply(questions[phone], one, text) for phone, one, text in readable if phone in questions
    ]
    for name, room in rt.rooms.items():
        mine = [r for r in replies if r.question.room == name]
        if mine:
            room.reply(unit, mine)
    unasked = [r for r in readable if r[0] not in questions]
    if unasked:
        _take_unasked(rt, unit, unasked, guard)


def _reply(question: Question, one: Came, text: str) -> Reply:
    dialog = every.dialog(question.dialog)
    return Reply(
        question=question,
        turn=turn.reply(dialog, question.step, text, question.asked),
        text=text,
        raw=one.message.raw,
        received_at=one.message.received_at,
        how="sms",
        language=None,
        evidence=_evidence(one.message),
        stuck=one.draining,
    )


def _evidence(message: Inbound) -> Mapping[str, object]:
    """The PDU's fields that are evidence and name nobody."""
    return {
        "network": message.network,
        "cid": message.cid,
        "data_coding": message.data_coding,
        "octets": len(message.raw),
    }


def _take_unasked(
    rt: Runtime, unit: Unit, unasked: Sequence[tuple[bytes, Came, str]], guard: LoopGuard
) -> None:
    known = records.subscribers(unit.tx, [phone for phone, _, _ in unasked])
    quiet = {p for p, _, _ in unasked if not guard.allows(p, unit.now)}
    messages = [
        Unasked(
            phone,
            one.message.sender,
            text,
            one.message.raw,
            one.message.received_at,
            known[phone].language if phone in known else None,
            _evidence(one.message),
        )
        for phone, one, text in unasked
        if phone not in quiet
    ]
    answered: set[bytes] = set()
    for room in rt.rooms.values():
        answered |= room.unasked(unit, [m for m in messages if m.phone_index not in answered])
    for phone, one, _ in unasked:
        if phone not in answered:
            records.keep(unit.tx, unit.vault, one.message, "loop" if phone in quiet else "unasked")
    _help(rt, unit, [m for m in messages if m.phone_index not in answered], known)


def _help(
    rt: Runtime,
    unit: Unit,
    messages: Sequence[Unasked],
    known: Mapping[bytes, records.Subscriber],
) -> None:
    """Help once, in the phone's language, then silence until something is asked again."""
    helped: list[bytes] = []
    for m in messages:
        before = known[m.phone_index].helped_at if m.phone_index in known else None
        if before is not None and unit.now - before < HELP_AGAIN:
            continue
        language = m.language or understand(m.text).language or BOTH
        body = sms(rt.words, Screen(COMMON, "help-no-question"), language)
        unit.outbox.add(
            unit.now, "common.help-no-question", (m.phone_index, m.phone), body,
            network=str(m.evidence["network"]), priority=Priority.REPLY,
        )  # fmt: skip
        helped.append(m.phone_index)
    records.helped(unit.tx, helped, unit.now)
