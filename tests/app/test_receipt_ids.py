"""A network writes one id in two ways, in its response and in its receipt, and we know it again."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from app.clock import ManualClock
from app.exchange import Batch
from app.proactive.records import Offer
from app.runtime import Runtime
from smpp.messages import Receipt, ReceiptState
from smpp.receipts import candidates
from tests.app.world import World


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    world = World(rt, clock)
    world.register("Айгүл", "kk")
    world.network.answers = None
    return world


def offered(world: World) -> UUID:
    made = world.offer("birth-benefit", "Айгүл")
    assert isinstance(made, Offer)
    return made.id


def receipt(world: World, id: str) -> Batch:
    one = Receipt(
        world.network.cid, world.network.name, world.phone, candidates(id, "auto"),
        ReceiptState.DELIVRD, "000", None, world.clock(), world.network.acknowledgement(),
    )  # fmt: skip
    return Batch(receipts=[one])


@pytest.mark.parametrize("overtaken", [False, True])
@pytest.mark.parametrize(
    ("answered", "told"),
    [
        ("{:010d}", "{:d}"),
        ("{:d}", "{:010d}"),
        ("{:016X}", "{:d}"),
        ("{:012d}", "{:x}"),
        ("{:x}", "{:08X}"),
        ("{:X}", "{:08x}"),
        ("0x{:x}", "{:X}"),
        ("{:x}", "0x{:08X}"),
        ("AbC-{:d}", "ABC-{:d}"),
        ("ABC-{:d}", "abc-{:d}"),
    ],
)
def test_an_id_is_known_however_the_response_and_the_receipt_write_it(
    world: World, answered: str, told: str, overtaken: bool
) -> None:
    offer = offered(world)
    held = world.network.release()
    numbers = [0xABCDE0 + r.segment for r in held]
    results = [replace(r, smsc_id=answered.format(n)) for r, n in zip(held, numbers, strict=True)]
    receipts = [receipt(world, told.format(n)) for n in numbers]
    answers = [Batch(results=results)]
    for batch in [*receipts, *answers] if overtaken else [*answers, *receipts]:
        world.commit(batch)
    assert world.look(offer).state == "awaiting"


def test_of_two_ids_that_differ_in_their_zeros_the_one_that_is_spelled_alike_is_meant(
    world: World,
) -> None:
    offer = offered(world)
    held = world.network.release()
    ids = ["0" * r.segment + "77" for r in held]
    world.commit(Batch(results=[replace(r, smsc_id=id) for r, id in zip(held, ids, strict=True)]))
    for id in ids[1:]:
        world.commit(receipt(world, id))
        world.commit(receipt(world, id))  # it comes twice
    assert world.look(offer).state == "sent"
    world.commit(receipt(world, ids[0]))
    assert world.look(offer).state == "awaiting"
