"""One screen on three surfaces: an SMS, a USSD page, the mobile app's card.

Never shortens a text to make it fit: what a person consents to is shown whole or not at all.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

from dialogs.engine.model import (
    COMMON,
    NO_VALUES,
    Ask,
    Choice,
    Dialog,
    Screen,
    Value,
    confirming,
    labelling,
)
from dialogs.engine.pages import USSD_UNITS, PageTooLong, units
from dialogs.engine.wording import BOTH, LANGUAGES, Wording, Words, stem
from dialogs.every import DIALOGS, PHRASE_SETS

__all__ = [
    "Button",
    "Card",
    "Finding",
    "PageTooLong",
    "lint",
    "mobile",
    "room",
    "segments",
    "sms",
    "units",
    "ussd",
    "ussd_confirm",
]

SINGLE_UNITS = 70
SEGMENT_UNITS = 67


class Button(TypedDict):
    id: str
    label: str


class Card(TypedDict):
    body: str
    choices: list[Button]


@dataclass(frozen=True, slots=True)
class Finding:
    """What lint found in one wording.

    `surface` is "sms", "both" (two languages in one SMS), "ussd", or "text" for what the wording
    itself says. `units` were found where `budget` are allowed, both in UCS-2 units; `offending` is
    the text that is over, or that breaks the `rule`.
    """

    key: str
    language: str
    surface: str
    units: int
    budget: int
    offending: str
    rule: str = "budget"


def segments(text: str) -> int:
    """How many SMS segments a text takes, always as UCS-2: every wording of ours is Cyrillic."""
    length = units(text)
    if length <= SINGLE_UNITS:
        return 1
    return -(-length // SEGMENT_UNITS)


def room(segment_count: int) -> int:
    """The UCS-2 units that fit in so many segments."""
    return SINGLE_UNITS if segment_count == 1 else SEGMENT_UNITS * segment_count


def sms(
    words: Words, screen: Screen, language: str, values: Mapping[str, Value] = NO_VALUES
) -> str:
    """The text of the SMS; `language` may be "both", Kazakh first."""
    return words.text(screen, language, values, surface="sms")


def ussd(
    words: Words,
    dialog: Dialog,
    screen: Screen,
    language: str,
    values: Mapping[str, Value] = NO_VALUES,
) -> str:
    """The USSD page: a question lists its numbered choices and 0 for back, a notice stands alone.

    Raises PageTooLong over 80 UCS-2 units, line breaks included.
    """
    return _fitting(_page(words, dialog, screen, language, values))


def ussd_confirm(
    words: Words,
    dialog: Dialog,
    at: str,
    choice_id: str,
    language: str,
    values: Mapping[str, Value] = NO_VALUES,
) -> str:
    """The page that asks once more: on a keypad the other digit is one slip away.

    1 confirms, 0 goes back. Raises PageTooLong as `ussd` does.
    """
    screen = Screen(dialog.name, confirming(at, choice_id))
    return _fitting(_confirm_page(words, screen, language, values))


def mobile(
    words: Words,
    dialog: Dialog,
    screen: Screen,
    language: str,
    values: Mapping[str, Value] = NO_VALUES,
) -> Card:
    """The app's card: `{"body", "choices": [{"id", "label"}]}`; a notice has no choices."""
    body = words.text(screen, language, values, surface="mobile")
    labels = _labels(words, dialog, dialog.asked_by(screen.key), language)
    return {"body": body, "choices": [{"id": c.id, "label": label} for c, label in labels]}


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
    known = {*by_name, *(phrases.name for phrases in PHRASE_SETS)}
    found: list[Finding] = []
    for (language, name), book in words.books.items():
        if name not in known:
            continue
        for key, wording in book.items():
            screen = Screen(name, stem(key))
            found += _against_the_house(by_name.get(name), key, screen, language, wording)
            for surface, most in (wording.budget or {}).items():
                if surface == "both" and language != LANGUAGES[0]:
                    continue  # one message, measured once
                shown = BOTH if surface == "both" else language
                text = _shown(words, by_name.get(name), screen, shown, surface, longest_values)
                found += _over(f"{name}.{key}", shown, surface, most, text)
    return found


