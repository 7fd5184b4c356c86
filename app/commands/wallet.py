"""Commands about the social wallet (214/НҚ): terms at stake, how measures work, other systems."""

import sys
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.calendar import local_date
from app.calendar import shown as moment
from app.commands.output import FINDINGS, JsonFlag, show, stop
from app.commands.places import Config, opened
from app.ledger.unit import Unit
from app.runtime import Runtime
from app.wallet.actions.exchanging import days_left
from app.wallet.effects import figures, pictures, sheets
from app.wallet.effects.figures import Effects
from app.wallet.effects.records import STAGES
from app.wallet.notices import records as notices
from app.wallet.notices.records import Notice
from app.wallet.rules import agreements, terms
from app.wallet.rules.suppressing import SMALLEST
from app.wallet.systems import dossiers
from app.wallet.systems import records as systems
from app.wallet.systems.records import System

wallet = typer.Typer(help="The social wallet: terms, effectiveness, systems.", no_args_is_help=True)
others = typer.Typer(help="Other systems and their agreements.", no_args_is_help=True)
wallet.add_typer(others, name="systems")
PAGE = 1000


class Dimension(StrEnum):
    """By what people are put together."""

    MEASURE = "measure"
    REGION = "region"
    LANGUAGE = "language"
    NETWORK = "network"
    WEEK = "week"


class Form(StrEnum):
    """As what the figures are written."""

    WORDS = "words"
    CSV = "csv"
    XLSX = "xlsx"
    SVG = "svg"


class Tongue(StrEnum):
    """In what language a picture or a page is."""

    KK = "kk"
    RU = "ru"
    EN = "en"


Provider = Annotated[
    str | None, typer.Option(help="Of this body alone; without it of all of them.")
]
Spoken = Annotated[Tongue, typer.Option(help="Language of a picture or a page.")]
Out = Annotated[Path | None, typer.Option(help="File to write; without it standard output.")]


