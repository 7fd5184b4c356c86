"""Responses and receipts that come together are stored together, and end as if they had not."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace as replace_fields
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.clock import ManualClock
from app.exchange import Batch, receipts, submits
from app.exchange.delivered import find
from app.ledger.remembered import MOST, Remembered
from app.ledger.segments import Submitted, append
from app.proactive.actions import delivering
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import Acknowledgement, Receipt, ReceiptState, SubmitOutcome, SubmitResult
from tests.app.town import town
from tests.app.world import World
from tests.conftest import NOON

RACE = "rows as they were loaded"


def asked(rt: Runtime, clock: ManualClock) -> tuple[World, UUID, list[SubmitResult]]:
    """A world whose phone is asked; the responses to the question's segments are held back."""
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    world.network.answers = None
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    return world, made.id, world.network.release()


def receipt(world: World, *ids: str, **more: object) -> Receipt:
    one = Receipt(
        world.network.cid, world.network.name, world.phone, ids, ReceiptState.DELIVRD, "000",
        None, world.clock(), Acknowledgement(world.network.cid, 1, 1, 5),
    )  # fmt: skip
    return replace(one, **more)


def receipts_of(world: World, answers: Sequence[SubmitResult]) -> list[Receipt]:
    return [receipt(world, answer.smsc_id) for answer in answers]


def found(world: World, answers: Sequence[SubmitResult], came: Sequence[Receipt]) -> int:
    """How many messages are beyond doubt; whatever is not is left in its order."""
    claimed = world.exchange.memory.claimed
    numbered = [(UUID(a.message_id), a) for a in answers]
    whole, others = find(claimed, numbered, came, receipts.window(world.rt))
    told = {id(r) for d in whole for r in d.receipts}
    assert others == [r for r in came if id(r) not in told]
    return len(whole)


def segments(world: World) -> list[tuple[object, ...]]:
    """What the ledger holds of the question's segments."""
    query = """SELECT number, smsc_id, outcome, receipt, receipt_at FROM segments
        WHERE network = :network ORDER BY number, attempt"""
    rows = world.rows(query, network=world.network.name)
    return [(r.number, r.smsc_id[-1:], r.outcome, r.receipt, r.receipt_at) for r in rows]


def test_a_question_is_stored_with_its_receipts(rt: Runtime, clock: ManualClock) -> None:
    world, offer, answers = asked(rt, clock)
    came = receipts_of(world, answers)
    done = world.exchange.commit(Batch(results=answers, receipts=came))
    assert set(done.receipts_of) == {UUID(answers[0].message_id)}
    assert world.look(offer).state == "awaiting"
    assert world.look(offer).deadline == world.clock() + timedelta(hours=24)
    assert [row[3] for row in segments(world)] == ["DELIVRD"] * len(answers)


def test_what_is_beyond_doubt_is_found(rt: Runtime, clock: ManualClock) -> None:
    world, _, answers = asked(rt, clock)
    came = receipts_of(world, answers)
    assert found(world, answers, came) == 1
    assert found(world, answers, came[::-1]) == 1
    assert found(world, answers, [*came, receipt(world, "77", phone="+77019999999")]) == 1


