"""What falls due, and what must not: outages, several binds, marks that lag behind, batches."""

from datetime import datetime, timedelta

import pytest

from app.bench.records import analyze, clone_open
from app.clock import ManualClock
from app.exchange import Batch
from app.ledger import binds
from app.ledger.binds import BindRow
from app.ledger.engine import sql
from app.proactive import falling_due
from app.proactive.actions import sweeping
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import BindEvent, ReceiptState, SubmitOutcome
from tests.app.world import PATIENCE, World

DAY = timedelta(hours=24)
TICK = timedelta(microseconds=1)


def asked(
    rt: Runtime, clock: ManualClock, *, answers: SubmitOutcome | None = SubmitOutcome.ACCEPTED
) -> tuple[World, Offer]:
    """A world with an offer whose question left at this moment; `answers` is what the network says
    to that, None nothing."""
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    world.network.answers = answers
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    return world, made


def awaiting(rt: Runtime, clock: ManualClock) -> tuple[World, Offer]:
    """A world with an offer that was received at this moment."""
    world, made = asked(rt, clock)
    world.receipt(ReceiptState.DELIVRD)
    return world, world.look(made.id)


def mark(world: World) -> None:
    """The gateway says that it has heard everything up to now."""
    world.commit(Batch(mark=world.clock(), drained=[world.network.cid]))


def second_bind(world: World, state: BindEvent, *, hears: bool = True) -> str:
    """Another bind of the same network."""
    cid = f"{world.network.name}-2"
    with world.rt.unit() as unit:
        row = BindRow(
            cid, world.network.name, world.exchange.gateway, state, "", unit.now, hears=hears
        )
        binds.write(unit.tx, row)
    return cid


def test_nothing_lapses_at_the_deadline_itself(rt: Runtime, clock: ManualClock) -> None:
    world, offer = awaiting(rt, clock)
    clock.advance(DAY)
    mark(world)
    assert sweeping.sweep(world.rt) == 0
    clock.advance(TICK)
    mark(world)
    assert sweeping.sweep(world.rt) == 1
    assert world.look(offer.id).state == "expired"


def deadlines(rt: Runtime) -> list[datetime]:
    with rt.ledger.begin() as tx:
        return tx.execute(sql("SELECT at FROM offer_deadlines ORDER BY at")).scalars()


def test_a_deadline_that_has_passed_is_forgotten_whether_it_was_kept_or_missed(
    rt: Runtime, clock: ManualClock
) -> None:
    kept, one = awaiting(rt, clock)
    clock.advance(TICK)
    _, other = awaiting(rt, clock)
    assert deadlines(rt) == [one.deadline, other.deadline]
    kept.say("иә")
    clock.advance(DAY)
    mark(kept)
    assert sweeping.sweep(rt) == 0
    assert deadlines(rt) == [other.deadline]
    clock.advance(TICK)
    mark(kept)
    assert sweeping.sweep(rt) == 0  # the other network has not handed over everything yet
    assert deadlines(rt) == [other.deadline]


def test_a_deadline_that_was_moved_counts_and_the_earlier_one_does_not(
    rt: Runtime, clock: ManualClock
) -> None:
    world, made = asked(rt, clock)
    world.say("не понимаю")  # words prove receipt; the receipt comes later
    clock.advance(timedelta(hours=1))
    world.commit(Batch(receipts=world.receipts_of(world.mts[0], ReceiptState.DELIVRD)))
    clock.advance(DAY - timedelta(minutes=1))
    mark(world)
    assert (sweeping.sweep(rt), world.look(made.id).state) == (0, "awaiting")
    assert deadlines(rt) == [world.look(made.id).deadline]
    clock.advance(timedelta(minutes=2))
    mark(world)
    assert (sweeping.sweep(rt), world.look(made.id).state) == (1, "expired")


