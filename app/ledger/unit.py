"""One unit of work: a transaction and what is to be written with it, in a few statements."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.ledger.encryption import Vault
from app.ledger.engine import Asked, Row, Tx
from app.ledger.feed import Feed
from app.ledger.handover import HandOver
from app.ledger.journal import Journal
from app.ledger.outbox import Outbox
from app.ledger.remembered import Remembered
from smpp.messages import Outbound


@dataclass(slots=True)
class Foreseen:
    """Rows that are held before it is known which of them are needed, so that nobody makes a trip
    for them. Each is good once, for whoever takes it may change it; and none may be asked for while
    somebody has it loaded and not saved."""

    _asked: list[Asked] = field(default_factory=list)
    _rows: dict[UUID, Row] = field(default_factory=dict)

    def add(self, asked: Asked) -> None:
        """A statement whose rows have an `id` and are locked."""
        self._asked.append(asked)

    def take(self, ids: Iterable[UUID]) -> list[Row]:
        """Those of these rows that were foreseen."""
        for asked in self._asked:
            self._rows |= {row.id: row for row in asked.rows()}
        self._asked.clear()
        take = self._rows.pop
        return [row for i in ids if (row := take(i, None)) is not None] if self._rows else []


@dataclass(slots=True)
class Unit:
    """Facts, messages and events gathered while a batch is decided; `write` stores them all.
    `now` was asked of the clock once, at the top. `screens` are USSD pages by the cid of the bind
    whose session they belong to: they leave once, after the commit, and are never sent again.
    `in_force` names the wordings, rules and acts of this process, for the journal. `is_again`: it
    takes nothing for granted, for it has lost a race before, or nobody would try it again.
    `remembered` is this process's, whatever the transaction.
    `after_commit` is done once the commit has succeeded, and must not fail."""

    tx: Tx
    now: datetime
    vault: Vault
    gateway: UUID | None = None
    in_force: Mapping[str, str] = field(default_factory=dict)
    is_again: bool = False
    remembered: Remembered = field(default_factory=Remembered)
    journal: Journal = field(init=False)
    outbox: Outbox = field(init=False)
    handover: HandOver = field(init=False)
    feed: Feed = field(default_factory=Feed)
    foreseen: Foreseen = field(default_factory=Foreseen)
    screens: list[tuple[str, Outbound]] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = Journal(self.vault, in_force=self.in_force)
        self.outbox = Outbox(self.vault, self.gateway)
        self.handover = HandOver()

    def write(self) -> None:
        """Writes what was gathered."""
        self.journal.write(self.tx)
        self.outbox.write(self.tx, self.now)
        self.handover.write(self.tx)
        self.feed.write(self.tx)
