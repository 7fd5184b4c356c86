"""No offer goes out that could not be answered and annulled in order; answers always leave."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import pytest

from app.clock import ManualClock
from app.configuration import SendingHours
from app.exchange import Batch
from app.exchange.admission import LEAD, LOOK_AHEAD, WINDOW, Admission, Why
from app.exchange.claims import admission
from app.ledger import outages
from app.ledger.outages import EVERY_NETWORK, Outage
from app.proactive.actions import providing
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import ReceiptState
from tests.app.world import PROVIDER, World
from tests.conftest import NOON

HOURS = SendingHours(time(9), time(21))
TICK = timedelta(microseconds=1)


def at(clock: str) -> datetime:
    """That time of 2 March in Almaty, as UTC."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour - 5, minutes=minute)


def away(start: datetime, end: datetime, network: str = "kcell") -> Outage:
    return Outage(uuid4(), network, start, end, "works")


@pytest.mark.parametrize(
    ("clock", "opens"),
    [
        ("08:59", at("09:00")),
        ("09:00", None),
        ("20:59", None),
        ("21:00", at("09:00") + timedelta(days=1)),
        ("23:59", at("09:00") + timedelta(days=1)),
        ("00:00", at("09:00")),
    ],
)
def test_offers_leave_only_in_the_hours_of_almaty(clock: str, opens: datetime | None) -> None:
    held = Admission(HOURS).held("kcell", at(clock))
    assert (held.until if held else None) == opens
    assert held is None or held.why is Why.QUIET_HOURS
    assert Admission(None).held("kcell", at(clock)) is None


def test_hours_of_no_length_keep_offers_back_for_as_far_as_anybody_looks() -> None:
    held = Admission(SendingHours(time(0), time(0))).held("kcell", NOON)
    assert held is not None
    assert held.why is Why.QUIET_HOURS
    assert held.until >= NOON + LOOK_AHEAD


def test_an_offer_waits_while_its_network_is_away_or_about_to_be() -> None:
    known = Admission(outages=[away(NOON, NOON + timedelta(hours=2))])
    for moment in (NOON - LEAD, NOON, NOON + timedelta(hours=2) - TICK):
        held = known.held("kcell", moment)
        assert held is not None
        assert (held.why, held.until) == (Why.OUTAGE, NOON + timedelta(hours=2))
    assert known.held("kcell", NOON - LEAD - TICK) is None
    assert known.held("kcell", NOON + timedelta(hours=2)) is None


def test_an_offer_waits_whose_day_would_end_in_an_outage() -> None:
    tomorrow = NOON + WINDOW
    known = Admission(outages=[away(tomorrow, tomorrow + timedelta(hours=1))])
    held = known.held("kcell", NOON)
    assert held is not None
    assert (held.why, held.until) == (Why.CLOSES_IN_OUTAGE, NOON + timedelta(hours=1))
    assert known.held("kcell", NOON - LEAD - TICK) is None
    assert known.held("kcell", NOON + timedelta(hours=1)) is None


def test_only_the_network_that_will_be_away_is_held_and_star_is_all_of_them() -> None:
    known = Admission(outages=[away(NOON, NOON + timedelta(hours=1))])
    assert known.held("beeline", NOON) is None
    assert known.held(None, NOON) is not None  # it may turn out to be that one
    all_of_them = Admission(outages=[away(NOON, NOON + timedelta(hours=1), EVERY_NETWORK)])
    assert all_of_them.held("beeline", NOON) is not None


def test_what_is_said_to_be_the_end_of_waiting_is_the_end() -> None:
    night = away(at("20:50"), at("23:00"))
    morning = away(at("08:30") + timedelta(days=1), at("10:00") + timedelta(days=1))
    known = Admission(HOURS, [night, morning])
    held = known.held("kcell", at("20:55"))
    assert held is not None
    assert (held.why, held.until) == (Why.OUTAGE, at("10:00") + timedelta(days=1))
    assert known.held("kcell", held.until) is None


