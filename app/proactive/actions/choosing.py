"""The question after a yes, where the service pays into an account: which one (155/НҚ, clause 4).

It is asked of the same phone before anything else is. Whatever comes of it, the yes stands; its
provider is told once, by an event of its own, what was chosen, or that nothing was.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from msgspec import structs

from app.calendar import local_date
from app.conversation import records as conversation
from app.conversation import rooms
from app.conversation.records import Question
from app.conversation.rooms import Reply
from app.conversation.window import VALIDITY
from app.ledger.outbox import Priority
from app.ledger.segments import Standing
from app.ledger.unit import Unit
from app.proactive import records, rules
from app.proactive.actions import hearing
from app.proactive.actions.saying import public, say, service_values
from app.proactive.choices import records as choices
from app.proactive.choices.records import Choice
from app.proactive.records import Offer
from app.proactive.rules import Event, State, accounts
from app.recipients import records as recipients
from app.runtime import Runtime
from dialogs import account
from dialogs.engine import turn
from dialogs.engine.listed import listed
from dialogs.engine.model import Dialog, Screen
from dialogs.engine.turn import Event as Said
from dialogs.engine.turn import Turn
from dialogs.engine.understanding import ANOTHER_PERSON, Label, understand

DIALOG = account.ACCOUNT.name
START = account.ACCOUNT.start
QUESTION = f"{DIALOG}.{START}"
# Whoever has any of these on the handset has seen the accounts with their digits.
QUESTIONS = frozenset(f"{DIALOG}.{key}" for key in account.ACCOUNT.ask(START).screens)
EVENT = "offer.account"
VALIDITY_S = VALIDITY.total_seconds()


def labels_of(rt: Runtime, offer: Offer) -> tuple[str, ...]:
    """The accounts its provider named for an offer; none where the service asks for none."""
    service = rt.catalogue.find_service(offer.service)
    if service is None or not service.account_choice:
        return ()
    return accounts.labels(service, offer.secret.open().values)


def dialog_of(rt: Runtime, offer: Offer) -> Dialog:
    """The dialog of as many accounts as the offer has."""
    return account.of(len(labels_of(rt, offer)))


def screen_of(rt: Runtime, offer: Offer, key: str = START) -> Screen:
    """A screen of the dialog with its values: the accounts, and the service."""
    named = {account.slot(n): label for n, label in enumerate(labels_of(rt, offer), start=1)}
    values = listed(rt.words, dialog_of(rt, offer), START, named)
    return Screen(DIALOG, key, {**service_values(rt.catalogue, offer), **values})


def begin(rt: Runtime, unit: Unit, offers: Sequence[Offer]) -> set[UUID]:
    """Asks which account after every yes that has such a question; returns those offers. Their
    question stays the open one of the phone, so nothing else is asked before it has ended."""
    asking = [o for o in offers if o.state is State.ACCEPTED and labels_of(rt, o)]
    if not asking:
        return set()
    conversation.follow_up(unit.tx, [o.id for o in asking], DIALOG, START)
    choices.begin(unit.tx, [o.id for o in asking], unit.now)
    for offer in asking:
        count = len(labels_of(rt, offer))
        unit.journal.append(offer.chain, "account-asked", unit.now, accounts=count)
        say(rt, unit, offer, screen_of(rt, offer), priority=Priority.REPLY)
    return {o.id for o in asking}


def received(rt: Runtime, unit: Unit, offer: Offer, s: Standing) -> None:
    """The handset has the question: answers count from now on, and the window runs."""
    choice = choices.lock(unit.tx, [offer.id]).get(offer.id)
    is_news = choice is not None and choice.is_open and choice.received_at is None
    if choice is None or not is_news or s.last_at is None:
        return
    service = rt.catalogue.find_service(offer.service)
    window = service.window_on(local_date(offer.created_at)) if service else rules.WINDOW
    choice.received_at = s.last_at
    choice.deadline = rules.deadline_of(s.last_at, window)
    unit.journal.append(
        offer.chain, "account-received", unit.now, received_at=choice.received_at,
        deadline=choice.deadline, message=s.outbox_id,
    )  # fmt: skip
    choices.save(unit.tx, [choice])


def reply(rt: Runtime, unit: Unit, replies: Sequence[Reply]) -> set[UUID]:
    """Judges answers to the question which account. Returns the offers whose question nobody has
    seen yet: a second yes or no then speaks of the offer."""
    if not replies:
        return set()
    offers = records.lock(unit, [r.question.case_id for r in replies])
    asked = choices.lock(unit.tx, list(offers))
    unseen: set[UUID] = set()
    again: list[tuple[UUID, int]] = []
    languages: dict[bytes, str] = {}
    for one in replies:
        offer, choice = offers.get(one.question.case_id), asked.get(one.question.case_id)
        if offer is None or choice is None or not choice.is_open:
            unseen.add(one.question.case_id)
            continue
        if one.repeats is not None and _is_older(one.repeats, choice):
            continue  # a redelivery of what was said before the question was seen
        one = structs.replace(one, turn=_turn(rt, offer, one))
        if _speaks_of_the_offer(one, choice):
            unseen.add(offer.id)
            continue
        hearing.learn_language(unit, offer, one, languages)
        _judge(rt, unit, offer, choice, one, again)
    conversation.asked_again(unit.tx, again)
    conversation.speaks(unit.tx, languages)
    spoken = {o.recipient_id: languages.get(o.phone_index) for o in offers.values()}
    recipients.set_languages(unit.tx, {r: one for r, one in spoken.items() if one})
    records.save(unit.tx, list(offers.values()))
    return unseen


def _turn(rt: Runtime, offer: Offer, one: Reply) -> Turn:
    """What was said to this offer's accounts; a key or a button has been read already."""
    if one.how != "sms":
        return one.turn
    text = "" if one.repeats is not None else one.text
    return turn.reply(dialog_of(rt, offer), one.question.step, text, one.question.asked)


