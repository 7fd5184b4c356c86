"""A clock that jumps expires nothing early and loses nothing, whichever process it is in."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.clock import ManualClock, SteadyClock
from app.exchange import Batch
from app.ledger import binds, idempotency
from app.proactive.actions import sweeping
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import ReceiptState
from tests.app.test_sweeping import DAY, TICK, awaiting, mark
from tests.app.world import World
from tests.conftest import NOON

HOUR = timedelta(hours=1)
JUMPS = (HOUR, -HOUR)


class Wall:
    """A wall clock that somebody sets, and the seconds that pass whatever they do."""

    def __init__(self) -> None:
        self.now, self.seconds = NOON, 0.0

    def wall(self) -> datetime:
        return self.now

    def ticks(self) -> float:
        return self.seconds

    def passes(self, by: timedelta) -> None:
        self.now += by
        self.seconds += by.total_seconds()


def steady(wall: Wall, floor: datetime | None = None) -> SteadyClock:
    return SteadyClock(wall.wall, wall.ticks, floor)


def skewed(rt: Runtime, clock: ManualClock, by: timedelta) -> Runtime:
    """A process whose clock is wrong from its start."""
    return replace(rt, clock=lambda: clock() + by)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_of_the_wall_is_approached_slowly_and_time_never_goes_back(jump: timedelta) -> None:
    wall = Wall()
    clock, before = steady(wall), NOON
    wall.now += jump
    assert clock() == NOON
    for _ in range(36_100):
        wall.passes(timedelta(seconds=1))
        now = clock()
        assert timedelta(0) <= now - before <= timedelta(seconds=2.1)
        before = now
    assert before == wall.now


def test_what_is_slewed_is_followed_at_once() -> None:
    wall = Wall()
    clock = steady(wall)
    for _ in range(100):
        wall.passes(timedelta(seconds=10))
        wall.now += timedelta(milliseconds=5)  # 500 parts in a million
        assert clock() == wall.now
    wall.passes(timedelta(hours=9))  # nobody asked for a night
    assert clock() == wall.now


def test_a_process_does_not_start_before_what_others_wrote_down() -> None:
    wall = Wall()
    clock = steady(wall, NOON + HOUR)
    assert clock() == NOON + HOUR
    for _ in range(66):
        wall.passes(timedelta(minutes=10))
        clock()
    assert clock() == wall.now


@pytest.mark.parametrize("jump", JUMPS)
def test_a_worker_whose_clock_is_wrong_expires_nothing_early(
    rt: Runtime, clock: ManualClock, jump: timedelta
) -> None:
    world, offer = awaiting(rt, clock)
    worker = skewed(world.rt, clock, jump)
    for by in (DAY - 2 * HOUR, HOUR, HOUR - TICK, TICK):
        clock.advance(by)
        mark(world)
        assert sweeping.sweep(worker) == 0
    clock.advance(TICK + HOUR)
    mark(world)
    assert sweeping.sweep(worker) == 1
    assert world.look(offer.id).state == "expired"


@pytest.mark.parametrize("jump", JUMPS)
def test_a_gateway_whose_clock_was_wrong_leaves_no_mark_that_expires_early(
    rt: Runtime, clock: ManualClock, jump: timedelta
) -> None:
    world, offer = awaiting(rt, clock)
    clock.advance(DAY - timedelta(minutes=30))
    world.commit(Batch(mark=clock() + jump, drained=[world.network.cid]))
    assert sweeping.sweep(world.rt) == 0
    mark(world)  # its clock is right again, and then the network goes away
    clock.advance(HOUR)
    assert sweeping.sweep(world.rt) == 0
    assert world.look(offer.id).state == "awaiting"
    with rt.ledger.begin() as tx:
        marks = binds.heard_through(binds.every(tx))
    assert marks[world.network.name] == clock() - HOUR


@pytest.mark.parametrize("jump", JUMPS)
def test_what_a_web_process_with_a_wrong_clock_wrote_leaves_at_once(
    rt: Runtime, clock: ManualClock, jump: timedelta
) -> None:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    right, world.rt = world.rt, skewed(world.rt, clock, jump)
    made = world.offer("birth-benefit", "Айгүл")
    world.rt = right
    world.commit()
    assert isinstance(made, Offer)
    assert [mt.message.kind for mt in world.mts] == ["offer.ask"]
    world.receipt(ReceiptState.DELIVRD)
    assert world.look(made.id).deadline == clock() + DAY


@pytest.mark.parametrize("jump", JUMPS)
def test_an_idempotency_key_is_the_same_whatever_the_clock_says(
    rt: Runtime, clock: ManualClock, jump: timedelta
) -> None:
    wanted = idempotency.Claim("mtszn", "k-1", b"print")
    with rt.unit() as unit:
        assert idempotency.claim(unit.tx, wanted, unit.now) is None
        idempotency.store(unit.tx, wanted, idempotency.Answer(201, b"{}"))
    with skewed(rt, clock, jump).unit() as unit:
        first = idempotency.claim(unit.tx, wanted, unit.now)
    assert first == idempotency.Answer(201, b"{}")
