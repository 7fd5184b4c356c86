"""Notices are made and placed (214/НҚ, clauses 4 and 7), one by one or by the ten thousand, in a
few statements. The cabinet is reached in the transaction that makes them; SMS leave as they can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from app.calendar import local_date
from app.catalogue.model import Channels, Measure, Refusal
from app.ledger.ids import new_id
from app.ledger.journal import Chain
from app.ledger.keys import LIVE, Reach
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.recipients import records as recipients
from app.recipients.reach import beyond, network_of
from app.recipients.records import Recipient
from app.recipients.rules import check_iin
from app.runtime import Runtime
from app.wallet.actions import asking
from app.wallet.actions.saying import ROOM, close_if_done, for_recipient, sms_of, tell_provider
from app.wallet.consents import records as consents
from app.wallet.notices import records
from app.wallet.notices.records import Kind, Notice, Sms
from app.wallet.rules import gates, terms

ACT: Final = "214/НҚ"
TERMS: Final = {Kind.OFFER: "notice", Kind.DATA: "notice", Kind.DECISION: "decision"}
CLAUSES: Final = {Kind.OFFER: "214:4", Kind.DATA: "214:4", Kind.DECISION: "214:7"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice as a provider proposes it. `asks`: the two consents are asked too (clause 6).
    `decision` and `decided_at` belong to a decision; `words` are the provider's own, sealed."""

    kind: Kind
    measure: str
    iin: str
    reference: str
    capacity: str = gates.INDIVIDUAL
    asks: bool = False
    region: str | None = None
    decision: str | None = None
    decided_at: datetime | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The provider has used this reference before for a notice of this kind."""

    reference: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field that is not as it should be, and the wording key of why."""

    field: str
    key: str


Made = Notice | Refusal | Duplicate | Wrong


@dataclass(slots=True)
class _Known:
    """What the drafts of one call are judged by."""

    provider: str
    reach: Reach
    people: Mapping[str, Recipient]
    taken: set[tuple[str, str]]
    refused_sms: frozenset[tuple[UUID, str]]
    deadlines: dict[tuple[str, datetime], datetime]


def make(
    rt: Runtime, unit: Unit, provider: str, drafts: Sequence[Draft], reach: Reach = LIVE
) -> list[Made]:
    """Makes a notice of every draft that passes the gates, in the drafts' order."""
    known = _look_up(unit, provider, drafts, reach)
    made: list[Made] = []
    for draft in drafts:
        one = _judge(rt, unit, draft, known)
        if isinstance(one, Notice):
            known.taken.add((one.kind, one.reference))
        made.append(one)
    return _store(rt, unit, drafts, made, known)


def _look_up(unit: Unit, provider: str, drafts: Sequence[Draft], reach: Reach) -> _Known:
    iins = list(dict.fromkeys(d.iin for d in drafts if check_iin(d.iin) is None))
    people = recipients.by_iin(unit.tx, unit.vault, iins)
    unknown = sorted(set(iins) - people.keys())
    if unknown:
        recipients.ensure(unit.tx, unit.vault, unknown, unit.now)
        people = {**people, **recipients.by_iin(unit.tx, unit.vault, unknown)}
    refused = consents.sms_refused(unit.tx, [p.id for p in people.values()])
    taken = records.known_references(unit.tx, provider, [d.reference for d in drafts])
    return _Known(provider, reach, people, taken, refused, {})


def _judge(rt: Runtime, unit: Unit, draft: Draft, known: _Known) -> Made:
    if wrong := check_iin(draft.iin):
        return Wrong("iin", wrong)
    if draft.decided_at is not None and draft.decided_at > unit.now:
        return Wrong("decided_at", "past")
    if (draft.kind, draft.reference) in known.taken:
        return Duplicate(draft.reference)
    person = known.people[draft.iin]
    capacity = gates.capacity_of(draft.iin, draft.capacity, person.kind)
    measure = rt.catalogue.find_measure(draft.measure)
    facts = gates.Facts(measure, capacity, draft.kind is Kind.DECISION)
    refusal = gates.judge(facts, local_date(unit.now))
    if refusal is not None:
        return refusal
    why = beyond(known.reach, person.phone_index, person.phone, is_sandbox=rt.settings.is_sandbox)
    if why is not None:
        return Refusal("phone_reachable", CLAUSES[draft.kind], why)
    assert measure is not None
    return _draw_up(rt, unit, draft, person, measure, known)


