"""What becomes of a notice's SMS on its way, and how the term is kept when it cannot leave: the
cabinet stands in for it (214/НҚ, clause 4: the cabinet and/or SMS)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.conversation.inbox import Figure
from app.ledger.engine import Tx
from app.ledger.outbox import Message
from app.ledger.segments import Standing
from app.ledger.unit import Unit
from app.recipients import records as recipients
from app.runtime import Runtime
from app.wallet.actions.noticing import place, takes_sms
from app.wallet.actions.saying import close_if_done, tell_provider
from app.wallet.notices import records
from app.wallet.notices.records import Kind, Notice, Sms
from app.wallet.rules import terms

KINDS = frozenset(
    f"measure.{key}"
    for key in (
        "notice", "data-notice", "notice-by-sms", "data-notice-by-sms", "granted", "not-granted"
    )
)  # fmt: skip
BATCH = 500
UNHEARD = timedelta(days=2)
"""An SMS lives in the network for a day, and its receipt may be a day late."""


def submitting(unit: Unit, messages: Sequence[Message]) -> set[UUID]:
    """Asks once more whether the phone may be written to, and marks what leaves as sent. Returns
    the ids that must not leave; those notices stand in the cabinet."""
    by_case = {m.case_id: m for m in messages if m.case_id is not None}
    notices = records.lock(unit.tx, list(by_case))
    fresh = [n for n in notices.values() if n.sms is Sms.WAITING]
    people = recipients.by_id(unit.tx, unit.vault, [n.recipient_id for n in fresh])
    for notice in fresh:
        person = people.get(notice.recipient_id)
        may = person is not None and takes_sms(person)
        if person is not None and may and person.phone_index == notice.phone_index:
            _sent(unit, notice, by_case[notice.id])
        else:
            withhold(unit, notice, "the phone takes no SMS of ours any more")
    records.save(unit.tx, list(notices.values()))
    return {by_case[n.id].id for n in notices.values() if n.sms is Sms.WITHHELD}


def _sent(unit: Unit, notice: Notice, message: Message) -> None:
    notice.sms, notice.sms_sent_at = Sms.SENT, unit.now
    unit.journal.append(notice.chain, "sms-submitted", unit.now, message=message.id)
    if notice.served_at is None and notice.kind is not Kind.DECISION:
        notice.served_at = unit.now


def withhold(unit: Unit, notice: Notice, why: str) -> None:
    """No SMS will leave: the cabinet has it."""
    notice.sms = Sms.WITHHELD
    unit.journal.append(notice.chain, "sms-withheld", unit.now, why=why)
    place(unit, notice, why=why)
    close_if_done(unit, notice)


def returned(unit: Unit, cases: Sequence[UUID]) -> None:
    """They were claimed and have not left after all."""
    notices = records.lock(unit.tx, cases)
    for notice in notices.values():
        if notice.sms is Sms.SENT:
            notice.sms = Sms.WAITING
            if notice.served_at == notice.sms_sent_at and notice.placed_at is None:
                notice.served_at = None
            notice.sms_sent_at = None
            unit.journal.append(notice.chain, "sms-returned", unit.now)
    records.save(unit.tx, list(notices.values()))


def standing(unit: Unit, standings: Sequence[Standing]) -> None:
    """Receipts came: delivered in whole, or failed."""
    notices = records.lock(unit.tx, [s.case_id for s in standings if s.case_id])
    for s in standings:
        notice = notices.get(s.case_id) if s.case_id else None
        if notice is None or notice.sms not in (Sms.SENT, Sms.WAITING, Sms.FAILED):
            continue
        if s.delivered >= s.total:  # a receipt may come after we gave it up
            notice.sms, notice.sms_delivered_at = Sms.DELIVERED, s.last_at or unit.now
            unit.journal.append(
                notice.chain, "sms-delivered", unit.now, message=s.outbox_id, at=s.last_at,
                network=s.network,
            )  # fmt: skip
            notice.network = s.network
            notice.served_at = notice.served_at or unit.now
            close_if_done(unit, notice)
            tell_provider(unit, notice, "delivered")
        elif s.failed and notice.sms is not Sms.FAILED:
            _failed(unit, notice, "receipt")
    records.save(unit.tx, list(notices.values()))


def failed(unit: Unit, messages: Sequence[tuple[UUID, str]]) -> None:
    """No network would take these: (case, why)."""
    notices = records.lock(unit.tx, [case for case, _ in messages])
    for case, why in messages:
        notice = notices.get(case)
        if notice is not None and notice.sms in (Sms.SENT, Sms.WAITING):
            _failed(unit, notice, why)
    records.save(unit.tx, list(notices.values()))


def _failed(unit: Unit, notice: Notice, why: str) -> None:
    notice.sms = Sms.FAILED
    unit.journal.append(notice.chain, "sms-failed", unit.now, why=why)
    tell_provider(unit, notice, "failed")
    place(unit, notice, why="the SMS could not be delivered")
    close_if_done(unit, notice)


def noted(unit: Unit, notes: Sequence[tuple[UUID, str, Mapping[str, object]]]) -> set[UUID]:
    """Facts about the way of messages, for the journals; returns the cases that are notices."""
    notices = records.lock(unit.tx, [case for case, _, _ in notes])
    for case, kind, facts in notes:
        if case in notices:
            unit.journal.append(notices[case].chain, kind, unit.now, **facts)
    records.save(unit.tx, list(notices.values()))
    return set(notices)


def save_terms(rt: Runtime) -> int:
    """Shortly before their term ends, places in the cabinet what could not leave by SMS; the SMS
    still leaves when it can. Returns how many."""
    with rt.unit() as unit:
        due = records.to_save(unit.tx, unit.now + terms.SAVE_LEAD, BATCH)
        notices = records.lock(unit.tx, due)
        for notice in notices.values():
            place(unit, notice, why="the SMS had not left shortly before the end of the term")
        records.save(unit.tx, list(notices.values()))
        return len(due)


def give_up(rt: Runtime) -> int:
    """What no receipt came of is not known to have arrived: the cabinet has it as well, and the
    notice is over. Returns how many."""
    with rt.unit() as unit:
        notices = records.lock(unit.tx, records.unheard(unit.tx, unit.now - UNHEARD, BATCH))
        for notice in notices.values():
            _failed(unit, notice, "no receipt came")
        records.save(unit.tx, list(notices.values()))
        return len(notices)


def figures(tx: Tx, now: datetime) -> list[Figure]:
    """How the terms of notices stand: the alarm before a breach, and the breaches."""
    counted = records.count_terms(tx, now, now + terms.ALARM_LEAD)
    words = (
        "Notices of measures by their working day (214/НҚ, clauses 4, 7): not served yet with time "
        "left, due within 12 hours, overdue; and late, served after its end."
    )
    return [Figure("wallet_notices", words, "term", counted)]


def read(unit: Unit, recipient_id: UUID, notice_id: UUID) -> Notice | None:
    """Notes that a person has read a notice in their cabinet: the first time counts."""
    notice = records.lock(unit.tx, [notice_id]).get(notice_id)
    if notice is None or notice.recipient_id != recipient_id or notice.placed_at is None:
        return None
    if notice.read_at is None:
        notice.read_at = unit.now
        unit.journal.append(notice.chain, "read", unit.now, how="app")
        tell_provider(unit, notice, "read")
        records.save(unit.tx, [notice])
    return notice
