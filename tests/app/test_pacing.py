"""Offers leave no faster than their receipts can be stored, so that no reply stands behind them."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.gateway.pacing import EMPTY_S, HANDOVERS, SHORTER, Pacing, Row
from smpp.messages import Acknowledgement, Receipt, ReceiptState

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def crowded(each: float = 1.0) -> Row:
    """A row whose 50 deliveries are unacknowledged at second 1, and that has all it may have."""
    row = Row(each=each)
    row.committed(50, 50, 1.0)
    row.owed = HANDOVERS * 50
    return row


def receipts(network: str, count: int) -> list[Receipt]:
    acknowledgement = Acknowledgement(network, 0, 0, 0)
    one = Receipt(
        network, network, "", ("1",), ReceiptState.DELIVRD, "", None, NOW, acknowledgement
    )
    return [one] * count


def test_where_nothing_waits_all_there_is_room_for_may_leave() -> None:
    row = Row()
    for now, deliveries in enumerate((0, 3, 50, 1, 0, 2, 7, 0)):
        row.committed(deliveries, deliveries, float(now))
        row.left(1000)
        assert row.allowed(now + EMPTY_S) is None


def test_a_network_that_hands_over_little_at_once_is_never_crowded() -> None:
    row = Row()
    for now in range(100):
        row.committed(4, 4, float(now))
        assert row.allowed(float(now)) is None


def test_a_crowded_network_gets_no_more_than_its_row_may_hold() -> None:
    assert crowded().allowed(1.0) == 0


def test_each_receipt_stored_makes_room_for_a_segment() -> None:
    row = crowded()
    for _ in range(4):
        row.committed(50, 50, 1.0)
    assert row.allowed(1.0) == int(200 * SHORTER)


def test_long_messages_leave_by_their_segments_for_each_has_a_receipt() -> None:
    row = crowded(each=3.0)
    for _ in range(6):
        row.committed(50, 50, 1.0)
    assert row.allowed(1.0) == int(6 * 50 * SHORTER / 3)


def test_the_window_of_a_bind_that_is_gone_is_forgotten() -> None:
    row = crowded()
    for _ in range(200):
        row.committed(20, 20, 1.0)
    assert row.most == 20


def test_the_length_of_messages_is_learnt() -> None:
    row = Row()
    for _ in range(100):
        row.left(3)
    assert 2.9 < row.each <= 3


def test_claims_are_gathered_until_they_are_worth_making() -> None:
    row = crowded()
    row.committed(50, 40, 1.0)
    assert row.allowed(1.0) == 0


def test_while_people_write_as_fast_as_they_can_no_offer_leaves() -> None:
    row = crowded()
    for _ in range(100):
        row.committed(50, 0, 1.0)
        assert row.allowed(1.0) == 0


def test_a_commit_between_two_handovers_does_not_make_the_row_empty() -> None:
    row = crowded()
    row.committed(0, 0, 1.0 + EMPTY_S / 2)
    assert row.allowed(1.0 + EMPTY_S / 2) == 0


def test_offers_leave_again_as_soon_as_the_row_is_over_whatever_receipts_still_lack() -> None:
    row = crowded()
    assert row.allowed(1.0 + EMPTY_S) is None
    assert row.owed == 0


def test_a_commit_that_takes_long_does_not_make_the_row_empty() -> None:
    pacing = Pacing({"kcell": crowded()})
    pacing.begins(1.0 + EMPTY_S / 2)
    assert pacing.within({"kcell": 400}, 0, now=60.0) == {}
    pacing.committed([], [], now=60.0)
    assert pacing.within({"kcell": 400}, 0, now=60.0) == {"kcell": 400}


def test_one_network_s_row_keeps_no_other_network_waiting() -> None:
    pacing = Pacing()
    pacing.committed(receipts("kcell", 50), receipts("tele2", 3), now=1.0)
    for _ in range(1000):
        pacing.left("kcell", 1)
        pacing.left("tele2", 1)
    assert pacing.within({"kcell": 9, "tele2": 9, "altel": 9}, 0, now=1.0) == {
        "tele2": 9,
        "altel": 9,
    }


def test_now_and_then_a_few_leave_by_the_most_crowded_network() -> None:
    pacing = Pacing({"kcell": crowded()})
    assert pacing.within({"kcell": 400}, 20, now=1.0) == {"kcell": 20}


def test_what_waits_for_the_next_commit_stood_unacknowledged_too() -> None:
    pacing = Pacing()
    pacing.committed(receipts("kcell", 25), receipts("kcell", 25), now=1.0)
    assert pacing.rows["kcell"].most == 50


@given(
    st.integers(1, 5), st.lists(st.tuples(st.integers(9, 200), st.integers(0, 100)), max_size=60)
)
def test_no_more_leaves_than_was_stored_beside_what_may_wait(
    each: int, told: list[tuple[int, int]]
) -> None:
    row, stored, left, widest = Row(each=each), 0, 0, 0.0
    for replies, receipts in told:
        row.committed(replies + receipts, receipts, 1.0)
        stored += receipts
        widest = max(widest, row.most)
        allowed = row.allowed(1.0)
        for _ in range(allowed or 0):
            row.left(each)
            left += each
        assert left <= stored + HANDOVERS * widest


def test_what_keeps_a_network_from_handing_over_more_is_learnt_of_each_however_narrow() -> None:
    pacing = Pacing()
    pacing.committed(receipts("kcell", 50), receipts("tele2", 1), now=1.0)
    pacing.committed(receipts("altel", 5), [], now=1.0)
    assert [pacing.full(n) for n in ("kcell", "altel", "tele2", "new")] == [30, 3, 1, 1]
    for _ in range(300):
        pacing.committed(receipts("kcell", 10), [], now=1.0)
    assert pacing.full("kcell") == 6
