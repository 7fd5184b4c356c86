"""How many messages are claimed while receipts come as fast as they can be stored.

A message centre hands over what it has in one row: receipts that we have asked for and cannot yet
take keep people's replies waiting behind them. So once the network fills its window of deliveries,
a new segment leaves for each receipt stored, and no more; the row gets shorter, never longer.
Answers to what people write leave from memory and are not held back.

Pure; told of every commit.
"""

from dataclasses import dataclass

LEAST_WINDOW = 8  # deliveries at once; below it nothing is crowded
FULL = 0.3  # of the most that were ever handed over at once
WEIGHT = 0.25  # of the last commit in the average
SHORTER = 0.9  # segments for a receipt
WORTH = 100  # segments that a claim is worth making for


@dataclass(slots=True)
class Pacing:
    """`usual` is how many deliveries a commit takes of late, `most` the most of any; `earned` is
    how many segments the receipts stored since have made room for, `each` how many a message has
    of late."""

    usual: float = 0.0
    most: int = 0
    earned: float = 0.0
    each: float = 1.0

    def committed(self, deliveries: int, receipts: int) -> None:
        """A commit took so many deliveries, `receipts` of them."""
        self.usual += (deliveries - self.usual) * WEIGHT
        self.most = max(self.most, deliveries)
        self.earned = self.earned + receipts * SHORTER if self.is_crowded else 0.0

    @property
    def is_crowded(self) -> bool:
        """Whether the network has as much waiting as it hands over at once."""
        return self.usual >= max(LEAST_WINDOW, self.most * FULL)

    def allowed(self) -> int | None:
        """How many messages a claim may take now; None: as many as there is room for."""
        if not self.is_crowded:
            return None
        return max(1, int(self.earned / self.each)) if self.earned >= WORTH else 0

    def left(self, messages: int, segments: int) -> None:
        """So many were claimed, and left in so many segments."""
        if messages and segments:
            self.each += (segments / messages - self.each) * WEIGHT
        self.earned = max(0.0, self.earned - segments)
