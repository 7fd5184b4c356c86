"""Where a provider wants to be told: webhooks are entered, listed, taken away and replayed here.
Delivering to them is the worker's."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from msgspec import Meta, Struct

from app.api import pages
from app.api.pages import Paged
from app.api.problems import invalid, not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import Moment, utc, utc_or_none
from app.ledger import delivery_log, handover
from app.ledger.delivery_log import Logged
from app.ledger.handover import Webhook
from app.ledger.ids import as_id
from app.ledger.keys import Scope
from app.runtime import Runtime
from app.settings import Settings
from app.webhooks import Blocked, is_public, resolve, url_problem

SAFE_SECRET: Final = 16  # characters, in production
_VISIBLE = re.compile(r"[!-~]+")
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)

Event = Literal[
    "*",
    "offer.made",
    "offer.sent",
    "offer.awaiting",
    "offer.accepted",
    "offer.account",
    "offer.declined",
    "offer.expired",
    "offer.undelivered",
    "offer.withdrawn",
    "offer.rendered",
    "offer.refused",
    "notice.placed",
    "notice.delivered",
    "notice.failed",
    "notice.read",
    "decision.placed",
    "decision.delivered",
    "decision.failed",
    "decision.read",
    "consent.given",
    "consent.refused",
    "consent.lapsed",
    "consent.undelivered",
    "consent.stopped",
    "consent.cancelled",
    "consent.withdrawn",
    "grant.recorded",
    "grant.corrected",
    "grant.used",
    "agreement.ending",
]


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to post which events; `secret` signs them and is never shown again."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    events: Annotated[list[Event], Meta(min_length=1, max_length=50)]
    secret: Annotated[str, Meta(min_length=1, max_length=500)]


class WebhookAnswer(Struct, frozen=True):
    """A webhook, without its secret."""

    id: str
    url: str
    events: list[str]
    created_at: datetime


class WebhookPage(Struct, frozen=True):
    """Webhooks, oldest first."""

    items: list[WebhookAnswer]
    next: str | None


class Since(Struct, frozen=True, forbid_unknown_fields=True):
    """From when on events are sent again; everything when left out."""

    since: Moment | None = None


DeliveryState = Literal["due", "done", "parked"]


class DeliveryAnswer(Struct, frozen=True):
    """What became of one event at a webhook: `due` waits for `next_at`, `done` was taken, `parked`
    was given up and comes again with a replay. `last_status` and `last_error` are those of the
    last attempt; `event` is the `id` that the body has."""

    event: str
    type: str
    case: str
    sequence: int
    created_at: datetime
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    closed_at: datetime | None
    last_status: int | None
    last_error: str | None


class DeliveryPage(Struct, frozen=True):
    """Deliveries, those of the newest events first."""

    items: list[DeliveryAnswer]
    next: str | None


class DeliveryQuery(Paged, frozen=True, forbid_unknown_fields=True):
    """Which deliveries."""

    state: DeliveryState | None = None


class Replayed(Struct, frozen=True):
    """How many events are sent again, each under its old id."""

    replayed: int


def check_webhook(rt: Runtime, new: NewWebhook) -> None:
    """Raises Problem (422). Asks a name server, so it is done outside of any transaction."""
    if wrong := wrong_url(new.url, rt.settings):
        raise invalid("url", wrong)
    if not rt.settings.is_sandbox and len(new.secret) < SAFE_SECRET:
        raise invalid("secret", "secret.short")


def add_webhook(call: Call[NewWebhook, Nothing]) -> WebhookAnswer:
    new, unit = call.body, call.unit
    events = list(dict.fromkeys(new.events))
    return _shown(
        handover.add_webhook(
            unit.tx, unit.vault, call.caller.provider, new.url, events, new.secret, unit.now
        )
    )


def list_webhooks(call: Call[None, Paged]) -> WebhookPage:
    after = pages.after(call.query.cursor)
    hooks = handover.webhooks(call.unit.tx, call.caller.provider)
    found = [hook for hook in hooks if after is None or hook.id > after]
    page, following = pages.cut(found, call.query.limit, lambda hook: str(hook.id))
    return WebhookPage([_shown(hook) for hook in page], following)


def drop_webhook(call: Call[None, Nothing]) -> None:
    unit = call.unit
    if not handover.drop_webhook(unit.tx, call.caller.provider, _id(call.path["id"]), unit.now):
        raise not_found()


def replay_webhook(call: Call[Since, Nothing]) -> Replayed:
    unit, provider, webhook = call.unit, call.caller.provider, _own(call)
    since = call.body.since or BEGINNING
    return Replayed(handover.replay(unit.tx, provider, webhook, since, unit.now))


def list_deliveries(call: Call[None, DeliveryQuery]) -> DeliveryPage:
    query = call.query
    found = delivery_log.page(
        call.unit.tx, _own(call), state=query.state, after=pages.after(query.cursor),
        limit=query.limit + 1,
    )  # fmt: skip
    page, following = pages.cut(found, query.limit, lambda one: str(one.event_id))
    return DeliveryPage([_logged(one) for one in page], following)


def wrong_url(url: str, settings: Settings) -> str | None:
    """The wording key of why events cannot be posted to `url`, or None. A public name that leads
    into a private network is found here; delivering looks again, because names move."""
    if _VISIBLE.fullmatch(url) is None or url_problem(url, allow_private=True):
        return "url.form"
    if not settings.is_sandbox and urlsplit(url).scheme != "https":
        return "url.https"
    if settings.webhooks.allow_private:
        return None
    try:
        addresses = resolve(httpx.URL(url), allow_private=True)
    except Blocked:
        return "url.unresolved"
    except httpx.InvalidURL:
        return "url.form"
    return None if all(is_public(address) for address in addresses) else "url.private"


def _id(spelled: str) -> UUID:
    found = as_id(spelled)
    if found is None:
        raise not_found()
    return found


def _own(call: Call[Any, Any]) -> UUID:
    """The webhook of the address, which is the caller's. Raises Problem (404)."""
    webhook = _id(call.path["id"])
    if webhook not in {h.id for h in handover.webhooks(call.unit.tx, call.caller.provider)}:
        raise not_found()
    return webhook


