"""Whole columns for PostgreSQL: lists of one plain type, packed as binary arrays in one pass.

psycopg packs a list element by element through its adapters; a batch hands over dozens of columns,
so that was a quarter of what a message cost. Anything but flat lists of the types below goes
psycopg's own way.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any, Final
from uuid import UUID

from psycopg.abc import Buffer
from psycopg.types.array import ListBinaryDumper

_HEAD: Final = Struct("!iiIii")  # dimensions, has nulls, element's oid, length, lower bound
_LENGTH: Final = Struct("!i").pack
_NUMBER: Final = Struct("!iq").pack
_NULL: Final = _LENGTH(-1)
_SIXTEEN: Final = _LENGTH(16)
_LENGTHS: Final = tuple(_LENGTH(length) for length in range(1024))  # of most texts there are
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's own
_MICROSECOND: Final = timedelta(microseconds=1)

# Each loop stands in its own function and calls none of ours: a call costs more than the packing.


def _uuids(column: Sequence[UUID | None]) -> list[bytes]:
    return [_NULL if v is None else _SIXTEEN + v.int.to_bytes(16, "big") for v in column]


def _octets(column: Sequence[bytes | None]) -> list[bytes]:
    short = len(_LENGTHS)
    return [
        _NULL if v is None else (_LENGTHS[n] if (n := len(v)) < short else _LENGTH(n)) + v
        for v in column
    ]


def _texts(column: Sequence[str | None]) -> list[bytes]:
    return _octets([None if v is None else v.encode() for v in column])


def _numbers(column: Sequence[int | None]) -> list[bytes]:
    return [_NULL if v is None else _NUMBER(8, v) for v in column]


def _times(column: Sequence[datetime | None]) -> list[bytes]:
    cells: list[bytes] = []
    before, cell = None, _NULL
    for v in column:
        if v is not before:  # a batch has mostly one time
            before = v
            cell = _NULL if v is None else _NUMBER(8, (v - _EPOCH) // _MICROSECOND)
        cells.append(cell)
    return cells


# Each type's oid, its array's oid (pg_type.dat), and its elements with their lengths before them.
_PLAIN: Final[dict[type, tuple[int, int, Callable[[Any], list[bytes]]]]] = {
    UUID: (2950, 2951, _uuids),
    bytes: (17, 1001, _octets),
    str: (25, 1009, _texts),
    int: (20, 1016, _numbers),
    datetime: (1184, 1185, _times),
}


class ColumnDumper(ListBinaryDumper):
    """Dumps list[T | None] for the plain T above; statements cast the column to what they mean."""

    def get_key(self, obj: list[Any], format: Any) -> Any:
        kind = _kind(obj)
        return (self.cls, kind) if kind in _PLAIN else super().get_key(obj, format)

    def upgrade(self, obj: list[Any], format: Any) -> Any:
        kind = _kind(obj)
        if kind not in _PLAIN:
            return super().upgrade(obj, format)
        dumper = type(self)(self.cls, self._tx)
        dumper.plain = kind
        dumper.oid = _PLAIN[kind][1]
        return dumper

    plain: type | None = None

    def dump(self, obj: list[Any]) -> Buffer | None:
        if self.plain is None or not obj:
            return super().dump(obj)
        oid, _, pack = _PLAIN[self.plain]
        return _HEAD.pack(1, 1, oid, len(obj), 1) + b"".join(pack(obj))


def _kind(values: list[Any]) -> type | None:
    """The exact type that all values but None share by the first of them; None without one."""
    for value in values:
        if value is not None:
            return type(value)
    return None
