"""One conversation in memory: the same dialogs, wordings and rules as the real one, and no server.

It remembers what a ledger would, sends each message at once and has its receipt come with it. A
reply comes a minute after what it answers, unless more time is made to pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.calendar import Calendar, local_date
from app.catalogue.model import Catalogue, Service
from app.proactive import rules
from app.proactive.actions.replying import ALREADY, OUTCOMES
from app.proactive.actions.sweeping import branch_values
from app.proactive.rules import Event, State, accounts
from dialogs import account, every
from dialogs.engine import turn, ussd
from dialogs.engine.listed import listed
from dialogs.engine.model import COMMON, HELP, Dialog, Screen, Value
from dialogs.engine.render import Card, mobile, segments, units
from dialogs.engine.turn import Event as Said
from dialogs.engine.turn import Turn
from dialogs.engine.understanding import (
    ANOTHER_PERSON,
    Label,
    Understood,
    bare_digit,
    understand,
    wants_start,
)
from dialogs.engine.wording import BOTH, Words

OFFER = "offer"
REPLIES_AFTER = timedelta(minutes=1)
LANGUAGES = {Label.LANGUAGE_KK: "kk", Label.LANGUAGE_RU: "ru"}


@dataclass(frozen=True, slots=True)
class Line:
    """What happened: `who` is "1414", "phone" or "offer". An SMS has its UCS-2 `units` and its
    `segments`; a reply the `rule` by which it was read; an offer its `state`."""

    at: datetime
    who: str
    text: str
    units: int = 0
    segments: int = 0
    key: str | None = None
    label: str | None = None
    rule: str | None = None
    state: str | None = None


@dataclass(slots=True)
class Rehearsal:
    """An offer of `service`, from its question to its end. Every deed returns what followed.

    `language` is the offer's, at first what the register has; `chosen` is what the phone itself
    asked for or answered in, where that was news."""

    catalogue: Catalogue
    calendar: Calendar
    words: Words
    service: Service
    now: datetime
    language: str | None = None
    labels: Sequence[str] = ()
    state: State = State.MADE
    deadline: datetime | None = None
    dialog: Dialog | None = None
    step: str = ""
    asked: int = 0
    takes_sms: bool = True
    is_answered: bool = False
    was_helped: bool = False
    missed_account: bool = False
    chosen: str | None = None
    registered: str | None = field(init=False)
    _said: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.registered = self.language

    def begin(self) -> list[Line]:
        """The question is sent, and the handset has it at once."""
        for event in (Event.SUBMITTED, Event.RECEIVED):
            self._move(event)
        self._ask(every.dialog(OFFER))
        return self._told()

    def hear(self, text: str) -> list[Line]:
        """The phone writes, a minute after the last thing that happened."""
        self.now += REPLIES_AFTER
        self._lapse()
        understood = understand(text)
        self._heard(text, understood)
        if self.dialog is None:
            self._unasked(text, understood)
        else:
            said = turn.reply(self.dialog, self.step, text, self.asked)
            self._said[-1] = _read(self._said[-1], said)
            self._learn(said)
            self._take(said)
        return self._told()

    def choose(self, choice: str) -> list[Line]:
        """A button of the app or a confirmed key on USSD. Raises turn.UnknownChoice."""
        self._lapse()
        if self.dialog is None:
            raise turn.UnknownChoice(f"found {choice!r}, but nothing is asked any more")
        self._take(turn.choose(self.dialog, self.step, choice))
        return self._told()

    def pass_time(self, by: timedelta) -> list[Line]:
        """Time passes; what is due then happens."""
        self.now += by
        self._lapse()
        return self._told()

    def ussd(self) -> list[str]:
        """The USSD pages of the question, or of how it ended."""
        spoken = self.language or "kk"
        if self.dialog is None:
            screen = replace(self._ended(), values=self._values())
            shown = ussd.notice(self.words, screen, spoken)
        else:
            screen = Screen(self.dialog.name, self.step, self._values())
            shown = ussd.question(self.words, self.dialog, screen, spoken)
        return [page.text for page in shown]

    def card(self) -> Card:
        """The app's card of the question, or of how it ended."""
        screen = Screen(self.dialog.name, self.step) if self.dialog else self._ended()
        dialog = self.dialog or every.dialog(OFFER)
        return mobile(self.words, dialog, screen, self.language or BOTH, self._values())

    # --- what was said ------------------------------------------------------------------------

    def _take(self, said: Turn) -> None:
        event = _event(said)
        if event is Event.STOPPED:
            self.takes_sms = False
        if event is Event.WRONG_PERSON:  # whose phone it is, is not known any more
            self.registered = None
        if said.event is Said.START:
            self.takes_sms = True
        if said.event in (Said.UNCLEAR, Said.SILENT):
            self.asked += 1
        if event is not None and rules.allows(self.state, event):
            self._answered(said, event)
        elif said.is_over or event is not None:
            self._chosen(said, event)
        else:
            self._say(said.screen)

    def _answered(self, said: Turn, event: Event) -> None:
        """An answer to the offer itself; a yes may be followed by the question which account."""
        self.dialog = None
        self._move(event)
        if event is Event.WRONG_PERSON:
            return
        self.is_answered = True
        self._say(said.screen)
        if self.state is State.ACCEPTED and self.labels:
            self._ask(account.of(len(self.labels)))

    def _chosen(self, said: Turn, event: Event | None) -> None:
        """The end of the question which account; the yes stands."""
        label = self._values().get(said.choice or "", "")
        self.dialog, self.missed_account = None, said.choice is None
        told = f"account: {said.choice or 'none'}{f' ({label})' if label else ''}"
        self._note(told)
        if said.screen is not None and event is not Event.WRONG_PERSON:
            self._say(replace(said.screen, values={"account": label}))

    def _unasked(self, text: str, understood: Understood) -> None:
        """Nothing is asked: wishes count, a second answer is told that the first one stands."""
        spoken = self.chosen or self.registered
        of_case = spoken or self.language
        wish = LANGUAGES.get(understood.label)
        if understood.label is Label.STOP:
            if self.takes_sms:
                self.takes_sms = False
                self._say(Screen(COMMON, "stopped"), spoken or understood.language or BOTH)
        elif wants_start(text) and not self.takes_sms:
            self.takes_sms = True
            self._say(Screen(COMMON, "started"), spoken or understood.language or BOTH)
        elif wish is not None and wish != self.chosen:
            self._speak(wish)
            self._say(Screen(COMMON, "language-switched"), wish)
        elif self.missed_account and bare_digit(text):
            self._say(Screen(account.ACCOUNT.name, "late"), of_case)
        elif understood.label in (Label.YES, Label.NO) and not self.is_strangers:
            self._after_the_end(of_case)
        elif not self.was_helped:
            self.was_helped = True
            self._say(Screen(HELP, "help-no-question"), spoken or understood.language or BOTH)

    @property
    def is_strangers(self) -> bool:
        """Whether the phone said that it is not the recipient's: it was no offer to it."""
        return self.state is State.UNDELIVERED

    def _speak(self, language: str) -> None:
        self.chosen = self.registered = language
        if self.state is State.ACCEPTED:  # the decision is still to come
            self.language = language

    def _after_the_end(self, language: str | None) -> None:
        if self.state is State.EXPIRED:
            self._say(Screen(OFFER, "late"), language)
        elif self.state in ALREADY and self.is_answered:
            answer = self.words.each(OFFER, f"answer.{ALREADY[self.state]}")
            self._say(Screen(OFFER, "already", {"answer": answer}), language)

    def _learn(self, said: Turn) -> None:
        heard = said.understood.language if said.understood else None
        known = said.language or self.language or heard
        if known != self.language:
            self.language = self.chosen = self.registered = known

    # --- what happens -------------------------------------------------------------------------

    def _lapse(self) -> None:
        if self.dialog is None or rules.in_time(self.now, self.deadline):
            return
        said = turn.silence(self.dialog, self.step)
        if self.dialog.name == OFFER:
            self.dialog = None
            self._move(Event.LAPSED)
            self._say(said.screen)
        else:
            self._chosen(said, None)

    def _ask(self, dialog: Dialog) -> None:
        self.dialog, self.step, self.asked = dialog, dialog.start, 0
        self.deadline = rules.deadline_of(self.now, self.service.window_on(local_date(self.now)))
        self._say(Screen(dialog.name, dialog.start))

    def _move(self, event: Event) -> None:
        self.state = rules.step(self.state, event)
        self._note(str(event))

    def _ended(self) -> Screen:
        return Screen(OFFER, str(self.state))

    def _values(self) -> Mapping[str, Value]:
        short = self.service.short
        values: dict[str, Value] = {"service": {"kk": short.kk, "ru": short.ru}}
        if self.labels:
            named = {account.slot(n): label for n, label in enumerate(self.labels, start=1)}
            dialog = account.of(len(self.labels))
            values |= listed(self.words, dialog, dialog.start, named)
        if self.state is State.EXPIRED:
            values |= branch_values(self, self.service, self.now)
        return values

    # --- what is told -------------------------------------------------------------------------

    def _say(self, screen: Screen | None, language: str | None = None) -> None:
        if screen is None:
            return
        known = {**self._values(), **screen.values}
        text = self.words.text(screen, language or self.language or BOTH, known)
        key = f"{screen.dialog}.{screen.key}"
        self._said.append(Line(self.now, "1414", text, units(text), segments(text), key))

    def _heard(self, text: str, understood: Understood) -> None:
        label, rule = str(understood.label), understood.rule
        self._said.append(
            Line(self.now, "phone", text, units(text), segments(text), label=label, rule=rule)
        )

    def _note(self, text: str) -> None:
        self._said.append(Line(self.now, "offer", text, state=str(self.state)))

    def _told(self) -> list[Line]:
        told, self._said = self._said, []
        return told


def wrong_labels(service: Service, labels: Sequence[str]) -> str | None:
    """The key of what is wrong with accounts for this service, None where they may be asked."""
    found = accounts.fault(service, {accounts.KEY: list(labels)}) if labels else None
    return found.key if found else None


def _event(said: Turn) -> Event | None:
    if said.event is Said.STOP:
        return Event.STOPPED
    if said.understood is not None and said.understood.rule == ANOTHER_PERSON:
        return Event.WRONG_PERSON
    return OUTCOMES.get(said.outcome or "")


def _read(line: Line, said: Turn) -> Line:
    """A reply with how it was read, and what was made of it."""
    rule = said.understood.rule if said.understood else "choice"
    return replace(line, rule=rule, label=said.choice or str(said.event))
