"""Which figures may be shown: groups of fewer than five are hidden, and so many others with them
that nothing hidden follows from what is shown: not from a total, and not from another table of the
same people. Pure arithmetic over counts.

The sums of measures are decided on first and stay what they are in every table. A table's numbers
are then the edges of a graph between its measures and its groups: a hidden number that lies on a
ring of hidden numbers could as well be one more or one less, one that lies on none can be reckoned
(D. Gusfield, "A graph theoretic approach to statistical data security", 1988). So can the sum of
those of a line that lie on rings with one another and with no others.
"""

import heapq
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
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
    graph.protect(_places(cells, sorted(rows, key=lambda row: (-by_row[row], row))))
    inner = {key for key in cells if key[0] in rows or key in before.cells or key in graph.gone}
    columns = {c for c in by_column if c in before.columns or (ALL, c) in graph.gone}
    return Hidden(rows, frozenset(columns), frozenset(inner))


def _sums(cells: Cells, axis: int) -> dict[str, int]:
    sums: dict[str, int] = {}
    for key, count in cells.items():
        sums[key[axis]] = sums.get(key[axis], 0) + count
    return sums


def _places(cells: Cells, rows: Sequence[str]) -> list[set[Place]]:
    """The groups in which people of these measures are, measure by measure."""
    found: dict[str, set[Place]] = {row: set() for row in rows}
    for (row, column), count in cells.items():
        if count and row in found:
            found[row].add((1, column))
    return [places for places in found.values() if places]


class _Graph:
    """One table as a graph; `gone` are the edges that are hidden. Empty cells are known to be
    empty and no edges."""

    def __init__(self, cells: Cells, rows: frozenset[str], before: Hidden) -> None:
        counts: dict[Edge, int] = {}
        for (row, column), count in cells.items():
            above: tuple[Vertex, ...] = (REST if row in rows else row, ALL)
            for one in above:
                counts[one, column] = counts.get((one, column), 0) + count
        self.counts = {edge: counts[edge] for edge in sorted(counts, key=str) if counts[edge]}
        self.gone: set[Edge] = {
            edge
            for edge, count in self.counts.items()
            if is_small(count) or edge[0] == REST or edge in before.cells
            or (edge[0] == ALL and edge[1] in before.columns)
        }  # fmt: skip
        self.beside: dict[Place, list[Edge]] = {}
        for edge in self.counts:
            for place in enumerate(edge):
                self.beside.setdefault(place, []).append(edge)

    def protect(self, rest: Sequence[set[Place]]) -> None:
        """Hides until every small number lies on a ring, until no few people follow for a line
        together, and until people of the first measure of `rest` could be people of any other: so
        could they then be in every table."""
        for edge in [e for e, count in self.counts.items() if is_small(count)]:
            self.gone.update(self._path({(0, edge[0])}, {(1, edge[1])}, {edge}))
        for other in rest[1:]:
            if not rest[0] & other:
                self.gone.update(self._path(rest[0], other, set(self.beside[0, REST])))
        for place in self.beside:
            while few := self._few(place):
                ends = {(1 - place[0], edge[1 - place[0]]) for edge in few}
                path = self._path({place}, ends, few)
                assert path, "a line of five people has a number outside of any few of them"
                self.gone.update(path)

    def _few(self, place: Place) -> set[Edge]:
        """Hidden numbers of a line that can move against one another but against no others, so
        that their sum can be reckoned, where it is a small one. Where the line's own sum is among
        them, only their difference from it is known."""
        left = {(1 - place[0], e[1 - place[0]]): e for e in self.beside[place] if e in self.gone}
        while left:
            found = self._reached(next(iter(left)), but=place)
            few = {left.pop(end) for end in list(left) if end in found}
            is_part = place[0] == 0 or not any(edge[0] == ALL for edge in few)
            if is_part and is_small(sum(self.counts[edge] for edge in few)):
                return few
        return set()

    def _reached(self, start: Place, but: Place) -> set[Place]:
        """The places that hidden edges lead to, without going through one of them."""
        found, ahead = {start}, [start]
        while ahead:
            at = ahead.pop()
            for edge in self.beside[at]:
                to = (1 - at[0], edge[1 - at[0]])
                if edge in self.gone and to != but and to not in found:
                    found.add(to)
                    ahead.append(to)
        return found

    def _path(
        self, starts: Collection[Place], ends: Collection[Place], banned: Collection[Edge]
    ) -> list[Edge]:
        """The cheapest edges from a start to an end: what is hidden already costs nothing. Empty
        where there is no way; what would need it can be reckoned whatever is hidden."""
        queue: list[tuple[int, str, Place]] = [(0, "", start) for start in sorted(starts, key=str)]
        best, came = dict.fromkeys(starts, 0), dict[Place, Edge]()
        while queue:
            cost, _, at = heapq.heappop(queue)
            if at in ends:
                return _back(came, at)
            for edge in self.beside[at]:
                to = (1 - at[0], edge[1 - at[0]])
                price = cost + (0 if edge in self.gone else self.counts[edge])
                if edge not in banned and price < best.get(to, price + 1):
                    best[to], came[to] = price, edge
                    heapq.heappush(queue, (price, str(to), to))
        return []


def _back(came: Mapping[Place, Edge], at: Place) -> list[Edge]:
    path = []
    while at in came:
        path.append(came[at])
        at = (1 - at[0], came[at][1 - at[0]])
    return path
