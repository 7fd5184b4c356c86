"""An offer ends: its question makes room for the next one, and its provider is told."""

from collections.abc import Collection, Sequence
from functools import partial
from uuid import UUID

from app.conversation import records as conversation
from app.conversation import rooms
from app.ledger import outbox
from app.ledger.unit import Unit
from app.proactive import rules
from app.proactive.actions import choosing
from app.proactive.actions.saying import for_recipient, tell_provider
from app.proactive.records import Offer
from app.proactive.rules import Event, State
from app.runtime import Runtime


def step(unit: Unit, offer: Offer, event: Event) -> None:
    """Moves the offer by the lifecycle's table; raises IllegalTransition for a missing pair."""
    offer.state = rules.step(offer.state, event)
    if offer.state in rules.OUTCOMES and offer.closed_at is None:
        offer.closed_at = unit.now
    unit.feed.add(offer.recipient_id, offer.id, partial(for_recipient, offer))


def close(rt: Runtime, unit: Unit, offers: Sequence[Offer], last: Collection[UUID] = ()) -> None:
    """Ends the questions of offers that have their outcome and asks what waited behind them, but
    for the `last` of their phones; a yes that is followed by a question of its own keeps the phone
    until that has ended."""
    ended = [o for o in offers if o.state in rules.OUTCOMES]
    if not ended:
        return
    for offer in ended:
        tell_provider(unit, offer)
    outbox.cancel_questions(unit.tx, [o.id for o in ended], unit.now)
    asking = choosing.begin(rt, unit, ended)
    done = [(o.id, o.phone_index) for o in ended if o.id not in asking]
    opened = conversation.close(unit.tx, done, last)
    rooms.ask(rt.rooms, unit, opened)


def is_open(offer: Offer) -> bool:
    """True until the offer has its one outcome."""
    return offer.state in (State.MADE, State.SENT, State.AWAITING)
