"""What falls due: reply windows that close, questions that nobody proved to have received.

The ledger is asked, never Redis: a legal deadline survives a flush and a missed event.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.calendar import Calendar
from app.catalogue.model import Catalogue, Service
from app.ledger import binds
from app.ledger.unit import Unit
from app.proactive import falling_due, records
from app.proactive.actions import choosing, opening
from app.proactive.actions.closing import close, step
from app.proactive.actions.saying import DIALOG, say
from app.proactive.choices import records as choices
from app.proactive.records import Offer
from app.proactive.rules import Event, State
from app.runtime import Runtime
from dialogs.engine.model import Screen, Value

BATCH = 200  # a reply to one of these waits for all of them


def sweep(rt: Runtime) -> int:
    """Closes a batch of what is due, and asks what was left to ask; returns how many there were."""
    with rt.unit() as unit:
        through = binds.heard_through(binds.every(unit.tx))
        due = falling_due.due(unit.tx, unit.now, through, BATCH)
        unproven = falling_due.unproven(unit.tx, unit.now, through, BATCH)
        expire(rt, unit, due)
        give_up(rt, unit, unproven)
        unchosen = choices.due(unit.tx, unit.now, choosing.VALIDITY_S, through, BATCH)
        choosing.lapse(rt, unit, unchosen)
    with rt.unit() as unit:
        asked = opening.take_up(rt, unit, BATCH)
    return len(due) + len(unproven) + len(unchosen) + asked


def expire(rt: Runtime, unit: Unit, offer_ids: Sequence[UUID]) -> None:
    """Annuls offers whose window is over and says where to apply in person (155/НҚ, clause 4)."""
    offers = list(records.lock(unit, offer_ids).values())
    closed: list[Offer] = []
    for offer in offers:
        if offer.state is not State.AWAITING:
            continue
        step(unit, offer, Event.LAPSED)
        unit.journal.append(
            offer.chain, "lapsed", unit.now, deadline=offer.deadline, received_at=offer.received_at
        )
        screen = Screen(DIALOG, "expired", in_person(rt, offer, unit.now))
        say(rt, unit, offer, screen)
        closed.append(offer)
    close(rt, unit, closed)
    records.save(unit.tx, offers)


def give_up(rt: Runtime, unit: Unit, offer_ids: Sequence[UUID]) -> None:
    """Ends offers whose question was never proved to have been received: no lapse, no refusal."""
    offers = list(records.lock(unit, offer_ids).values())
    closed: list[Offer] = []
    for offer in offers:
        if offer.state is State.SENT:
            step(unit, offer, Event.NOT_DELIVERED)
            unit.journal.append(offer.chain, "not-delivered", unit.now, why="no receipt came")
            closed.append(offer)
    close(rt, unit, closed)
    records.save(unit.tx, offers)


def in_person(rt: Runtime, offer: Offer, now: datetime) -> dict[str, Value]:
    """The branch, its address and its hours for the day one can next go there (52, clause 3)."""
    return branch_values(rt, rt.catalogue.find_service(offer.service), now)


class Places(Protocol):
    """Whoever knows the branches and when they are open."""

    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def calendar(self) -> Calendar: ...


def branch_values(rt: Places, service: Service | None, now: datetime) -> dict[str, Value]:
    """The same for a service, or for one that was taken out of the catalogue since."""
    if service is None:  # any branch that stands for the country
        branch = next(b for b in rt.catalogue.branches if b.default)
    else:
        branch = rt.catalogue.branch_for(service, region=None)
    opening = rt.calendar.next_opening(branch.schedule, now)
    hours = f"{opening.day:%d.%m} {opening.open:%H:%M}–{opening.close:%H:%M}"
    return {
        "branch": {"kk": branch.name.kk, "ru": branch.name.ru},
        "address": {"kk": branch.address.kk, "ru": branch.address.ru},
        "hours": hours,
    }
