"""Draws a small graph as SVG, from left to right: columns by the longest way from the start, the
label at the head of each arrow. Pure, and the same octets every time.

Sugiyama's layers without the search for few crossings: people read these graphs row by row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

CHARACTER, LINE, PADDING, ROW_GAP, ARROW = 7, 18, 12, 22, 8
FONT = "font-family='DejaVu Sans, Arial, sans-serif' font-size='12'"


@dataclass(frozen=True, slots=True)
class Node:
    """A box with lines of text; an end is framed twice, the start is bold."""

    id: str
    lines: tuple[str, ...]
    is_end: bool = False
    is_start: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow with one line of text; what time does is dashed."""

    source: str
    target: str
    label: str
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """What is drawn; nodes and edges in the order in which they are told."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(slots=True)
class _Slot:
    """A place in a column: a node, or a long arrow on its way through."""

    node: Node | None
    height: int
    top: int = 0

    @property
    def middle(self) -> int:
        return self.top + self.height // 2


@dataclass(slots=True)
class _Plan:
    """Where everything is: the columns, their left edges and widths, the ways of the arrows."""

    columns: list[list[_Slot]]
    lefts: list[int]
    widths: list[int]
    places: dict[str, tuple[int, _Slot]]
    ways: list[list[_Slot]]
    entries: list[int]


def svg(graph: Graph) -> str:
    """The drawing, as a document of its own."""
    ranks = _ranks(graph)
    plan = _planned(graph, ranks)
    width = plan.lefts[-1] + plan.widths[-1] + PADDING
    height = max(slot.top + slot.height for column in plan.columns for slot in column)
    backs = sum(1 for e in graph.edges if ranks[e.target] <= ranks[e.source])
    height += PADDING + backs * (LINE + ROW_GAP)
    body = [*_boxes(plan), *_arrows(graph, ranks, plan, height)]
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}'"
        f" width='{width}' height='{height}' {FONT}>"
    )
    return "\n".join((head, f"<title>{escape(graph.name)}</title>", _MARKER, *body, "</svg>", ""))


_MARKER = (
    "<defs><marker id='tip' viewBox='0 0 8 8' refX='8' refY='4' markerWidth='8' markerHeight='8'"
    " orient='auto'><path d='M0 0L8 4L0 8z'/></marker></defs>\n"
    "<rect width='100%' height='100%' fill='white'/>"
)


def _ranks(graph: Graph) -> dict[str, int]:
    """The column of each node: the longest way to it that never goes back."""
    after: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        after[edge.source].append(edge.target)
    ranks: dict[str, int] = {}

    def visit(node: str, rank: int, above: frozenset[str]) -> None:
        if ranks.get(node, -1) >= rank:
            return
        ranks[node] = rank
        for target in after[node]:
            if target not in above:
                visit(target, rank + 1, above | {target})

    for node in graph.nodes:
        if node.id not in ranks:
            visit(node.id, 0, frozenset({node.id}))
    return ranks


def _planned(graph: Graph, ranks: Mapping[str, int]) -> _Plan:
    incoming = {
        n.id: [e for e in graph.edges if e.target == n.id and ranks[e.source] < ranks[n.id]]
        for n in graph.nodes
    }
    columns: list[list[_Slot]] = [[] for _ in range(max(ranks.values()) + 1)]
    places: dict[str, tuple[int, _Slot]] = {}
    for node in graph.nodes:
        rows = max(len(node.lines), len(incoming[node.id]))
        slot = _Slot(node, rows * LINE + PADDING)
        columns[ranks[node.id]].append(slot)
        places[node.id] = (ranks[node.id], slot)
    ways: list[list[_Slot]] = []
    for edge in graph.edges:
        between = range(ranks[edge.source] + 1, ranks[edge.target])
        way = [_Slot(None, LINE) for _ in between]
        for column, slot in zip(between, way, strict=True):
            columns[column].append(slot)
        ways.append(way)
    for slots in columns:
        top = PADDING
        for slot in slots:
            slot.top = top
            top += slot.height + ROW_GAP
    entries = [_entry(edge, incoming[edge.target], places[edge.target][1]) for edge in graph.edges]
    lefts, widths = _across(graph, ranks, columns)
    return _Plan(columns, lefts, widths, places, ways, entries)


def _entry(edge: Edge, incoming: Sequence[Edge], slot: _Slot) -> int:
    """Where an arrow meets its box: each has a line of its own."""
    if edge not in incoming:
        return slot.middle
    first = slot.middle - (len(incoming) - 1) * LINE // 2
    return first + incoming.index(edge) * LINE


def _across(
    graph: Graph, ranks: Mapping[str, int], columns: Sequence[Sequence[_Slot]]
) -> tuple[list[int], list[int]]:
    """Left edges and widths; before each column there is room for the labels of its arrows."""
    lefts: list[int] = []
    widths: list[int] = []
    left = PADDING
    for number, slots in enumerate(columns):
        told = [len(e.label) for e in graph.edges if ranks[e.target] == number > ranks[e.source]]
        left += max(told, default=0) * CHARACTER + (5 * PADDING if told else 0)
        longest = max((len(t) for s in slots if s.node for t in s.node.lines), default=0)
        lefts.append(left)
        widths.append(longest * CHARACTER + 2 * PADDING)
        left += widths[-1]
    return lefts, widths


def _boxes(plan: _Plan) -> Iterator[str]:
    for column, slot in plan.places.values():
        node = slot.node
        if node is None:
            continue
        left, width = plan.lefts[column], plan.widths[column]
        for inset in (0, 3) if node.is_end else (0,):
            stroke = 2 if node.is_start else 1
            yield (
                f"<rect x='{left + inset}' y='{slot.top + inset}' width='{width - 2 * inset}'"
                f" height='{slot.height - 2 * inset}' rx='4' fill='none' stroke='black'"
                f" stroke-width='{stroke}'/>"
            )
        first = slot.middle - (len(node.lines) - 1) * LINE // 2 + 4
        for number, text in enumerate(node.lines):
            yield (
                f"<text x='{left + width // 2}' y='{first + number * LINE}'"
                f" text-anchor='middle'>{escape(text)}</text>"
            )


def _arrows(graph: Graph, ranks: Mapping[str, int], plan: _Plan, height: int) -> Iterator[str]:
    lowest = height - PADDING
    for edge, way, entry in zip(graph.edges, plan.ways, plan.entries, strict=True):
        dash = " stroke-dasharray='5 4'" if edge.is_dashed else ""
        if ranks[edge.target] <= ranks[edge.source]:
            path, x, y = _back(plan, edge, lowest)
            lowest -= LINE + ROW_GAP
            anchor = "middle"
        else:
            path, x, y = _forth(plan, edge, way, entry, len(edge.label) * CHARACTER)
            anchor = "end"
        yield f"<path d='{path}' fill='none' stroke='black'{dash} marker-end='url(#tip)'/>"
        yield f"<text x='{x}' y='{y}' text-anchor='{anchor}'>{escape(edge.label)}</text>"


def _forth(
    plan: _Plan, edge: Edge, way: Sequence[_Slot], entry: int, told: int
) -> tuple[str, int, int]:
    """Through the gaps between the boxes, and straight below its label into the box."""
    column, source = plan.places[edge.source]
    x, y = plan.lefts[column] + plan.widths[column], source.middle
    target = plan.lefts[plan.places[edge.target][0]]
    points = [(x, y)]
    for step, slot in enumerate(way, start=column + 1):
        points += [
            (plan.lefts[step], slot.middle),
            (plan.lefts[step] + plan.widths[step], slot.middle),
        ]
    points.append((target - told - 2 * ARROW, entry))
    parts = [f"M{x} {y}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        half = (x1 + x2) // 2
        parts.append(f"L{x2} {y2}" if y1 == y2 else f"C{half} {y1} {half} {y2} {x2} {y2}")
    parts.append(f"L{target} {entry}")
    return "".join(parts), target - ARROW - 2, entry - 3


def _back(plan: _Plan, edge: Edge, lowest: int) -> tuple[str, int, int]:
    """Below everything, from under the one box to under the other."""
    (here, source), (there, target) = plan.places[edge.source], plan.places[edge.target]
    x1 = plan.lefts[here] + plan.widths[here] // 2
    x2 = plan.lefts[there] + plan.widths[there] // 2
    y1, y2 = source.top + source.height, target.top + target.height
    path = f"M{x1} {y1}C{x1} {lowest} {x1} {lowest} {(x1 + x2) // 2} {lowest}"
    path += f"C{x2} {lowest} {x2} {lowest} {x2} {y2}"
    return path, (x1 + x2) // 2, lowest - 4
