"""What an account of a grant says, in what two of them differ, and how a provider's file is read
(214/НҚ, clause 5). Amounts are whole tiyn: a hundredth of a tenge."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

MOST_TENGE: Final = Decimal(10_000_000_000)
TIYN: Final = 100
FIELDS: Final = ("measure", "recipient", "amount", "kind", "granted_at", "cancelled")
CSV, NDJSON = "text/csv", "application/x-ndjson"
COLUMNS: Final = ("source_id", "measure", "iin", "granted_at")


@dataclass(frozen=True, slots=True)
class Account:
    """A grant as somebody accounts for it. `recipient` is opaque: equal for the same person."""

    measure: str
    recipient: bytes
    amount: int | None
    kind: str | None
    granted_at: datetime
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a provider's file; `fault` says in a word why it cannot be read."""

    number: int
    source_id: str = ""
    measure: str = ""
    iin: str = ""
    amount: int | None = None
    kind: str | None = None
    granted_at: datetime | None = None
    fault: str | None = None


def differences(ours: Account, theirs: Account) -> tuple[str, ...]:
    """The fields in which two accounts of one grant differ, in the order of FIELDS."""
    return tuple(name for name in FIELDS if getattr(ours, name) != getattr(theirs, name))


def tiyn_of(tenge: Decimal) -> int | None:
    """An amount in tiyn; None where it is no amount of money."""
    if not tenge.is_finite() or not 0 <= tenge <= MOST_TENGE:
        return None
    tiyn = tenge * TIYN
    return int(tiyn) if tiyn == int(tiyn) else None


def tenge_of(tiyn: int | None) -> str | None:
    """An amount as it is shown: "12500.00"."""
    return None if tiyn is None else f"{tiyn // TIYN}.{tiyn % TIYN:02}"


def rows_of(text: str, media_type: str) -> Iterator[FileRow]:
    """The rows of a provider's file, numbered from 1 (a CSV's header not counted)."""
    records = _csv(text) if media_type == CSV else _ndjson(text)
    for number, record in enumerate(records, 1):
        yield FileRow(number, fault="row") if record is None else _row(number, record)


def _csv(text: str) -> Iterator[Mapping[str, object] | None]:
    lines = (f"{line}\n" for line in text.removeprefix("\ufeff").split("\n"))
    reader = csv.DictReader(lines, restval=None, strict=True)
    try:
        for record in reader:
            yield None if None in record else {k.strip(): v for k, v in record.items()}
    except csv.Error:
        yield None


def _ndjson(text: str) -> Iterator[Mapping[str, object] | None]:
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        yield found if isinstance(found, dict) else None


def _row(number: int, record: Mapping[str, object]) -> FileRow:
    said = {name: _text(record.get(name)) for name in (*COLUMNS, "amount", "kind")}
    missing = next((name for name in COLUMNS if not said[name]), None)
    if missing is not None:
        return FileRow(number, source_id=said["source_id"] or "", fault=missing)
    at, amount = _moment(said["granted_at"] or ""), _amount(said["amount"])
    wrong = "granted_at" if at is None else "amount" if amount == -1 else None
    return FileRow(
        number, said["source_id"] or "", said["measure"] or "", said["iin"] or "",
        amount, said["kind"], at, wrong,
    )  # fmt: skip


def _text(value: object) -> str | None:
    if value is None or isinstance(value, bool | dict | list):
        return None
    return str(value).strip() or None


def _amount(text: str | None) -> int | None:
    """In tiyn; None where there is none, -1 where it is no amount."""
    if text is None:
        return None
    try:
        tiyn = tiyn_of(Decimal(text))
    except InvalidOperation:
        return -1
    return -1 if tiyn is None else tiyn


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if at.tzinfo is None else at.astimezone(UTC)
