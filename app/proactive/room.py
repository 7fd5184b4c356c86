"""The proactive room as conversation and the gateway know it: a thin door to its actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.conversation.records import Question
from app.conversation.rooms import Listed, Reply, Unasked
from app.ledger.outbox import Message
from app.ledger.segments import Standing
from app.ledger.unit import Unit
from app.proactive import records
from app.proactive.actions import delivering, listing, offering, replying, revoking, speaking
from app.proactive.actions.saying import ROOM
from app.runtime import Runtime


@dataclass(frozen=True, slots=True)
class ProactiveRoom:
    """155/НҚ behind the face every room shows (app.conversation.rooms.Room)."""

    rt: Runtime

    def foresee(self, unit: Unit, phones: Sequence[bytes]) -> None:
        records.foresee(unit, phones)

    def ask(self, unit: Unit, questions: Sequence[Question]) -> None:
        offering.ask(self.rt, unit, questions)

    def reply(self, unit: Unit, replies: Sequence[Reply]) -> set[UUID]:
        return replying.reply(self.rt, unit, replies)

    def unasked(self, unit: Unit, messages: Sequence[Unasked]) -> set[bytes]:
        return replying.unasked(self.rt, unit, messages)

    def listed(self, unit: Unit, phones: Mapping[bytes, str]) -> Mapping[bytes, Sequence[Listed]]:
        return listing.listed(self.rt, unit, phones)

    def submitting(self, unit: Unit, messages: Sequence[Message]) -> set[UUID]:
        return delivering.submitting(self.rt, unit, messages)

    def awaits_receipt(self, kind: str) -> bool:
        return delivering.awaits_receipt(kind)

    def standing(self, unit: Unit, standings: Sequence[Standing]) -> None:
        delivering.standing(self.rt, unit, standings)

    def returned(self, unit: Unit, messages: Sequence[tuple[UUID, str]]) -> None:
        delivering.returned(unit, messages)

    def failed(self, unit: Unit, messages: Sequence[tuple[UUID, str, str]]) -> None:
        delivering.failed(self.rt, unit, messages)

    def consents_changed(self, unit: Unit, recipient_ids: Sequence[UUID]) -> None:
        revoking.revoke(self.rt, unit, recipient_ids)

    def language_chosen(self, unit: Unit, recipient_id: UUID, language: str) -> None:
        speaking.speak(self.rt, unit, recipient_id, language)

    def last_closed(self, unit: Unit, phones: Sequence[bytes]) -> Mapping[bytes, datetime]:
        return replying.last_closed(unit, phones)

    def noted(self, unit: Unit, notes: Sequence[tuple[UUID, str, Mapping[str, object]]]) -> None:
        delivering.noted(unit, notes)


def open_room(rt: Runtime) -> None:
    """Enters the room in the runtime's table, where conversation finds the owner of a question."""
    rt.rooms[ROOM] = ProactiveRoom(rt)
