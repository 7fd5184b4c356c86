"""How many messages are claimed while receipts come as fast as they can be stored.

A message centre hands over what it has in one row: receipts that we have asked for and cannot yet
take keep people's replies waiting behind them. So while a network fills its window of deliveries,
only so many segments leave by it that the row stays short; each receipt stored makes room for
another. Answers to what people write leave from memory and are not held back.

Pure; told of every commit.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from smpp.messages import Heard, Receipt, is_owed

LEAST_WINDOW = 8  # deliveries at once; below it nothing is crowded
FULL = 0.6  # of the most that are unacknowledged at once
FORGETS = 0.99  # of that most, at each commit that takes fewer
EMPTY_S = 0.1  # without a full window; a commit may end before the network hands over the next
HANDOVERS = 8  # windows of deliveries that may wait: each takes a commit, some 20 ms
SHORTER = 0.95  # of a segment for a receipt: whatever stood there before us gets shorter too
WEIGHT = 0.1  # of the last message in the average


@dataclass(slots=True)
class Row:
    """What one network has waiting for us. `most` is how many of its deliveries are unacknowledged
    at once at most, `full_at` when they last were, `widest` the same where they are few; `owed` are
    the segments that left since it last had nothing waiting, less the receipts stored; `each` is
    how many segments a message has of late. Times are a loop's seconds."""

    most: float = 0.0
    widest: float = 0.0
    owed: float = 0.0
    each: float = 1.0
    full_at: float = -EMPTY_S

    def committed(self, unacknowledged: int, receipts: int, now: float) -> None:
        """A commit ends: so many deliveries stood unacknowledged, and it took so many receipts."""
        self.widest = max(self.widest * FORGETS, unacknowledged)
        if unacknowledged >= LEAST_WINDOW:  # one of its binds may be gone
            self.most = max(self.most * FORGETS, unacknowledged)
        if unacknowledged >= max(LEAST_WINDOW, self.most * FULL):
            self.full_at = now
        self.owed = max(0.0, self.owed - receipts * SHORTER)

    def is_crowded(self, now: float) -> bool:
        """Whether the network has more waiting than it hands over at once."""
        return now - self.full_at < EMPTY_S

    def left(self, segments: int) -> None:
        """A message left in so many segments."""
        self.owed += segments
        self.each += (segments - self.each) * WEIGHT

    def allowed(self, now: float) -> int | None:
        """How many messages a claim may take now; None: as many as there is room for. Less than a
        window of segments is not worth a claim."""
        if not self.is_crowded(now):
            self.owed = 0.0
            return None
        free = HANDOVERS * self.most - self.owed
        return int(free / self.each) if free >= self.most else 0


@dataclass(slots=True)
class Pacing:
    """The rows of all networks. `began_at` is when the commit began that runs now: until it ends
    no network hands over more, so that nothing new is known of any row."""

    rows: dict[str, Row] = field(default_factory=dict)
    began_at: float | None = None

    def begins(self, now: float) -> None:
        """A commit begins."""
        self.began_at = now

    def committed(self, items: Sequence[Heard], waiting: Sequence[Heard], now: float) -> None:
        """A commit of `items` ends, and `waiting` came meanwhile: together they stood
        unacknowledged at once."""
        self.began_at = None
        unacknowledged = Counter(i.network for i in chain(items, waiting) if is_owed(i))
        receipts = Counter(i.network for i in items if isinstance(i, Receipt))
        for network in {*unacknowledged, *receipts}:
            self._row(network).committed(unacknowledged[network], receipts[network], now)

    def left(self, network: str, segments: int) -> None:
        """A message left by `network` in so many segments."""
        self._row(network).left(segments)

    def within(self, room: Mapping[str, int], least: int, now: float) -> dict[str, int]:
        """Of the room by network what may be used, at least `least` each."""
        used: dict[str, int] = {}
        for network, free in room.items():
            allowed = self._row(network).allowed(self._known(now))
            use = free if allowed is None else min(free, max(allowed, least))
            if use:
                used[network] = use
        return used

    def full(self, network: str) -> int:
        """How many unacknowledged deliveries keep a network from handing over the next, or nearly
        so, as far as that is known."""
        return max(1, int(self._row(network).widest * FULL))

    def _known(self, now: float) -> float:
        return now if self.began_at is None else self.began_at

    def _row(self, network: str) -> Row:
        found = self.rows.get(network)
        if found is None:
            found = self.rows[network] = Row()
        return found
