"""Small groups are hidden, and nothing that is shown tells what was hidden."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.wallet.rules.suppressing import SMALLEST, is_small, line, table

ROWS, COLUMNS = ("a", "b", "c"), ("x", "y", "z")


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ({"a": 10, "b": 20}, ""),
        ({"a": 4, "b": 20, "c": 30}, "ab"),
        ({"a": 1, "b": 1, "c": 30}, "abc"),
        ({"a": 4, "b": 4, "c": 30}, "ab"),
        ({"a": 0, "b": 20}, ""),
        ({"a": 3}, "a"),
        ({"a": 3, "b": 0}, "ab"),
    ],
)
def test_a_line_hides_what_is_small_and_what_would_tell_it(
    counts: dict[str, int], hidden: str
) -> None:
    assert "".join(sorted(line(counts))) == hidden


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30), min_size=1))
def test_what_a_lines_total_leaves_is_no_small_group(counts: dict[str, int]) -> None:
    hidden = line(counts)
    assert all(key in hidden for key, count in counts.items() if is_small(count))
    left = sum(counts[key] for key in hidden)
    assert not hidden or hidden == counts.keys() or (len(hidden) > 1 and left >= SMALLEST)


@settings(max_examples=300)
@given(st.lists(st.integers(0, 12), min_size=9, max_size=9))
def test_no_sum_of_a_table_tells_a_small_cell(values: list[int]) -> None:
    cells = dict(zip(product(ROWS, COLUMNS), values, strict=True))
    no_rows, no_columns, gone, hides_total = table(cells, ROWS, COLUMNS)
    assert all(key in gone for key, count in cells.items() if is_small(count))
    for r in ROWS:
        if r not in no_rows:
            hidden = [cells[r, c] for c in COLUMNS if (r, c) in gone]
            assert not hidden or (len(hidden) > 1 and sum(hidden) >= SMALLEST)
    for c in COLUMNS:
        if c not in no_columns:
            hidden = [cells[r, c] for r in ROWS if (r, c) in gone]
            assert not hidden or (len(hidden) > 1 and sum(hidden) >= SMALLEST)
    sums = {r: sum(cells[r, c] for c in COLUMNS) for r in ROWS}
    assert all(r in no_rows for r, count in sums.items() if is_small(count))
    if not hides_total:
        hidden = [sums[r] for r in no_rows]
        assert not hidden or (len(hidden) > 1 and sum(hidden) >= SMALLEST)
