"""One screen on three surfaces: an SMS, a USSD page, the mobile app's card.

Never shortens a text to make it fit: what a person consents to is shown whole or not at all.
"""

from collections.abc import Mapping
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
from dialogs.engine.wording import Words

__all__ = [
    "Button",
    "Card",
    "PageTooLong",
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
    labels = _labels(
        words, dialog, dialog.asked_by(screen.key), language, {**screen.values, **values}
    )
    return {"body": body, "choices": [{"id": c.id, "label": label} for c, label in labels]}


def _page(
    words: Words, dialog: Dialog, screen: Screen, language: str, values: Mapping[str, Value]
) -> str:
    body = words.text(screen, language, values, surface="ussd")
    labels = _labels(
        words, dialog, dialog.asked_by(screen.key), language, {**screen.values, **values}
    )
    if not labels:
        return body
    lines = (f"{choice.digit}. {label}" for choice, label in labels)
    return "\n".join((body, *lines, _back(words, language)))


def _confirm_page(words: Words, screen: Screen, language: str, values: Mapping[str, Value]) -> str:
    body = words.text(screen, language, values, surface="ussd")
    confirm = words.text(Screen(COMMON, "confirm"), language)
    return f"{body}\n1. {confirm}\n{_back(words, language)}"


def _labels(
    words: Words, dialog: Dialog, ask: Ask | None, language: str, values: Mapping[str, Value]
) -> list[tuple[Choice, str]]:
    if ask is None:
        return []
    return [
        (choice, words.text(Screen(dialog.name, labelling(ask.name, choice.id)), language, values))
        for choice in ask.choices
    ]


def _back(words: Words, language: str) -> str:
    return f"0. {words.text(Screen(COMMON, 'back'), language)}"


def _fitting(page: str) -> str:
    if units(page) > USSD_UNITS:
        raise PageTooLong(f"found a page of {units(page)} units, expected at most {USSD_UNITS}")
    return page
