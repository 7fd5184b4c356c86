"""Offers leave no faster than their receipts can be stored, so that no reply stands behind them."""

from hypothesis import given
from hypothesis import strategies as st

from app.gateway.pacing import SHORTER, WORTH, Pacing


def crowded() -> Pacing:
    pacing = Pacing()
    for _ in range(20):
        pacing.committed(50, 50)
    pacing.left(10**6, 10**6)
    return pacing


def test_where_nothing_waits_all_there_is_room_for_may_leave() -> None:
    pacing = Pacing()
    for deliveries in (0, 3, 50, 1, 0, 2, 7, 0):
        pacing.committed(deliveries, deliveries)
        assert pacing.allowed() is None


def test_a_network_that_hands_over_little_at_once_is_never_crowded() -> None:
    pacing = Pacing()
    for _ in range(100):
        pacing.committed(4, 4)
    assert pacing.allowed() is None


def test_a_crowded_network_gets_no_more_offers_than_receipts_were_stored() -> None:
    pacing = crowded()
    assert pacing.allowed() == 0
    for _ in range(4):
        pacing.committed(50, 50)
    assert pacing.allowed() == int(200 * SHORTER)
    pacing.left(int(200 * SHORTER), int(200 * SHORTER))
    assert pacing.allowed() == 0


def test_claims_are_gathered_until_they_are_worth_making() -> None:
    pacing = crowded()
    pacing.committed(50, 50)
    assert 0 < pacing.earned < WORTH
    assert pacing.allowed() == 0


def test_while_people_write_as_fast_as_they_can_no_offer_leaves() -> None:
    pacing = crowded()
    for _ in range(100):
        pacing.committed(50, 0)
        assert pacing.allowed() == 0


def test_offers_leave_again_as_soon_as_the_row_is_short() -> None:
    pacing = crowded()
    for _ in range(5):
        pacing.committed(2, 2)
    assert pacing.allowed() is None


def test_long_messages_leave_by_their_segments_for_each_has_a_receipt() -> None:
    pacing = crowded()
    for _ in range(40):
        pacing.left(100, 300)
    for _ in range(12):
        pacing.committed(50, 50)
    assert pacing.allowed() == int(12 * 50 * SHORTER / 3)


@given(
    st.integers(1, 5), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 100)), max_size=60)
)
def test_no_more_leaves_than_was_earned(each: int, told: list[tuple[int, int]]) -> None:
    pacing, receipts_stored, claimed = Pacing(each=each), 0, 0
    for replies, receipts in told:
        pacing.committed(replies + receipts, receipts)
        receipts_stored += receipts
        allowed = pacing.allowed()
        if allowed is not None:
            claimed += allowed * each
            pacing.left(allowed, allowed * each)
        assert claimed <= receipts_stored
