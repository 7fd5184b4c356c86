"""What an account of a grant says, in what two of them differ, and how a provider's file is read
(214/НҚ, clause 5). Amounts are whole tiyn: a hundredth of a tenge."""

import csv
import json
import re
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
_COMMA: Final = re.compile(r"\d+,\d\d", re.ASCII)  # as spreadsheets here write 12500,50


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


class NoHeader(ValueError):
    """A CSV file whose first row does not name each of COLUMNS once: nothing in it can be read."""


def differences(ours: Account, theirs: Account) -> tuple[str, ...]:
    """The fields in which two accounts of one grant differ, in the order of FIELDS."""
    return tuple(name for name in FIELDS if getattr(ours, name) != getattr(theirs, name))


def tiyn_of(tenge: Decimal) -> int | None:
    """An amount in tiyn; None where it is no amount of money, or finer than a tiyn: nothing is
    ever rounded."""
    if not tenge.is_finite() or not 0 <= tenge <= MOST_TENGE:
        return None
    whole = tenge.quantize(Decimal("0.01"))
    return int(whole * TIYN) if whole == tenge else None


def tenge_of(tiyn: int | None) -> str | None:
    """An amount as it is shown: "12500.00"."""
    return None if tiyn is None else f"{tiyn // TIYN}.{tiyn % TIYN:02}"


def rows_of(text: str, media_type: str) -> Iterator[FileRow]:
    """The rows of a provider's file, numbered from 1 (a CSV's header not counted). A source id
    that stands there twice is at fault the second time. Raises NoHeader."""
    records = _csv(text) if media_type == CSV else _ndjson(text)
    known: set[str] = set()
    for number, record in enumerate(records, 1):
        row = FileRow(number, fault="row") if record is None else _row(number, record)
        if row.fault is None and row.source_id in known:
            row = FileRow(number, row.source_id, fault="source_id")
        if row.fault is None:
            known.add(row.source_id)
        yield row


def _csv(text: str) -> Iterator[Mapping[str, object] | None]:
    """Commas, semicolons or tabs, whichever the header has most of. A row that cannot be read
    ends nothing."""
    lines = text.removeprefix("\ufeff").split("\n")
    comma = max(",;\t", key=lines[0].count)
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=comma, strict=True)
    head = _head(reader)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None
            continue
        if cells:
            is_whole = len(cells) == len(head)
            yield dict(zip(head, cells, strict=True)) if is_whole else None


def _head(reader: Iterator[list[str]]) -> list[str]:
    try:
        head = [name.strip() for name in next(reader, [])]
    except csv.Error:
        head = []
    if any(head.count(name) != 1 for name in COLUMNS):
        raise NoHeader
    return head


def _ndjson(text: str) -> Iterator[Mapping[str, object] | None]:
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
        except (ValueError, RecursionError):
            found = None
        yield found if isinstance(found, dict) else None


def _row(number: int, record: Mapping[str, object]) -> FileRow:
    said = {name: _text(record.get(name)) for name in (*COLUMNS, "amount", "kind")}
    missing = next((name for name in COLUMNS if not said[name]), None)
    if missing is None and not said["amount"] and not said["kind"]:
        missing = "amount"
    wrong = missing or next((name for name, value in said.items() if not _is_clean(value)), None)
    if wrong is not None:
        return FileRow(number, fault=wrong)
    at, amount = _moment(said["granted_at"] or ""), _amount(said["amount"])
    wrong = "granted_at" if at is None else "amount" if amount == -1 else None
    return FileRow(
        number, said["source_id"] or "", said["measure"] or "", said["iin"] or "",
        amount, said["kind"], at, wrong,
    )  # fmt: skip


def _is_clean(text: str | None) -> bool:
    """As references are: nothing that is no letter, and no half of a pair of surrogates."""
    return text is None or not any(
        c < " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in text
    )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, bool | dict | list):
        return None
    return str(value).strip() or None


def _amount(text: str | None) -> int | None:
    """In tiyn; None where there is none, -1 where it is no amount."""
    if text is None:
        return None
    if _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        tiyn = tiyn_of(Decimal(text))
    except InvalidOperation:
        return -1
    return -1 if tiyn is None else tiyn


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return None if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
