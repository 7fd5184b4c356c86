"""What nothing depends on is stored while people's words are judged, and ends as ever."""

from collections.abc import Sequence
from dataclasses import replace as replace_fields
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.clock import ManualClock
from app.exchange import Batch
from app.exchange.delivered import Delivered
from app.ledger.statements import Tx
from app.runtime import Runtime
from smpp.messages import Receipt, ReceiptState, SubmitResult
from tests.app.test_delivered import RACE, asked, receipt, receipts_of, segments
from tests.app.world import World
from tests.conftest import NOON


def helped(rt: Runtime, clock: ManualClock) -> tuple[World, UUID, SubmitResult]:
    """A phone that was asked, wrote something unclear and was sent help; the response to that."""
    world, offer, answers = asked(rt, clock)
    world.exchange.commit(Batch(results=answers, receipts=receipts_of(world, answers)))
    world.commit(Batch(inbound=[world.came(world.mo("абвгд"))]))
    [answer] = world.network.release()
    return world, offer, answer


def acknowledged(world: World, answers: Sequence[SubmitResult]) -> list[Receipt]:
    """Their receipts, acknowledged before they are stored."""
    return [receipt(world, a.smsc_id, acknowledgement=None, about=a.message_id) for a in answers]


def batch_of(world: World, answer: SubmitResult) -> Batch:
    """The help arrived, and the question is answered."""
    came = acknowledged(world, [answer])
    return Batch(inbound=[world.came(world.mo("1"))], results=[answer], receipts=came)


def what_is_known(world: World, offer: UUID) -> dict[str, object]:
    states = "SELECT kind, state FROM outbox WHERE network = :network ORDER BY seq"
    return {
        "state": world.look(offer).state,
        "journal": [entry.kind for entry in world.journal(offer)],
        "events": world.events(offer),
        "segments": sorted(segments(world), key=repr),
        "outbox": [(r.kind, r.state) for r in world.rows(states, network=world.network.name)],
    }


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_reply_beside_it_ends_as_if_one_had_come_after_the_other(
    rt: Runtime, attempt: int
) -> None:
    """Whether it is stored in whole, or the receipt of one that was sent again is matched."""
    ends: list[dict[str, object]] = []
    for is_again in (False, True):
        world, offer, answer = helped(rt, ManualClock(NOON))
        claimed, message_id = world.exchange.memory.claimed, UUID(answer.message_id)
        claimed[message_id] = replace(claimed[message_id], attempts=attempt)
        done = world.exchange.once(batch_of(world, answer), is_again=is_again)
        assert done.receipts_of == [message_id]
        assert [m.kind for m in done.to_submit] == ["offer.accepted"]
        assert message_id not in claimed
        ends.append(what_is_known(world, offer))
    assert ends[0]["state"] == "accepted"
    assert ends[0] == ends[1]


def test_nobody_who_replies_waits_for_it(
    rt: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a reply is judged by is read before it leaves, in the trips that it takes anyway."""
    world, _, answer = helped(rt, clock)
    trips: list[list[str]] = []
    fetch = Tx._fetch

    def seen(tx: Tx) -> None:
        trips.append([said._query.decode().split()[0] for said in tx._said])
        fetch(tx)

    monkeypatch.setattr(Tx, "_fetch", seen)
    world.exchange.commit(batch_of(world, answer))
    looked_up, written = trips
    assert "UPDATE" not in looked_up
    assert written[0] == "UPDATE"
    assert written[-1] == "COMMIT"


@pytest.mark.provokes(RACE)
def test_where_it_is_uncertain_after_all_people_are_heard_once(
    rt: Runtime, clock: ManualClock
) -> None:
    """The batch runs twice, with what somebody wrote who is asked nothing."""
    world, offer, answer = helped(rt, clock)
    early = receipt(world, answer.smsc_id, state=ReceiptState.ENROUTE)
    world.exchange.commit(Batch(receipts=[early]))
    other = World(rt, clock)
    words = replace(other.mo("абвгд"), network=world.network.name, cid=world.network.cid)
    batch = batch_of(world, answer)
    world.exchange.commit(replace_fields(batch, inbound=[*batch.inbound, world.came(words)]))
    assert len(world.exchange.guard.answered[rt.vault.index("phone", other.phone)]) == 1
    assert world.look(offer).state == "accepted"
    assert {row[3] for row in segments(world)} == {"DELIVRD"}


def test_what_may_change_anything_is_not_plain(rt: Runtime, clock: ManualClock) -> None:
    world, _, answers = asked(rt, clock)
    message = world.exchange.memory.claimed[UUID(answers[0].message_id)]
    came = acknowledged(world, answers)
    plain = Delivered(message, tuple(answers), tuple(came))
    assert plain.is_plain
    assert not replace(plain, receipts=tuple(receipts_of(world, answers))).is_plain
    assert not replace(plain, receipts=(*came[1:], receipt(world, "a"))).is_plain
    assert not replace(plain, message=replace(message, network="another")).is_plain
    assert not replace(plain, message=replace(message, refused=("another",))).is_plain
