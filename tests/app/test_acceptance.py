"""The echo on the real ledger: one answer a message, counts that survive, nobody else answered."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from app.acceptance.echo import Echo
from app.acceptance.records import Tally, tally
from app.clock import ManualClock
from app.commands.networks import _quiet
from app.exchange import Batch
from app.runtime import Runtime
from smpp.messages import ReceiptState, SegmentOf, SubmitOutcome, Ussd, UssdOp
from tests.app.world import PATIENCE, World


def echoing(world: World, phones: frozenset[str] | None = None) -> World:
    world.exchange.take = Echo(phones)
    return world


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    return echoing(World(rt, clock))


def bodies(world: World) -> list[str]:
    """What was submitted to the handset, in order."""
    return [mt.message.body for mt in world.mts]


def stat(world: World) -> str:
    """What #STAT is answered with now."""
    before = len(world.mts)
    world.say("#STAT", user_message_reference=before)
    assert len(world.mts) == before + 1
    return bodies(world)[-1].removeprefix("STAT ")


def test_every_message_is_answered_with_itself(world: World) -> None:
    texts = ["Сәлем", "  бос орын  ", "1", "1", "STOP", "көмек", "#STATS", "😀" * 200]
    for text in texts:
        world.say(text)
    assert bodies(world) == texts
    assert world.heard() == ["echo"] * len(texts)


def test_no_loop_guard_limits_it(world: World) -> None:
    for number in range(40):
        world.say(f"{number}")
    assert len(bodies(world)) == 40


def test_a_long_message_is_answered_once_when_its_last_segment_has_come(world: World) -> None:
    world.say_in_segments("Бірінші бөлік, екінші бөлік, үшінші бөлік", (3, 1, 2))
    assert bodies(world) == ["Бірінші бөлік, екінші бөлік, үшінші бөлік"]


def test_what_cannot_be_read_or_answered_is_kept_and_not_answered(world: World) -> None:
    world.say("x", text=None)
    world.say("half \ud83d")
    world.say("from a bank", from_phone=False, sender="BANK")
    assert bodies(world) == []
    assert sorted(world.heard()) == ["not-a-phone", "undecodable", "undecodable"]


def test_the_counts_follow_the_responses_and_the_receipts(world: World) -> None:
    world.say("бір")
    world.say("ұзақ " * 40)  # four segments
    assert stat(world) == "accepted=2 delivered=0 failed=0 pending=2"
    world.receipt(ReceiptState.DELIVRD, of=0)
    world.receipt(ReceiptState.DELIVRD, (1, 2), of=1)
    assert stat(world) == "accepted=2 delivered=1 failed=0 pending=1"
    world.receipt(ReceiptState.ENROUTE, (3,), of=1)
    world.receipt(ReceiptState.DELIVRD, of=1)
    assert stat(world) == "accepted=2 delivered=2 failed=0 pending=0"


def test_one_segment_that_failed_fails_the_message(world: World) -> None:
    world.say("ұзақ " * 40)
    world.receipt(ReceiptState.DELIVRD, (1, 2, 3))
    world.receipt(ReceiptState.UNDELIV, (4,))
    assert stat(world) == "accepted=1 delivered=0 failed=1 pending=0"


def test_a_refused_message_was_not_accepted(world: World) -> None:
    world.network.answers = SubmitOutcome.PERMANENT
    world.say("жоқ")
    world.network.answers = SubmitOutcome.ACCEPTED
    assert stat(world) == "accepted=0 delivered=0 failed=1 pending=0"


def test_a_message_sent_again_counts_once(world: World) -> None:
    world.network.answers = SubmitOutcome.RETRY_LATER
    world.say("қайта")
    assert stat(world).startswith("accepted=0 delivered=0 failed=0 pending=")
    world.network.answers = SubmitOutcome.ACCEPTED
    world.pass_time(timedelta(minutes=1))
    sent = next(n for n, mt in enumerate(world.mts) if mt.message.body == "қайта" and mt.ids[0])
    world.receipt(ReceiptState.DELIVRD, of=sent)
    assert stat(world) == "accepted=1 delivered=1 failed=0 pending=0"


def test_a_message_of_the_same_batch_counts_as_pending(world: World) -> None:
    came = [world.came(world.mo(text)) for text in ("бір", "екі", "#STAT")]
    world.commit(Batch(inbound=came))
    assert bodies(world)[-1] == "STAT accepted=0 delivered=0 failed=0 pending=2"


def test_each_number_has_its_own_counts(rt: Runtime, clock: ManualClock) -> None:
    one, other = echoing(World(rt, clock)), echoing(World(rt, clock))
    one.say("менікі")
    assert stat(other) == "accepted=0 delivered=0 failed=0 pending=0"
    with rt.unit() as unit:
        assert tally(unit.tx) == Tally(1, 0, 0, 1)


