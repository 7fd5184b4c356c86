"""Time as an argument: when to ask whether a link lives, to try again, to send the next segment.

Pure values and small state with no clock of their own: `now` is any monotonic count of seconds.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

_BURST_S: Final = 0.05  # how much unused throughput may be caught up with at once


class Due(Enum):
    """What a link's timers ask for."""

    NOTHING = "nothing"
    ENQUIRE = "enquire"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Alive:
    """enquire_link after `enquire_s` of silence; dead `response_s` after that without a PDU."""

    enquire_s: float
    response_s: float
    heard_at: float
    asked_at: float | None = None

    def heard(self, now: float) -> "Alive":
        """Any PDU from the peer proves that the link lives."""
        return Alive(self.enquire_s, self.response_s, now)

    def tick(self, now: float) -> tuple["Alive", Due]:
        """What is due at `now`; ENQUIRE is said once for each silence."""
        if now < self.due_at:
            return self, Due.NOTHING
        if self.asked_at is None:
            return replace(self, asked_at=now), Due.ENQUIRE
        return self, Due.DEAD

    @property
    def due_at(self) -> float:
        """When `tick` will have something to say if nothing is heard until then."""
        if self.asked_at is None:
            return self.heard_at + self.enquire_s
        return self.asked_at + self.response_s


@dataclass(frozen=True, slots=True)
class Backoff:
    """A pause that doubles from `first_s` up to `most_s`."""

    first_s: float
    most_s: float
    failures: int = 0

    def failed(self) -> "Backoff":
        """The next pause is twice as long."""
        return replace(self, failures=self.failures + 1)

    def succeeded(self) -> "Backoff":
        """The next pause is the first again."""
        return replace(self, failures=0)

    def pause_s(self, chance: float) -> float:
        """The pause after `failures` failures; `chance` in [0, 1) takes off up to a half, so that
        many binds do not come back in one moment."""
        doubled: float = self.first_s * 2 ** min(max(self.failures - 1, 0), 30)
        return min(doubled, self.most_s) * (1 - chance / 2)


class Bucket:
    """At most `per_second` takes a second, evenly; 0 means no limit."""

    __slots__ = ("_at", "_most", "_per_second", "_tokens")

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second * _BURST_S)
        self._tokens = 1.0
        self._at = now

    def take(self, now: float) -> bool:
        """Whether one more may go now; if so it is counted."""
        if not self._per_second:
            return True
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens -= 1
        return True

    def wait_s(self) -> float:
        """How long after the last `take` the next one will be allowed."""
        return max(0.0, (1 - self._tokens) / self._per_second) if self._per_second else 0.0


class Throttle:
    """A bind that was told to slow down: pause, one probe, a longer pause, until one goes through.

    `slowed` and `went_through` are told every answer; only the probe's answer opens the bind.
    """

    __slots__ = ("_backoff", "_probe_at", "_probing")

    def __init__(self, first_s: float, most_s: float) -> None:
        self._backoff = Backoff(first_s, most_s)
        self._probe_at: float | None = None
        self._probing: object = None

    @property
    def is_paused(self) -> bool:
        """True from the first refusal until a probe has gone through."""
        return self._probe_at is not None

    def slowed(self, token: object, now: float, chance: float) -> bool:
        """`token` was refused for the pace. True when this is what paused the bind."""
        if self.is_paused and token is not self._probing:
            return False  # sent before the pause: it says nothing new
        begins = not self.is_paused
        self._backoff = self._backoff.failed()
        self._probe_at = now + self._backoff.pause_s(chance)
        self._probing = None
        return begins

    def went_through(self, token: object) -> bool:
        """`token` was answered with anything else. True when this opens the bind again."""
        if not self.is_paused or token is not self._probing:
            return False
        self.clear()
        return True

    def lost(self, token: object, now: float, chance: float) -> None:
        """`token` got no answer: if it was the probe, another one follows after a longer pause."""
        if self.is_paused and token is self._probing:
            self.slowed(token, now, chance)

    def clear(self) -> None:
        """Nothing waits any more, or the connection is a new one."""
        self._backoff = self._backoff.succeeded()
        self._probe_at = self._probing = None

    def may_send(self, now: float) -> bool:
        """Whether a segment may go now: any while open, one probe when the pause is over."""
        return self._probe_at is None or (self._probing is None and now >= self._probe_at)

    def sent(self, token: object) -> None:
        """`token` goes out; while paused it is the probe."""
        if self.is_paused:
            self._probing = token

    def wait_s(self, now: float) -> float | None:
        """How long until a probe is due; None while none is awaited."""
        if self._probe_at is None or self._probing is not None:
            return None
        return max(0.0, self._probe_at - now)
