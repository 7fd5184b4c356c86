"""Two transactions at once: neither sees what the other has not committed, and nothing is lost."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.clock import ManualClock
from app.conversation import records as conversation
from app.exchange import Batch, Exchange
from app.ledger import segments
from app.ledger.failures import FAILURES, is_race
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import Receipt, ReceiptState
from tests.app.interleaving import at_once
from tests.app.world import World


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    return world


def offered(world: World, name: str = "Айгүл") -> UUID:
    made = world.offer("birth-benefit", name)
    assert isinstance(made, Offer)
    return made.id


def by_two_gateways(
    world: World, receipts: Sequence[Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two receipts, each committed by a gateway of its own; the first has looked how the message
    stands and not yet committed when the second begins."""
    other = Exchange(world.rt, uuid4(), [world.network.name])
    at_once(
        world, monkeypatch,
        lambda: world.exchange.commit(Batch(receipts=receipts[:1])),
        lambda: other.commit(Batch(receipts=receipts[1:])),
        (segments, "standings"), is_after=True,
    )  # fmt: skip


def test_a_question_is_received_though_two_gateways_hear_of_its_segments_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = offered(world)
    receipts = world.receipts_of(world.mts[-1], ReceiptState.DELIVRD)
    assert len(receipts) == 2
    by_two_gateways(world, receipts, monkeypatch)
    assert world.look(offer).state == "awaiting"


def test_so_is_whatever_else_we_say_in_segments(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = offered(world)
    world.receipt(ReceiptState.DELIVRD)
    world.pass_time(timedelta(hours=25))
    first, second, *_ = receipts = world.receipts_of(world.mts[-1], ReceiptState.DELIVRD)
    world.commit(Batch(receipts=receipts[2:]))
    by_two_gateways(world, [first, second], monkeypatch)
    assert "message-delivered" in [entry.kind for entry in world.journal(offer)]


@pytest.mark.provokes("found 1 rows as they were loaded, expected 0")
def test_an_offer_made_while_the_one_before_it_is_answered_is_asked_of_the_phone_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.register("Бауыржан", "kk")
    first = offered(world)
    made: list[UUID] = []
    world.receipt(ReceiptState.DELIVRD)
    reply = world.came(world.mo("1"))
    close = conversation.close

    def meanwhile(*said: Any) -> Any:
        if not made:
            monkeypatch.setattr(world, "commit", lambda: None)  # the gateway is busy
            made.append(offered(world, "Бауыржан"))
            monkeypatch.undo()
        return close(*said)

    monkeypatch.setattr(conversation, "close", meanwhile)
    with pytest.raises(FAILURES) as lost:
        world.exchange.once(Batch(inbound=[reply]), is_again=False)
    assert is_race(lost.value)
    assert world.look(first).state == "awaiting"
    world.commit(Batch(inbound=[reply]))
    assert world.look(first).state == "accepted"
    assert world.look(made[0]).state == "sent"


def test_a_phone_is_asked_one_thing_and_what_has_waited_longest_first(rt: Runtime) -> None:
    first, second, third, last = (uuid4() for _ in range(4))
    busy, free = b"b" * 16, b"f" * 16
    with rt.unit() as unit:
        conversation.wait(unit.tx, "proactive", "offer", "ask", [(first, busy)])  # left undone
        newer = [(second, busy), (third, free), (last, free)]
        opened = conversation.ask(unit.tx, "proactive", "offer", "ask", newer)
        assert {q.case_id: q.phone_index for q in opened} == {third: free, first: busy}
        found = conversation.open_questions(unit.tx, [busy, free])
    assert {p: (q.case_id, q.is_last) for p, q in found.items()} == {
        busy: (first, False), free: (third, False),
    }  # fmt: skip
    with rt.unit() as unit:
        [next_one] = conversation.close(unit.tx, [(first, busy)])
        [only] = conversation.close(unit.tx, [(third, free)])
        assert (next_one.case_id, only.case_id) == (second, last)
