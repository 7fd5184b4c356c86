"""The cabinet: a person reads their notices in the app, and chooses the language they come in."""

from datetime import datetime
from uuid import UUID

from app.conversation import inbox
from app.ledger import outbox
from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.runtime import Runtime
from app.wallet.actions import delivering
from app.wallet.actions.saying import DIALOG, body_of
from app.wallet.actions.telling import say, step_of
from app.wallet.consents import records as consents
from app.wallet.notices import records
from app.wallet.notices.records import Notice
from app.wallet.rules.asking import OPEN
from dialogs.engine.model import Screen


def notices(
    rt: Runtime,
    unit: Unit,
    recipient_id: UUID,
    language: str | None,
    after: UUID | None,
    since: datetime | None,
    limit: int,
) -> list[inbox.Notice]:
    """What stands in a person's cabinet, newest first, in the language asked for."""
    found = records.inbox(unit.tx, recipient_id, after, since, limit)
    return [_shown(rt, unit, notice, language) for notice in found]


def read(
    rt: Runtime, unit: Unit, recipient_id: UUID, notice_id: UUID, language: str | None
) -> inbox.Notice | None:
    """Notes that a person has read a notice. None: there is no such notice of theirs here."""
    notice = delivering.read(unit, recipient_id, notice_id)
    return None if notice is None else _shown(rt, unit, notice, language)


def _shown(rt: Runtime, unit: Unit, notice: Notice, language: str | None) -> inbox.Notice:
    body = body_of(rt, unit, notice, language)
    return inbox.Notice(notice.id, notice.kind, body, notice.created_at, notice.read_at)


def speak(rt: Runtime, unit: Unit, recipient_id: UUID, language: str) -> None:
    """A person chose a language: what is being asked goes on in it, and a question that has not
    left yet is worded anew (52, clause 16)."""
    found = consents.of_recipients(unit.tx, [recipient_id])
    open_ones = [
        c for c in consents.lock(unit.tx, unit.vault, found).values()
        if c.state in OPEN and c.language != language
    ]  # fmt: skip
    waiting = outbox.waiting_questions(unit.tx, [c.id for c in open_ones])
    outbox.cancel(unit.tx, list(waiting.values()), unit.now)
    for consent in open_ones:
        consent.language = language
        unit.journal.append(consent.chain, "language-chosen", unit.now, language=language)
        if consent.id in waiting:
            say(rt, unit, consent, Screen(DIALOG, step_of(consent)), Priority.BULK)
    consents.save(unit.tx, open_ones)
