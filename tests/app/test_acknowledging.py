"""The receipt of an answer holds nobody up: it is acknowledged at once, and stored with others."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from msgspec.structs import replace

from app.clock import ManualClock
from app.exchange import Batch
from app.gateway import trail
from app.gateway.acknowledging import IDS, Acknowledging
from app.gateway.inbox import Inbox
from app.gateway.trail import Trail
from app.proactive.actions import choosing
from app.proactive.records import Offer
from app.rooms import open_rooms
from app.runtime import Runtime
from app.wallet.actions import delivering as notices
from app.wallet.actions import telling
from smpp.messages import (
    Acknowledgement,
    Heard,
    Receipt,
    ReceiptState,
    SubmitOutcome,
    SubmitResult,
    owed,
)
from smpp.receipts import candidates
from tests.app.interleaving import WAITING
from tests.app.town import town
from tests.app.world import World
from tests.conftest import NOON

PHONE = "+77011250001"
KILLED = r"FATAL:  terminating connection due to administrator command( at character \d+)?$"


def response(smsc_id: str, segment: int = 1) -> SubmitResult:
    return SubmitResult(
        "k-1", "kcell", str(uuid4()), segment, 2, 0, smsc_id, SubmitOutcome.ACCEPTED, NOON, PHONE
    )  # fmt: skip


def receipt(smsc_id: str, sequence: int = 1) -> Receipt:
    return Receipt(
        "k-1", "kcell", PHONE, (smsc_id,), ReceiptState.DELIVRD, "000", None, NOON,
        Acknowledgement("k-1", 1, sequence, 5),
    )  # fmt: skip


class Desk:
    """Acknowledging with its inbox and its trail; `awaited` are the ids that something depends
    on."""

    def __init__(self, folder: Path) -> None:
        self.inbox = Inbox()
        self.trail = Trail(folder, uuid4())
        self.trail.start()
        self.awaited: set[str] = set()
        self.answered: list[Acknowledgement] = []
        self.heard: list[Heard] = []
        self.acknowledging = Acknowledging(
            self.inbox,
            self.trail,
            lambda r: r.smsc_id in self.awaited,
            self.answered.extend,
            self.heard.append,
        )

    def takes(self, *receipts: Receipt) -> list[bool]:
        """Which of them are taken, once all that was read is told."""

        async def all_told() -> list[bool]:
            taken = [self.acknowledging.takes(one) for one in receipts]
            assert not self.answered
            await asyncio.sleep(0)
            return taken

        return asyncio.run(all_told())


def test_a_receipt_is_acknowledged_at_once_and_goes_with_its_response(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for one in (response("a"), response("b", 2)):
        desk.inbox.keep(one)
    assert desk.takes(receipt("a", 1), receipt("b", 2)) == [True, True]
    assert [one.sequence for one in desk.answered] == [1, 2]
    assert desk.inbox.take(10, 1.0, lambda _: 1) == []  # it needs no commit of its own
    other = receipt("z")
    desk.inbox.add(other)
    taken = desk.inbox.take(10, 1.0, None)
    assert [r.smsc_id for r in taken if isinstance(r, SubmitResult)] == ["a", "b"]
    received = [r for r in taken if isinstance(r, Receipt) and r is not other]
    assert [r.message_ids for r in received] == [("a",), ("b",)]
    assert [r.about for r in received] == [
        r.message_id for r in taken if isinstance(r, SubmitResult)
    ]
    assert not owed(received)
    assert not desk.inbox


@pytest.mark.parametrize(
    "spoil",
    [
        lambda desk, one: desk.awaited.add("a"),
        lambda desk, one: desk.inbox.let_go(everything=True),
        lambda desk, one: desk.trail.close(),
    ],
    ids=["something depends on it", "its response went before", "there is no trail"],
)
def test_other_receipts_wait_for_their_commit(
    tmp_path: Path, spoil: Callable[[Desk, Receipt], object]
) -> None:
    desk = Desk(tmp_path)
    desk.inbox.keep(response("a"))
    spoil(desk, receipt("a"))
    assert desk.takes(receipt("a")) == [False]
    assert not desk.answered


@pytest.mark.parametrize(
    "one",
    [
        receipt("b"),
        replace(receipt("a"), network="beeline"),
        replace(receipt("a"), phone="+77011250002"),
        replace(receipt("a"), user_message_reference=4),
        replace(receipt("a"), error="0\x001"),  # no ledger can store it
        *(replace(receipt("a"), state=s) for s in ReceiptState if s is not ReceiptState.DELIVRD),
    ],
)
def test_only_what_is_delivered_beyond_doubt_is_acknowledged_at_once(
    tmp_path: Path, one: Receipt
) -> None:
    desk = Desk(tmp_path)
    desk.inbox.keep(replace(response("a"), user_message_reference=5))
    assert desk.takes(one) == [False]


def test_an_id_that_two_waiting_responses_may_have_decides_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.inbox.keep(response("353"))
    desk.inbox.keep(response("161"))
    ids = candidates("161", "auto")
    assert set(ids) >= {"161", "353"}
    assert desk.takes(replace(receipt("161"), message_ids=ids)) == [False]


def test_a_network_that_gives_an_id_twice_waits_for_commits(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for one in (response("a"), replace(response("a"), phone="+77011250002"), response("b")):
        desk.acknowledging.note(one)
    desk.inbox.keep(response("b"))
    assert desk.takes(receipt("b")) == [False]
    other = replace(response("c"), network="beeline")
    desk.inbox.keep(other)
    assert desk.takes(replace(receipt("c"), network="beeline")) == [True]


def test_what_the_trail_cannot_take_is_not_acknowledged(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.inbox.keep(response("a"))

    async def fails_meanwhile() -> None:
        assert desk.acknowledging.takes(receipt("a"))
        desk.trail.close()
        await asyncio.sleep(0)

    asyncio.run(fails_meanwhile())
    assert desk.heard == [receipt("a")]
    assert not desk.answered


def test_only_the_likeliest_spelling_of_an_id_counts(tmp_path: Path) -> None:
    """By another it may be a question's, whose response is in the ledger already."""
    desk = Desk(tmp_path)
    for one in (response("161"), response("353")):
        desk.acknowledging.note(one)
    desk.inbox.keep(response("353"))
    spelled = [replace(receipt(i), message_ids=candidates(i, "auto")) for i in ("161", "353")]
    assert all("353" in one.message_ids for one in spelled)
    assert desk.takes(*spelled) == [False, True]


