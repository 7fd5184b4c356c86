"""What a law room does for conversation, and the table in which its owner is found.

Conversation holds no rule of any law: it understands, and hands what was understood to the room
that asked. The table is filled by whoever starts a gateway or a worker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from app.conversation.records import Question
from app.ledger.outbox import Message
from app.ledger.segments import Standing
from app.ledger.unit import Unit
from dialogs.engine.model import Dialog, Screen
from dialogs.engine.turn import Turn


class Reply(Struct, frozen=True):
    """A person's answer to an open question. `stuck` says that the network was down at the time
    the answer is about, so that it is judged as in time; `how` is "sms", "ussd" or "app".
    `repeats`: the same octets were heard then, so this may be their redelivery; the turn is then
    that of an unclear reply, for whoever was asked something else since."""

    question: Question
    turn: Turn
    text: str
    raw: bytes
    received_at: datetime
    how: str
    language: str | None
    evidence: Mapping[str, object]
    stuck: bool = False
    repeats: datetime | None = None


class Unasked(Struct, frozen=True):
    """A message from a phone that is not being asked anything."""

    phone_index: bytes
    phone: str
    text: str
    raw: bytes
    received_at: datetime
    language: str | None
    evidence: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Listed:
    """What a phone may look at in a menu: a question it can answer now, or a fact. `menu` names
    the list ("offers", "measures"), `label` is its line there, at most 40 UCS-2 units. `screen` is
    what it says, with its values; `after` is said instead to an answer that came too late for it.
    `question` and its `dialog` are there while this phone may answer; `standing` is a question that
    is open in no queue and for whoever wants it: it never meets a reply by SMS."""

    room: str
    menu: str
    case_id: UUID
    label: str
    screen: Screen
    after: Screen
    question: Question | None = None
    dialog: Dialog | None = None
    standing: bool = False


class Room(Protocol):
    """One law room, as conversation and the gateway see it. Every method takes a batch, writes
    through the unit, and leaves deciding to the room's rules."""

    def foresee(self, unit: Unit, phones: Sequence[bytes]) -> None:
        """These phones write: the room may hold, by `unit.foreseen`, what it asks them about."""

    def ask(self, unit: Unit, questions: Sequence[Question]) -> None:
        """These questions are open now: their messages go to the outbox."""

    def reply(self, unit: Unit, replies: Sequence[Reply]) -> set[UUID]:
        """People answered; at most one reply a question. Returns the cases whose question nobody
        has seen yet: nothing was done about those."""

    def unasked(self, unit: Unit, messages: Sequence[Unasked]) -> set[bytes]:
        """Messages without a question that may belong to a closed case of the room; returns the
        phones that were answered."""

    def listed(self, unit: Unit, phones: Mapping[bytes, str]) -> Mapping[bytes, Sequence[Listed]]:
        """What these phones, each in its language, were asked or told and may look at: open
        questions first, then what is newest. What has not been sent to one, or concerns people
        who have left it, is not."""

    def submitting(self, unit: Unit, messages: Sequence[Message]) -> set[UUID]:
        """The gateway is about to submit these; returns the ids that must not leave."""

    def awaits_receipt(self, kind: str) -> bool:
        """Whether anything changes in the room when a message of this kind was received."""

    def standing(self, unit: Unit, standings: Sequence[Standing]) -> None:
        """Receipts came: how the messages stand now."""

    def returned(self, unit: Unit, messages: Sequence[tuple[UUID, str]]) -> None:
        """Messages that were claimed and have not left: (case, kind). Nobody has seen them."""

    def failed(self, unit: Unit, messages: Sequence[tuple[UUID, str, str]]) -> None:
        """Messages that no network would take: (case, kind, why)."""

    def consents_changed(self, unit: Unit, recipient_ids: Sequence[UUID]) -> None:
        """A register ended consents of these recipients."""

    def noted(self, unit: Unit, notes: Sequence[tuple[UUID, str, Mapping[str, object]]]) -> None:
        """Facts about a case's messages for its journal: (case, journal kind, facts)."""


Rooms = Mapping[str, Room]


def ask(rooms: Rooms, unit: Unit, questions: Sequence[Question]) -> None:
    """Gives newly opened questions to the rooms that own them."""
    for name, room in rooms.items():
        mine = [q for q in questions if q.room == name]
        if mine:
            room.ask(unit, mine)


def foresee(rooms: Rooms, unit: Unit, phones: Sequence[bytes]) -> None:
    """Lets every room hold what it asks these phones about."""
    for room in rooms.values():
        room.foresee(unit, phones)
