"""The ways through the USSD menu: which page follows a key, and how each page is worded. Pure.

A key means what the page on the handset says beside it and nothing else; "1 иә" is a wrong choice.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from app.conversation.records import Question
from app.conversation.rooms import Listed
from app.conversation.sessions import LISTS, Session, View
from dialogs.engine import ussd
from dialogs.engine.model import COMMON, Screen
from dialogs.engine.pages import Page
from dialogs.engine.wording import Words
from dialogs.language import CHOICES
from dialogs.menu import ENTRIES, MENU

MOST_MISSES = 3
ASKING = (View.CASE, View.CONFIRM)
ENDS = (View.ANSWERED, View.AFTER, View.BYE)
BACK, CONFIRM, MORE = "0", "1", "9"
_DIALLED = re.compile(r"\*?\d+\*(\d)#?")

to = msgspec.structs.replace


@dataclass(frozen=True, slots=True)
class Answer:
    """The confirmed choice of a page: an answer for the room that asked."""

    case_id: UUID
    dialog: str
    step: str
    choice: str
    language: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it goes out, and what has to be remembered of it; None where the session ends."""

    text: str
    session: Session | None


def opened(language: str | None, listed: Sequence[Listed], dialled: str) -> Session:
    """The first page of a session: the language of a phone that has none, else the entry that was
    dialled ("*1414*1#"), else the question that waits for an answer, else the menu."""
    if language is None:
        return Session(View.LANGUAGE)
    digits = _DIALLED.fullmatch(dialled.strip())
    entry = next((e for e in ENTRIES if digits and e.digit == digits[1]), None)
    if entry is not None:
        return Session(View(entry.goto), language)
    waiting = next((one for one in listed if one.question is not None and not one.standing), None)
    if waiting is not None:
        return Session(View.CASE, language, case=waiting.case_id)
    return Session(View.MENU, language)


def pressed(words: Words, at: Session, listed: Sequence[Listed], key: str) -> Session | Answer:
    """What follows a key on the page `at`."""
    key = key.strip()  # networks pad with carriage returns (3GPP TS 23.038, 6.1.2.3.1)
    if at.is_missed:
        return to(at, is_missed=False) if key == BACK else _missed(at)
    pages = _pages(words, at, listed)
    page = pages[min(at.page, len(pages) - 1)]
    if key == MORE and page.has_more:
        return to(at, page=at.page + 1, misses=0)
    if key == BACK:
        return _back(at)
    if at.view in ASKING and at.step and _question(at, listed) is None:
        return _late(at, key)
    target = page.keys.get(key)
    return _missed(at) if target is None else _chosen(at, listed, key, target, page)


def shown(words: Words, at: Session, listed: Sequence[Listed]) -> Shown:
    """The page of `at`. What it was about may be gone by now; then the menu is shown."""
    at = _settled(at, listed)
    if at.is_missed:
        return Shown(ussd.wrong_choice(words, _language(at))[0].text, at)
    pages = _pages(words, at, listed)
    number = min(at.page, len(pages) - 1)
    page = pages[number]
    if at.view in ENDS and not page.has_more:
        return Shown(page.text, None)
    cases = tuple(UUID(id) for id in page.keys.values()) if at.view in LISTS else ()
    return Shown(page.text, to(at, page=number, shown=cases))


def _chosen(
    at: Session, listed: Sequence[Listed], key: str, target: str, page: Page
) -> Session | Answer:
    match at.view:
        case View.LANGUAGE if at.language is None:
            return opened(target, listed, "")
        case View.LANGUAGE:
            return Session(View.MENU, target)
        case View.MENU:
            return Session(View(target), at.language)
        case View.OFFERS | View.MEASURES:
            # The list may have grown since: a digit means what stood beside it on the handset.
            place = list(page.keys).index(key)
            if place >= len(at.shown):
                return _missed(at)
            return Session(View.CASE, at.language, case=at.shown[place], came_from=at.view)
        case View.CONFIRM if at.case is not None:
            return Answer(at.case, at.dialog, at.step, at.choice, _language(at))
        case View.CASE if at.case is not None:
            one = _question(at, listed)
            if one is not None and one.dialog is not None and one.dialog.ask(at.step).confirms:
                return to(at, view=View.CONFIRM, choice=target, page=0, misses=0)
            return Answer(at.case, at.dialog, at.step, target, _language(at))
    return _missed(at)


