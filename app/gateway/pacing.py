"""How many offers may leave while receipts come as fast as they can be stored.

A message centre hands over what it has in one row: receipts that we have asked for and cannot yet
take keep people's replies waiting behind them. So once the network fills its window of deliveries,
a new offer leaves for each receipt stored, and no more; the row gets shorter, never longer.

Pure; told of every commit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LEAST_WINDOW = 8  # deliveries at once; below it nothing is crowded
FULL = 0.5  # of the most that were ever handed over at once
WEIGHT = 0.25  # of the last commit in the average
SHORTER = 0.9  # offers for a receipt
WORTH = 100  # offers that a claim is worth making for


@dataclass(slots=True)
class Pacing:
    """`usual` is how many deliveries a commit takes of late, `most` the most of any; `earned` is
    how many offers the receipts stored since have made room for."""

    usual: float = 0.0
    most: int = 0
    earned: float = 0.0

    def committed(self, deliveries: int, receipts: int) -> None:
        """A commit took so many deliveries, `receipts` of them."""
        self.usual += (deliveries - self.usual) * WEIGHT
        self.most = max(self.most, deliveries)
        self.earned = self.earned + receipts * SHORTER if self.is_crowded else 0.0

    @property
    def is_crowded(self) -> bool:
        """Whether the network has as much waiting as it hands over at once."""
        return self.usual >= max(LEAST_WINDOW, self.most * FULL)

    def take(self, room: Mapping[str, int]) -> dict[str, int]:
        """By network, how many offers may leave now of the `room` there is for them."""
        if not self.is_crowded:
            return dict(room)
        if self.earned < WORTH:
            return {}
        taken: dict[str, int] = {}
        for network, free in room.items():
            allowed = min(free, int(self.earned))
            if allowed:
                taken[network] = allowed
                self.earned -= allowed
        return taken
