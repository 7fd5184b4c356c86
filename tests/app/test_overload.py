"""People go before bulk, wherever the two wait for the same thing; and what is too much is left
with whoever can keep it."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from app import gateway
from app.clock import ManualClock
from app.exchange import Batch, Committed
from app.gateway.inbox import GATHER_S, WORTH, Inbox, replies_first
from app.ledger import outbox
from app.ledger.engine import sql
from app.ledger.ids import new_id
from app.ledger.outbox import Priority
from app.proactive.actions import sweeping
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import (
    Acknowledgement,
    Heard,
    Inbound,
    Receipt,
    ReceiptState,
    SubmitOutcome,
    SubmitResult,
)
from tests.app.town import town
from tests.app.world import UCS2, World
from tests.conftest import NOON

PHONES = [f"+77011250{n:03}" for n in range(12)]
ACKNOWLEDGEMENT = Acknowledgement("kcell-1", 1, 1, 5)


def reply(number: int) -> Heard:
    phone = f"+770112500{number:02}"
    return Inbound(
        "kcell-1", "kcell", phone, "1414", "1", b"\x001", UCS2, NOON, ACKNOWLEDGEMENT
    )  # fmt: skip


def receipt(number: int) -> Heard:
    phone = f"+770112500{number:02}"
    return Receipt(
        "kcell-1", "kcell", phone, (f"{number}",), ReceiptState.DELIVRD, "000", None, NOON,
        ACKNOWLEDGEMENT,
    )  # fmt: skip


def response(number: int, outcome: SubmitOutcome = SubmitOutcome.ACCEPTED) -> SubmitResult:
    phone = f"+770112500{number:02}"
    return SubmitResult("kcell-1", "kcell", f"{number}", 1, 1, 0, f"{number}", outcome, NOON, phone)


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 20))
def test_what_people_wrote_is_committed_before_receipts_and_nothing_is_lost_or_turned_round(
    kinds: list[bool], most: int
) -> None:
    inbox = [(reply if is_reply else receipt)(n) for n, is_reply in enumerate(kinds)]
    taken, left = replies_first(inbox, most)
    assert len(taken) == min(most, len(inbox))
    for kind in (Inbound, Receipt):
        every = [item for item in inbox if isinstance(item, kind)]
        assert [item for item in (*taken, *left) if isinstance(item, kind)] == every
    waits = any(isinstance(item, Inbound) for item in left)
    assert not waits or all(isinstance(item, Inbound) for item in taken)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=40), st.integers(1, 30))
def test_no_reply_overtakes_what_came_of_its_phone_however_full_it_is(
    came: list[tuple[bool, int]], most: int
) -> None:
    taken, left = replies_first([(reply if r else receipt)(phone) for r, phone in came], most)
    writing = {item.sender for item in taken if isinstance(item, Inbound)}
    assert not writing & {item.phone for item in left if isinstance(item, Receipt)}
    assert len(taken) + len(left) == len(came)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=40),
    st.integers(1, 30),
    st.integers(1, 20),
)
def test_receipts_gather_unless_their_phone_writes_and_people_never_wait_for_them(
    came: list[tuple[bool, int]], most: int, full: int
) -> None:
    items = [(reply if is_reply else receipt)(phone) for is_reply, phone in came]
    inbox = Inbox(list(items))
    taken = inbox.take(most, 1.0, lambda _: full)
    replies = [item for item in taken if isinstance(item, Inbound)]
    receipts = [item for item in taken if isinstance(item, Receipt)]
    gathering = [item for item in items[:most] if isinstance(item, Receipt) and item not in taken]
    for phone in PHONES:  # each phone's in their order
        every = [item for item in items if isinstance(item, Receipt) and item.phone == phone]
        after = (*taken, *inbox.items)
        assert [i for i in after if isinstance(i, Receipt) and i.phone == phone] == every
    assert replies == [item for item in items if isinstance(item, Inbound)][:most]
    if len(items) <= most:
        assert not {r.phone for r in gathering} & {r.sender for r in replies}
        assert len(gathering) < min(WORTH, full)
        assert (inbox.ripe_at is None) == (not inbox.items)
    assert not inbox.has_more or len(items) > most
    if not inbox.has_more:  # then what is left gathers
        assert (inbox.ripe_at is None) == (not inbox.items)
        assert not any(isinstance(item, Inbound) for item in inbox.items)
    assert receipts or replies or gathering or not items


def test_what_gathers_goes_with_the_next_commit_once_it_is_ripe() -> None:
    inbox = Inbox([receipt(1)])
    assert inbox.take(10, 1.0, lambda _: 9) == []
    assert inbox.ripe_at == 1.0 + GATHER_S
    inbox.add(receipt(2))
    assert inbox.take(10, 1.0 + GATHER_S / 2, lambda _: 9) == []
    assert inbox.ripe_at == 1.0 + GATHER_S
    assert inbox.take(10, 1.0 + GATHER_S, lambda _: 9) == [receipt(1), receipt(2)]
    assert not inbox


def test_a_reply_is_judged_with_the_receipt_that_came_before_it() -> None:
    inbox = Inbox([receipt(1), receipt(2), reply(1)])
    assert inbox.take(10, 1.0, lambda _: 9) == [receipt(1), reply(1)]
    assert inbox.items == [receipt(2)]


def test_a_heartbeat_takes_all_that_gathers() -> None:
    inbox = Inbox([receipt(1), reply(2), receipt(3)])
    assert inbox.take(10, 1.0, None) == [receipt(1), reply(2), receipt(3)]


DEEDS = st.sampled_from(["response", "receipt", "reply", "heartbeat"])


@given(st.lists(st.tuples(DEEDS, st.integers(1, 4))))
def test_a_response_waits_for_its_phone_and_no_longer_than_two_heartbeats(
    deeds: list[tuple[str, int]],
) -> None:
    inbox, others = Inbox(), list[Heard]()
    waiting: list[tuple[int, int]] = []  # of each response its phone, and heartbeats since
    for deed, number in [*deeds, ("heartbeat", 0), ("heartbeat", 0)]:
        if deed == "response":
            inbox.keep(response(number))
            waiting.append((number, 0))
        elif deed != "heartbeat":
            others.append((receipt if deed == "receipt" else reply)(number))
            inbox.add(others[-1])
        else:
            inbox.let_go()
            went = inbox.take(100, 1.0, None)
            assert [item for item in went if not isinstance(item, SubmitResult)] == others
            heard = {_of(item) for item in others}
            heard |= {response(n).phone for n, beats in waiting if beats}
            goes = [(n, beats) for n, beats in waiting if response(n).phone in heard]
            assert Counter(map(_of, went)) == Counter(
                [*map(_of, others), *(response(n).phone for n, _ in goes)]
            )
            waiting = [(n, 1) for n, beats in waiting if (n, beats) not in goes]
            others.clear()
    assert not inbox


def _of(item: Heard) -> str:
    assert isinstance(item, Inbound | Receipt | SubmitResult)
    return item.sender if isinstance(item, Inbound) else item.phone


def test_a_response_goes_before_its_time_with_a_receipt_of_its_phone() -> None:
    inbox = Inbox()
    inbox.keep(response(1))
    inbox.keep(response(2))
    assert inbox.take(10, 1.0, lambda _: 1) == []
    inbox.add(receipt(1))
    assert inbox.take(10, 1.0, lambda _: 1) == [response(1), receipt(1)]
    inbox.let_go()
    assert inbox.take(10, 1.0, None) == []
    inbox.let_go()
    assert inbox.take(10, 1.0, None) == [response(2)]


def test_responses_that_are_left_hold_no_mark_of_what_was_heard() -> None:
    inbox = Inbox([response(1), response(2), response(3)])
    assert inbox.take(2, 1.0, None) == [response(1), response(2)]
    assert inbox.items == [response(3)]
    assert inbox.is_heard
    inbox.add(receipt(1))
    assert not inbox.is_heard


def test_more_responses_than_a_commit_takes_do_not_stop_the_mark(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "BATCH", 5)
    marked = "SELECT heard_through FROM binds WHERE heard_through > :at"

    async def play() -> None:
        async with town(rt) as place:

            async def busy() -> None:
                for n in count():
                    at = place.rt.clock()
                    left = SubmitResult(
                        "sim-1", "sim", str(new_id(at)), 1, 1, 0, f"r{n}", SubmitOutcome.ACCEPTED,
                        at, f"+7701{n:07}",
                    )  # fmt: skip
                    place.gateway._heard(left)
                    await asyncio.sleep(0.002)

            sending = asyncio.create_task(busy())
            begun = place.rt.clock()
            for seconds in (1.0, 1.5):
                at = begun + timedelta(seconds=seconds)
                await place.until(lambda at=at: bool(place.rows(marked, at=at)), "a mark")  # type: ignore[misc]
            sending.cancel()

    asyncio.run(play())


def test_a_response_whose_receipt_overtook_it_does_not_wait(rt: Runtime) -> None:
    async def play() -> None:
        async with town(rt) as place:
            one, early = place.make(), receipt(1)
            one.trail.start()
            one._accept([early], Committed([], [], {}, [None]))
            assert not one._may_wait(response(1))
            assert one._may_wait(response(2))
            one._accept([receipt(2)], Committed([], [], {}, [uuid4()]))
            assert one._may_wait(response(2))
            one.inbox.let_go()
            assert one._may_wait(response(1))
            one.trail.close()

    asyncio.run(play())


@pytest.mark.parametrize("outcome", SubmitOutcome)
def test_only_what_a_network_took_in_time_waits_for_a_receipt(outcome: SubmitOutcome) -> None:
    assert Inbox().may_keep(response(1, outcome)) == (outcome is SubmitOutcome.ACCEPTED)
    assert not Inbox().may_keep(structs.replace(response(1, outcome), is_late=True))


def test_answers_are_claimed_before_what_the_law_orders_and_both_before_older_offers(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    name = world.network.name
    for priority in (Priority.BULK, Priority.BULK, Priority.LEGAL, Priority.REPLY):
        to = (rt.vault.index("phone", world.phone), world.phone)
        with rt.unit() as unit:
            unit.outbox.add(unit.now, "k", to, "t", network=name, priority=priority)
        clock.advance(timedelta(seconds=1))
    claimed = [world.exchange.commit(Batch(room={name: 1})).to_submit[0].priority for _ in range(4)]
    assert claimed == [Priority.REPLY, Priority.LEGAL, Priority.BULK, Priority.BULK]


def test_a_reply_is_answered_while_thousands_are_due_and_not_swept_yet(
    rt: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    silent = [World(rt, clock) for _ in range(5)]
    for number, world in enumerate(silent):
        world.register(f"{number}", "kk")
        world.offer("birth-benefit", f"{number}")
        world.receipt(ReceiptState.DELIVRD)
    clock.advance(timedelta(hours=1))
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    world.receipt(ReceiptState.DELIVRD)
    clock.advance(timedelta(hours=23, seconds=1))
    for one in silent:
        one.beat()
    assert sweeping.sweep(world.rt) == 2
    world.say("иә")
    assert world.look(made.id).state == "accepted"
    assert world.mts[-1].message.kind == "offer.accepted"


def test_what_is_more_than_can_be_committed_stays_with_the_network_until_it_can(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = "SELECT coalesce(sum((counters->>'refused_mo_count')::int), 0) AS n FROM binds"

    async def play() -> None:
        async with town(rt) as place:
            await place.offer(PHONES)
            await place.until(lambda: place.all_are("awaiting"), "every question is received")
            monkeypatch.setattr("app.gateway.FULL", 4)
            for phone in PHONES:
                place.simulator.send(phone, "иә")
            await place.until(lambda: place.all_are("accepted"), "every yes")
            await place.until(lambda: place.rows(refused)[0].n, "it is counted")
            await asyncio.to_thread(place.assert_nothing_lost_or_doubled)

    asyncio.run(play())


def test_a_claim_takes_so_many_offers_and_answers_before_them(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    to, name = (rt.vault.index("phone", world.phone), world.phone), world.network.name
    offers, answers = [Priority.BULK] * 4, [Priority.REPLY, Priority.LEGAL]
    with rt.unit() as unit:
        for priority in (*offers, *answers):
            unit.outbox.add(unit.now, "k", to, "t", network=name, priority=priority)

    def claim(limit: int, bulk: int) -> list[Priority]:
        with rt.unit() as unit:
            gateway = world.exchange.gateway
            asked = outbox.claim(unit.tx, gateway, unit.now, network=name, limit=limit, bulk=bulk)
        return [message.priority for message in outbox.claimed(rt.vault, asked)]

    assert claim(4, 1) == [*answers, Priority.BULK]
    assert claim(4, 0) == []
    assert claim(2, 9) == offers[:2]
    assert claim(9, 9) == offers[:1]


def test_no_plan_claims_more_than_there_is_room_for(rt: Runtime, clock: ManualClock) -> None:
    world = World(rt, clock)
    to, name = (rt.vault.index("phone", world.phone), world.phone), world.network.name

    def add(messages: int) -> None:
        with rt.unit() as unit:
            for _ in range(messages):
                unit.outbox.add(unit.now, "k", to, "t", network=name)

    add(1)
    with rt.ledger.alone() as tx:
        tx.execute(sql("VACUUM ANALYZE outbox"))  # from now on it is thought to have one row
    add(8)
    with rt.unit() as unit:
        claimed = outbox.claim(
            unit.tx, world.exchange.gateway, unit.now, network=name, limit=2, bulk=2
        )
    assert len(claimed.rows().all()) == 2
