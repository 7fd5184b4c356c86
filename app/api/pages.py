"""Lists in pages: `?limit=&cursor=` in, `{"items": […], "next": …}` out."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar
from uuid import UUID

from msgspec import Meta, Struct

from app.api.problems import invalid
from app.ledger.ids import as_id

T = TypeVar("T")
Limit = Annotated[int, Meta(ge=1, le=1000, description="The most items of one page.")]
Cursor = Annotated[
    str, Meta(min_length=1, max_length=100, description="The `next` of the page before.")
]


class Paged(Struct, frozen=True, forbid_unknown_fields=True):
    """The query of a list."""

    limit: Limit = 50
    cursor: Cursor | None = None


def after(cursor: str | None) -> UUID | None:
    """The id after which a page begins. Raises Problem (422) for a cursor that is none of ours."""
    if cursor is None:
        return None
    found = as_id(cursor)
    if found is None:
        raise invalid("cursor", "cursor")
    return found


def cut(found: Sequence[T], limit: int, mark: Callable[[T], str]) -> tuple[list[T], str | None]:
    """A page out of up to limit + 1 items, and the cursor of the next page if there is one."""
    page = list(found[:limit])
    return page, mark(page[-1]) if len(found) > limit else None
