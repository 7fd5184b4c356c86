"""Ported numbers: the next network is tried, the one that answered is remembered; and the counters
by which handsets and receipts know a message."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from app.clock import ManualClock
from app.exchange import Batch
from app.ledger.chain import Entry
from app.ledger.outbox import Priority
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import QueryResult, Receipt, ReceiptState, SubmitOutcome
from tests.app.world import Network, World

LONG = "Қысқа хабарлама емес: " + "сөз " * 30


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    return world


def offered(world: World, service: str = "birth-benefit") -> UUID:
    made = world.offer(service, "Айгүл")
    assert isinstance(made, Offer)
    return made.id


def refusals(world: World, offer: UUID) -> list[str]:
    return [facts(e)["network"] for e in world.journal(offer) if e.kind == "network-refused"]


def facts(entry: Entry) -> Any:
    return msgspec.json.decode(entry.body)["facts"]


def kinds(world: World, offer: UUID) -> list[str]:
    return [e.kind for e in world.journal(offer)]


def delivered_by(network: Network, world: World, mt: int = -1) -> None:
    """The receipts of a message, from that network."""
    receipts = world.receipts_of(world.mts[mt], ReceiptState.DELIVRD)
    own = [replace(r, network=network.name, cid=network.cid) for r in receipts]
    world.commit(Batch(receipts=own))


def test_a_number_one_network_does_not_know_is_tried_on_the_next(world: World) -> None:
    other = world.open_network()
    world.network.answers = SubmitOutcome.UNKNOWN_SUBSCRIBER
    offer = offered(world)
    assert refusals(world, offer) == [world.network.name]
    assert kinds(world, offer)[-3:] == ["network-refused", "returned", "submitted"]
    delivered_by(other, world)
    assert world.look(offer).state == "awaiting"
    assert world.look(offer).network == other.name


def test_only_when_every_network_refused_the_offer_is_undelivered(world: World) -> None:
    others = [world.open_network(), world.open_network()]
    networks = [world.network, *others]
    for network in networks:
        network.answers = SubmitOutcome.UNKNOWN_SUBSCRIBER
    offer = offered(world)
    assert world.look(offer).state == "undelivered"
    assert refusals(world, offer) == [n.name for n in networks]
    assert [len(n.submitted) for n in networks] == [1, 1, 1]


def test_a_receipt_that_says_unknown_subscriber_has_the_next_network_tried(world: World) -> None:
    other = world.open_network()
    offer = offered(world)
    failed = world.receipts_of(world.mts[0], ReceiptState.UNDELIV)
    world.commit(Batch(receipts=[replace(r, error="001") for r in failed]))
    assert refusals(world, offer) == [world.network.name]
    assert world.look(offer).state == "sent"
    delivered_by(other, world)
    assert world.look(offer).state == "awaiting"


@pytest.mark.parametrize("error", ["000", "", "005", "011", "27", "1010"])
def test_any_other_error_of_a_receipt_is_final(world: World, error: str) -> None:
    world.open_network()
    offer = offered(world)
    failed = world.receipts_of(world.mts[0], ReceiptState.UNDELIV)
    world.commit(Batch(receipts=[replace(r, error=error) for r in failed]))
    assert world.look(offer).state == "undelivered"


def test_the_network_that_answered_is_used_first_the_next_time(world: World) -> None:
    other = world.open_network()
    world.network.answers = SubmitOutcome.UNKNOWN_SUBSCRIBER
    offer = offered(world)
    delivered_by(other, world)
    sent = len(world.network.submitted)
    world.say("иә", network=other.name, cid=other.cid)
    assert world.look(offer).state == "accepted"
    offered(world, "childcare-benefit")
    assert len(world.network.submitted) == sent  # neither the confirmation nor the next offer


def test_the_network_a_phone_writes_by_is_its_own(world: World) -> None:
    other = world.open_network()
    world.say("сәлем", network=other.name, cid=other.cid)
    before = len(other.submitted)
    offered(world)
    assert len(other.submitted) == before + 1
    assert world.network.submitted == []


def test_what_the_register_knows_already_is_not_stored_again(world: World) -> None:
    offer = offered(world)
    world.receipt(ReceiptState.DELIVRD)
    world.say("иә")
    query = "SELECT network FROM subscribers"
    assert {r.network for r in world.rows(query)} == {None}
    assert world.look(offer).state == "accepted"


def test_references_count_the_long_messages_of_each_recipient(
    rt: Runtime, clock: ManualClock
) -> None:
    phones = [World(rt, clock) for _ in range(2)]
    with rt.unit() as unit:
        for n in range(6):
            world = phones[n % 2]
            to = (rt.vault.index("phone", world.phone), world.phone)
            unit.outbox.add(clock(), "t", to, LONG if n < 4 else "қысқа", priority=Priority.LEGAL)
    with rt.unit() as unit:
        to = (rt.vault.index("phone", phones[0].phone), phones[0].phone)
        unit.outbox.add(clock(), "t", to, LONG, priority=Priority.LEGAL)
    rows = phones[0].rows("SELECT phone_index, reference, umr FROM outbox ORDER BY seq")
    by_phone = {
        world.phone: [
            (r.reference, r.umr)
            for r in rows
            if bytes(r.phone_index) == rt.vault.index("phone", world.phone)
        ]
        for world in phones
    }
    assert by_phone[phones[0].phone] == [(1, 0), (2, 3), (None, 6), (3, 7)]
    assert by_phone[phones[1].phone] == [(1, 0), (2, 3), (None, 6)]


def test_a_message_sent_again_keeps_its_references(world: World) -> None:
    world.network.answers = SubmitOutcome.RETRY_NOW
    offered(world)
    world.network.answers = SubmitOutcome.ACCEPTED
    world.pass_time(timedelta(seconds=10))
    first, second = world.network.submitted
    assert first.reference is not None
    assert (first.reference, first.umr) == (second.reference, second.umr)


def test_half_a_message_is_sent_again_whole_and_the_journal_says_so(world: World) -> None:
    world.network.answers = None
    offer = offered(world)
    [first, *rest] = world.network.release()
    assert rest
    busy = [replace(r, outcome=SubmitOutcome.RETRY_NOW, smsc_id="", status=0x58) for r in rest]
    world.network.answers = SubmitOutcome.ACCEPTED
    world.exchange.commit(Batch(results=[first, *busy]))
    [half] = [e for e in world.journal(offer) if e.kind == "message-accepted-in-part"]
    assert facts(half)["accepted"] == 1
    assert world.look(offer).state == "made"
    world.pass_time(timedelta(seconds=10))
    world.receipt(ReceiptState.DELIVRD)
    assert world.look(offer).state == "awaiting"


def osmo(world: World, number: int, umr: int | None) -> Receipt:
    """A receipt whose id is the centre's own: nobody has ever told it to us."""
    return Receipt(
        world.network.cid, world.network.name, world.phone, (f"{number:08}", str(number)),
        ReceiptState.DELIVRD, "000", None, world.clock(), world.network.acknowledgement(), umr,
    )  # fmt: skip


