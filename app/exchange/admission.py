"""Whether an offer may go out now: only where it can be answered, and annulled, in order.

Pure: facts and times in, words out. Answers and what the law orders us to say always leave.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.calendar import ALMATY, in_almaty, shown
from app.configuration import SendingHours
from app.ledger.outages import Outage

WINDOW = timedelta(hours=24)  # 155/НҚ, clause 4
# A question needs so long to be received: one sent later would meet the outage on its way, and the
# day of one received later would end in it.
LEAD = timedelta(minutes=15)
LOOK_AHEAD = timedelta(days=31)  # hours of no length never open, and nobody plans further


class Why(StrEnum):
    """Why an offer waits."""

    QUIET_HOURS = "quiet-hours"
    OUTAGE = "outage"
    CLOSES_IN_OUTAGE = "closes-in-outage"


@dataclass(frozen=True, slots=True)
class Held:
    """Offers wait until `until`; `words` say so to an engineer."""

    why: Why
    until: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Admission:
    """What is known of the time ahead: the hours in which offers may leave (None: always) and the
    planned outages."""

    hours: SendingHours | None = None
    outages: Sequence[Outage] = ()

    def held(self, network: str | None, now: datetime) -> Held | None:
        """Why an offer to `network` may not leave now, and until when nothing at all is in its
        way any more, at most `LOOK_AHEAD` ahead; None where it may. A network of None may turn
        out to be any."""
        first = self._reason(network, now)
        if first is None:
            return None
        until = first.until
        while until - now < LOOK_AHEAD and (later := self._reason(network, until)) is not None:
            until = later.until
        return Held(first.why, until, first.words)

    def _reason(self, network: str | None, at: datetime) -> Held | None:
        return next((h for h in self._reasons(network, at) if h.until > at), None)

    def _reasons(self, network: str | None, at: datetime) -> Iterator[Held]:
        for outage in self.outages:
            if outage.concerns(network):
                yield from _of_outage(outage, at)
        if self.hours is not None:
            yield from _of_hours(self.hours, at)


def _of_outage(outage: Outage, at: datetime) -> Iterator[Held]:
    ours = f"{outage.network} is away from {shown(outage.starts_at)} to {shown(outage.ends_at)}"
    if outage.starts_at - LEAD <= at < outage.ends_at:
        words = f"{ours}: nobody could answer"
        yield Held(Why.OUTAGE, outage.ends_at, words)
    elif outage.starts_at - LEAD <= at + WINDOW < outage.ends_at:
        words = f"{ours}: the 24 hours would end in it"
        yield Held(Why.CLOSES_IN_OUTAGE, outage.ends_at - WINDOW, words)


def _of_hours(hours: SendingHours, at: datetime) -> Iterator[Held]:
    local = in_almaty(at)
    if hours.start <= local.time() < hours.end:
        return
    day = local.date() + timedelta(days=local.time() >= hours.end)
    opens = datetime.combine(day, hours.start, ALMATY).astimezone(at.tzinfo)
    yield Held(Why.QUIET_HOURS, opens, f"offers leave at {hours}, Asia/Almaty")