def _is_older(at: object, choice: Choice) -> bool:
    return choice.received_at is None or at <= choice.received_at  # type: ignore[operator]


def _is_early(one: Reply, choice: Choice) -> bool:
    """Words that were sent before the question was on the handset cannot be about it: an old "1"
    is no account. A button of the app or a key on USSD stands under the question itself."""
    return one.how == "sms" and _is_older(one.received_at, choice)


def _speaks_of_the_offer(one: Reply, choice: Choice) -> bool:
    if one.turn.event is not Said.UNCLEAR or not _is_early(one, choice):
        return False
    return understand(one.text).label in (Label.YES, Label.NO)


def _judge(
    rt: Runtime,
    unit: Unit,
    offer: Offer,
    choice: Choice,
    one: Reply,
    again: list[tuple[UUID, int]],
) -> None:
    event = _wish(one)
    hearing.heed(unit, offer, event)
    if event is not None:
        _say(rt, unit, offer, one, one.turn.screen if event is Event.STOPPED else None)
        end(rt, unit, offer, choice, "none", why=str(event), said=one)
    elif not rules.in_time(one.received_at, choice.deadline, stuck=one.stuck):
        hearing.write_down(unit, offer, "heard-late", one, dialog=DIALOG)
        _say(rt, unit, offer, one, Screen(DIALOG, "late"))
    elif one.turn.is_over and not _is_early(one, choice):
        _choose(rt, unit, offer, choice, one)
    else:
        _not_chosen(rt, unit, offer, one, again)


def _wish(one: Reply) -> Event | None:
    """What ends the question without an account: no more messages, or a stranger."""
    if one.turn.event is Said.STOP:
        return Event.STOPPED
    if one.turn.understood is not None and one.turn.understood.rule == ANOTHER_PERSON:
        return Event.WRONG_PERSON
    return None


def _choose(rt: Runtime, unit: Unit, offer: Offer, choice: Choice, one: Reply) -> None:
    chosen = one.turn.choice
    slots = [account.slot(n) for n in range(1, len(labels_of(rt, offer)) + 1)]
    index = slots.index(chosen) + 1 if chosen in slots else None
    outcome = "listed" if index else "other"
    end(rt, unit, offer, choice, outcome, index=index, said=one)
    label = labels_of(rt, offer)[index - 1] if index else ""
    key = one.turn.screen.key if one.turn.screen else "chosen"
    _say(rt, unit, offer, one, Screen(DIALOG, key, {"account": label}))


def _not_chosen(
    rt: Runtime, unit: Unit, offer: Offer, one: Reply, again: list[tuple[UUID, int]]
) -> None:
    """Help, a language, words we do not understand, or a digit that came too early to be one of
    these accounts: the question is put again, plainer, while it may be."""
    said, screen = one.turn.event, one.turn.screen
    kind = f"heard-{said}"
    if said is Said.CHOICE:
        kind = "heard-early"
        ask = account.ACCOUNT.ask(START)
        left = ask.again[one.question.asked :]
        screen = Screen(DIALOG, left[0]) if left else None
        said = Said.UNCLEAR if left else Said.SILENT
    hearing.write_down(unit, offer, kind, one, dialog=DIALOG)
    if said is Said.UNCLEAR:
        again.append((offer.id, one.question.asked + 1))
    if said is Said.SILENT and one.question.asked <= len(account.ACCOUNT.ask(START).again):
        again.append((offer.id, one.question.asked + 1))
        hearing.put_for_review(unit, offer, one)
    if said is Said.START:
        recipients.start_phones(unit.tx, [offer.phone_index], unit.now)
    _say(rt, unit, offer, one, screen)


