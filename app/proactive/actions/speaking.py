"""A person chooses their language while an offer is open or a decision is awaited: a question that
has not left yet is worded anew, and all that follows is said in it (52, clause 16).
"""

from functools import partial
from uuid import UUID

from app.ledger import outbox
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.proactive import records
from app.proactive.actions.saying import DIALOG, for_recipient, say
from app.proactive.rules import State
from app.runtime import Runtime
from dialogs.engine.model import Screen


def speak(rt: Runtime, unit: Unit, recipient_id: UUID, language: str) -> None:
    """Writes the choice into the offers of which a recipient is still to hear."""
    found = records.undecided_of(unit.tx, recipient_id)
    offers = list(records.lock(unit, found).values())
    changed = [o for o in offers if o.language != language]
    for offer in changed:
        offer.language = language
        unit.journal.append(offer.chain, "language-chosen", unit.now, language=language)
        unit.feed.add(recipient_id, offer.id, partial(for_recipient, offer))
    unasked = [o for o in changed if o.state is State.MADE]
    waiting = outbox.waiting_questions(unit.tx, [o.id for o in unasked])
    outbox.cancel(unit.tx, list(waiting.values()), unit.now)
    for offer in unasked:
        if offer.id in waiting:
            say(rt, unit, offer, Screen(DIALOG, "ask"), priority=Priority.BULK)
    records.save(unit.tx, changed)
