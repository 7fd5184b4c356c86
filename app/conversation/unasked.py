"""What phones say when they are not being asked anything: wishes that always count, words about a
case that has ended, and the rest, which is helped once and then met with silence.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.conversation import hearing, records
from app.conversation.inbox import HeedsStop, Remembers, TakesBack
from app.conversation.records import Subscriber
from app.conversation.rooms import Unasked
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.recipients import records as recipients
from app.runtime import Runtime
from dialogs.engine.model import COMMON, Screen
from dialogs.engine.render import sms
from dialogs.engine.understanding import Label, understand, wants_start
from dialogs.engine.wording import BOTH
from smpp.messages import Inbound

NEVER = datetime.min.replace(tzinfo=UTC)
LOOP_WINDOW = timedelta(minutes=10)
LOOP_MOST = 10  # answers to a phone that is asked nothing: more is two machines talking
LANGUAGES = {Label.LANGUAGE_KK: "kk", Label.LANGUAGE_RU: "ru"}

Known = Mapping[bytes, Subscriber]


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


def take(
    rt: Runtime,
    unit: Unit,
    heard: Sequence[tuple[bytes, Inbound, Mapping[str, object]]],
    guard: LoopGuard,
) -> None:
    """Takes (phone index, message, evidence), at most one a phone; each is kept, few answered."""
    if not heard:
        return
    phones = [phone for phone, _, _ in heard]
    known = records.subscribers(unit.tx, phones)
    registered = recipients.language_of_phones(unit.tx, phones)
    messages: dict[bytes, Unasked] = {}
    for phone, message, evidence in heard:
        if message.text is None:
            records.keep(unit.tx, unit.vault, message, "undecodable")
        elif not guard.allows(phone, unit.now):
            records.keep(unit.tx, unit.vault, message, "loop")
        else:
            chosen = known[phone].language if phone in known else None
            language = chosen or registered.get(phone)
            messages[phone] = _unasked(phone, message, message.text, evidence, language)
    heeded = _wishes(rt, unit, list(messages.values()), known)
    journalled = _tell_rooms(rt, unit, [m for p, m in messages.items() if p not in heeded])
    for phone, message, _ in heard:
        if phone in messages and phone not in journalled:
            records.keep(unit.tx, unit.vault, message, heeded.get(phone, "unasked"))
    done = journalled | set(heeded)
    _help_once(rt, unit, [m for p, m in messages.items() if p not in done], known)


def take_back(
    rt: Runtime, unit: Unit, heard: Sequence[tuple[bytes, Inbound, Mapping[str, object]]]
) -> set[bytes]:
    """Of phones that are being asked something: those that took consents back instead. Their
    question stays open."""
    messages = [
        _unasked(phone, message, message.text, evidence, None)
        for phone, message, evidence in heard
        if message.text is not None
    ]
    answered: set[bytes] = set()
    for room in rt.rooms.values():
        if messages and isinstance(room, TakesBack):
            answered |= room.taken_back(unit, messages)
    return answered


def _tell_rooms(rt: Runtime, unit: Unit, messages: Sequence[Unasked]) -> set[bytes]:
    """The rooms hear of a phone in turn, first the one whose case on it ended last: what is said
    after an end is about that. Returns the phones that a room has answered."""
    phones = [m.phone_index for m in messages]
    closed = {
        name: room.last_closed(unit, phones)
        for name, room in rt.rooms.items()
        if phones and isinstance(room, Remembers)
    }

    def turns(phone: bytes) -> list[str]:
        return sorted(
            rt.rooms, key=lambda name: closed.get(name, {}).get(phone, NEVER), reverse=True
        )

    order = {phone: turns(phone) for phone in phones}
    answered: set[bytes] = set()
    for place in range(len(rt.rooms)):
        left = [m for m in messages if m.phone_index not in answered]
        for name, room in rt.rooms.items():
            mine = [m for m in left if order[m.phone_index][place] == name]
            if mine:
                answered |= room.unasked(unit, mine)
    return answered


def _unasked(
    phone: bytes,
    message: Inbound,
    text: str,
    evidence: Mapping[str, object],
    language: str | None,
) -> Unasked:
    return Unasked(
        phone, message.sender, text, message.raw, message.received_at, language, evidence
    )


def _wishes(rt: Runtime, unit: Unit, messages: Sequence[Unasked], known: Known) -> dict[bytes, str]:
    """No more offers, offers again, or another language: heeded whenever they are said, confirmed
    when they change something. Returns the phones with the name of their wish."""
    labels = {m.phone_index: understand(m.text).label for m in messages}
    stops = [p for p, label in labels.items() if label is Label.STOP]
    stopped = recipients.stop_phones(unit.tx, stops, unit.now)
    silent = recipients.stopped_phones(unit.tx, stops)  # they were told, and want to hear no more
    for room in rt.rooms.values():
        if stops and isinstance(room, HeedsStop):
            room.stopped(unit, stops)
    starts = [m.phone_index for m in messages if wants_start(m.text)]
    started = recipients.start_phones(unit.tx, starts, unit.now)
    chosen = {
        p: LANGUAGES[label]
        for p, label in labels.items()
        if label in LANGUAGES and (p not in known or known[p].language != LANGUAGES[label])
    }
    hearing.choose_languages(rt.rooms, unit, chosen)
    for m in messages:
        if m.phone_index in stopped:
            _say(rt, unit, m, "stopped", m.language)
        elif m.phone_index in started:
            _say(rt, unit, m, "started", m.language)
        elif m.phone_index in chosen:
            _say(rt, unit, m, "language-switched", chosen[m.phone_index])
    heeded = dict.fromkeys(silent, "stop") | dict.fromkeys(started, "start")
    return heeded | dict.fromkeys(chosen, "language")


def _help_once(rt: Runtime, unit: Unit, messages: Sequence[Unasked], known: Known) -> None:
    """Help once, in the phone's language, then silence until something is asked again."""
    helped: list[bytes] = []
    for m in messages:
        if m.phone_index not in known or known[m.phone_index].helped_at is None:
            _say(rt, unit, m, "help-no-question", m.language)
            helped.append(m.phone_index)
    records.helped(unit.tx, helped, unit.now)


def _say(rt: Runtime, unit: Unit, m: Unasked, key: str, language: str | None) -> None:
    spoken = language or understand(m.text).language or BOTH
    unit.outbox.add(
        unit.now,
        f"{COMMON}.{key}",
        (m.phone_index, m.phone),
        sms(rt.words, Screen(COMMON, key), spoken),
        network=str(m.evidence["network"]),
        priority=Priority.REPLY,
    )
