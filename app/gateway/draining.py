"""Which networks have handed over what they kept for us, so that nothing more is to come of it.

What was refused comes again: until then, and for the drain grace after, nothing that its bind may
bring is taken for heard.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.runtime import Runtime
from smpp.link import Link
from smpp.messages import Acknowledgement


@dataclass(slots=True)
class Draining:
    """By cid, what was refused last and how often. Times are a loop's seconds."""

    rt: Runtime
    refused: Counter[str] = field(default_factory=Counter)
    _refused_at: dict[str, float] = field(default_factory=dict)

    def refuse(self, acknowledgements: Sequence[Acknowledgement], now: float) -> None:
        """Networks are told to keep these."""
        for acknowledgement in acknowledgements:
            self._refused_at[acknowledgement.cid] = now
            self.refused[acknowledgement.cid] += 1

    def is_drained(self, link: Link, now: float) -> bool:
        """Bound, and nothing refused, for longer than the drain grace: what was stuck in the
        network has come."""
        if not link.is_bound or link.up_since is None or link.bind.bind == "transmitter":
            return False
        grace = self.rt.settings.sending.drain_grace
        refused_at = self._refused_at.get(link.bind.cid)
        if refused_at is not None and now - refused_at < grace:
            return False
        up = self.rt.real_seconds((self.rt.clock() - link.up_since).total_seconds())
        return up >= grace
