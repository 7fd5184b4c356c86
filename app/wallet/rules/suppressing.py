"""Which figures may be shown: groups of fewer than five are hidden, and so many others with them
that nothing hidden follows from what is shown: not from a total, and not from another table of the
same people. Pure arithmetic over counts.

The sums of measures are decided on first and stay what they are in every table. A table's numbers
are then the edges of a graph between its measures and its groups: a hidden number that lies on a
ring of hidden numbers could as well be one more or one less, one that lies on none can be reckoned
(D. Gusfield, "A graph theoretic approach to statistical data security", 1988).
"""

import heapq
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

SMALLEST: Final = 5
ALL: Final = ("*",)  # the vertex of sums: no name of a measure or a group is a tuple
REST: Final = ("rest",)  # all measures whose own sum is hidden, taken together
K = TypeVar("K", bound=Hashable)
Vertex = str | tuple[str, ...]
Place = tuple[int, Vertex]  # 0: a measure, 1: a group
Edge = tuple[Vertex, Vertex]  # a measure (or ALL, REST) and a group
Cells = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Hidden:
    """What must not be shown of a table: sums of measures and of groups, cells, the sum of all."""

    rows: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()
    cells: frozenset[tuple[str, str]] = frozenset()
    total: bool = False


NOTHING: Final = Hidden()


def is_small(count: int) -> bool:
    """A group that could be recognised; an empty one tells of nobody."""
    return 0 < count < SMALLEST


def line(counts: Mapping[K, int], hidden: frozenset[K] = frozenset()) -> frozenset[K]:
    """What has to be hidden of a line whose sum is shown: small groups, those in `hidden`, and the
    smallest others until what is hidden is five people together, none of them by themselves."""
    gone = {key for key, count in counts.items() if is_small(count) or key in hidden}
    others = sorted((count, str(key), key) for key, count in counts.items() if key not in gone)
    for count, _, key in others:
        if not _tells([counts[k] for k in gone]):
            break
        if count:
            gone.add(key)
    return frozenset(gone)


def _tells(hidden: Iterable[int]) -> bool:
    """Whether the sum of these, which can be reckoned, tells of a small group."""
    return is_small(sum(hidden))


def table(cells: Cells, before: Hidden = NOTHING) -> Hidden:
    """What to hide of the table of one stage, by (measure, group). `before` is what is hidden of
    the stage of all: of a group that is hidden there, nothing is shown here. Whichever other group
    the same people are put into, the same sums of measures and of all are hidden."""
    by_row, by_column = _sums(cells, 0), _sums(cells, 1)
    total = sum(by_row.values())
    if before.total or is_small(total):
        return Hidden(frozenset(by_row), frozenset(by_column), frozenset(cells), True)
    rows = line(by_row, before.rows)
    graph = _Graph(cells, rows, before)
    graph.protect()
    inner = {key for key in cells if key[0] in rows or key in before.cells or key in graph.gone}
    columns = {c for c in by_column if c in before.columns or (ALL, c) in graph.gone}
    return Hidden(rows, frozenset(columns), frozenset(inner))


def _sums(cells: Cells, axis: int) -> dict[str, int]:
    sums: dict[str, int] = {}
    for key, count in cells.items():
        sums[key[axis]] = sums.get(key[axis], 0) + count
    return sums


class _Graph:
    """One table as a graph; `gone` are the edges that are hidden. Empty cells are known to be
    empty and no edges."""

    def __init__(self, cells: Cells, rows: frozenset[str], before: Hidden) -> None:
        self.counts: dict[Edge, int] = {}
        for (row, column), count in cells.items():
            for key in ((REST if row in rows else row, column), (ALL, column)):
                self.counts[key] = self.counts.get(key, 0) + count
        self.counts = {edge: count for edge, count in self.counts.items() if count}
        self.gone: set[Edge] = {
            edge
            for edge, count in self.counts.items()
            if is_small(count) or edge[0] == REST or edge in before.cells
            or (edge[0] == ALL and edge[1] in before.columns)
        }  # fmt: skip
        self.beside: dict[Place, list[Edge]] = {}
        for edge in sorted(self.counts, key=str):
            self.beside.setdefault((0, edge[0]), []).append(edge)
            self.beside.setdefault((1, edge[1]), []).append(edge)

    def protect(self) -> None:
        """Hides until every small number lies on a ring, and no line tells of a few together."""
        for edge in sorted((e for e, n in self.counts.items() if is_small(n)), key=str):
            self._close_ring(edge)
        while (line := next(filter(self._tells, self.beside), None)) is not None:
            self._widen(line)

    def _tells(self, line: Place) -> bool:
        hidden = [e for e in self.beside[line] if e in self.gone]
        if any(e[0] == ALL for e in hidden) and line[0]:
            return False  # the sum of this group is hidden too
        return _tells(self.counts[e] for e in hidden)

    def _widen(self, line: Place) -> None:
        """Hides one more number of a line, one that can be hidden, at the least cost."""
        found = [
            (sum(self.counts[e] for e in ring if e not in self.gone), str(edge), edge)
            for edge in self.beside[line]
            if edge not in self.gone and (ring := [edge, *self._ring(edge)])[1:]
        ]
        edge = min(found)[2]
        self.gone.add(edge)
        self._close_ring(edge)

    def _close_ring(self, edge: Edge) -> None:
        self.gone.update(self._ring(edge))

    def _ring(self, edge: Edge) -> list[Edge]:
        """The cheapest edges that make a ring of this one: what is hidden already costs nothing.
        Empty where there is no ring; such a number can be reckoned whatever is hidden."""
        start, end = (0, edge[0]), (1, edge[1])
        queue: list[tuple[int, int, Place]] = [(0, 0, start)]
        came: dict[Place, Edge] = {}
        best = {start: 0}
        number = 0
        while queue:
            cost, _, at = heapq.heappop(queue)
            if at == end:
                return _back(came, end, start)
            for step in self.beside[at]:
                to = (1 - at[0], step[1 - at[0]])
                price = cost + (0 if step in self.gone else self.counts[step])
                if step != edge and price < best.get(to, price + 1):
                    number += 1
                    best[to], came[to] = price, step
                    heapq.heappush(queue, (price, number, to))
        return []


def _back(came: Mapping[Place, Edge], at: Place, start: Place) -> list[Edge]:
    ring = []
    while at != start:
        ring.append(came[at])
        at = (1 - at[0], came[at][1 - at[0]])
    return ring
