"""The nouns a dialog is declared with, and the proof, at import, that every road has an end.

Holds no wording, no rule of law and no I/O: words live in `locales`, decisions in the rooms.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

COMMON = "common"
HELP = "help"
LATE = "late"
SHARED = (COMMON, HELP, LATE)
"""The sets of phrases every dialog may fall back on, in this order (`dialogs/common.py` …)."""
YES_NO = frozenset({"yes", "no"})
MOST_AGAIN = 2
"""An unclear reply is asked about at most so often; then we are silent."""

NO_VALUES: Mapping[str, "Value"] = MappingProxyType({})

Value = str | Mapping[str, str]
"""What a placeholder stands for: one text for every language, or a text by language code."""


class DialogError(ValueError):
    """A dialog was declared that could leave a person without a way to an end."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer a person may give. `digit`, "1" to "9", is its key on SMS and USSD; 0 is back.

    `words` are whole replies that mean it too, beside the digit; yes and no are understood by the
    lexicon and have none. `values` are the placeholders its label may use. `outcome` is what the
    choice itself means where the conversation goes on: a consent given before the next question.
    """

    id: str
    digit: str
    goto: str
    words: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question. `silence` names the step it ends in when the reply window closes.

    `unclear_again` is how many times we ask again, plainer each time, before we fall silent.
    `values` are the placeholders its wordings may use. `listed` is the one of them that lists the
    choices with their digits, where these are only known when the question is put. USSD asks once
    more whether a choice is meant where it `confirms`.
    """

    name: str
    choices: tuple[Choice, ...]
    silence: str
    unclear_again: int = 2
    values: tuple[str, ...] = ()
    listed: str | None = None
    confirms: bool = True

    @property
    def is_yes_no(self) -> bool:
        """Whether the lexicon of yes and no reads the replies; else digits and `Choice.words`."""
        return {choice.id for choice in self.choices} == YES_NO

    def by_id(self, choice_id: str) -> Choice | None:
        return next((choice for choice in self.choices if choice.id == choice_id), None)

    def by_digit(self, digit: str) -> Choice | None:
        return next((choice for choice in self.choices if choice.digit == digit), None)

    @property
    def again(self) -> tuple[str, ...]:
        """The keys of the plainer askings, in order: "ask.again1", "ask.again2"."""
        return tuple(f"{self.name}.again{n}" for n in range(1, self.unclear_again + 1))

    @property
    def switched(self) -> str:
        """The key of the question asked once more in the other language, its deadline unchanged."""
        return f"{self.name}.switched"

    @property
    def help(self) -> str:
        """The key of the help shown while this question is open."""
        return "help" if self.name == "ask" else f"{self.name}.help"

    @property
    def screens(self) -> tuple[str, ...]:
        """Every key under which this question is put; only these may offer its digits."""
        return (self.name, *self.again, self.switched, self.help)


@dataclass(frozen=True, slots=True)
class End:
    """Where a dialog stops. `outcome` is the event the owning room's lifecycle knows."""

    name: str
    outcome: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that asks nothing: its key and the placeholders its wordings may use."""

    key: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Screen:
    """What to show, not yet worded: the dialog's name, the wording's key and its known values."""

    dialog: str
    key: str
    values: Mapping[str, Value] = field(default_factory=lambda: NO_VALUES)


@dataclass(frozen=True, slots=True)
class Phrases:
    """Messages and words that belong to no single dialog."""

    name: str
    notices: tuple[Notice, ...]


Step = Ask | End


@dataclass(frozen=True, slots=True)
class Dialog:
    """A conversation under one by-law. Raises DialogError when a road in it leads nowhere."""

    name: str
    by_law: str
    start: str
    steps: tuple[Step, ...]
    notices: tuple[Notice, ...] = ()

    def __post_init__(self) -> None:
        _no_name_twice(self)
        _every_road_exists(self)
        _it_asks_and_not_too_often(self)
        _every_choice_is_distinct(self)
        _silence_is_never_consent(self)
        _no_wording_says_two_things(self)
        _every_step_is_reached(self)
        _every_step_can_end(self)
        _no_word_means_two_choices(self)

    def step(self, name: str) -> Step:
        """The step of that name; KeyError when the dialog has none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(f"{self.name} has no step {name!r}")

    def ask(self, name: str) -> Ask:
        """The question of that name; KeyError when there is none, or when the step is an end."""
        step = self.step(name)
        if isinstance(step, Ask):
            return step
        raise KeyError(f"{self.name}: {name!r} is an end, nothing is asked there")

    @property
    def asks(self) -> tuple[Ask, ...]:
        return tuple(step for step in self.steps if isinstance(step, Ask))

    def asked_by(self, key: str) -> Ask | None:
        """The question that the screen `key` puts, None for a screen that asks nothing."""
        return next((ask for ask in self.asks if key in ask.screens), None)

    def confirms(self, key: str) -> bool:
        """Whether the screen `key` asks to confirm a choice."""
        return any(
            key == confirming(ask.name, choice.id) for ask in self.asks for choice in ask.choices
        )


def labelling(at: str, choice_id: str) -> str:
    """The key of a choice's label: "ask.yes"."""
    return f"{at}.{choice_id}"


