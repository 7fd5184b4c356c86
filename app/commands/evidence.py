"""Commands about evidence: verifying the journal, sealing it, and handing a case over to those who
may demand it."""

import base64
import binascii
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import TextColumn, TimeElapsedColumn

from app.commands.output import FINDINGS, JsonFlag, show, stop
from app.commands.places import Config, opened
from app.evidence import offline, page, verifying
from app.evidence.casefile import CaseFile, case_file
from app.ledger import auditing, seals
from app.ledger.chain import Chain
from app.ledger.ids import new_id
from app.ledger.seals import Seal
from app.ledger.signing import KEY_OCTETS, key_id
from app.proactive import records
from app.proactive.actions.saying import public
from app.recipients.rules import normalise_phone
from app.runtime import Runtime

journal = typer.Typer(help="The journal of every case.", no_args_is_help=True)
case = typer.Typer(help="Case files for those who may demand them.", no_args_is_help=True)


class Form(StrEnum):
    """How a case file is written."""

    JSON = "json"
    HTML = "html"


class Tongue(StrEnum):
    """The languages of a readable case file."""

    KK = "kk"
    RU = "ru"
    BOTH = "both"


@journal.command("verify")
def journal_verify(
    case_id: Annotated[UUID | None, typer.Option("--case", help="Only this case.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="An exported case file, JSON or HTML; needs no ledger.")
    ] = None,
    public_key: Annotated[
        list[str] | None,
        typer.Option(help="With --file: a public key of seals to trust; may be repeated."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Seals kept elsewhere, as `jauap journal seals --json`.")
    ] = None,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Recomputes every chain and every seal, and says where one breaks.

    Example: jauap journal verify --case 019c1234-5678-7abc-8def-0123456789ab
    Offline: jauap journal verify --file CASE.json --public-key KEY"""
    if file is not None:
        _verify_file(file, public_key or [], as_json=as_json)
        return
    if public_key:
        raise stop("--public-key: found without --file, expected together with it")
    kept = _kept(against)
    with opened(config) as rt, _progress() as progress:
        found = verifying.verify(
            rt.ledger, rt.vault, rt.seal_key, rt.clock(), case_id, progress, kept
        )
    if case_id is not None and not found.cases and not found.broken:
        raise stop(f"--case: found no case {case_id}, expected the id of one")
    lines = [str(one) for one in found.breaks]
    if found.broken > len(found.breaks):
        lines.append(f"… and {found.broken - len(found.breaks)} more breaks")
    sealed = f"{found.seals} seals hold, through {found.sealed_through}"
    lines = lines or [
        f"{found.cases} cases, {found.entries} entries: every chain holds; "
        + (sealed if found.seals else "no day is sealed yet")
    ]
    _tell(asdict(found), lines, found.warnings, bool(found.broken), as_json=as_json)


def _verify_file(file: Path, public_keys: list[str], *, as_json: bool) -> None:
    trusted = {key_id(key): key for key in map(_public_key, public_keys)}
    try:
        checked = offline.check(_read(file, "--file"), trusted)
    except offline.NoCaseFile as error:
        raise stop(f"--file: {error}") from None
    lines = [str(one) for one in checked.breaks] or [
        f"case {checked.case}: {checked.entries} entries, the chain holds; "
        f"{checked.seals} seals cover {checked.sealed_entries} of them"
    ]
    _tell(asdict(checked), lines, checked.warnings, bool(checked.breaks), as_json=as_json)


def _tell(
    data: Any, lines: list[str], warnings: list[str], is_broken: bool, *, as_json: bool
) -> None:
    for warning in warnings if not as_json else ():
        typer.echo(f"warning: {warning}", err=True)
    show(data, "\n".join(lines), as_json=as_json)
    if is_broken:
        raise typer.Exit(FINDINGS)


def _read(file: Path, option: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise stop(f"{option}: found {file}: {error.strerror}, expected a readable file") from None


def _kept(against: Path | None) -> list[dict[str, object]]:
    if against is None:
        return []
    try:
        found = msgspec.json.decode(_read(against, "--against"), type=list[dict[str, Any]])
    except msgspec.DecodeError:
        found = [{}]
    if any(not {"number", "day", "hash"} <= set(one) for one in found):
        what = "found no list of seals, expected what `jauap journal seals --json` prints"
        raise stop(f"--against: {what}")
    return found


def _public_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text) if len(text) == 2 * KEY_OCTETS else base64.b64decode(text)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_OCTETS:
        raise stop(f"--public-key: found {text!r}, expected 32 octets in hex or base64")
    return key


@contextmanager
def _progress() -> Iterator[verifying.Progress]:
    """A line on a terminal, silence elsewhere."""
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    shown = sys.stderr.isatty()
    with Bar(*columns, console=Console(stderr=True), disable=not shown, transient=True) as bar:
        task = bar.add_task("reading the journal", total=None)

        def told(what: str, done: int, about: int) -> None:
            of = f" of about {about}" if about else ""
            bar.update(task, description=f"{what}: {done}{of}")

        yield told


@journal.command("seal")
def journal_seal(
    everything: Annotated[
        bool, typer.Option(help="Look through the whole journal for what no seal covers.")
    ] = False,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Seals every day that is over and not sealed yet; a worker does so by itself.

    Example: jauap journal seal"""
    made: list[Seal] = []
    with opened(config) as rt:
        late = seals.LOOK_BACK + rt.waiting(seals.SLOWEST_S)
        while True:
            with rt.ledger.begin() as tx:
                seal = seals.make(tx, rt.seal_key, rt.clock(), late, everything=everything)
            if seal is None:
                break
            made.append(seal)
    show([_shown(s) for s in made], _lines(made) or "every day is sealed", as_json=as_json)


@journal.command("seals")
def journal_seals(config: Config = None, as_json: JsonFlag = False) -> None:
    """Lists the seals. Keep the list elsewhere too: `journal verify --against` compares it.

    Example: jauap journal seals --json > seals.json"""
    with opened(config) as rt, rt.ledger.begin() as tx:
        found = seals.every(tx)
    show([_shown(s) for s in found], _lines(found) or "no day is sealed yet", as_json=as_json)


def _shown(seal: Seal) -> dict[str, Any]:
    facts = seal.facts
    said = {name: facts.get(name) for name in ("made_at", "cases", "entries", "root", "key")}
    return {"number": seal.number, "day": seal.day, "hash": seal.hash.hex(), **said}


def _lines(found: list[Seal]) -> str:
    return "\n".join(
        f"{s.number}  {s.day}  {s.facts.get('cases')} cases  {s.hash.hex()}" for s in found
    )


@journal.command("key")
def journal_key(config: Config = None, as_json: JsonFlag = False) -> None:
    """Prints the public key of the seals, to be published. Example: jauap journal key"""
    with opened(config) as rt:
        key = rt.seal_key
    data = {
        "id": key_id(key.public),
        "public_key": base64.b64encode(key.public).decode(),
        "hex": key.public.hex(),
        "former": [{"id": key_id(k), "public_key": base64.b64encode(k).decode()}
                   for k in key.former],
    }  # fmt: skip
    show(data, f"{data['public_key']}  (Ed25519, id {data['id']})", as_json=as_json)


@case.command("export")
def case_export(
    case_id: Annotated[UUID, typer.Argument(metavar="ID", help="The case: an offer's id.")],
    form: Annotated[Form, typer.Option("--format", help="JSON, or a page to read.")] = Form.JSON,
    out: Annotated[Path | None, typer.Option(help="Where to write it (default: stdout).")] = None,
    language: Annotated[Tongue, typer.Option(help="The page's language.")] = Tongue.BOTH,
    without_words: Annotated[
        bool, typer.Option("--without-words", help="Leave out what people wrote.")
    ] = False,
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Writes one case as a file that can be checked without us (292/НҚ, clause 14).

    Example: jauap case export 019c1234-5678-7abc-8def-0123456789ab --format html --out case.html"""
    with opened(config) as rt:
        file = _file(rt, case_id, with_said=not without_words)
    if file is None:
        raise stop(f"ID: found no case {case_id}, expected the id of one")
    if form is Form.HTML:
        tongues = page.BOTH if language is Tongue.BOTH else (str(language),)
        text = page.html(file, tongues)
    else:
        text = msgspec.json.format(msgspec.json.encode(file)).decode() + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise stop(f"--out: found {out}: {error.strerror}, expected a writable file") from None
    data = {"case": file.case, "file": str(out), "entries": len(file.entries)}
    show(data, f"{out}: {len(file.entries)} entries, {len(file.seals)} seals", as_json=as_json)


def _file(rt: Runtime, case_id: UUID, *, with_said: bool) -> CaseFile | None:
    with rt.unit() as unit:
        offer = records.one(unit.tx, unit.vault, case_id, None)
        about = None if offer is None else msgspec.to_builtins(public(offer))
        return case_file(unit.tx, unit.vault, case_id, unit.now, offer=about, with_said=with_said)


@case.command("find")
def case_find(
    day: Annotated[str, typer.Argument(metavar="DATE", help="The day, such as 2026-03-02.")],
    config: Config = None,
    as_json: JsonFlag = False,
) -> None:
    """Finds the cases of a phone in which something happened on a day, and journals that it was
    looked for. The phone is read from the standard
    input, for a command line can be seen by others (292/НҚ, clause 14).

    Example: jauap case find 2026-03-02 < phone.txt"""
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise stop(f"DATE: found {day!r}, expected a day such as 2026-03-02") from None
    if sys.stdin.isatty():
        typer.echo("The phone, such as +77010000001: ", nl=False, err=True)
    phone = sys.stdin.readline().strip()
    if not phone:
        raise stop("the standard input: found nothing, expected a phone such as +77010000001")
    begins = seals.midnight(wanted)
    with opened(config) as rt, rt.unit() as unit:
        index = rt.vault.index("phone", normalise_phone(phone).e164)
        found = auditing.of_phone(unit.tx, index, begins, begins + timedelta(days=1))
        looked = Chain(new_id(unit.now))  # who looks for a person leaves a trace as well
        unit.journal.append(
            looked,
            "records-demanded",
            unit.now,
            phone.encode(),
            by="command line",
            date=wanted,
            clause="292:14",
            cases=found,
        )
    data = [{"case": str(one)} for one in found]
    show(data, "\n".join(map(str, found)) or "no case of this phone that day", as_json=as_json)
