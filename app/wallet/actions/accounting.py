"""Grants are accounted for as they are reported (214/НҚ, clause 5): once a source id, corrected by
new entries only, compared with a provider's file; and closed through another system only after the
wallet has told of the measure and has its account (clause 8)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.catalogue.model import Refusal
from app.ledger.ids import new_id
from app.ledger.journal import Chain
from app.ledger.unit import Unit
from app.recipients import records as recipients
from app.recipients.records import Recipient
from app.recipients.rules import check_iin
from app.runtime import Runtime
from app.wallet.grants import records
from app.wallet.grants.records import Grant
from app.wallet.notices import records as notices
from app.wallet.rules import accounting as rules
from app.wallet.rules.accounting import Account, FileRow

ACT = "214/НҚ"
NO_NOTICE: Final = Refusal("wallet_notice", "214:8", "gate.wallet_notice.missing")
NO_ACCOUNT: Final = Refusal("wallet_accounting", "214:8", "gate.wallet_accounting.missing")
MOST_SHOWN: Final = 1000
INSTANT: Final = timedelta(microseconds=1)
LATEST: Final = datetime.max.replace(tzinfo=UTC) - INSTANT


@dataclass(frozen=True, slots=True)
class Report:
    """A grant as a system reports it; `corrects` is the source id of the account it corrects."""

    measure: str
    iin: str
    source: str
    source_id: str
    granted_at: datetime
    amount: int | None = None
    kind: str | None = None
    corrects: str | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Accounted:
    """A grant that is in the books; `is_new`: since this very report."""

    grant: Grant
    is_new: bool


@dataclass(frozen=True, slots=True)
class Different:
    """The source id is in the books with other facts, which stay as they are."""

    grant: Grant
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field that is not as it should be, and the wording key of why."""

    field: str
    key: str


Outcome = Accounted | Different | Wrong


def account(rt: Runtime, unit: Unit, owner: str, reports: Sequence[Report]) -> list[Outcome]:
    """What became of each report, in order. Reporting the same again changes nothing."""
    wrong = {i: w for i, r in enumerate(reports) if (w := _wrong(rt, unit, r)) is not None}
    sound = [r for i, r in enumerate(reports) if i not in wrong]
    keys = [(r.source, r.source_id) for r in sound]
    keys += [(r.source, r.corrects) for r in sound if r.corrects is not None]
    records.lock(unit.tx, owner, keys)
    known = records.by_source(unit.tx, owner, keys)
    people = _people(unit, [r.iin for r in sound])
    told = _told(unit, sound, people)
    new: list[Grant] = []
    done: list[Outcome] = []
    for i, report in enumerate(reports):
        if i in wrong:
            done.append(wrong[i])
            continue
        person = people[report.iin]
        one = _enter(unit, owner, report, person, known, told.get((report.measure, person.id)))
        if isinstance(one, Accounted) and one.is_new:
            new.append(one.grant)
            known[report.source, report.source_id] = one.grant
        done.append(one)
    records.insert(unit.tx, new)
    return done


def _wrong(rt: Runtime, unit: Unit, report: Report) -> Wrong | None:
    if key := check_iin(report.iin):
        return Wrong("iin", key)
    if rt.catalogue.find_measure(report.measure) is None:
        return Wrong("measure", "measure")
    if report.granted_at > unit.now:
        return Wrong("granted_at", "past")
    if report.amount is None and report.kind is None and not report.cancelled:
        return Wrong("amount", "grant.what")
    if report.corrects == report.source_id or (report.cancelled and report.corrects is None):
        return Wrong("corrects", "grant.corrects")
    return None


def _people(unit: Unit, iins: Sequence[str]) -> dict[str, Recipient]:
    people = recipients.by_iin(unit.tx, unit.vault, list(dict.fromkeys(iins)))
    unknown = sorted(set(iins) - people.keys())
    recipients.ensure(unit.tx, unit.vault, unknown, unit.now)
    return {**people, **(recipients.by_iin(unit.tx, unit.vault, unknown) if unknown else {})}


def _told(
    unit: Unit, reports: Sequence[Report], people: dict[str, Recipient]
) -> dict[tuple[str, UUID], UUID]:
    """By (measure, person), the latest notice that told them of it."""
    by_measure: dict[str, set[UUID]] = {}
    for report in reports:
        by_measure.setdefault(report.measure, set()).add(people[report.iin].id)
    return {
        (measure, person): notice
        for measure, ids in by_measure.items()
        for person, notice in notices.told(unit.tx, measure, sorted(ids)).items()
    }


