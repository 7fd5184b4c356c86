"""What becomes of an offer's question on its way: submitted, received, or never delivered.

155/НҚ, clause 4: the reply window opens when the last segment was received, and not before.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from app.calendar import local_date
from app.ledger.engine import ids
from app.ledger.outbox import Message
from app.ledger.segments import Standing
from app.ledger.unit import Unit
from app.proactive import records, rules
from app.proactive.actions import choosing
from app.proactive.actions.closing import close, is_open, step
from app.proactive.actions.offering import ask_now, recheck
from app.proactive.records import Offer
from app.proactive.rules import Event, Refusal, State
from app.runtime import Runtime

QUESTION = "offer.ask"
# What the law orders us to say is followed to the handset in the journal; that a confirmation of
# somebody's own answer arrived is kept with its segments only.
FOLLOWED = (
    "offer.expired", "offer.rendered", "offer.refused", "offer.withdrawn", "offer.revoked",
)  # fmt: skip


def submitting(rt: Runtime, unit: Unit, messages: Sequence[Message]) -> set[UUID]:
    """Asks the gates again and marks the offers as sent, before the first octet leaves. Returns
    the ids of messages that must not leave; their offers are withdrawn and say which gate."""
    questions = {m.case_id: m for m in messages if m.kind == QUESTION and m.case_id}
    if not questions:
        return set()
    records.hold(unit, questions)
    now = ask_now(unit, list(questions))
    offers = records.lock(unit, list(questions))
    fresh = [o for o in offers.values() if o.state is State.MADE]
    failed = recheck(rt, unit, fresh, now)
    for offer in offers.values():
        refusal = failed.get(offer.id)
        if refusal is not None:
            _gate_failed(unit, offer, refusal)
        elif offer.state in (State.MADE, State.SENT):
            _submitted(unit, offer, questions[offer.id])
    ended = [o for o in fresh if o.id in failed]
    close(rt, unit, ended)
    records.save(unit.tx, list(offers.values()))
    sent = [o for o in fresh if o.state is State.SENT]
    unit.after_commit.append(partial(unit.remembered.add, sent))
    stale = [o for o in offers.values() if not is_open(o)]
    return {questions[o.id].id for o in stale}


def _submitted(unit: Unit, offer: Offer, message: Message) -> None:
    """The question leaves, for the first time or once more after a doubt: its day in the network
    begins now, however long it has waited to leave."""
    kind = "submitted-again"
    if offer.state is State.MADE:
        step(unit, offer, Event.SUBMITTED)
        kind = "submitted"
    offer.sent_at = unit.now
    unit.journal.append(offer.chain, kind, unit.now, message=message.id)


def _gate_failed(unit: Unit, offer: Offer, refusal: Refusal) -> None:
    step(unit, offer, Event.GATE_FAILED)
    offer.result = f"gate:{refusal.gate}"
    unit.journal.append(
        offer.chain, "gate-failed", unit.now, gate=refusal.gate, clause=refusal.clause
    )


def returned(unit: Unit, messages: Sequence[tuple[UUID, str]]) -> None:
    """Questions that were claimed and have not left: until they do, nobody can answer them."""
    questions = [case for case, kind in messages if kind == QUESTION]
    offers = records.lock(unit, questions)
    for offer in offers.values():
        if rules.allows(offer.state, Event.RETURNED):
            step(unit, offer, Event.RETURNED)
            offer.sent_at = None
            unit.journal.append(offer.chain, "returned", unit.now)
    records.save(unit.tx, list(offers.values()))


def standing(rt: Runtime, unit: Unit, standings: Sequence[Standing]) -> None:
    """Receipts came. A question received in whole opens the reply window; one that failed ends
    the offer as undelivered; of other messages the journal takes note where they matter."""
    mine = [s for s in standings if s.case_id is not None and _matters(s)]
    cases = ids(s.case_id for s in mine if s.case_id)
    offers = _as_sent(unit, mine, cases) or records.lock(unit, cases)
    closed: list[Offer] = []
    for s in mine:
        offer = offers.get(s.case_id) if s.case_id else None
        if offer is None:
            continue
        if s.kind == QUESTION and s.delivered >= s.total:
            _received(rt, unit, offer, s)
        elif s.kind == QUESTION and s.failed:
            if _not_delivered(unit, offer, "receipt", message=s.outbox_id):
                closed.append(offer)
        elif s.kind in choosing.QUESTIONS and s.delivered >= s.total:
            choosing.received(rt, unit, offer, s)
        elif s.delivered >= s.total or s.failed:
            _note(unit, offer, s)
            if s.kind == choosing.QUESTION:
                choosing.over(rt, unit, offer, "undelivered")
    close(rt, unit, closed)
    records.save(unit.tx, list(offers.values()))


def _as_sent(
    unit: Unit, mine: Sequence[Standing], cases: Sequence[UUID]
) -> dict[UUID, Offer] | None:
    """The offers as they were sent, where each of them changes now, so that its saving tells
    whether it still was as we know it."""
    if unit.is_again or not all(map(_opens_window, mine)):
        return None
    return unit.remembered.take(cases)


def _opens_window(s: Standing) -> bool:
    return s.kind == QUESTION and s.delivered >= s.total and s.last_at is not None


def awaits_receipt(kind: str) -> bool:
    """Whether an offer or its journal changes when a message of this kind was received."""
    return kind == QUESTION or kind in choosing.QUESTIONS or kind in FOLLOWED


def _matters(s: Standing) -> bool:
    return awaits_receipt(s.kind) or bool(s.failed)


def _received(rt: Runtime, unit: Unit, offer: Offer, s: Standing) -> None:
    """The receipt of the last segment. Where words of the recipient had proved receipt before it,
    the later time counts, in their favour."""
    if s.last_at is None:
        return
    is_later = offer.received_at is not None and s.last_at > offer.received_at
    if offer.state is State.SENT or (offer.state is State.AWAITING and is_later):
        facts = {"message": s.outbox_id, "segments": s.total}
        open_window(rt, unit, offer, s.last_at, s.network, **facts)


def open_window(
    rt: Runtime, unit: Unit, offer: Offer, received_at: datetime, network: str, **facts: Any
) -> None:
    """The question was received at `received_at`: the reply window runs from then."""
    service = rt.catalogue.find_service(offer.service)
    window = service.window_on(local_date(offer.created_at)) if service else rules.WINDOW
    is_first = offer.state is State.SENT
    if is_first:
        step(unit, offer, Event.RECEIVED)
    offer.received_at = received_at
    offer.deadline = rules.deadline_of(received_at, window)
    offer.network = network
    unit.journal.append(
        offer.chain,
        "received" if is_first else "received-later",
        unit.now,
        received_at=offer.received_at,
        deadline=offer.deadline,
        network=network,
        **facts,
    )


def _not_delivered(unit: Unit, offer: Offer, why: str, **facts: Any) -> bool:
    if not rules.allows(offer.state, Event.NOT_DELIVERED):
        return False
    step(unit, offer, Event.NOT_DELIVERED)
    unit.journal.append(offer.chain, "not-delivered", unit.now, why=why, **facts)
    return True


def _note(unit: Unit, offer: Offer, s: Standing) -> None:
    delivered = s.delivered >= s.total
    unit.journal.append(
        offer.chain,
        "message-delivered" if delivered else "message-failed",
        unit.now,
        message=s.outbox_id,
        wording=s.kind,
        at=s.last_at,
    )


def failed(rt: Runtime, unit: Unit, messages: Sequence[tuple[UUID, str, str]]) -> None:
    """No network would take these messages: (case, kind, why)."""
    offers = records.lock(unit, [case for case, _, _ in messages])
    closed: list[Offer] = []
    for case, kind, why in messages:
        offer = offers.get(case)
        if offer is None:
            continue
        if kind == QUESTION and _not_delivered(unit, offer, why):
            closed.append(offer)
        elif kind != QUESTION:
            unit.journal.append(offer.chain, "message-failed", unit.now, wording=kind, why=why)
        if kind == choosing.QUESTION:
            choosing.over(rt, unit, offer, "undelivered")
    close(rt, unit, closed)
    records.save(unit.tx, list(offers.values()))


def noted(unit: Unit, notes: Sequence[tuple[UUID, str, Mapping[str, object]]]) -> None:
    """Facts about the way of a case's messages, for its journal."""
    offers = records.lock(unit, [case for case, _, _ in notes])
    for case, kind, facts in notes:
        if case in offers:
            unit.journal.append(offers[case].chain, kind, unit.now, **facts)
    records.save(unit.tx, list(offers.values()))