def constant(world: World) -> None:
    """All responses so far are given again, with one id for all (OsmoMSC)."""
    found = [replace(r, smsc_id="msg_id_not_implemented") for r in world.network.release()]
    world.network.answers = SubmitOutcome.ACCEPTED
    world.commit(Batch(results=found))


def test_where_ids_mean_nothing_the_reference_tells_the_segment(world: World) -> None:
    world.network.answers = None
    offer = offered(world)
    results = world.network.held[:]
    constant(world)
    for number, result in enumerate(reversed(results), 1):
        assert world.look(offer).state == "sent"
        umr = result.user_message_reference
        world.commit(Batch(receipts=[osmo(world, number, umr)]))
        world.commit(Batch(receipts=[osmo(world, number, umr)]))  # it comes twice
    assert world.look(offer).state == "awaiting"


def test_a_receipt_by_reference_may_overtake_its_response(world: World) -> None:
    world.network.answers = None
    offer = offered(world)
    umrs = [r.user_message_reference for r in world.network.held]
    world.exchange.commit(Batch(receipts=[osmo(world, n, u) for n, u in enumerate(umrs, 1)]))
    assert world.look(offer).state == "sent"
    constant(world)
    assert world.look(offer).state == "awaiting"


def test_an_unknown_id_without_a_reference_of_ours_is_nobodys(world: World) -> None:
    world.network.answers = None
    offer = offered(world)
    constant(world)
    world.commit(Batch(receipts=[osmo(world, 7, None), osmo(world, 8, 200)]))
    assert world.look(offer).state == "sent"
    assert world.exchange.memory.orphans[world.network.cid] == 2