def confirming(at: str, choice_id: str) -> str:
    """The key of the text that asks once more whether the choice is meant: "ask.yes.confirm"."""
    return f"{at}.{choice_id}.confirm"


def roads(step: Step) -> tuple[str, ...]:
    """The names of the steps one can go to from here, the silent road last."""
    if isinstance(step, End):
        return ()
    return (*(choice.goto for choice in step.choices), step.silence)


def _no_name_twice(dialog: Dialog) -> None:
    names = [step.name for step in dialog.steps] + [notice.key for notice in dialog.notices]
    for name in names:
        if names.count(name) > 1:
            raise DialogError(f"{dialog.name}: {name!r} is declared {names.count(name)} times")


def _every_road_exists(dialog: Dialog) -> None:
    known = {step.name for step in dialog.steps}
    if dialog.start not in known:
        raise DialogError(f"{dialog.name}: starts at unknown step {dialog.start!r}")
    for step in dialog.steps:
        for name in roads(step):
            if name not in known:
                raise DialogError(f"{dialog.name}: {step.name!r} leads to unknown step {name!r}")


def _it_asks_and_not_too_often(dialog: Dialog) -> None:
    if isinstance(dialog.step(dialog.start), End):
        raise DialogError(f"{dialog.name}: starts with the end {dialog.start!r}, nothing is asked")
    for ask in dialog.asks:
        if not 0 <= ask.unclear_again <= MOST_AGAIN:
            raise DialogError(
                f"{dialog.name}: {ask.name!r} asks {ask.unclear_again} times again,"
                f" expected 0 to {MOST_AGAIN}"
            )
        if ask.listed is not None and ask.listed not in ask.values:
            raise DialogError(
                f"{dialog.name}: {ask.name!r} lists its choices in {ask.listed!r},"
                f" expected one of its values {list(ask.values)}"
            )


def _silence_is_never_consent(dialog: Dialog) -> None:
    for ask in dialog.asks:
        yes = ask.by_id("yes")
        if yes is not None and ask.silence == yes.goto and ask.silence != _of(ask, "no"):
            raise DialogError(f"{dialog.name}: {ask.name!r}: silence leads to {yes.goto!r}, as yes")


def _of(ask: Ask, choice_id: str) -> str | None:
    choice = ask.by_id(choice_id)
    return choice.goto if choice is not None else None


def _no_wording_says_two_things(dialog: Dialog) -> None:
    """Each key of a dialog words one screen: a help that is also an end would say one for both."""
    keys = [notice.key for notice in dialog.notices]
    for step in dialog.steps:
        if isinstance(step, End):
            keys.append(step.name)
            continue
        keys += step.screens
        for choice in step.choices:
            keys += [labelling(step.name, choice.id), confirming(step.name, choice.id)]
    for key in keys:
        if keys.count(key) > 1:
            raise DialogError(f"{dialog.name}: {key!r} words {keys.count(key)} screens")


def _every_choice_is_distinct(dialog: Dialog) -> None:
    for ask in dialog.asks:
        if not ask.choices:
            raise DialogError(f"{dialog.name}: {ask.name!r} asks but offers no choice, a dead end")
        _no_value_twice(dialog, ask, "digit", [choice.digit for choice in ask.choices])
        _no_value_twice(dialog, ask, "id", [choice.id for choice in ask.choices])
        for choice in ask.choices:
            if choice.digit not in tuple("123456789"):
                raise DialogError(
                    f"{dialog.name}: {ask.name!r}: {choice.id!r} has digit {choice.digit!r},"
                    " expected 1 to 9"
                )


def _no_value_twice(dialog: Dialog, ask: Ask, what: str, found: list[str]) -> None:
    if len(set(found)) != len(found):
        raise DialogError(f"{dialog.name}: {ask.name!r} has a duplicate {what} in {found}")


def _no_word_means_two_choices(dialog: Dialog) -> None:
    for ask in dialog.asks:
        words = [word.casefold() for choice in ask.choices for word in choice.words]
        _no_value_twice(dialog, ask, "word", words)
        if ask.is_yes_no and words:
            raise DialogError(
                f"{dialog.name}: {ask.name!r} has words {words}, expected none beside yes and no"
            )
        if YES_NO & {choice.id for choice in ask.choices} and not ask.is_yes_no:
            raise DialogError(
                f"{dialog.name}: {ask.name!r} has only one of yes and no, or others beside them"
            )


def _every_step_is_reached(dialog: Dialog) -> None:
    reached: set[str] = set()
    ahead = [dialog.start]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead.extend(roads(dialog.step(name)))
    lost = [step.name for step in dialog.steps if step.name not in reached]
    if lost:
        raise DialogError(f"{dialog.name}: no road leads to {lost}")


def _every_step_can_end(dialog: Dialog) -> None:
    ending = {step.name for step in dialog.steps if isinstance(step, End)}
    grew = True
    while grew:
        more = {s.name for s in dialog.steps if ending.intersection(roads(s))} - ending
        grew = bool(more)
        ending |= more
    stuck = [step.name for step in dialog.steps if step.name not in ending]
    if stuck:
        raise DialogError(f"{dialog.name}: no road leads from {stuck} to an end, a dead end")
