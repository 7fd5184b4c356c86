"""The rules of 155/НҚ, pure: the life of an offer, its reply window, the gates before it.
No database, no clock, no wording: facts and times come in, a verdict goes out.
"""

from app.catalogue.model import Refusal
from app.conversation.window import WINDOW, deadline_of, explain, in_time, received_at_of
from app.proactive.rules.gates import (
    GATES,
    Facts,
    Gate,
    consent_given,
    judge,
    judge_all,
)
from app.proactive.rules.lifecycle import (
    ANSWERABLE,
    LIFECYCLE,
    OPEN,
    OUTCOMES,
    Event,
    IllegalTransition,
    State,
    allows,
    events_of,
    step,
)

__all__ = [
    "ANSWERABLE",
    "GATES",
    "LIFECYCLE",
    "OPEN",
    "OUTCOMES",
    "WINDOW",
    "Event",
    "Facts",
    "Gate",
    "IllegalTransition",
    "Refusal",
    "State",
    "allows",
    "consent_given",
    "deadline_of",
    "events_of",
    "explain",
    "in_time",
    "judge",
    "judge_all",
    "received_at_of",
    "step",
]
