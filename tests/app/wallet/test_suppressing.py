"""Small groups are hidden, and nothing that is shown tells what was hidden."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.wallet.rules.suppressing import NOTHING, Hidden, is_small, line, table

ROWS, REGIONS = ("a", "b", "c", "d"), ("x", "y", "z")
Key = tuple[str, str]
Counts = Mapping[Key, int]


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ({"a": 10, "b": 20}, ""),
        ({"a": 4, "b": 20, "c": 30}, "ab"),
        ({"a": 1, "b": 1, "c": 30}, "abc"),
        ({"a": 4, "b": 4, "c": 30}, "ab"),
        ({"a": 0, "b": 20}, ""),
        ({"a": 3}, "a"),
        ({"a": 3, "b": 0, "c": 9}, "ac"),
    ],
)
def test_a_line_hides_what_is_small_and_what_would_tell_it(
    counts: dict[str, int], hidden: str
) -> None:
    assert "".join(sorted(line(counts))) == hidden


def sums(cells: Counts, axis: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, count in cells.items():
        found[key[axis]] = found.get(key[axis], 0) + count
    return found


class Attacker:
    """Solves what was published as linear equations: unknown are the cells of every table, which
    are of the same people and so have the same sums of measures."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, Key], int] = {}
        self.equations: list[dict[int, int]] = []

    def read(self, name: str, cells: Counts, hidden: Hidden) -> None:
        present = {key: count for key, count in cells.items() if count}
        for key in present:
            self.places[name, key] = len(self.places)
        for key in present:
            if key not in hidden.cells:
                self.tell(name, [key])
        for row in sums(cells, 0):
            if row not in hidden.rows:
                self.tell(name, [key for key in present if key[0] == row])
        for column in sums(cells, 1):
            if column not in hidden.columns:
                self.tell(name, [key for key in present if key[1] == column])
        if not hidden.total:
            self.tell(name, list(present))

    def tell(self, name: str, keys: Iterable[Key]) -> None:
        self.equations.append({self.places[name, key]: 1 for key in keys})

    def link(self, rows: Iterable[str]) -> None:
        """The same people stand in every table."""
        names = sorted({name for name, _ in self.places})
        for row, other in product(rows, names[1:]):
            equation = {p: 1 for (n, key), p in self.places.items() if n == names[0] == n
                        and key[0] == row}  # fmt: skip
            equation |= {p: -1 for (n, key), p in self.places.items() if n == other
                         and key[0] == row}  # fmt: skip
            self.equations.append(equation)

    def knows(self, name: str, keys: Iterable[Key]) -> bool:
        """Whether the sum of these cells follows from the equations."""
        basis: dict[int, dict[int, Fraction]] = {}
        for equation in self.equations:
            left = reduced({k: Fraction(v) for k, v in equation.items()}, basis)
            if left:
                lead = min(left)
                basis[lead] = {k: v / left[lead] for k, v in left.items()}
        asked = {self.places[name, key]: Fraction(1) for key in keys if (name, key) in self.places}
        return not reduced(asked, basis)


def reduced(
    row: dict[int, Fraction], basis: Mapping[int, Mapping[int, Fraction]]
) -> dict[int, Fraction]:
    left, done = dict(row), -1
    while (lead := min((k for k in left if k > done and k in basis), default=None)) is not None:
        factor, done = left[lead], lead
        for k, v in basis[lead].items():
            left[k] = left.get(k, Fraction(0)) - factor * v
        left = {k: v for k, v in left.items() if v}
    return left


def small_groups(cells: Counts) -> list[list[Key]]:
    """Everything that must not be known: small cells, small sums."""
    found = [[key] for key, count in cells.items() if is_small(count)]
    for axis in (0, 1):
        for name, count in sums(cells, axis).items():
            if is_small(count):
                found.append([key for key in cells if key[axis] == name])
    return found


def small_rests(cells: Counts, hidden: Hidden) -> list[list[Key]]:
    """A few people who are what is left of a line when all that is shown of it is taken away."""
    lines = [[key for key in hidden.cells if key[axis] == name]
             for axis in (0, 1) for name in sums(cells, axis)]  # fmt: skip
    return [keys for keys in lines if is_small(sum(cells[key] for key in keys))]


def tables(counts: Iterable[int], shares: Iterable[float]) -> list[dict[Key, int]]:
    """The same people of four measures by region and, in other shares, by two more groups."""
    by_region = dict(zip(product(ROWS, REGIONS), counts, strict=True))
    others: list[dict[Key, int]] = [{}, {}]
    of_row = sums(by_region, 0)
    for (row, place), share in zip(product(ROWS, (0, 1)), shares, strict=True):
        others[place][row, "kk"] = int(of_row[row] * share)
        others[place][row, "ru"] = of_row[row] - others[place][row, "kk"]
    return [by_region, *others]


