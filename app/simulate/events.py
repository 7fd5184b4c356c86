"""What is going to happen, by its virtual time; of two things at one time the earlier planned
happens first, so that a run can be repeated."""

from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heappop, heappush
from typing import Any


class What(IntEnum):
    """What happens."""

    RESULTS = 0  # the network answered all segments of a message
    RECEIPT = 1
    MO = 2
    HANDSET = 3  # a whole message is on a handset: nobody but its owner knows
    UNSENT = 4  # a message had not left when its link went down
    LOOK = 5  # there may be something to send
    DUE = 6  # something may have fallen due
    STATE = 7  # a bind changes its state
    PROPOSE = 8  # the provider proposes


ALONE = frozenset({What.STATE, What.PROPOSE})
"""These have a transaction of their own."""

Event = tuple[float, int, What, Any]


@dataclass(slots=True)
class Agenda:
    """All that is going to happen."""

    heap: list[Event] = field(default_factory=list)
    planned: int = 0
    looks: set[tuple[float, What]] = field(default_factory=set)

    def add(self, t: float, what: What, about: Any = None) -> None:
        """Plans something at `t`."""
        if what is What.LOOK or what is What.DUE:
            if (t, what) in self.looks:
                return
            self.looks.add((t, what))
        self.planned += 1
        heappush(self.heap, (t, self.planned, what, about))

    def take(self, most: int, span: float) -> list[Event]:
        """The next events, at most so many, within `span` seconds; one of ALONE comes by itself."""
        if not self.heap:
            return []
        if self.heap[0][2] in ALONE:
            return [heappop(self.heap)]
        until = self.heap[0][0] + span
        taken: list[Event] = []
        while self.heap and len(taken) < most:
            t, _, what, _ = self.heap[0]
            if t > until or what in ALONE:
                break
            taken.append(heappop(self.heap))
            if what is What.LOOK or what is What.DUE:
                self.looks.discard((t, what))
        return taken
