"""Two transactions that meet hold rows in one order, so that neither ends the other: a deadlock
would keep a lane from acknowledging anything for a second."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from app.clock import ManualClock
from app.conversation import records as conversation
from app.conversation import rooms
from app.exchange import Batch, Exchange, Routes, Trailed, claims, elsewhere, inheritance
from app.exchange import receipts as exchange_receipts
from app.gateway import Gateway
from app.ledger import ids, segments
from app.ledger.engine import sql
from app.ledger.outbox import Message
from app.proactive.actions import offering, opening, providing, sweeping
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import ReceiptState, SubmitOutcome, SubmitResult
from tests.app.interleaving import at_once
from tests.app.wallet.purse import MEALS, Purse
from tests.app.world import PROVIDER, World


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    world = World(rt, clock)
    world.register("Айгүл", "ru")
    return world


def offered(world: World, name: str = "Айгүл") -> Offer:
    made = world.offer("birth-benefit", name)
    assert isinstance(made, Offer)
    return made


def test_a_claim_of_what_was_taken_in_part_and_a_receipt_of_that_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two lanes of one gateway."""
    world.network.answers = None
    offered(world)
    one, two = world.network.release()
    again = replace(two, outcome=SubmitOutcome.RETRY_NOW, smsc_id="", status=0x58)
    world.exchange.commit(Batch(results=[one, again]))
    world.clock.advance(timedelta(seconds=5))
    [receipt, *_] = world.receipts_of(world.mts[-1], ReceiptState.DELIVRD, segments=(1,))
    at_once(
        world, monkeypatch,
        lambda: world.exchange.commit(Batch(room={world.network.name: 10})),
        lambda: world.exchange.commit(Batch(receipts=[receipt])),
        (claims, "rechecked"),
    )  # fmt: skip


def test_a_message_that_is_sent_again_after_patience_and_its_receipts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two gateways: one inherits what stayed unknown, the other hears its receipts."""
    world.network.answers = None
    offered(world)
    held = world.network.release()
    world.exchange.commit(Batch(results=held))
    with world.rt.ledger.begin() as tx:
        tx.execute(sql("UPDATE outbox SET state = 'unknown', closed_at = now() - interval '9y'"))
    receipts = world.receipts_of(world.mts[-1], ReceiptState.DELIVRD)
    other = Exchange(world.rt, uuid4(), [world.network.name])
    world.clock.advance(timedelta(minutes=2))
    at_once(
        world, monkeypatch,
        lambda: other.inherit([], timedelta(seconds=30)),
        lambda: world.exchange.commit(Batch(receipts=receipts)),
        (inheritance, "note_all"),
    )  # fmt: skip


def asked_before_an_older_one(world: World) -> Offer:
    """The first of two offers of one call to one phone; the one that waits has the smaller id."""
    world.register("Бауыржан", "ru")
    drafts = [
        offering.Draft("birth-benefit", world.people[n], uuid4().hex, {"kin": world.people[n]})
        for n in ("Айгүл", "Бауыржан")
    ]
    falling = count(1 << 70, -1)
    with ids.repeatable(lambda _: next(falling)), world.rt.unit() as unit:
        first, second = offering.make(world.rt, unit, PROVIDER, drafts)
    assert isinstance(first, Offer) and isinstance(second, Offer) and second.id < first.id
    world.commit()
    world.receipt(ReceiptState.DELIVRD)
    assert world.look(first.id).state == "awaiting" and world.look(second.id).state == "made"
    return first


def test_whoever_writes_while_their_offer_is_taken_back_and_another_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = asked_before_an_older_one(world)

    def withdraw() -> None:
        with world.rt.unit() as unit:
            providing.withdraw(world.rt, unit, PROVIDER, first.id, "қате")

    reply = world.came(world.mo("1"))
    at_once(
        world, monkeypatch, withdraw,
        lambda: world.exchange.commit(Batch(inbound=[reply])),
        (conversation, "close"),
    )  # fmt: skip


def test_whoever_answers_by_sms_and_in_the_app_while_an_offer_waits_behind_a_consent(
    rt: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    purse = Purse(rt, clock)
    purse.register("Аида", "kk")
    notice = purse.told(MEALS, "Аида", asks=True)
    for of in (-2, -1):
        purse.receipt(ReceiptState.DELIVRD, of=of)
    consent = purse.asking(notice.id)
    purse.tap("Аида", consent.id, "yes")
    waiting = purse.offer("birth-benefit", "Аида")
    assert isinstance(waiting, Offer) and purse.look(waiting.id).state == "made"
    reply = purse.came(purse.mo("сәлем"))
    commit = purse.exchange.commit
    monkeypatch.setattr(purse, "commit", lambda: None)
    at_once(
        purse, monkeypatch,
        lambda: purse.tap("Аида", consent.id, "no"),
        lambda: commit(Batch(inbound=[reply])),
        (conversation, "close"),
    )  # fmt: skip


def test_a_sweep_and_a_batch_of_a_receipt_and_a_reply(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt is of nothing that matters to the offer: of the words that put it again."""
    low, high = world, World(world.rt, world.clock)
    high.register("Сара", "ru")
    one = offered(low)
    low.receipt(ReceiptState.DELIVRD)
    world.clock.advance(timedelta(seconds=1))
    two = offered(high, "Сара")
    high.receipt(ReceiptState.DELIVRD)
    assert one.id < two.id
    high.say("что?")
    receipts = high.receipts_of(high.mts[-1], ReceiptState.DELIVRD)
    world.clock.advance(timedelta(hours=25))
    late = low.came(low.mo("?"))

    def expire() -> None:
        with world.rt.unit() as unit:
            sweeping.expire(world.rt, unit, [one.id, two.id])

    at_once(
        world, monkeypatch,
        lambda: world.exchange.commit(Batch(receipts=receipts, inbound=[late])),
        expire, (elsewhere, "learn_from_replies"),
    )  # fmt: skip


