"""Reads proposals out of a file as it arrives: CSV as spreadsheets save it (a byte order mark,
commas, semicolons or tabs, quotes, line breaks within them) or one JSON object a line. It keeps
one row in memory at a time and repeats nothing of what it read in what it says is wrong.
"""

import codecs
import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

CSV, NDJSON = "text/csv", "application/x-ndjson"
FIELDS: Final = ("service", "iin", "reference")
LONGEST_ROW = 65_536  # characters
MOST_ROWS = 100_000


class Unreadable(Exception):
    """The file as a whole cannot be read; `key` words why."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file (the first after the header is 1) and what stood in it, or
    the wording key of why it could not be read."""

    number: int
    values: dict[str, Any]
    fault: str | None = None


def rows(chunks: Iterable[bytes], media_type: str) -> Iterator[Row]:
    """The rows of a file. Raises Unreadable."""
    lines = _lines(chunks)
    found = _csv(lines) if media_type == CSV else _ndjson(lines)
    for count, row in enumerate(found, start=1):
        if count > MOST_ROWS:
            raise Unreadable("upload.long")
        yield row


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines with their ends, whatever the chunks."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest = ""
    try:
        for chunk in chunks:
            *whole, rest = (rest + decoder.decode(chunk)).split("\n")
            if max(map(len, (*whole, rest))) > LONGEST_ROW:
                raise Unreadable("upload.row")
            yield from (line + "\n" for line in whole)
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Unreadable("upload.utf8") from None
    if rest:
        yield rest


def _csv(lines: Iterator[str]) -> Iterator[Row]:
    head = next(lines, "")
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(_whole(head, lines), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if "iin" not in names or "reference" not in names:
            raise Unreadable("upload.header")
        if len(set(names)) < len(names):
            raise Unreadable("upload.header")
        number = 0
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            if len(cells) != len(names):
                yield Row(number, {}, "upload.cells")
                continue
            yield Row(number, _proposal(zip(names, cells, strict=True)))
    except csv.Error:
        raise Unreadable("upload.quotes") from None


def _whole(head: str, lines: Iterator[str]) -> Iterator[str]:
    yield head
    yield from lines


def _proposal(cells: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Named cells are the proposal's own; every other column is a value of the provider's."""
    found: dict[str, Any] = {}
    values: dict[str, str] = {}
    for name, cell in cells:
        text = cell.strip()
        if name in FIELDS:
            found[name] = text
        elif text:
            values[name.removeprefix("values.")] = text
    if values:
        found["values"] = values
    return {name: value for name, value in found.items() if value != ""}


def _once(pairs: list[tuple[str, object]]) -> None:
    """Raises ValueError where an object names a thing twice: nobody knows which is meant."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name is repeated")


def _ndjson(lines: Iterator[str]) -> Iterator[Row]:
    number = 0
    for line in lines:
        if not line.strip():
            continue
        number += 1
        try:
            value = msgspec.json.decode(line)  # no NaN, no half of a character
            json.loads(line, object_pairs_hook=_once)
        except (msgspec.DecodeError, ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            yield Row(number, value)
        else:
            yield Row(number, {}, "upload.json")
