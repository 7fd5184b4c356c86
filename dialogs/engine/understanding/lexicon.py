"""Loads the closed lexicon and finds the one category of a word, however it is spelt.

A spelling that could be two categories is no word at all: doubt must end as "unclear".
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

from dialogs.engine.understanding import folding, paradigms, slips

_DATA: Final = files(__package__).joinpath("lexicon")
_LANGUAGES: Final = ("kk", "ru", "en")
# "нее" is a drawled "no" or a drawled "not"; a Kazakh сс is a condition, but for a long drawl in
# an answer; "тағайындааңыз" may have lost the м of its negation: shortening changes the word.
_DRAWL_MATTERS: Final = re.compile(
    r"^н(?:е{2,}$|н++(?!ет)|ь)|^n(?:e{2,}$|n++(?!et))"
    r"|[иыіiıy](?:сс(?!с)|ss(?!s)|(?:с{3,}+|s{3,}+)(?!(?:ем|em)[иыіiıy][нзnz]))"
    r"|(?:[аәa]{2,}|[еe]{2,})(?:[йyi]|[ңнnñ]['g]?[иыіiıy]?[зzд])|(?:нда{2,}|мде{2,}|nda{2,}|mde{2,})$"
)
_CHOICE: Final = re.compile(r"\(([^()]*\|[^()]*)\)")


class Entry(NamedTuple):
    """What the lexicon knows of a spelling: its category and the language that lists it."""

    category: str
    language: str


Table = dict[str, Entry | None]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Every way to find a word: as listed, and by the skeletons of spelling.toml."""

    listed: Table = field(default_factory=dict)
    kazakh: Table = field(default_factory=dict)
    russian: Table = field(default_factory=dict)
    translit: Table = field(default_factory=dict)


def read_toml(name: str) -> dict[str, Any]:
    """Return one file of the lexicon folder."""
    return tomllib.loads(_DATA.joinpath(name).read_text(encoding="utf-8"))


def _spread(pattern: str) -> Iterator[str]:
    found = _CHOICE.search(pattern)
    if found is None:
        yield pattern
        return
    for choice in found[1].split("|"):
        yield from _spread(pattern[: found.start()] + choice + pattern[found.end() :])


def _forms(listed: str, endings: dict[str, str]) -> Iterator[str]:
    for item in listed.split():
        stem, _, paradigm = item.partition("+")
        if paradigm:
            yield from paradigms.forms(stem, endings[paradigm])
        else:
            yield from _spread(item)


def words(language: str) -> Iterator[tuple[str, str]]:
    """Yield (form, category) of one language's file, every paradigm spread."""
    data = read_toml(f"{language}.toml")
    for category, listed in data["words"].items():
        for form in _forms(listed, data.get("paradigms", {})):
            yield folding.clean(form), category


def _add(table: Table, spelling: str, entry: Entry) -> None:
    known = table.setdefault(spelling, entry)
    if known is not None and known.category != entry.category:
        table[spelling] = None


def _add_all(lexicon: Lexicon, entries: Iterable[tuple[str, Entry]]) -> None:
    for form, entry in entries:
        _add(lexicon.listed, form, entry)
        if entry.category == "other_exact":
            continue
        cyrillic = folding.is_cyrillic(form[0])
        if cyrillic and entry.language == "kk":
            _add_long(lexicon.kazakh, folding.KAZAKH.of(form), 3, entry)
        if cyrillic and entry.language == "ru":
            _add_long(lexicon.russian, folding.RUSSIAN.of(form), 4, entry)
            _add_long(lexicon.translit, folding.RUSSIAN_AS_LATIN.of(form), 3, entry)


def _add_long(table: Table, skeleton: str, least: int, entry: Entry) -> None:
    """A short skeleton fits too many other words, so short words count only as listed."""
    if len(skeleton) >= least:
        _add(table, skeleton, entry)


def _known(lexicon: Lexicon, form: str) -> bool:
    spelt = (
        form in lexicon.listed,
        folding.KAZAKH.of(form) in lexicon.kazakh,
        folding.RUSSIAN.of(form) in lexicon.russian,
        folding.RUSSIAN_AS_LATIN.of(form) in lexicon.translit,
    )
    return any(spelt)


@cache
def lexicon() -> Lexicon:
    """Return the whole lexicon, loaded once."""
    loaded = Lexicon()
    listed = [(f, Entry(c, language)) for language in _LANGUAGES for f, c in words(language)]
    _add_all(loaded, (pair for pair in listed if pair[1].category != "hint"))
    # A hint only shows the language: it never competes with a word that says something.
    _add_all(loaded, [h for h in listed if h[1].category == "hint" and not _known(loaded, h[0])])
    return loaded


@cache
def _slips() -> tuple[slips.Slips[Entry], slips.Slips[Entry], slips.Slips[Entry]]:
    known = lexicon()
    return slips.Slips(known.kazakh), slips.Slips(known.russian), slips.Slips(known.translit)


def _agreed(*found: Entry | None) -> Entry | None:
    """The one category that every table names; two different ones are none."""
    named = [entry for entry in found if entry is not None]
    return named[0] if len({entry.category for entry in named}) == 1 else None


def _by_skeleton(word: str) -> Entry | None:
    known = lexicon()
    if not folding.is_cyrillic(word[0]):
        kazakh, russian = folding.KAZAKH_LATIN.of(word), folding.RUSSIAN_LATIN.of(word)
        other = folding.RUSSIAN_LATIN_J.of(word)
        read = [known.kazakh.get(kazakh), known.translit.get(russian), known.translit.get(other)]
        if any(read) or kazakh in known.kazakh or {russian, other} & known.translit.keys():
            return _agreed(*read)
        in_kazakh, _, in_translit = _slips()
        return _agreed(in_kazakh.find(kazakh), in_translit.find(russian))
    kazakh, russian = folding.KAZAKH.of(word), folding.RUSSIAN.of(word)
    found = _agreed(known.kazakh.get(kazakh), known.russian.get(russian))
    if found or kazakh in known.kazakh or russian in known.russian:
        return found
    in_kazakh, in_russian, _ = _slips()
    return _agreed(in_kazakh.find(kazakh), in_russian.find(russian))


@lru_cache(maxsize=1 << 15)
def look_up(word: str) -> Entry | None:
    """Return what a clean word is, or None if it is unknown or could be two things."""
    readings = folding.scripts(word)
    return _agreed(*map(_look_up, readings)) if readings else _look_up(word)


def _look_up(word: str) -> Entry | None:
    listed = lexicon().listed
    short = folding.single(word)
    if word in listed:
        return listed[word]
    if _DRAWL_MATTERS.search(word):
        return None
    if short in listed and len(short) > 1:
        return listed[short]
    return _by_skeleton(word)
