"""What an offer rests on, for the first entry of its case: the acts with their editions of the day,
the gates that were passed, the phone without telling it (155/НҚ, clauses 2 and 3)."""

from typing import Any
from uuid import UUID

from app.calendar import local_date
from app.ledger.encryption import Vault
from app.ledger.unit import Unit
from app.proactive import rules
from app.proactive.records import Offer
from app.runtime import Runtime

BY_LAW = "155/НҚ"


def grounds(rt: Runtime, unit: Unit, offer: Offer) -> dict[str, Any]:
    """Facts of the law and of the offer on the day it is made."""
    day = local_date(unit.now)
    service = rt.catalogue.service(offer.service)
    return {
        "provider": offer.provider,
        "service": offer.service,
        "service_by_law": service.by_law,
        "service_edition": _edition(rt, service.by_law, unit),
        "by_law": BY_LAW,
        "edition": _edition(rt, BY_LAW, unit),
        "phone": phone_mark(unit.vault, offer.id, offer.phone_index),
        "gates": [gate.__name__ for gate in rules.GATES],
        "window_hours": service.window_on(day).total_seconds() / 3600,
    }


def _edition(rt: Runtime, by_law: str, unit: Unit) -> str | None:
    act = rt.catalogue.by_laws.get(by_law)
    edition = act.edition_on(local_date(unit.now)) if act else None
    return edition.act if edition else None


def phone_mark(vault: Vault, case_id: UUID, phone_index: bytes) -> str:
    """Equal for equal phones of one case, and telling nothing else: who answered is who was asked.
    Whoever holds the key can prove which phone it is."""
    return vault.index("case-phone", f"{case_id}{phone_index.hex()}").hex()
