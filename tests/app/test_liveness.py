"""A gateway that lives is never taken for dead, whatever becomes of its connections."""

from uuid import UUID, uuid4

import pytest

from app.clock import ManualClock
from app.ledger import liveness
from app.ledger.failures import FAILURES
from app.runtime import Runtime
from tests.app.worker_fixtures import ledger_outage
from tests.app.world import World
from tests.server_logs import OF_BEING_CLOSED


@pytest.fixture
def gateway(rt: Runtime, clock: ManualClock) -> UUID:
    """One that has claimed a message."""
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    world.network.answers = None
    world.offer("birth-benefit", "Айгүл")
    return world.exchange.gateway


def dead(rt: Runtime) -> list[UUID]:
    return list(liveness.dead(rt.ledger, uuid4()))


def test_who_lets_go_of_its_lock_is_dead(rt: Runtime, gateway: UUID) -> None:
    holder = liveness.hold(rt.ledger, gateway)
    assert dead(rt) == []
    holder.release()
    assert dead(rt) == [gateway]


@pytest.mark.provokes(*OF_BEING_CLOSED)
def test_a_lock_that_was_lost_with_the_ledger_is_taken_again_however_long_it_was_away(
    rt: Runtime, gateway: UUID
) -> None:
    holder = liveness.hold(rt.ledger, gateway)
    with ledger_outage(rt):
        for _ in range(3):
            with pytest.raises(FAILURES):
                holder.renew()
    assert holder.renew()
    assert not holder.renew()
    assert dead(rt) == []
    holder.release()