@wallet.command("overdue")
def wallet_overdue(
    soon: Annotated[
        bool, typer.Option("--soon", help="Those whose term is about to end, too.")
    ] = False,
    provider: Provider = None,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Lists notices and decisions whose working day was broken (clauses 4, 7); exits 1 where
    there are any.

    Example: jauap wallet overdue --soon --json"""
    with opened(config) as rt:
        found = _urgent(rt, provider, soon=soon)
        now = rt.clock()
    told = [_told(one, terms.is_overdue(one.deadline, one.served_at, now)) for one in found]
    lines = [
        f"{t['id']}  {t['provider']}  {t['kind']}  {t['measure']}  {t['term']}, "
        f"due {moment(t['deadline'])}"
        for t in told
    ]
    show(told, "\n".join(lines) or "no term is broken or at stake", as_json=as_json)
    if told:
        raise typer.Exit(FINDINGS)


def _urgent(rt: Runtime, provider: str | None, *, soon: bool) -> list[Notice]:
    with rt.unit() as unit:
        found = _all(unit, provider, timedelta(0))
        return found + (_all(unit, provider, terms.ALARM_LEAD) if soon else [])


def _all(unit: Unit, provider: str | None, lead: timedelta) -> list[Notice]:
    found: list[Notice] = []
    while True:
        after = found[-1].id if found else None
        page = notices.urgent(unit.tx, provider, unit.now, lead, after=after, limit=PAGE)
        found += page
        if len(page) < PAGE:
            return found


def _told(one: Notice, is_overdue: bool) -> dict[str, Any]:
    return {
        "id": one.id, "provider": one.provider, "reference": one.reference, "kind": one.kind,
        "measure": one.measure, "term": "overdue" if is_overdue else "due-soon",
        "counted_from": one.counted_from, "deadline": one.deadline, "served_at": one.served_at,
    }  # fmt: skip


@wallet.command("effectiveness")
def wallet_effectiveness(
    by: Annotated[Dimension, typer.Option(help="The groups.")] = Dimension.MEASURE,
    measure: Annotated[str | None, typer.Option(help="Of one measure.")] = None,
    provider: Provider = None,
    form: Annotated[Form, typer.Option("--format", help="As what.")] = Form.WORDS,
    out: Out = None,
    language: Spoken = Tongue.KK,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Shows how measures work (clause 5): people reached, received, consented, granted, used.
    Groups of fewer than five, and what would tell of them, are hidden.

    Example: jauap wallet effectiveness --by region --format svg --out regions.svg"""
    if form is Form.XLSX and out is None and not as_json:
        raise stop("--out: found nothing, expected a file for the workbook")
    with opened(config) as rt:
        names = _names(rt, language)
        if measure is not None and measure not in names:
            known = ", ".join(sorted(names))
            raise stop(f"--measure: found {measure!r}, expected one of {known}")
        with rt.unit() as unit:
            found = figures.effects(unit.tx, by, measure, provider)
    if as_json or form is Form.WORDS:
        show(_data(found), _table(found), as_json=as_json)
        return
    _write(out, {
        Form.CSV: lambda: sheets.as_csv(found),
        Form.XLSX: lambda: sheets.as_xlsx(found),
        Form.SVG: lambda: pictures.as_svg(found, language, names),
    }[form]())  # fmt: skip


def _names(rt: Runtime, language: Tongue) -> dict[str, str]:
    """What measures are called; the catalogue speaks no English."""
    spoken = "kk" if language is Tongue.KK else "ru"
    return {code: one.name.of(spoken) for code, one in rt.catalogue.measures.items()}


def _data(found: Effects) -> dict[str, Any]:
    return {
        "by": found.by,
        "measure": found.measure,
        "smallest_shown": SMALLEST,
        "items": [figures.described(line) for line in found.lines],
        "total": figures.described(found.total),
    }


def _table(found: Effects) -> str:
    rows = [[str(cell) for cell in row[: 1 + len(STAGES)]] for row in sheets.rows_of(found)]
    wide = [max(len(row[place]) for row in rows) for place in range(1 + len(STAGES))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip()
        for row in rows
    )


def _write(out: Path | None, content: bytes) -> None:
    if out is None:
        sys.stdout.buffer.write(content)
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise stop(f"--out: {out}: {error.strerror}, expected a file that can be written") from None
    typer.echo(f"written to {out}")


@others.command("list")
def systems_list(config: Config = None, as_json: JsonFlag = False) -> None:
    """Lists other systems with what binds them; exits 1 where an agreement is about to end.

    Example: jauap wallet systems list --json"""
    with opened(config) as rt, rt.unit() as unit:
        told = [_bound(one, rt) for one in systems.every(unit.tx)]
    lines = [
        f"{t['code']}  {t['kind']}  {t['agreement'] or '-'}  {t['standing']}"
        + ("" if t["last_day"] is None else f", last day {t['last_day']}, {t['days_left']} left")
        for t in told
    ]
    show(told, "\n".join(lines) or "no other system has been entered", as_json=as_json)
    if any(t["standing"] == "ending" for t in told):
        raise typer.Exit(FINDINGS)


def _bound(one: System, rt: Runtime) -> dict[str, Any]:
    now = rt.clock()
    return {
        "code": one.code, "kind": one.kind, "agreement": one.agreement, "measures": one.measures,
        "last_day": one.last_day, "days_left": days_left(one, local_date(now)),
        "ends_at": one.ends_at, "standing": agreements.standing(one.ends_at, now),
    }  # fmt: skip


@others.command("conflicts")
def systems_conflicts(
    system: Annotated[str | None, typer.Option(help="Of this system alone.")] = None,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Lists the newest thousand reports that did not agree with the books; exits 1 where there
    are any.

    Example: jauap wallet systems conflicts --system akimat"""
    with opened(config) as rt, rt.unit() as unit:
        found = systems.conflicts(unit.tx, system, None, PAGE)
    lines = [f"{one.source}  {one.source_id}  {', '.join(one.fields)}" for one in found]
    show(found, "\n".join(lines) or "nothing disagrees", as_json=as_json)
    if found:
        raise typer.Exit(FINDINGS)


@others.command("dossier")
def systems_dossier(
    code: Annotated[str, typer.Argument(help="As `jauap wallet systems list` shows it.")],
    out: Out = None,
    language: Spoken = Tongue.KK,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Writes the dossier of an integration as a page (clause 11).

    Example: jauap wallet systems dossier akimat --out akimat.html"""
    with opened(config) as rt, rt.unit() as unit:
        system = systems.one(unit.tx, code)
        if system is None:
            known = ", ".join(one.code for one in systems.every(unit.tx)) or "none so far"
            raise stop(f"CODE: found {code!r}, expected a system that was entered: {known}")
        traffic = systems.traffic(unit.tx, code)
        found = dossiers.dossier(system, traffic, unit.now, local_date(unit.now))
    if as_json:
        show(found, "", as_json=True)
    else:
        _write(out, dossiers.page(found, language).encode())
