"""What is said and told of the two consents: SMS to the phone that is asked, events to providers,
screens of the app and of USSD.
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from app.ledger.outbox import Priority
from app.ledger.unit import Unit
from app.runtime import Runtime
from app.wallet.actions.saying import DIALOG, ROOM, measure_values
from app.wallet.consents.records import Consent
from app.wallet.rules.asking import OPEN
from app.wallet.rules.asking import AskingState as State
from dialogs.engine.model import COMMON, Screen
from dialogs.engine.render import sms
from dialogs.engine.wording import BOTH
from dialogs.measure import MEASURE

FIRST, SECOND = "ask", "receive"
DATA, SMS = "data", "sms"
WHICH: Final = {FIRST: DATA, SECOND: SMS}
PURPOSES: Final = {DATA: "measure-data", SMS: "measure-sms"}
# Whoever has any of these on the handset has seen the second question.
SECOND_SCREENS: Final = frozenset(f"{DIALOG}.{key}" for key in MEASURE.ask(SECOND).screens)
FIRST_SCREEN: Final = f"{DIALOG}.{FIRST}"


def purpose_of(which: str, measure: str) -> str:
    """The consents register's purpose of a consent: "measure-data:school-meals"."""
    return f"{PURPOSES[which]}:{measure}"


def step_of(consent: Consent) -> str:
    """The question that is asked now, or was asked last."""
    return FIRST if consent.data is None else SECOND


def valued(rt: Runtime, consent: Consent, screen: Screen) -> Screen:
    """A screen with the measure's values."""
    known = measure_values(rt.catalogue, consent.measure)
    return screen if screen.dialog == COMMON else replace(screen, values={**known, **screen.values})


def say(
    rt: Runtime, unit: Unit, consent: Consent, screen: Screen, priority: Priority = Priority.REPLY
) -> None:
    """Puts a screen into the outbox for the phone that is asked, if there is one."""
    if not consent.has_phone:
        return
    body = sms(rt.words, valued(rt, consent, screen), consent.language or BOTH)
    unit.outbox.add(
        unit.now, f"{screen.dialog}.{screen.key}", (consent.phone_index, consent.phone), body,
        case_id=consent.id, room=ROOM, network=consent.network, priority=priority,
    )  # fmt: skip


def public(consent: Consent) -> dict[str, Any]:
    """The two consents as their provider sees them; nothing personal."""
    return {
        "id": consent.id,
        "notice": consent.notice_id,
        "reference": consent.reference,
        "measure": consent.measure,
        "state": consent.state,
        "created_at": consent.created_at,
        "deadline": consent.deadline,
        "closed_at": consent.closed_at,
        "data": consent.data,
        "data_at": consent.data_at,
        "data_withdrawn_at": consent.data_withdrawn_at,
        "sms": consent.sms,
        "sms_at": consent.sms_at,
        "sms_withdrawn_at": consent.sms_withdrawn_at,
    }


def tell(unit: Unit, consent: Consent, what: str, **more: Any) -> None:
    """Hands over that a consent was given, refused, withdrawn, or that nobody answered; and tells
    the person's app. At most one event a journal entry."""
    unit.handover.add(
        unit.now, consent.id, consent.chain.version, consent.provider, f"consent.{what}",
        public(consent) | more,
    )  # fmt: skip
    unit.feed.add(consent.recipient_id, consent.id, partial(for_recipient, consent))


def for_recipient(consent: Consent) -> tuple[str, dict[str, Any]]:
    """What the person's app is told of a change."""
    what = "open" if consent.state in OPEN else str(consent.state)
    known = {
        "id": consent.id,
        "measure": consent.measure,
        "state": consent.state,
        "deadline": consent.deadline,
    }
    return f"consent.{what}", {"type": f"consent.{what}", "consent": known}


def screen_of(rt: Runtime, consent: Consent) -> Screen:
    """What is shown of the two consents now: the open question, or how it ended."""
    if consent.state in OPEN:
        key = step_of(consent)
    elif consent.state is State.ANSWERED:
        key = "by-sms" if consent.sms == "given" else "cabinet-only"
    else:
        key = "silent"
    return valued(rt, consent, Screen(DIALOG, key))
