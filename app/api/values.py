"""The values that several bodies share: how an IIN, a reference, a time or a free text may look."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta

# Neither PostgreSQL nor an SMS has a use for control characters. The end is spelled so that
# Python's `$` does not let a last line feed through, and JSON Schema reads the same.
_PRINTABLE = r"^[^\x00-\x1f\x7f]+(?![\s\S])"

Iin = Annotated[str, Meta(description="The IIN, 12 digits.", examples=["900101300126"])]
Reference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=_PRINTABLE,
        description="The caller's own id; no control characters.",
    ),
]
Moment = Annotated[datetime, Meta(tz=True, description="ISO 8601 with a time zone.")]
Words = Annotated[str, Meta(min_length=1, max_length=1000)]
Language = Literal["kk", "ru"]


def utc(at: datetime) -> datetime:
    """A time as we answer it: in UTC, so that JSON shows a `Z`."""
    return at.astimezone(UTC)


def utc_or_none(at: datetime | None) -> datetime | None:
    """The same for a time that may not have come yet."""
    return None if at is None else at.astimezone(UTC)
