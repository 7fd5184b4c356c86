"""Reads a catalogue directory (by_laws, services, branches, holidays) and checks it as a whole.
It reports every problem at once and never loads a half of it.
"""

import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol, TypeVar

from app.catalogue.fields import NO_DATE, Problem, Table, line_of
from app.catalogue.measuring import measure_of, provider_of
from app.catalogue.model import (
    ADDRESS_MAX,
    DEFAULT_WINDOW_HOURS,
    SHORT_NAME_MAX,
    Branch,
    ByLaw,
    Catalogue,
    Edition,
    Measure,
    Provider,
    RecipientKind,
    ReplyWindow,
    Schedule,
    Service,
    Swap,
    Term,
)

BUILT_IN: Final = Path(__file__).parent  # the data that comes with the house
COUNTED: Final = "from-receipt"

Named = tuple[str, str, Service | Measure]  # what kind of thing, its file, the thing
T = TypeVar("T")


class Dated(Protocol):
    """Anything in force from one day to another."""

    @property
    def start(self) -> date: ...
    @property
    def to(self) -> date | None: ...


class CatalogueError(Exception):
    """The catalogue cannot be used; `problems` holds every reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} problems in the catalogue:\n{lines}")


def load(path: Path) -> Catalogue:
    """Reads and checks the catalogue in that directory. CatalogueError lists all problems."""
    problems: list[Problem] = []
    by_laws = _read(path / "by_laws", _by_law, problems)
    services = _read(path / "services", _service, problems)
    branches = [b for _, group in _read(path / "branches", _branches, problems) for b in group]
    has_measures = (path / "measures").exists()  # a catalogue may do without the wallet
    measures = _read(path / "measures", measure_of, problems) if has_measures else []
    swaps = [s for _, group in _read(path / "holidays", _swaps, problems) for s in group]
    _check_unique("by_law.id", ((f, b.id) for f, b in by_laws), problems)
    _check_unique("service.code", ((f, s.code) for f, s in services), problems)
    _check_unique("measure.code", ((f, m.code) for f, m in measures), problems)
    _check_unique("branch.id", (("branches", b.id) for b in branches), problems)
    _check_services(services, {b.id for _, b in by_laws}, branches, problems)
    named: list[Named] = [("service", f, s) for f, s in services]
    _check_providers([*named, *(("measure", f, m) for f, m in measures)], problems)
    _check_by_laws("measure", measures, {b.id for _, b in by_laws}, problems)
    _check_defaults(branches, problems)
    if problems:
        raise CatalogueError(problems)
    return Catalogue(
        by_laws={b.id: b for _, b in by_laws},
        services={s.code: s for _, s in services},
        branches=tuple(branches),
        swaps=tuple(swaps),
        measures={m.code: m for _, m in measures},
    )


def _read(
    folder: Path, build: Callable[[Table], T], problems: list[Problem]
) -> list[tuple[str, T]]:
    """Builds one value a file, in the order of the names, each with the file it came from."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        problems.append(Problem(folder.name, "*.toml", "no file", "at least one"))
    built = []
    for file in files:
        name = f"{folder.name}/{file.name}"
        before = len(problems)
        try:
            text = file.read_text(encoding="utf-8")
            values = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.append(Problem(name, "the file", str(error), "TOML in UTF-8"))
            continue
        top = Table(name, "", values, problems)
        built.append((name, build(top)))
        top.close()
        problems[before:] = [replace(p, line=line_of(text, p.key)) for p in problems[before:]]
    return built


def _by_law(top: Table) -> ByLaw:
    head = top.table("by_law")
    windows = tuple(_reply_window(t) for t in top.tables("reply_window"))
    terms = tuple(_term(t) for t in top.tables("term"))
    editions = tuple(_edition(t) for t in top.tables("edition"))
    by_law = ByLaw(
        id=head.text("id"),
        adopted=head.day("date"),
        registry=head.text("registry", default="unknown"),
        title=head.bilingual("title"),
        in_force_from=head.day("from"),
        in_force_to=head.optional_day("to"),
        editions=editions,
        reply_windows=windows,
        terms=terms,
        unverified=head.texts("unverified"),
    )
    head.close()
    _check_order(head, "to", by_law.in_force_from, by_law.in_force_to)
    _check_overlap(top, "edition", editions)
    _check_overlap(top, "reply_window", windows)
    for code in sorted({t.code for t in terms}):
        _check_overlap(top, f"term {code}", [t for t in terms if t.code == code])
    return by_law


def _reply_window(table: Table) -> ReplyWindow:
    window = ReplyWindow(
        clause=table.text("clause"),
        start=table.day("from"),
        to=table.optional_day("to"),
        hours=table.number("hours"),
        counted=table.text("counted"),
        quote=table.bilingual("quote"),
    )
    if window.counted != COUNTED:
        table.note("counted", window.counted, COUNTED)
    table.close()
    return window


def _term(table: Table) -> Term:
    term = Term(
        code=table.text("code"),
        clause=table.text("clause"),
        start=table.day("from"),
        to=table.optional_day("to"),
        hours=table.optional_number("hours"),
        working_days=table.optional_number("working_days"),
        quote=table.bilingual("quote"),
    )
    if (term.hours is None) == (term.working_days is None):
        table.note("hours", term.hours, "either hours or working_days")
    table.close()
    return term


def _edition(table: Table) -> Edition:
    edition = Edition(
        start=table.day("from"),
        to=table.optional_day("to"),
        act=table.text("act"),
        clauses=table.texts("clauses"),
        window_hours=table.optional_number("window_hours"),
    )
    table.close()
    return edition


