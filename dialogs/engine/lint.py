"""Holds every wording against its budget and the house's rules: no link, no code, no glued ending.

It measures what a person would see, with the longest real values; it changes nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dialogs.engine.model import COMMON, SHARED, Ask, Dialog, Screen, Value, labelling
from dialogs.engine.render import room, segments, units
from dialogs.engine.wording import BOTH, LANGUAGES, Wording, Words, file_of, stem
from dialogs.every import DIALOGS, PHRASE_SETS

OVER = "budget"


@dataclass(frozen=True, slots=True)
class Finding:
    """What lint found in one wording, and in which line of which file of `locales`.

    `surface` is "sms", "both" (two languages in one SMS), "ussd", or "text" for what the wording
    itself says. `units` were found where `budget` are allowed, both in UCS-2 units, and so many
    SMS `segments`; `offending` is the text that is over, or that breaks the `rule`.
    """

    key: str
    language: str
    surface: str
    units: int
    budget: int
    offending: str
    rule: str = OVER
    segments: int = 0
    file: str = ""
    line: int = 0

    @property
    def where(self) -> str:
        """File and line, as editors read them."""
        return f"locales/{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One wording under the glass: where it stands, and the dialog whose screen it words."""

    dialog: Dialog | None
    screen: Screen
    key: str
    language: str
    wording: Wording

    def finding(self, surface: str, text: str, most: int, offending: str, rule: str) -> Finding:
        shown = BOTH if surface == "both" else self.language
        return Finding(
            f"{self.screen.dialog}.{self.key}", shown, surface, units(text), most, offending, rule,
            segments(text) if surface in ("sms", "both") else 0,
            file_of(self.language, self.screen.dialog), self.wording.line,
        )  # fmt: skip


def lint(
    words: Words,
    longest_values: Mapping[str, Value],
    dialogs: Iterable[Dialog] = DIALOGS,
) -> list[Finding]:
    """Every wording, in each language and on each surface, against its translator's comment.

    `longest_values` holds the longest real value of each placeholder, as one text or by language.
    An empty list means that all is well.
    """
    by_name = {dialog.name: dialog for dialog in dialogs}
    names = {*by_name, *SHARED, *(phrases.name for phrases in PHRASE_SETS)}
    found: list[Finding] = []
    for (language, name), book in words.books.items():
        if name not in names:
            continue
        for key, wording in book.items():
            entry = _Entry(by_name.get(name), Screen(name, stem(key)), key, language, wording)
            found += _against_the_house(entry)
            found += _odd_letters(entry)
            found += _over_budget(words, entry, longest_values)
    return found


def _over_budget(words: Words, entry: _Entry, values: Mapping[str, Value]) -> Iterator[Finding]:
    for surface, most in (entry.wording.budget or {}).items():
        if surface == "both" and entry.language != LANGUAGES[0]:
            continue  # one message, measured once
        text = _shown(words, entry, surface, values)
        budget = most if surface == "ussd" else room(most)
        if units(text) > budget:
            tail = text.encode("utf-16-be")[budget * 2 :].decode("utf-16-be", "replace")
            yield entry.finding(surface, text, budget, tail, OVER)


def _shown(words: Words, entry: _Entry, surface: str, values: Mapping[str, Value]) -> str:
    """The wording as a person would see it, choices and all."""
    language = BOTH if surface == "both" else entry.language
    if surface != "ussd":
        return words.text(entry.screen, language, values, surface="sms")
    lines = [words.text(entry.screen, language, values, surface="ussd")]
    back = f"0. {words.text(Screen(COMMON, 'back'), language)}"
    if entry.dialog is None:
        return lines[0]
    if entry.dialog.confirms(entry.screen.key):
        return "\n".join((*lines, f"1. {words.text(Screen(COMMON, 'confirm'), language)}", back))
    ask = entry.dialog.asked_by(entry.screen.key)
    if ask is None:
        return lines[0]
    # Listed choices go on as many pages as they need; only their question must fit.
    for choice in ask.choices if ask.listed is None else ():
        label = Screen(entry.dialog.name, labelling(ask.name, choice.id))
        lines.append(f"{choice.digit}. {words.text(label, language, values)}")
    return "\n".join((*lines, back))


_LINK = re.compile(r"https?:|www\.|\w\.(?:kz|com|org|net|ru)\b", re.IGNORECASE)
_CODE = re.compile(r"\b(?:код\w{0,3}|пароль|құпиясөз|PIN|ПИН)\b", re.IGNORECASE)
_GLUED = re.compile(r"\w+[-‑]?\{[a-z_]+[0-9]?\}|\{[a-z_]+[0-9]?\}[-‑]?\w+")
_DIGIT = re.compile(r"(?<!\d)[1-9](?!\d)")


def _against_the_house(entry: _Entry) -> Iterator[Finding]:
    """What the wording says, whatever its length; no link and no code, since fraud has both."""
    text = _without_values(entry.wording.text)
    breaches = [(match[0], "a link") for match in _LINK.finditer(text)]
    breaches += [(match[0], "a code") for match in _CODE.finditer(text)]
    breaches += [(m[0], "an ending on a value") for m in _GLUED.finditer(entry.wording.text)]
    if entry.wording.budget is None:
        breaches.append(("", "no budget is declared"))
    breaches += _wrong_digits(entry, text)
    for offending, rule in breaches:
        yield entry.finding("text", offending, 0, offending, rule)


def _wrong_digits(entry: _Entry, text: str) -> Iterator[tuple[str, str]]:
    """Only a question names digits, and then those of all its answers alike."""
    if entry.dialog is None:
        return
    named = sorted(set(_DIGIT.findall(text)))
    ask = entry.dialog.asked_by(entry.screen.key)
    if named and not ask:
        yield " ".join(named), "a digit where nothing is asked"
    # On USSD and in the app the choices are listed below the text, so there it names no digit.
    if ask is None or entry.key != entry.screen.key:
        return
    if ask.listed is not None:
        if ask.listed not in entry.wording.placeholders:
            yield f"{{{ask.listed}}}", "a question must name the digit of each answer"
    elif named != _digits(ask):
        unequal = " ".join(sorted(set(named) ^ set(_digits(ask))))
        yield unequal, "a question must name the digit of each answer"


def _digits(ask: Ask) -> list[str]:
    return sorted(choice.digit for choice in ask.choices)


def _without_values(text: str) -> str:
    return re.sub(r"\{[a-z_0-9]+\}", "…", text)


_WORD = re.compile(r"[^\W\d_]+")
_ODD = re.compile(r"[^\S \n]|[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]| (?=- )")


def _odd_letters(entry: _Entry) -> Iterator[Finding]:
    """Characters that look like others: a Latin letter inside a Cyrillic word, odd spaces, what
    lies beyond the 16 bits of UCS-2 and costs two units."""
    text = _without_values(entry.wording.text)
    odd = [(c, "a Latin letter in a Cyrillic word") for w in _WORD.findall(text) for c in _mixed(w)]
    odd += [(c, "an odd space or a typewriter's dash") for c in _ODD.findall(text)]
    odd += [(c, "a character of two units") for c in text if ord(c) > 0xFFFF]
    for character, rule in odd:
        name = f"{character!r} U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
        yield entry.finding("text", character, 0, name, rule)


def _mixed(word: str) -> list[str]:
    latin = [letter for letter in word if "LATIN" in unicodedata.name(letter, "")]
    return latin if len(latin) < len(word) else []
