"""A provider proposes a service: the gates, the offer, and the question's place in the queue.

155/НҚ, clauses 2 and 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.calendar import local_date
from app.catalogue.model import RecipientKind
from app.conversation import records as conversation
from app.conversation.records import Question
from app.ledger import binds
from app.ledger.ids import new_id
from app.ledger.journal import Chain
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.proactive import records, rules
from app.proactive.actions.saying import DIALOG, ROOM, say
from app.proactive.records import Offer, Sealed, Secret
from app.proactive.rules import Facts, Refusal, State
from app.recipients.records import Recipient, by_id, by_iin
from app.runtime import Runtime
from dialogs.engine.model import Screen


@dataclass(frozen=True, slots=True)
class Draft:
    """An offer as a provider proposes it; `values` are the provider's own, kept sealed."""

    service: str
    iin: str
    reference: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The provider has used this reference before."""

    reference: str


Made = Offer | Refusal | Duplicate

# Found by the database when two transactions make twins, and when a phone changes hands meanwhile.
ALREADY_OPEN = Refusal("already_open", "155:4", "gate.already_open.same-service")
PHONE_CHANGED = Refusal("phone_registered", "155:3", "gate.phone_registered.missing")


def make(rt: Runtime, unit: Unit, provider: str, drafts: Sequence[Draft]) -> list[Made]:
    """Makes an offer of every draft that passes the gates, in the drafts' order. A question whose
    phone is free goes to the outbox at once; the others wait for their turn."""
    people = by_iin(unit.tx, unit.vault, [d.iin for d in drafts])
    open_pairs = records.open_pairs(unit.tx, [p.id for p in people.values()])
    silent = binds.silent_networks(binds.every(unit.tx))
    taken = records.known_references(unit.tx, provider, [d.reference for d in drafts])
    made: list[Made] = []
    for draft in drafts:
        person = people.get(draft.iin)
        answer = _judge(rt, unit, provider, draft, person, open_pairs, taken, silent)
        if isinstance(answer, Offer):
            taken.add(draft.reference)
            open_pairs.add((answer.recipient_id, answer.service))
        made.append(answer)
    return _store(rt, unit, provider, made)


def _judge(
    rt: Runtime,
    unit: Unit,
    provider: str,
    draft: Draft,
    person: Recipient | None,
    open_pairs: set[tuple[UUID, str]],
    taken: set[str],
    silent: frozenset[str],
) -> Made:
    if draft.reference in taken:
        return Duplicate(draft.reference)
    is_open = person is not None and (person.id, draft.service) in open_pairs
    facts = facts_of(rt, draft.service, person, is_open=is_open, silent=silent)
    refusal = rules.judge(facts, unit.now)
    if refusal is not None:
        return refusal
    # A passed phone_registered gate means there is a person with a phone.
    assert person is not None and person.phone_index is not None and person.phone is not None
    return _draw_up(unit, provider, draft, person, person.phone_index, person.phone)


def _draw_up(
    unit: Unit, provider: str, draft: Draft, person: Recipient, phone_index: bytes, phone: str
) -> Offer:
    offer_id = new_id(unit.now)
    return Offer(
        id=offer_id,
        provider=provider,
        reference=draft.reference,
        service=draft.service,
        recipient_id=person.id,
        phone_index=phone_index,
        network=person.network,
        language=person.language,
        secret=Secret.of(unit.vault, offer_id, Sealed(phone, dict(draft.values))),
        state=State.MADE,
        chain=Chain(offer_id),
        created_at=unit.now,
    )


def facts_of(
    rt: Runtime,
    service: str,
    person: Recipient | None,
    *,
    is_open: bool,
    silent: frozenset[str] = frozenset(),
) -> Facts:
    """What the gates ask of a recipient and a service, as the registers and catalogue have it."""
    return Facts(
        service=rt.catalogue.find_service(service),
        recipient_kind=RecipientKind(person.kind) if person else RecipientKind.INDIVIDUAL,
        phone_kind=person.phone_kind if person else None,
        phone_registered_at=person.registered_at if person else None,
        consent_given_at=person.consent_given_at if person else None,
        consent_valid_until=person.consent_until if person else None,
        consent_revoked_at=person.consent_revoked_at if person else None,
        sms_enabled=person is None or (person.sms and person.wrong_phone_at is None),
        open_offer_exists=is_open,
        network_has_receipts=person is None or person.network not in silent,
    )


def _store(rt: Runtime, unit: Unit, provider: str, made: list[Made]) -> list[Made]:
    offers = [m for m in made if isinstance(m, Offer)]
    for offer in offers:
        unit.journal.append(offer.chain, "made", unit.now, **_grounds(rt, offer, unit.now))
        offer.loaded = (offer.state, offer.chain.version)
    free = records.insert(unit.tx, provider, offers, unit.now)
    if len(free) < len(offers):  # another transaction was quicker with the same reference or pair
        kept = {o.id for o in offers if o.id in free}
        unit.journal.entries = [e for e in unit.journal.entries if e.case_id in kept]
    opened = conversation.ask(
        unit.tx, ROOM, DIALOG, "ask", [(o.id, o.phone_index) for o in offers if o.id in free]
    )
    by_case = {o.id: o for o in offers}
    for question in opened:
        if question.case_id in by_case:
            _put(rt, unit, by_case[question.case_id])
    ask(rt, unit, [q for q in opened if q.room == ROOM and q.case_id not in by_case])
    return [ALREADY_OPEN if isinstance(m, Offer) and m.id not in free else m for m in made]


def _grounds(rt: Runtime, offer: Offer, now: datetime) -> dict[str, Any]:
    service = rt.catalogue.service(offer.service)
    return {
        "provider": offer.provider,
        "service": offer.service,
        "service_by_law": service.by_law,
        "by_law": "155/НҚ",
        "gates": [gate.__name__ for gate in rules.GATES],
        "window_hours": service.window_on(local_date(now)).total_seconds() / 3600,
    }


def ask(rt: Runtime, unit: Unit, questions: Sequence[Question]) -> None:
    """The turn of these offers has come: their questions go to the outbox."""
    offers = records.lock(unit.tx, unit.vault, [q.case_id for q in questions])
    for offer in offers.values():
        _put(rt, unit, offer)


def _put(rt: Runtime, unit: Unit, offer: Offer) -> None:
    say(rt, unit, offer, Screen(DIALOG, "ask"), priority=Priority.BULK)


def recheck(rt: Runtime, unit: Unit, offers: Sequence[Offer]) -> dict[UUID, Refusal]:
    """Asks the gates again at the moment of submission (155/НҚ, clause 3); who fails and why."""
    people = by_id(unit.tx, unit.vault, [o.recipient_id for o in offers])
    silent = binds.silent_networks(binds.every(unit.tx))
    failed: dict[UUID, Refusal] = {}
    for offer in offers:
        person = people.get(offer.recipient_id)
        facts = facts_of(rt, offer.service, person, is_open=False, silent=silent)
        refusal = rules.judge(facts, unit.now)
        if refusal is None and person is not None and person.phone_index != offer.phone_index:
            refusal = PHONE_CHANGED
        if refusal is not None:
            failed[offer.id] = refusal
    return failed
