"""Working days and opening hours in Almaty: weekends, holidays by law, government swaps as data.
Clock-hour terms, such as the 24 hours of 155/НҚ, must not be reckoned here: they know no holidays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import holidays

from app.catalogue.model import Schedule, Swap

ALMATY: Final = ZoneInfo("Asia/Almaty")
DAY: Final = timedelta(days=1)
SATURDAY: Final = 5

# The library's names depend on the host's locale and carry suffixes; these are our own, by date.
NAMES: Final = {
    (1, 1): "New Year",
    (1, 2): "New Year",
    (1, 7): "Orthodox Christmas",
    (3, 8): "International Women's Day",
    (3, 15): "Constitution Day",
    (3, 21): "Nauryz",
    (3, 22): "Nauryz",
    (3, 23): "Nauryz",
    (5, 1): "Unity Day",
    (5, 7): "Defender of the Fatherland Day",
    (5, 9): "Victory Day",
    (7, 6): "Capital Day",
    (8, 30): "Constitution Day",
    (10, 25): "Republic Day",
    (12, 16): "Independence Day",
}
MOVABLE: Final = "Kurban ait, its date set each year"
MOVABLE_IN_LIBRARY: Final = "Eid al-Adha"
# strftime("%a") depends on the host's locale.
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

WEEKDAY_HOURS: Final = {
    Schedule.ORDINARY: (time(9), time(18)),
    Schedule.DUTY: (time(9), time(20)),
}
DUTY_SATURDAY: Final = (time(9), time(13))


class Why(StrEnum):
    """Why a day is not worked."""

    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    TRANSFERRED = "holiday moved from a day off"
    SWAPPED = "day off moved by a government act"


class DayOff(NamedTuple):
    """A day that is not worked: the reason, and the holiday or the act where one is known."""

    why: Why
    name: str

    def __str__(self) -> str:
        return f"{self.why} ({self.name})" if self.name else str(self.why)


class Opening(NamedTuple):
    """One day's opening hours, local time in Almaty."""

    day: date
    open: time
    close: time


class _Year(NamedTuple):
    by_law: frozenset[date]  # holidays on their own dates
    moved: frozenset[date]  # working days lost to a holiday that fell on a day off
    swapped: frozenset[date]  # days off by act that the library already knows
    worked: frozenset[date]  # weekend days made working days that it already knows


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working calendar of the five-day week. `swaps` come from the catalogue and win over the
    library, which learns of a yearly act late or never."""

    swaps: tuple[Swap, ...] = ()

    def is_working_day(self, day: date) -> bool:
        """True where the five-day week works that day."""
        return self.day_off(day) is None

    def day_off(self, day: date) -> DayOff | None:
        """Why the day is not worked; None where it is."""
        for swap in self.swaps:
            if swap.worked == day:
                return None
            if swap.off == day:
                return DayOff(Why.SWAPPED, swap.act)
        year = _year(day.year)
        if day in year.worked:
            return None
        if day in year.by_law:
            return DayOff(Why.HOLIDAY, NAMES.get((day.month, day.day), MOVABLE))
        if day in year.moved:
            return DayOff(Why.TRANSFERRED, "")
        if day in year.swapped:
            return DayOff(Why.SWAPPED, "")
        return DayOff(Why.WEEKEND, "") if day.weekday() >= SATURDAY else None

    def next_working_day(self, day: date) -> date:
        """The first working day after that day."""
        return self._step(day, DAY)

    def previous_working_day(self, day: date) -> date:
        """The last working day before that day; for terms such as "by the 5th"."""
        return self._step(day, -DAY)

    def add_working_days(self, start: date, n: int) -> date:
        """The n-th working day after `start`, which itself does not count; 0 gives `start`."""
        if n < 0:
            raise ValueError(f"found {n} working days, expected 0 or more")
        for _ in range(n):
            start = self.next_working_day(start)
        return start

    def deadline_of_working_days(self, at: datetime, n: int) -> datetime:
        """The end of the n-th working day after the day of `at` in Almaty: its midnight, in UTC.
        What is done exactly then is in time."""
        last = self.add_working_days(local_date(at), n)
        return datetime.combine(last + DAY, time(), ALMATY).astimezone(UTC)

    def explain_working_days(self, at: datetime, n: int) -> tuple[str, ...]:
        """The same reckoning in lines: every day counted, every day skipped and why."""
        start = local_date(at)
        last = self.add_working_days(start, n)
        lines = [f"starts: {shown(at)}; {_named(start)} itself does not count"]
        counted = 0
        for day in _days(start + DAY, last):
            off = self.day_off(day)
            counted += off is None
            lines.append(f"{_named(day)}: " + (f"skipped, {off}" if off else f"day {counted}"))
        deadline = self.deadline_of_working_days(at, n)
        return (*lines, f"ends: {shown(deadline)}, the end of {_named(last)}")

    def opening_hours(self, schedule: str, day: date) -> tuple[time, time] | None:
        """When a branch is open that day, or None (order 52, clause 3). A Saturday is open for
        duty sections unless a holiday or an act closes it; a worked weekend day is a weekday."""
        schedule = Schedule(schedule)
        off = self.day_off(day)
        if off is None:
            return WEEKDAY_HOURS[schedule]
        plain_saturday = off.why is Why.WEEKEND and day.weekday() == SATURDAY
        return DUTY_SATURDAY if schedule is Schedule.DUTY and plain_saturday else None

    def next_opening(self, schedule: str, at: datetime) -> Opening:
        """Where the branch is still to close that day, that day's hours; else those of the next
        day it opens. `at` is any aware time; the hours are local."""
        local = in_almaty(at)
        today = self.opening_hours(schedule, local.date())
        if today and local.time() < today[1]:
            return Opening(local.date(), *today)
        day = local.date() + DAY
        while (hours := self.opening_hours(schedule, day)) is None:
            day += DAY
        return Opening(day, *hours)

    def _step(self, day: date, by: timedelta) -> date:
        day += by
        while not self.is_working_day(day):
            day += by
        return day


def in_almaty(at: datetime) -> datetime:
    """An aware time on the clocks of the whole country, UTC+5 since 1 March 2024."""
    if at.tzinfo is None:
        raise ValueError(f"found a time without a zone, {at}, expected an aware one")
    return at.astimezone(ALMATY)


def local_date(at: datetime) -> date:
    """The date in Almaty at that moment."""
    return in_almaty(at).date()


def shown(at: datetime) -> str:
    """A moment as the explanations print it: in UTC, and on the clock in Almaty."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z ({in_almaty(at):%Y-%m-%d %H:%M:%S} Almaty)"


@lru_cache(maxsize=64)
def _year(year: int) -> _Year:
    """The library's facts about one year. Only the movable feast is known by its name there."""
    official = holidays.country_holidays("KZ", years=year, language="en_US")
    plain = holidays.country_holidays("KZ", years=year, language="en_US", observed=False)
    feasts = {day for day, name in plain.items() if name.startswith(MOVABLE_IN_LIBRARY)}
    by_law = frozenset(d for d in plain if d in feasts or (d.month, d.day) in NAMES)
    return _Year(
        by_law=by_law,
        moved=frozenset(official) - frozenset(plain),
        swapped=frozenset(plain) - by_law,
        worked=frozenset(d for d in official.weekend_workdays if d.year == year),
    )


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _named(day: date) -> str:
    return f"{day.isoformat()} {WEEKDAYS[day.weekday()]}"
