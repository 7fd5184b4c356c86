"""Records on a written demand of an authorised body (292/НҚ, clause 14): what was said with one
phone on one day, within four hours of the demand. Read-only; that somebody looked is journalled.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from app.api.problems import invalid
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import Moment, Reference, utc
from app.ledger.ids import new_id
from app.ledger.journal import Chain
from app.ledger.keys import Scope
from app.proactive import records
from app.proactive.api import EXAMPLE, CaseAnswer, case_of
from app.proactive.searching.records import talked_with
from app.recipients.rules import normalise_phone

ALLOWED = timedelta(hours=4)
ALMATY = ZoneInfo("Asia/Almaty")
MOST_CASES = 200


class Demand(Struct, frozen=True, forbid_unknown_fields=True):
    """The written demand: its number, and when it was received."""

    reference: Reference
    received_at: Moment


class Search(Struct, frozen=True, forbid_unknown_fields=True):
    """Which phone, and which day in Kazakhstan. A phone stands in a body, never in an address."""

    phone: Annotated[str, Meta(min_length=1, max_length=100)]
    date: date
    demand: Demand


class Found(Struct, frozen=True):
    """The cases that were open with the phone on that day, with all that was said. `id` is the
    search's own journal; the answer to the demand is due at `due_at`."""

    id: str
    due_at: datetime
    is_overdue: bool
    cases: list[CaseAnswer]


def search(call: Call[Search, Nothing]) -> Found:
    unit, wanted = call.unit, call.body
    phone = normalise_phone(wanted.phone)
    if not phone.e164:
        raise invalid("phone", "phone")
    if wanted.date.year not in range(1900, 2200):
        raise invalid("date", "dates.range")
    if wanted.demand.received_at.year not in range(1900, 2200):
        raise invalid("demand.received_at", "dates.range")
    if wanted.demand.received_at > unit.now:
        raise invalid("demand.received_at", "past")
    begins = datetime.combine(wanted.date, datetime.min.time(), ALMATY)
    index = unit.vault.index("phone", phone.e164)
    ids = talked_with(unit.tx, index, begins, begins + timedelta(days=1), MOST_CASES)
    found = [o for i in ids if (o := records.one(unit.tx, unit.vault, i, None)) is not None]
    due_at = wanted.demand.received_at + ALLOWED
    looked = Chain(new_id(unit.now))
    unit.journal.append(
        looked, "records-demanded", unit.now, phone.e164.encode(),
        by=call.caller.provider, date=wanted.date, demand=wanted.demand.reference,
        received_at=wanted.demand.received_at, due_at=due_at, clause="292:14",
        cases=[offer.id for offer in found],
    )  # fmt: skip
    cases = [case_of(unit, offer, with_said=True) for offer in found]
    return Found(str(looked.case_id), utc(due_at), unit.now > due_at, cases)


_AT = datetime(2026, 1, 31, 9, tzinfo=UTC)

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/search",
        scopes=(Scope.AUDITOR,),
        summary="Find what was said with a phone on a day, on a written demand",
        handler=search,
        body=Search,
        answer=Found,
        body_example=Search("+77010000100", date(2026, 1, 30), Demand("17-04/12", _AT)),
        answer_example=Found(EXAMPLE.id, _AT + ALLOWED, False, []),
        description=(
            "292/НҚ, clause 14: to be given within four hours of the demand, which carries the "
            "date and the phone. The search itself becomes a journal entry."
        ),
    ),
)
