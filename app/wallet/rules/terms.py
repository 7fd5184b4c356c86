"""The one working day of 214/НҚ, clauses 4 and 7: until when, when to alarm, when to save it."""

from datetime import datetime, timedelta
from typing import Final

from app.calendar import Calendar, local_date
from app.catalogue.model import ByLaw

WORKING_DAYS: Final = 1
ALARM_LEAD: Final = timedelta(hours=12)
"""The alarm rings at noon of the last day, while people are at work who can do something."""
SAVE_LEAD: Final = timedelta(hours=1)
"""So long before the end, what could not leave by SMS is placed in the cabinet instead."""


def deadline_of(calendar: Calendar, act: ByLaw, code: str, counted_from: datetime) -> datetime:
    """The last moment for a notice ("notice", clause 4) or the notice of a decision ("decision",
    clause 7): the end, in Almaty, of the next working day. Exactly then is in time."""
    term = act.term_on(code, local_date(counted_from))
    days = WORKING_DAYS if term is None or term.working_days is None else term.working_days
    return calendar.deadline_of_working_days(counted_from, days)


def alarm_at(deadline: datetime) -> datetime:
    """From when on a notice that has not been served is an alarm."""
    return deadline - ALARM_LEAD


def save_at(deadline: datetime) -> datetime:
    """When the cabinet stands in for an SMS that has not left."""
    return deadline - SAVE_LEAD


def is_overdue(deadline: datetime, served_at: datetime | None, now: datetime) -> bool:
    """Whether the term was broken: served too late, or not served though it is over."""
    return (now if served_at is None else served_at) > deadline
