"""Offers leave no faster than their receipts can be stored, so that no reply stands behind them."""

from hypothesis import given
from hypothesis import strategies as st

from app.gateway.pacing import SHORTER, WORTH, Pacing

ROOM = {"kcell": 400, "beeline": 400}


def crowded() -> Pacing:
    pacing = Pacing()
    for _ in range(20):
        pacing.committed(50, 50)
    pacing.take(ROOM)
    pacing.earned = 0.0
    return pacing


def test_where_nothing_waits_all_there_is_room_for_may_leave() -> None:
    pacing = Pacing()
    for deliveries in (0, 3, 50, 1, 0, 2, 7, 0):
        pacing.committed(deliveries, deliveries)
        assert pacing.take(ROOM) == ROOM


def test_a_network_that_hands_over_little_at_once_is_never_crowded() -> None:
    pacing = Pacing()
    for _ in range(100):
        pacing.committed(4, 4)
    assert pacing.take(ROOM) == ROOM


def test_a_crowded_network_gets_no_more_offers_than_receipts_were_stored() -> None:
    pacing = crowded()
    assert pacing.take(ROOM) == {}
    for _ in range(4):
        pacing.committed(50, 50)
    assert sum(pacing.take(ROOM).values()) == int(200 * SHORTER)
    assert pacing.take(ROOM) == {}


def test_claims_are_gathered_until_they_are_worth_making() -> None:
    pacing = crowded()
    pacing.committed(50, 50)
    assert 0 < pacing.earned < WORTH
    assert pacing.take(ROOM) == {}


def test_while_people_write_as_fast_as_they_can_no_offer_leaves() -> None:
    pacing = crowded()
    for _ in range(100):
        pacing.committed(50, 0)
        assert pacing.take(ROOM) == {}


def test_offers_leave_again_as_soon_as_the_row_is_short() -> None:
    pacing = crowded()
    for _ in range(5):
        pacing.committed(2, 2)
    assert pacing.take(ROOM) == ROOM


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 100)), max_size=60))
def test_it_never_gives_more_room_than_there_is(told: list[tuple[int, int]]) -> None:
    pacing = Pacing()
    for replies, receipts in told:
        pacing.committed(replies + receipts, receipts)
        given_ = pacing.take(ROOM)
        assert all(0 < given_[n] <= ROOM[n] for n in given_)
        assert pacing.earned >= 0.0