def _late(at: Session, key: str) -> Session | Answer:
    """A key to a question that takes no answer now. One that was confirmed goes to its room all
    the same, which judges it by when it reached us."""
    if at.view is View.CONFIRM and at.case is not None and key == CONFIRM:
        return Answer(at.case, at.dialog, at.step, at.choice, _language(at))
    return Session(View.AFTER, at.language, case=at.case)


def _back(at: Session) -> Session:
    """One page back; from the first page of a view to where it was chosen; from the menu, out."""
    if at.view in ENDS:
        return Session(View.BYE, at.language)
    if at.page > 0:
        return to(at, page=at.page - 1, misses=0)
    if at.view is View.MENU or at.language is None:
        return Session(View.BYE, at.language)
    if at.view is View.CONFIRM:
        return Session(View.CASE, at.language, case=at.case, came_from=at.came_from)
    if at.view is View.CASE and at.came_from is not None:
        return Session(at.came_from, at.language)
    return Session(View.MENU, at.language)


def _missed(at: Session) -> Session:
    """A wrong key is said to be wrong; at the third in a row the session ends."""
    if at.misses + 1 >= MOST_MISSES:
        return Session(View.BYE, at.language)
    return to(at, misses=at.misses + 1, is_missed=True)


def _settled(at: Session, listed: Sequence[Listed]) -> Session:
    if at.view not in ASKING:
        return at
    one = _find(at, listed)
    if one is None:
        return Session(View.MENU, at.language)
    if one.question is None:
        return to(at, view=View.CASE, dialog="", step="", choice="")
    if at.view is View.CONFIRM and _asks(one.question, at):
        return at
    asked = one.question
    return to(at, view=View.CASE, dialog=asked.dialog, step=asked.step, choice="")


def _pages(words: Words, at: Session, listed: Sequence[Listed]) -> list[Page]:
    language = _language(at)
    match at.view:
        case View.LANGUAGE:
            return ussd.languages(words, at.language)
        case View.MENU:
            return ussd.menu(words, language)
        case View.OFFERS | View.MEASURES:
            entries = [(str(o.case_id), o.label) for o in listed if o.menu == at.view]
            return ussd.listing(words, str(at.view), entries, language)
        case View.HELP:
            return ussd.notice(words, Screen(MENU.name, "help"), language)
        case View.BYE:
            return ussd.notice(words, Screen(MENU.name, "goodbye"), language, ends=True)
    return _pages_of_case(words, at, _find(at, listed), language)


def _pages_of_case(words: Words, at: Session, one: Listed | None, language: str) -> list[Page]:
    if one is None:  # it was taken from this phone while somebody looked at it
        return ussd.notice(words, Screen(COMMON, "nothing-asked"), language, ends=at.view in ENDS)
    if at.view is View.ANSWERED:
        answer = Screen(at.dialog, at.step, one.screen.values) if at.dialog else one.screen
        return ussd.notice(words, answer, language, ends=True)
    if at.view is View.AFTER:
        return ussd.notice(words, one.after, language, ends=True)
    if one.dialog is None or one.question is None:
        return ussd.notice(words, one.screen, language, in_full=True)
    if at.view is View.CONFIRM:
        values = one.screen.values
        return ussd.confirmation(words, one.dialog, at.step, at.choice, language, values)
    return ussd.question(words, one.dialog, one.screen, language)


def _question(at: Session, listed: Sequence[Listed]) -> Listed | None:
    """The question the handset shows, while it is still asked."""
    one = _find(at, listed)
    return one if one is not None and one.question and _asks(one.question, at) else None


def _asks(question: Question, at: Session) -> bool:
    return (question.dialog, question.step) == (at.dialog, at.step)


def _find(at: Session, listed: Sequence[Listed]) -> Listed | None:
    return next((one for one in listed if one.case_id == at.case), None)


def _language(at: Session) -> str:
    return at.language or CHOICES[0].id
