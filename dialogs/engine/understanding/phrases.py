"""Joins the words of an idiom into one token, so that grammar and lexicon see one thing.

The idioms are data (phrases.toml); the longest that fits is taken, from the left.
"""

from functools import cache

from dialogs.engine.understanding.lexicon import read_toml
from dialogs.engine.understanding.spoken import said, spelt
from dialogs.engine.understanding.tokens import Kind, Token

Phrase = tuple[tuple[str, ...], str]  # the spelt words, and the category they make


@cache
def _by_first_word() -> dict[str, list[Phrase]]:
    """The idioms under the spelling of their first word, longest first."""
    found: dict[str, list[Phrase]] = {}
    for category, listed in read_toml("phrases.toml")["phrases"].items():
        for phrase in listed:
            words = tuple(token.text for token in said(phrase))
            found.setdefault(words[0], []).append((words, category))
    for phrases in found.values():
        phrases.sort(key=lambda phrase: -len(phrase[0]))
    return found


def _said_at(found: list[Token], place: int, words: tuple[str, ...]) -> bool:
    if place + len(words) > len(found):
        return False
    here = found[place : place + len(words)]
    spoken = (spelt(t.text) if t.kind is Kind.WORD else t.text for t in here)
    return all(said == word for said, word in zip(spoken, words, strict=True))


def _phrase_at(found: list[Token], place: int) -> Phrase | None:
    token = found[place]
    first = spelt(token.text) if token.kind is Kind.WORD else token.text
    for phrase in _by_first_word().get(first, ()):
        if _said_at(found, place, phrase[0]):
            return phrase
    return None


def joined(found: list[Token]) -> tuple[list[Token], dict[int, str]]:
    """Return the tokens with every idiom as one token, and the categories of those by place."""
    opening = _by_first_word()
    if not any((spelt(t.text) if t.kind is Kind.WORD else t.text) in opening for t in found):
        return found, {}
    whole: list[Token] = []
    categories: dict[int, str] = {}
    place = 0
    while place < len(found):
        phrase = _phrase_at(found, place)
        if phrase is None:
            whole.append(found[place])
            place += 1
            continue
        words, category = phrase
        categories[len(whole)] = category
        text = " ".join(token.text for token in found[place : place + len(words)])
        whole.append(Token(Kind.PHRASE, text))
        place += len(words)
    return whole, categories
