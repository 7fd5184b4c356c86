"""Working days as the official calendars of 2025–2027 have them, and the hours of the branches."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendar import ALMATY, Calendar, Why, in_almaty, local_date
from app.catalogue.model import Schedule, Swap

PLAIN = Calendar()
DAY = timedelta(days=1)

# Every weekday that is not worked; weekends apart.
WEEKDAYS_OFF = {
    2025: "01-01 01-02 01-03 01-07 03-10 03-21 03-24 03-25 05-01 05-07 05-09 06-06 07-07 09-01"
    " 10-27 12-16",
    2026: "01-01 01-02 01-07 03-09 03-23 03-24 03-25 05-01 05-07 05-11 05-27 07-06 10-26 12-16",
    2027: "01-01 01-04 01-07 03-08 03-15 03-22 03-23 03-24 05-03 05-07 05-10 07-06 10-25 12-16",
}
WEEKENDS_WORKED = {2025: "01-05", 2026: "", 2027: ""}


def days_of(year: int, text: str) -> set[date]:
    return {date.fromisoformat(f"{year}-{day}") for day in text.split()}


def year_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + n * DAY for n in range(366) if (first + n * DAY).year == year]


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_the_days_off_of_the_year_are_the_official_ones(year: int) -> None:
    off = {d for d in year_of(year) if d.weekday() < 5 and not PLAIN.is_working_day(d)}
    worked = {d for d in year_of(year) if d.weekday() >= 5 and PLAIN.is_working_day(d)}
    assert off == days_of(year, WEEKDAYS_OFF[year])
    assert worked == days_of(year, WEEKENDS_WORKED[year])


def test_constitution_day_left_august_in_2026_and_comes_to_march_in_2027() -> None:
    assert not PLAIN.is_working_day(date(2025, 9, 1))
    assert PLAIN.is_working_day(date(2026, 8, 31))
    assert PLAIN.is_working_day(date(2027, 8, 30))
    assert str(PLAIN.day_off(date(2027, 3, 15))) == "holiday (Constitution Day)"


@pytest.mark.parametrize(
    ("day", "why", "name"),
    [
        (date(2026, 3, 8), Why.HOLIDAY, "International Women's Day"),
        (date(2026, 3, 9), Why.TRANSFERRED, ""),
        (date(2026, 5, 27), Why.HOLIDAY, "Kurban ait, its date set each year"),
        (date(2025, 1, 3), Why.SWAPPED, ""),
        (date(2026, 3, 14), Why.WEEKEND, ""),
    ],
)
def test_a_day_off_says_why(day: date, why: Why, name: str) -> None:
    assert PLAIN.day_off(day) == (why, name)


def test_christmas_and_kurban_ait_are_not_moved_to_a_working_day() -> None:
    assert date(2024, 1, 7).weekday() == 6
    assert PLAIN.is_working_day(date(2024, 1, 8))
    assert date(2027, 5, 16).weekday() == 6
    assert PLAIN.is_working_day(date(2027, 5, 17))


def test_a_government_act_moves_days_both_ways_and_wins_over_the_library() -> None:
    act = Swap("an act", off=date(2027, 7, 5), worked=date(2027, 7, 3))
    swapped = Calendar((act, Swap("another", worked=date(2027, 7, 6))))
    assert str(swapped.day_off(date(2027, 7, 5))) == "day off moved by a government act (an act)"
    assert swapped.is_working_day(date(2027, 7, 3))
    assert swapped.is_working_day(date(2027, 7, 6))
    assert PLAIN.is_working_day(date(2027, 7, 5))


def test_working_days_are_counted_from_the_day_after() -> None:
    friday = date(2026, 3, 6)
    assert PLAIN.add_working_days(friday, 0) == friday
    assert PLAIN.add_working_days(friday, 1) == date(2026, 3, 10)
    assert PLAIN.add_working_days(date(2026, 3, 20), 1) == date(2026, 3, 26)
    assert PLAIN.next_working_day(date(2026, 3, 7)) == date(2026, 3, 10)
    assert PLAIN.previous_working_day(date(2026, 1, 5)) == date(2025, 12, 31)
    with pytest.raises(ValueError, match="expected 0 or more"):
        PLAIN.add_working_days(friday, -1)


days = st.dates(date(2025, 1, 1), date(2027, 12, 1))


@given(days, st.integers(0, 15), st.integers(0, 15))
def test_counting_in_two_goes_gives_the_same_day(start: date, a: int, b: int) -> None:
    there = PLAIN.add_working_days(PLAIN.add_working_days(start, a), b)
    assert there == PLAIN.add_working_days(start, a + b)


@given(days)
def test_the_next_working_day_is_worked_and_nothing_between_is(start: date) -> None:
    following = PLAIN.next_working_day(start)
    assert PLAIN.is_working_day(following)
    between = [start + n * DAY for n in range(1, (following - start).days)]
    assert not any(PLAIN.is_working_day(day) for day in between)
    if PLAIN.is_working_day(start):
        assert PLAIN.previous_working_day(following) == start


def test_one_working_day_ends_at_midnight_in_almaty() -> None:
    friday_evening = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
    assert PLAIN.deadline_of_working_days(friday_evening, 1) == datetime(
        2026, 3, 10, 19, tzinfo=UTC
    )


def test_the_day_of_the_event_is_the_day_in_almaty() -> None:
    already_tuesday = datetime(2026, 3, 10, 19, 0, tzinfo=UTC) - DAY
    assert local_date(already_tuesday) == date(2026, 3, 10)
    assert PLAIN.deadline_of_working_days(already_tuesday, 1) == datetime(
        2026, 3, 11, 19, tzinfo=UTC
    )


def test_the_reckoning_names_every_day_and_why_it_was_skipped() -> None:
    assert PLAIN.explain_working_days(datetime(2026, 3, 6, 10, tzinfo=UTC), 2) == (
        "starts: 2026-03-06 10:00:00Z (2026-03-06 15:00:00 Almaty);"
        " 2026-03-06 Fri itself does not count",
        "2026-03-07 Sat: skipped, weekend",
        "2026-03-08 Sun: skipped, holiday (International Women's Day)",
        "2026-03-09 Mon: skipped, holiday moved from a day off",
        "2026-03-10 Tue: day 1",
        "2026-03-11 Wed: day 2",
        "ends: 2026-03-11 19:00:00Z (2026-03-12 00:00:00 Almaty), the end of 2026-03-11 Wed",
    )


def test_the_zone_data_knows_the_single_zone_of_2024() -> None:
    before = datetime(2024, 2, 29, 12, tzinfo=ZoneInfo("Asia/Almaty"))
    after = datetime(2024, 3, 1, 12, tzinfo=ZoneInfo("Asia/Almaty"))
    assert before.utcoffset() == timedelta(hours=6)
    assert after.utcoffset() == timedelta(hours=5)
    assert datetime(2027, 7, 1, tzinfo=ALMATY).utcoffset() == timedelta(hours=5)


def test_a_time_without_a_zone_is_our_bug() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        in_almaty(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("schedule", "day", "hours"),
    [
        (Schedule.ORDINARY, date(2026, 3, 5), (time(9), time(18))),
        (Schedule.DUTY, date(2026, 3, 5), (time(9), time(20))),
        (Schedule.ORDINARY, date(2026, 3, 14), None),
        (Schedule.DUTY, date(2026, 3, 14), (time(9), time(13))),
        (Schedule.DUTY, date(2026, 3, 15), None),
        (Schedule.DUTY, date(2026, 1, 3), (time(9), time(13))),  # worked, though off on five days
        (Schedule.DUTY, date(2026, 3, 21), None),  # a Saturday, and Nauryz
        (Schedule.DUTY, date(2026, 5, 9), None),  # a Saturday, and Victory Day
        (Schedule.DUTY, date(2026, 5, 11), None),
        (Schedule.ORDINARY, date(2026, 12, 16), None),
        (Schedule.ORDINARY, date(2025, 1, 5), (time(9), time(18))),  # a Sunday worked by act
    ],
)
def test_branches_open_as_order_52_says(
    schedule: Schedule, day: date, hours: tuple[time, time] | None
) -> None:
    assert PLAIN.opening_hours(schedule, day) == hours
    assert PLAIN.opening_hours(schedule.value, day) == hours


@pytest.mark.parametrize(
    ("schedule", "at", "opening"),
    [
        ("ordinary", (2026, 3, 5, 8, 0), (date(2026, 3, 5), time(9), time(18))),
        ("ordinary", (2026, 3, 5, 17, 59), (date(2026, 3, 5), time(9), time(18))),
        ("ordinary", (2026, 3, 5, 18, 0), (date(2026, 3, 6), time(9), time(18))),
        ("duty", (2026, 3, 5, 19, 30), (date(2026, 3, 5), time(9), time(20))),
        ("duty", (2026, 3, 6, 21, 0), (date(2026, 3, 7), time(9), time(13))),
        ("duty", (2026, 3, 7, 13, 0), (date(2026, 3, 10), time(9), time(20))),
        ("ordinary", (2026, 3, 20, 19, 0), (date(2026, 3, 26), time(9), time(18))),
    ],
)
def test_the_next_opening_is_today_while_the_branch_is_still_to_close(
    schedule: str, at: tuple[int, int, int, int, int], opening: tuple[date, time, time]
) -> None:
    assert PLAIN.next_opening(schedule, datetime(*at, tzinfo=ALMATY)) == opening


def test_an_unknown_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match="nightly"):
        PLAIN.opening_hours("nightly", date(2026, 3, 5))
