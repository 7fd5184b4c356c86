"""What the wallet says: measures in words, notices by SMS and in the cabinet, events."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.catalogue.model import Bilingual, Catalogue, Measure
from app.ledger.unit import Unit
from app.runtime import Runtime
from app.wallet.notices.records import Kind, Notice, Sms, open_words
from dialogs.engine.model import Screen, Value
from dialogs.engine.render import sms
from dialogs.engine.wording import BOTH

ROOM = "wallet"
DIALOG = "measure"
KEYS = {Kind.OFFER: "notice", Kind.DATA: "data-notice"}
BY_SMS = "{}-by-sms"  # said by SMS where nothing of it stands in the cabinet
PREFIX = {Kind.OFFER: "notice", Kind.DATA: "notice", Kind.DECISION: "decision"}


def measure_values(catalogue: Catalogue, code: str) -> dict[str, Value]:
    """The values the wordings of a measure may use; of one that left the catalogue, its code."""
    measure = catalogue.find_measure(code)
    if measure is None:
        return {"measure": code, "provider": "–", "criteria": "–"}
    return {
        "measure": _each(measure.short),
        "provider": _each(measure.provider.name),
        "criteria": _each(measure.criteria),
    }


def label_of(measure: Measure | None, code: str, language: str) -> str:
    """The short name of a measure."""
    return code if measure is None else measure.short.of(language)


def _each(text: Bilingual) -> Mapping[str, str]:
    return {"kk": text.kk, "ru": text.ru}


def screen_of(catalogue: Catalogue, notice: Notice) -> Screen:
    """The screen that tells of a notice."""
    key = KEYS.get(notice.kind) or notice.decision or ""
    return Screen(DIALOG, key, measure_values(catalogue, notice.measure))


def phone_screen_of(catalogue: Catalogue, notice: Notice) -> Screen:
    """The same for a phone: it points to the cabinet only where something stands there."""
    screen = screen_of(catalogue, notice)
    alone = notice.placed_at is None and notice.kind in KEYS
    return replace(screen, key=BY_SMS.format(screen.key)) if alone else screen


def sms_of(rt: Runtime, notice: Notice) -> tuple[str, str]:
    """The SMS of a notice: the kind of its wording, and its text."""
    screen = phone_screen_of(rt.catalogue, notice)
    body = sms(rt.words, screen, notice.language or BOTH)
    return f"{screen.dialog}.{screen.key}", body


def body_of(rt: Runtime, unit: Unit, notice: Notice, language: str | None) -> str:
    """A notice as it stands in the cabinet, with the words of whoever decided."""
    screen = screen_of(rt.catalogue, notice)
    spoken = language or notice.language or BOTH
    body = rt.words.text(screen, spoken, surface="mobile")
    words = open_words(unit.vault, notice)
    return body if words is None else f"{body}\n{words}"


def public(notice: Notice) -> dict[str, Any]:
    """A notice as its provider sees it; nothing personal."""
    return {
        "id": notice.id,
        "kind": notice.kind,
        "reference": notice.reference,
        "measure": notice.measure,
        "decision": notice.decision,
        "created_at": notice.created_at,
        "counted_from": notice.counted_from,
        "deadline": notice.deadline,
        "placed_at": notice.placed_at,
        "sms": notice.sms,
        "sms_sent_at": notice.sms_sent_at,
        "sms_delivered_at": notice.sms_delivered_at,
        "served_at": notice.served_at,
        "read_at": notice.read_at,
    }


def for_recipient(notice: Notice) -> tuple[str, dict[str, Any]] | None:
    """What a person's app is told: that there is a notice in the cabinet."""
    if notice.placed_at is None:
        return None
    what = "read" if notice.read_at else "placed"
    known = {"id": notice.id, "kind": notice.kind, "measure": notice.measure}
    return f"notice.{what}", {"type": f"notice.{what}", "notice": known}


def tell_provider(unit: Unit, notice: Notice, what: str) -> None:
    """Hands over that a notice was placed, sent, delivered … ("notice.placed"; of a decision,
    "decision.placed"). Numbered by the journal: at most one event an entry."""
    unit.handover.add(
        unit.now, notice.id, notice.chain.version, notice.provider,
        f"{PREFIX[notice.kind]}.{what}", public(notice),
    )  # fmt: skip


def close_if_done(unit: Unit, notice: Notice) -> None:
    """A notice is over when its term was kept and no SMS of it is under way."""
    if notice.served_at is not None and notice.sms not in (Sms.WAITING, Sms.SENT):
        notice.closed_at = notice.closed_at or unit.now