def test_an_outage_of_many_days_holds_from_a_day_before_it_to_its_end() -> None:
    end = NOON + timedelta(days=9)
    known = Admission(outages=[away(NOON, end)])
    moment = NOON - WINDOW - LEAD
    assert known.held("kcell", moment - TICK) is None
    while moment < end:
        held = known.held("kcell", moment)
        assert held is not None and held.until == end
        moment += timedelta(hours=7)


def test_a_planned_outage_holds_offers_and_lets_answers_leave(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    first = world.offer("birth-benefit", "Айгүл")
    assert isinstance(first, Offer)
    world.receipt(ReceiptState.DELIVRD)
    with rt.unit() as unit:
        start, end = clock() + timedelta(minutes=5), clock() + timedelta(hours=1)
        planned = outages.add(unit.tx, world.network.name, start, end, "works", clock())
    second = world.offer("childcare-benefit", "Айгүл")
    assert isinstance(second, Offer)
    world.say("иә")  # the first is answered, so the second's turn has come
    assert [mt.message.kind for mt in world.mts] == ["offer.ask", "offer.accepted"]
    assert world.look(second.id).state == "made"
    world.pass_time(timedelta(minutes=30))
    assert world.look(second.id).state == "made"
    with rt.unit() as unit:
        assert outages.remove(unit.tx, planned.id, unit.now)
        assert not outages.remove(unit.tx, planned.id, unit.now)
    world.commit()
    assert world.look(second.id).state == "sent"


def test_in_quiet_hours_offers_wait_for_the_morning_and_decisions_leave(
    rt: Runtime, clock: ManualClock
) -> None:
    quiet = replace(rt.settings, sending=replace(rt.settings.sending, hours=HOURS))
    world = World(replace(rt, settings=quiet), clock)
    world.register("Айгүл", "kk")
    asked = world.offer("birth-benefit", "Айгүл")
    assert isinstance(asked, Offer)
    clock.advance(timedelta(hours=10))
    waiting = world.offer("childcare-benefit", "Айгүл")
    assert isinstance(waiting, Offer)
    world.say("иә")
    world.report(asked.id, "rendered")
    kinds = ["offer.ask", "offer.accepted", "offer.rendered"]
    assert [mt.message.kind for mt in world.mts] == kinds
    clock.advance(timedelta(hours=11))
    world.commit()
    assert [mt.message.kind for mt in world.mts] == [*kinds, "offer.ask"]


def test_a_queue_full_of_offers_takes_what_others_wrote_for_it_all_the_same(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    world.say("иә")
    name = world.network.name
    with rt.unit() as unit:
        providing.report(rt, unit, PROVIDER, made.id, "rendered", None, None)
    other = World(rt, clock)
    other.register("Болат", "ru", network=name)
    other.network.is_up = False
    assert isinstance(other.offer("birth-benefit", "Болат"), Offer)
    claimed = world.exchange.commit(Batch(room={name: 10}, bulk={})).to_submit
    assert [m.kind for m in claimed] == ["offer.rendered"]
    claimed = world.exchange.commit(Batch(room={name: 10}, bulk={name: 1})).to_submit
    assert [m.kind for m in claimed] == ["offer.ask"]


def test_what_is_known_of_outages_is_looked_up_and_those_that_are_over_are_not(
    rt: Runtime, clock: ManualClock
) -> None:
    with rt.unit() as unit:
        hour = timedelta(hours=1)
        for start in (NOON - 3 * hour, NOON + hour, NOON - hour):
            outages.add(unit.tx, "kcell", start, start + 2 * hour, "works", NOON)
        again = outages.add(unit.tx, "kcell", NOON + hour, NOON + 3 * hour, "works", NOON)
        found = admission(rt, unit).outages
        assert [o.starts_at for o in found] == [NOON - hour, NOON + hour]
        assert again == found[1]
        assert len(outages.every(unit.tx)) == 3
