"""Which accounts a provider may name for the question after a yes: by a label with the last four
digits, never by a number that could be used. Pure.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.catalogue.model import Service

KEY: Final = "accounts"
MOST: Final = 8
LABEL_MAX: Final = 24  # characters: eight of them and the question are five segments
LAST_DIGITS: Final = 4

# What people put between the digits of one number does not divide it.
_BETWEEN: Final = re.compile(r"(?<=\d)[\s.,:/*•·_‐‑–—-]+(?=\d)")
_LINK: Final = re.compile(r"https?:|www\.|\w\.(?:kz|com|org|net|ru)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with an offer's accounts: the field, and the key of the words for it."""

    field: str
    key: str


def fault(service: Service | None, values: Mapping[str, object]) -> Wrong | None:
    """The first thing wrong with `values.accounts`, None where all is well or nothing is named. A
    service that is not in the catalogue is refused by its gate, not here."""
    for name, value in values.items():
        if name != KEY and isinstance(value, list):
            return Wrong(f"values.{name}", "account.list")
    named = values.get(KEY)
    if not isinstance(named, list):
        asks = service is not None and service.account_choice
        return Wrong(f"values.{KEY}", "account.count") if asks and named is not None else None
    if service is not None and not service.account_choice:
        return Wrong(f"values.{KEY}", "account.unasked")
    if not 1 <= len(named) <= MOST:
        return Wrong(f"values.{KEY}", "account.count")
    return _wrong_label(named)


def _wrong_label(named: Sequence[object]) -> Wrong | None:
    seen: set[str] = set()
    for number, label in enumerate(named):
        field = f"values.{KEY}[{number}]"
        if not isinstance(label, str) or not is_sayable(label):
            return Wrong(field, "account.label")
        if not is_masked(label):
            return Wrong(field, "account.digits")
        folded = " ".join(label.split()).casefold()
        if folded in seen:
            return Wrong(field, "account.twice")
        seen.add(folded)
    return None


def is_sayable(label: str) -> bool:
    """Whether a label may stand in an SMS: short, one line, visible characters, no link."""
    plain = label.strip() == label and 1 <= len(label) <= LABEL_MAX
    visible = all(unicodedata.category(c)[0] not in "CZ" or c == " " for c in label)
    return plain and visible and max(map(ord, label)) <= 0xFFFF and not _LINK.search(label)


def is_masked(label: str) -> bool:
    """Whether no run of digits is longer than the last four of an account."""
    digits = "".join("0" if unicodedata.digit(c, None) is not None else c for c in label)
    return "0" * (LAST_DIGITS + 1) not in _BETWEEN.sub("", digits)


def labels(service: Service | None, values: Mapping[str, object]) -> tuple[str, ...]:
    """The accounts to choose from; none where the service asks for no account."""
    named = values.get(KEY)
    if service is None or not service.account_choice or not isinstance(named, list):
        return ()
    return tuple(label for label in named if isinstance(label, str))