def test_a_redelivery_after_a_lost_link_is_not_answered_again(world: World) -> None:
    world.say("бір рет")
    world.deliver_again()
    assert bodies(world) == ["бір рет"]


def test_stat_asks_about_now_also_after_a_lost_link(world: World) -> None:
    world.say("бір")
    world.say("#STAT")
    world.receipt(ReceiptState.DELIVRD, of=0)
    world.deliver_again()
    assert bodies(world)[-2:] == [
        "STAT accepted=1 delivered=0 failed=0 pending=1",
        "STAT accepted=1 delivered=1 failed=0 pending=0",
    ]


def test_a_redelivered_stat_is_not_asked_twice_while_its_answer_is_owed(world: World) -> None:
    world.network.answers = None
    world.say("#STAT")
    world.deliver_again()
    assert len(bodies(world)) == 1


def test_a_killed_gateway_s_answers_leave_once_and_counts_go_on(world: World) -> None:
    world.say("бұрын")
    world.receipt(ReceiptState.DELIVRD)
    message = world.came(world.mo("кейін"))
    world.exchange.commit(Batch(inbound=[message]))  # claimed, and killed before it left
    world.die()
    echoing(world)
    world.deliver_again()
    world.hear([message.message])
    world.pass_time(PATIENCE * 2)
    assert bodies(world) == ["бұрын", "кейін"]
    assert stat(world) == "accepted=2 delivered=1 failed=0 pending=1"


def test_an_answer_whose_response_was_lost_in_a_kill_is_settled_by_its_receipt(
    world: World,
) -> None:
    world.network.answers = None  # it takes the answers, and the responses are lost
    world.say("кетті")
    world.say("ұзақ " * 40)
    world.die()
    echoing(world)
    world.network.answers = SubmitOutcome.ACCEPTED
    for mt in world.mts[:2]:
        for receipt in world.receipts_of(mt, ReceiptState.DELIVRD):
            world.commit(Batch(receipts=[receipt]))
    world.pass_time(timedelta(seconds=5))
    world.exchange.tidy()
    world.pass_time(PATIENCE * 2)
    assert bodies(world) == ["кетті", "ұзақ " * 40]
    assert stat(world) == "accepted=2 delivered=2 failed=0 pending=0"


def test_of_two_answers_in_doubt_the_one_without_a_receipt_is_sent_again(world: World) -> None:
    world.network.answers = None
    world.say("бірінші")
    world.say("екінші")
    world.die()
    echoing(world)
    world.network.answers = SubmitOutcome.ACCEPTED
    for receipt in world.receipts_of(world.mts[0], ReceiptState.DELIVRD):
        world.commit(Batch(receipts=[receipt]))
    world.pass_time(timedelta(seconds=5))
    world.pass_time(PATIENCE * 2)
    assert bodies(world) == ["бірінші", "екінші", "екінші"]
    world.exchange.tidy()
    assert stat(world) == "accepted=2 delivered=1 failed=0 pending=1"


def test_only_listed_phones_are_answered(rt: Runtime, clock: ManualClock) -> None:
    world = World(rt, clock)
    echoing(world, frozenset({"+77019999999"}))
    world.say("бейтаныс")
    world.say("#STAT")
    assert bodies(world) == []
    assert world.heard() == ["not-listed", "not-listed"]
    echoing(world, frozenset({world.phone}))
    world.say("таныс")
    assert bodies(world) == ["таныс"]


def test_a_dial_gets_the_menu_and_no_sms(world: World) -> None:
    dial = Ussd(int(UssdOp.PSSR_INDICATION), session=b"\x01\x00")
    world.say("*1414#", ussd=dial)
    assert bodies(world) == []
    assert len(world.screens) == 1


def test_no_offer_leaves_while_the_echo_runs(rt: Runtime, clock: ManualClock) -> None:
    world = World(_quiet(rt), clock)
    echoing(world)
    world.register("A", "kk")
    world.offer("birth-benefit", "A")
    world.say("сынақ")
    assert bodies(world) == ["сынақ"]


def test_two_long_messages_with_one_reference_do_not_mix(world: World) -> None:
    for number in (1, 2):
        world.hear([world.mo(f"A{number} ", segment=SegmentOf(7, 2, number))])
    for number in (1, 2):
        world.hear([world.mo(f"B{number} ", segment=SegmentOf(7, 2, number))])
    assert bodies(world) == ["A1 A2 ", "B1 B2 "]


def test_the_same_words_of_two_phones_are_two_messages(world: World) -> None:
    mine = world.mo("сол сөз")
    other = replace(mine, sender="+77019998877")
    world.commit(Batch(inbound=[world.came(mine), world.came(other)]))
    assert [mt.message.phone for mt in world.mts] == [world.phone, "+77019998877"]
