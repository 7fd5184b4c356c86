"""Hears that a phone which had asked for no more SMS wants them again.

It never overrules an answer: a reply counts only if every word of it belongs to such a wish.
"""

from functools import cache
from typing import Final

from dialogs.engine.understanding.lexicon import read_toml
from dialogs.engine.understanding.spoken import said, spelt_all
from dialogs.engine.understanding.tokens import Kind, Token

_LONGEST: Final = 120  # characters; a longer text is a story, not a wish


@cache
def _classes() -> dict[str, str]:
    """Every spelling of every listed word, and its class."""
    listed = read_toml("start.toml")["words"]
    return {word: name for name, words in listed.items() for word in spelt_all(words.split())}


@cache
def _enough() -> tuple[frozenset[str], ...]:
    return tuple(frozenset(classes.split()) for classes in read_toml("start.toml")["enough"])


@cache
def _kind_emoji() -> frozenset[str]:
    drawn = read_toml("emoji.toml")
    return frozenset(drawn["courtesy"] + drawn["yes"])


def _class(token: Token) -> str | None:
    if token.kind is Kind.WORD:
        return _classes().get(token.text)
    return "aside" if token.text in _kind_emoji() else None


def wants_start(text: str) -> bool:
    """Whether the whole reply asks to be sent SMS again ("СТАРТ", "қайта қосыңыз"). Never raises.

    A question, a number, a negation or any word that is not of the wish makes it False.
    """
    if len(text) > _LONGEST:
        return False
    classes = {_class(token) for token in said(text)}
    return None not in classes and any(needed <= classes for needed in _enough())
