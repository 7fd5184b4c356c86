"""`jauap binds`: how the binds to the networks are doing, and how a new one is tried."""

import asyncio
from dataclasses import asdict, replace
from datetime import time
from pathlib import Path
from typing import Annotated, Any

import typer

from app.acceptance import consequences
from app.acceptance.echo import Echo
from app.acceptance.probe import Visit, visit
from app.acceptance.records import tally
from app.commands import running
from app.commands.output import FINDINGS, JsonFlag, show, stop
from app.commands.places import Config, opened, settings_of
from app.ledger import binds as bind_rows
from app.recipients.rules import normalise_phone
from app.runtime import Runtime
from app.settings import SendingHours, Settings
from smpp.binds import Bind, BindsError

binds = typer.Typer(help="The binds to the networks.", no_args_is_help=True)

Cid = Annotated[str | None, typer.Argument(help="Only this bind (default: all of binds.toml).")]


@binds.command("list")
def binds_list(config: Config = None, as_json: JsonFlag = False) -> None:
    """How every bind is doing. Example: jauap binds list --json"""
    with opened(config) as rt, rt.unit() as unit:
        rows = bind_rows.every(unit.tx)
    data = [
        {
            "cid": r.cid,
            "network": r.network,
            "state": r.state,
            "reason": r.reason,
            "since": r.since,
            "heard_through": r.heard_through,
            "wanted": r.wanted,
        }
        for r in rows
    ]
    lines = [f"{r.cid}  {r.network}  {r.state}  since {r.since:%F %T}Z  {r.reason}" for r in rows]
    show(data, "\n".join(lines) or "no gateway has run yet", as_json=as_json)


def _want(cid: str, wanted: str, config: Path | None, *, as_json: bool) -> None:
    with opened(config) as rt, rt.unit() as unit:
        if not bind_rows.want(unit.tx, cid, wanted):
            known = ", ".join(r.cid for r in bind_rows.every(unit.tx)) or "none yet"
            raise stop(f"CID: found {cid!r}, expected of {known}")
    show({"cid": cid, "wanted": wanted}, f"{cid}: {wanted}", as_json=as_json)


@binds.command("suspend")
def binds_suspend(cid: str, config: Config = None, as_json: JsonFlag = False) -> None:
    """Sends nothing more by a bind; it goes on hearing. Example: jauap binds suspend kcell-1"""
    _want(cid, "suspended", config, as_json=as_json)


@binds.command("resume")
def binds_resume(cid: str, config: Config = None, as_json: JsonFlag = False) -> None:
    """Sends by a bind again. Example: jauap binds resume kcell-1"""
    _want(cid, "running", config, as_json=as_json)


@binds.command("check")
def binds_check(cid: Cid = None, config: Config = None, as_json: JsonFlag = False) -> None:
    """Reads binds.toml, then connects, binds, sends enquire_link and unbinds, and says in words
    what is wrong. Example: jauap binds check kcell-1 --json

    It needs no ledger. What the network delivers meanwhile stays with the network. Where a gateway
    of ours is bound already, a network that allows one bind of a system_id answers ESME_RALYBND."""
    settings = settings_of(config)
    try:
        every = _binds_of(settings)
    except BindsError as error:
        _show_faults(error, as_json=as_json)
        raise typer.Exit(FINDINGS) from None
    mine = _chosen(every, cid)
    visits = asyncio.run(_visit(mine))
    notes = consequences.of_networks(every)
    _show_visits(visits, notes, as_json=as_json)
    if not all(step.ok for v in visits for step in v.steps):
        raise typer.Exit(FINDINGS)


async def _visit(binds: list[Bind]) -> list[Visit]:
    return list(await asyncio.gather(*(visit(bind) for bind in binds)))


def _binds_of(settings: Settings) -> list[Bind]:
    every = list(running.binds_of(settings))
    if not every:
        found = f"no file at {settings.paths.binds}"
        raise stop(f"paths.binds: found {found}, expected a file with [[bind]] tables")
    return every


def _chosen(every: list[Bind], cid: str | None) -> list[Bind]:
    mine = [b for b in every if cid in (None, b.cid)]
    if not mine:
        raise stop(f"CID: found {cid!r}, expected of {', '.join(b.cid for b in every)}")
    return mine


