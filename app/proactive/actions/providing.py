"""The provider takes an offer back, or reports what came of it (155/НҚ, clauses 3 and 5)."""

from uuid import UUID

from app.ledger.unit import Unit
from app.proactive import records, rules
from app.proactive.actions import choosing
from app.proactive.actions.closing import close, step
from app.proactive.actions.saying import DIALOG, say, tell_provider
from app.proactive.records import Offer
from app.proactive.rules import Event, State
from app.runtime import Runtime
from dialogs.engine.model import Screen

RESULTS = {"rendered": Event.RENDERED, "refused": Event.REFUSED}


def withdraw(rt: Runtime, unit: Unit, provider: str, offer_id: UUID, reason: str) -> Offer | None:
    """Takes an open offer back; the recipient is told only if the question had left for them.

    None: the provider has no such offer. Raises IllegalTransition when it has its outcome."""
    offer = _mine(unit, provider, offer_id)
    if offer is None:
        return None
    had_left = offer.state is not State.MADE
    step(unit, offer, Event.WITHDRAWN)
    unit.journal.append(
        offer.chain, "withdrawn", unit.now, reason.encode(), by=provider, told=had_left
    )
    if had_left:
        say(rt, unit, offer, Screen(DIALOG, "withdrawn"))
    close(rt, unit, [offer])
    records.save(unit.tx, [offer])
    return offer


def report(
    rt: Runtime,
    unit: Unit,
    provider: str,
    offer_id: UUID,
    result: str,
    reason: str | None,
    document: str | None,
) -> Offer | None:
    """Records that the service was rendered or refused, and tells the recipient.

    None: the provider has no such offer. Raises IllegalTransition unless it was accepted."""
    offer = _mine(unit, provider, offer_id)
    if offer is None:
        return None
    if rules.allows(offer.state, RESULTS[result]):
        choosing.over(rt, unit, offer, result)
    step(unit, offer, RESULTS[result])
    offer.result = result
    said = "\n".join(filter(None, (reason, document)))
    unit.journal.append(offer.chain, result, unit.now, said.encode() if said else None, by=provider)
    say(rt, unit, offer, Screen(DIALOG, result))
    tell_provider(unit, offer)
    records.save(unit.tx, [offer])
    return offer


def _mine(unit: Unit, provider: str, offer_id: UUID) -> Offer | None:
    offer = records.lock(unit, [offer_id]).get(offer_id)
    return offer if offer is not None and offer.provider == provider else None
