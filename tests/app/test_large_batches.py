"""A batch of thousands is made whole and asked in turns: nobody else waits for all of it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.bench.people import people
from app.clock import ManualClock
from app.ledger.unit import Unit
from app.proactive.actions import offering, opening, providing, sweeping
from app.proactive.actions.offering import Draft
from app.proactive.records import Offer
from app.recipients import actions as registers
from app.recipients.actions import RecipientRow
from app.recipients.records import NewConsent
from app.runtime import Runtime
from tests.app.world import PROVIDER, World

MANY = 25
BIRTH, CHILDCARE = "birth-benefit", "childcare-benefit"


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "TURN", 10)


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    return World(rt, clock)


@pytest.fixture
def iins(world: World) -> list[str]:
    """Recipients whom any provider may offer anything."""
    now, many = world.clock(), people(MANY)
    with world.rt.unit() as unit:
        rows = [RecipientRow(p.iin, p.phone, "kk", "kcell", now) for p in many]
        registers.register_recipients(unit, rows)
        given = [NewConsent(p.iin, "personal-data", p.iin, now, None, None) for p in many]
        registers.register_consents(world.rt.rooms, unit, given)
    return [p.iin for p in many]


def drafts(iins: Sequence[str], service: str = BIRTH) -> list[Draft]:
    return [Draft(service, iin, f"{service} {iin}", {}) for iin in iins]


def make(rt: Runtime, unit: Unit, iins: Sequence[str], service: str = BIRTH) -> list[Offer]:
    made = offering.make(rt, unit, PROVIDER, drafts(iins, service))
    return [offer for offer in made if isinstance(offer, Offer)]


def asked(world: World) -> int:
    """How many questions are in the outbox."""
    return int(world.rows("SELECT count(*) AS n FROM outbox WHERE kind = 'offer.ask'")[0].n)


def states(world: World) -> dict[str, int]:
    found = world.rows("SELECT state, count(*) AS n FROM questions GROUP BY state")
    return {row.state: row.n for row in found}


def test_a_batch_of_many_turns_asks_everybody_once(world: World, iins: list[str]) -> None:
    with world.rt.unit() as unit:
        offers = make(world.rt, unit, iins)
    assert len(offers) == MANY
    assert (asked(world), states(world)) == (MANY, {"open": MANY})


def test_while_a_batch_is_being_made_its_phones_are_free_for_others(
    world: World, iins: list[str]
) -> None:
    """Another transaction takes the same phones and commits while the batch is still open."""
    with world.rt.unit() as batch:
        make(world.rt, batch, iins)
        with world.rt.unit() as single:
            made = make(world.rt, single, iins[:1], CHILDCARE)
    assert len(made) == 1
    assert states(world) == {"open": MANY, "waiting": 1}
    assert asked(world) == MANY


def test_what_a_dead_process_left_unasked_is_asked_by_the_sweep(
    world: World, iins: list[str]
) -> None:
    with world.rt.unit() as unit:
        make(world.rt, unit, iins)
        unit.after_commit.clear()  # as if the process had ended right after the commit
    assert (asked(world), states(world)) == (0, {"waiting": MANY})
    assert sweeping.sweep(world.rt) == 0
    world.clock.advance(timedelta(seconds=opening.PATIENCE_S + 1))
    assert sweeping.sweep(world.rt) == MANY
    assert (asked(world), states(world)) == (MANY, {"open": MANY})
    assert sweeping.sweep(world.rt) == 0


def test_what_was_withdrawn_before_its_turn_is_not_asked(world: World, iins: list[str]) -> None:
    with world.rt.unit() as unit:
        offers = make(world.rt, unit, iins)
        unit.after_commit.insert(0, lambda: withdraw(world.rt, offers[-1]))
    assert asked(world) == MANY - 1
    assert states(world) == {"open": MANY - 1}


def withdraw(rt: Runtime, offer: Offer) -> None:
    with rt.unit() as unit:
        assert providing.withdraw(rt, unit, PROVIDER, offer.id, "a mistake") is not None
