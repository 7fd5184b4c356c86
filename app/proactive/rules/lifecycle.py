"""The life of an offer as one table: what may happen in which state, and what comes of it.
It knows no time and no recipient; whether a reply was in time is for `window` to say.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where an offer stands; the words of the API."""

    MADE = "made"
    SENT = "sent"
    AWAITING = "awaiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    UNDELIVERED = "undelivered"
    WITHDRAWN = "withdrawn"
    RENDERED = "rendered"
    REFUSED = "refused"


class Event(StrEnum):
    """What can happen to an offer."""

    SUBMITTED = "submitted"  # claimed for a network, before the first octet leaves
    RETURNED = "returned"  # it had not left after all: the network or our link would not take it
    RECEIVED = "received"  # the handset has the last segment, or the app showed it
    YES = "yes"
    NO = "no"
    STOPPED = "stopped"  # the recipient wants no more offers
    WRONG_PERSON = "wrong_person"  # the phone says it is not the recipient's
    LAPSED = "lapsed"  # the reply window closed in silence
    NOT_DELIVERED = "not_delivered"
    WITHDRAWN = "withdrawn"  # by the provider
    CONSENT_REVOKED = "consent_revoked"
    GATE_FAILED = "gate_failed"  # a fact changed between making and sending
    RENDERED = "rendered"
    REFUSED = "refused"  # by the provider; the recipient's refusal is NO


class IllegalTransition(Exception):
    """Our bug: an event was applied to an offer in a state that does not allow it."""

    def __init__(self, state: State, event: Event) -> None:
        self.state, self.event = state, event
        legal = ", ".join(events_of(state)) or "nothing: it has ended"
        super().__init__(f"found {event} while {state}, expected {legal}")


# A reply before the receipt proves receipt, so SENT hears all that AWAITING hears. Only AWAITING
# has a deadline, so only it lapses. Nobody can answer what was not sent (155/НҚ, clauses 3-4).
LIFECYCLE: Final[Mapping[tuple[State, Event], State]] = MappingProxyType(
    {
        (State.MADE, Event.SUBMITTED): State.SENT,
        (State.MADE, Event.NOT_DELIVERED): State.UNDELIVERED,
        (State.MADE, Event.STOPPED): State.WITHDRAWN,
        (State.MADE, Event.WITHDRAWN): State.WITHDRAWN,
        (State.MADE, Event.CONSENT_REVOKED): State.WITHDRAWN,
        (State.MADE, Event.GATE_FAILED): State.WITHDRAWN,
        (State.SENT, Event.RETURNED): State.MADE,
        (State.SENT, Event.RECEIVED): State.AWAITING,
        (State.SENT, Event.YES): State.ACCEPTED,
        (State.SENT, Event.NO): State.DECLINED,
        (State.SENT, Event.STOPPED): State.DECLINED,
        (State.SENT, Event.WRONG_PERSON): State.UNDELIVERED,
        (State.SENT, Event.NOT_DELIVERED): State.UNDELIVERED,
        (State.SENT, Event.WITHDRAWN): State.WITHDRAWN,
        (State.SENT, Event.CONSENT_REVOKED): State.WITHDRAWN,
        (State.AWAITING, Event.YES): State.ACCEPTED,
        (State.AWAITING, Event.NO): State.DECLINED,
        (State.AWAITING, Event.STOPPED): State.DECLINED,
        (State.AWAITING, Event.WRONG_PERSON): State.UNDELIVERED,
        (State.AWAITING, Event.LAPSED): State.EXPIRED,
        (State.AWAITING, Event.WITHDRAWN): State.WITHDRAWN,
        (State.AWAITING, Event.CONSENT_REVOKED): State.WITHDRAWN,
        (State.ACCEPTED, Event.RENDERED): State.RENDERED,
        (State.ACCEPTED, Event.REFUSED): State.REFUSED,
    }
)

OPEN: Final = frozenset({State.MADE, State.SENT, State.AWAITING})
ANSWERABLE: Final = frozenset({State.SENT, State.AWAITING})
# The one outcome every offer has; RENDERED and REFUSED follow ACCEPTED and do not replace it.
OUTCOMES: Final = frozenset(
    {State.ACCEPTED, State.DECLINED, State.EXPIRED, State.UNDELIVERED, State.WITHDRAWN}
)


def allows(state: State, event: Event) -> bool:
    """True where the event may happen in that state."""
    return (state, event) in LIFECYCLE


def step(state: State, event: Event) -> State:
    """The state that follows. A pair missing from LIFECYCLE raises IllegalTransition."""
    try:
        return LIFECYCLE[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None


def events_of(state: State) -> tuple[Event, ...]:
    """What may happen in that state, in the table's order; empty where it has ended."""
    return tuple(event for at, event in LIFECYCLE if at is state)
