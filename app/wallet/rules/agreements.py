"""Other systems and what binds them (214/НҚ, clauses 8 to 11): those of state bodies and of the
quasi-state sector exchange and synchronise; third ones read what their agreement names, to the end
of its last day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from app.calendar import ALMATY
from app.catalogue.model import Refusal

WARN: Final = timedelta(days=30)
LATEST: Final = date(9000, 12, 31)  # no agreement lasts longer


class Class(StrEnum):
    """What a system is: clause 9 has the first two, clause 10 the third."""

    STATE = "state"
    QUASI_STATE = "quasi-state"
    THIRD = "third"


@dataclass(frozen=True, slots=True)
class Terms:
    """What binds a system: its class, the measures it may see (none named: all) and its end."""

    kind: Class
    measures: Sequence[str]
    ends_at: datetime | None


ENDED: Final = Refusal("agreement", "214:10", "gate.agreement.ended")
OUTSIDE: Final = Refusal("agreement", "214:10", "gate.agreement.scope")


def ends_at(last_day: date) -> datetime:
    """The end of an agreement's last day in Almaty: its keys stop at that midnight. No later than
    LATEST, for calendars end too."""
    last_day = min(last_day, LATEST)
    return datetime.combine(last_day + timedelta(days=1), time(), ALMATY).astimezone(UTC)


def may(terms: Terms | None, measure: str, now: datetime, *, writes: bool) -> Refusal | None:
    """Why a system may not exchange about a measure now. Third ones only read."""
    if terms is None:
        return OUTSIDE
    if terms.ends_at is not None and terms.ends_at <= now:
        return ENDED
    if writes and terms.kind is Class.THIRD:
        return OUTSIDE
    is_named = measure in terms.measures or (not terms.measures and terms.kind is not Class.THIRD)
    return None if is_named else OUTSIDE


def standing(end: datetime | None, now: datetime) -> str:
    """ "open" without an end or far from it, "ending" in its last thirty days, then "ended"."""
    if end is None or end - now > WARN:
        return "open"
    return "ending" if end > now else "ended"
