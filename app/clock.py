"""What time it is: asked once at the top of an action or a batch, then passed on as an argument.

The sandbox may run faster than the wall; the law's 24 hours stay 24 hours of the clock given here.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
"""Returns an aware datetime in UTC."""


def system_clock() -> datetime:
    """Now, by the machine's own clock."""
    return datetime.now(UTC)


def uptime() -> float:
    """Seconds since the machine started, asleep or not; nobody can set them."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class SteadyClock:
    """The wall's time without its jumps: what is slewed is followed at once; a step is approached
    by a tenth of the time that passes, so that nothing happens early or twice because somebody
    set a clock. It never goes back. `floor` is a time that has been, as others wrote it down."""

    STEP = timedelta(seconds=1)
    DRIFT = 0.001  # NTP slews at most by half of it
    PACE = 0.1

    def __init__(
        self,
        wall: Clock | None = None,
        ticks: Callable[[], float] = uptime,
        floor: datetime | None = None,
    ) -> None:
        self._wall = wall or system_clock
        self._ticks = ticks
        self._lock = threading.Lock()
        self._tick = ticks()
        self._now = max(self._wall(), floor or datetime.min.replace(tzinfo=UTC))
        self._is_off = False

    def __call__(self) -> datetime:
        with self._lock:
            tick, wall = self._ticks(), self._wall()
            passed = timedelta(seconds=tick - self._tick)
            off = wall - self._now - passed
            now = wall
            # Nearly always it is not even a step; the rest is reckoned with only then.
            is_off = abs(off) > self.STEP and abs(off) > self.STEP + passed * self.DRIFT
            if is_off:
                most = passed * self.PACE
                now = self._now + passed + max(-most, min(most, off))
            self._tick, self._now = tick, max(now, self._now)
            if is_off != self._is_off:
                self._is_off = is_off
                self._tell(off)
            return self._now

    def _tell(self, off: timedelta) -> None:
        seconds = round(off.total_seconds(), 1)
        if self._is_off:
            log.error("clock-jumped", by_s=seconds, consequence="it is followed slowly")
        else:
            log.info("clock-agrees-again")


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
