"""A response that comes after we gave it up still says that the network took the message."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.clock import ManualClock
from app.exchange import Batch
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import ReceiptState, SubmitOutcome, SubmitResult
from tests.app.world import World


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    world = World(rt, clock)
    world.register("Айгүл", "ru")  # two segments
    world.network.answers = None
    return world


def offered(world: World) -> tuple[UUID, list[SubmitResult]]:
    """An offer whose submits nobody answers, and their answers."""
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    held = world.network.release()
    assert len(held) == 2
    world.network.answers = SubmitOutcome.ACCEPTED
    return made.id, held


def unanswered(held: list[SubmitResult]) -> Batch:
    return Batch(results=[replace(r, outcome=SubmitOutcome.UNKNOWN, smsc_id="") for r in held])


def late(*held: SubmitResult) -> Batch:
    return Batch(results=[replace(r, is_late=True) for r in held])


def kinds(world: World, offer: UUID) -> list[str]:
    return [e.kind for e in world.journal(offer)]


def test_a_message_that_was_taken_after_all_is_not_sent_again(world: World) -> None:
    offer, held = offered(world)
    world.commit(unanswered(held))
    world.commit(late(*held))
    world.pass_time(timedelta(minutes=2))
    assert len(world.mts) == 1
    assert kinds(world, offer)[-2:] == ["message-unknown", "message-answered-late"]
    world.receipt(ReceiptState.DELIVRD)
    assert world.look(offer).state == "awaiting"


def test_half_an_answer_leaves_the_message_unknown(world: World) -> None:
    offer, held = offered(world)
    world.commit(unanswered(held))
    world.commit(late(held[0]))
    world.pass_time(timedelta(minutes=2))
    assert len(world.mts) == 2
    assert kinds(world, offer)[-2:] == ["message-sent-again", "submitted-again"]


def test_the_receipts_may_have_come_before_the_late_response(world: World) -> None:
    offer, held = offered(world)
    world.commit(unanswered(held))
    receipts = [
        replace(r, user_message_reference=None)
        for r in world.receipts_of(world.mts[0], ReceiptState.DELIVRD)
    ]
    world.commit(Batch(receipts=receipts))
    assert world.look(offer).state == "sent"
    world.commit(late(*held))
    assert world.look(offer).state == "awaiting"
    world.pass_time(timedelta(minutes=2))
    assert len(world.mts) == 1


def test_one_segment_may_be_answered_late_while_another_is_still_awaited(world: World) -> None:
    offer, held = offered(world)
    world.commit(unanswered(held[:1]))
    world.commit(late(held[0]))
    world.commit(Batch(results=held[1:]))
    assert "message-unknown" not in kinds(world, offer)
    world.receipt(ReceiptState.DELIVRD)
    assert world.look(offer).state == "awaiting"


def test_both_answers_may_come_in_one_batch(world: World) -> None:
    offer, held = offered(world)
    world.commit(Batch(results=[*unanswered(held).results, *late(*held).results]))
    world.pass_time(timedelta(minutes=2))
    assert len(world.mts) == 1
    world.receipt(ReceiptState.DELIVRD)
    assert world.look(offer).state == "awaiting"


def test_the_copy_of_which_the_late_answer_speaks_counts_as_well(world: World) -> None:
    offer, held = offered(world)
    world.commit(unanswered(held))
    world.network.answers = None
    world.pass_time(timedelta(seconds=31))
    assert len(world.mts) == 2
    world.commit(late(*held))
    world.receipt(ReceiptState.DELIVRD, of=0)
    assert world.look(offer).state == "awaiting"
    world.answer_late()
    world.receipt(ReceiptState.DELIVRD)
    assert world.look(offer).state == "awaiting"
    assert len(world.mts) == 2