def _enter(
    unit: Unit, owner: str, report: Report, person: Recipient,
    known: dict[tuple[str, str], Grant], notice_id: UUID | None,
) -> Outcome:  # fmt: skip
    index = unit.vault.index("iin", report.iin)
    theirs = Account(
        report.measure, index, report.amount, report.kind, report.granted_at, report.cancelled
    )
    first = None if report.corrects is None else known.get((report.source, report.corrects))
    if report.corrects is not None and first is None:
        return Wrong("corrects", "grant.corrects")
    first_id = None if first is None else first.corrects or first.id
    there = known.get((report.source, report.source_id))
    if there is not None:
        fields = rules.differences(account_of(there), theirs)
        if there.corrects != first_id:
            fields = (*fields, "corrects")
        return Different(there, fields) if fields else Accounted(there, False)
    grant_id = new_id(unit.now)
    grant = Grant(
        grant_id, owner, report.source, report.source_id, report.measure, person.id, index,
        report.kind, report.amount, report.granted_at, report.cancelled, first_id, notice_id,
        Chain(grant_id), unit.now,
    )  # fmt: skip
    _write_down(unit, grant)
    return Accounted(grant, True)


def _write_down(unit: Unit, grant: Grant) -> None:
    kind = "recorded" if grant.corrects is None else "corrected"
    unit.journal.append(
        grant.chain, kind, unit.now, by_law=ACT, clause="214:5", owner=grant.owner,
        source=grant.source, source_id=grant.source_id, measure=grant.measure,
        recipient=grant.recipient_id, amount=rules.tenge_of(grant.amount), what=grant.kind,
        granted_at=grant.granted_at, corrects=grant.corrects, cancelled=grant.is_cancelled,
        notice=grant.notice_id,
    )  # fmt: skip
    tell(unit, grant, kind)


def tell(unit: Unit, grant: Grant, what: str) -> None:
    """Hands over that a grant was recorded, corrected or used, and tells the person's app."""
    unit.handover.add(
        unit.now, grant.id, grant.chain.version, grant.owner, f"grant.{what}", public(grant)
    )
    known = {
        "id": grant.id, "measure": grant.measure, "granted_at": grant.granted_at,
        "corrects": grant.corrects, "cancelled": grant.is_cancelled,
    }  # fmt: skip
    kind = f"grant.{what}"
    unit.feed.add(grant.recipient_id, grant.id, lambda: (kind, {"type": kind, "grant": known}))


def public(grant: Grant) -> dict[str, Any]:
    """An account as its owner sees it; nothing personal."""
    return {
        "id": grant.id,
        "source": grant.source,
        "source_id": grant.source_id,
        "measure": grant.measure,
        "amount": rules.tenge_of(grant.amount),
        "kind": grant.kind,
        "granted_at": grant.granted_at,
        "corrects": grant.corrects,
        "cancelled": grant.is_cancelled,
        "notice": grant.notice_id,
    }


def account_of(grant: Grant) -> Account:
    """What an entry says."""
    return Account(
        grant.measure, grant.iin_index, grant.amount, grant.kind, grant.granted_at,
        grant.is_cancelled,
    )  # fmt: skip


def use(unit: Unit, owner: str, source: str, source_id: str, at: datetime) -> Grant | Wrong:
    """Notes that what was granted was used; again changes nothing."""
    found = records.by_source(unit.tx, owner, [(source, source_id)]).get((source, source_id))
    if found is None or found.corrects is not None or _stands(unit, found).is_cancelled:
        return Wrong("source_id", "grant.corrects")
    if at > unit.now or at < found.granted_at:
        return Wrong("used_at", "past" if at > unit.now else "dates.order")
    if records.use(unit.tx, found.id, at, unit.now):
        chain = Chain(new_id(unit.now))
        unit.journal.append(chain, "grant-used", unit.now, grant=found.id, used_at=at)
        unit.handover.add(
            unit.now, chain.case_id, 1, owner, "grant.used", public(found) | {"used_at": at}
        )
    return records.by_source(unit.tx, owner, [(source, source_id)])[source, source_id]


