"""The tables of conversation: questions, what was heard, segments that wait, what phones prefer."""

from app.conversation.records.heard import (
    SeenBefore,
    forget_keys,
    keep,
    mo_key,
    seen_before,
    sender_index,
)
from app.conversation.records.parts import add_part, count_parts, take_stale
from app.conversation.records.questions import (
    Question,
    ask,
    asked_again,
    close,
    follow_up,
    open_next,
    open_questions,
)
from app.conversation.records.subscribers import (
    Subscriber,
    answered_on,
    helped,
    speaks,
    subscribers,
)

__all__ = [
    "Question",
    "SeenBefore",
    "Subscriber",
    "add_part",
    "answered_on",
    "ask",
    "asked_again",
    "close",
    "count_parts",
    "follow_up",
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
