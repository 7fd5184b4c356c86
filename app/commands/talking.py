"""`jauap talk`: one conversation at the keyboard, with what every message costs. No server."""

import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import typer

from app.calendar import Calendar, in_almaty, shown
from app.catalogue.model import Catalogue, Service
from app.clock import system_clock
from app.commands.explaining import catalogue
from app.commands.output import stop
from app.recipients.rules import mask_phone, normalise_phone
from app.rehearsal import Line, Rehearsal, wrong_labels
from dialogs.engine.turn import UnknownChoice
from dialogs.engine.wording import LANGUAGES, Words

ANY_PHONE = "+77000000000"
_SPAN = re.compile(r"(\d{1,6})([dhms])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
HELP = """Write what the person would write. Besides:
  /time 25h     lets time pass (d, h, m, s; also "1h 30m")
  /ussd         shows the USSD pages of the moment
  /app          shows the mobile app's card
  /choose yes   presses a button of the app
  /state        says how the offer stands
  /quit         ends, as Ctrl-D does"""


def talk(
    phone: Annotated[str, typer.Option(help="Whose phone it is; only shown.")] = ANY_PHONE,
    service: Annotated[str, typer.Option(help="The service that is offered.")] = "birth-benefit",
    language: Annotated[
        str | None, typer.Option(help="kk or ru; without it nobody has recorded one.")
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(help='An account to choose after a yes, "Kaspi *1234"; may be repeated.'),
    ] = None,
    at: Annotated[
        datetime | None, typer.Option(help="When it begins; without a zone UTC. Default: now.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """One conversation at the keyboard, or with what is piped in: a line is a reply.

    Example: printf 'иә\\n/time 25h\\n' | jauap talk --service birth-benefit --language kk"""
    known = catalogue()
    begins = at or system_clock()
    rehearsal = Rehearsal(
        known,
        Calendar(known.swaps),
        Words.load(),
        _service(known, service),
        begins if begins.tzinfo else begins.replace(tzinfo=UTC),
        _language(language),
        _accounts(known.services[service], account or []),
    )
    voice = Voice(as_json)
    voice.greet(_masked(phone), service)
    voice.tell(rehearsal.begin())
    try:
        for line in _lines(as_json):
            if not _give(rehearsal, voice, line):
                break
    except KeyboardInterrupt:
        typer.echo("", err=True)


class Voice:
    """How the conversation is printed: for people, or as a JSON object a line."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.is_terminal = sys.stdin.isatty()

    def greet(self, phone: str, service: str) -> None:
        if not self.as_json:
            typer.echo(f"{phone}, {service}. /help says what can be done.")

    def tell(self, lines: list[Line]) -> None:
        for line in lines:
            if self.as_json:
                typer.echo(msgspec.json.encode(asdict(line)).decode())
            elif line.who != "phone" or not self.is_terminal:
                typer.echo(_in_words(line))
            elif line.rule:
                typer.echo(f"{'':>7}read as {line.label}: {line.rule}")

    def show(self, surface: str, what: object, text: str) -> None:
        """Shows what another surface would show."""
        if self.as_json:
            typer.echo(msgspec.json.encode({"who": surface, surface: what}).decode())
        else:
            typer.echo("\n".join(f"{surface:>5} | {line}" for line in text.split("\n")))

    def complain(self, message: str) -> None:
        """Says what was wrong with a command; the conversation goes on."""
        typer.echo(message, err=True)


def _give(rehearsal: Rehearsal, voice: Voice, line: str) -> bool:
    """Carries out one line; False ends the conversation."""
    command, _, rest = line.strip().partition(" ")
    if command == "/quit":
        return False
    if command in COMMANDS:
        COMMANDS[command](rehearsal, voice, rest)
    elif command.startswith("/"):
        voice.complain(f"found {command}, expected one of:\n{HELP}")
    elif command:
        voice.tell(rehearsal.hear(line))
    return True


def _help(rehearsal: Rehearsal, voice: Voice, rest: str) -> None:
    voice.show("help", HELP.split("\n"), HELP)


def _ussd(rehearsal: Rehearsal, voice: Voice, rest: str) -> None:
    found = rehearsal.ussd()
    voice.show("ussd", found, "\n---\n".join(found))


def _app(rehearsal: Rehearsal, voice: Voice, rest: str) -> None:
    card = rehearsal.card()
    choices = [f"[{c['id']}] {c['label']}" for c in card["choices"]]
    voice.show("app", card, "\n".join([card["body"], *choices]))


def _choose(rehearsal: Rehearsal, voice: Voice, rest: str) -> None:
    try:
        voice.tell(rehearsal.choose(rest.strip()))
    except UnknownChoice as error:
        voice.complain(str(error))


def _state(rehearsal: Rehearsal, voice: Voice, rest: str) -> None:
    state = {"state": rehearsal.state, "now": rehearsal.now, "deadline": rehearsal.deadline}
    voice.show("state", state, f"{rehearsal.state}, {shown(rehearsal.now)}")


def _pass_time(rehearsal: Rehearsal, voice: Voice, span: str) -> None:
    by = _span(span)
    if by is None:
        voice.complain(f"/time: found {span!r}, expected a time such as 25h or 1d 30m")
        return
    voice.tell(rehearsal.pass_time(by))


COMMANDS = {
    "/help": _help,
    "/time": _pass_time,
    "/ussd": _ussd,
    "/app": _app,
    "/choose": _choose,
    "/state": _state,
}


def _span(text: str) -> timedelta | None:
    """`25h`, `1d 30m`; None for anything else, and for more than ten years."""
    found = _SPAN.findall(text)
    if not found or _SPAN.sub("", text).strip():
        return None
    total = sum((timedelta(**{_UNITS[unit]: int(n)}) for n, unit in found), timedelta())
    return total if total <= timedelta(days=3660) else None


def _lines(as_json: bool) -> Iterator[str]:
    """What is typed, or piped in; octets that are no UTF-8 are shown as such."""
    if sys.stdin.isatty() and not as_json:
        while True:
            try:
                typed = input("phone: ")
                yield typed.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            except EOFError:
                typer.echo("")
                return
    for raw in sys.stdin.buffer:
        yield raw.decode("utf-8", "replace").rstrip("\r\n")


def _in_words(line: Line) -> str:
    time = f"{in_almaty(line.at):%H:%M}"
    indented = line.text.replace("\n", "\n" + " " * 15)
    if line.who == "1414":
        told = "segment" if line.segments == 1 else "segments"
        return f"{time}  1414 → {indented}  [{line.segments} {told}, {line.units}]"
    if line.who == "phone":
        return f"{time}       ← {indented}  [{line.label}: {line.rule}]"
    return f"{time}  offer: {line.text}, {line.state}"


def _service(known: Catalogue, code: str) -> Service:
    found = known.find_service(code)
    if found is None:
        raise stop(f"service: found {code!r}, expected one of {', '.join(known.services)}")
    return found


def _language(language: str | None) -> str | None:
    if language is not None and language not in LANGUAGES:
        raise stop(f"language: found {language!r}, expected one of {', '.join(LANGUAGES)}")
    return language


def _accounts(service: Service, labels: list[str]) -> list[str]:
    wrong = wrong_labels(service, labels)
    if wrong is not None:
        raise stop(
            f"account: found {wrong}, expected 1 to 8 labels such as 'Kaspi *1234' for a service"
            " that asks for an account"
        )
    return labels


def _masked(phone: str) -> str:
    found = normalise_phone(phone)
    if not found.e164:
        raise stop(f"phone: found no phone number in {len(phone)} characters, expected +7 707 …")
    return mask_phone(found.e164)
