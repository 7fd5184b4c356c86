"""Whatever a network does wrong, to a submit, a receipt or a reply: no message is lost, none is
doubled unless the journal says that it was unknown, and every offer has one outcome."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace

import pytest

from app.runtime import Runtime
from smpp.simulator import Faults, Simulator
from tests.app.town import GatewayTown, town

PHONES = [f"+77011230{n:03}" for n in range(20)]


NONE = Faults()


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: by `faults` as long as a stage lasts, or by one `strike` in its middle."""

    faults: Faults = NONE
    strike: Callable[[Simulator], None] = lambda _: None
    bind: str = "transceiver"


FAULTS = {
    "no receipts": Fault(Faults(lose_receipts=True)),
    "late receipts": Fault(Faults(receipt_delay_s=30)),
    "every receipt twice": Fault(Faults(duplicate_receipts=True)),
    "throttled": Fault(Faults(throttle_every=3)),
    "ids in another base": Fault(Faults(hex_ids=True)),
    "no response": Fault(Faults(no_response_every=4)),
    "cut in a response": Fault(Faults(cut_mid_pdu_after=5)),
    "unbound": Fault(Faults(unbind_after=5)),
    "unbound at once": Fault(strike=Simulator.unbind),
    "connection lost": Fault(strike=Simulator.drop),
    "receipts on another bind": Fault(bind="apart"),
    "another bind, lost": Fault(strike=Simulator.drop, bind="apart"),
}


def begin(fault: Fault, place: GatewayTown) -> None:
    """The fault begins; counts of `…_after` go on from what was submitted before."""
    done = place.simulator.counts.submitted
    after = {
        name: getattr(fault.faults, name) + done
        for name in ("unbind_after", "cut_mid_pdu_after")
        if getattr(fault.faults, name)
    }
    place.simulator.faults = replace(fault.faults, **after)


async def asked(place: GatewayTown) -> None:
    """Everybody has the question on the handset."""
    handsets = place.simulator.handsets
    await place.until(
        lambda: all(p in handsets and handsets[p].messages for p in PHONES), "the questions"
    )


async def answer(place: GatewayTown, fault: Fault | None = None) -> None:
    """Everybody says yes, half of them in three segments."""
    for n, phone in enumerate(PHONES):
        if n == len(PHONES) // 2 and fault is not None:
            fault.strike(place.simulator)
        place.simulator.send(phone, "Иә, келісемін", segments=3 if n % 2 else 1)
        if fault is not None:
            await asyncio.sleep(0)


async def settle(place: GatewayTown) -> None:
    """All that is on its way has arrived."""
    place.simulator.faults = NONE
    await place.until(lambda: place.all_are("accepted"), "every yes")
    handsets = [place.simulator.handset(p) for p in PHONES]
    await place.until(
        lambda: all(len({m.text for m in h.messages}) == 2 for h in handsets), "confirmations"
    )
    counts = place.simulator.counts
    await place.until(lambda: counts.mo_delivered == counts.mo, "every reply is acknowledged")
    open_ = "SELECT 1 FROM outbox WHERE state IN ('ready', 'unknown')"
    await place.until(lambda: not place.rows(open_), "nothing is left to be sent")
    place.assert_nothing_lost_or_doubled()


async def when_submitting(place: GatewayTown, fault: Fault) -> None:
    """The fault meets the questions."""
    begin(fault, place)
    await place.offer(PHONES[: len(PHONES) // 2])
    fault.strike(place.simulator)
    await place.offer(PHONES[len(PHONES) // 2 :])
    await asked(place)
    place.simulator.faults = NONE
    await answer(place)


async def when_receipts_come(place: GatewayTown, fault: Fault) -> None:
    """The fault meets receipts that are on their way."""
    place.simulator.faults = Faults(receipt_delay_s=20)
    await place.offer(PHONES[:1])
    await asked_one(place)
    begin(fault, place)
    await place.offer(PHONES[1:])
    await asked(place)
    fault.strike(place.simulator)
    await answer(place)


async def asked_one(place: GatewayTown) -> None:
    first = place.simulator.handset(PHONES[0])
    await place.until(lambda: bool(first.messages), "the first question")


async def when_people_reply(place: GatewayTown, fault: Fault) -> None:
    """The fault meets replies and their confirmations."""
    await place.offer(PHONES)
    await asked(place)
    begin(fault, place)
    await answer(place, fault)


STAGES = {
    "a submit": when_submitting,
    "a receipt": when_receipts_come,
    "a reply": when_people_reply,
}


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES.keys())
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_nothing_is_lost_or_doubled(
    rt: Runtime,
    fault: Fault,
    stage: Callable[[GatewayTown, Fault], Coroutine[None, None, None]],
) -> None:
    async def play() -> None:
        async with town(rt, bind=fault.bind) as place:
            await stage(place, fault)
            await settle(place)

    asyncio.run(play())
