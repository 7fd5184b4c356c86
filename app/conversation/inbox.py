"""What a law room may do for the citizen's app beside its own routes: have notices for the inbox,
and heed the language a person chose. A room that does neither is simply not asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable
from uuid import UUID

from app.conversation.rooms import Unasked
from app.ledger.engine import Tx
from app.ledger.unit import Unit


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice as its recipient reads it; `kind` is its room's word for it, `body` is worded in
    the language asked for."""

    id: UUID
    kind: str
    body: str
    created_at: datetime
    read_at: datetime | None


@runtime_checkable
class Inbox(Protocol):
    """A room that has notices."""

    def notices(
        self,
        unit: Unit,
        recipient_id: UUID,
        language: str | None,
        *,
        after: UUID | None,
        since: datetime | None,
        limit: int,
    ) -> Sequence[Notice]:
        """A person's notices, newest id first: those with an id below `after`, made or read at
        `since` or later. Without `language`, in the recorded one, else in both."""

    def read(
        self, unit: Unit, recipient_id: UUID, notice_id: UUID, language: str | None
    ) -> Notice | None:
        """Notes that a notice was read, once. None: this room has no such notice of theirs."""


@runtime_checkable
class HeedsStop(Protocol):
    """A room in which something rests on a person's wish to be written to."""

    def stopped(self, unit: Unit, phones: Sequence[bytes]) -> None:
        """These phones want no more messages."""


@runtime_checkable
class TakesBack(Protocol):
    """A room in which something rests on consents that are taken back at any time."""

    def taken_back(self, unit: Unit, messages: Sequence[Unasked]) -> set[bytes]:
        """Takes back the consents of whoever plainly says so, whatever else they are being asked;
        returns the phones that were answered."""


@runtime_checkable
class Remembers(Protocol):
    """A room whose closed cases may be spoken of later."""

    def last_closed(self, unit: Unit, phones: Sequence[bytes]) -> Mapping[bytes, datetime]:
        """When a case of the room ended last on each phone, as far back as it is remembered."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a room for /metrics, by the values of one label; nothing personal."""

    name: str
    words: str
    label: str
    values: Mapping[str, int]


@runtime_checkable
class Counts(Protocol):
    """A room that has alarms of its own."""

    def figures(self, tx: Tx, now: datetime) -> Sequence[Figure]:
        """The room's numbers as of `now`; each read from a small index."""


@runtime_checkable
class HeedsLanguage(Protocol):
    """A room that words things for people over a longer time."""

    def language_chosen(self, unit: Unit, recipient_id: UUID, language: str) -> None:
        """From now on this person is written to in `language`, in what is open too."""