def _service(top: Table) -> Service:
    head = top.table("service")
    editions = tuple(_edition(t) for t in top.tables("edition"))
    service = Service(
        code=head.text("code", longest=40),
        name=head.bilingual("name", longest=250),
        short=head.bilingual("short", longest=SHORT_NAME_MAX),
        provider=provider_of(head.table("provider")),
        by_law=head.text("by_law"),
        proactive_from=head.optional_day("proactive_from"),
        proactive_to=head.optional_day("proactive_to"),
        in_force_verified=head.flag("in_force_verified"),
        recipient_kinds=_recipient_kinds(head),
        branch_kind=head.text("branch_kind"),
        apply_in_person=head.bilingual("apply_in_person"),
        window_hours=head.number("window_hours", default=DEFAULT_WINDOW_HOURS),
        editions=editions,
        account_choice=head.flag("account_choice", default=False),
    )
    head.close()
    _check_order(head, "proactive_to", service.proactive_from, service.proactive_to)
    _check_overlap(top, "edition", editions)
    return service


def _recipient_kinds(head: Table) -> tuple[RecipientKind, ...]:
    """Absent: individuals. Never a state body (155/НҚ, clause 2, subclause 3)."""
    words = head.texts("recipient_kinds") or (RecipientKind.INDIVIDUAL.value,)
    allowed = {RecipientKind.INDIVIDUAL.value, RecipientKind.LEGAL_ENTITY.value}
    for word in words:
        if word not in allowed:
            head.note("recipient_kinds", word, "one of " + ", ".join(sorted(allowed)))
    return tuple(RecipientKind(word) for word in words if word in allowed)


def _branches(top: Table) -> list[Branch]:
    branches = []
    for table in top.tables("branch"):
        branch = Branch(
            id=table.text("id", longest=40),
            kind=table.text("kind", longest=40),
            name=table.bilingual("name", longest=120),
            address=table.bilingual("address", longest=ADDRESS_MAX),
            schedule=table.choice("schedule", Schedule),
            region=table.text("region", longest=40),
            default=table.flag("default", default=False),
            verified=table.flag("verified"),
        )
        table.close()
        branches.append(branch)
    return branches


def _swaps(top: Table) -> list[Swap]:
    swaps = []
    for table in top.tables("swap"):
        swap = Swap(
            act=table.text("act"),
            off=table.optional_day("off"),
            worked=table.optional_day("worked"),
            verified=table.flag("verified"),
        )
        if swap.off is None and swap.worked is None:
            table.note("off", None, "at least one of off and worked")
        table.close()
        swaps.append(swap)
    for key, days in (("off", [s.off for s in swaps]), ("worked", [s.worked for s in swaps])):
        _check_unique(f"swap.{key}", ((top.file, str(d)) for d in days if d), top.problems)
    for day in sorted({s.off for s in swaps if s.off} & {s.worked for s in swaps if s.worked}):
        top.note("swap", str(day), "a day either off or worked, not both")
    return swaps


def _check_order(table: Table, key: str, start: date | None, to: date | None) -> None:
    if to is not None and (start is None or to < start):
        table.note(
            key, to.isoformat(), f"a day not before {start or 'the first, which is missing'}"
        )


def _check_overlap(top: Table, key: str, spans: Sequence[Dated]) -> None:
    """Two editions of one thing never hold on the same day; the earlier must end first."""
    ordered = sorted((s for s in spans if s.start != NO_DATE), key=lambda s: s.start)
    for span in ordered:
        if span.to is not None and span.to < span.start:
            top.note(f"{key}.to", str(span.to), f"a day not before {span.start}")
    for earlier, later in pairwise(ordered):
        if earlier.to is None or earlier.to >= later.start:
            until = earlier.to or "without end"
            found = f"{earlier.start} – {until} and again from {later.start}"
            top.note(key, found, "dates that do not overlap")


def _check_unique(key: str, named: Iterable[tuple[str, str]], problems: list[Problem]) -> None:
    seen: dict[str, str] = {}
    for file, name in named:
        if name and name in seen:
            problems.append(Problem(file, key, repr(name), f"a name not yet used in {seen[name]}"))
        seen.setdefault(name, file)


def _check_services(
    services: Sequence[tuple[str, Service]],
    by_laws: set[str],
    branches: Sequence[Branch],
    problems: list[Problem],
) -> None:
    """What a service refers to must exist."""
    kinds = {b.kind for b in branches}
    _check_by_laws("service", services, by_laws, problems)
    for file, service in services:
        if service.branch_kind and service.branch_kind not in kinds:
            expected = "a kind of branches/"
            problems.append(
                Problem(file, "service.branch_kind", repr(service.branch_kind), expected)
            )


def _check_by_laws(
    key: str,
    found: Sequence[tuple[str, Service]] | Sequence[tuple[str, Measure]],
    by_laws: set[str],
    problems: list[Problem],
) -> None:
    for file, one in found:
        if one.by_law and one.by_law not in by_laws:
            expected = "a by-law of by_laws/"
            problems.append(Problem(file, f"{key}.by_law", repr(one.by_law), expected))


def _check_providers(found: Sequence[Named], problems: list[Problem]) -> None:
    """One provider must have one name."""
    providers: dict[str, Provider] = {}
    for key, file, one in found:
        known = providers.setdefault(one.provider.code, one.provider)
        if known != one.provider:
            name = repr(one.provider.name)
            problems.append(Problem(file, f"{key}.provider.name", name, f"{known.name!r}"))


def _check_defaults(branches: Sequence[Branch], problems: list[Problem]) -> None:
    for kind in sorted({b.kind for b in branches}):
        defaults = [b.id for b in branches if b.kind == kind and b.default]
        if len(defaults) != 1:
            found = ", ".join(defaults) or "none"
            problems.append(Problem("branches", f"{kind}.default", found, "exactly one default"))
