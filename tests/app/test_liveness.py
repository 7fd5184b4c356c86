"""A gateway that lives is never taken for dead, whatever becomes of its connections."""

import asyncio
from uuid import UUID, uuid4

import pytest

from app.clock import ManualClock
from app.gateway import Gateway
from app.gateway.links import Links
from app.lanes import wait_for
from app.ledger import liveness
from app.ledger.failures import FAILURES
from app.ledger.liveness import Holder
from app.runtime import Runtime
from tests.app.town import town
from tests.app.worker_fixtures import eventually, ledger_outage
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
    eventually(lambda: dead(rt) == [gateway])  # the server notices a little later


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


def test_a_gateway_that_ends_lets_go_last_so_that_nothing_takes_the_lock_again(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_looking, has_unbound = asyncio.Event(), asyncio.Event()
    renew, release, end, drain = Holder.renew, Holder.release, Links.end, Gateway._drain
    at_release: list[bool] = []

    def slowly(self: Holder) -> bool:
        is_looking.set()
        try:
            assert wait_for(has_unbound.wait())
            return renew(self)
        finally:
            is_looking.clear()

    async def drain_until_it_looks(self: Gateway) -> None:
        await drain(self)
        monkeypatch.setattr(Holder, "renew", slowly)
        while not is_looking.is_set():
            await asyncio.sleep(0.01)

    async def unbind(self: Links) -> None:
        await end(self)
        has_unbound.set()

    def let_go(self: Holder) -> None:
        at_release.append(is_looking.is_set())
        release(self)

    async def scenario() -> None:
        async with town(rt) as place:
            await place.until(lambda: bool(place.gateway.links.live()), "it has bound")

    monkeypatch.setattr(Gateway, "_drain", drain_until_it_looks)
    monkeypatch.setattr(Links, "end", unbind)
    monkeypatch.setattr(Holder, "release", let_go)
    asyncio.run(scenario())
    assert at_release == [False]
