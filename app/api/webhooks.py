"""Where a provider wants to be told: webhooks are entered, listed, taken away and replayed here.
Delivering to them is the worker's."""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from msgspec import Meta, Struct

from app.api import pages
from app.api.pages import Paged
from app.api.problems import invalid, not_found
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import Moment, utc
from app.ledger import handover
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
    unit, provider = call.unit, call.caller.provider
    webhook = _id(call.path["id"])
    if webhook not in {hook.id for hook in handover.webhooks(unit.tx, provider)}:
        raise not_found()
    since = call.body.since or BEGINNING
    return Replayed(handover.replay(unit.tx, provider, webhook, since, unit.now))


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


def _shown(hook: Webhook) -> WebhookAnswer:
    return WebhookAnswer(str(hook.id), hook.url, list(hook.events), utc(hook.created_at))


_PROVIDER = (Scope.PROVIDER,)
_HOOK = WebhookAnswer(
    "019c1234-5678-7abc-8def-0123456789ab",
    "https://provider.example/jauap",
    ["offer.accepted", "offer.declined"],
    datetime(2026, 1, 31, 9, tzinfo=UTC),
)

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
