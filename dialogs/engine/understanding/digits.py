"""Hears a reply that is plainly one digit, for questions whose choices are not yes and no.

It never guesses: two numbers, a counted thing ("2 балам бар") or a question are no digit.
"""

from functools import cache
from typing import Any, Final

from dialogs.engine.understanding.lexicon import read_toml
from dialogs.engine.understanding.spoken import said, spelt_all
from dialogs.engine.understanding.tokens import Kind, Token

_LONGEST: Final = 60  # characters; a longer reply says more than a digit
_DIGITS: Final = frozenset("123456789")


@cache
def _file() -> dict[str, Any]:
    return read_toml("digits.toml")


@cache
def _named() -> dict[str, str]:
    """Every spelling of every digit's name, and the digit."""
    return {word: d for d, listed in _file()["names"].items() for word in spelt_all(listed.split())}


@cache
def _beside(place: str) -> frozenset[str]:
    """What may stand before or after a digit without counting anything: words and kind emoji."""
    listed = (_file()["beside"][place] + " " + _file()["beside"]["courtesy"]).split()
    return spelt_all(listed) | frozenset(read_toml("emoji.toml")["courtesy"])


def _digit(token: Token) -> str | None:
    if token.kind is Kind.WORD:
        return _named().get(token.text)
    return token.text if token.text in _DIGITS else None


def bare_digit(text: str) -> str | None:
    """Return "1".."9" if the whole reply is that one digit in any form, else None. Never raises.

    The digit may be fullwidth, circled, a keycap or a word ("үш", "три"); brackets, №, "вариант",
    "деп", a greeting or thanks may stand beside it.
    """
    if len(text) > _LONGEST:
        return None
    found = said(text)
    places = [place for place, token in enumerate(found) if _digit(token)]
    if len(places) != 1:
        return None
    digit = places[0]
    before = all(token.text in _beside("before") for token in found[:digit])
    after = all(token.text in _beside("after") for token in found[digit + 1 :])
    return _digit(found[digit]) if before and after else None
