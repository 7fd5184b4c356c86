"""What falls due in the wallet: questions nobody answered, terms that are about to be broken."""

from collections.abc import Sequence
from uuid import UUID

from app.conversation.window import VALIDITY
from app.ledger import binds
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.runtime import Runtime
from app.wallet.actions import asking, delivering, exchanging
from app.wallet.actions.telling import say, screen_of
from app.wallet.consents import records
from app.wallet.rules import asking as rules
from app.wallet.rules.asking import AskingState as State
from app.wallet.rules.asking import Event

BATCH = 500


def sweep(rt: Runtime) -> int:
    """Does a batch of what is due; returns how many cases that touched."""
    with rt.unit() as unit:
        through = binds.heard_through(binds.every(unit.tx))
        due = records.due(unit.tx, unit.now, VALIDITY, through, BATCH)
        lapse(rt, unit, due)
    done = delivering.save_terms(rt) + delivering.give_up(rt)
    return len(due) + done + exchanging.warn(rt)


def lapse(rt: Runtime, unit: Unit, consent_ids: Sequence[UUID]) -> None:
    """Nobody answered: that is no consent and no refusal. What was answered before stands."""
    consents = list(records.lock(unit.tx, unit.vault, consent_ids).values())
    for consent in consents:
        if consent.state is State.SENT:
            asking.end(unit, consent, Event.NOT_DELIVERED, why="no receipt came")
        elif rules.allows(consent.state, Event.LAPSED):
            asking.end(unit, consent, Event.LAPSED, deadline=consent.deadline)
            if consent.received_at is not None:
                say(rt, unit, consent, screen_of(rt, consent), Priority.LEGAL)
    asking.close(rt, unit, consents)
    records.save(unit.tx, consents)
