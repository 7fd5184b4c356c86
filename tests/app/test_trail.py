"""What a killed gateway had sent is known to its heir: nothing leaves twice or waits in vain."""

from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from app.acceptance.echo import Echo
from app.clock import ManualClock
from app.exchange import Batch
from app.gateway import trail
from app.gateway.trail import Trail
from app.runtime import Runtime
from smpp.messages import SubmitOutcome, SubmitResult
from tests.app.world import PATIENCE, World
from tests.conftest import NOON


def result(outcome: SubmitOutcome = SubmitOutcome.UNKNOWN, segment: int = 1) -> SubmitResult:
    return SubmitResult(
        "k-1", "kcell", str(uuid4()), segment, 2, 0, "A1", outcome, NOON, "+77010000001", 7
    )  # fmt: skip


def test_a_trail_is_read_as_it_was_written_and_names_no_phone(tmp_path: Path) -> None:
    gateway = uuid4()
    left = Trail(tmp_path, gateway)
    written = [result(), result(SubmitOutcome.ACCEPTED, 2)]
    left.write(written[:1])
    left.write(written[1:])
    assert trail.read(tmp_path, gateway) == [replace(r, phone="") for r in written]
    assert b"7701" not in trail.path_of(tmp_path, gateway).read_bytes()
    left.close()
    assert trail.read(tmp_path, gateway) is None


def test_a_trail_of_another_run_of_the_machine_is_not_believed(tmp_path: Path) -> None:
    gateway = uuid4()
    Trail(tmp_path, gateway).write([result()])
    path = trail.path_of(tmp_path, gateway)
    path.write_bytes(b"another-boot\n" + path.read_bytes().split(b"\n", 1)[1])
    assert trail.read(tmp_path, gateway) is None


def test_a_line_cut_by_the_kill_is_left_out_and_a_broken_one_spoils_all(tmp_path: Path) -> None:
    gateway = uuid4()
    one = result()
    Trail(tmp_path, gateway).write([one])
    path = trail.path_of(tmp_path, gateway)
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[1][:20])
    assert trail.read(tmp_path, gateway) == [replace(one, phone="")]
    path.write_bytes(whole + b"{}\n")
    assert trail.read(tmp_path, gateway) is None


def test_a_large_trail_keeps_only_what_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "MOST", 1_000)
    gateway, kept = uuid4(), uuid4()
    left = Trail(tmp_path, gateway)
    left.write([replace(result(), message_id=str(kept)), *(result() for _ in range(20))])
    left.trim([kept])
    after = result()
    left.write([after])
    found = trail.read(tmp_path, gateway)
    assert found is not None
    assert [r.message_id for r in found] == [str(kept), after.message_id]


def test_where_nothing_can_be_written_there_is_no_trail(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    left = Trail(tmp_path / "file", uuid4())
    left.write([result()])
    left.trim([])
    left.close()


def echoing(rt: Runtime, clock: ManualClock) -> World:
    world = World(rt, clock)
    world.exchange.take = Echo()
    return world


def killed(world: World, told: list[SubmitResult]) -> None:
    """The gateway is killed and leaves a trail; the heir sends what is to be sent."""
    gone = world.exchange.gateway
    world.network.held.clear()
    world.network.answers = SubmitOutcome.ACCEPTED
    world.exchange = world._exchange()
    world.exchange.take = Echo()
    world.exchange.inherit([gone], PATIENCE, {gone: told})
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
