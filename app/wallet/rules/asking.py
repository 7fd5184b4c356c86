"""The life of the two consents of 214/НҚ, clause 6, as one table: the question about personal data,
then the one about receiving the measure by SMS. Neither answer touches the other.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class AskingState(StrEnum):
    """Where the asking stands."""

    MADE = "made"  # the first question waits for the phone, or in the cabinet
    SENT = "sent"
    AWAITING = "awaiting"  # the first question was received
    SECOND = "second"  # the second question is asked
    ANSWERED = "answered"
    LAPSED = "lapsed"  # silence: no answer, which is no consent and no refusal
    UNDELIVERED = "undelivered"
    STOPPED = "stopped"  # no more messages, please
    WITHDRAWN = "withdrawn"  # by us: the phone is another's by now


State = AskingState


class Event(StrEnum):
    """What can happen to it."""

    SUBMITTED = "submitted"
    RETURNED = "returned"
    RECEIVED = "received"
    DATA_ANSWERED = "data_answered"
    SMS_ANSWERED = "sms_answered"
    LAPSED = "lapsed"
    NOT_DELIVERED = "not_delivered"
    STOPPED = "stopped"
    WRONG_PERSON = "wrong_person"
    WITHDRAWN = "withdrawn"


class IllegalTransition(Exception):
    """An event was applied in a state that does not allow it."""

    def __init__(self, state: State, event: Event) -> None:
        self.state, self.event = state, event
        super().__init__(f"found {event} while {state}, expected another event")


_FIRST = (State.MADE, State.SENT, State.AWAITING)
LIFECYCLE: Final[Mapping[tuple[State, Event], State]] = MappingProxyType(
    {
        (State.MADE, Event.SUBMITTED): State.SENT,
        (State.MADE, Event.RECEIVED): State.AWAITING,  # in the cabinet
        (State.SENT, Event.RETURNED): State.MADE,
        (State.SENT, Event.RECEIVED): State.AWAITING,
        **{(s, Event.DATA_ANSWERED): State.SECOND for s in _FIRST},
        **{(s, Event.NOT_DELIVERED): State.UNDELIVERED for s in (State.MADE, State.SENT)},
        (
            State.SECOND,
            Event.NOT_DELIVERED,
        ): State.UNDELIVERED,  # the first answer stands
        (State.MADE, Event.WITHDRAWN): State.WITHDRAWN,
        (State.SECOND, Event.SMS_ANSWERED): State.ANSWERED,
        **{(s, Event.LAPSED): State.LAPSED for s in (State.AWAITING, State.SECOND)},
        **{(s, Event.STOPPED): State.STOPPED for s in (*_FIRST, State.SECOND)},
        **{(s, Event.WRONG_PERSON): State.UNDELIVERED for s in (*_FIRST, State.SECOND)},
    }
)
OPEN: Final = frozenset({State.MADE, State.SENT, State.AWAITING, State.SECOND})


def allows(state: State, event: Event) -> bool:
    """True where the event may happen in that state."""
    return (state, event) in LIFECYCLE


def step(state: State, event: Event) -> State:
    """The state that follows. A pair missing from LIFECYCLE raises IllegalTransition."""
    try:
        return LIFECYCLE[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None
