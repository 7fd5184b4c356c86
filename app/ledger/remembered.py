"""Rows as this process saved them last, by their case.

Most receipts come to the gateway that has sent, soon after: it need not load again what it saved a
moment ago. Saving is a compare-and-set, so what others have changed since is a race that is lost,
and then the rows are loaded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

MOST = 2_000  # rows of some 2 KB; what a bind sends in half a minute


@dataclass(slots=True)
class Remembered:
    """The `MOST` that were saved last. Both lanes add, take and forget. Whoever takes a row may
    change it, so each is taken once."""

    _rows: dict[UUID, Any] = field(default_factory=dict)

    def add(self, rows: Sequence[Any]) -> None:
        """Rows, with an `id`, as they stand in the ledger once that is committed."""
        kept = self._rows
        for row in rows:
            kept[row.id] = row
        for oldest in list(kept)[: max(0, len(kept) - MOST)]:
            kept.pop(oldest, None)

    def forget(self, ids: Iterable[UUID]) -> None:
        """Somebody here holds these, and may change them."""
        if self._rows:
            for i in ids:
                self._rows.pop(i, None)

    def take(self, ids: Sequence[UUID]) -> dict[UUID, Any] | None:
        """All of these in their order, or none: rows are held in one order, known or not."""
        found = {i: row for i in ids if (row := self._rows.pop(i, None)) is not None}
        return found if len(found) == len(ids) else None