def _say(rt: Runtime, unit: Unit, offer: Offer, one: Reply, screen: Screen | None) -> None:
    if screen is None or one.how != "sms":
        return
    values = screen_of(rt, offer).values if screen.dialog == DIALOG else {}
    say(rt, unit, offer, replace(screen, values={**values, **screen.values}),
        priority=Priority.REPLY)  # fmt: skip


def end(
    rt: Runtime,
    unit: Unit,
    offer: Offer,
    choice: Choice,
    outcome: str,
    *,
    index: int | None = None,
    why: str | None = None,
    said: Reply | None = None,
) -> None:
    """Ends the question: the provider is told, once, and the phone's next question is asked. The
    caller saves the offer, whose state this never touches."""
    choice.closed_at, choice.outcome = unit.now, outcome
    choice.chosen = said.turn.choice if said is not None else None
    kind = {"listed": "account-chosen", "other": "account-other", "none": "account-none"}[outcome]
    facts = {"index": index} if index else {"why": why} if why else {}
    if said is not None:
        hearing.write_down(unit, offer, kind, said, dialog=DIALOG, **facts)
    else:
        unit.journal.append(offer.chain, kind, unit.now, **facts)
    label = labels_of(rt, offer)[index - 1] if index else None
    told = {"choice": outcome, "index": index, "label": label, "why": why}
    unit.handover.add(
        unit.now, offer.id, offer.chain.version, offer.provider, EVENT,
        public(offer) | {"account": told},
    )  # fmt: skip
    choices.save(unit.tx, [choice])
    opened = conversation.close(unit.tx, [(offer.id, offer.phone_index)])
    rooms.ask(rt.rooms, unit, opened)


def lapse(rt: Runtime, unit: Unit, offer_ids: Sequence[UUID]) -> int:
    """The time for choosing is over: the yes stands, and no account was chosen."""
    offers = records.lock(unit, offer_ids)
    asked = choices.lock(unit.tx, list(offers))
    due = [(offers[i], choice) for i, choice in asked.items() if choice.is_open]
    for offer, choice in due:
        if choice.received_at is None:
            end(rt, unit, offer, choice, "none", why="undelivered")
            continue
        end(rt, unit, offer, choice, "none", why="silence")
        say(rt, unit, offer, screen_of(rt, offer, turn.silence(account.ACCOUNT, START).step))
    records.save(unit.tx, list(offers.values()))
    return len(due)


def over(rt: Runtime, unit: Unit, offer: Offer, why: str) -> None:
    """Something else has made the question idle: it could not be delivered, or the provider has
    decided already."""
    choice = choices.lock(unit.tx, [offer.id]).get(offer.id)
    if choice is not None and choice.is_open:
        end(rt, unit, offer, choice, "none", why=why)


def lapsed(unit: Unit, offer_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the offers whose question which account ended without an answer."""
    found = choices.of_offers(unit.tx, offer_ids)
    return {i for i, choice in found.items() if choice.outcome == "none"}


def just_chosen(rt: Runtime, unit: Unit, offer: Offer) -> Screen | None:
    """What is said of a choice that this very turn has made; None where it made none."""
    if offer.state is not State.ACCEPTED:
        return None
    choice = choices.of_offers(unit.tx, [offer.id]).get(offer.id)
    if choice is None or choice.chosen is None or choice.closed_at != unit.now:
        return None
    known = screen_of(rt, offer).values
    key = "other" if choice.chosen == account.OTHER else "chosen"
    return Screen(DIALOG, key, {**known, "account": known.get(choice.chosen, "")})


def is_repeated(unit: Unit, offer: Offer, choice_id: str) -> bool:
    """Whether that very choice was made before: an app that tries again says nothing new."""
    choice = choices.of_offers(unit.tx, [offer.id]).get(offer.id)
    return choice is not None and choice.chosen == choice_id


def open_question(unit: Unit, offer: Offer, question: Question | None) -> bool:
    """Whether the phone is being asked which account, and a choice made now would count."""
    if question is None or question.dialog != DIALOG or question.case_id != offer.id:
        return False
    choice = choices.of_offers(unit.tx, [offer.id]).get(offer.id)
    return choice is not None and choice.is_open and rules.in_time(unit.now, choice.deadline)
