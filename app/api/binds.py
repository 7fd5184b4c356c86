"""How the networks' binds are doing, for whoever runs the system."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from app.api import pages
from app.api.pages import Paged
from app.api.routing import Call, Endpoint
from app.api.values import utc, utc_or_none
from app.ledger import binds
from app.ledger.binds import BindRow
from app.ledger.keys import Scope


class BindAnswer(Struct, frozen=True):
    """A bind as its gateway last wrote it. Up to `heard_through` all that the network handed over
    is stored; `wanted` is what an engineer asked for."""

    cid: str
    network: str
    state: str
    reason: str
    since: datetime
    heard_through: datetime | None
    wanted: Literal["running", "suspended"]


class BindPage(Struct, frozen=True):
    """Binds, by cid."""

    items: list[BindAnswer]
    next: str | None


def list_binds(call: Call[None, Paged]) -> BindPage:
    after = call.query.cursor
    found = [b for b in binds.every(call.unit.tx) if after is None or b.cid > after]
    page, following = pages.cut(found, call.query.limit, lambda bind: bind.cid)
    return BindPage([_shown(bind) for bind in page], following)


def _shown(bind: BindRow) -> BindAnswer:
    return BindAnswer(
        bind.cid,
        bind.network,
        bind.state,
        bind.reason,
        utc(bind.since),
        utc_or_none(bind.heard_through),
        bind.wanted,  # type: ignore[arg-type]
    )


_AT = datetime(2026, 1, 31, 9, tzinfo=UTC)
ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/binds",
        scopes=(Scope.OPERATOR,),
        summary="See how the binds are doing",
        handler=list_binds,
        query=Paged,
        answer=BindPage,
        answer_example=BindPage(
            [BindAnswer("kcell-1", "kcell", "bound", "", _AT, _AT, "running")], None
        ),
    ),
)
