"""A citizen looks at their offers in the app and answers there (155/НҚ, clause 4): what they are
shown, and which answers can still be taken. What an answer does is the same as by SMS.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from app.conversation import records as conversation
from app.conversation.records import Question
from app.conversation.rooms import Reply
from app.ledger import journal
from app.ledger.unit import Unit
from app.proactive import records, rules
from app.proactive.actions import choosing, replying
from app.proactive.actions.closing import is_open
from app.proactive.actions.saying import DIALOG, ROOM, service_values, taken_back
from app.proactive.actions.sweeping import in_person
from app.proactive.records import Offer
from app.proactive.rules import Event, IllegalTransition, State
from app.runtime import Runtime
from dialogs import every
from dialogs.engine import turn
from dialogs.engine.model import Dialog, Screen, Value
from dialogs.engine.render import Card, mobile
from dialogs.engine.turn import UnknownChoice
from dialogs.engine.wording import BOTH, Words

MOST_CARDS = 5000
_CARDS: dict[tuple[int, str, str, str, bytes], tuple[Words, Card]] = {}
LATE = ("heard-late", "heard-after-the-end")
EVENTS = {"yes": Event.YES, "no": Event.NO}

__all__ = ["AnsweredBefore", "TooLate", "UnknownChoice", "answer", "cards", "find"]


class AnsweredBefore(Exception):
    """Another answer was given first, and it stands."""

    def __init__(self, first: str) -> None:
        self.first = first
        super().__init__(f"found another answer, expected {first!r}, which was given first")


class TooLate(Exception):
    """The reply window is over (155/НҚ, clause 4)."""


def find(unit: Unit, recipient_id: UUID, offer_id: UUID) -> Offer | None:
    """An offer this person has been asked about; None where there is none such of theirs."""
    offer = records.one(unit.tx, unit.vault, offer_id, None)
    if offer is None or offer.recipient_id != recipient_id or offer.sent_at is None:
        return None
    return offer


def answer(
    rt: Runtime, unit: Unit, recipient_id: UUID, offer_id: UUID, choice: str, language: str | None
) -> Offer | None:
    """Takes the answer `choice` to an offer; `language` is the one it was asked for in. Answering
    the same once more changes nothing. None: no offer of this person.

    Raises UnknownChoice, AnsweredBefore, or IllegalTransition where the offer has ended without an
    answer; and TooLate, having written into the journal that it came."""
    if find(unit, recipient_id, offer_id) is None:
        return None
    offer = records.lock(unit, [offer_id])[offer_id]
    question = _questions(unit, [offer])[offer.id]
    if choice not in EVENTS and choosing.is_repeated(unit, offer, choice):
        return offer
    chooses = choice not in EVENTS and choosing.open_question(unit, offer, question)
    dialog = choosing.dialog_of(rt, offer) if chooses else every.dialog(DIALOG)
    said = turn.choose(dialog, question.step, choice)
    if not chooses and not _is_answerable(unit, offer):
        try:
            _judge_again(offer, choice)
        except TooLate:
            _keep_late(unit, offer, choice, language)
            raise
        return offer
    heard = Reply(
        question=question,
        turn=said,
        text=choice,
        raw=choice.encode(),
        received_at=unit.now,
        how="app",
        language=None,
        evidence={"choice": choice, "shown_in": language or offer.language or BOTH},
    )
    replying.reply(rt, unit, [heard])
    return records.one(unit.tx, unit.vault, offer_id, None)


def _is_answerable(unit: Unit, offer: Offer) -> bool:
    return is_open(offer) and rules.in_time(unit.now, offer.deadline)


def _judge_again(offer: Offer, choice: str) -> None:
    """An answer to what takes none any more is fine where it is the one that was given."""
    first = replying.ALREADY.get(offer.state) if offer.answered_by is not None else None
    if first is not None and first != choice:
        raise AnsweredBefore(first)
    if first is None and (is_open(offer) or offer.state is State.EXPIRED):
        raise TooLate
    if first is None:
        raise IllegalTransition(offer.state, EVENTS[choice])


def _keep_late(unit: Unit, offer: Offer, choice: str, language: str | None) -> None:
    """What came too late is kept, once: an app that tries again says nothing new."""
    if any(
        entry.kind in LATE and msgspec.json.decode(entry.body)["facts"].get("how") == "app"
        for entry in journal.of_case(unit.tx, offer.id)
    ):
        return
    kind = "heard-late" if is_open(offer) else "heard-after-the-end"
    shown_in = language or offer.language or BOTH
    unit.journal.append(
        offer.chain, kind, unit.now, choice.encode(), how="app", received_at=unit.now,
        label=choice, rule="choice", shown_in=shown_in,
    )  # fmt: skip
    records.save(unit.tx, [offer])


def cards(rt: Runtime, unit: Unit, offers: Sequence[tuple[Offer, str | None]]) -> list[Card]:
    """What the app shows of each offer, in order: the question while it can be answered, then how
    it ended. Without a language, in the one recorded for the offer, else in both."""
    questions = _questions(unit, [offer for offer, _ in offers])
    return [_card(rt, unit, o, questions[o.id], language) for o, language in offers]


def _card(rt: Runtime, unit: Unit, offer: Offer, question: Question, language: str | None) -> Card:
    if choosing.open_question(unit, offer, question):
        known = choosing.screen_of(rt, offer)
        spoken = language or offer.language or BOTH
        return mobile(rt.words, choosing.dialog_of(rt, offer), known, spoken)
    dialog = every.dialog(DIALOG)
    values: Mapping[str, Value] = service_values(rt.catalogue, offer)
    if _is_answerable(unit, offer):
        screen = Screen(dialog.name, question.step)
    elif is_open(offer):  # the sweep will say so soon
        screen = Screen(dialog.name, "late")
    elif offer.state is State.EXPIRED and rt.catalogue.find_service(offer.service) is None:
        screen = Screen(dialog.name, "late")
    elif offer.state is State.WITHDRAWN:
        screen = taken_back(offer)
    else:
        screen = Screen(dialog.name, str(offer.state))
        if offer.state is State.EXPIRED:
            values = {**values, **in_person(rt, offer, unit.now)}
    return _rendered(rt, dialog, screen, language or offer.language or BOTH, values)


def _rendered(
    rt: Runtime, dialog: Dialog, screen: Screen, language: str, values: Mapping[str, Value]
) -> Card:
    """A card is the same for everyone it says the same: there are a few hundred of them."""
    said = msgspec.json.encode(values, order="sorted")
    key = (id(rt.words), screen.dialog, screen.key, language, said)
    if key not in _CARDS:
        if len(_CARDS) >= MOST_CARDS:
            _CARDS.clear()
        # Kept with its words: as long as they are, their id is no other's.
        _CARDS[key] = (rt.words, mobile(rt.words, dialog, screen, language, values))
    return _CARDS[key][1]


def _questions(unit: Unit, offers: Sequence[Offer]) -> dict[UUID, Question]:
    """The question of each offer: the open one, else the dialog's first."""
    asked = conversation.open_questions(unit.tx, [o.phone_index for o in offers])
    opened = {question.case_id: question for question in asked.values()}
    first = every.dialog(DIALOG).start
    return {
        o.id: opened.get(o.id) or Question(o.id, o.phone_index, ROOM, DIALOG, first, 0)
        for o in offers
    }