def test_a_question_that_left_again_has_another_day_to_be_proved(
    rt: Runtime, clock: ManualClock
) -> None:
    world, made = asked(rt, clock, answers=None)
    first = world.look(made.id).sent_at
    world.network.answers = SubmitOutcome.ACCEPTED
    world.die()
    world.pass_time(PATIENCE + TICK)
    again = world.look(made.id).sent_at
    assert first is not None and again is not None and again > first
    assert deadlines(rt) == [first + DAY, again + DAY]
    clock.advance(first + DAY + TICK - clock())
    mark(world)
    assert (sweeping.sweep(rt), deadlines(rt)) == (0, [again + DAY])
    clock.advance(again + DAY + TICK - clock())
    mark(world)
    assert sweeping.sweep(rt) == 1
    assert world.look(made.id).state == "undelivered"


def test_a_question_in_doubt_that_waited_out_an_outage_has_its_day_when_it_leaves(
    rt: Runtime, clock: ManualClock
) -> None:
    world, made = asked(rt, clock, answers=SubmitOutcome.UNKNOWN)
    world.go_down()
    world.pass_time(PATIENCE)
    clock.advance(DAY + timedelta(hours=1))
    world.network.answers = SubmitOutcome.ACCEPTED
    world.come_back()
    world.pass_time(timedelta(minutes=1))
    assert world.look(made.id).state == "sent"
    world.receipt(ReceiptState.DELIVRD)
    world.say("1")
    assert world.look(made.id).state == "accepted"


@pytest.mark.parametrize("is_known", [False, True], ids=["a new table", "a known table"])
def test_a_sweep_reads_what_is_due_and_not_what_is_open(
    rt: Runtime, clock: ManualClock, is_known: bool
) -> None:
    world, offer = awaiting(rt, clock)
    with rt.ledger.begin() as tx:
        clone_open(tx, 5_000, clock())
        if is_known:
            analyze(tx)
    clock.advance(DAY + TICK)
    through = {world.network.name: clock()}
    read = sql("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'offers'")
    with rt.ledger.begin() as tx:
        before = tx.execute(read).scalar_one()
        assert falling_due.due(tx, clock(), through, 10) == [offer.id]
        assert falling_due.unproven(tx, clock(), through, 10) == []
        assert tx.execute(read).scalar_one() == before


def test_the_sweep_waits_for_the_mark_of_the_network(rt: Runtime, clock: ManualClock) -> None:
    world, offer = awaiting(rt, clock)
    mark(world)
    clock.advance(DAY * 3)
    assert sweeping.sweep(world.rt) == 0
    assert world.look(offer.id).state == "awaiting"


def test_a_network_that_was_never_heard_lets_nothing_lapse(rt: Runtime, clock: ManualClock) -> None:
    world, _ = awaiting(rt, clock)
    clock.advance(DAY * 3)
    assert sweeping.sweep(world.rt) == 0


def test_the_bind_that_lags_behind_holds_its_network(rt: Runtime, clock: ManualClock) -> None:
    world, offer = awaiting(rt, clock)
    cid = second_bind(world, BindEvent.LOST)
    clock.advance(DAY + TICK)
    mark(world)
    assert sweeping.sweep(world.rt) == 0
    world.commit(Batch(mark=clock(), drained=[cid]))
    assert sweeping.sweep(world.rt) == 1
    assert world.look(offer.id).state == "expired"


def test_a_bind_that_only_sends_holds_nothing(rt: Runtime, clock: ManualClock) -> None:
    world, _ = awaiting(rt, clock)
    second_bind(world, BindEvent.BOUND, hears=False)
    clock.advance(DAY + TICK)
    mark(world)
    assert sweeping.sweep(world.rt) == 1


def test_another_networks_outage_holds_nothing_here(rt: Runtime, clock: ManualClock) -> None:
    world, _ = awaiting(rt, clock)
    other, held = awaiting(rt, clock)
    other.go_down()
    clock.advance(DAY + TICK)
    mark(world)
    assert sweeping.sweep(world.rt) == 1
    assert other.look(held.id).state == "awaiting"


