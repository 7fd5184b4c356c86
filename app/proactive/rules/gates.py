"""The gates of 155/НҚ before an offer is made, and again before it is sent: one fact, one clause,
one answer each. They judge facts gathered elsewhere and decide nothing about the reply.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.calendar import local_date
from app.catalogue.model import RecipientKind, Refusal, Service


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the gates look at. Times are aware; None means that the register has no such fact.
    `phone_kind` is a word of `recipients.rules.PhoneKind`; None means no phone is known."""

    service: Service | None
    recipient_kind: RecipientKind
    phone_kind: str | None
    phone_registered_at: datetime | None
    consent_given_at: datetime | None
    consent_valid_until: datetime | None = None
    consent_revoked_at: datetime | None = None
    sms_enabled: bool = True
    open_offer_exists: bool = False  # of the same service to the same recipient
    network_has_receipts: bool = True


Gate = Callable[[Facts, datetime], Refusal | None]


def service_proactive(facts: Facts, now: datetime) -> Refusal | None:
    """155/НҚ, clause 2(1): the service is one that is rendered without an application."""
    if facts.service is None:
        return Refusal("service_proactive", "155:2", "gate.service_proactive.unknown")
    if not facts.service.is_proactive:
        return Refusal("service_proactive", "155:2", "gate.service_proactive.on-application")
    return None


def service_in_force(facts: Facts, now: datetime) -> Refusal | None:
    """155/НҚ, clause 5: the service's by-law allows it on this day in Almaty."""
    if facts.service is None or not facts.service.is_in_force(local_date(now)):
        return Refusal("service_in_force", "155:5", "gate.service_in_force.not-today")
    return None


def recipient_kind(facts: Facts, now: datetime) -> Refusal | None:
    """155/НҚ, clause 2(3): no state bodies, and only the kinds this service is for."""
    if facts.recipient_kind is RecipientKind.STATE_BODY:
        return Refusal("recipient_kind", "155:2", "gate.recipient_kind.state-body")
    if facts.service is None or facts.recipient_kind not in facts.service.recipient_kinds:
        return Refusal("recipient_kind", "155:2", "gate.recipient_kind.not-this-service")
    return None


def phone_registered(facts: Facts, now: datetime) -> Refusal | None:
    """155/НҚ, clause 3: the phone is registered on the e-government portal."""
    if facts.phone_registered_at is None or facts.phone_registered_at > now:
        return Refusal("phone_registered", "155:3", "gate.phone_registered.missing")
    return None


def consent_given(facts: Facts, now: datetime) -> Refusal | None:
    """155/НҚ, clause 3: consent to personal data, got through the access control service."""
    if facts.consent_given_at is None or facts.consent_given_at > now:
        return Refusal("consent_given", "155:3", "gate.consent_given.missing")
    if facts.consent_revoked_at is not None and facts.consent_revoked_at <= now:
        return Refusal("consent_given", "155:3", "gate.consent_given.revoked")
    if facts.consent_valid_until is not None and facts.consent_valid_until <= now:
        return Refusal("consent_given", "155:3", "gate.consent_given.ended")
    return None


def phone_reachable(facts: Facts, now: datetime) -> Refusal | None:
    """155/НҚ, clause 4: the 24 hours need a proven receipt, so a mobile phone that takes our SMS
    on a network that reports delivery."""
    if facts.phone_kind != "mobile":
        return Refusal("phone_reachable", "155:4", "gate.phone_reachable.not-mobile")
    if not facts.sms_enabled:
        return Refusal("phone_reachable", "155:4", "gate.phone_reachable.sms-off")
    if not facts.network_has_receipts:
        return Refusal("phone_reachable", "155:4", "gate.phone_reachable.no-receipts")
    return None


def already_open(facts: Facts, now: datetime) -> Refusal | None:
    """155/НҚ, clause 4: an offer lives until its window closes; its twin would ask twice."""
    if facts.open_offer_exists:
        return Refusal("already_open", "155:4", "gate.already_open.same-service")
    return None


GATES: Final[tuple[Gate, ...]] = (
    service_proactive,
    service_in_force,
    recipient_kind,
    phone_registered,
    consent_given,
    phone_reachable,
    already_open,
)


def judge(facts: Facts, now: datetime) -> Refusal | None:
    """The first gate that refuses, or None where an offer may be made."""
    return next((refusal for gate in GATES if (refusal := gate(facts, now))), None)


def judge_all(facts: Facts, now: datetime) -> tuple[Refusal, ...]:
    """Every gate that refuses, in order: for the case file and the contact centre. An unknown
    service is told once, not by each gate that would have looked at it."""
    refusals = tuple(refusal for gate in GATES if (refusal := gate(facts, now)))
    if facts.service is None:
        return tuple(r for r in refusals if r.gate not in ("service_in_force", "recipient_kind"))
    return refusals
