"""Which figures may be shown: groups of fewer than five are hidden, and so many others with them
that no total and no other table tells what was hidden. Pure arithmetic over counts.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

SMALLEST: Final = 5
K = TypeVar("K", bound=Hashable)


def is_small(count: int) -> bool:
    """A group that could be recognised; an empty one tells of nobody."""
    return 0 < count < SMALLEST


def line(counts: Mapping[K, int], hidden: frozenset[K] = frozenset()) -> frozenset[K]:
    """What has to be hidden of a line whose sum is shown: small groups, those in `hidden`, and the
    smallest others until what is hidden is at least two groups and five people together."""
    gone = {key for key, count in counts.items() if is_small(count)} | set(hidden & counts.keys())
    if not gone:
        return frozenset()
    others = sorted((count, str(key), key) for key, count in counts.items() if key not in gone)
    for count, _, key in sorted(others, key=lambda one: (one[0] == 0, one[:2])):
        if len(gone) > 1 and sum(counts[k] for k in gone) >= SMALLEST:
            break
        if count or len(gone) < 2:
            gone.add(key)
    return frozenset(gone)


def is_protected(counts: Mapping[K, int], hidden: frozenset[K]) -> bool:
    """Whether the sum of the line tells nothing small of what is hidden in it."""
    gone = [counts[key] for key in hidden if key in counts]
    return not gone or (len(gone) > 1 and sum(gone) >= SMALLEST)


def table(
    cells: Mapping[tuple[str, str], int], rows: Sequence[str], columns: Sequence[str]
) -> tuple[frozenset[str], frozenset[str], frozenset[tuple[str, str]], bool]:
    """What has to be hidden of a table with sums: rows' sums, columns' sums, cells, and whether the
    grand total goes too. The same cells give the same answer whichever part of it is shown, so
    tables laid beside one another tell no more than one."""
    by_row = {r: sum(cells.get((r, c), 0) for c in columns) for r in rows}
    by_column = {c: sum(cells.get((r, c), 0) for r in rows) for c in columns}
    total = sum(by_row.values())
    no_rows, no_columns = line(by_row), line(by_column)
    gone = frozenset(key for key, count in cells.items() if is_small(count))
    while True:
        before = gone
        for r in rows:
            if r not in no_rows:
                gone |= _along(((r, c) for c in columns), cells, gone)
        for c in columns:
            if c not in no_columns:
                gone |= _along(((r, c) for r in rows), cells, gone)
        if gone == before:
            break
    no_rows |= {r for r in rows if not _holds(((r, c) for c in columns), cells, gone)}
    no_columns |= {c for c in columns if not _holds(((r, c) for r in rows), cells, gone)}
    hides_total = is_small(total) or not (
        is_protected(by_row, no_rows) and is_protected(by_column, no_columns)
    )
    return no_rows, no_columns, gone, hides_total


def _along(
    keys: Iterable[tuple[str, str]],
    cells: Mapping[tuple[str, str], int],
    gone: frozenset[tuple[str, str]],
) -> frozenset[tuple[str, str]]:
    return line({key: cells.get(key, 0) for key in keys}, gone)


def _holds(
    keys: Iterable[tuple[str, str]],
    cells: Mapping[tuple[str, str], int],
    gone: frozenset[tuple[str, str]],
) -> bool:
    return is_protected({key: cells.get(key, 0) for key in keys}, gone)
