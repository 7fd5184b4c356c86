"""/metrics: what an engineer's alarms read, of binds, of what waits, of how offers ended."""

from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from app.api.metrics import Numbers
from app.clock import ManualClock
from app.ledger import binds
from app.ledger.binds import BindRow
from app.ledger.outbox import Priority
from app.runtime import Runtime
from smpp.messages import ReceiptState, SegmentOf
from tests.app.world import World
from tests.conftest import NOON

Samples = dict[tuple[str, str], float]
UP = BindRow("kcell-1", "kcell", uuid4(), "bound", "", NOON, NOON)
COUNTED = {"submit_sm_count": 7, "bound_count": 2, "in_queue": 3, "submit_sm_resp.ESME_ROK": 7,
           "orphan_receipts_count": 4, "last_sent_elink_at": 1.5e9}  # fmt: skip


def read(rt: Runtime) -> Samples:
    """(name, its labels' values joined) to the value, from a fresh look."""
    text = Numbers(rt).shown().decode()
    return {(s.name, " ".join(s.labels.values())): s.value for f in parsed(text) for s in f.samples}


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    world = World(rt, clock)
    world.register("A", "kk")
    return world


def test_binds_are_shown_by_cid_with_what_their_gateway_counted(rt: Runtime) -> None:
    with rt.unit() as unit:
        binds.write(unit.tx, UP)
        binds.write(unit.tx, BindRow("kcell-2", "kcell", uuid4(), "refused", "", NOON))
        binds.count(unit.tx, {"kcell-1": COUNTED})
    seen = read(rt)
    assert seen["jauap_smpp_bound", "kcell-1"] == 1
    assert seen["jauap_smpp_bound", "kcell-2"] == 0
    assert seen["jauap_smpp_submit_sm_total", "kcell-1"] == 7
    assert seen["jauap_smpp_binds_total", "kcell-1"] == 2
    assert seen["jauap_smpp_in_queue", "kcell-1"] == 3
    assert seen["jauap_smpp_submit_sm_resp_total", "kcell-1 ESME_ROK"] == 7
    assert seen["jauap_smpp_last_sent_elink_at_seconds", "kcell-1"] == 1.5e9
    assert seen["jauap_dlr_orphan_total", ""] == 4
    assert seen["jauap_ledger_up", ""] == 1


def test_what_waits_to_leave_is_counted_by_network_and_priority(
    rt: Runtime, clock: ManualClock
) -> None:
    with rt.unit() as unit:
        for network, priority in (("kcell", Priority.REPLY), ("kcell", Priority.BULK)):
            to = (b"p" * 32, "+77010000001")
            unit.outbox.add(unit.now, "k", to, "t", network=network, priority=priority)
    clock.advance(timedelta(seconds=40))
    seen = read(rt)
    assert seen["jauap_outbox_ready", "kcell reply"] == 1
    assert seen["jauap_outbox_ready", "kcell bulk"] == 1
    assert seen["jauap_reply_age_seconds", ""] == 40


def test_outcomes_are_counted_on_while_they_become_old(world: World, clock: ManualClock) -> None:
    world.offer("birth-benefit", "A")
    world.receipt(ReceiptState.DELIVRD)
    world.say("иә")
    numbers = Numbers(world.rt)
    assert 'jauap_outcome_total{outcome="accepted"} 1.0' in numbers.shown().decode()
    clock.advance(timedelta(hours=1))
    numbers._fresh_until = 0.0
    assert 'jauap_outcome_total{outcome="accepted"} 1.0' in numbers.shown().decode()
    world.register("B", "kk")
    world.offer("birth-benefit", "B")
    world.receipt(ReceiptState.DELIVRD)
    world.say("жоқ")
    numbers._fresh_until = 0.0
    shown = numbers.shown().decode()
    assert 'jauap_outcome_total{outcome="accepted"} 1.0' in shown
    assert 'jauap_outcome_total{outcome="declined"} 1.0' in shown


def test_an_offer_past_its_day_is_overdue_until_it_is_swept(
    world: World, clock: ManualClock
) -> None:
    world.offer("birth-benefit", "A")
    world.receipt(ReceiptState.DELIVRD)
    assert read(world.rt)["jauap_case_open_overdue", ""] == 0
    clock.advance(timedelta(hours=25))
    assert read(world.rt)["jauap_case_open_overdue", ""] == 1
    world.pass_time(timedelta())
    assert read(world.rt)["jauap_case_open_overdue", ""] == 0


def test_a_segment_that_waits_for_the_others_is_counted_once_a_message(world: World) -> None:
    for number in (1, 3):
        world.hear([world.mo(f"piece {number}", segment=SegmentOf(9, 3, number))])
    assert read(world.rt)["jauap_reassembly_pending", ""] == 1


def test_no_phone_is_ever_shown(world: World) -> None:
    world.offer("birth-benefit", "A")
    world.say("не понял")
    assert world.phone.lstrip("+") not in Numbers(world.rt).shown().decode()
