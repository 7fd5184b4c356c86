"""The effectiveness of measures as it may be shown: one table by measure and one more dimension is
protected as a whole, and every question is answered by a slice of it (214/НҚ, clause 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.ledger.engine import Tx
from app.wallet.effects import records
from app.wallet.effects.records import STAGES, STEPS, Cell
from app.wallet.rules.suppressing import SMALLEST, table


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


def effects(tx: Tx, by: str, measure: str | None, provider: str | None) -> Effects:
    """By "measure", or by another dimension over all measures or within one."""
    cells = records.cells(tx, by, provider)
    shown = _Shown(cells)
    if by == "measure":
        rows = records.measures(tx, provider)
        lines = [_line(c, c.measure, [not shown.row(s, c.measure) for s in STAGES]) for c in rows]
        return Effects(by, None, lines, _total(cells, shown))
    if measure is None:
        rows = records.columns(tx, by, provider)
        lines = [_line(c, c.group, [not shown.column(s, c.group) for s in STAGES]) for c in rows]
        return Effects(by, None, lines, _total(cells, shown))
    mine = [c for c in cells if c.measure == measure]
    lines = [
        _line(c, c.group, [not shown.cell(s, (measure, c.group)) for s in STAGES]) for c in mine
    ]
    counts = [
        None if shown.row(s, measure) else sum(c.counts[i] for c in mine)
        for i, s in enumerate(STAGES)
    ]
    return Effects(by, measure, lines, Line("", counts, [None] * len(STEPS)))


class _Shown:
    """What is hidden of each stage's table."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        rows = sorted({c.measure for c in cells})
        columns = sorted({c.group for c in cells})
        self.hidden = {
            stage: table({(c.measure, c.group): c.counts[place] for c in cells}, rows, columns)
            for place, stage in enumerate(STAGES)
        }

    def row(self, stage: str, measure: str) -> bool:
        return measure in self.hidden[stage][0]

    def column(self, stage: str, group: str) -> bool:
        return group in self.hidden[stage][1]

    def cell(self, stage: str, key: tuple[str, str]) -> bool:
        return key in self.hidden[stage][2]

    def total(self, stage: str) -> bool:
        return self.hidden[stage][3]


def _line(cell: Cell, group: str, may: Sequence[bool]) -> Line:
    counts = [count if ok else None for count, ok in zip(cell.counts, may, strict=True)]
    hours = [
        median if may[i] and may[i + 1] and cell.pairs[i] >= SMALLEST else None
        for i, median in enumerate(cell.medians)
    ]
    return Line(group, counts, hours)


def _total(cells: Sequence[Cell], shown: _Shown) -> Line:
    counts = [
        None if shown.total(stage) else sum(c.counts[place] for c in cells)
        for place, stage in enumerate(STAGES)
    ]
    return Line("", counts, [None] * len(STEPS))
