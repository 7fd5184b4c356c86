"""The echo: every MO is answered by one MT with the same text, so that a network can try us.

It stands in for conversation in a gateway that is otherwise the ordinary one. All it knows is in
the ledger, so a killed process goes on where it was.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.acceptance.records import ECHO, ROOM, STAT, owes_stat, tally
from app.acceptance.settling import settle
from app.conversation import records, turns, ussd
from app.conversation.turns import Came
from app.conversation.unasked import LoopGuard
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.binds import LongMessage
from smpp.messages import Inbound

ASKED = "#STAT"
SETTLE_EVERY_S = 1.0
RECEIPT_AGE_S = 3.0  # a younger one may still meet its submit response


@dataclass(slots=True)
class Echo:
    """An `app.exchange.Take`. `phones` (E.164) are those that are answered, None is anyone. USSD
    gets the ordinary menu. `modes` is each network's long_message."""

    phones: frozenset[str] | None = None
    modes: Mapping[str, LongMessage] = field(default_factory=dict)
    _settled_at: datetime | None = None

    def __call__(self, rt: Runtime, unit: Unit, came: Sequence[Came], guard: LoopGuard) -> None:
        """Takes a batch of MOs in their order. The guard is not asked: what a network sends in its
        trial is answered, however much of it."""
        self._settle(rt, unit)
        fresh: Counter[bytes] = Counter()  # answers of this batch, not yet in the ledger
        dialled: list[Came] = []
        for one in turns.arrived(unit, came):
            message = one.message
            why = self._why_not(message)
            if why is None and message.ussd is not None:
                dialled.append(one)
            elif why is None and _asks(message):
                _answer_stat(unit, one, fresh)
            elif one.repeats is None:
                records.keep(unit.tx, unit.vault, message, why or ECHO)
                if why is None:
                    phone = _say(unit, message, ECHO, message.text or "")
                    fresh[phone] += 1
        ussd.take(rt, unit, dialled)

    def _settle(self, rt: Runtime, unit: Unit) -> None:
        """Every second at most, for batches come by the hundred."""
        pause = rt.waiting(SETTLE_EVERY_S)
        if self._settled_at is None or unit.now - self._settled_at >= pause:
            self._settled_at = unit.now
            settle(rt, unit, self.modes, unit.now - rt.waiting(RECEIPT_AGE_S))

    def _why_not(self, message: Inbound) -> str | None:
        """Why a message gets no answer, in one word; None: it gets one."""
        if not message.from_phone:
            return "not-a-phone"
        if self.phones is not None and message.sender not in self.phones:
            return "not-listed"
        if message.ussd is None and not _is_text(message.text):
            return "undecodable"
        return None


def _asks(message: Inbound) -> bool:
    return message.text is not None and message.text.strip() == ASKED


def _is_text(text: str | None) -> bool:
    """Half characters cannot be sent back."""
    return text is not None and not any("\ud800" <= c <= "\udfff" for c in text)


def _answer_stat(unit: Unit, one: Came, fresh: Counter[bytes]) -> None:
    """#STAT asks about now, so after a lost link the same octets are a new question; only while
    the answer to an earlier one is still owed they may be its redelivery."""
    phone = records.sender_index(unit.vault, one.message)
    if one.repeats is None:
        records.keep(unit.tx, unit.vault, one.message, STAT)
    elif owes_stat(unit.tx, phone):
        return
    found = tally(unit.tx, phone)
    counted = replace(found, pending=found.pending + fresh[phone])
    _say(unit, one.message, STAT, f"STAT {counted}")


def _say(unit: Unit, message: Inbound, kind: str, text: str) -> bytes:
    """Leaves at once: claimed by this gateway in the transaction that heard the message."""
    phone = records.sender_index(unit.vault, message)
    unit.outbox.add(
        unit.now,
        kind,
        (phone, message.sender),
        text,
        room=ROOM,
        network=message.network,
        priority=Priority.REPLY,
    )
    return phone