def _logged(one: Logged) -> DeliveryAnswer:
    return DeliveryAnswer(
        event=str(one.event_id),
        type=one.type,
        case=str(one.case_id),
        sequence=one.sequence,
        created_at=utc(one.created_at),
        state=one.state,  # type: ignore[arg-type]
        attempts=one.attempts,
        next_at=utc(one.next_at) if one.state == "due" else None,
        closed_at=utc_or_none(one.closed_at),
        last_status=one.last_status,
        last_error=one.last_error,
    )


def _shown(hook: Webhook) -> WebhookAnswer:
    return WebhookAnswer(str(hook.id), hook.url, list(hook.events), utc(hook.created_at))


_PROVIDER = (Scope.PROVIDER,)
_HOOK = WebhookAnswer(
    "019c1234-5678-7abc-8def-0123456789ab",
    "https://provider.example/jauap",
    ["offer.accepted", "offer.declined"],
    datetime(2026, 1, 31, 9, tzinfo=UTC),
)
_DELIVERY = DeliveryAnswer(
    "019c1234-5678-7abc-8def-0123456789ac", "offer.accepted", _HOOK.id, 7, _HOOK.created_at,
    "due", 1, _HOOK.created_at, None, 503, "answered 503",
)  # fmt: skip

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/webhooks",
        scopes=_PROVIDER,
        summary="Enter a webhook",
        before=check_webhook,
        handler=add_webhook,
        body=NewWebhook,
        answer=WebhookAnswer,
        status=201,
        body_example=NewWebhook(
            _HOOK.url, ["offer.accepted", "offer.declined"], "at-least-16-characters"
        ),
        answer_example=_HOOK,
        description=(
            "Every event is a POST with `Jauap-Signature: t=…,v1=HMAC-SHA256(secret, t + . + "
            "body)`; its body has an `id`, and a `sequence` that grows within a case. Any 2xx "
            "takes it."
        ),
    ),
    Endpoint(
        method="GET",
        path="/v1/webhooks",
        scopes=_PROVIDER,
        summary="List webhooks",
        handler=list_webhooks,
        query=Paged,
        answer=WebhookPage,
        answer_example=WebhookPage([_HOOK], None),
    ),
    Endpoint(
        method="DELETE",
        path="/v1/webhooks/{id}",
        scopes=_PROVIDER,
        summary="Take a webhook away",
        handler=drop_webhook,
        answer=None,
        status=204,
        errors=("not_found",),
    ),
    Endpoint(
        method="GET",
        path="/v1/webhooks/{id}/deliveries",
        scopes=_PROVIDER,
        summary="Read what became of every event",
        handler=list_deliveries,
        query=DeliveryQuery,
        answer=DeliveryPage,
        errors=("not_found",),
        answer_example=DeliveryPage([_DELIVERY], None),
    ),
    Endpoint(
        method="POST",
        path="/v1/webhooks/{id}/replay",
        scopes=_PROVIDER,
        summary="Send past events again",
        handler=replay_webhook,
        body=Since,
        body_optional=True,
        answer=Replayed,
        status=202,
        errors=("not_found",),
        body_example=Since(datetime(2026, 1, 31, 9, tzinfo=UTC)),
        answer_example=Replayed(3),
    ),
)
