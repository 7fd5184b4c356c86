"""A person chooses their language while an offer is open: what has not left yet is worded anew, and
what is said from now on is said in it (52, clause 16: a recorded choice).
"""

from functools import partial
from uuid import UUID

from app.ledger import outbox
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.proactive import records
from app.proactive.actions.saying import DIALOG, for_recipient, say
from app.runtime import Runtime
from dialogs.engine.model import Screen


def speak(rt: Runtime, unit: Unit, recipient_id: UUID, language: str) -> None:
    """Writes the choice into the open offers of a recipient."""
    open_ids = records.open_of(unit.tx, [recipient_id])
    offers = list(records.lock(unit.tx, unit.vault, open_ids).values())
    changed = [o for o in offers if o.language != language]
    for offer in changed:
        offer.language = language
        unit.journal.append(offer.chain, "language-chosen", unit.now, language=language, how="app")
        unit.feed.add(recipient_id, offer.id, partial(for_recipient, offer))
    waiting = outbox.waiting_questions(unit.tx, [o.id for o in changed])
    outbox.cancel(unit.tx, list(waiting.values()), unit.now)
    for offer in changed:
        if offer.id in waiting:
            say(rt, unit, offer, Screen(DIALOG, "ask"), priority=Priority.BULK)
    records.save(unit.tx, changed)
