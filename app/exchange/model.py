"""What one commit with the networks is about, and what a gateway remembers between two of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.conversation.turns import Came
from app.conversation.unasked import LoopGuard
from app.ledger.outbox import Message
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.messages import BindState, Outbound, Receipt, SubmitResult

Take = Callable[[Runtime, Unit, Sequence[Came], LoopGuard], None]
"""What is done with a batch of MOs: conversation, or the acceptance mode of a new network."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one commit is about. `mark` is a time up to which everything heard is in this batch or
    an earlier one; `drained` and `own` are cids; `room` is how many messages the links of each
    network would take now."""

    inbound: Sequence[Came] = ()
    receipts: Sequence[Receipt] = ()
    results: Sequence[SubmitResult] = ()
    states: Sequence[BindState] = ()
    unsent: Sequence[UUID] = ()
    mark: datetime | None = None
    drained: Sequence[str] = ()
    own: Sequence[str] = ()
    room: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Committed:
    """What the gateway may do now that the batch is stored."""

    to_submit: Sequence[Message]
    screens: Sequence[tuple[str, Outbound]]
    wanted: Mapping[str, str]


@dataclass(slots=True)
class Sent:
    """The results of one message's segments so far, in memory until the last has come."""

    total: int
    results: list[SubmitResult] = field(default_factory=list)


@dataclass(slots=True)
class Memory:
    """What one gateway holds of its messages: `claimed` until settled, `sent` until every segment
    was answered. Counts are since its start, for metrics."""

    claimed: dict[UUID, Message] = field(default_factory=dict)
    sent: dict[UUID, Sent] = field(default_factory=dict)
    ambiguous: int = 0
    orphans: int = 0

    def forget(self, message_ids: Sequence[UUID]) -> None:
        """These messages are settled, or given back."""
        for message_id in message_ids:
            self.claimed.pop(message_id, None)
            self.sent.pop(message_id, None)