def test_a_receipt_that_matters_to_no_offer_waits_for_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A register withdraws thousands of consents in one transaction, a sweep ends 200 offers: the
    receipt of a help text to one of those phones must not stop the whole lane meanwhile."""
    one = offered(world)
    world.receipt(ReceiptState.DELIVRD)
    world.say("что?")
    receipts = world.receipts_of(world.mts[-1], ReceiptState.DELIVRD)
    with ThreadPoolExecutor(1) as lane, world.rt.ledger.begin() as tx:
        tx.execute(sql(f"SELECT FROM offers WHERE id = '{one.id}' FOR UPDATE"))
        lane.submit(world.exchange.commit, Batch(receipts=receipts)).result(20)


def test_late_results_and_receipts_of_one_segment_on_two_gateways(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.network.answers = None
    offered(world)
    held = world.network.release()
    unknown = [replace(r, outcome=SubmitOutcome.UNKNOWN, smsc_id="") for r in held]
    world.exchange.commit(Batch(results=unknown))
    receipts = [
        replace(r, user_message_reference=held[n].user_message_reference)
        for n, r in enumerate(world.receipts_of(world.mts[-1], ReceiptState.DELIVRD))
    ]
    late = [replace(r, is_late=True) for r in held]
    other = Exchange(world.rt, uuid4(), [world.network.name])
    at_once(
        world, monkeypatch,
        lambda: world.exchange.commit(Batch(results=late)),
        lambda: other.commit(Batch(receipts=receipts)),
        (segments, "answered_late"), is_after=True,
    )  # fmt: skip


@pytest.mark.provokes("found 1 rows as they were loaded, expected 0")
def test_three_races_of_three_phones_do_not_break_a_batch_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each phone loses at most once, yet the batch has three tries for all its phones."""
    phones = [World(world.rt, world.clock) for _ in range(3)]
    replies = []
    for n, one in enumerate(phones):
        one.register(f"A{n}", "ru")
        one.register(f"B{n}", "ru")
        offered(one, f"A{n}")
        one.receipt(ReceiptState.DELIVRD)
        replies.append(one.came(one.mo("1")))
    close, left = conversation.close, list(range(3))

    def meanwhile(*said: Any) -> Any:
        if left:
            n, mine = left[0], phones[left.pop(0)]
            draft = offering.Draft(
                "birth-benefit", mine.people[f"B{n}"], uuid4().hex, {"kin": mine.people[f"B{n}"]}
            )
            with world.rt.unit() as unit:
                offering.make(world.rt, unit, PROVIDER, [draft])
        return close(*said)

    monkeypatch.setattr(conversation, "close", meanwhile)
    gateway: Any = SimpleNamespace(exchange=phones[0].exchange)
    Gateway._try(gateway, Batch(inbound=replies))


