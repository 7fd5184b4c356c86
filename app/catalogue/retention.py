"""How long personal data is kept, as dated data: one term for each kind on every day."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Final

from app.catalogue.fields import Problem, Table
from app.catalogue.loader import BUILT_IN, CatalogueError
from app.catalogue.model import Bilingual, covers

FOLDER: Final = "retention"


class Kind(StrEnum):
    """What is kept for a while."""

    WORDS = "words"
    MESSAGES = "messages"
    HEARD = "heard"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Keep:
    """One term: so many days, `counted` from what, in force from `start` to `to` (inclusive)."""

    what: Kind
    days: int
    start: date
    to: date | None
    counted: str
    reason: Bilingual
    verified: bool


def terms(path: Path = BUILT_IN) -> tuple[Keep, ...]:
    """Every term of the catalogue in `path`. CatalogueError lists all problems."""
    problems: list[Problem] = []
    found: list[Keep] = []
    for file in sorted((path / FOLDER).glob("*.toml")):
        name = f"{FOLDER}/{file.name}"
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.append(Problem(name, "the file", str(error), "TOML in UTF-8"))
            continue
        top = Table(name, "", values, problems)
        found += [_keep(table) for table in top.tables("keep")]
        top.close()
    _check(found, problems)
    if problems:
        raise CatalogueError(problems)
    return tuple(found)


def on(found: Sequence[Keep], day: date) -> dict[Kind, Keep]:
    """The terms in force that day; of a kind that has none, nothing is erased."""
    return {keep.what: keep for keep in found if covers(keep.start, keep.to, day)}


def _keep(table: Table) -> Keep:
    keep = Keep(
        what=table.choice("what", Kind),
        days=table.number("days"),
        start=table.day("from"),
        to=table.optional_day("to"),
        counted=table.text("counted"),
        reason=table.bilingual("reason"),
        verified=table.flag("verified"),
    )
    table.close()
    return keep


def _check(found: Sequence[Keep], problems: list[Problem]) -> None:
    """Two terms of one kind never hold on the same day."""
    for kind in Kind:
        mine = sorted((k for k in found if k.what is kind), key=lambda k: k.start)
        for earlier, later in pairwise(mine):
            if earlier.to is None or earlier.to >= later.start:
                until = earlier.to or "without end"
                words = f"{earlier.start} – {until} and again from {later.start}"
                problems.append(Problem(FOLDER, str(kind), words, "dates that do not overlap"))
