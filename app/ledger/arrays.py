"""Whole columns for PostgreSQL: lists of one plain type, packed as binary arrays in one pass.

psycopg packs a list element by element through its adapters; a batch hands over dozens of columns,
so that was a quarter of what a message cost. Anything but flat lists of the types below goes
psycopg's own way.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any, Final
from uuid import UUID

from psycopg.abc import Buffer
from psycopg.types.array import ListBinaryDumper

_HEAD: Final = Struct("!iiIii")  # dimensions, has nulls, element's oid, length, lower bound
_LENGTH: Final = Struct("!i")
_NUMBER: Final = Struct("!iq")
_NULL: Final = _LENGTH.pack(-1)
_SIXTEEN: Final = _LENGTH.pack(16)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's own
_MICROSECOND: Final = timedelta(microseconds=1)


def _uuid(value: UUID) -> bytes:
    return _SIXTEEN + value.bytes


def _octets(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _text(value: str) -> bytes:
    return _octets(value.encode())


def _number(value: int) -> bytes:
    return _NUMBER.pack(8, value)


def _time(value: datetime) -> bytes:
    return _NUMBER.pack(8, (value - _EPOCH) // _MICROSECOND)


# Each type's oid, its array's oid (pg_type.dat), and one element with its length before it.
_PLAIN: Final[dict[type, tuple[int, int, Callable[[Any], bytes]]]] = {
    UUID: (2950, 2951, _uuid),
    bytes: (17, 1001, _octets),
    str: (25, 1009, _text),
    int: (20, 1016, _number),
    datetime: (1184, 1185, _time),
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
        cells = [_NULL if value is None else pack(value) for value in obj]
        return _HEAD.pack(1, 1, oid, len(obj), 1) + b"".join(cells)


def _kind(values: list[Any]) -> type | None:
    """The exact type that all values but None share by the first of them; None without one."""
    for value in values:
        if value is not None:
            return type(value)
    return None