COUNTS = st.lists(
    st.sampled_from([0, 0, 1, 2, 3, 4, 5, 7, 20]), min_size=len(ROWS) * 3, max_size=len(ROWS) * 3
)
SHARES = st.lists(
    st.sampled_from([0.0, 0.1, 0.5, 1.0]), min_size=len(ROWS) * 2, max_size=len(ROWS) * 2
)


@settings(max_examples=300, deadline=None)
@given(COUNTS, SHARES)
@example([4, 20, 4, 2, 0, 1, 0, 5, 0, 0, 0, 0], [0.5, 0.1, 1.0, 0, 0, 0, 0, 0])
@example([0, 4, 0, 0, 4, 0, 4, 0, 0, 4, 0, 0], [0, 0, 1, 1, 0, 1, 1, 0])
def test_all_tables_together_tell_no_small_group(counts: list[int], shares: list[float]) -> None:
    attacker = Attacker()
    every = {str(place): cells for place, cells in enumerate(tables(counts, shares))}
    for name, cells in every.items():
        attacker.read(name, cells, table(cells))
    attacker.link(ROWS)
    for name, cells in every.items():
        assert table(cells).rows == table(every["0"]).rows
        for keys in [*small_groups(cells), *small_rests(cells, table(cells))]:
            assert not attacker.knows(name, keys)


@settings(max_examples=200, deadline=None)
@given(COUNTS, COUNTS)
def test_a_later_stage_tells_no_small_group_and_nothing_of_one(
    counts: list[int], later: list[int]
) -> None:
    first = dict(zip(product(ROWS, REGIONS), counts, strict=True))
    then = {key: min(count, n) for (key, count), n in zip(first.items(), later, strict=True)}
    before = table(first)
    hidden = table(then, before)
    assert before.rows <= hidden.rows and before.columns <= hidden.columns
    assert before.cells <= hidden.cells
    attacker = Attacker()
    attacker.read("later", then, hidden)
    for keys in small_groups(then):
        assert not attacker.knows("later", keys)


@settings(max_examples=100, deadline=None)
@given(COUNTS)
def test_every_small_number_could_be_another_one_of_people(counts: list[int]) -> None:
    """Not by equations alone: there is a table of whole people, none of them negative, that looks
    the same and has another number there."""
    cells = {key: n for key, n in zip(product(ROWS, REGIONS), counts, strict=True) if n}
    hidden = table(cells)
    for key, count in cells.items():
        if is_small(count):
            others = [{**cells, key: count + step} for step in (1, -1)]
            assert any(can_be_mended(key, other, cells, hidden) for other in others)


def can_be_mended(key: Key, made: dict[Key, int], real: Counts, hidden: Hidden) -> bool:
    """Moves one person a step along hidden cells until every shown sum is right again."""
    queue, seen = [made], {tuple(sorted(made.items()))}
    while queue:
        now = queue.pop(0)
        if looks_the_same(now, real, hidden):
            return True
        if sum(abs(now[k] - real[k]) for k in real) > 5:
            continue
        for other, step in product(real, (1, -1)):
            if other in hidden.cells and other != key and now[other] + step >= 0:
                new = {**now, other: now[other] + step}
                mark = tuple(sorted(new.items()))
                if mark not in seen:
                    seen.add(mark)
                    queue.append(new)
    return False


def looks_the_same(made: Counts, real: Counts, hidden: Hidden) -> bool:
    for axis, gone in ((0, hidden.rows), (1, hidden.columns)):
        mine, theirs = sums(made, axis), sums(real, axis)
        if any(mine[name] != n for name, n in theirs.items() if name not in gone):
            return False
    return hidden.total or sum(made.values()) == sum(real.values())


def test_a_measure_in_one_region_alone_does_not_give_away_its_neighbour() -> None:
    """Its sum is its cell, so the region's sum would tell the other measure's."""
    cells = {("a", "x"): 20, ("b", "x"): 3, ("b", "y"): 10, ("c", "y"): 40, ("c", "z"): 9}
    hidden = table(cells)
    assert "x" in hidden.columns and "b" not in hidden.rows and not hidden.total


def test_a_measure_too_small_to_show_shows_nothing_by_any_group() -> None:
    hidden = table({("a", "x"): 3, ("b", "x"): 30, ("b", "y"): 9, ("c", "x"): 50})
    assert hidden.rows == {"a", "b"}
    assert {("a", "x"), ("b", "x"), ("b", "y")} <= hidden.cells and not hidden.total


def test_fewer_than_five_people_in_all_are_not_told_of() -> None:
    cells = {("a", "x"): 2, ("b", "y"): 1}
    assert table(cells) == Hidden(frozenset("ab"), frozenset("xy"), frozenset(cells), True)
    assert table({}) == NOTHING


def test_many_measures_over_many_weeks_are_protected_in_a_moment() -> None:
    cells = {(f"m{n}", f"w{w}"): (n * 7 + w * 3) % 23 for n in range(60) for w in range(60)}
    hidden = table(cells)
    assert all(key in hidden.cells for key, count in cells.items() if is_small(count))
    assert len(hidden.cells) < len(cells) * 0.7