def test_one_id_for_all_segments_still_counts_every_receipt_once(world: World) -> None:
    world.network.answers = None
    offer = offered(world)
    total = len(world.network.held)
    constant(world)
    same = replace(osmo(world, 1, None), message_ids=("msg_id_not_implemented",))
    world.commit(Batch(receipts=[same] * (total - 1)))
    assert world.look(offer).state == "sent"
    world.commit(Batch(receipts=[same]))
    assert world.look(offer).state == "awaiting"


def test_two_readings_of_an_id_that_name_two_messages_are_no_guess(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    world.network.answers = None
    offer = offered(world)
    held = world.network.release()
    world.exchange.commit(Batch(results=[replace(r, smsc_id=f"{10 + r.segment}") for r in held]))
    to = (rt.vault.index("phone", world.phone), world.phone)
    with rt.unit() as unit:  # another message to the phone whose id is the other reading
        other = unit.outbox.add(clock(), "t", to, "қысқа", network=world.network.name)
    world.exchange.commit(Batch(room={world.network.name: 10}))
    short = replace(held[0], message_id=str(other.id), smsc_id="17", total=1)
    world.exchange.commit(Batch(results=[replace(short, user_message_reference=None)]))
    receipt = replace(osmo(world, 1, None), message_ids=("11", "17"))  # 11 is 17 in hexadecimal
    world.exchange.commit(Batch(receipts=[receipt]))
    assert world.exchange.memory.ambiguous[world.network.cid] == 1
    assert world.exchange.memory.orphans[world.network.cid] == 0
    assert world.look(offer).state == "sent"


def test_a_reused_id_does_not_match_a_message_of_last_week(world: World) -> None:
    offer = offered(world)
    world.clock.advance(timedelta(days=4))
    world.receipt(ReceiptState.DELIVRD)
    assert world.look(offer).state == "sent"
    world.exchange.tidy()
    assert world.look(offer).state == "sent"


def test_a_silent_message_is_asked_after_and_the_answer_is_a_receipt(world: World) -> None:
    offer = offered(world)
    cids = [world.network.cid]
    assert world.exchange.ask_after(cids) == []
    world.clock.advance(timedelta(minutes=6))
    asked = world.exchange.ask_after(cids)
    assert [q.smsc_id for q in asked] == list(world.mts[0].ids)
    assert world.exchange.ask_after(cids) == []
    answers = [
        QueryResult(
            q.cid, world.network.name, q.smsc_id, q.token, ReceiptState.DELIVRD, "", None,
            world.clock(), 0,
        )
        for q in asked
    ]  # fmt: skip
    nothing = [replace(a, state=None, status=None) for a in answers]
    world.commit(Batch(queried=nothing))
    assert world.look(offer).state == "sent"
    world.commit(Batch(queried=answers))
    assert world.look(offer).state == "awaiting"
    assert world.look(offer).received_at == world.clock()


def test_nobody_is_asked_for_ever(world: World) -> None:
    offered(world)
    asked = 0
    for _ in range(200):
        world.clock.advance(timedelta(minutes=20))
        asked += len(world.exchange.ask_after([world.network.cid]))
    assert asked == 8 * len(world.mts[0].ids)


def test_what_a_network_never_answers_is_given_up_after_three_times(world: World) -> None:
    world.network.answers = SubmitOutcome.UNKNOWN
    offer = offered(world)
    for _ in range(4):
        world.pass_time(timedelta(seconds=31))
    assert len(world.network.submitted) == 3
    assert world.look(offer).state == "undelivered"
    assert kinds(world, offer).count("message-sent-again") == 2


def test_being_busy_is_no_doubt(world: World) -> None:
    world.network.answers = SubmitOutcome.RETRY_NOW
    offer = offered(world)
    for _ in range(4):
        world.pass_time(timedelta(seconds=10))
    world.network.answers = SubmitOutcome.UNKNOWN
    world.pass_time(timedelta(seconds=10))
    world.network.answers = SubmitOutcome.ACCEPTED
    world.pass_time(timedelta(seconds=31))
    world.receipt(ReceiptState.DELIVRD)
    assert world.look(offer).state == "awaiting"
