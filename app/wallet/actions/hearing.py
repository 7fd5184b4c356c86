"""What phones say to the wallet when it asks them nothing: consents taken back in plain words, and
answers that come after the end."""

from collections.abc import Sequence
from datetime import datetime

from app.conversation.rooms import Unasked
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.runtime import Runtime
from app.wallet.actions import withdrawing
from app.wallet.actions.answering import REMEMBERED
from app.wallet.actions.saying import DIALOG, ROOM
from app.wallet.actions.telling import say
from app.wallet.consents import records
from app.wallet.consents.records import Consent
from app.wallet.rules.asking import AskingState as State
from dialogs.engine.model import Screen
from dialogs.engine.render import sms
from dialogs.engine.understanding import Label, bare_digit, understand
from dialogs.engine.wording import BOTH


def unasked(rt: Runtime, unit: Unit, messages: Sequence[Unasked]) -> set[bytes]:
    """Answers them; returns the phones that were answered."""
    answered = taken_back(rt, unit, messages)
    left = [m for m in messages if m.phone_index not in answered and _is_answer(m.text)]
    latest = records.latest_closed(unit.tx, [m.phone_index for m in left], unit.now - REMEMBERED)
    consents = records.lock(unit.tx, unit.vault, list(latest.values()))
    for message in left:
        found = latest.get(message.phone_index)
        consent = consents.get(found) if found else None
        screen = None if consent is None else _after(rt, consent)
        if consent is None or screen is None:
            continue
        unit.journal.append(
            consent.chain, "heard-after-the-end", unit.now, message.raw,
            received_at=message.received_at, **message.evidence,
        )  # fmt: skip
        say(rt, unit, consent, screen)
        answered.add(message.phone_index)
    records.save(unit.tx, list(consents.values()))
    return answered


def taken_back(rt: Runtime, unit: Unit, messages: Sequence[Unasked]) -> set[bytes]:
    """Takes back the consents of phones that plainly say so, and confirms it; returns them."""
    done = withdrawing.by_words(unit, messages)
    for message in messages:
        if message.phone_index in done:
            _confirm(rt, unit, message, done[message.phone_index][-1])
    return set(done)


def last_closed(unit: Unit, phones: Sequence[bytes]) -> dict[bytes, datetime]:
    """When an asking last ended on each phone: words after the end are about what ended last."""
    latest = records.latest_closed(unit.tx, phones, unit.now - REMEMBERED)
    consents = {c.id: c for c in records.some(unit.tx, unit.vault, list(latest.values()))}
    return {
        phone: at
        for phone, case in latest.items()
        if case in consents and (at := consents[case].closed_at) is not None
    }


def _is_answer(text: str) -> bool:
    return understand(text).label in (Label.YES, Label.NO) or bare_digit(text) is not None


def _after(rt: Runtime, consent: Consent) -> Screen | None:
    """The first answer stands, or the time is over; strangers and who wants no SMS hear nothing."""
    if consent.state is State.ANSWERED:
        answer = rt.words.each(DIALOG, f"answer.{consent.sms}")
        return Screen(DIALOG, "already", {"answer": answer})
    return Screen(DIALOG, "late") if consent.state is State.LAPSED else None


def _confirm(rt: Runtime, unit: Unit, message: Unasked, consent: Consent) -> None:
    screen = Screen(withdrawing.DIALOG, "all-withdrawn")
    body = sms(rt.words, screen, consent.language or message.language or BOTH)
    unit.outbox.add(
        unit.now, f"{screen.dialog}.{screen.key}", (message.phone_index, message.phone), body,
        case_id=consent.id, room=ROOM, network=str(message.evidence["network"]),
        priority=Priority.REPLY,
    )  # fmt: skip
