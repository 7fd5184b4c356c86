"""The citizen's live events: which of them they follow, and the ticket by which a browser may.

What is told and in what order is the feed's (app.ledger.feed); keeping the connection is streams'.
"""

from datetime import UTC, datetime

from msgspec import Struct

from app.api.auth import CITIZEN, FOLLOWER, ticket
from app.api.problems import not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.streams import READ, Following
from app.api.values import utc_or_none
from app.ledger import feed
from app.ledger.feed import Found
from app.recipients.records import by_iin


class EventsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`ticket` stands for the Authorization header where a browser cannot send one."""

    ticket: str | None = None


class Ticket(Struct, frozen=True):
    """A ticket for /v1/me/events and nothing else; `url` is the address with the ticket in it."""

    ticket: str
    url: str
    expires_at: datetime | None


def follow_my_events(call: Call[None, EventsQuery]) -> None:
    """Answers with a stream; see `_following`."""


def _following(call: Call[None, EventsQuery]) -> Following:
    unit, caller = call.unit, call.caller
    person = by_iin(unit.tx, unit.vault, [caller.iin]).get(caller.iin)
    if person is None:
        raise not_found()
    settled, named = feed.settled(unit.tx), call.last_event_id
    place = settled if named is None else feed.as_place(named)
    if place is None or place > settled:
        return Following(person.id, Found([], settled), True, caller.expires)
    missed = feed.after(unit.tx, place, READ, person.id)
    return Following(person.id, missed, False, caller.expires)


def make_ticket(call: Call[None, Nothing]) -> Ticket:
    made = ticket(call.unit.vault, call.caller)
    return Ticket(made, f"/v1/me/events?ticket={made}", utc_or_none(call.caller.expires))


_TICKET = Ticket("jat_…", "/v1/me/events?ticket=jat_…", datetime(2026, 1, 31, 9, tzinfo=UTC))

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/me/events",
        scopes=(CITIZEN, FOLLOWER),
        summary="Follow what happens to my offers",
        handler=follow_my_events,
        follow=_following,
        answer=None,
        query=EventsQuery,
        errors=("not_found",),
        description=(
            'Server-sent events. `data` is JSON: `{"type": "offer.awaiting", "offer": {…}}`, and '
            '`{"type": "reset"}` where everything is to be read anew. `id` goes into '
            "`Last-Event-ID` of the next connection, which then begins with what was missed; "
            "without it a stream begins now, with `0` at the beginning. Open the stream first, "
            "then read the inbox. It ends with the token."
        ),
    ),
    Endpoint(
        method="POST",
        path="/v1/me/events/tickets",
        scopes=(CITIZEN,),
        summary="Get a ticket for an EventSource, which sends no headers",
        handler=make_ticket,
        answer=Ticket,
        status=201,
        answer_example=_TICKET,
    ),
)
