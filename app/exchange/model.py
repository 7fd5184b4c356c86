"""What one commit with the networks is about, and what a gateway remembers between two of them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.conversation.turns import Came
from app.conversation.unasked import LoopGuard
from app.exchange.admission import Admission
from app.ledger.binds import Counters
from app.ledger.outbox import Message
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.messages import BindState, Outbound, QueryResult, Receipt, SubmitResult

Take = Callable[[Runtime, Unit, Sequence[Came], LoopGuard], None]
"""What is done with a batch of MOs: conversation, or the acceptance mode of a new network. It waits
for the ledger before it counts anything, so that a race that was lost before is known by then;
conversation waits twice, for what is stored after the first look-up (`Tx.meanwhile`) as well."""


MOST_AVOIDED = 10_000


@dataclass(frozen=True, slots=True)
class Batch:
    """What one commit is about. `mark` is a time up to which everything heard, but for responses
    that wait and receipts on which nothing depends, is in this batch or an earlier one; `drained`
    and `own` are cids; `room` is how many messages the links of each network would take now (of
    those for no network in particular as many again may be claimed as the widest would take),
    `bulk` how many of them offers (None: all); `counted` are figures of binds for /metrics; `read`
    is, by connection, up to which commit its network has read what we acknowledged."""

    inbound: Sequence[Came] = ()
    receipts: Sequence[Receipt] = ()
    results: Sequence[SubmitResult] = ()
    states: Sequence[BindState] = ()
    queried: Sequence[QueryResult] = ()
    unsent: Sequence[UUID] = ()
    mark: datetime | None = None
    drained: Sequence[str] = ()
    own: Sequence[str] = ()
    room: Mapping[str, int] = field(default_factory=dict)
    bulk: Mapping[str, int] | None = None
    counted: Mapping[str, Counters] = field(default_factory=dict)
    read: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Committed:
    """What the gateway may do now that the batch is stored. `receipts_of` are the messages that
    the batch's receipts are about, in their order, None where there is none; `at` is the time of
    the commit, by which its messages are noted; `found` is how many messages were due, those that
    may not leave any more included; `has_more` whether more may be due of what goes before
    offers."""

    to_submit: Sequence[Message]
    screens: Sequence[tuple[str, Outbound]]
    wanted: Mapping[str, str]
    receipts_of: Sequence[UUID | None] = ()
    at: datetime | None = None
    found: int = 0
    has_more: bool = False


class Trailed(Struct, frozen=True):
    """What the trail of a gateway says last of a segment: what became of its submit, and the
    receipt that was acknowledged before it was stored. Neither names a phone."""

    result: SubmitResult
    receipt: Receipt | None = None


@dataclass(slots=True)
class Sent:
    """The results of one message's segments so far, in memory until the last has come."""

    total: int
    results: list[SubmitResult] = field(default_factory=list)


@dataclass(slots=True)
class Memory:
    """What one gateway holds of its messages: `claimed` until settled, `sent` until every segment
    was answered, `avoided` the binds that would not take a message. `admission` is what kept offers
    back when it was last looked up. Counts are since its start and by cid, for metrics."""

    claimed: dict[UUID, Message] = field(default_factory=dict)
    sent: dict[UUID, Sent] = field(default_factory=dict)
    avoided: dict[UUID, set[str]] = field(default_factory=dict)
    admission: Admission = field(default_factory=Admission)
    ambiguous: Counter[str] = field(default_factory=Counter)
    orphans: Counter[str] = field(default_factory=Counter)
    pending: dict[str, int] = field(default_factory=dict)  # segments of MOs that wait, as last seen

    def forget(self, message_ids: Sequence[UUID]) -> None:
        """These messages are settled, or given back."""
        for message_id in message_ids:
            self.claimed.pop(message_id, None)
            self.sent.pop(message_id, None)

    def avoid(self, message_id: UUID, cid: str) -> set[str]:
        """This bind would not take this message; all that would not. Bounded: what is forgotten
        is only tried once more."""
        if len(self.avoided) > MOST_AVOIDED:
            self.avoided.clear()
        refusing = self.avoided.setdefault(message_id, set())
        refusing.add(cid)
        return refusing