def _stands(unit: Unit, grant: Grant) -> Grant:
    first = grant.corrects or grant.id
    return records.current(unit.tx, [first])[first]


@dataclass(frozen=True, slots=True)
class Closing:
    """A rendering through another system that could be closed: its notice and its account."""

    id: UUID
    closed_at: datetime
    notice_id: UUID
    grant_id: UUID


def close(
    rt: Runtime, unit: Unit, owner: str, measure: str, iin: str, source: str, source_id: str
) -> Closing | Refusal | Wrong:
    """Closes a rendering through another system; refused (clause 8) without a notice through the
    wallet or its account there. Again changes nothing."""
    if key := check_iin(iin):
        return Wrong("iin", key)
    if rt.catalogue.find_measure(measure) is None:
        return Wrong("measure", "measure")
    people = recipients.by_iin(unit.tx, unit.vault, [iin])
    person = people.get(iin)
    told = {} if person is None else notices.told(unit.tx, measure, [person.id])
    if person is None or person.id not in told:
        return NO_NOTICE
    records.lock(unit.tx, owner, [(source, source_id)])
    grant = records.by_source(unit.tx, owner, [(source, source_id)]).get((source, source_id))
    stands = None if grant is None else _stands(unit, grant)
    fits = stands is not None and (stands.measure, stands.recipient_id) == (measure, person.id)
    if grant is None or stands is None or not fits or stands.is_cancelled:
        return NO_ACCOUNT
    chain = Chain(new_id(unit.now))
    before = records.closed(unit.tx, owner, source, source_id)
    if before is None:
        unit.journal.append(
            chain, "closed", unit.now, clause="214:8", owner=owner, source=source,
            source_id=source_id, measure=measure, notice=told[person.id], grant=grant.id,
        )  # fmt: skip
        values = {
            "owner": owner, "source": source, "source_id": source_id, "measure": measure,
            "recipient_id": person.id, "notice_id": told[person.id], "grant_id": grant.id,
        }  # fmt: skip
        records.close(unit.tx, chain, values, unit.now)
        return Closing(chain.case_id, unit.now, told[person.id], grant.id)
    return Closing(before.id, before.created_at, before.notice_id, before.grant_id)


@dataclass(slots=True)
class Reconciled:
    """A provider's file beside the books: how many rows agree, and which do not."""

    rows: int = 0
    matched: int = 0
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    missing_here: list[str] = field(default_factory=list)
    missing_there: list[str] = field(default_factory=list)
    different: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


def reconcile(
    unit: Unit, owner: str, source: str, rows: Iterable[FileRow], measure: str | None,
    since: datetime | None, until: datetime | None,
) -> Reconciled:  # fmt: skip
    """Compares a file with the books as they stand after corrections; a row may name a grant by
    its first source id or by that of any correction. Without `since` and `until` the books are
    asked about the time from the file's first grant to its last."""
    done, read = Reconciled(), list(rows)
    done.rows = len(read)
    done.unreadable = [(r.number, r.fault) for r in read if r.fault is not None]
    sound = [(r, r.granted_at) for r in read if r.fault is None and r.granted_at is not None]
    known = records.by_source(unit.tx, owner, [(source, r.source_id) for r, _ in sound])
    firsts = {key: grant.corrects or grant.id for key, grant in known.items()}
    stand = records.current(unit.tx, list(set(firsts.values())))
    for row, at in sound:
        ours = (
            stand.get(firsts[source, row.source_id]) if (source, row.source_id) in firsts else None
        )
        _compare(unit, done, row, at, ours)
    begin = since or min((at for _, at in sound), default=None)
    end = until or max((min(at, LATEST) + INSTANT for _, at in sound), default=None)
    if begin is not None and end is not None:
        done.missing_there = records.of_period(
            unit.tx, owner, source, measure, begin, end, list(stand)
        )
    return done


def _compare(unit: Unit, done: Reconciled, row: FileRow, at: datetime, ours: Grant | None) -> None:
    if ours is None:
        done.missing_here.append(row.source_id)
        return
    theirs = Account(row.measure, unit.vault.index("iin", row.iin), row.amount, row.kind, at)
    fields = rules.differences(account_of(ours), theirs)
    if fields:
        done.different.append((row.source_id, fields))
    else:
        done.matched += 1
