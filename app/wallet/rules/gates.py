"""The gates before a notice is made: one fact, one clause, one answer each (214/НҚ)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.catalogue.model import Measure, RecipientKind, Refusal

INDIVIDUAL: Final = RecipientKind.INDIVIDUAL.value
ORGANISATION: Final = RecipientKind.LEGAL_ENTITY.value
OF_ORGANISATIONS: Final = frozenset("456")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gates look at. A decision may be told of a measure that is over by now."""

    measure: Measure | None
    capacity: str
    is_decision: bool = False


Gate = Callable[[Facts, date], Refusal | None]


def measure_known(facts: Facts, day: date) -> Refusal | None:
    """Clause 2(3): it is a measure of support by the legislation, as the catalogue has it."""
    if facts.measure is None:
        return Refusal("measure_known", "214:2", "gate.measure_known.missing")
    return None


def measure_in_force(facts: Facts, day: date) -> Refusal | None:
    """Clause 3: what is offered is in force on this day in Almaty."""
    if facts.measure is not None and not facts.is_decision and not facts.measure.is_in_force(day):
        return Refusal("measure_in_force", "214:3", "gate.measure_in_force.not-today")
    return None


def individual(facts: Facts, day: date) -> Refusal | None:
    """Clause 2(3): individuals only, no sole entrepreneurs, private practitioners or legal
    consultants as such, and no organisations."""
    if facts.capacity != INDIVIDUAL:
        return Refusal("recipient_kind", "214:2", "gate.recipient_kind.not-individual")
    return None


GATES: Final[tuple[Gate, ...]] = (measure_known, measure_in_force, individual)


def judge(facts: Facts, day: date) -> Refusal | None:
    """The first gate that refuses on that day in Almaty, or None."""
    return next((refusal for gate in GATES if (refusal := gate(facts, day))), None)


def capacity_of(iin: str, said: str, register: str) -> str:
    """In what capacity somebody is spoken to: as the provider `said`, unless the number is that of
    an organisation (its fifth digit is 4, 5 or 6) or the register knows better."""
    if said != INDIVIDUAL:
        return said
    return ORGANISATION if iin[4:5] in OF_ORGANISATIONS else register
