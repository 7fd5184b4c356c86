"""Reads the registers on from where they were left: a page's rows and the new cursor are one
transaction, so a crash repeats a page at most, and repeating one changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import structlog

from app.ledger import cursors
from app.ledger.failures import Raced
from app.ledger.unit import Unit
from app.recipients import actions
from app.recipients.actions import RecipientRow, Taken
from app.recipients.egov import HttpRegister, Page, Register, RegisterDown
from app.recipients.records import NewConsent
from app.runtime import Runtime

PEOPLE, CONSENTS = "people", "consents"
_log = structlog.get_logger("registers")
S = TypeVar("S", bound=msgspec.Struct)


class _Person(msgspec.Struct, frozen=True):
    iin: str
    phone: str
    registered_at: datetime
    language: Literal["kk", "ru"] | None = None
    network: str | None = None


class _Consent(msgspec.Struct, frozen=True):
    iin: str
    reference: str
    given_at: datetime
    purpose: str = "personal-data"
    valid_until: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """What became of one reading."""

    accepted: int
    rejected: int


def sync_all(rt: Runtime, is_over: Callable[[], bool] = lambda: False) -> None:
    """Reads every configured register up to its end; one that is down is told in the log."""
    for name, register in of_runtime(rt):
        try:
            read = sync(rt, name, register, is_over)
        except RegisterDown as error:
            _log.warning("register does not answer", register=name, why=str(error))
        except Raced:
            _log.info("another worker reads this register", register=name)
        else:
            if read.accepted or read.rejected:
                _log.info(
                    "register read", register=name, accepted=read.accepted, rejected=read.rejected
                )


_REGISTERS: dict[str, HttpRegister] = {}


def of_runtime(rt: Runtime) -> list[tuple[str, Register]]:
    """The configured registers; each keeps its breaker as long as the process lives."""
    found: list[tuple[str, Register]] = []
    registers = rt.settings.registers
    for name, url in ((PEOPLE, registers.people_url), (CONSENTS, registers.consents_url)):
        if url is not None:
            token = "" if registers.token_file is None else _token(registers.token_file)
            known = _REGISTERS.setdefault(url, HttpRegister(url, token))
            known.token = token
            found.append((name, known))
    return found


def _token(file: str) -> str:
    try:
        return Path(file).read_text("utf-8").strip()
    except OSError as error:
        raise RegisterDown(f"token_file: {error.strerror}") from None


def sync(
    rt: Runtime, name: str, register: Register, is_over: Callable[[], bool] = lambda: False
) -> Read:
    """Reads one register to its end. Raises RegisterDown, and Raced where another worker reads it;
    what was read until then is kept."""
    accepted = rejected = 0
    while True:
        with rt.ledger.begin() as tx:
            cursor = cursors.cursor_of(tx, name)
        page = register.page(cursor)
        if not page.items and page.next in (None, cursor):
            return Read(accepted, rejected)
        with rt.unit() as unit:
            taken = _take(rt, unit, name, page)
            wrong = len(page.items) - taken.accepted
            onwards = cursor if page.next is None else page.next
            if not cursors.move_cursor(
                unit.tx, name, cursor, onwards, unit.now, taken.accepted, wrong
            ):
                raise Raced
        accepted, rejected = accepted + taken.accepted, rejected + wrong
        if not page.more or is_over():
            return Read(accepted, rejected)


def _take(rt: Runtime, unit: Unit, name: str, page: Page) -> Taken:
    if name == PEOPLE:
        people = [
            RecipientRow(p.iin, p.phone, p.language, p.network, p.registered_at)
            for p in _read(page.items, _Person)
        ]
        return actions.register_recipients(unit, people)
    consents = [
        NewConsent(c.iin, c.purpose, c.reference, c.given_at, c.valid_until, c.revoked_at)
        for c in _read(page.items, _Consent)
    ]
    return actions.register_consents(rt.rooms, unit, consents)


def _read(items: Sequence[dict[str, Any]], kind: type[S]) -> list[S]:
    """The rows that have the right form; one that has not spoils no other."""
    found: list[S] = []
    for item in items:
        try:
            row = msgspec.convert(item, type=kind)
        except msgspec.ValidationError:
            continue
        times = [getattr(row, name) for name in kind.__struct_fields__ if name.endswith("_at")]
        if all(at is None or at.tzinfo is not None for at in times):
            found.append(row)
    return found
