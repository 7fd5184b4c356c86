"""The registers change a recipient's consent: what was asked without one is not asked any longer
(155/НҚ, clause 3)."""

from collections.abc import Sequence
from uuid import UUID

from app.ledger.unit import Unit
from app.proactive import open_offers, records, rules
from app.proactive.actions.closing import close, step
from app.proactive.actions.offering import facts_of
from app.proactive.actions.saying import CONSENT_REVOKED, say, taken_back
from app.proactive.records import Offer
from app.proactive.rules import Event, State
from app.recipients.records import by_id
from app.runtime import Runtime


def revoke(rt: Runtime, unit: Unit, recipient_ids: Sequence[UUID]) -> None:
    """Withdraws the open offers of those recipients who have no consent left; one whose question
    had gone out is told that it needs no answer."""
    people = by_id(unit.tx, unit.vault, recipient_ids)
    open_ids = open_offers.of(unit.tx, recipient_ids)
    offers = list(records.lock(unit, open_ids).values())
    withdrawn: list[Offer] = []
    for offer in offers:
        facts = facts_of(rt, offer.service, people.get(offer.recipient_id), is_open=False)
        refusal = rules.consent_given(facts, unit.now)
        if refusal is None or not rules.allows(offer.state, Event.CONSENT_REVOKED):
            continue
        had_left = offer.state is not State.MADE
        step(unit, offer, Event.CONSENT_REVOKED)
        offer.result = CONSENT_REVOKED
        unit.journal.append(
            offer.chain, "consent-revoked", unit.now, clause=refusal.clause, told=had_left
        )
        if had_left:
            say(rt, unit, offer, taken_back(offer))
        withdrawn.append(offer)
    close(rt, unit, withdrawn)
    records.save(unit.tx, offers)
