"""One reply in, one screen out: what a person said to an open question and what we answer. Pure.

Decides what was said, never what it means in law: whether it came in time is the room's to judge.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from dialogs.engine.model import COMMON, LATE, Ask, Choice, Dialog, End, Screen
from dialogs.engine.understanding import (
    Label,
    Understood,
    bare_digit,
    understand,
    wants_start,
)
from dialogs.engine.understanding.spoken import said as tokens_of
from dialogs.engine.understanding.tokens import Kind


class Event(StrEnum):
    """What happened in a turn."""

    CHOICE = "choice"
    """An answer: `outcome` says which, and the dialog has moved on."""
    UNCLEAR = "unclear"
    """Not plainly an answer: the question is put again; the caller counts it in `asked`."""
    SILENT = "silent"
    """Not plainly an answer once more: we say nothing; the question stays open."""
    STOP = "stop"
    """No more messages, please: confirmed once; what becomes of the question is the room's."""
    START = "start"
    """Messages again, please: confirmed; the question stays open."""
    HELP = "help"
    LANGUAGE = "language"
    """The question is put again in `language`, which the caller remembers."""
    LAPSED = "lapsed"
    """The reply window closed (155/НҚ, clause 4)."""
    LATE = "late"
    """An answer came when the question was no longer open."""


class UnknownChoice(ValueError):
    """A choice that the question does not offer."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one reply.

    `outcome` is the choice's own event, or that of the end it led to, else None. `step` is where
    the dialog now stands; it has ended where `is_over`. `screen` is None when we stay silent.
    `understood` is None when nothing had to be read: a key, a button, the passing of time; its
    label is about yes and no only. `language` is "kk" or "ru" when the person asked for it.
    `choice` is the id of what was chosen.
    """

    outcome: str | None
    step: str
    screen: Screen | None
    understood: Understood | None
    language: str | None
    event: Event
    choice: str | None = None
    is_over: bool = False


_LANGUAGES = {Label.LANGUAGE_KK: "kk", Label.LANGUAGE_RU: "ru"}


def reply(dialog: Dialog, at: str, text: str, asked: int) -> Turn:
    """The turn for a free-text reply to the question `at`.

    `asked` is how often this question was already put again for an unclear reply: 0 at first.
    Raises KeyError when nothing is asked at `at`.
    """
    ask = dialog.ask(at)
    said = understand(text)
    choice, said = _read(ask, text, said)
    if choice is not None:
        return _chosen(dialog, choice, said)
    if wants_start(text):
        return Turn(None, at, Screen(COMMON, "started"), said, None, Event.START)
    if said.label in _LANGUAGES:
        screen = Screen(dialog.name, ask.switched)
        return Turn(None, at, screen, said, _LANGUAGES[said.label], Event.LANGUAGE)
    if said.label is Label.STOP:
        return Turn(None, at, Screen(COMMON, "stopped"), said, None, Event.STOP)
    if said.label is Label.HELP:
        return Turn(None, at, Screen(dialog.name, ask.help), said, None, Event.HELP)
    if asked < len(ask.again):
        return Turn(None, at, Screen(dialog.name, ask.again[asked]), said, None, Event.UNCLEAR)
    return Turn(None, at, None, said, None, Event.SILENT)


def choose(dialog: Dialog, at: str, choice_id: str) -> Turn:
    """The turn for a USSD key or a button of the app. Raises UnknownChoice."""
    return _chosen(dialog, _choice(dialog, at, choice_id), None)


def silence(dialog: Dialog, at: str) -> Turn:
    """The turn that time takes when the reply window has closed: silence is never consent."""
    ask = dialog.ask(at)
    return _moved(dialog, ask.silence, None, Event.LAPSED)


def too_late(dialog: Dialog) -> Turn:
    """The turn for an answer to a question that is no longer open; it changes nothing."""
    return Turn(None, dialog.start, Screen(dialog.name, LATE), None, None, Event.LATE)


def fold(dialog: Dialog, choices: Iterable[str]) -> str:
    """The step a conversation stands at after these choice ids; so a lost session is rebuilt.

    Raises UnknownChoice.
    """
    at = dialog.start
    for choice_id in choices:
        at = _choice(dialog, at, choice_id).goto
    return at


def _read(ask: Ask, text: str, said: Understood) -> tuple[Choice | None, Understood]:
    """The choice a reply makes, and how it was read. Where digits mean accounts or marks, the
    lexicon of yes and no has no say: "1" is the first of them, and "иә" is none."""
    if ask.is_yes_no:
        return ask.by_id(said.label.value), said
    digit = bare_digit(text)
    if digit is not None:
        return ask.by_digit(digit), _as_choice(said, f"the digit {digit}")
    meant = _worded(ask).get(_words(text)) if said.label is Label.UNCLEAR else None
    if meant is None:
        plain = Label.UNCLEAR if said.label in (Label.YES, Label.NO) else said.label
        return None, Understood(plain, said.rule, said.language, said.trace)
    return ask.by_id(meant), _as_choice(said, "a word that names the choice")


def _as_choice(said: Understood, rule: str) -> Understood:
    return Understood(Label.UNCLEAR, rule, said.language, said.trace)


@cache
def _worded(ask: Ask) -> dict[tuple[str, ...], str]:
    """Every spelling of every word of a choice, and the choice's id."""
    return {_words(word): choice.id for choice in ask.choices for word in choice.words}


def _words(text: str) -> tuple[str, ...]:
    """A reply's words in the spelling they share; none where it holds anything but words."""
    tokens = tokens_of(text)
    is_plain = all(token.kind is Kind.WORD for token in tokens)
    return tuple(token.text for token in tokens) if is_plain else ()


def _choice(dialog: Dialog, at: str, choice_id: str) -> Choice:
    step = dialog.step(at)
    offered = () if isinstance(step, End) else step.choices
    for choice in offered:
        if choice.id == choice_id:
            return choice
    raise UnknownChoice(
        f"{dialog.name}: {at}: found choice {choice_id!r},"
        f" expected one of {[choice.id for choice in offered]}"
    )


def _chosen(dialog: Dialog, choice: Choice, said: Understood | None) -> Turn:
    return _moved(dialog, choice.goto, said, Event.CHOICE, choice)


def _moved(
    dialog: Dialog,
    name: str,
    said: Understood | None,
    event: Event,
    choice: Choice | None = None,
) -> Turn:
    step = dialog.step(name)
    is_over = isinstance(step, End)
    outcome = step.outcome if isinstance(step, End) else None
    own = choice.outcome if choice else None
    chosen = choice.id if choice else None
    screen = Screen(dialog.name, name)
    return Turn(own or outcome, name, screen, said, None, event, chosen, is_over)
