"""A drawn graph can be read: nothing lies over anything else, and every octet is the same again."""

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.commands.charting import LIFECYCLE, drawn
from dialogs.engine.drawing import CHARACTER, Edge, Graph, Node, svg
from dialogs.engine.wording import Words
from dialogs.every import DIALOGS

WORDS = Words.load()
NAMES = [*(one.name for one in DIALOGS), LIFECYCLE]
SPACE = "{http://www.w3.org/2000/svg}"
Box = tuple[float, float, float, float]


def texts(document: str) -> list[tuple[str, Box]]:
    """Every text with the room it takes: left, top, right, bottom."""
    found = []
    for one in ElementTree.fromstring(document).iter(f"{SPACE}text"):
        told = one.text or ""
        x, y, wide = float(one.attrib["x"]), float(one.attrib["y"]), len(told) * CHARACTER
        left = {"middle": x - wide / 2, "end": x - wide}[one.attrib["text-anchor"]]
        found.append((told, (left, y - 11, left + wide, y + 3)))
    return found


def boxes(document: str) -> list[Box]:
    found = []
    for one in ElementTree.fromstring(document).iter(f"{SPACE}rect"):
        if one.attrib["fill"] == "none":
            x, y = float(one.attrib["x"]), float(one.attrib["y"])
            found.append((x, y, x + float(one.attrib["width"]), y + float(one.attrib["height"])))
    return found


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def assert_readable(document: str) -> None:
    root = ElementTree.fromstring(document)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for (_, one), (_, other) in combinations(texts(document), 2):
        assert not overlap(one, other)
    for _, (left, top, right, bottom) in texts(document):
        assert 0 <= left <= right <= width
        assert 0 <= top <= bottom <= height
    for told, label in texts(document):
        around = [box for box in boxes(document) if overlap(box, label)]
        assert all(b[0] <= label[0] and label[2] <= b[2] for b in around), told


@pytest.mark.parametrize("name", NAMES)
def test_no_label_lies_over_another_or_over_a_box(name: str) -> None:
    assert_readable(drawn(name, WORDS))


@pytest.mark.parametrize("name", NAMES)
def test_every_arrow_ends_at_the_left_of_a_box_or_below_one(name: str) -> None:
    document = drawn(name, WORDS)
    edges = {(box[0], None) for box in boxes(document)} | {
        (None, box[3]) for box in boxes(document)
    }
    for path in ElementTree.fromstring(document).findall(f"{SPACE}path"):
        x, y = map(float, re.findall(r"[\d.]+", path.attrib["d"])[-2:])
        assert (x, None) in edges or (None, y) in edges


def test_a_drawing_is_the_same_octets_again() -> None:
    assert drawn("offer", WORDS) == drawn("offer", Words.load())


def test_what_could_be_markup_is_text() -> None:
    graph = Graph("<g>", (Node("a", ("a<b>&",)), Node("b", ("b",))), (Edge("a", "b", "<x>"),))
    assert [told for told, _ in texts(svg(graph))] == ["a<b>&", "b", "<x>"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_small_graph_can_be_drawn(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    nodes = tuple(Node(f"n{i}", (f"n{i}",)) for i in range(count))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    found = data.draw(st.lists(pairs, max_size=9, unique=True))
    edges = tuple(Edge(f"n{a}", f"n{b}", f"{a} to {b}") for a, b in found)
    assert_readable(svg(Graph("any", nodes, edges)))