def _show_faults(error: BindsError, *, as_json: bool) -> None:
    data = {
        "ok": False,
        "file": str(error.path),
        "problems": [asdict(problem) for problem in error.problems],
        "binds": [],
        "notes": [],
    }
    lines = [f"{error.path}: nothing was tried, because of {len(error.problems)} fault(s):"]
    show(data, "\n".join([*lines, *(f"  {p}" for p in error.problems)]), as_json=as_json)


def _show_visits(visits: list[Visit], notes: list[str], *, as_json: bool) -> None:
    shown = [_verdict(v) for v in visits]
    data = {
        "ok": all(v["ok"] for v in shown),
        "problems": [],
        "binds": shown,
        "notes": notes,
    }
    lines: list[str] = []
    for one in shown:
        lines.append(f"{one['cid']} ({one['network']}): {'well' if one['ok'] else 'not well'}")
        for s in one["steps"]:
            mark = "ok" if s["ok"] else "NO"
            lines.append(f"  {mark}  {s['step']:<13}{1000 * s['seconds']:>8.1f} ms  {s['says']}")
        lines += [f"  note: {note}" for note in one["notes"]]
    lines += [f"note: {note}" for note in notes]
    show(data, "\n".join(lines), as_json=as_json)


def _verdict(v: Visit) -> dict[str, Any]:
    notes = consequences.of_bind(v.bind)
    if v.kept_back:
        notes.append(f"{v.kept_back} deliveries came meanwhile and were left with the network")
    return {
        "cid": v.bind.cid,
        "network": v.bind.network,
        "host": v.bind.host,
        "port": v.bind.port,
        "ok": all(step.ok for step in v.steps),
        "steps": [asdict(step) for step in v.steps],
        "notes": notes,
    }


@binds.command("echo")
def binds_echo(
    cid: Cid = None,
    phones: Annotated[
        str | None,
        typer.Option("--phones", help="Who is answered, +7…,+7…; production answers nobody else."),
    ] = None,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Acceptance with a network: answers every MO with the same text, by the real gateway, and
    #STAT with what became of the answers. Ends on Ctrl-C or SIGTERM.
    Example: jauap binds echo kcell-1 --phones +77010000001,+77010000002

    What it knows is in the ledger: started again, it goes on. No offer leaves meanwhile."""
    settings = settings_of(config)
    listed = _phones(phones)
    if listed is None and not settings.is_sandbox:
        raise stop(
            "--phones: found nothing, expected in production the phones that take part, as in "
            "--phones +77010000001,+77010000002"
        )
    every = _binds_of(settings)
    mine = _chosen(every, cid)
    with opened(config, "gateway", own_tables=True) as rt:
        with rt.unit() as unit:
            before = [r.network for r in bind_rows.every(unit.tx)]
        known = sorted({*before, *(b.network for b in every)})
        said = ", ".join(b.cid for b in mine)
        typer.echo(f"jauap: echo on {said}; Ctrl-C ends it", err=True)
        echo = Echo(listed, {b.network: b.long_message for b in mine})
        running.run_links(running.serve_binds(_quiet(rt), mine, known, take=echo))
        with rt.unit() as unit:
            found = tally(unit.tx)
    data = {"binds": [b.cid for b in mine], **asdict(found)}
    show(data, f"answers so far: {found}", as_json=as_json)


def _quiet(rt: Runtime) -> Runtime:
    """Hours of no length: people's answers to an offer would meet the echo. All else may leave."""
    never = SendingHours(time(0), time(0))
    sending = replace(rt.settings.sending, hours=never)
    return replace(rt, settings=replace(rt.settings, sending=sending))


def _phones(given: str | None) -> frozenset[str] | None:
    """The phones of --phones in E.164; who is wrong is said by place, for a phone is nobody's
    business."""
    if given is None:
        return None
    read = [normalise_phone(one).e164 for one in given.split(",") if one.strip()]
    wrong = [str(n) for n, phone in enumerate(read, 1) if not phone]
    if wrong or not read:
        found = f"no phone at place {', '.join(wrong)}" if wrong else "nothing"
        raise stop(f"--phones: found {found}, expected phones such as +77010000001, with commas")
    return frozenset(read)
