"""A redelivery after a lost link counts once, the same words typed twice count twice: a network
delivers again only what it does not know to be acknowledged."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from app.acceptance.echo import Echo
from app.clock import ManualClock
from app.conversation.arrivals import REDELIVERY
from app.exchange import Batch
from app.runtime import Runtime
from tests.app.world import World


@pytest.fixture
def world(rt: Runtime, clock: ManualClock) -> World:
    world = World(rt, clock)
    world.exchange.take = Echo()
    return world


def place(world: World, connection: int) -> str:
    return f"{world.exchange.gateway}:{world.network.cid}:{connection}"


def come(world: World, connection: int, *live: int, number: int | None = None) -> int:
    """The words come by a connection while others stand; how many answers there are now."""
    came = world.came(world.mo("1", user_message_reference=number))
    standing = frozenset(place(world, one) for one in live)
    world.commit(Batch(inbound=[replace(came, connection=place(world, connection), live=standing)]))
    return len(world.mts)


def read(world: World, connection: int) -> None:
    """The network is known to have read all that was acknowledged on a connection so far."""
    world.commit(Batch(read={place(world, connection): world.clock()}))


def test_what_the_network_may_not_know_to_be_acknowledged_counts_once(world: World) -> None:
    assert come(world, 1) == 1
    assert come(world, 2) == 1


def test_words_whose_acknowledgement_was_read_are_typed_anew_after_a_lost_link(
    world: World,
) -> None:
    assert come(world, 1) == 1
    read(world, 1)
    assert come(world, 2) == 2


def test_a_proof_from_before_says_nothing_of_later_words(world: World) -> None:
    assert come(world, 1) == 1
    read(world, 1)
    world.clock.advance(timedelta(seconds=1))
    assert come(world, 1) == 2
    assert come(world, 2) == 2


def test_the_same_words_by_two_connections_that_stand_count_twice(world: World) -> None:
    assert come(world, 1, 1, 2) == 1
    assert come(world, 2, 1, 2) == 2
    assert come(world, 3, 3) == 2
    assert come(world, 3, 3) == 2
    assert come(world, 3, 3) == 3


def test_each_of_two_equal_messages_is_redelivered_once(world: World) -> None:
    assert [come(world, 1), come(world, 1)] == [1, 2]
    assert [come(world, 2), come(world, 2)] == [2, 2]
    assert come(world, 2) == 3


def test_a_redelivery_that_is_not_acknowledged_either_comes_once_more(world: World) -> None:
    assert [come(world, n) for n in (1, 2, 3)] == [1, 1, 1]


def test_two_equal_messages_redelivered_in_one_batch_count_once_each(world: World) -> None:
    come(world, 1)
    come(world, 1)
    again = replace(world.came(world.mo("1")), connection=place(world, 2))
    world.commit(Batch(inbound=[again, again, again]))
    assert len(world.mts) == 3


def test_the_handset_s_own_number_says_that_it_is_the_same_message(world: World) -> None:
    assert come(world, 1, number=7) == 1
    read(world, 1)
    assert come(world, 2, number=7) == 1
    assert come(world, 2, number=8) == 2


def test_long_after_it_is_no_redelivery_unless_the_bind_has_only_just_come_back(
    world: World,
) -> None:
    assert come(world, 1) == 1
    world.clock.advance(REDELIVERY * 2)
    world.drained = False
    assert come(world, 2) == 1
    world.clock.advance(REDELIVERY * 2)
    world.drained = True
    assert come(world, 3) == 2
