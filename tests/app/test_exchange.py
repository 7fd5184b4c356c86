"""What one batch must withstand: poisoned messages, receipts that cannot be theirs, lost memory."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.clock import ManualClock
from app.conversation import records
from app.exchange import Batch
from app.ledger.encryption import Vault
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import Inbound, Receipt, ReceiptState, SegmentOf, SubmitOutcome
from tests.app.world import World
from tests.conftest import NOON

POISON = {
    "a NUL": "иә\x00",
    "only NULs": "\x00" * 70,
    "half a character": "\ud83d",
    "the other half first": "\udc00\ud800 иә",
    "ten thousand characters": "иә " * 3333 + "!",
    "ten thousand letters": "а" * 10_000,
    "ten thousand signs": "?!" * 5_000,
    "emoji": "👍🏽👨‍👩‍👧‍👦🇰🇿",
    "marks without letters": "\u0301" * 300,
    "right to left": "\u202eәи\u202c",
    "nothing to see": "\u200b\ufeff\u00ad\u2060",
    "no characters at all": "\ufffe\uffff\U0010ffff",
    "private letters": "\ue000\uf8ff",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x85\u2028",
    "braces and percents": "{service} %s %(x)s {{}} \\x00 '; DROP TABLE offers; --",
    "digits of all scripts": "１ ١ ۱ १ ① 1️⃣",
    "empty": "",
}


def asked(rt: Runtime, clock: ManualClock) -> tuple[World, Offer]:
    """A world whose phone has been asked and has received the question."""
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    world.receipt(ReceiptState.DELIVRD)
    return world, made


def kept(world: World, offer: Offer) -> list[bytes]:
    """The octets that the case's journal keeps of what was said."""
    vault = world.rt.vault
    sealed = [e.evidence for e in world.journal(offer.id) if e.evidence is not None]
    return [vault.open(evidence, offer.id.bytes)[16:] for evidence in sealed]


@pytest.mark.parametrize("words", POISON.values(), ids=POISON.keys())
def test_a_poisoned_reply_is_kept_and_spoils_nothing(
    rt: Runtime, clock: ManualClock, words: str
) -> None:
    world, offer = asked(rt, clock)
    neighbour, other = asked(rt, clock)
    poisoned, plain = world.mo(words), neighbour.mo("иә")
    batch = Batch(inbound=[world.came(poisoned), neighbour.came(plain)])
    world.commit(batch)
    assert kept(world, offer) == [poisoned.raw]
    assert neighbour.look(other.id).state == "accepted"
    assert world.look(offer.id).state == "awaiting"


@pytest.mark.parametrize("words", POISON.values(), ids=POISON.keys())
def test_a_poisoned_word_that_nobody_asked_for_is_kept(
    rt: Runtime, clock: ManualClock, words: str
) -> None:
    world = World(rt, clock)
    message = world.mo(words)
    world.hear([message])
    [row] = world.rows("SELECT id, octets FROM heard WHERE cid = :cid", cid=message.cid)
    assert rt.vault.open(bytes(row.octets), row.id.bytes) == message.raw


@pytest.mark.parametrize("words", POISON.values(), ids=POISON.keys())
def test_poison_in_a_segment_waits_like_any_other(
    rt: Runtime, clock: ManualClock, words: str
) -> None:
    world, offer = asked(rt, clock)
    first = world.mo(words, segment=SegmentOf(9, 2, 1))
    world.hear([first])
    assert kept(world, offer) == []
    last = world.mo("да нет", segment=SegmentOf(9, 2, 2))
    world.hear([last])
    assert kept(world, offer) == [first.raw + last.raw]


def odd(world: World) -> list[Inbound]:
    """PDUs whose other fields are odd."""
    plain = world.mo("иә")
    return [
        replace(plain, sender="", from_phone=False),
        replace(plain, sender="Kaspi\xff\x80", from_phone=False),
        replace(plain, sender="\udcff", from_phone=False),
        replace(plain, sender="1" * 21, from_phone=False),
        replace(plain, destination="", data_coding=255),
        replace(plain, raw=b"", text=""),
        replace(plain, raw=bytes(range(256)) * 200, text=None),
        replace(plain, user_message_reference=65_535),
        replace(plain, segment=SegmentOf(65_535, 255, 255)),
        replace(plain, segment=SegmentOf(0, 2, 1), text=None, raw=b"\xd8"),
    ]


def test_odd_fields_spoil_no_batch(rt: Runtime, clock: ManualClock) -> None:
    world = World(rt, clock)
    messages = odd(world)
    world.commit(Batch(inbound=[world.came(m) for m in messages]))
    parts = world.rows("SELECT 1 FROM parts WHERE network = :n", n=world.network.name)
    assert len(world.heard()) + len(parts) == len(messages)


def test_no_text_at_all_breaks_a_batch(rt: Runtime) -> None:
    @given(words=st.lists(st.text(st.characters(), max_size=80), min_size=1, max_size=12))
    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    def kept_one_by_one(words: Sequence[str]) -> None:
        world = World(rt, ManualClock(NOON))
        world.commit(Batch(inbound=[world.came(world.mo(w)) for w in words]))
        assert len(world.heard()) == len(words)

    kept_one_by_one()


def test_a_receipt_far_older_than_its_response_is_another_messages(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    ids = [f"{world.network.name}{n}" for n in (1, 2)]  # what the network will use again
    old = [
        Receipt(
            world.network.cid, world.network.name, world.phone, (i,), ReceiptState.DELIVRD, "000",
            None, clock(), world.network.acknowledgement(),
        )
        for i in ids
    ]  # fmt: skip
    world.commit(Batch(receipts=old))
    world.pass_time(timedelta(days=2))
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    assert world.mts[0].ids == tuple(ids)
    assert world.look(made.id).state == "sent"


def test_the_key_of_a_message_tells_nothing_without_the_vault(
    rt: Runtime, clock: ManualClock
) -> None:
    message = World(rt, clock).mo("1")
    other = Vault(bytes(32))
    assert records.mo_key(rt.vault, message) != records.mo_key(other, message)
    assert records.mo_key(rt.vault, message) == records.mo_key(rt.vault, message)


def test_a_response_is_taken_by_a_gateway_that_forgot_the_message(
    rt: Runtime, clock: ManualClock
) -> None:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    world.network.answers = None
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    late = world.network.release()
    world.die()
    world.network.answers = SubmitOutcome.ACCEPTED
    world.commit(Batch(results=late))
    world.receipt(ReceiptState.DELIVRD)
    assert world.look(made.id).state == "awaiting"


def test_a_batch_of_many_phones_is_one_batch(rt: Runtime, clock: ManualClock) -> None:
    worlds = [asked(rt, clock) for _ in range(12)]
    first = worlds[0][0]
    words = ["иә", "жоқ", "ок", "да", "2", "1"] * 2
    heard = [world.came(world.mo(word)) for (world, _), word in zip(worlds, words, strict=True)]
    first.commit(Batch(inbound=heard))
    states = [str(world.look(offer.id).state) for world, offer in worlds]
    assert states == ["accepted", "declined", "awaiting", "accepted", "declined", "accepted"] * 2
