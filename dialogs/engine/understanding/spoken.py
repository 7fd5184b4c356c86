"""The tokens of a reply for closed lists of whole sayings, where every word must be a listed one.

It knows no word; Kazakh without its letters, Latin spellings and look-alikes become the same.
"""

from collections.abc import Iterable
from functools import lru_cache

from dialogs.engine.understanding import folding
from dialogs.engine.understanding.quotes import without_quoted
from dialogs.engine.understanding.tokens import Kind, Token, tokens


@lru_cache(maxsize=1 << 15)
def spelt(word: str) -> str:
    """Return one clean word as the skeleton that all its spellings share."""
    word = folding.one_script(word)
    if folding.is_cyrillic(word[0]):
        return folding.KAZAKH.of(word.replace("ь", "").replace("ъ", ""))
    return folding.KAZAKH_LATIN.of(word)


def spelt_all(listed: Iterable[str]) -> frozenset[str]:
    """Return the skeletons of a list of single words."""
    return frozenset(spelt(folding.clean(word)) for word in listed)


def said(text: str) -> list[Token]:
    """Return the tokens of a reply without quoted lines and punctuation, its words spelt."""
    found = tokens(without_quoted(folding.clean(text)))
    return [
        Token(token.kind, spelt(token.text)) if token.kind is Kind.WORD else token
        for token in found
        if token.kind not in (Kind.SOFT, Kind.HARD)
    ]


def words(text: str) -> str:
    """Return the words alone, spelt, one blank between them."""
    return " ".join(token.text for token in said(text) if token.kind is Kind.WORD)
