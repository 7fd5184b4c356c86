"""What is asked for in one trip is judged as if one thing had come after the other."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.clock import ManualClock
from app.exchange import Batch, claims
from app.ledger import outages
from app.ledger.outages import EVERY_NETWORK
from app.ledger.outbox import Message
from app.ledger.statements import Tx
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import Receipt, ReceiptState, SubmitOutcome
from tests.app.world import World


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    """One whose network's responses are held back."""
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    world.network.answers = None
    return world


def offered(world: World) -> UUID:
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    return made.id


def receipt(world: World, smsc_id: str) -> Receipt:
    acknowledgement = world.network.acknowledgement()
    return Receipt(
        world.network.cid, world.network.name, world.phone, (smsc_id,), ReceiptState.DELIVRD,
        "000", None, world.clock(), acknowledgement,
    )  # fmt: skip


def trips(world: World, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often the ledger was waited for, the commit included."""
    made, wait = 0, Tx.wait

    def counted(tx: Tx) -> None:
        nonlocal made
        made += bool(tx._said)
        wait(tx)

    monkeypatch.setattr(Tx, "wait", counted)
    world.exchange.commit(batch)
    monkeypatch.undo()
    return made


def test_an_answer_takes_two_trips(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.network.answers = SubmitOutcome.ACCEPTED
    offer = offered(world)
    world.receipt(ReceiptState.DELIVRD)
    assert trips(world, Batch(inbound=[world.came(world.mo("1"))]), monkeypatch) == 2
    assert world.look(offer).state == "accepted"


def test_a_question_and_its_receipts_take_one_trip(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = offered(world)
    held = world.network.release()
    batch = Batch(results=held, receipts=[receipt(world, r.smsc_id) for r in held])
    assert trips(world, batch, monkeypatch) == 1
    assert world.look(offer).state == "awaiting"


def test_a_phone_that_answers_twice_in_one_batch_is_answered_by_what_the_first_did(
    world: World,
) -> None:
    world.network.answers = SubmitOutcome.ACCEPTED
    offer = offered(world)
    receipts = world.receipts_of(world.mts[-1], ReceiptState.DELIVRD)
    said = [world.came(world.mo(words)) for words in ("2", "1")]
    world.commit(Batch(receipts=receipts, inbound=said))
    assert world.look(offer).state == "declined"
    assert world.outbox(offer)[-2:] == ["offer.declined", "offer.already"]


def test_receipts_with_one_id_for_all_reach_every_segment_though_one_overtook_the_response(
    world: World,
) -> None:
    offer = offered(world)
    held = [
        replace(r, smsc_id="ffffffff", user_message_reference=None) for r in world.network.release()
    ]
    first, *others = (receipt(world, "ffffffff") for _ in held)
    assert others
    world.commit(Batch(receipts=[first]))
    world.commit(Batch(results=held, receipts=others))
    assert world.look(offer).state == "awaiting"


def test_a_late_answer_and_its_receipts_may_come_in_one_batch(world: World) -> None:
    offer = offered(world)
    held = world.network.release()
    unknown = [replace(r, outcome=SubmitOutcome.UNKNOWN, smsc_id="") for r in held]
    world.commit(Batch(results=unknown))
    late = [replace(r, is_late=True) for r in held]
    world.commit(Batch(results=late, receipts=[receipt(world, r.smsc_id) for r in held]))
    assert world.look(offer).state == "awaiting"


def test_an_id_may_hold_the_end_of_a_line(world: World) -> None:
    offer = offered(world)
    held = [replace(r, smsc_id=f"a{r.segment}\nb") for r in world.network.release()]
    world.commit(Batch(results=held))
    world.commit(Batch(receipts=[receipt(world, r.smsc_id) for r in held]))
    assert world.look(offer).state == "awaiting"


@pytest.mark.parametrize("is_seen_by_the_other_lane", [False, True])
def test_no_offer_leaves_by_what_was_known_before_an_outage_was_announced(
    world: World, monkeypatch: pytest.MonkeyPatch, is_seen_by_the_other_lane: bool
) -> None:
    world.commit()
    monkeypatch.setattr(world, "commit", lambda: None)  # the offer waits
    offered(world)
    now, claim = world.clock(), claims.claim
    with world.rt.ledger.begin() as tx:
        outages.add(tx, EVERY_NETWORK, now, now + timedelta(hours=3), "works", now)

    def meanwhile(*said: object, **how: object) -> tuple[list[Message], bool]:
        claimed = claim(*said, **how)  # type: ignore[arg-type]
        if is_seen_by_the_other_lane:
            world.exchange.commit(Batch(mark=now))
        return claimed

    monkeypatch.setattr(claims, "claim", meanwhile)
    done = world.exchange.commit(Batch(room={world.network.name: 100}))
    assert not done.to_submit
