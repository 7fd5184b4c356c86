"""The times of one campaign: seconds since its start and back, outages, quiet hours, nights."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import exp, log
from random import Random

from app.calendar import ALMATY, DAY, in_almaty
from app.simulate.campaign import Campaign, Delay

Z95 = 1.6448536269514722  # of the normal distribution
LEAD_S = 900.0  # before a planned outage nothing leaves any more (app.exchange.admission)
WINDOW_S = 86_400.0
LONGEST = 3.0
DAYS_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Away:
    """A network is away from `start` to before `end`, in seconds since the campaign's start."""

    start: float
    end: float
    planned: bool


@dataclass(slots=True)
class Times:
    """Turns seconds into moments. `away` are each network's outages, merged and in order."""

    campaign: Campaign
    away: dict[str, list[Away]] = field(init=False)
    edges: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.away = {n.name: _merged(self._of(n.name)) for n in self.campaign.networks}
        self.edges = sorted(set(self._edges()))

    def when(self, t: float) -> datetime:
        """The moment `t` seconds after the start, aware UTC."""
        return self.campaign.starts_at.astimezone(UTC) + timedelta(seconds=t)

    def seconds(self, at: datetime) -> float:
        """Seconds from the start to `at`."""
        return (at - self.campaign.starts_at).total_seconds()

    def outage(self, network: str, t: float) -> Away | None:
        """The outage that the network is in."""
        return next((a for a in self.away[network] if a.start <= t < a.end), None)

    def next_outage(self, network: str, t: float) -> Away | None:
        """The outage it is in, or the next one."""
        return next((a for a in self.away[network] if t < a.end), None)

    def next_edge(self, t: float) -> float:
        """When offers may next begin or cease to leave; far away where that never changes."""
        return next((e for e in self.edges if e > t), t + DAYS_AHEAD * WINDOW_S)

    def is_quiet(self, at: datetime) -> bool:
        """Whether offers must not leave at that moment."""
        hours = self.campaign.hours
        return hours is not None and not hours.start <= in_almaty(at).time() < hours.end

    def awake(self, t: float, chance: Random) -> float:
        """`t`, or some time after waking up where people sleep then."""
        wakes, sleeps = self.campaign.people.awake
        local = in_almaty(self.when(t))
        if wakes <= local.time() < sleeps:
            return t
        day = local.date() + (DAY if local.time() >= sleeps else timedelta(0))
        morning = datetime.combine(day, wakes, local.tzinfo)
        return self.seconds(morning) + chance.expovariate(1 / 2400.0)

    def _of(self, network: str) -> Iterator[Away]:
        for one in self.campaign.outages:
            if one.concerns(network):
                yield Away(self.seconds(one.starts_at), self.seconds(one.ends_at), one.planned)

    def _edges(self) -> Iterator[float]:
        for aways in self.away.values():
            for one in aways:
                yield from (one.start, one.end)
                if one.planned:
                    for edge in (one.start - LEAD_S, one.end):
                        yield from (edge, edge - WINDOW_S)
        if self.campaign.hours is not None:
            first = in_almaty(self.campaign.starts_at).date()
            for days in range(DAYS_AHEAD):
                for edge_of_day in (self.campaign.hours.start, self.campaign.hours.end):
                    yield self.seconds(datetime.combine(first + days * DAY, edge_of_day, ALMATY))


def _merged(aways: Iterator[Away]) -> list[Away]:
    """Outages that overlap are one; it is announced only where each of them was."""
    found: list[Away] = []
    for one in sorted(aways, key=lambda a: a.start):
        if found and one.start <= found[-1].end:
            last = found.pop()
            end = max(last.end, one.end)
            one = Away(last.start, end, last.planned and one.planned)
        found.append(one)
    return found


def drawn(delay: Delay, chance: Random) -> float:
    """Seconds, log-normal; never more than three times what 95 of 100 stay under, for the longest
    of a hundred thousand would be weeks."""
    if delay.p95 == delay.median:
        return delay.median
    seconds = delay.median * exp(chance.gauss(0.0, 1.0) * log(delay.p95 / delay.median) / Z95)
    return min(seconds, LONGEST * delay.p95)


def ceil_minute(at: datetime) -> datetime:
    """The whole minute that is not before `at`: done dates have no seconds, and doubt lengthens
    the recipient's time."""
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + timedelta(minutes=1)
