"""The pages of USSD in words: the menu, lists, questions, notices. Pure.

Each function gives all pages of one view, at least one, each within what a screen can hold.
"""

from collections.abc import Mapping, Sequence

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
from dialogs.engine.pages import Foot, Item, Page, paged
from dialogs.engine.wording import Words
from dialogs.language import CHOICES, LANGUAGE
from dialogs.menu import ENTRIES, MENU

CONFIRMED = "confirmed"
"""The id behind 1 of a page that asks once more."""


def menu(words: Words, language: str) -> list[Page]:
    """The main page; 0 ends the session."""
    items = [Item(e.id, _said(words, MENU.name, f"main.{e.id}", language)) for e in ENTRIES]
    return paged("", items, Foot(_said(words, COMMON, "more", language), _exit(words, language)))


def languages(words: Words, language: str | None) -> list[Page]:
    """The choice of a language. It is the first page of a phone whose `language` is unknown (None),
    where it stands in no language and 0 ends the session unsaid."""
    known = language or CHOICES[0].id
    items = [
        Item(c.id, _said(words, LANGUAGE.name, labelling("ask", c.id), known)) for c in CHOICES
    ]
    foot = _foot(words, known)
    return paged(
        _said(words, LANGUAGE.name, "ask", known),
        items,
        Foot(foot.more, foot.back, ends=language is None),
    )


def listing(
    words: Words, name: str, entries: Sequence[tuple[str, str]], language: str
) -> list[Page]:
    """The list that the menu calls `name`: (id, label) of each entry, or that there are none."""
    foot = _foot(words, language)
    if not entries:
        return paged(_said(words, MENU.name, f"{name}.none", language), [], foot)
    heading = _said(words, MENU.name, name, language)
    return paged(heading, [Item(id, label) for id, label in entries], foot)


def question(
    words: Words,
    dialog: Dialog,
    screen: Screen,
    language: str,
    values: Mapping[str, Value] = NO_VALUES,
) -> list[Page]:
    """A question with its numbered choices, all of them on the last page."""
    ask = dialog.asked_by(screen.key)
    known = {**screen.values, **values}
    items = [
        Item(c.id, words.text(Screen(dialog.name, label), language, known), c.digit)
        for c, label in (_labels(ask) if ask else ())
    ]
    body = words.text(screen, language, values, surface="ussd")
    return paged(body, items, _foot(words, language), together=True)


def confirmation(
    words: Words,
    dialog: Dialog,
    at: str,
    choice_id: str,
    language: str,
    values: Mapping[str, Value] = NO_VALUES,
) -> list[Page]:
    """Asks once more whether a choice is meant: on a keypad the other digit is one slip away."""
    screen = Screen(dialog.name, confirming(at, choice_id))
    item = Item(CONFIRMED, _said(words, COMMON, "confirm", language))
    body = words.text(screen, language, values, surface="ussd")
    return paged(body, [item], _foot(words, language), together=True)


def notice(
    words: Words,
    screen: Screen,
    language: str,
    *,
    ends: bool = False,
    in_full: bool = False,
) -> list[Page]:
    """A text that asks nothing. `ends`: its last page is the last of the session. `in_full`: as an
    SMS would say it, with the names that a page at the end of a conversation leaves out."""
    text = words.text(screen, language, surface="sms" if in_full else "ussd")
    foot = _foot(words, language)
    if ends:
        foot = Foot(foot.more, _exit(words, language), ends=True)
    return paged(text, [], foot)


def wrong_choice(words: Words, language: str) -> list[Page]:
    """The page after a key that the page before it did not offer."""
    return [Page(_said(words, COMMON, "wrong-choice", language))]


def _labels(ask: Ask) -> list[tuple[Choice, str]]:
    return [(choice, labelling(ask.name, choice.id)) for choice in ask.choices]


def _foot(words: Words, language: str) -> Foot:
    return Foot(_said(words, COMMON, "more", language), _said(words, COMMON, "back", language))


def _exit(words: Words, language: str) -> str:
    return _said(words, COMMON, "exit", language)


def _said(words: Words, name: str, key: str, language: str) -> str:
    return words.text(Screen(name, key), language, surface="ussd")