def _draw_up(
    rt: Runtime, unit: Unit, draft: Draft, person: Recipient, measure: Measure, known: _Known
) -> Notice:
    notice_id = new_id(unit.now)
    since = draft.decided_at or unit.now
    notice = Notice(
        id=notice_id, provider=known.provider, reference=draft.reference, kind=draft.kind,
        measure=draft.measure, recipient_id=person.id, phone_index=person.phone_index,
        network=network_of(known.reach, person.network), language=person.language,
        sms=_sms_of(draft, person, measure, known), chain=Chain(notice_id),
        created_at=unit.now, counted_from=since, deadline=_deadline(rt, draft.kind, since, known),
        decision=draft.decision, region=draft.region,
        words=records.seal_words(unit.vault, notice_id, draft.words),
    )  # fmt: skip
    _write_down(unit, notice, person, measure, draft.words)
    # A decision always stands in the cabinet (clause 7); so does what no SMS can carry, and what
    # its consents are asked about, for they are answered and taken back there too.
    must = draft.kind is Kind.DECISION or draft.asks or notice.sms is Sms.WITHHELD
    if must or measure.channels.has_cabinet:
        place(unit, notice)
    return notice


def _deadline(rt: Runtime, kind: Kind, since: datetime, known: _Known) -> datetime:
    key = (TERMS[kind], since)
    if key not in known.deadlines:
        act = rt.catalogue.by_law(ACT)
        known.deadlines[key] = terms.deadline_of(rt.calendar, act, TERMS[kind], since)
    return known.deadlines[key]


def _sms_of(draft: Draft, person: Recipient, measure: Measure, known: _Known) -> Sms:
    """By the measure's channels; no SMS for who wants none, or cannot have one."""
    if measure.channels is Channels.CABINET:
        return Sms.NONE
    refused = (person.id, measure.code) in known.refused_sms
    return Sms.WAITING if takes_sms(person) and not refused else Sms.WITHHELD


def takes_sms(person: Recipient) -> bool:
    """Whether a person's phone in the mobile citizens base may be written to (clause 4)."""
    is_there = person.phone_kind == "mobile" and person.registered_at is not None
    return is_there and person.sms and person.wrong_phone_at is None


def _write_down(
    unit: Unit, notice: Notice, person: Recipient, measure: Measure, words: str | None
) -> None:
    said = None if words is None else words.encode()
    unit.journal.append(
        notice.chain, "made", unit.now, said, provider=notice.provider, what=notice.kind,
        measure=notice.measure, decision=notice.decision, by_law=ACT, clause=CLAUSES[notice.kind],
        channels=measure.channels, sms=notice.sms, counted_from=notice.counted_from,
        deadline=notice.deadline, phone_registered_at=person.registered_at,
    )  # fmt: skip


def place(unit: Unit, notice: Notice, **why: str) -> None:
    """Places a notice in the cabinet, where its recipient can read it from this commit on."""
    if notice.placed_at is not None:
        return
    notice.placed_at = unit.now
    notice.served_at = notice.served_at or unit.now
    unit.journal.append(notice.chain, "placed", unit.now, deadline=notice.deadline, **why)
    close_if_done(unit, notice)
    tell_provider(unit, notice, "placed")
    unit.feed.add(notice.recipient_id, notice.id, partial(for_recipient, notice))


def _store(
    rt: Runtime, unit: Unit, drafts: Sequence[Draft], made: list[Made], known: _Known
) -> list[Made]:
    notices = [m for m in made if isinstance(m, Notice)]
    free = records.insert(unit.tx, known.provider, notices)
    if len(free) < len(notices):  # another transaction was quicker with the same reference
        forget(unit, {n.id for n in notices} - free)
    people = {p.id: p for p in known.people.values()}
    asked: list[tuple[Notice, Recipient]] = []
    for draft, one in zip(drafts, made, strict=True):
        if not isinstance(one, Notice) or one.id not in free:
            continue
        _send(rt, unit, one, people[one.recipient_id])
        if draft.asks:
            asked.append((one, people[one.recipient_id]))
    asking.begin(rt, unit, asked)
    return [
        Duplicate(m.reference) if isinstance(m, Notice) and m.id not in free else m for m in made
    ]


def forget(unit: Unit, cases: set[UUID]) -> None:
    """Takes back what was gathered of cases that were not stored after all."""
    unit.journal.entries = [e for e in unit.journal.entries if e.case_id not in cases]
    unit.handover.events = [e for e in unit.handover.events if e.case_id not in cases]
    for case in cases:
        unit.feed.changed.pop(case, None)


def _send(rt: Runtime, unit: Unit, notice: Notice, person: Recipient) -> None:
    if notice.sms is not Sms.WAITING or person.phone_index is None or person.phone is None:
        return
    kind, body = sms_of(rt, notice)
    is_decision = notice.kind is Kind.DECISION
    unit.outbox.add(
        unit.now, kind, (person.phone_index, person.phone), body, case_id=notice.id, room=ROOM,
        network=notice.network, priority=Priority.LEGAL if is_decision else Priority.BULK,
    )  # fmt: skip
