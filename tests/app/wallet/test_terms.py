"""The one working day of 214/НҚ over the holidays of 2025 to 2027, on the real calendar."""

from datetime import UTC, datetime, timedelta

import pytest

from app.calendar import ALMATY, Calendar
from app.catalogue.loader import BUILT_IN, load
from app.wallet.rules import terms

CATALOGUE = load(BUILT_IN)
CALENDAR = Calendar(CATALOGUE.swaps)
ACT = CATALOGUE.by_law("214/НҚ")


def almaty(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ALMATY)


def end_of(day: str) -> datetime:
    """The midnight that ends a day in Almaty."""
    return almaty(f"{day}T00:00").astimezone(UTC) + timedelta(days=1)


CASES = (
    ("an ordinary Monday", "2026-03-02T12:00", "2026-03-03"),
    ("one minute to midnight", "2026-03-02T23:59", "2026-03-03"),
    ("midnight itself belongs to the new day", "2026-03-03T00:00", "2026-03-04"),
    ("a Friday evening", "2026-02-27T18:30", "2026-03-02"),
    ("a Saturday", "2026-02-28T10:00", "2026-03-02"),
    ("a Thursday before the 8 March of a Sunday", "2026-03-05T17:00", "2026-03-06"),
    ("a Friday before it: the Monday is off instead", "2026-03-06T17:00", "2026-03-10"),
    ("a Friday evening before Nauryz 2026", "2026-03-20T19:00", "2026-03-26"),
    ("a Thursday evening before Nauryz 2025", "2025-03-20T19:00", "2025-03-26"),
    ("a Friday evening before Nauryz 2027", "2027-03-19T19:00", "2027-03-25"),
    ("before New Year 2026", "2025-12-31T16:00", "2026-01-05"),
    ("before New Year 2027", "2026-12-31T16:00", "2027-01-05"),
    ("before Christmas 2026", "2026-01-06T10:00", "2026-01-08"),
    ("before Unity Day 2026", "2026-04-30T10:00", "2026-05-04"),
    ("before the days of May 2026", "2026-05-06T10:00", "2026-05-08"),
    ("before Independence Day 2026", "2026-12-15T10:00", "2026-12-17"),
)


@pytest.mark.parametrize(("what", "made", "last"), CASES, ids=lambda c: str(c))
def test_the_term_ends_with_the_next_working_day(what: str, made: str, last: str) -> None:
    for code in ("notice", "decision"):
        assert terms.deadline_of(CALENDAR, ACT, code, almaty(made)) == end_of(last)


def test_a_sunday_that_the_government_made_a_working_day_counts() -> None:
    # 5 January 2025 is worked for 3 January; made on Friday the 3rd, the term ends on that Sunday.
    assert terms.deadline_of(CALENDAR, ACT, "notice", almaty("2025-01-03T10:00")) == end_of(
        "2025-01-05"
    )
    assert terms.deadline_of(CALENDAR, ACT, "notice", almaty("2025-01-05T10:00")) == end_of(
        "2025-01-06"
    )


def test_a_swapped_saturday_counts_too() -> None:
    # 1 July 2023 is worked for 7 July.
    assert terms.deadline_of(CALENDAR, ACT, "notice", almaty("2023-06-30T23:59")) == end_of(
        "2023-07-01"
    )


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_no_term_of_three_years_ends_on_a_day_that_is_not_worked(year: int) -> None:
    at = almaty(f"{year}-01-01T23:59")
    while at.year == year:
        deadline = terms.deadline_of(CALENDAR, ACT, "notice", at)
        last = (deadline - timedelta(seconds=1)).astimezone(ALMATY).date()
        assert CALENDAR.is_working_day(last) and last > at.date()
        between = at.date() + timedelta(days=1)
        assert not any(
            CALENDAR.is_working_day(between + timedelta(days=n))
            for n in range((last - between).days)
        )
        at += timedelta(days=1)


def test_the_alarm_rings_at_noon_of_the_last_day_and_the_rescue_comes_an_hour_before() -> None:
    deadline = end_of("2026-03-03")
    assert terms.alarm_at(deadline).astimezone(ALMATY).isoformat()[:16] == "2026-03-03T12:00"
    assert terms.save_at(deadline).astimezone(ALMATY).isoformat()[:16] == "2026-03-03T23:00"


def test_served_exactly_at_the_end_is_in_time() -> None:
    deadline = end_of("2026-03-03")
    assert not terms.is_overdue(deadline, deadline, deadline + timedelta(days=9))
    assert terms.is_overdue(deadline, deadline + timedelta(microseconds=1), deadline)
    assert not terms.is_overdue(deadline, None, deadline)
    assert terms.is_overdue(deadline, None, deadline + timedelta(microseconds=1))
