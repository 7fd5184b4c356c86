"""What a killed gateway had sent is known to its heir: nothing leaves twice or waits in vain."""

import asyncio
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from app.acceptance.echo import Echo
from app.clock import ManualClock
from app.exchange import Batch, Trailed
from app.gateway import trail
from app.gateway.trail import Trail
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import Receipt, ReceiptState, SubmitOutcome, SubmitResult
from tests.app.world import PATIENCE, World
from tests.conftest import NOON


def result(outcome: SubmitOutcome = SubmitOutcome.UNKNOWN, segment: int = 1) -> SubmitResult:
    return SubmitResult(
        "k-1", "kcell", str(uuid4()), segment, 2, 0, "A1", outcome, NOON, "+77010000001", 7
    )  # fmt: skip


def begun(folder: Path, gateway: UUID) -> Trail:
    made = Trail(folder, gateway)
    made.start()
    return made


def test_a_trail_is_read_as_it_was_written_and_names_no_phone(tmp_path: Path) -> None:
    gateway = uuid4()
    left = begun(tmp_path, gateway)
    written = [result(), result(SubmitOutcome.ACCEPTED, 2)]
    left.write(written[:1])
    left.write(written[1:])
    assert trail.read(tmp_path, gateway) == [Trailed(replace(r, phone="")) for r in written]
    assert b"7701" not in trail.path_of(tmp_path, gateway).read_bytes()
    left.close()
    assert trail.read(tmp_path, gateway) is None


def received(r: SubmitResult, *ids: str) -> Receipt:
    """As a trail tells of the receipt."""
    return Receipt(
        r.cid, r.network, "", ids or (r.smsc_id,), ReceiptState.DELIVRD, "000", None, NOON, None, 7
    )  # fmt: skip


def test_a_response_and_its_receipt_are_one_line_where_they_are_written_together(
    tmp_path: Path,
) -> None:
    gateway = uuid4()
    left = begun(tmp_path, gateway)
    one, two = result(SubmitOutcome.ACCEPTED), result(SubmitOutcome.ACCEPTED)
    came = received(one, "A1", "161")

    async def written() -> None:
        left.write_soon(one)
        left.flush()
        for other in (one, two):
            left.write_soon(other)
            left.write_soon(other, replace(came, phone=one.phone))
        await asyncio.sleep(0)

    asyncio.run(written())
    first, second = (replace(r, phone="") for r in (one, two))
    said = [Trailed(first), Trailed(first, came), Trailed(second, came)]
    assert trail.read(tmp_path, gateway) == said
    assert b"7701" not in trail.path_of(tmp_path, gateway).read_bytes()


def test_a_trail_of_another_run_of_the_machine_is_not_believed(tmp_path: Path) -> None:
    gateway = uuid4()
    begun(tmp_path, gateway).write([result()])
    path = trail.path_of(tmp_path, gateway)
    path.write_bytes(b"another-boot\n" + path.read_bytes().split(b"\n", 1)[1])
    assert trail.read(tmp_path, gateway) is None


def test_a_line_cut_by_the_kill_is_left_out_and_a_broken_one_spoils_all(tmp_path: Path) -> None:
    gateway = uuid4()
    one = result()
    begun(tmp_path, gateway).write([one])
    path = trail.path_of(tmp_path, gateway)
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[1][:20])
    assert trail.read(tmp_path, gateway) == [Trailed(replace(one, phone=""))]
    path.write_bytes(whole + b"{}\n")
    assert trail.read(tmp_path, gateway) is None


def test_a_large_trail_keeps_only_what_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "MOST", 1_000)
    gateway, kept = uuid4(), uuid4()
    left = begun(tmp_path, gateway)
    left.write([replace(result(), message_id=str(kept)), *(result() for _ in range(20))])
    left.trim(lambda: [str(kept)])
    after = result()
    left.write([after])
    found = trail.read(tmp_path, gateway)
    assert found is not None
    assert [one.result.message_id for one in found] == [str(kept), after.message_id]


