"""An offer has its place, one of a service to a recipient, from its making to its outcome."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.clock import ManualClock
from app.ledger.keys import LIVE
from app.proactive import open_offers
from app.proactive.actions import offering
from app.proactive.actions.offering import Draft
from app.proactive.records import Offer
from app.proactive.rules import LIFECYCLE, OPEN, OUTCOMES, Refusal
from app.runtime import Runtime
from smpp.messages import ReceiptState, SubmitOutcome
from tests.app.world import PROVIDER, World


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    return world


def places(world: World) -> set[tuple[object, object, str]]:
    found = world.rows("SELECT offer_id, recipient_id, service FROM open_offers")
    return {(r.offer_id, r.recipient_id, r.service) for r in found}


def offered(world: World) -> Offer:
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    return made


def test_a_place_is_given_back_by_each_change_that_ends_an_offer_and_by_no_other() -> None:
    ending = {(before, after) for (before, _), after in LIFECYCLE.items() if after in OUTCOMES}
    for (before, _), after in LIFECYCLE.items():
        assert open_offers.ends(before, after) is ((before, after) in ending)
    assert not OPEN & OUTCOMES


@pytest.mark.parametrize("how", ["1", "2", "withdrawn", "expired", "revoked"])
def test_however_it_ends_there_may_be_another(world: World, how: str) -> None:
    first = offered(world)
    world.receipt(ReceiptState.DELIVRD)
    assert places(world) == {(first.id, first.recipient_id, "birth-benefit")}
    assert isinstance(world.offer("birth-benefit", "Айгүл"), Refusal)
    if how == "withdrawn":
        world.withdraw(first.id)
    elif how == "revoked":
        world.revoke("Айгүл")
        world.register("Айгүл", "kk")
    elif how == "expired":
        world.pass_time(timedelta(hours=25))
    else:
        world.say(how)
    assert places(world) == set()
    assert isinstance(world.offer("birth-benefit", "Айгүл"), Offer)


def test_what_no_network_takes_holds_no_place(world: World) -> None:
    world.network.answers = SubmitOutcome.PERMANENT
    offered(world)
    assert places(world) == set()


def test_a_reference_that_is_taken_holds_no_place(world: World) -> None:
    """Two drafts of one reference in two transactions: the second finds it taken as it is stored,
    when its place has been taken already."""
    world.register("Сара", "ru")
    reference = uuid4().hex
    drafts = [
        Draft("birth-benefit", world.people[name], reference, {"kin": world.people[name]})
        for name in ("Айгүл", "Сара")
    ]
    with world.rt.unit() as unit:
        [one] = offering.judge(world.rt, unit, PROVIDER, drafts[1:])
    with world.rt.unit() as unit:
        [mine] = offering.make(world.rt, unit, PROVIDER, drafts[:1])
    assert isinstance(mine, Offer) and isinstance(one, Offer)
    with world.rt.unit() as unit:
        [twin] = offering._store(world.rt, unit, PROVIDER, [one], LIVE)
    assert twin == offering.ALREADY_OPEN
    assert {offer for offer, *_ in places(world)} == {mine.id}
