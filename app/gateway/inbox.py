"""What was heard and has not yet gone into the ledger: people go before machines.

A commit costs as much for one receipt as for sixteen, and while it runs everybody waits. Nobody
waits for a receipt or a response, so those gather: until they are worth a commit, or some
milliseconds have passed, or somebody writes whom they are about, for a reply is judged by what
came before it. A response that the network took a segment waits longer still, for the receipt: what
comes together is stored once (`app.exchange.delivered`). It goes with whatever comes of its phone,
or with the second heartbeat. A receipt on which nothing depends waits beside it, acknowledged
(`app.gateway.acknowledging`), and both go with the next commit.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from smpp.messages import (
    BindState,
    Heard,
    Inbound,
    QueryResult,
    Receipt,
    SubmitOutcome,
    SubmitResult,
    is_of_reference,
    is_owed,
)

GATHER_S = 0.01  # two commits of a few rows
WORTH = 16  # a commit of so many costs little more than one of a single one
Kept = SubmitResult | Receipt
_MACHINES = frozenset({Receipt, SubmitResult})


@dataclass(slots=True)
class Kinds:
    """What was heard, by its kind, each in its order."""

    inbound: list[Inbound] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    results: list[SubmitResult] = field(default_factory=list)
    states: list[BindState] = field(default_factory=list)
    queried: list[QueryResult] = field(default_factory=list)

    @classmethod
    def of(cls, items: Sequence[Heard]) -> "Kinds":
        """In one pass: most are responses and receipts."""
        kinds = cls()
        for item in items:
            if isinstance(item, SubmitResult):
                kinds.results.append(item)
            elif isinstance(item, Receipt):
                kinds.receipts.append(item)
            elif isinstance(item, Inbound):
                kinds.inbound.append(item)
            elif isinstance(item, BindState):
                kinds.states.append(item)
            else:
                kinds.queried.append(item)
        return kinds


@dataclass(slots=True)
class Inbox:
    """In the order of arrival; times are a loop's seconds. `has_more`: `take` left some for want
    of room. `ripe_at` is when what gathers is taken however few it is, None where nothing does.
    `overtaken` are phones whose receipts came before their responses, since the last heartbeat."""

    items: list[Heard] = field(default_factory=list)
    has_more: bool = False
    ripe_at: float | None = None
    overtaken: set[str] = field(default_factory=set)
    _kept: dict[str, list[Kept]] = field(default_factory=dict)
    _kept_long: dict[str, list[Kept]] = field(default_factory=dict)
    _kept_count: int = 0
    _received: dict[str, None] = field(default_factory=dict)  # phones of which receipts are kept

    def __len__(self) -> int:
        return len(self.items) + self._kept_count

    @property
    def is_heard(self) -> bool:
        """Whether nothing is left of what networks have handed over and wait for our answer to,
        nor of what their binds do."""
        return all(isinstance(item, Kept) and not is_owed(item) for item in self.items)

    def add(self, item: Heard) -> None:
        """Something came."""
        self.items.append(item)

    def may_keep(self, response: SubmitResult) -> bool:
        """Whether nothing is to be done about a response before its receipt, which has not come."""
        is_taken = response.outcome is SubmitOutcome.ACCEPTED and not response.is_late
        return is_taken and response.phone not in self.overtaken

    def keep(self, response: SubmitResult) -> None:
        """A response came that may wait for its receipt."""
        self._keep(self._kept, response)

    def response_to(self, receipt: Receipt) -> SubmitResult | None:
        """The response that waits for this receipt, where no other that waits could be meant."""
        found = [
            item
            for by_phone in (self._kept, self._kept_long)
            for item in by_phone.get(receipt.phone, ())
            if isinstance(item, SubmitResult)
            and item.network == receipt.network
            and item.smsc_id in receipt.message_ids
        ]
        if len(found) != 1 or not is_of_reference(receipt, found[0]):
            return None
        return found[0]

    def keep_received(self, receipt: Receipt) -> None:
        """A receipt came that has been acknowledged: it goes with its response, when there is a
        commit for others."""
        self._received[receipt.phone] = None
        is_long = receipt.phone in self._kept_long
        self._keep(self._kept_long if is_long else self._kept, receipt)

    def received(self) -> set[str]:
        """The messages of which receipts have been acknowledged that no commit has taken."""
        kept = chain.from_iterable((*self._kept.values(), *self._kept_long.values()))
        return {i.about for i in chain(self.items, kept) if isinstance(i, Receipt) and i.about}

    def _keep(self, by_phone: dict[str, list[Kept]], item: Kept) -> None:
        by_phone.setdefault(item.phone, []).append(item)
        self._kept_count += 1

    def let_go(self, *, everything: bool = False) -> None:
        """A heartbeat: what was kept since before the last one waits no longer, or `everything`."""
        for by_phone in (self._kept_long, self._kept) if everything else (self._kept_long,):
            for phone, kept in by_phone.items():
                self.items += kept
                self._kept_count -= len(kept)
                self._received.pop(phone, None)
            by_phone.clear()
        self._kept, self._kept_long = self._kept_long, self._kept
        self.overtaken.clear()

    def put_back(self, items: Sequence[Heard]) -> None:
        """These could not be committed."""
        self.items[:0] = items

    def take(self, most: int, now: float, full: Callable[[str], int] | None) -> list[Heard]:
        """Up to `most` for the next commit, with what was kept for them, and of up to `most`
        phones what has been received. `full` is how many receipts a network must not be kept
        waiting with; None: nothing gathers any longer."""
        taken, left = replies_first(self.items, most)
        self.has_more = bool(left)
        kept: list[Heard] = []
        if full is not None and (self.ripe_at is None or now < self.ripe_at):
            taken, kept = _gathering(taken, full)
        self.items = kept + left
        if not kept:
            self.ripe_at = None
        elif self.ripe_at is None:
            self.ripe_at = now + GATHER_S
        return [*self._kept_for(taken, most), *taken] if self._kept_count and taken else taken

    def _kept_for(self, taken: Sequence[Heard], most: int) -> list[Kept]:
        phones = dict.fromkeys([*islice(self._received, most), *map(_of, taken)])
        for phone in phones:
            self._received.pop(phone, None)
        kept = (self._kept_long, self._kept)
        found = [r for phone in phones for by_phone in kept for r in by_phone.pop(phone, ())]
        self._kept_count -= len(found)
        return found


def _gathering(items: list[Heard], full: Callable[[str], int]) -> tuple[list[Heard], list[Heard]]:
    """What goes now and what gathers, each in its order."""
    writing = {item.sender for item in items if type(item) is Inbound}
    gather = [i for i in items if type(i) in _MACHINES and _phone(i) not in writing]
    receipts = Counter(item.network for item in gather if type(item) is Receipt and is_owed(item))
    if len(gather) >= WORTH or any(n >= full(network) for network, n in receipts.items()):
        return items, []
    kept = set(map(id, gather))
    return [item for item in items if id(item) not in kept], gather


def _phone(item: Heard) -> str:
    return item.phone if isinstance(item, (Receipt, SubmitResult)) else ""


def _of(item: Heard) -> str:
    return item.sender if isinstance(item, Inbound) else _phone(item)


def replies_first(inbox: Sequence[Heard], most: int) -> tuple[list[Heard], list[Heard]]:
    """Up to `most` for the next commit, and what is left; each in its order of arrival. Where not
    all fit, what people wrote goes before receipts and responses, but for those of their own
    phones, which go along however many they are: a reply is judged by what came before it."""
    if len(inbox) <= most:
        return list(inbox), []
    replies = [item for item in inbox if isinstance(item, Inbound)]
    now, later = replies[:most], replies[most:]
    writing = {reply.sender for reply in now}
    others = [item for item in inbox if not isinstance(item, Inbound)]
    along = [item for item in others if _phone(item) in writing]
    rest = [item for item in others if _phone(item) not in writing]
    free = max(0, most - len(now) - len(along))
    return [*now, *along, *rest[:free]], [*later, *rest[free:]]
