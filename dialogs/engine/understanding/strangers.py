"""Tells whether an unclear reply says that the phone is another person's. It never makes an answer
clear: the label stays unclear, only its rule gets a name.
"""

from functools import cache
from typing import Final

from dialogs.engine.understanding.lexicon import read_toml
from dialogs.engine.understanding.spoken import words

ANOTHER_PERSON: Final = "another person's phone"
_LONGEST: Final = 120  # characters; a longer reply is a story, not a saying


@cache
def _lists() -> tuple[frozenset[str], tuple[str, ...]]:
    listed = read_toml("strangers.toml")
    sayings = frozenset(map(words, listed["sayings"]))
    return sayings, tuple(words(opening) + " " for opening in listed["openings"])


def is_strangers(text: str) -> bool:
    """Whether the reply is nothing but a saying of strangers. Never raises."""
    if len(text) > _LONGEST or "?" in text:
        return False
    sayings, openings = _lists()
    said = words(text)
    while said not in sayings:
        opening = next((o for o in openings if said.startswith(o)), None)
        if opening is None:
            return False
        said = said.removeprefix(opening)
    return True
