"""Whatever a network does wrong, to a submit, a receipt or a reply: no message is lost, none is
doubled unless the journal says that it was unknown, and every offer has one outcome."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from app.runtime import Runtime
from smpp.faults import NO_FAULTS, Faults, Trouble
from smpp.simulator import Simulator
from tests.app.town import GatewayTown, town

PHONES = [f"+77011230{n:03}" for n in range(16)]
HALF = len(PHONES) // 2
LATE_S = 30.0  # of a person's seconds, of which a hundred pass in one of ours


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: by `faults` as long as people are asked and answer, or by one `strike` in
    the middle of it. `bind` "apart" sends by one bind and hears by another."""

    faults: Faults = NO_FAULTS
    strike: Callable[[Simulator], None] = lambda _: None
    bind: str = "transceiver"


TROUBLES = {
    "lost": Trouble(lose_every=3),
    "late": Trouble(delay_s=LATE_S),
    "twice": Trouble(duplicate=True),
    "turned round": Trouble(reorder=True),
    "cut in the middle": Trouble(cut_after=5),
    "with an unbind": Trouble(unbind_after=5),
    "before a silence": Trouble(silent_after=5),
}
ONE_BY_ONE = {
    f"{kind} {name}": Fault(faults)
    for name, trouble in TROUBLES.items()
    for kind, faults in {
        "responses": Faults(responses=trouble),
        "receipts": Faults(receipts=trouble),
        "replies": Faults(replies=trouble),
    }.items()
}
OTHERS = {
    "submits lost": Fault(Faults(lose_submits_every=9)),
    "throttled": Fault(Faults(throttle_every=3)),
    "queue full": Fault(Faults(queue_full_every=3)),
    "ids in another base": Fault(Faults(ids="hex")),
    "one id for all": Fault(Faults(ids="constant")),
    "one id for all, receipts turned round": Fault(
        Faults(ids="constant", receipts=Trouble(reorder=True))
    ),
    "one id for all, responses lost": Fault(
        Faults(ids="constant", responses=Trouble(lose_every=3))
    ),
    "no ids": Fault(Faults(ids="empty")),
    "receipts by data_sm": Fault(Faults(receipts_by_data_sm=True)),
    "receipts on another bind": Fault(bind="apart"),
    "unbound": Fault(strike=Simulator.unbind),
    "connection lost": Fault(strike=Simulator.drop),
    "both connections lost": Fault(strike=Simulator.drop, bind="apart"),
}


async def asked(place: GatewayTown) -> None:
    """Everybody has the question on the handset."""
    handsets = place.simulator.handsets
    await place.until(
        lambda: all(p in handsets and handsets[p].messages for p in PHONES), "the questions"
    )


def answer(place: GatewayTown, phones: list[str]) -> None:
    """They say yes, every other one in three segments."""
    for phone in phones:
        segments = 3 if PHONES.index(phone) % 2 else 1
        place.simulator.send(phone, "Иә, келісемін", segments=segments)


async def answer_until_heard(place: GatewayTown) -> None:
    """What the network lost people write again; nobody else does."""
    simulator = place.simulator
    counts = simulator.counts
    await place.until(
        lambda: simulator.undelivered == 0 and counts.mo_delivered + counts.lost >= counts.mo,
        "every reply",
    )
    simulator.faults = NO_FAULTS
    deaf = await asyncio.to_thread(place.unanswered)
    if counts.lost:
        answer(place, deaf)


async def settled(place: GatewayTown) -> None:
    """All that is on its way has arrived."""
    await place.until(lambda: place.all_are("accepted"), "every yes")
    await place.until(lambda: all(place.confirmations(p) for p in PHONES), "confirmations")
    open_ = "SELECT 1 FROM outbox WHERE state IN ('ready', 'unknown')"
    await place.until(lambda: not place.rows(open_), "nothing is left to be sent")
    await asyncio.to_thread(place.assert_nothing_lost_or_doubled)


@pytest.mark.parametrize("fault", [pytest.param(f, id=n) for n, f in (ONE_BY_ONE | OTHERS).items()])
def test_nothing_is_lost_or_doubled(rt: Runtime, fault: Fault) -> None:
    async def play() -> None:
        async with town(rt, bind=fault.bind, enquire_link_interval=0.3) as place:
            place.simulator.faults = fault.faults
            await place.offer(PHONES[:HALF])
            fault.strike(place.simulator)
            await place.offer(PHONES[HALF:])
            await asked(place)
            fault.strike(place.simulator)
            answer(place, PHONES[:HALF])
            await asyncio.sleep(0)
            fault.strike(place.simulator)
            answer(place, PHONES[HALF:])
            await answer_until_heard(place)
            await settled(place)

    asyncio.run(play())
