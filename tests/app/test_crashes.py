"""kill -9 at every single statement, and on both sides of every commit: it starts again, the
network delivers again, and it ends as if nothing had been."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest

from app.clock import ManualClock
from app.exchange import Batch
from app.ledger import journal
from app.proactive.actions import sweeping
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import Inbound, ReceiptState, SegmentOf
from tests.app.crashing import killed_at
from tests.app.world import PATIENCE, World

DAY = timedelta(hours=24)
# What only a crash has to say: that a message's fate was unknown, and that it was sent again.
OF_CRASHES = ("message-unknown", "message-sent-again")


@dataclass(frozen=True, slots=True)
class End:
    """What a case has come to."""

    state: str
    answered_by: str | None
    provider_was_told: tuple[str, ...]
    journal: tuple[str, ...]
    messages: tuple[str, ...]
    unsettled: int
    reviewed: tuple[str, ...]
    next_one: tuple[str, str | None]


SECOND = timedelta(seconds=1)
Deeds = tuple[Callable[[], None], Callable[[], None]]
"""What a process does that is killed, and what comes after it."""


def setting(rt: Runtime, clock: ManualClock) -> tuple[World, UUID]:
    """An offer whose question has been received, and a second one that waits for its end."""
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    world.offer("childcare-benefit", "Айгүл")
    world.receipt(ReceiptState.DELIVRD)
    clock.advance(SECOND)
    return world, made.id


def settle(world: World) -> None:
    """Whatever died starts again; time enough passes for what nobody could answer for."""
    for _ in range(3):
        world.pass_time(PATIENCE + timedelta(seconds=1))
    world.exchange.tidy()
    world.pass_time(PATIENCE + timedelta(seconds=1))


def end_of(world: World, case: UUID) -> End:
    offer = world.look(case)
    entries = world.journal(case)
    assert journal.verify(entries, world.rt.vault) == []
    kinds = [e.kind for e in entries if e.kind not in OF_CRASHES]
    query = "SELECT count(*) AS n FROM outbox WHERE phone_index = :p AND state IN {}"
    phone = world.rt.vault.index("phone", world.phone)
    [left] = world.rows(query.format("('ready', 'unknown')"), p=phone)
    [after] = [world.look(o) for o in world.offers if o != case]
    return End(
        str(offer.state),
        offer.answered_by,
        tuple(world.events(case)),
        tuple(kinds),
        tuple(world.outbox(case)),
        left.n,
        tuple(w for w in world.heard() if w != "redelivered"),
        (str(after.state), after.answered_by),
    )


def hear(world: World, *messages: Inbound) -> Deeds:
    """A reply, and what the network does about it after a crash: it was never acknowledged."""

    def again() -> None:
        world.die()
        world.clock.advance(SECOND)
        world.drained = False
        world.hear(messages)

    return lambda: world.hear(messages), again


def reply(world: World) -> Deeds:
    return hear(world, world.mo("Иә, келісемін"))


def unclear(world: World) -> Deeds:
    return hear(world, world.mo("Ойланамын"))


def long_reply(world: World) -> Deeds:
    """Three segments, the last one first: each waits in the ledger for the others."""
    words = {1: "Иә, ", 2: "келі", 3: "семін"}
    return hear(world, *(world.mo(words[n], segment=SegmentOf(7, 3, n)) for n in (3, 1, 2)))


def expiry(world: World) -> Deeds:
    """The day is over: the sweep, and the closing message that another process submits."""
    world.clock.advance(DAY + timedelta(seconds=1))
    world.commit(Batch(mark=world.clock(), drained=[world.network.cid]))

    def act() -> None:
        while sweeping.sweep(world.rt):
            continue
        world.commit()

    return act, world.die


def receipt(world: World, state: ReceiptState = ReceiptState.DELIVRD) -> Deeds:
    """The receipt of the second question, whose turn has come."""
    world.say("жоқ")
    receipts = world.receipts_of(world.mts[-1], state)

    def act() -> None:
        world.commit(Batch(receipts=receipts))

    def again() -> None:
        world.die()
        act()

    return act, again


def undelivered(world: World) -> Deeds:
    """The same receipt says that nobody was reached, which ends the second offer."""
    return receipt(world, ReceiptState.UNDELIV)


PATHS = {
    "reply": reply,
    "unclear": unclear,
    "long reply": long_reply,
    "expiry": expiry,
    "receipt": receipt,
    "undelivered": undelivered,
}


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.timeout(600)
def test_a_process_killed_at_any_statement_ends_as_if_nothing_had_been(
    rt: Runtime, clock: ManualClock, name: str
) -> None:
    world, case = setting(rt, clock)
    act, _ = PATHS[name](world)
    act()
    settle(world)
    expected = end_of(world, case)
    ends: Counter[End] = Counter()
    for point in count(1):
        world, case = setting(rt, clock)
        act, again = PATHS[name](world)
        was_killed = killed_at(rt.ledger, point, act)
        world.network.ids = count(10_000)  # what it submitted, its network knows
        again()
        settle(world)
        ends[end_of(world, case)] += 1
        assert end_of(world, case) == expected, f"killed at point {point}"
        if not was_killed:
            break
    assert ends.total() > 10, "too few points to be believed"
