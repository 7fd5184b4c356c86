"""The tables of conversation: questions, what was heard, segments that wait, what phones prefer."""

from app.conversation.records.heard import keep, mo_key, sender_index
from app.conversation.records.parts import add_part, count_parts, take_stale
from app.conversation.records.questions import (
    Question,
    ask,
    ask_open,
    asked_again,
    close,
    follow_up,
    free_phones,
    open_free,
    open_next,
    open_of,
    open_questions,
    wait,
)
from app.conversation.records.sightings import Sighting, forget_keys, read, sight
from app.conversation.records.subscribers import (
    Subscriber,
    answered_on,
    helped,
    speaks,
    subscribers,
)

__all__ = [
    "Question",
    "Sighting",
    "Subscriber",
    "add_part",
    "answered_on",
    "ask",
    "ask_open",
    "asked_again",
    "close",
    "count_parts",
    "follow_up",
    "forget_keys",
    "free_phones",
    "helped",
    "keep",
    "mo_key",
    "open_free",
    "open_next",
    "open_of",
    "open_questions",
    "read",
    "sender_index",
    "sight",
    "speaks",
    "subscribers",
    "take_stale",
    "wait",
]
