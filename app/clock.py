"""What time it is: asked once at the top of an action or a batch, then passed on as an argument.

The sandbox may run faster than the wall; the law's 24 hours stay 24 hours of the clock given here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns an aware datetime in UTC."""


def system_clock() -> datetime:
    """Now, by the machine's own clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """At `anchor_real` it was `anchor_virtual`; since then `scale` seconds pass in each real one.

    Every process of one sandbox must be given the same anchors, or their deadlines differ.
    """

    anchor_real: datetime
    anchor_virtual: datetime
    scale: float
    wall: Clock = system_clock

    def now(self) -> datetime:
        """The virtual time, aware UTC."""
        return self.at(self.wall())

    __call__ = now

    def at(self, real: datetime) -> datetime:
        """The virtual time at the real moment `real`."""
        return self.anchor_virtual + (real - self.anchor_real) * self.scale

    def real_seconds(self, virtual_seconds: float) -> float:
        """How long a wait of so many virtual seconds takes on the wall."""
        return virtual_seconds / self.scale


class ManualClock:
    """A clock that moves only when told to, for tests."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._now = start.astimezone(UTC)

    def __call__(self) -> datetime:
        return self._now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Moves forward by `by` and returns the new time; ValueError for a step back."""
        if by < timedelta(0):
            raise ValueError("time does not go back")
        self._now += by
        return self._now
