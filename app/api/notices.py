"""The citizen's notices: gathered from every room that has some, read as one list."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from app.api import pages
from app.api.auth import CITIZEN
from app.api.pages import Paged
from app.api.problems import not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import Moment, utc, utc_or_none
from app.conversation.inbox import Inbox, Notice
from app.ledger.ids import as_id
from app.recipients.records import by_iin


class NoticeAnswer(Struct, frozen=True):
    """A notice as its recipient reads it; `kind` says what it is about."""

    id: str
    kind: str
    body: str
    created_at: datetime
    read_at: datetime | None


class NoticePage(Struct, frozen=True):
    """Notices, newest first."""

    items: list[NoticeAnswer]
    next: str | None


class NoticeQuery(Paged, frozen=True, forbid_unknown_fields=True):
    """Which of them; `since`: only those made or read from then on."""

    since: Moment | None = None


def list_my_notices(call: Call[None, NoticeQuery]) -> NoticePage:
    query, recipient_id = call.query, _recipient_id(call)
    after = pages.after(query.cursor)
    if recipient_id is None:
        return NoticePage([], None)
    found: list[Notice] = []
    for room in _inboxes(call):
        found += room.notices(
            call.unit, recipient_id, call.wanted,
            after=after, since=query.since, limit=query.limit + 1,
        )  # fmt: skip
    found.sort(key=lambda notice: notice.id, reverse=True)
    page, following = pages.cut(found, query.limit, lambda notice: str(notice.id))
    return NoticePage([_shown(notice) for notice in page], following)


def read_my_notice(call: Call[None, Nothing]) -> NoticeAnswer:
    recipient_id, notice_id = _recipient_id(call), as_id(call.path["id"])
    if recipient_id is not None and notice_id is not None:
        for room in _inboxes(call):
            notice = room.read(call.unit, recipient_id, notice_id, call.wanted)
            if notice is not None:
                return _shown(notice)
    raise not_found()


def _inboxes(call: Call[Any, Any]) -> Sequence[Inbox]:
    return [room for room in call.rt.rooms.values() if isinstance(room, Inbox)]


def _recipient_id(call: Call[Any, Any]) -> UUID | None:
    person = by_iin(call.unit.tx, call.unit.vault, [call.caller.iin]).get(call.caller.iin)
    return None if person is None else person.id


def _shown(notice: Notice) -> NoticeAnswer:
    read_at = utc_or_none(notice.read_at)
    return NoticeAnswer(str(notice.id), notice.kind, notice.body, utc(notice.created_at), read_at)


_NOTICE = NoticeAnswer(
    "019c1234-5678-7abc-8def-0123456789ab",
    "measure",
    "Сізге қолдау шарасы тиесілі.",
    datetime(2026, 1, 31, 9, tzinfo=UTC),
    None,
)

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/me/notices",
        scopes=(CITIZEN,),
        summary="List my notices, newest first",
        handler=list_my_notices,
        query=NoticeQuery,
        answer=NoticePage,
        answer_example=NoticePage([_NOTICE], None),
        revalidated=True,
    ),
    Endpoint(
        method="POST",
        path="/v1/me/notices/{id}/read",
        scopes=(CITIZEN,),
        summary="Say that I have read a notice",
        handler=read_my_notice,
        answer=NoticeAnswer,
        errors=("not_found",),
        answer_example=_NOTICE,
        description="Again changes nothing: the first time counts.",
    ),
)
