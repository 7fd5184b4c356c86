"""Commands about planned outages: offers wait that could not be answered or annulled in order."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from app.calendar import ALMATY, shown
from app.commands.output import FINDINGS, JsonFlag, show, stop
from app.commands.places import Config, opened
from app.exchange.admission import Admission
from app.exchange.claims import admission
from app.ledger import binds, outages
from app.ledger.outages import EVERY_NETWORK, Outage

planned = typer.Typer(
    help="Planned outages of networks, and why offers wait.", no_args_is_help=True
)


def _aware(at: datetime) -> datetime:
    """Without a zone a time is on the clocks of Almaty, as a network announces it."""
    return at if at.tzinfo is not None else at.replace(tzinfo=ALMATY)


@planned.command("add")
def outages_add(
    network: Annotated[str, typer.Argument(help='A network of binds.toml, or "*" for all.')],
    begins: Annotated[
        datetime,
        typer.Option(
            "--from",
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M%z"],
            help="When it begins; without a zone on the clocks of Almaty.",
        ),
    ],
    until: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M%z"], help="When the network is back."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why; nothing personal.")] = "",
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Announces an outage: from a quarter of an hour before it no offer goes there, nor any whose
    24 hours would end in it. The same outage once more changes nothing.

    Example: jauap outages add kcell --from 2026-11-22T01:00 --until 2026-11-22T05:00"""
    start, end = _aware(begins), _aware(until)
    if end <= start:
        raise stop(f"--until: found {shown(end)}, expected a time after {shown(start)}")
    with opened(config) as rt, rt.unit() as unit:
        if end <= unit.now:
            raise stop(f"--until: found {shown(end)}, expected a time after now, {shown(unit.now)}")
        known = {row.network for row in binds.every(unit.tx)}
        outage = outages.add(unit.tx, network, start, end, reason, unit.now)
    show(outage, f"{_line(outage)}{_doubt(network, known)}", as_json=as_json)


def _doubt(network: str, known: set[str]) -> str:
    if network == EVERY_NETWORK or network in known:
        return ""
    return f"\nno bind of a network {network!r} has run so far; known: {', '.join(sorted(known))}"


@planned.command("list")
def outages_list(
    over: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Lists what is planned, the soonest first. Example: jauap outages list --json"""
    with opened(config) as rt, rt.unit() as unit:
        found = outages.every(unit.tx) if over else outages.ahead(unit.tx, unit.now)
    show(found, "\n".join(map(_line, found)) or "no outage is planned", as_json=as_json)


@planned.command("remove")
def outages_remove(
    outage_id: Annotated[UUID, typer.Argument(help="As `jauap outages list` shows it.")],
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Calls an outage off. Example: jauap outages remove 01a2b3c4-0000-7000-8000-000000000001"""
    with opened(config) as rt, rt.unit() as unit:
        if not outages.remove(unit.tx, outage_id, unit.now):
            raise stop(f"found {outage_id}, expected an id that `jauap outages list` shows")
    show({"removed": outage_id}, f"{outage_id} is called off", as_json=as_json)


@planned.command("explain")
def outages_explain(
    network: Annotated[
        str | None, typer.Argument(help="A network of binds.toml; without it all of them.")
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M%z"],
            help="The moment that is asked about; now without it. No zone: Almaty.",
        ),
    ] = None,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Whether offers leave, and if not why and until when; exits 1 where some wait.

    Example: jauap outages explain kcell --at 2026-11-22T00:30"""
    with opened(config) as rt, rt.unit() as unit:
        moment = _aware(at) if at is not None else unit.now
        known = admission(rt, unit)
        names = [network] if network else sorted({r.network for r in binds.every(unit.tx)})
    told = [_told(known, name, moment) for name in names]
    lines = [f"{t['network']}: {t['words']}" for t in told]
    show(told, "\n".join(lines) or "no bind has run so far", as_json=as_json)
    if any(t["held"] for t in told):
        raise typer.Exit(FINDINGS)


def _told(known: Admission, network: str, moment: datetime) -> dict[str, object]:
    held = known.held(network, moment)
    if held is None:
        return {"network": network, "held": None, "until": None, "words": "offers leave"}
    words = f"held: {held.why}, until {shown(held.until)} ({held.words})"
    return {"network": network, "held": held.why, "until": held.until, "words": words}


def _line(outage: Outage) -> str:
    reason = f"  {outage.reason}" if outage.reason else ""
    span = f"{shown(outage.starts_at)} to {shown(outage.ends_at)}"
    return f"{outage.id}  {outage.network}  {span}{reason}"
