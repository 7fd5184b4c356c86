"""A provider proposes a service: the gates, the offer, and the question's place in the queue.

155/НҚ, clauses 2 and 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.catalogue.model import RecipientKind
from app.conversation.records import Question
from app.ledger import binds
from app.ledger.engine import Asked, sql
from app.ledger.ids import new_id
from app.ledger.journal import Chain
from app.ledger.keys import LIVE, Kind, Reach
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.proactive import open_offers, records, rules
from app.proactive.actions import opening
from app.proactive.actions.grounds import grounds
from app.proactive.actions.saying import DIALOG, say
from app.proactive.records import Offer, Sealed, Secret
from app.proactive.rules import Facts, Refusal, State
from app.recipients.reach import beyond, network_of
from app.recipients.records import FACTS, Recipient, by_id, by_iin, found
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


@dataclass(frozen=True, slots=True)
class Capped:
    """A recipient or a phone has been made as many offers as one may be made a day; in so many
    seconds there may be another."""

    seconds: float


Made = Offer | Refusal | Duplicate | Capped

# Found by the database when two transactions make twins, and when a phone changes hands meanwhile.
ALREADY_OPEN = Refusal("already_open", "155:4", "gate.already_open.same-service")
PHONE_CHANGED = Refusal("phone_registered", "155:3", "gate.phone_registered.missing")
DAY = timedelta(hours=24)
SLICE = 500  # drafts judged and written together
_OF_OFFERS = sql(
    f"""{FACTS} WHERE r.id IN (
        SELECT recipient_id FROM offers WHERE id = ANY(CAST(:cases AS uuid[])))"""
)


@dataclass(slots=True)
class _Known:
    """What the drafts of one call are judged by; it grows with every offer that is made."""

    provider: str
    reach: Reach
    people: Mapping[str, Recipient]
    open_pairs: set[tuple[UUID, str]]
    taken: set[str]
    silent: frozenset[str]
    made: dict[UUID | bytes, tuple[int, datetime]]  # how many since when, by recipient and phone


def make(
    rt: Runtime, unit: Unit, provider: str, drafts: Sequence[Draft], reach: Reach = LIVE
) -> list[Made]:
    """Makes an offer of every draft that passes the gates, in the drafts' order. A question whose
    phone is free goes to the outbox at once; the others wait for their turn. Thousands are judged
    and written a slice at a time, in the one transaction."""
    made: list[Made] = []
    for begin in range(0, len(drafts), SLICE):
        judged = judge(rt, unit, provider, drafts[begin : begin + SLICE], reach)
        made += _store(rt, unit, provider, judged, reach)
        if len(drafts) > SLICE:  # the entries of thousands would fill tens of megabytes
            unit.journal.write(unit.tx)
    opening.enqueue(rt, unit, [one for one in made if isinstance(one, Offer)])
    return made


def judge(
    rt: Runtime, unit: Unit, provider: str, drafts: Sequence[Draft], reach: Reach = LIVE
) -> list[Made]:
    """What would become of every draft; nothing is stored."""
    people = by_iin(unit.tx, unit.vault, [d.iin for d in drafts])
    known = _Known(
        provider,
        reach,
        people,
        open_offers.pairs(unit.tx, [p.id for p in people.values()]),
        records.known_references(unit.tx, provider, [d.reference for d in drafts]),
        binds.silent_networks(binds.every(unit.tx)),
        _made_today(rt, unit, list(people.values())),
    )
    made: list[Made] = []
    for draft in drafts:
        answer = _judge(rt, unit, draft, known)
        if isinstance(answer, Offer):
            known.taken.add(draft.reference)
            known.open_pairs.add((answer.recipient_id, answer.service))
            for one in (answer.recipient_id, answer.phone_index):
                count, since = known.made.get(one, (0, unit.now))
                known.made[one] = count + 1, since
        made.append(answer)
    return made


def _judge(rt: Runtime, unit: Unit, draft: Draft, known: _Known) -> Made:
    if draft.reference in known.taken:
        return Duplicate(draft.reference)
    person = known.people.get(draft.iin)
    is_open = person is not None and (person.id, draft.service) in known.open_pairs
    facts = facts_of(rt, draft.service, person, is_open=is_open, silent=known.silent)
    refusal = rules.judge(facts, unit.now)
    if refusal is not None:
        return refusal
    # A passed phone_registered gate means there is a person with a phone.
    assert person is not None and person.phone_index is not None and person.phone is not None
    beyond = _beyond(rt, known.reach, person.phone_index, person.phone)
    if beyond is not None:
        return beyond
    limits = rt.settings.limits
    for one, most in (
        (person.id, limits.recipient_per_day),
        (person.phone_index, limits.phone_per_day),
    ):
        count, since = known.made.get(one, (0, unit.now))
        if most and count >= most:
            return Capped((since + DAY - unit.now).total_seconds())
    return _draw_up(unit, known, draft, person, person.phone_index, person.phone)


def _beyond(rt: Runtime, reach: Reach, phone_index: bytes, phone: str) -> Refusal | None:
    """Whether a phone lies beyond what the key may reach."""
    why = beyond(reach, phone_index, phone, is_sandbox=rt.settings.is_sandbox)
    return None if why is None else Refusal("phone_reachable", "155:4", why)


def _made_today(
    rt: Runtime, unit: Unit, people: Sequence[Recipient]
) -> dict[UUID | bytes, tuple[int, datetime]]:
    limits = rt.settings.limits
    if not people or not (limits.recipient_per_day or limits.phone_per_day):
        return {}
    phones = [p.phone_index for p in people if p.phone_index is not None]
    return records.made_since(unit.tx, [p.id for p in people], phones, unit.now - DAY)


def _draw_up(
    unit: Unit, known: _Known, draft: Draft, person: Recipient, phone_index: bytes, phone: str
) -> Offer:
    offer_id = new_id(unit.now)
    return Offer(
        id=offer_id,
        provider=known.provider,
        reference=draft.reference,
        service=draft.service,
        recipient_id=person.id,
        phone_index=phone_index,
        network=network_of(known.reach, person.network),
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


def _store(rt: Runtime, unit: Unit, provider: str, made: list[Made], reach: Reach) -> list[Made]:
    offers = [m for m in made if isinstance(m, Offer)]
    for offer in offers:
        facts = grounds(rt, unit, offer)
        if reach.kind is not Kind.LIVE:
            facts["key"] = reach.kind
        unit.journal.append(offer.chain, "made", unit.now, **facts)
        offer.loaded = (offer.state, offer.chain.version, None)
    free = records.insert(unit.tx, provider, offers, unit.now)
    if len(free) < len(offers):  # another transaction was quicker with the same reference or pair
        lost = {o.id for o in offers if o.id not in free}
        unit.journal.entries = [e for e in unit.journal.entries if e.case_id not in lost]
    return [ALREADY_OPEN if isinstance(m, Offer) and m.id not in free else m for m in made]


def ask(rt: Runtime, unit: Unit, questions: Sequence[Question]) -> None:
    """The turn of these offers has come: their questions go to the outbox, in the language that
    their recipients have come to be spoken to in while they waited."""
    offers = list(records.lock(unit, [q.case_id for q in questions]).values())
    people = by_id(unit.tx, unit.vault, [o.recipient_id for o in offers])
    for offer in offers:
        person = people.get(offer.recipient_id)
        if person is not None and person.language not in (None, offer.language):
            offer.language = person.language
            unit.journal.append(offer.chain, "language-chosen", unit.now, language=offer.language)
        _put(rt, unit, offer)
    records.save(unit.tx, offers)


def _put(rt: Runtime, unit: Unit, offer: Offer) -> None:
    say(rt, unit, offer, Screen(DIALOG, "ask"), priority=Priority.BULK)


@dataclass(frozen=True, slots=True)
class Now:
    """What the gates are to be asked by once more: the recipients of some offers, and all binds."""

    people: Asked
    binds: Asked


def ask_now(unit: Unit, cases: Sequence[UUID]) -> Now:
    """Asks for what the gates of these offers are judged by now, in the trip that holds them."""
    return Now(unit.tx.ask(_OF_OFFERS, {"cases": list(cases)}), binds.ask_every(unit.tx))


def recheck(rt: Runtime, unit: Unit, offers: Sequence[Offer], now: Now) -> dict[UUID, Refusal]:
    """Asks the gates again at the moment of submission (155/НҚ, clause 3); who fails and why."""
    people = found(unit.vault, now.people)
    silent = binds.silent_networks(binds.rows(now.binds))
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