DOUBTS: dict[str, Callable[[World, list[SubmitResult], list[Receipt]], object]] = {
    "no response": lambda w, a, r: found(w, [], r),
    "a response too few": lambda w, a, r: found(w, a[1:], r),
    "a receipt too few": lambda w, a, r: found(w, a, r[1:]),
    "a receipt twice": lambda w, a, r: found(w, a, [*r, replace(r[0])]),
    "a receipt twice and none of another": lambda w, a, r: found(w, a, [*r[1:], replace(r[1])]),
    "a receipt of either": lambda w, a, r: found(
        w, a, [replace(r[0], message_ids=(a[0].smsc_id, a[1].smsc_id)), *r[1:]]
    ),
    "another spelling": lambda w, a, r: found(
        w, a, [replace(r[0], message_ids=("0" + a[0].smsc_id,)), *r[1:]]
    ),
    "another network": lambda w, a, r: found(w, a, [replace(one, network="x") for one in r]),
    "no state": lambda w, a, r: found(w, a, [*r[1:], replace(r[0], state=ReceiptState.UNKNOWN)]),
    "not delivered": lambda w, a, r: found(
        w, a, [*r[1:], replace(r[0], state=ReceiptState.UNDELIV)]
    ),
    "another reference": lambda w, a, r: found(
        w, a, [*r[1:], replace(r[0], user_message_reference=99)]
    ),
    "long before": lambda w, a, r: found(
        w, a, [*r[1:], replace(r[0], received_at=r[0].received_at - timedelta(hours=1))]
    ),
    "days after": lambda w, a, r: found(
        w, a, [*r[1:], replace(r[0], received_at=r[0].received_at + timedelta(days=4))]
    ),
    "not taken": lambda w, a, r: found(
        w, [*a[1:], replace(a[0], outcome=SubmitOutcome.RETRY_NOW)], r
    ),
    "late": lambda w, a, r: found(w, [replace(one, is_late=True) for one in a], r),
    "no id": lambda w, a, r: found(w, [*a[1:], replace(a[0], smsc_id="")], r),
    "an id that ends a unit": lambda w, a, r: found(
        w,
        [*a[1:], replace(a[0], smsc_id="1\x1f0")],
        [*r[1:], replace(r[0], message_ids=("1\x1f0",))],
    ),
    "one id for all": lambda w, a, r: found(
        w, [replace(one, smsc_id="1") for one in a], [replace(one, message_ids=("1",)) for one in r]
    ),
    "a segment twice": lambda w, a, r: found(w, [*a[1:], replace(a[0], segment=a[1].segment)], r),
    "another message too": lambda w, a, r: found(
        w, [*a, replace(a[0], message_id=str(UUID(int=1)))], r
    ),
    "a message of somebody else": lambda w, a, r: found(
        w, [replace(one, message_id=str(UUID(int=1))) for one in a], r
    ),
}


@pytest.mark.parametrize("doubt", DOUBTS.values(), ids=DOUBTS.keys())
def test_where_there_is_any_doubt_receipts_are_matched(
    rt: Runtime, clock: ManualClock, doubt: Callable[..., int]
) -> None:
    world, _, answers = asked(rt, clock)
    assert len(answers) > 1
    came = receipts_of(world, answers)
    assert found(world, answers, came) == 1
    assert doubt(world, answers, came) == 0


def test_a_message_that_is_sent_again_is_matched(rt: Runtime, clock: ManualClock) -> None:
    world, _, answers = asked(rt, clock)
    came = receipts_of(world, answers)
    claimed = world.exchange.memory.claimed
    message = claimed[UUID(answers[0].message_id)]
    for other in (replace(message, attempts=2), replace(message, doubts=1)):
        claimed[message.id] = other
        assert found(world, answers, came) == 0


@st.composite
def courses(draw: st.DrawFn) -> list[list[str]]:
    """What may come of a message of two segments, in batches: "a1" is the answer to the first,
    "r1" its receipt, "e1" one that says it is on its way, "u1" one that it failed."""
    kinds = ["r1", "r2", "r1", "r2", "e1", "u2"]
    receipts = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))
    course = draw(st.permutations(["a1", "a2", *receipts]))
    if draw(st.booleans()):  # as networks have it: what was answered first
        course.sort(key=lambda deed: deed[0] != "a")
    cuts = sorted(draw(st.sets(st.integers(1, len(course) - 1), max_size=3)))
    return [course[a:b] for a, b in zip([0, *cuts], [*cuts, len(course)], strict=True)]


STATES = {"r": ReceiptState.DELIVRD, "e": ReceiptState.ENROUTE, "u": ReceiptState.UNDELIV}


