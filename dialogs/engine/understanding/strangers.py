"""Tells whether an unclear reply says that the phone is another person's. It never makes an answer
clear: the label stays unclear, only its rule gets a name.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from dialogs.engine.understanding.lexicon import read_toml
from dialogs.engine.understanding.spoken import spelt, words
from dialogs.engine.understanding.tokens import Kind, Token

ANOTHER_PERSON: Final = "another person's phone"
_MOST_TOKENS: Final = 20  # a longer reply is a story, not a saying
_SAID: Final = (Kind.WORD, Kind.PHRASE)


@cache
def _lists() -> tuple[frozenset[str], tuple[str, ...]]:
    listed = read_toml("strangers.toml")
    sayings = frozenset(map(words, listed["sayings"]))
    return sayings, tuple(words(opening) + " " for opening in listed["openings"])


def is_strangers(found: Sequence[Token]) -> bool:
    """Whether the tokens of a reply are nothing but a saying of strangers. Never raises."""
    if len(found) > _MOST_TOKENS or any(token.kind is Kind.QUESTION for token in found):
        return False
    sayings, openings = _lists()
    said = " ".join(
        spelt(word) for token in found if token.kind in _SAID for word in token.text.split()
    )
    while said not in sayings:
        opening = next((o for o in openings if said.startswith(o)), None)
        if opening is None:
            return False
        said = said.removeprefix(opening)
    return True
