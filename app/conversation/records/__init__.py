"""The tables of conversation: questions, what was heard, segments that wait, what phones prefer."""

from app.conversation.records.heard import (
    SeenBefore,
    forget_keys,
    keep,
    mo_key,
    seen_before,
    sender_index,
)
from app.conversation.records.parts import add_part, take_stale
from app.conversation.records.questions import (
    Question,
    ask,
    asked_again,
    close,
    open_next,
    open_questions,
)
from app.conversation.records.subscribers import Subscriber, helped, speaks, subscribers

__all__ = [
    "Question",
    "SeenBefore",
    "Subscriber",
    "add_part",
    "ask",
    "asked_again",
    "close",
    "forget_keys",
    "helped",
    "keep",
    "mo_key",
    "open_next",
    "open_questions",
    "seen_before",
    "sender_index",
    "speaks",
    "subscribers",
    "take_stale",
]
