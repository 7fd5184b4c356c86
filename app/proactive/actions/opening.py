"""The questions of a large batch come up in turns, after the batch itself: whoever answers, and
whoever is offered one thing, waits for a turn's phones and not for ten thousand.

A turn that a dead process left undone is taken up by the sweep.
"""

from collections.abc import Sequence

import structlog

from app.conversation import records as conversation
from app.conversation import rooms
from app.conversation.records import Question
from app.ledger.failures import FAILURES
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.proactive.actions.saying import DIALOG, ROOM, say
from app.proactive.records import Offer
from app.runtime import Runtime
from dialogs.engine.model import Screen

TURN = 500  # questions in one transaction; a reply waits for it where their phones' locks meet
PATIENCE_S = 60.0  # until what was not asked counts as left undone
_log = structlog.get_logger("proactive")


def enqueue(rt: Runtime, unit: Unit, offers: Sequence[Offer]) -> None:
    """Queues the questions of offers just made, and opens those whose phones are free: at once,
    or after the commit where there are more than a turn's."""
    cases = [(offer.id, offer.phone_index) for offer in offers]
    if len(offers) <= TURN:
        _put(rt, unit, conversation.ask(unit.tx, ROOM, DIALOG, "ask", cases), offers)
        return
    conversation.wait(unit.tx, ROOM, DIALOG, "ask", cases)
    unit.after_commit.append(lambda: _in_turns(rt, offers))


def _in_turns(rt: Runtime, offers: Sequence[Offer]) -> None:
    for begin in range(0, len(offers), TURN):
        turn = offers[begin : begin + TURN]
        try:
            with rt.unit() as unit:
                phones = [offer.phone_index for offer in turn]
                _put(rt, unit, conversation.open_free(unit.tx, phones), turn)
        except FAILURES as error:  # the offers stand; the sweep asks what has not been asked
            _log.warning("questions are left to the sweep", error=type(error).__name__)
            return


def _put(rt: Runtime, unit: Unit, opened: Sequence[Question], offers: Sequence[Offer]) -> None:
    """What was opened goes to the outbox: of these offers from memory, of others by their rooms."""
    by_case = {offer.id: offer for offer in offers}
    for question in opened:
        if question.case_id in by_case:
            offer = by_case[question.case_id]
            say(rt, unit, offer, Screen(DIALOG, "ask"), priority=Priority.BULK)
    rooms.ask(rt.rooms, unit, [q for q in opened if q.case_id not in by_case])


def take_up(rt: Runtime, unit: Unit, limit: int) -> int:
    """Opens what has long been waiting although its phone is free; how many questions that were."""
    before = unit.now - rt.waiting(PATIENCE_S)
    phones = conversation.free_phones(unit.tx, before, limit)
    opened = conversation.open_free(unit.tx, phones) if phones else []
    rooms.ask(rt.rooms, unit, opened)
    return len(opened)