@pytest.mark.parametrize("outage", [timedelta(minutes=1), timedelta(days=9)])
def test_a_reply_that_was_stuck_in_the_network_counts(
    rt: Runtime, clock: ManualClock, outage: timedelta
) -> None:
    world, offer = awaiting(rt, clock)
    world.pass_time(timedelta(hours=23, minutes=59, seconds=30))
    world.go_down()
    world.say("иә")
    world.pass_time(outage)
    world.come_back()
    ended = world.look(offer.id)
    assert ended.state == "accepted"
    last = world.journal(offer.id)[-1]
    assert b"judged_in_time" in last.body


def test_a_late_reply_on_a_bind_that_was_up_does_not_count(rt: Runtime, clock: ManualClock) -> None:
    world, offer = awaiting(rt, clock)
    clock.advance(DAY + TICK)
    world.say("иә")
    assert world.look(offer.id).state == "awaiting"
    assert world.mts[-1].message.kind == "offer.late"
    mark(world)
    assert sweeping.sweep(world.rt) == 1
    assert world.events(offer.id) == ["offer.expired"]


def test_a_reply_committed_before_the_sweep_wins(rt: Runtime, clock: ManualClock) -> None:
    world, offer = awaiting(rt, clock)
    clock.advance(DAY)
    world.say("жоқ")
    clock.advance(DAY)
    mark(world)
    assert sweeping.sweep(world.rt) == 0
    assert world.look(offer.id).state == "declined"


def test_the_stop_of_a_late_reply_is_heeded_all_the_same(rt: Runtime, clock: ManualClock) -> None:
    world, _ = awaiting(rt, clock)
    clock.advance(DAY + TICK)
    world.say("ТОҚТАТ")
    assert world.mts[-1].message.kind == "common.stopped"
    assert getattr(world.offer("childcare-benefit", "Айгүл"), "gate", None) == "phone_reachable"


def test_a_question_without_proof_is_given_up_after_its_day_in_the_network(
    rt: Runtime, clock: ManualClock
) -> None:
    world, made = asked(rt, clock)
    clock.advance(DAY)
    mark(world)
    assert sweeping.sweep(world.rt) == 0
    clock.advance(TICK)
    mark(world)
    assert sweeping.sweep(world.rt) == 1
    assert world.events(made.id) == ["offer.undelivered"]
    assert world.outbox(made.id) == ["offer.ask"]


def test_a_question_that_is_to_leave_again_is_not_given_up_over_an_outage_of_ours(
    rt: Runtime, clock: ManualClock
) -> None:
    world, made = asked(rt, clock, answers=None)
    clock.advance(2 * DAY)
    world.die()
    mark(world)
    assert (sweeping.sweep(world.rt), world.look(made.id).state) == (0, "sent")
    world.network.answers = SubmitOutcome.ACCEPTED
    world.pass_time(PATIENCE + TICK)
    world.receipt(ReceiptState.DELIVRD)
    world.say("Иә")
    assert world.look(made.id).state == "accepted"


def test_no_proof_is_awaited_from_a_network_that_is_down(rt: Runtime, clock: ManualClock) -> None:
    world, made = asked(rt, clock)
    world.go_down()
    world.pass_time(DAY * 2)
    assert world.look(made.id).state == "sent"


def test_two_sweeps_at_once_close_each_offer_once(rt: Runtime, clock: ManualClock) -> None:
    worlds = [awaiting(rt, clock) for _ in range(3)]
    clock.advance(DAY + TICK)
    for world, _ in worlds:
        mark(world)
    first = worlds[0][0].rt
    with first.unit() as unit:
        expected = [offer.id for _, offer in worlds]
        sweeping.expire(first, unit, expected[:1])
        assert sweeping.sweep(first) == 2
    assert sweeping.sweep(first) == 0
    assert [world.events(offer.id) for world, offer in worlds] == [["offer.expired"]] * 3
