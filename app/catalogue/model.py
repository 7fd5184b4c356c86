"""The nouns of the catalogue: by-laws, services, measures, branches, moved days off. Frozen data
with look-ups by code and by date. It reads no file and knows no clock: every date is an argument.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

DEFAULT_WINDOW_HOURS: Final = 24  # 155/НҚ, clause 4
SHORT_NAME_MAX: Final = 40  # characters: an offer in two segments, a USSD screen of 80
ADDRESS_MAX: Final = 30  # characters: the "apply in person" SMS carries it with the hours


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an act does not allow something. `gate` and `clause` go out in the API; `detail_key`
    names the wording that tells the provider which fact it was."""

    gate: str
    clause: str
    detail_key: str


class RecipientKind(StrEnum):
    """Who may receive a service. 155/НҚ, clause 2, subclause 3 excludes state bodies."""

    INDIVIDUAL = "individual"
    LEGAL_ENTITY = "legal-entity"
    STATE_BODY = "state-body"


class Schedule(StrEnum):
    """The two working hours of order 52, clause 3: a branch, and its duty section."""

    ORDINARY = "ordinary"
    DUTY = "duty"


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One text in both languages; neither is the original."""

    kk: str
    ru: str

    def of(self, language: str) -> str:
        """The text in `kk` or `ru`; any other language is a KeyError."""
        return {"kk": self.kk, "ru": self.ru}[language]


@dataclass(frozen=True, slots=True)
class Edition:
    """How an act stood from one day to another (both inclusive; no `to`: still so)."""

    start: date
    to: date | None
    act: str  # the amending act, as cited
    clauses: tuple[str, ...] = ()
    window_hours: int | None = None  # a service's own waiting time in this edition


@dataclass(frozen=True, slots=True)
class ReplyWindow:
    """How long an answer is waited for, in clock hours, with the clause that says so."""

    clause: str
    start: date
    to: date | None
    hours: int
    counted: str  # "from-receipt"
    quote: Bilingual

    @property
    def length(self) -> timedelta:
        """The window as a duration."""
        return timedelta(hours=self.hours)


@dataclass(frozen=True, slots=True)
class Term:
    """Another time limit of an act: clock hours or working days, exactly one of the two."""

    code: str
    clause: str
    start: date
    to: date | None
    hours: int | None
    working_days: int | None
    quote: Bilingual


@dataclass(frozen=True, slots=True)
class ByLaw:
    """An act with its dates. `unverified` names the keys nobody has checked against its text."""

    id: str
    adopted: date
    registry: str
    title: Bilingual
    in_force_from: date
    in_force_to: date | None = None
    editions: tuple[Edition, ...] = ()
    reply_windows: tuple[ReplyWindow, ...] = ()
    terms: tuple[Term, ...] = ()
    unverified: tuple[str, ...] = ()

    def edition_on(self, day: date) -> Edition | None:
        """The edition in force that day; None where the catalogue knows none."""
        return next((e for e in self.editions if covers(e.start, e.to, day)), None)

    def reply_window_on(self, day: date) -> ReplyWindow | None:
        """The reply window in force that day; None where the act sets none."""
        return next((w for w in self.reply_windows if covers(w.start, w.to, day)), None)

    def term_on(self, code: str, day: date) -> Term | None:
        """The named time limit in force that day."""
        return next((t for t in self.terms if t.code == code and covers(t.start, t.to, day)), None)


@dataclass(frozen=True, slots=True)
class Provider:
    """A state body that renders services (155/НҚ, clause 2, subclause 4)."""

    code: str
    name: Bilingual


@dataclass(frozen=True, slots=True)
class Service:
    """A public service. `proactive_from` is None where it is rendered on application only."""

    code: str
    name: Bilingual
    short: Bilingual
    provider: Provider
    by_law: str
    proactive_from: date | None
    proactive_to: date | None
    in_force_verified: bool
    branch_kind: str
    apply_in_person: Bilingual
    recipient_kinds: tuple[RecipientKind, ...] = (RecipientKind.INDIVIDUAL,)
    window_hours: int = DEFAULT_WINDOW_HOURS
    editions: tuple[Edition, ...] = ()
    account_choice: bool = False  # the by-law has the account confirmed by the recipient

    @property
    def is_proactive(self) -> bool:
        """True where some by-law ever allowed to render it without an application."""
        return self.proactive_from is not None

    def is_in_force(self, day: date) -> bool:
        """True where it may be offered that day (a date in Almaty)."""
        return self.proactive_from is not None and covers(
            self.proactive_from, self.proactive_to, day
        )

    def window_on(self, day: date) -> timedelta:
        """The reply window of an offer made that day."""
        edition = next((e for e in self.editions if covers(e.start, e.to, day)), None)
        own = edition.window_hours if edition else None
        return timedelta(hours=own or self.window_hours)


class Channels(StrEnum):
    """How a person is told of a measure (214/НҚ, clause 4: the cabinet and/or SMS)."""

    CABINET = "cabinet"
    SMS = "sms"
    BOTH = "both"

    @property
    def has_cabinet(self) -> bool:
        return self is not Channels.SMS

    @property
    def has_sms(self) -> bool:
        return self is not Channels.CABINET


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of state support of individuals (214/НҚ, clause 2(3)), in force from `start` to
    `to`. `verified` is False while its dates are only plausible."""

    code: str
    name: Bilingual
    short: Bilingual
    provider: Provider
    by_law: str
    start: date
    to: date | None
    verified: bool
    criteria: Bilingual
    channels: Channels

    def is_in_force(self, day: date) -> bool:
        """True where it may be offered that day (a date in Almaty)."""
        return covers(self.start, self.to, day)


@dataclass(frozen=True, slots=True)
class Branch:
    """A place to apply in person. `verified` is False while its address is only plausible."""

    id: str
    kind: str
    name: Bilingual
    address: Bilingual
    schedule: Schedule
    region: str
    default: bool = False
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Swap:
    """A yearly government act: `off` becomes a day off, `worked` a working day; one may be absent.
    Labour Code, article 85, clause 3."""

    act: str
    off: date | None = None
    worked: date | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything the acts say in data, as loaded and checked at the start."""

    by_laws: Mapping[str, ByLaw]
    services: Mapping[str, Service]
    branches: tuple[Branch, ...]
    swaps: tuple[Swap, ...] = field(default=())
    measures: Mapping[str, Measure] = field(default_factory=dict)

    def service(self, code: str) -> Service:
        """The service with that code; KeyError where there is none."""
        return self.services[code]

    def find_service(self, code: str) -> Service | None:
        """The same for a code from outside: None where there is none, so that a gate can say so."""
        return self.services.get(code)

    def find_measure(self, code: str) -> Measure | None:
        """The measure of support with that code; None where there is none."""
        return self.measures.get(code)

    def by_law(self, id: str) -> ByLaw:
        """The by-law with that id; KeyError where there is none."""
        return self.by_laws[id]

    def branch_for(self, service: Service, region: str | None = None) -> Branch:
        """Where to apply for the service in person: the region's branch, its default first, else
        the default of the whole country. The loader guarantees that there is one."""
        of_kind = [b for b in self.branches if b.kind == service.branch_kind]
        here = sorted((b for b in of_kind if b.region == region), key=lambda b: not b.default)
        return here[0] if here else next(b for b in of_kind if b.default)


def covers(start: date, to: date | None, day: date) -> bool:
    """True where the day lies in [start, to]; no `to` means without end."""
    return start <= day and (to is None or day <= to)