def after(
    rt: Runtime, clock: ManualClock, course: Sequence[Sequence[str]], *, is_again: bool
) -> dict[str, object]:
    """What the ledger says after a course; `is_again` takes nothing for granted at any time."""
    world, offer, answers = asked(rt, clock)
    assert len(answers) == 2
    for deeds in course:
        clock.advance(timedelta(seconds=1))
        results = [answers[int(deed[1]) - 1] for deed in deeds if deed[0] == "a"]
        came = [
            receipt(world, answers[int(deed[1]) - 1].smsc_id, state=STATES[deed[0]])
            for deed in deeds
            if deed[0] != "a"
        ]
        batch = Batch(results=results, receipts=came)
        if is_again:
            done = world.exchange.once(batch, is_again=True)
        else:
            done = world.exchange.commit(batch)
        assert len(done.receipts_of) == len(came)
    stands = world.look(offer)
    states = "SELECT state, doubts FROM outbox WHERE network = :network ORDER BY seq"
    orphans = "SELECT 1 FROM orphan_receipts WHERE network = :network"
    return {
        "state": stands.state,
        "deadline": stands.deadline,
        "journal": [entry.kind for entry in world.journal(offer)],
        "events": world.events(offer),
        "segments": segments(world),
        "outbox": [(r.state, r.doubts) for r in world.rows(states, network=world.network.name)],
        "orphans": len(world.rows(orphans, network=world.network.name)),
    }


def test_whatever_comes_together_ends_as_if_it_had_been_matched(rt: Runtime) -> None:
    @given(course=courses())
    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    def ends_alike(course: list[list[str]]) -> None:
        together = after(rt, ManualClock(NOON), course, is_again=False)
        assert together == after(rt, ManualClock(NOON), course, is_again=True)

    ends_alike()


@pytest.mark.provokes(RACE)
def test_a_receipt_that_may_mean_an_older_segment_is_matched(
    rt: Runtime, clock: ManualClock
) -> None:
    """An id read in two ways names two messages: an error to be counted, never a guess."""
    world, _, answers = asked(rt, clock)
    world.say("Бұл қай өтініш?")
    older = [replace(r, smsc_id="abc0") for r in world.network.release()[:1]]
    assert older
    world.exchange.commit(Batch(results=older))
    answers = [replace(a, smsc_id=f"{n}") for n, a in enumerate(answers, start=0xABC0)]
    came = [receipt(world, a.smsc_id, f"{int(a.smsc_id):x}") for a in answers]
    assert found(world, answers, came) == 1
    world.exchange.commit(Batch(results=answers, receipts=came))
    assert world.exchange.memory.ambiguous[world.network.cid] == 1
    assert [row[3] for row in segments(world)].count("DELIVRD") == len(answers) - 1


@pytest.mark.provokes(RACE)
def test_a_segment_that_the_ledger_has_already_is_matched(rt: Runtime, clock: ManualClock) -> None:
    """Its response was committed, but nobody heard that it was."""
    world, offer, answers = asked(rt, clock)
    claimed = dict(world.exchange.memory.claimed)
    world.exchange.commit(Batch(results=answers))
    world.exchange.memory.claimed |= claimed
    came = receipts_of(world, answers)
    assert found(world, answers, came) == 1
    world.exchange.commit(Batch(results=answers, receipts=came))
    assert world.look(offer).state == "awaiting"


@pytest.mark.provokes(RACE)
def test_what_is_uncertain_is_counted_once(rt: Runtime, clock: ManualClock) -> None:
    """Somebody else's words in the batch are heard once, though it runs twice."""
    world, offer, answers = asked(rt, clock)
    world.exchange.commit(
        Batch(receipts=[receipt(world, answers[0].smsc_id, state=ReceiptState.ENROUTE)])
    )
    other = World(rt, clock)
    words = replace(other.mo("абвгд"), network=world.network.name, cid=world.network.cid)
    stray = receipt(world, "nobodys", phone="+77019999998")
    came = receipts_of(world, answers)
    assert found(world, answers, came) == 1
    before = world.exchange.memory.orphans[world.network.cid]
    batch = Batch([world.came(words)], receipts=[*came, stray], results=answers)
    world.exchange.commit(batch)
    assert len(world.exchange.guard.answered[rt.vault.index("phone", other.phone)]) == 1
    assert world.exchange.memory.orphans[world.network.cid] == before + 1
    assert world.look(offer).state == "awaiting"


