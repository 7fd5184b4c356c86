"""Other systems: they are entered with what binds them, read changes by cursor, and report grants,
whose disagreements are kept (214/НҚ, clauses 9 and 10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from app.conversation.inbox import Figure
from app.ledger import feed
from app.ledger.encryption import Vault
from app.ledger.engine import Tx
from app.ledger.feed import Item, Place
from app.ledger.ids import new_id
from app.ledger.journal import Chain
from app.ledger.unit import Unit
from app.runtime import Runtime
from app.wallet.actions.accounting import Different, Outcome
from app.wallet.rules import agreements
from app.wallet.rules.agreements import Class, Terms
from app.wallet.systems import records
from app.wallet.systems.records import Conflict, System

SUBJECTS: Final = ("notice", "consent", "grant")
Seen = tuple[Item, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed in the wallet: its kind, its facts, and whom it concerns."""

    place: Place
    kind: str
    facts: Mapping[str, Any]
    iin: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes in the order of their commits, and where to read on."""

    items: Sequence[Change]
    through: Place


def enter(
    unit: Unit, code: str, names: tuple[str, str], kind: Class, agreement: str | None,
    measures: Sequence[str], last_day: date | None,
) -> System:  # fmt: skip
    """Enters a system, or changes what binds it; each change is a line of its journal."""
    known = records.one(unit.tx, code, locked=True)
    chain = Chain(new_id(unit.now)) if known is None else known.chain
    end = None if last_day is None else agreements.ends_at(last_day)
    unit.journal.append(
        chain, "entered" if known is None else "changed", unit.now, code=code, kind=kind,
        agreement=agreement, measures=list(measures), last_day=last_day, ends_at=end,
        clause="214:10" if kind is Class.THIRD else "214:9",
    )  # fmt: skip
    system = System(
        code, chain.case_id, names[0], names[1], kind, agreement, tuple(measures), last_day, end,
        chain, unit.now if known is None else known.created_at, unit.now,
    )  # fmt: skip
    records.save(unit.tx, system)
    return system


def terms_of(tx: Tx, code: str) -> Terms | None:
    """What binds the system whose keys these are; None: it was never entered."""
    found = records.one(tx, code)
    return None if found is None else Terms(Class(found.kind), found.measures, found.ends_at)


def keep_conflicts(unit: Unit, owner: str, outcomes: Sequence[Outcome]) -> None:
    """Keeps what did not agree, for both sides to look at."""
    for one in outcomes:
        if isinstance(one, Different):
            grant = one.grant
            conflict = Conflict(
                new_id(unit.now), grant.source, grant.source_id, grant.id, one.fields, unit.now
            )
            records.keep_conflict(unit.tx, owner, conflict)


def changes(unit: Unit, terms: Terms, after: Place, limit: int) -> Changes:
    """What changed after `after` in the measures a system may see. A page may be empty and yet
    lead on; to third systems only of people whose consent to the processing of data stands, and
    that it was taken back."""
    found = feed.after(unit.tx, after, limit)
    seen = [
        (item, facts)
        for item in found.items
        if (facts := _about(item)) is not None
        and agreements.may(terms, str(facts["measure"]), unit.now, writes=False) is None
    ]
    if terms.kind is Class.THIRD:
        seen = _consented(unit.tx, seen)
    iins = _iins(unit.tx, unit.vault, [item.recipient_id for item, _ in seen])
    said = records.answers(
        unit.tx, [UUID(facts["id"]) for item, facts in seen if _is_consent(item)]
    )
    items = [
        Change(
            item.place, item.kind, facts | said.get(UUID(facts["id"]), {}), iins[item.recipient_id]
        )
        for item, facts in seen
        if item.recipient_id in iins
    ]
    return Changes(items, found.through)


def _consented(tx: Tx, seen: Sequence[Seen]) -> list[Seen]:
    pairs = [(item.recipient_id, str(facts["measure"])) for item, facts in seen]
    stands = records.consented(tx, pairs)
    return [
        one
        for one, pair in zip(seen, pairs, strict=True)
        if stands.get(pair) or (pair in stands and _is_consent(one[0]))
    ]


def _is_consent(item: Item) -> bool:
    return item.kind.startswith("consent.")


def _about(item: Item) -> dict[str, Any] | None:
    """The facts of a change that is the wallet's."""
    subject = item.kind.partition(".")[0]
    if subject not in SUBJECTS:
        return None
    facts: dict[str, Any] | None = msgspec.json.decode(item.body).get(subject)
    return facts if facts is not None and "measure" in facts else None


def _iins(tx: Tx, vault: Vault, people: Sequence[UUID]) -> dict[UUID, str]:
    sealed = records.sealed_iins(tx, sorted(set(people)))
    return {one: vault.open(octets, index).decode() for one, (index, octets) in sealed.items()}


def figures(tx: Tx, now: datetime) -> list[Figure]:
    """How many agreements are about to end, or have: the warning before."""
    counted = {"open": 0, "ending": 0, "ended": 0}
    for system in records.every(tx):
        counted[agreements.standing(system.ends_at, now)] += 1
    words = "Agreements of other systems with the wallet (214/НҚ, clause 10)."
    return [Figure("wallet_agreements", words, "term", counted)]


def warn(rt: Runtime) -> int:
    """Tells systems, once, that their agreement ends within thirty days. Returns how many."""
    with rt.unit() as unit:
        found = records.ending(unit.tx, unit.now, unit.now + agreements.WARN)
        for system in found:
            unit.journal.append(
                system.chain, "ending", unit.now, clause="214:10", agreement=system.agreement,
                last_day=system.last_day, ends_at=system.ends_at,
            )  # fmt: skip
            records.save(unit.tx, system)
            body = {
                "id": system.id, "code": system.code, "agreement": system.agreement,
                "last_day": system.last_day, "ends_at": system.ends_at,
            }  # fmt: skip
            unit.handover.add(
                unit.now, system.id, system.chain.version, system.code, "agreement.ending", body
            )
        return len(found)


def days_left(system: System, today: date) -> int | None:
    """How many days an agreement still has, its last one included; 0 when it is over."""
    return None if system.last_day is None else max(0, (system.last_day - today).days + 1)
