"""The keys of a campaign file: how each is read, what it may hold, what it is when nobody says.

Reading collects findings instead of stopping at the first; it opens no file.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from app.configuration import Finding, SendingHours, shown
from app.simulate.campaign import Delay

NOTHING = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One key: `read` raises ValueError or TypeError for what will not do. Without a `default` it
    must be there."""

    read: Callable[[Any], Any]
    expected: str
    default: Any = NOTHING


@dataclass(slots=True)
class Reading:
    """What has been found wrong so far in the file `where`."""

    where: str
    findings: list[Finding] = field(default_factory=list)

    def wrong(self, key: str, found: object, expected: str) -> None:
        """Notes one thing; `found` None says that there is nothing."""
        said = "nothing" if found is None else shown(found)
        self.findings.append(Finding(key, said, expected, self.where))

    def table(self, prefix: str, given: object, fields: Mapping[str, Field]) -> dict[str, Any]:
        """Every field's value; of those that are wrong, their default or None, for there is a
        finding about them."""
        if not isinstance(given, dict):
            self.wrong(prefix, given, "a table")
            return {name: None for name in fields}
        self.unknown(prefix, given, fields)
        return {name: self._one(f"{prefix}.{name}", given, name, f) for name, f in fields.items()}

    def unknown(self, prefix: str, given: Mapping[str, object], known: Iterable[str]) -> None:
        """Notes every key that is not `known`."""
        names = sorted(known)
        for name in given:
            if name not in names:
                key = f"{prefix}.{name}" if prefix else name
                self.wrong(key, name, f"one of {', '.join(names)}")

    def _one(self, key: str, given: Mapping[str, object], name: str, one: Field) -> Any:
        if name not in given:
            if one.default is NOTHING:
                self.wrong(key, None, one.expected)
                return None
            return one.default
        try:
            return one.read(given[name])
        except (ValueError, TypeError, KeyError):
            self.wrong(key, given[name], one.expected)
            return None if one.default is NOTHING else one.default


def text(value: Any) -> str:
    """A text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


def name(value: Any) -> str:
    """A network's name: small letters, digits, hyphens."""
    if re.fullmatch(r"[a-z][a-z0-9-]{0,30}", text(value)) is None:
        raise ValueError
    return str(value)


def number(low: float, high: float) -> Callable[[Any], float]:
    """A number from `low` to `high`."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
        if not low <= value <= high:  # nan is neither
            raise ValueError
        return float(value)

    return read


def whole(low: int, high: int) -> Callable[[Any], int]:
    """A whole number from `low` to `high`."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return read


def switch(value: Any) -> bool:
    """true or false, as TOML writes them."""
    if not isinstance(value, bool):
        raise ValueError
    return value


def moment(value: Any) -> datetime:
    """A date-time with its offset from UTC."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError
    if not 2020 <= value.year <= 2100:
        raise ValueError
    return value


def hours(value: Any) -> SendingHours | None:
    """ "always", or "HH:MM-HH:MM" of one day."""
    if value == "always":
        return None
    start, end = span(value)
    return SendingHours(start, end)


def span(value: Any) -> tuple[time, time]:
    """HH:MM-HH:MM of one day."""
    if re.fullmatch(r"\d\d:\d\d-\d\d:\d\d", text(value), re.ASCII) is None:
        raise ValueError
    start, end = (time.fromisoformat(half) for half in value.split("-"))
    if start >= end:
        raise ValueError
    return start, end


def delay(value: Any) -> Delay:
    """{ median = seconds, p95 = seconds }."""
    if not isinstance(value, dict) or set(value) != {"median", "p95"}:
        raise ValueError
    read = number(0.001, 7 * 86_400)
    median, p95 = read(value["median"]), read(value["p95"])
    if p95 < median:
        raise ValueError
    return Delay(median, p95)


FRACTION = number(0.0, 1.0)
A_FRACTION = "a fraction, 0 to 1"
A_DELAY = "{ median = seconds, p95 = seconds }, 0.001 to 604800, p95 not less"
A_MOMENT = "a date-time with its offset, such as 2026-03-02T09:00:00+05:00"
