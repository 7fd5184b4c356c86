"""What a recipient would read, before anything is offered: every screen of an offer in both
languages, by SMS, by USSD and in the app, with what it costs in segments.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from app.api.problems import invalid
from app.api.routing import Call, Endpoint, Nothing
from app.api.values import Language
from app.catalogue.model import Service
from app.ledger.keys import Scope
from app.proactive.actions.saying import DIALOG
from app.proactive.actions.sweeping import branch_values
from app.proactive.making.api import Service as Code
from app.runtime import Runtime
from dialogs import every
from dialogs.engine.model import Dialog, Screen, Value
from dialogs.engine.render import mobile, segments, sms, units, ussd
from dialogs.engine.wording import BOTH

Surface = Literal["sms", "ussd", "app"]
Shown = Literal["kk", "ru", "both"]
NOTICES = (
    "accepted", "declined", "expired", "withdrawn", "revoked", "late", "already", "rendered",
    "refused",
)  # fmt: skip
ON_USSD = frozenset({"ask", "accepted", "declined", "expired"})


class Preview(Struct, frozen=True, forbid_unknown_fields=True):
    """Which service; one language and surface, or all of them."""

    service: Code
    language: Language | None = None
    surface: Surface | None = None


class PreviewedScreen(Struct, frozen=True):
    """One screen as it would be read. `units` are characters as an SMS counts them, `segments`
    what an SMS is paid by; null where nothing is paid. `both`: for whom no language is known."""

    screen: str
    language: Shown
    surface: Surface
    body: str
    choices: list[str]
    units: int
    segments: int | None


class Previews(Struct, frozen=True):
    """The screens of an offer: the question, then how it may end."""

    service: str
    items: list[PreviewedScreen]


def preview(call: Call[Preview, Nothing]) -> Previews:
    wanted, service = call.body, call.rt.catalogue.find_service(call.body.service)
    if service is None:
        raise invalid("service", "service")
    items = [
        shown
        for shown in _screens(call.rt, service, branch_values(call.rt, service, call.unit.now))
        if wanted.language in (None, shown.language) and wanted.surface in (None, shown.surface)
    ]
    return Previews(wanted.service, items)


def _screens(
    rt: Runtime, service: Service, branch: Mapping[str, Value]
) -> Iterator[PreviewedScreen]:
    dialog = every.dialog(DIALOG)
    values: dict[str, Value] = {"service": {"kk": service.short.kk, "ru": service.short.ru}}
    values |= branch
    values["answer"] = rt.words.each(DIALOG, "answer.yes")
    for key in (dialog.start, *NOTICES):
        for language in ("kk", "ru", BOTH):
            yield from _surfaces(rt, dialog, Screen(DIALOG, key), language, values)


def _surfaces(
    rt: Runtime, dialog: Dialog, screen: Screen, language: str, values: Mapping[str, Value]
) -> Iterator[PreviewedScreen]:
    spoken: Shown = "both" if language == BOTH else language  # type: ignore[assignment]
    text = sms(rt.words, screen, language, values)
    yield PreviewedScreen(screen.key, spoken, "sms", text, [], units(text), segments(text))
    if screen.key in ON_USSD and language != BOTH:
        page = ussd(rt.words, dialog, screen, language, values)
        yield PreviewedScreen(screen.key, spoken, "ussd", page, [], units(page), None)
    card = mobile(rt.words, dialog, screen, language, values)
    labels = [choice["label"] for choice in card["choices"]]
    yield PreviewedScreen(
        screen.key, spoken, "app", card["body"], labels, units(card["body"]), None
    )


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/previews",
        scopes=(Scope.PROVIDER,),
        summary="See what a recipient would read, and what it costs",
        handler=preview,
        body=Preview,
        answer=Previews,
        body_example=Preview("birth-benefit", "kk", "sms"),
        answer_example=Previews(
            "birth-benefit",
            [PreviewedScreen("ask", "kk", "sms", "… Иә – 1, жоқ – 2.", [], 132, 2)],
        ),
        description="Nothing is made and nothing leaves.",
    ),
)
