"""What a phone may look at in the USSD menu of measures: each measure its people were told of, with
where it stands; the question it can answer, and the consents it may take back there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from app.catalogue.model import Channels
from app.conversation import records as conversation
from app.conversation import window
from app.conversation.records import Question
from app.conversation.rooms import Listed
from app.ledger.unit import Unit
from app.recipients import records as recipients
from app.runtime import Runtime
from app.wallet.actions import saying, withdrawing
from app.wallet.actions.answering import REMEMBERED
from app.wallet.actions.saying import DIALOG, ROOM, label_of, measure_values
from app.wallet.actions.telling import screen_of
from app.wallet.consents import records
from app.wallet.consents.records import Consent
from app.wallet.notices import records as notices
from app.wallet.notices.records import Kind, Notice
from app.wallet.rules.asking import OPEN
from dialogs.engine.model import Screen, Value
from dialogs.measure import MEASURE
from dialogs.withdrawal import of as withdrawal_of

MENU = "measures"
MOST = 24
LOOKED_BACK = timedelta(days=365)  # how far back one is told where a measure stands


@dataclass(slots=True)
class _Line:
    """One measure of one person: the askings about it, the open or newest first, and what was told
    of it last."""

    recipient_id: UUID
    measure: str
    askings: list[Consent]
    notice: Notice | None = None

    @property
    def is_open(self) -> bool:
        return bool(self.askings) and self.askings[0].state in OPEN

    @property
    def newest(self) -> UUID:
        ids = [c.id for c in self.askings]
        return max([*ids, self.notice.id] if self.notice is not None else ids)


def listed(rt: Runtime, unit: Unit, phones: Mapping[bytes, str]) -> dict[bytes, list[Listed]]:
    """The measures of whoever has these phones now, each phone in its language: the open question
    first, then what is newest. What is for the cabinet alone stays off the phone."""
    people = recipients.on_phones(unit.tx, list(phones))
    if not people:
        return {}
    questions = conversation.open_questions(unit.tx, list(phones))
    shown: dict[bytes, list[Listed]] = {}
    for line in _lines(rt, unit, list(phones), people):
        phone = people[line.recipient_id]
        mine = shown.setdefault(phone, [])
        if len(mine) < MOST:
            mine.append(_listed(rt, unit, line, questions.get(phone), phones[phone]))
    return shown


def _lines(
    rt: Runtime, unit: Unit, phones: Sequence[bytes], people: Mapping[UUID, bytes]
) -> list[_Line]:
    since = unit.now - REMEMBERED
    asked = records.of_phones(unit.tx, phones, since, MOST)
    standing = set(records.standing(unit.tx, list(people), withdrawn_since=since))
    lines: dict[tuple[UUID, str], _Line] = {}
    # A phone that went to somebody else asks nothing of them, and tells them nothing.
    for consent in records.some(unit.tx, unit.vault, [*asked, *standing]):
        if consent.id in standing or people.get(consent.recipient_id) == consent.phone_index:
            _line(lines, consent.recipient_id, consent.measure).askings.append(consent)
    for notice in notices.latest(unit.tx, list(people), unit.now - LOOKED_BACK):
        _line(lines, notice.recipient_id, notice.measure).notice = notice
    found = [one for one in lines.values() if one.recipient_id in people and _may_show(rt, one)]
    for one in found:
        one.askings.sort(key=partial(_first, unit), reverse=True)
    return sorted(found, key=lambda one: (one.is_open, one.newest), reverse=True)


def _line(lines: dict[tuple[UUID, str], _Line], recipient_id: UUID, measure: str) -> _Line:
    return lines.setdefault((recipient_id, measure), _Line(recipient_id, measure, []))


def _may_show(rt: Runtime, line: _Line) -> bool:
    """Whether the measure's policy lets a phone speak of it."""
    measure = rt.catalogue.find_measure(line.measure)
    return measure is not None and measure.channels is not Channels.CABINET


def _first(unit: Unit, consent: Consent) -> tuple[bool, bool, UUID]:
    stands = bool(withdrawing.standing_in(consent))
    return consent.state in OPEN, stands or _just_changed(unit, consent), consent.id


def _listed(
    rt: Runtime, unit: Unit, line: _Line, question: Question | None, language: str
) -> Listed:
    label = label_of(rt.catalogue.find_measure(line.measure), line.measure, language)
    after = Screen(DIALOG, "late")
    entry = partial(Listed, room=ROOM, menu=MENU, label=label, after=after)
    if not line.askings:
        assert line.notice is not None
        screen = saying.phone_screen_of(rt.catalogue, line.notice)
        return entry(case_id=line.notice.id, screen=screen)
    consent = line.askings[0]
    asked = question if question is not None and question.case_id == consent.id else None
    if asked is not None and _is_answerable(unit, consent):
        screen = screen_of(rt, consent)
        return entry(case_id=consent.id, screen=screen, question=asked, dialog=MEASURE)
    stands = withdrawing.standing_in(consent)
    if consent.state in OPEN or not stands or _just_changed(unit, consent):
        return entry(case_id=consent.id, screen=_shown(rt, unit, consent, line.notice))
    values = measure_values(rt.catalogue, line.measure) | {"status": _status(rt, line.notice)}
    place = (ROOM, withdrawing.DIALOG, withdrawing.START)
    return entry(
        case_id=consent.id,
        screen=Screen(withdrawing.DIALOG, withdrawing.START, values),
        question=Question(consent.id, consent.phone_index, *place, 0),
        dialog=withdrawal_of(*stands),
        standing=True,
    )


def _is_answerable(unit: Unit, consent: Consent) -> bool:
    return consent.state in OPEN and window.in_time(unit.now, consent.deadline)


def _just_changed(unit: Unit, consent: Consent) -> bool:
    return unit.now in (consent.data_withdrawn_at, consent.sms_withdrawn_at, consent.closed_at)


def _decided(notice: Notice | None) -> Notice | None:
    return notice if notice is not None and notice.kind is Kind.DECISION else None


def _status(rt: Runtime, notice: Notice | None) -> Value:
    """Where a measure stands, in a few words."""
    decided = _decided(notice)
    key = "given" if decided is None else decided.decision
    return rt.words.each(withdrawing.DIALOG, f"status.{key}")


def _shown(rt: Runtime, unit: Unit, consent: Consent, notice: Notice | None) -> Screen:
    decided = _decided(notice)
    if consent.state in OPEN:  # it waits for its turn, or the sweep will say that it is over
        return Screen(DIALOG, "notice", measure_values(rt.catalogue, consent.measure))
    if decided is not None and not _just_changed(unit, consent):
        return saying.screen_of(rt.catalogue, decided)
    if consent.sms_withdrawn_at is not None and not consent.stands[1]:
        return Screen(withdrawing.DIALOG, "sms-withdrawn")
    if consent.data_withdrawn_at is not None:
        return Screen(withdrawing.DIALOG, "data-withdrawn")
    return screen_of(rt, consent)