def test_a_trim_that_fails_leaves_no_half_a_trail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, kept = uuid4(), [result(), result()]
    left = begun(tmp_path, gateway)
    left.write(kept)
    monkeypatch.setattr(trail, "MOST", 10)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[: len(data) * 2 // 3]))
    left.trim(lambda: [r.message_id for r in kept])
    assert not left.is_kept
    assert trail.read(tmp_path, gateway) is None
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_no_trails(tmp_path: Path) -> None:
    gateway = uuid4()
    begun(tmp_path, gateway)
    (tmp_path / "notes.trail").touch()
    assert trail.left(tmp_path) == [gateway]


def test_where_nothing_can_be_written_there_is_no_trail(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    left = begun(tmp_path / "file", uuid4())
    left.write([result()])
    left.trim(list)
    left.close()


def echoing(rt: Runtime, clock: ManualClock) -> World:
    world = World(rt, clock)
    world.exchange.take = Echo()
    return world


def killed(world: World, told: Sequence[SubmitResult | Trailed]) -> None:
    """The gateway is killed and leaves a trail; the heir sends what is to be sent."""
    gone = world.exchange.gateway
    world.network.held.clear()
    world.network.answers = SubmitOutcome.ACCEPTED
    world.exchange = world._exchange()
    world.exchange.take = Echo()
    world.exchange.inherit(
        [gone],
        PATIENCE,
        {gone: [one if isinstance(one, Trailed) else Trailed(one) for one in told]},
    )
    world.commit()


def heard_and_killed(world: World, *texts: str) -> list[SubmitResult]:
    """The echo's answers are claimed and no answer to them is committed; what a trail may say."""
    world.network.answers = None
    for text in texts:
        world.commit(Batch(inbound=[world.came(world.mo(text))]))
    return list(world.network.held)


def bodies(world: World) -> list[str]:
    return [mt.message.body for mt in world.mts]


def test_what_never_left_leaves_at_once_after_a_kill(rt: Runtime, clock: ManualClock) -> None:
    world = echoing(rt, clock)
    heard_and_killed(world, "бір", "екі")
    world.mts.clear()
    killed(world, [])
    assert bodies(world) == ["бір", "екі"]


def test_what_was_answered_before_the_kill_does_not_leave_again(
    rt: Runtime, clock: ManualClock
) -> None:
    world = echoing(rt, clock)
    told = heard_and_killed(world, "бір", "екі")
    world.mts.clear()
    killed(world, told[:1])
    assert bodies(world) == ["екі"]
    world.say("#STAT")
    assert bodies(world)[-1] == "STAT accepted=2 delivered=0 failed=0 pending=2"


def test_what_left_without_an_answer_waits_for_its_receipt(rt: Runtime, clock: ManualClock) -> None:
    world = echoing(rt, clock)
    told = heard_and_killed(world, "бір", "екі")
    world.mts.clear()
    killed(world, [replace(told[0], outcome=SubmitOutcome.UNKNOWN, smsc_id="")])
    assert bodies(world) == ["екі"]
    world.pass_time(PATIENCE)
    assert bodies(world) == ["екі", "бір"]


def test_a_message_of_which_a_segment_never_left_goes_again_in_whole(
    rt: Runtime, clock: ManualClock
) -> None:
    world = echoing(rt, clock)
    told = heard_and_killed(world, "ұзын хабарлама " * 10)
    assert len(told) == 3
    world.mts.clear()
    killed(world, told[:1])
    world.pass_time(PATIENCE)
    assert bodies(world) == ["ұзын хабарлама " * 10]


def test_what_a_trail_says_of_an_earlier_claim_is_not_taken_for_this_one(
    rt: Runtime, clock: ManualClock
) -> None:
    world = echoing(rt, clock)
    told = heard_and_killed(world, "бір")
    world.mts.clear()
    killed(world, [replace(r, at=NOON.replace(year=2020)) for r in told])
    assert bodies(world) == ["бір"]


def received_and_killed(world: World, told: Sequence[SubmitResult]) -> None:
    """As if the receipts of the echo's answers had been acknowledged and not stored."""
    world.mts.clear()
    killed(world, [Trailed(r, replace(received(r), received_at=r.at)) for r in told])
    world.pass_time(PATIENCE)


def test_receipts_that_were_acknowledged_before_the_kill_are_taken_by_the_heir(
    rt: Runtime, clock: ManualClock
) -> None:
    world = echoing(rt, clock)
    received_and_killed(world, heard_and_killed(world, "бір", "ұзын хабарлама " * 10))
    assert bodies(world) == []
    world.say("#STAT")
    assert bodies(world) == ["STAT accepted=2 delivered=2 failed=0 pending=0"]


@pytest.mark.parametrize("was_received", [False, True], ids=["its response", "both"])
def test_a_receipt_is_taken_once_by_the_heir_though_something_of_it_was_stored(
    rt: Runtime, clock: ManualClock, was_received: bool
) -> None:
    world = echoing(rt, clock)
    told = heard_and_killed(world, "бір")
    came = [replace(received(r), phone=r.phone) for r in told] if was_received else []
    world.commit(Batch(results=told, receipts=came))
    received_and_killed(world, told)
    assert bodies(world) == []
    assert not world.exchange.memory.orphans
    world.say("#STAT")
    assert bodies(world) == ["STAT accepted=1 delivered=1 failed=0 pending=0"]


def test_a_receipt_goes_to_the_segment_it_was_acknowledged_for_and_to_no_other(
    rt: Runtime, clock: ManualClock
) -> None:
    """A network that gives every segment the same id. Of an answer one segment has its receipt;
    then a question leaves, and the gateway is killed."""
    world = World(rt, clock)
    world.register("Айгүл", None)
    world.network.answers = None
    offered = world.offer("birth-benefit", "Айгүл")
    assert isinstance(offered, Offer)
    world.commit(Batch(results=world.network.release()))
    world.receipt(ReceiptState.DELIVRD)
    world.commit(Batch(inbound=[world.came(world.mo("1"))]))
    answer = [replace(r, smsc_id="1") for r in world.network.release()]
    assert len(answer) > 1
    world.commit(Batch(results=answer))
    came = [replace(received(r), phone=r.phone, received_at=clock()) for r in answer]
    first = replace(came[0], user_message_reference=None)
    world.commit(Batch(receipts=[first]))
    clock.advance(timedelta(seconds=60))
    world.register("Сара", "kk")
    assert isinstance(world.offer("birth-benefit", "Сара"), Offer)
    question = [replace(r, smsc_id="1") for r in world.network.release()]
    world.commit(Batch(results=question))
    said = [Trailed(answer[0], replace(first, phone="")), *map(Trailed, [*answer[1:], *question])]
    killed(world, said)
    of_question = "SELECT receipt FROM segments WHERE outbox_id = :id"
    stands = world.rows(of_question, id=question[0].message_id)
    assert [r.receipt for r in stands] == [None] * len(question)


def test_a_trail_that_was_written_to_since_it_was_read_is_kept(tmp_path: Path) -> None:
    gateway = uuid4()
    left = begun(tmp_path, gateway)
    seen = {gateway: trail.mark_of(tmp_path, gateway)}
    left.write([result()])
    trail.forget(tmp_path, seen)
    assert trail.left(tmp_path) == [gateway]
    trail.forget(tmp_path, {gateway: trail.mark_of(tmp_path, gateway)})
    assert trail.left(tmp_path) == []
