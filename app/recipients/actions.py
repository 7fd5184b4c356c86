"""The state registers tell us of recipients and consents: rows are judged one by one, good ones are
mirrored, bad ones named by their place. It never repeats an IIN or a phone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from app.conversation.inbox import HeedsLanguage
from app.conversation.rooms import Rooms
from app.ledger.ids import new_id
from app.ledger.journal import Chain
from app.ledger.unit import Unit
from app.recipients import records
from app.recipients.records import Consent, NewConsent, NewRecipient, Recipient
from app.recipients.rules import check_iin, normalise_phone

YEARS: Final = range(1900, 2200)
"""Years a register may speak of: PostgreSQL keeps others, but Python could not read them back."""


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """A row of the mobile citizens base, as it was sent."""

    iin: str
    phone: str
    language: str | None
    network: str | None
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: its place in what was sent, the field, the wording key of why."""

    index: int
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rows."""

    accepted: int
    rejected: tuple[Rejected, ...]


Why = tuple[str, str]  # field, wording key
Given = TypeVar("Given")
Kept = TypeVar("Kept", NewRecipient, NewConsent)


def register_recipients(unit: Unit, rows: Sequence[RecipientRow]) -> Taken:
    """Mirrors the rows that hold, by IIN; of two rows with one IIN the later counts. A landline or
    a foreign phone is kept too: the gates say what it is not good for."""
    kept, rejected = _sort(rows, _recipient)
    records.save(unit.tx, unit.vault, _in_order(kept), unit.now)
    return Taken(len(kept), rejected)


def register_consents(rooms: Rooms, unit: Unit, rows: Sequence[NewConsent]) -> Taken:
    """Mirrors the consents that hold, by IIN, purpose and reference; likewise. The rooms are told
    whose consents have ended."""
    kept, rejected = _sort(rows, _consent)
    records.save_consents(unit.tx, unit.vault, _in_order(kept), unit.now)
    ended = [row.iin for row in kept if row.revoked_at is not None]
    if ended:
        people = records.by_iin(unit.tx, unit.vault, ended)
        for room in rooms.values():
            room.consents_changed(unit, [person.id for person in people.values()])
    return Taken(len(kept), rejected)


def give_consent(unit: Unit, person: Recipient, iin: str, purpose: str) -> None:
    """A person consents in the app. One that is valid already stays as it is."""
    if any(_is_valid(c, purpose, unit.now) for c in records.consents_of(unit.tx, unit.vault, iin)):
        return
    reference = f"app-{new_id(unit.now)}"
    given = NewConsent(iin, purpose, reference, unit.now, None, None)
    records.save_consents(unit.tx, unit.vault, [given], unit.now)
    _note(unit, "consent-given", person, purpose, [reference])


def withdraw_consent(rooms: Rooms, unit: Unit, person: Recipient, iin: str, purpose: str) -> None:
    """A person withdraws their consent in the app; the rooms are told."""
    ended = records.withdraw_consents(unit.tx, unit.vault, iin, purpose, unit.now)
    if ended:
        _note(unit, "consent-withdrawn", person, purpose, ended)
        for room in rooms.values():
            room.consents_changed(unit, [person.id])


def choose_language(rooms: Rooms, unit: Unit, person: Recipient, language: str) -> None:
    """A person chooses the language they are written to in (52, clause 16); open cases heed it."""
    records.set_language(unit.tx, person.id, language, unit.now)
    for room in rooms.values():
        if isinstance(room, HeedsLanguage):
            room.language_chosen(unit, person.id, language)


def _is_valid(consent: Consent, purpose: str, now: datetime) -> bool:
    begun = consent.purpose == purpose and consent.given_at <= now
    until = [at for at in (consent.valid_until, consent.ended_at) if at is not None]
    return begun and all(at > now for at in until)


def _note(
    unit: Unit, kind: str, person: Recipient, purpose: str, references: Sequence[str]
) -> None:
    """What a person decided is a case of its own: one entry, chained and sealed as all others."""
    chain = Chain(new_id(unit.now))
    unit.journal.append(
        chain, kind, unit.now,
        recipient=person.id, purpose=purpose, references=sorted(references), how="app",
    )  # fmt: skip


def _sort(
    rows: Sequence[Given], judge: Callable[[Given], Kept | Why]
) -> tuple[list[Kept], tuple[Rejected, ...]]:
    kept: list[Kept] = []
    rejected: list[Rejected] = []
    for index, row in enumerate(rows):
        judged = judge(row)
        if isinstance(judged, tuple):
            rejected.append(Rejected(index, *judged))
        else:
            kept.append(judged)
    return kept, tuple(rejected)


def _recipient(row: RecipientRow) -> NewRecipient | Why:
    if wrong := check_iin(row.iin):
        return "iin", wrong
    phone = normalise_phone(row.phone)
    if not phone.e164:
        return "phone", phone.problem or "phone.not-a-number"
    if row.registered_at.year not in YEARS:
        return "registered_at", "dates.range"
    return NewRecipient(
        row.iin, phone.e164, str(phone.kind), row.language, row.network, row.registered_at
    )


def _consent(row: NewConsent) -> NewConsent | Why:
    if wrong := check_iin(row.iin):
        return "iin", wrong
    if row.given_at.year not in YEARS:
        return "given_at", "dates.range"
    for name in ("valid_until", "revoked_at"):
        at: datetime | None = getattr(row, name)
        if at is not None and at.year not in YEARS:
            return name, "dates.range"
        if at is not None and at < row.given_at:
            return name, "dates.order"
    return row


def _in_order(kept: list[Kept]) -> list[Kept]:
    """By IIN, so that two registers writing at once lock rows in the same order and never wait for
    one another in a circle."""
    return sorted(kept, key=lambda row: row.iin)
