"""The wallet as conversation and the gateway know it: a thin door to its actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.conversation.inbox import Figure, Notice
from app.conversation.records import Question
from app.conversation.rooms import Listed, Reply, Unasked
from app.ledger.engine import Tx
from app.ledger.outbox import Message
from app.ledger.segments import Standing
from app.ledger.unit import Unit
from app.runtime import Runtime
from app.wallet.actions import (
    answering,
    asking,
    delivering,
    exchanging,
    hearing,
    listing,
    reading,
    withdrawing,
)
from app.wallet.actions.saying import ROOM
from app.wallet.actions.telling import FIRST_SCREEN, SECOND_SCREENS


@dataclass(frozen=True, slots=True)
class WalletRoom:
    """214/НҚ behind the face every room shows (app.conversation.rooms.Room), and its inbox."""

    rt: Runtime

    def foresee(self, unit: Unit, phones: Sequence[bytes]) -> None:
        """Consents are asked for seldom: they are looked up when they are meant."""

    def ask(self, unit: Unit, questions: Sequence[Question]) -> None:
        asking.ask(self.rt, unit, questions)

    def reply(self, unit: Unit, replies: Sequence[Reply]) -> set[UUID]:
        back = [r for r in replies if r.question.dialog == withdrawing.DIALOG]
        others = [r for r in replies if r.question.dialog != withdrawing.DIALOG]
        return withdrawing.reply(unit, back) | answering.reply(self.rt, unit, others)

    def taken_back(self, unit: Unit, messages: Sequence[Unasked]) -> set[bytes]:
        return hearing.taken_back(self.rt, unit, messages)

    def unasked(self, unit: Unit, messages: Sequence[Unasked]) -> set[bytes]:
        return hearing.unasked(self.rt, unit, messages)

    def listed(self, unit: Unit, phones: Mapping[bytes, str]) -> Mapping[bytes, Sequence[Listed]]:
        return listing.listed(self.rt, unit, phones)

    def submitting(self, unit: Unit, messages: Sequence[Message]) -> set[UUID]:
        notices = [m for m in messages if m.kind in delivering.KINDS]
        questions = [m for m in messages if m.kind == FIRST_SCREEN]
        stopped = delivering.submitting(unit, notices)
        return stopped | asking.submitting(self.rt, unit, questions)

    def awaits_receipt(self, kind: str) -> bool:
        return kind in delivering.KINDS or _is_question(kind)

    def standing(self, unit: Unit, standings: Sequence[Standing]) -> None:
        delivering.standing(unit, [s for s in standings if s.kind in delivering.KINDS])
        asking.standing(self.rt, unit, [s for s in standings if _matters(s)])

    def returned(self, unit: Unit, messages: Sequence[tuple[UUID, str]]) -> None:
        delivering.returned(unit, [case for case, kind in messages if kind in delivering.KINDS])
        asking.returned(unit, [case for case, kind in messages if kind == FIRST_SCREEN])

    def failed(self, unit: Unit, messages: Sequence[tuple[UUID, str, str]]) -> None:
        notices = [(case, why) for case, kind, why in messages if kind in delivering.KINDS]
        delivering.failed(unit, notices)
        others = [one for one in messages if one[1] not in delivering.KINDS]
        asking.failed(self.rt, unit, others)

    def consents_changed(self, unit: Unit, recipient_ids: Sequence[UUID]) -> None:
        withdrawing.changed(unit, recipient_ids)

    def stopped(self, unit: Unit, phones: Sequence[bytes]) -> None:
        withdrawing.stopped(unit, phones)

    def last_closed(self, unit: Unit, phones: Sequence[bytes]) -> Mapping[bytes, datetime]:
        return hearing.last_closed(unit, phones)

    def figures(self, tx: Tx, now: datetime) -> Sequence[Figure]:
        return [*delivering.figures(tx, now), *exchanging.figures(tx, now)]

    def noted(self, unit: Unit, notes: Sequence[tuple[UUID, str, Mapping[str, object]]]) -> None:
        notices = delivering.noted(unit, notes)
        asking.noted(unit, [one for one in notes if one[0] not in notices])

    def language_chosen(self, unit: Unit, recipient_id: UUID, language: str) -> None:
        reading.speak(self.rt, unit, recipient_id, language)

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
        return reading.notices(self.rt, unit, recipient_id, language, after, since, limit)

    def read(
        self, unit: Unit, recipient_id: UUID, notice_id: UUID, language: str | None
    ) -> Notice | None:
        return reading.read(self.rt, unit, recipient_id, notice_id, language)


def _matters(s: Standing) -> bool:
    """A question's receipt counts; of other messages only that one failed is worth a line."""
    return s.kind not in delivering.KINDS and (_is_question(s.kind) or bool(s.failed))


def _is_question(kind: str) -> bool:
    return kind == FIRST_SCREEN or kind in SECOND_SCREENS


def open_room(rt: Runtime) -> None:
    """Enters the room in the runtime's table, where conversation finds the owner of a question."""
    rt.rooms[ROOM] = WalletRoom(rt)
