"""The life of a campaign as a table, and when its last message would leave. Pure."""

import math
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class CampaignState(StrEnum):
    """Where a campaign stands; the words of the API."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What can happen to a campaign."""

    SCHEDULE = "schedule"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    FINISH = "finish"


class IllegalStep(Exception):
    """A campaign in this state does not allow it."""

    def __init__(self, state: CampaignState, event: Event) -> None:
        self.state, self.event = state, event
        super().__init__(f"found {event} while {state}")


CAMPAIGN: Final[Mapping[tuple[CampaignState, Event], CampaignState]] = MappingProxyType(
    {
        (CampaignState.DRAFT, Event.SCHEDULE): CampaignState.SCHEDULED,
        (CampaignState.DRAFT, Event.START): CampaignState.RUNNING,
        (CampaignState.DRAFT, Event.CANCEL): CampaignState.CANCELLED,
        (CampaignState.SCHEDULED, Event.SCHEDULE): CampaignState.SCHEDULED,
        (CampaignState.SCHEDULED, Event.START): CampaignState.RUNNING,
        (CampaignState.SCHEDULED, Event.CANCEL): CampaignState.CANCELLED,
        (CampaignState.RUNNING, Event.PAUSE): CampaignState.PAUSED,
        (CampaignState.RUNNING, Event.CANCEL): CampaignState.CANCELLED,
        (CampaignState.RUNNING, Event.FINISH): CampaignState.DONE,
        (CampaignState.PAUSED, Event.RESUME): CampaignState.RUNNING,
        (CampaignState.PAUSED, Event.CANCEL): CampaignState.CANCELLED,
    }
)


def step(state: CampaignState, event: Event) -> CampaignState:
    """The state that follows. A pair missing from CAMPAIGN raises IllegalStep."""
    try:
        return CAMPAIGN[state, event]
    except KeyError:
        raise IllegalStep(state, event) from None


def last_out(
    start: datetime, segments: int, per_second: float, hours: tuple[time, time] | None
) -> datetime:
    """When the last of so many segments leaves, if the first may from `start` (aware, local) on and
    all leave within `hours` of each day; None: at any time."""
    left = segments / per_second
    if hours is None:
        return start + timedelta(seconds=left)
    opens, closes = hours
    day = _seconds(closes) - _seconds(opens)
    at = max(start, start.replace(hour=opens.hour, minute=opens.minute, second=0, microsecond=0))
    used = _seconds(at.timetz()) - _seconds(opens)
    if used >= day:  # over for today
        at, used = _next_opening(at, opens), 0.0
    whole = max(0, math.ceil((used + left) / day) - 1)
    opening = at.replace(hour=opens.hour, minute=opens.minute, second=0, microsecond=0)
    return opening + timedelta(days=whole, seconds=used + left - whole * day)


def _seconds(at: time) -> float:
    return at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6


def _next_opening(at: datetime, opens: time) -> datetime:
    tomorrow = at + timedelta(days=1)
    return tomorrow.replace(hour=opens.hour, minute=opens.minute, second=0, microsecond=0)