def _page(
    words: Words, dialog: Dialog, screen: Screen, language: str, values: Mapping[str, Value]
) -> str:
    body = words.text(screen, language, values, surface="ussd")
    labels = _labels(words, dialog, dialog.asked_by(screen.key), language)
    if not labels:
        return body
    lines = (f"{choice.digit}. {label}" for choice, label in labels)
    return "\n".join((body, *lines, _back(words, language)))


def _confirm_page(words: Words, screen: Screen, language: str, values: Mapping[str, Value]) -> str:
    body = words.text(screen, language, values, surface="ussd")
    confirm = words.text(Screen(COMMON, "confirm"), language)
    return f"{body}\n1. {confirm}\n{_back(words, language)}"


def _labels(
    words: Words, dialog: Dialog, ask: Ask | None, language: str
) -> list[tuple[Choice, str]]:
    if ask is None:
        return []
    return [
        (choice, words.text(Screen(dialog.name, labelling(ask.name, choice.id)), language))
        for choice in ask.choices
    ]


def _back(words: Words, language: str) -> str:
    return f"0. {words.text(Screen(COMMON, 'back'), language)}"


def _fitting(page: str) -> str:
    if units(page) > USSD_UNITS:
        raise PageTooLong(f"found a page of {units(page)} units, expected at most {USSD_UNITS}")
    return page


def _shown(
    words: Words,
    dialog: Dialog | None,
    screen: Screen,
    language: str,
    surface: str,
    values: Mapping[str, Value],
) -> str:
    """The wording as a person would see it, choices and all."""
    if surface != "ussd":
        return words.text(screen, language, values, surface="sms")
    if dialog is None:
        return words.text(screen, language, values, surface="ussd")
    if dialog.confirms(screen.key):
        return _confirm_page(words, screen, language, values)
    return _page(words, dialog, screen, language, values)


def _over(key: str, language: str, surface: str, most: int, text: str) -> Iterator[Finding]:
    budget = most if surface == "ussd" else room(most)
    if units(text) > budget:
        tail = text.encode("utf-16-be")[budget * 2 :].decode("utf-16-be", "replace")
        yield Finding(key, language, surface, units(text), budget, tail)


_LINK = re.compile(r"https?:|www\.|\w\.(?:kz|com|org|net|ru)\b", re.IGNORECASE)
_GLUED = re.compile(r"\w+[-‑]?\{[a-z_]+\}|\{[a-z_]+\}[-‑]?\w+")
_DIGIT = re.compile(r"(?<!\d)[1-9](?!\d)")


def _against_the_house(
    dialog: Dialog | None, key: str, screen: Screen, language: str, wording: Wording
) -> Iterator[Finding]:
    """What the wording says, whatever its length; no link, since fraud looks like one."""
    named = sorted(set(_DIGIT.findall(wording.text)))
    ask = dialog.asked_by(screen.key) if dialog else None
    offered = sorted(choice.digit for choice in ask.choices) if ask else []
    breaches = [(match[0], "a link") for match in _LINK.finditer(wording.text)]
    breaches += [(match[0], "an ending on a value") for match in _GLUED.finditer(wording.text)]
    if wording.budget is None:
        breaches.append(("", "no budget is declared"))
    if named and not ask:
        breaches.append((" ".join(named), "a digit where nothing is asked"))
    # On USSD and in the app the choices are listed below the text, so there it names no digit.
    if ask and key == screen.key and named != offered:
        unequal = " ".join(sorted(set(named) ^ set(offered)))
        breaches.append((unequal, "a question must name the digit of each answer"))
    for offending, rule in breaches:
        full = f"{screen.dialog}.{key}"
        yield Finding(full, language, "text", units(offending), 0, offending, rule)
