"""The effectiveness of measures as it may be shown: one table by measure and one more dimension is
protected as a whole, and every question is answered by a slice of it (214/НҚ, clause 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.ledger.engine import Tx
from app.wallet.effects import records
from app.wallet.effects.records import STAGES, STEPS, Cell
from app.wallet.rules.suppressing import NOTHING, SMALLEST, Hidden, table

MEASURE = "measure"


@dataclass(frozen=True, slots=True)
class Line:
    """One group: how many people came to each stage, how many hours the steps took half of them.
    None is hidden: a small group, or one that would tell of it."""

    group: str
    counts: Sequence[int | None]
    hours: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Effects:
    """Lines by group, and all of them together."""

    by: str
    measure: str | None
    lines: Sequence[Line]
    total: Line


def described(line: Line) -> dict[str, Any]:
    """A line with every number under its name, as the API and the command line show it."""
    counts = dict(zip(STAGES, line.counts, strict=True))
    hours = {f"median_hours_to_{s}": h for s, h in zip(STEPS, line.hours, strict=True)}
    return {"group": line.group, **counts, **hours}


def effects(tx: Tx, by: str, measure: str | None, provider: str | None) -> Effects:
    """By "measure", or by another dimension over all measures or within one."""
    cells, columns = records.cells(tx, by, provider)
    hidden = _hidden(cells)
    if by == MEASURE:
        rows = [_line(c, c.measure, [c.measure in h.rows for h in hidden]) for c in cells]
        if measure is None:
            return Effects(by, None, rows, _total(cells, [h.total for h in hidden]))
        mine = [row for row in rows if row.group == measure]
        gone = [measure in h.rows for h in hidden]
        return Effects(by, measure, mine, _total(_of(cells, measure), gone))
    if measure is not None:
        mine_only = _of(cells, measure)
        rows = [_line(c, c.group, [(measure, c.group) in h.cells for h in hidden])
                for c in mine_only]  # fmt: skip
        return Effects(by, measure, rows, _total(mine_only, [measure in h.rows for h in hidden]))
    rows = [_line(c, c.group, [c.group in h.columns for h in hidden]) for c in columns]
    return Effects(by, None, rows, _total(cells, [h.total for h in hidden]))


def _of(cells: Sequence[Cell], measure: str) -> list[Cell]:
    return [c for c in cells if c.measure == measure]


def _hidden(cells: Sequence[Cell]) -> list[Hidden]:
    """What is hidden of each stage: always what is hidden of the first one, for whom nothing else
    must be told, and what its own numbers ask for."""
    stages = [
        {(c.measure, c.group): c.counts[place] for c in cells} for place in range(len(STAGES))
    ]
    reached = table(stages[0], NOTHING)
    return [reached, *(table(stage, reached) for stage in stages[1:])]


def _line(cell: Cell, group: str, gone: Sequence[bool]) -> Line:
    counts = [None if hide else count for count, hide in zip(cell.counts, gone, strict=True)]
    hours = [
        None if gone[i] or gone[i + 1] or cell.pairs[i] < SMALLEST else median
        for i, median in enumerate(cell.medians)
    ]
    return Line(group, counts, hours)


def _total(cells: Sequence[Cell], gone: Sequence[bool]) -> Line:
    counts = [None if hide else sum(c.counts[i] for c in cells) for i, hide in enumerate(gone)]
    return Line("", counts, [None] * len(STEPS))