def test_a_turn_of_questions_and_a_batch_of_two_phones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The waiting one of a free phone is opened while that phone writes; another phone, which has
    the same of the 1024 locks, answers in the same batch."""
    index = world.rt.vault.index
    [mine] = world.rows("SELECT hashtext(:h) & 1023 AS k", h=index("phone", world.phone).hex())
    for number in range(100_000):
        other = f"+7702{number:07}"
        [its] = world.rows("SELECT hashtext(:h) & 1023 AS k", h=index("phone", other).hex())
        if its.k == mine.k:
            break
    answering = offered(world)
    world.receipt(ReceiptState.DELIVRD)
    world.register("Сара", "ru", phone=other)
    with monkeypatch.context() as patch:
        patch.setattr(opening, "TURN", 0)
        patch.setattr(opening, "_in_turns", lambda *_: None)  # killed before its turns
        left = offered(world, "Сара")
    world.clock.advance(timedelta(minutes=5))
    hello, yes = (world.came(m) for m in (world.mo("сәлем", sender=other), world.mo("1")))

    def take_up() -> None:
        with world.rt.unit() as unit:
            assert opening.take_up(world.rt, unit, 200) == 1

    at_once(
        world, monkeypatch, take_up,
        lambda: world.exchange.commit(Batch(inbound=[hello, yes])),
        (rooms, "ask"),
    )  # fmt: skip
    assert world.look(left.id).state == "made" and world.look(answering.id).state == "accepted"


def test_who_writes_by_another_network_and_a_claim_with_receipts_of_that_one(
    rt: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both note by which network a phone is reached, and hold the offer of another phone."""
    moved, asked = World(rt, clock), World(rt, clock)
    moved.register("Айгүл", "ru", network="register")
    moved.say("сәлем")
    receipts = moved.receipts_of(moved.mts[-1], ReceiptState.DELIVRD)
    with rt.ledger.begin() as tx:
        tx.execute(sql("UPDATE subscribers SET network = NULL"))
        tx.execute(sql("UPDATE outbox SET network = 'register'"))
    asked.register("Сара", "ru")
    with monkeypatch.context() as patch:
        patch.setattr(asked, "commit", lambda: None)
        offered(asked, "Сара")
    writing = [asked.came(asked.mo("қалай?")), moved.came(moved.mo("сәлем тағы"))]
    other = Exchange(rt, uuid4(), [asked.network.name])
    at_once(
        moved, monkeypatch,
        lambda: other.commit(Batch(room={asked.network.name: 10}, receipts=receipts)),
        lambda: moved.exchange.commit(Batch(inbound=writing)),
        (claims, "rechecked"),
    )  # fmt: skip


def test_an_heir_that_takes_what_was_acknowledged_and_a_lane_that_hears_it_again(
    world: World, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heir gives a question back whose offer is answered, and stores a receipt that comes
    again, for the acknowledgement was lost with the link."""
    other = World(world.rt, clock)
    other.exchange = world.exchange
    other.exchange.routes = Routes()  # receipts come by all
    other.commit(Batch(inbound=[other.came(other.mo("сәлем"))]))
    told = other.mts[-1]
    receipts = other.receipts_of(told, ReceiptState.DELIVRD)
    left = [
        Trailed(
            SubmitResult(
                r.cid, r.network, str(told.message.id), n, len(told.ids), 0, r.message_ids[0],
                SubmitOutcome.ACCEPTED, clock(), "",
            ),
            replace(r, phone="", acknowledgement=None),
        )
        for n, r in enumerate(receipts, 1)
    ]  # fmt: skip
    world.network.answers = None
    offered(world)
    heir, lane = (Exchange(world.rt, uuid4(), [world.network.name]) for _ in range(2))
    gone, said = world.exchange.gateway, world.came(world.mo("иә"))
    at_once(
        world, monkeypatch,
        lambda: heir.inherit([gone], timedelta(seconds=30), {gone: left}),
        lambda: lane.commit(Batch(receipts=receipts, inbound=[said])),
        (exchange_receipts, "record"),
    )  # fmt: skip
    assert world.rows("SELECT count(*) AS n FROM outbox WHERE state = 'delivered'")[0].n == 1


def test_a_claim_of_a_question_that_leaves_again_and_its_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two lanes of one gateway: nobody knows whether the question left, so it is due again."""
    world.network.answers = None
    offer = offered(world)
    unknown = [
        replace(r, outcome=SubmitOutcome.UNKNOWN, smsc_id="") for r in world.network.release()
    ]
    world.exchange.commit(Batch(results=unknown))
    world.clock.advance(timedelta(minutes=2))
    assert world.exchange.inherit([], timedelta(seconds=30)) == 1
    said = world.came(world.mo("иә"))
    left: list[Message] = []
    at_once(
        world, monkeypatch,
        lambda: left.extend(world.exchange.commit(Batch(room={world.network.name: 9})).to_submit),
        lambda: world.exchange.commit(Batch(inbound=[said])),
        (claims, "rechecked"),
    )  # fmt: skip
    assert world.look(offer.id).state == "accepted"
    assert "offer.ask" not in {message.kind for message in left}
