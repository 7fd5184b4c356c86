"""Cuts the categories of a reply into the units of grammar.toml; an unexplained rest is named."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from dialogs.engine.understanding.lexicon import read_toml

_NAME: Final = re.compile(r"(?<!\?)(?<!\?<)[a-z][a-z_0-9]*")
_FIRST_CODE: Final = (
    0xE000  # private use: a category is one character, so patterns are plain regular expressions
)
UNKNOWN: Final = "\uf8ff"


class Unit(NamedTuple):
    """A stretch of tokens [start, end) and what kind of saying it is; kind "" is unexplained."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Grammar:
    """The compiled units and the code of every category they name."""

    codes: dict[str, str]
    units: re.Pattern[str]

    def code(self, category: str) -> str:
        """Return the character of a category; a category no unit names explains nothing."""
        return self.codes.get(category, UNKNOWN)


@cache
def grammar() -> Grammar:
    """Return grammar.toml compiled into one alternation, first unit first."""
    data = read_toml("grammar.toml")
    codes: dict[str, str] = {}

    def character(found: re.Match[str]) -> str:
        return codes.setdefault(found[0], chr(_FIRST_CODE + len(codes)))

    branches = []
    for unit in data["unit"]:
        pattern = unit["is"]
        for name, meaning in data["macros"].items():
            pattern = pattern.replace("{" + name + "}", meaning)
        pattern = _NAME.sub(character, re.sub(r"\s+", "", _spaced(pattern)))
        branches.append(f"(?P<{unit['kind']}>{pattern})")
    return Grammar(codes, re.compile("|".join(branches)))


def _spaced(pattern: str) -> str:
    """Two names side by side would melt into one when blanks go: each gets a group."""
    return _NAME.sub(lambda found: f"(?:{found[0]})", pattern)


def cut(codes: str) -> Sequence[Unit]:
    """Return the units of a coded reply, from the left; it stops at the first unexplained token."""
    match = grammar().units.match
    units: list[Unit] = []
    place = 0
    while place < len(codes):
        found = match(codes, place)
        if found is None or found.end() == place:
            units.append(Unit("", place, place + 1))
            break
        units.append(Unit(found.lastgroup or "", place, found.end()))
        place = found.end()
    return units