def test_a_network_that_refuses_twice_gave_no_id_twice(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for _ in range(2):
        desk.acknowledging.note(replace(response(""), outcome=SubmitOutcome.RETRY_LATER))
    desk.inbox.keep(response("a"))
    assert desk.takes(receipt("a")) == [True]


def test_a_network_that_gives_an_id_again_after_many_waits_for_commits(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for n in (*range(IDS + IDS // 2), 0):
        desk.acknowledging.note(response(f"{n}"))
    desk.inbox.keep(response("a"))
    assert desk.takes(receipt("a")) == [False]


def test_what_was_acknowledged_goes_with_a_heartbeat_and_holds_no_mark(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.inbox.keep(response("a"))
    desk.inbox.let_go()  # the response waits since before the last heartbeat
    desk.takes(receipt("a"))
    desk.inbox.let_go()
    assert desk.inbox.is_heard
    assert len(desk.inbox.take(10, 1.0, None)) == 2
    assert not desk.inbox
    desk.inbox.put_back([replace(receipt("a"), acknowledgement=None), receipt("b")])
    assert not desk.inbox.is_heard


def test_a_reply_carries_no_more_of_it_than_a_commit_takes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for n in range(20):
        phone = f"+7702{n:07}"
        desk.inbox.keep(replace(response(f"{n}"), phone=phone))
        desk.inbox.keep_received(replace(receipt(f"{n}"), phone=phone, acknowledgement=None))
    desk.inbox.add(receipt("z"))
    taken = desk.inbox.take(5, 1.0, None)
    assert len(taken) == 2 * 5 + 1
    desk.inbox.add(receipt("y"))
    again = desk.inbox.take(100, 1.0, None)
    assert len(again) == 2 * 15 + 1
    assert not desk.inbox


def test_what_was_acknowledged_and_is_not_stored_stays_in_a_trimmed_trail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a commit cuts a message of three segments: its responses are stored, and two of
    its receipts are not."""
    monkeypatch.setattr(trail, "MOST", 10)
    desk, message = Desk(tmp_path), str(uuid4())
    for n, smsc_id in enumerate("abc", 1):
        desk.inbox.keep(replace(response(smsc_id, n), message_id=message, total=3))
    assert desk.takes(*map(receipt, "abc")) == [True] * 3
    desk.inbox.let_go()
    desk.inbox.let_go()
    assert len(desk.inbox.take(4, 1.0, None)) == 4
    desk.trail.trim(desk.inbox.received)
    [path] = tmp_path.glob("*.trail")
    found = trail.read(tmp_path, UUID(path.stem)) or []
    assert {t.receipt.message_ids for t in found if t.receipt is not None} >= {("b",), ("c",)}


def test_a_trail_that_an_heir_took_away_from_a_living_gateway_is_begun_again(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    trail.forget(tmp_path, {g: trail.mark_of(tmp_path, g) for g in trail.left(tmp_path)})
    assert trail.left(tmp_path) == []
    desk.inbox.keep(response("a"))
    assert desk.takes(receipt("a")) == [True]
    [gateway] = trail.left(tmp_path)
    found = trail.read(tmp_path, gateway)
    assert found is not None
    assert [t.receipt.message_ids for t in found if t.receipt is not None] == [("a",)]


def test_each_room_says_which_receipts_it_waits_for(rt: Runtime) -> None:
    open_rooms(rt)
    offers, measures = rt.rooms["proactive"], rt.rooms["wallet"]
    assert all(map(offers.awaits_receipt, ("offer.ask", "offer.expired", choosing.QUESTION)))
    assert all(map(measures.awaits_receipt, (telling.FIRST_SCREEN, *telling.SECOND_SCREENS)))
    assert all(map(measures.awaits_receipt, notices.KINDS))
    for answer in ("offer.accepted", "offer.declined", "offer.already"):
        assert not offers.awaits_receipt(answer)
    assert not measures.awaits_receipt("common.stopped")


def test_the_receipt_of_a_question_waits_and_of_what_is_not_known_here(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    world.network.answers = None
    assert isinstance(world.offer("birth-benefit", "Айгүл"), Offer)
    question = world.network.release()[0]
    assert world.exchange.awaits_receipt(question)
    assert world.exchange.awaits_receipt(replace(question, message_id=str(uuid4())))
    assert world.exchange.awaits_receipt(replace(question, message_id="ussd:1"))
    world.commit(Batch(results=[question]))
    world.receipt(ReceiptState.DELIVRD)
    world.commit(Batch(inbound=[world.came(world.mo("иә"))]))
    answer = world.network.release()[0]
    assert not world.exchange.awaits_receipt(answer)


def test_the_receipts_of_answers_are_stored_though_nobody_writes_any_more(rt: Runtime) -> None:
    received = """SELECT count(*) AS n FROM outbox
        WHERE kind = 'offer.accepted' AND state = 'delivered'"""
    phones = [f"+77011250{n:03}" for n in range(10)]

    async def play() -> None:
        async with town(rt) as place:
            await place.offer(phones)
            await place.until(lambda: place.all_are("awaiting"), "every question is received")
            for phone in phones:
                place.simulator.send(phone, "иә")
            await place.until(lambda: place.rows(received)[0].n == len(phones), "every receipt")
            await asyncio.to_thread(place.assert_nothing_lost_or_doubled)

    asyncio.run(play())


@pytest.mark.provokes(KILLED)
def test_what_was_acknowledged_by_a_killed_gateway_is_stored_by_its_heir(rt: Runtime) -> None:
    """While the ledger can store no receipt, people are answered; then the gateway is gone."""
    received = """SELECT count(*) AS n FROM outbox o WHERE kind = 'offer.accepted'
        AND state = 'delivered' AND EXISTS (SELECT FROM segments s
            WHERE s.outbox_id = o.id AND s.receipt = 'DELIVRD')"""
    phones = [f"+77011250{n:03}" for n in range(10)]

    async def play() -> None:
        async with town(rt) as place:
            await place.offer(phones)
            await place.until(lambda: place.all_are("awaiting"), "every question is received")
            with psycopg.connect(rt.ledger.url) as holder:
                holder.execute("LOCK TABLE segments IN SHARE ROW EXCLUSIVE MODE")
                told = place.simulator.counts
                before = told.receipts_delivered
                for phone in phones:
                    place.simulator.send(phone, "иә")
                await place.until(
                    lambda: told.receipts_delivered >= before + len(phones), "acknowledgements"
                )
                await place.until(lambda: bool(place.rows(WAITING)[0].n), "the heartbeat waits")
                await place.kill()
                assert place.rows(received)[0].n == 0
            place.gateway = place.make()
            place.start()
            await place.until(lambda: place.rows(received)[0].n == len(phones), "the heir")
            await asyncio.to_thread(place.assert_nothing_lost_or_doubled)

    asyncio.run(play())
