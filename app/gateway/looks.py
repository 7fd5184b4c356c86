"""When the outbox is worth a look: each costs a trip, and most responses to submits only make room
for what is not there.

Pure; times are a loop's seconds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

LOOK_S = 0.25  # a wake-up may be lost, and what rested falls due


@dataclass(slots=True)
class Looks:
    """What is known of the outbox: `dry` are the networks for whose bulk the last looks found
    nothing, `seen` those that had any room at the last. `rests` says that room alone is no reason
    to look, so that nobody need be woken by it."""

    is_asked: bool = True
    dry: set[str] = field(default_factory=set)
    seen: frozenset[str] = frozenset()
    rests: bool = False
    looked_at: float = 0.0

    def ask(self) -> None:
        """There may be something."""
        self.is_asked, self.rests = True, False
        self.dry.clear()

    def is_late(self, now: float) -> bool:
        """Whether nobody has looked for long."""
        return now - self.looked_at >= LOOK_S

    def is_worth(self, room: Mapping[str, int], bulk: Mapping[str, int], now: float) -> bool:
        """Whether to look now, with so much room by network, and for bulk. What has fallen due
        while a network had none leaves with the first that it has."""
        if not room:
            self.rests = False
            return False
        fresh = bulk.keys() - self.dry or room.keys() - self.seen
        return self.is_asked or self.is_late(now) or bool(fresh)

    def begins(self, room: Mapping[str, int], now: float) -> None:
        """A look begins, with so much room."""
        self.is_asked, self.looked_at, self.seen = False, now, frozenset(room)

    def ends(
        self, found: int, bulk: Mapping[str, int], networks: Collection[str], *, has_more: bool
    ) -> None:
        """It found so many, of all that `networks` have and as far as there was room for bulk;
        `has_more`: not all that goes before bulk, for want of room."""
        if has_more:
            self.ask()
        elif found:
            self.rests = False
            self.dry.clear()
        else:
            self.dry |= bulk.keys()
            known = self.dry & self.seen
            self.rests = not self.is_asked and known.issuperset(networks)
