"""Consents are taken back, from any channel and at any time (214/НҚ, clause 6); the other stays.
The register may end one too: what it says is found here and told to the provider.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from app.conversation.rooms import Reply, Unasked
from app.ledger.unit import Unit
from app.recipients import records as recipients
from app.wallet.actions.saying import ROOM
from app.wallet.actions.telling import DATA, SMS, purpose_of, tell
from app.wallet.consents import records
from app.wallet.consents.records import Consent
from dialogs.engine.understanding.spoken import said as tokens_of
from dialogs.withdrawal import WITHDRAWAL, WORDS

DIALOG = WITHDRAWAL.name
START = WITHDRAWAL.start


def _spelled(text: str) -> tuple[str, ...]:
    return tuple(token.text for token in tokens_of(text))


_SHORTEST = min(map(len, WORDS))
_LONGEST = 80  # characters; a longer text says more than that
_WORDS = frozenset(_spelled(words) for words in WORDS)


def takes_back(text: str) -> bool:
    """Whether a whole message plainly takes consents back; nothing vaguer is taken for it."""
    return _SHORTEST <= len(text) <= _LONGEST and _spelled(text) in _WORDS


def standing_in(consent: Consent) -> tuple[str, ...]:
    """Which of the two consents stand: "data", "sms"."""
    data, sms = consent.stands
    return tuple(which for which, holds in ((DATA, data), (SMS, sms)) if holds)


def withdraw(
    unit: Unit, consents: Sequence[Consent], which: Sequence[str], how: str, said: bytes | None
) -> list[Consent]:
    """Ends these consents where they stand; returns the cases that changed."""
    ending: list[tuple[UUID, str, str]] = []
    changed: list[Consent] = []
    for consent in consents:
        for one in standing_in(consent):
            if one not in which:
                continue
            ending.append((consent.recipient_id, purpose_of(one, consent.measure), str(consent.id)))
            _mark(unit, consent, one, how, said)
            if consent not in changed:
                changed.append(consent)
    recipients.withdraw(unit.tx, ending, unit.now)
    return changed


def _mark(unit: Unit, consent: Consent, which: str, how: str, said: bytes | None) -> None:
    if which == DATA:
        consent.data_withdrawn_at = unit.now
    else:
        consent.sms_withdrawn_at = unit.now
    purpose = purpose_of(which, consent.measure)
    unit.journal.append(
        consent.chain, f"{which}-withdrawn", unit.now, said, how=how, purpose=purpose
    )
    tell(unit, consent, "withdrawn", which=which, how=how)


def changed(unit: Unit, recipient_ids: Sequence[UUID]) -> None:
    """The register, or a person in the app, ended consents: those of ours are marked and told."""
    found = records.standing(unit.tx, recipient_ids)
    consents = list(records.lock(unit.tx, unit.vault, found).values())
    held = [
        (c.recipient_id, purpose_of(which, c.measure), str(c.id))
        for c in consents
        for which in standing_in(c)
    ]
    ended = recipients.ended(unit.tx, held, unit.now)
    for consent in consents:
        for which in standing_in(consent):
            if (str(consent.id), purpose_of(which, consent.measure)) in ended:
                _mark(unit, consent, which, "register", None)
    records.save(unit.tx, consents)


def stopped(unit: Unit, phones: Sequence[bytes]) -> None:
    """Whoever wants no more SMS takes back the consent to receive measures by SMS, and no other."""
    people = recipients.on_phones(unit.tx, phones)
    consents = _standing(unit, people)
    withdraw(unit, consents, (SMS,), "sms", None)
    records.save(unit.tx, consents)


def _standing(unit: Unit, people: Iterable[UUID]) -> list[Consent]:
    """The askings of these people in which a consent stands, locked."""
    wanted = list(people)
    found = records.standing(unit.tx, wanted) if wanted else []
    return list(records.lock(unit.tx, unit.vault, found).values())


def reply(unit: Unit, replies: Sequence[Reply]) -> set[UUID]:
    """Answers to which consent to take back, given on a USSD page; older askings about the same
    measure are meant too. Returns the cases of which nothing stands any more."""
    if not replies:
        return set()
    asked = records.some(unit.tx, unit.vault, [r.question.case_id for r in replies])
    consents = {c.id: c for c in _standing(unit, {c.recipient_id for c in asked})}
    gone: set[UUID] = set()
    for one in replies:
        consent, choice = consents.get(one.question.case_id), one.turn.choice
        if consent is None or choice is None or choice not in standing_in(consent):
            gone.add(one.question.case_id)
            continue
        same = (consent.recipient_id, consent.measure)
        meant = [c for c in consents.values() if (c.recipient_id, c.measure) == same]
        withdraw(unit, meant, (choice,), one.how, one.raw)
    records.save(unit.tx, list(consents.values()))
    return gone


def by_words(unit: Unit, messages: Sequence[Unasked]) -> dict[bytes, list[Consent]]:
    """Takes back every consent of who has the phones that plainly say so, by phone. It matters
    whose phone it is today, not where the consent was once asked."""
    plain = {m.phone_index: m for m in messages if takes_back(m.text)}
    people = recipients.on_phones(unit.tx, list(plain))
    consents = _standing(unit, people)
    done: dict[bytes, list[Consent]] = {}
    for consent in consents:
        phone = people[consent.recipient_id]
        if withdraw(unit, [consent], (DATA, SMS), "sms", plain[phone].raw):
            done.setdefault(phone, []).append(consent)
    records.save(unit.tx, consents)
    return done


__all__ = [
    "DIALOG", "ROOM", "START", "by_words", "changed", "reply", "standing_in", "stopped",
    "takes_back", "withdraw",
]  # fmt: skip