@pytest.mark.provokes(RACE)
def test_an_offer_that_another_process_has_changed_since_it_was_sent_is_loaded(
    rt: Runtime, clock: ManualClock
) -> None:
    world, offer, answers = asked(rt, clock)
    with replace_fields(rt, remembered=Remembered()).unit() as unit:
        delivering.noted(unit, [(offer, "message-unknown", {})])
    world.exchange.commit(Batch(results=answers, receipts=receipts_of(world, answers)))
    assert world.look(offer).state == "awaiting"
    kinds = [entry.kind for entry in world.journal(offer)]
    assert kinds == ["made", "submitted", "message-unknown", "received"]


def test_housekeeping_takes_no_offer_for_what_it_was(rt: Runtime, clock: ManualClock) -> None:
    """Receipts wait here, another gateway stores the responses, a third process has changed the
    offer meanwhile: nobody would try that again."""
    world, offer, answers = asked(rt, clock)
    world.exchange.commit(Batch(receipts=receipts_of(world, answers)))
    with replace_fields(rt, remembered=Remembered()).unit() as unit:
        found = submits.of_outbox(answers)
        numbers = [(m, r.segment, r.total, r.smsc_id) for m, r in found]
        index = rt.vault.index("phone", world.phone)
        rows = [
            Submitted(
                m, 1, number, total, world.network.cid, world.network.name, index, smsc_id, 0,
                SubmitOutcome.ACCEPTED, world.clock(), None,
            )
            for m, number, total, smsc_id in numbers
        ]  # fmt: skip
        append(unit.tx, rows)
        delivering.noted(unit, [(offer, "message-unknown", {})])
    world.exchange.tidy()
    assert world.look(offer).state == "awaiting"


def test_what_happens_here_to_an_offer_that_was_sent_is_no_race(
    rt: Runtime, clock: ManualClock
) -> None:
    """Its words prove that it was received, before the receipts do."""
    world, offer, answers = asked(rt, clock)
    world.exchange.commit(Batch(results=answers))
    world.exchange.commit(Batch(inbound=[world.came(world.mo("абвгд"))]))
    world.exchange.commit(Batch(receipts=receipts_of(world, answers)))
    assert world.look(offer).state == "awaiting"


def test_so_many_are_remembered_and_each_is_taken_once(rt: Runtime, clock: ManualClock) -> None:
    world, offer, _ = asked(rt, clock)
    one = world.look(offer)
    several = [replace_fields(one, id=UUID(int=n)) for n in range(1, MOST + 3)]
    kept = Remembered()
    kept.add(several)
    assert kept.take([UUID(int=2), UUID(int=4)]) is None  # the first two are forgotten
    assert kept.take([UUID(int=3), UUID(int=5)]) == {o.id: o for o in (several[2], several[4])}
    assert kept.take([UUID(int=3)]) is None
    kept.forget([UUID(int=6)])
    assert kept.take([UUID(int=6)]) is None


def test_a_response_whose_receipt_does_not_come_is_stored_soon_and_when_the_gateway_stops(
    rt: Runtime,
) -> None:
    stored = "SELECT DISTINCT phone_index FROM segments WHERE outcome = 'accepted'"

    async def play() -> None:
        async with town(rt) as place:
            # numbers of which the simulator sends no receipts
            await place.offer(["+77015550501", "+77015550502"])
            await place.until(lambda: len(place.rows(stored)) == 2, "two heartbeats")
            await place.offer(["+77015550503"])
            took = place.simulator.counts.submitted
            await place.until(lambda: place.simulator.counts.submitted > took, "it left")
            await place.stop()
            assert len(place.rows(stored)) == 3

    asyncio.run(play())
