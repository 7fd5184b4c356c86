"""Reads one TOML table key by key and notes everything wrong with it instead of stopping at the
first mistake. It knows types and names of keys, and nothing of by-laws or services.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from app.catalogue.model import Bilingual

E = TypeVar("E", bound=StrEnum)
LANGUAGES = ("kk", "ru")
_PART = re.compile(r"([^.\[\]]+)(?:\[(\d+)\])?")
NO_DATE = date(1, 1, 1)  # stands in for a date already reported as a problem


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the data: where it is, what stands there, what should. `line` is 0 where no
    one line can be named, as for a key that is missing from everywhere."""

    file: str
    key: str
    found: str
    expected: str
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: found {self.found}, expected {self.expected}"


def line_of(text: str, key: str) -> int:
    """The line of a TOML text in which `key` stands ("branch[1].address.kk"), else that of the
    table it should stand in, else 0. TOML's reader does not say, so this looks for it."""
    lines = text.splitlines()
    parts = _PART.findall(key)
    head = _head(lines, parts)
    names = [name for name, _ in parts]
    for first in range(len(names)):
        tail = r"\s*\.\s*".join(map(re.escape, names[first:]))
        for number, line in enumerate(lines[head:], head + 1):
            if line.startswith("[") and head:
                break  # the next table
            if re.match(rf"\s*{tail}\s*=", line):
                return number
    return head


def _head(lines: Sequence[str], parts: Sequence[tuple[str, str]]) -> int:
    """The line of the innermost [table] or [[table]] that the path of a key goes through."""
    head = 0
    for depth in range(1, len(parts) + 1):
        path = re.escape(".".join(name for name, _ in parts[:depth]))
        index = int(parts[depth - 1][1] or 0)
        found = [n for n, line in enumerate(lines, 1) if re.match(rf"\s*\[+{path}\]+", line)]
        if not found:
            break
        head = found[min(index, len(found) - 1)]
    return head


@dataclass(slots=True)
class Table:
    """One table of one file. Every read notes its key; `close` reports the keys nobody read."""

    file: str
    at: str  # path of the table inside its file, "" for the top
    values: Mapping[str, object]
    problems: list[Problem]
    read: set[str] = field(default_factory=set)

    def note(self, key: str, found: object, expected: str) -> None:
        """Adds a problem with this table's key."""
        shown = "nothing" if found is None else repr(found)
        self.problems.append(Problem(self.file, self._path(key), shown, expected))

    def text(self, key: str, *, default: str | None = None, longest: int = 2000) -> str:
        """A non-empty text of at most `longest` characters."""
        value = self._get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, str) and 0 < len(value.strip()) and len(value) <= longest:
            return value
        self.note(key, value, f"a text of 1 to {longest} characters")
        return ""

    def number(self, key: str, *, default: int | None = None) -> int:
        """A whole number above zero."""
        value = self._get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        self.note(key, value, "a whole number above zero")
        return 1

    def optional_number(self, key: str) -> int | None:
        """The same, or None where the key is absent."""
        return self.number(key) if key in self.values else None

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """true or false; never guessed from other types."""
        value = self._get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, bool):
            return value
        self.note(key, value, "true or false")
        return False

    def day(self, key: str) -> date:
        """A date without a time."""
        value = self._get(key)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        self.note(key, value, "a date such as 2026-01-31")
        return NO_DATE

    def optional_day(self, key: str) -> date | None:
        """The same, or None where the key is absent."""
        return self.day(key) if key in self.values else None

    def choice(self, key: str, among: type[E]) -> E:
        """One of an enumeration's words."""
        value = self._get(key)
        if isinstance(value, str) and value in set(among):
            return among(value)
        self.note(key, value, "one of " + ", ".join(among))
        return next(iter(among))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; an absent key is an empty list."""
        value = self._get(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(one, str) and one for one in value):
            return tuple(value)
        self.note(key, value, "a list of texts")
        return ()

    def bilingual(self, key: str, *, longest: int = 2000) -> Bilingual:
        """A table with exactly `kk` and `ru`; one language alone is a problem."""
        inner = self.table(key)
        kk, ru = (inner.text(language, longest=longest) for language in LANGUAGES)
        inner.close()
        return Bilingual(kk, ru)

    def table(self, key: str) -> "Table":
        """An inner table; where it is missing, an empty one, so that reading can go on."""
        value = self._get(key)
        if not isinstance(value, Mapping):
            if value is not None:
                self.note(key, value, "a table")
            value = {}
        return Table(self.file, self._path(key), value, self.problems)

    def tables(self, key: str) -> Sequence["Table"]:
        """A list of tables, written [[key]]; an absent key is an empty list."""
        value = self._get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            self.note(key, value, f"tables written [[{key}]]")
            return ()
        paths = (f"{self._path(key)}[{i}]" for i in range(len(value)))
        return [
            Table(self.file, path, one, self.problems)
            for path, one in zip(paths, value, strict=True)
        ]

    def close(self) -> None:
        """Reports the keys that nobody asked for: a slip of the pen must not pass in silence."""
        for key in sorted(set(self.values) - self.read):
            self.note(key, self.values[key], "no such key")

    def _get(self, key: str) -> object:
        self.read.add(key)
        return self.values.get(key)

    def _path(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key
