"""The table of other systems with their agreements, what did not agree, and what exchange asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.ledger.engine import Row, Tx, sql
from app.ledger.journal import Chain


@dataclass(slots=True)
class System:
    """Another object of informatisation; `code` owns its keys, `chain` is its journal."""

    code: str
    id: UUID
    name_kk: str
    name_ru: str
    kind: str
    agreement: str | None
    measures: tuple[str, ...]
    last_day: date | None
    ends_at: datetime | None
    chain: Chain
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Conflict:
    """A report that did not agree with the books: in which fields, and when it came."""

    id: UUID
    source: str
    source_id: str
    grant_id: UUID
    fields: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much a system has exchanged: accounts, open conflicts, when it reported last; its keys
    by name and whether they still open."""

    accounts: int
    conflicts: int
    last_at: datetime | None
    keys: tuple[tuple[str, tuple[str, ...], datetime, datetime | None], ...]


_COLUMNS = """code, id, name_kk, name_ru, class{}, agreement, measures, last_day, ends_at,
    version, head, created_at, updated_at"""
_READ = _COLUMNS.format(" AS kind")
_ALL = sql(f"SELECT {_READ} FROM wallet_systems ORDER BY code")
_ONE = sql(f"SELECT {_READ} FROM wallet_systems WHERE code = :code")
_LOCKED = sql(f"SELECT {_READ} FROM wallet_systems WHERE code = :code FOR UPDATE")
# Whoever enters or changes a system waits here, also where there is no row yet.
_WAIT = sql("SELECT pg_advisory_xact_lock(214, 1024 + (hashtext(:code) & 1023))")
# About to end, and not told so: that would be the last entry of their journal.
_ENDING = sql(
    f"""SELECT {_READ} FROM wallet_systems s WHERE ends_at > :now AND ends_at <= :until
      AND NOT EXISTS (SELECT FROM journal j WHERE j.case_id = s.id AND j.seq = s.version
        AND j.kind = 'ending')
    ORDER BY code FOR UPDATE SKIP LOCKED"""
)
_SAVE = sql(
    f"""INSERT INTO wallet_systems ({_COLUMNS.format("")})
    VALUES (:code, :id, :name_kk, :name_ru, :kind, :agreement, CAST(:measures AS text[]),
        :last_day, :ends_at, :version, :head, :created_at, :updated_at)
    ON CONFLICT (code) DO UPDATE SET name_kk = excluded.name_kk, name_ru = excluded.name_ru,
        class = excluded.class, agreement = excluded.agreement, measures = excluded.measures,
        last_day = excluded.last_day, ends_at = excluded.ends_at, version = excluded.version,
        head = excluded.head, updated_at = excluded.updated_at"""
)
# Sending the same again adds nothing: accounting holds this source id until the transaction ends.
_CONFLICT = sql(
    """INSERT INTO wallet_conflicts (id, owner, source, source_id, grant_id, fields, created_at)
    SELECT :id, :owner, :source, :source_id, :grant_id, CAST(:fields AS text[]), :now
    WHERE NOT EXISTS (SELECT FROM wallet_conflicts WHERE owner = :owner AND grant_id = :grant_id
        AND fields = CAST(:fields AS text[]))"""
)
_CONFLICTS = sql(
    """SELECT id, source, source_id, grant_id, fields, created_at FROM wallet_conflicts
    WHERE (CAST(:owner AS text) IS NULL OR owner = :owner)
      AND (CAST(:after AS uuid) IS NULL OR id < :after)
    ORDER BY id DESC LIMIT :limit"""
)
_TRAFFIC = sql(
    """SELECT (SELECT count(*) FROM wallet_grants WHERE owner = :code) AS accounts,
        (SELECT count(*) FROM wallet_conflicts WHERE owner = :code) AS conflicts,
        (SELECT max(created_at) FROM wallet_grants WHERE owner = :code) AS last_at"""
)
_KEYS = sql(
    """SELECT name, scopes, created_at, revoked_at FROM api_keys WHERE provider = :code
    ORDER BY id"""
)
_IINS = sql("""SELECT id, iin_index, iin FROM recipients WHERE id = ANY(CAST(:ids AS uuid[]))""")
_CONSENTED = sql(
    """SELECT c.recipient_id, c.measure, bool_or(c.data_withdrawn_at IS NULL) AS stands
    FROM wallet_consents c
    JOIN unnest(CAST(:ids AS uuid[]), CAST(:measures AS text[])) AS t (id, measure)
        ON t.id = c.recipient_id AND t.measure = c.measure
    WHERE c.data = 'given' GROUP BY c.recipient_id, c.measure"""
)
_ANSWERS = sql(
    """SELECT id, CASE WHEN data_withdrawn_at IS NULL THEN data ELSE 'withdrawn' END AS data,
        CASE WHEN sms_withdrawn_at IS NULL THEN sms ELSE 'withdrawn' END AS sms
    FROM wallet_consents WHERE id = ANY(CAST(:ids AS uuid[]))"""
)


def _system(r: Row) -> System:
    return System(
        r.code, r.id, r.name_kk, r.name_ru, r[4], r.agreement, tuple(r.measures), r.last_day,
        r.ends_at, Chain(r.id, r.version, bytes(r.head)), r.created_at, r.updated_at,
    )  # fmt: skip


def every(tx: Tx) -> list[System]:
    """All systems, by code."""
    return [_system(r) for r in tx.execute(_ALL)]


def one(tx: Tx, code: str, *, locked: bool = False) -> System | None:
    """A system by its code; `locked` until the transaction ends."""
    if locked:
        tx.write(_WAIT, {"code": code})
    row = tx.execute(_LOCKED if locked else _ONE, {"code": code}).one_or_none()
    return None if row is None else _system(row)


def ending(tx: Tx, now: datetime, until: datetime) -> list[System]:
    """Systems whose agreements end after `now` and by `until`, and who were not told so yet."""
    return [_system(r) for r in tx.execute(_ENDING, {"now": now, "until": until})]


def save(tx: Tx, system: System) -> None:
    """Enters a system, or what changed of it."""
    values = {
        "code": system.code, "id": system.id, "name_kk": system.name_kk,
        "name_ru": system.name_ru, "kind": system.kind, "agreement": system.agreement,
        "measures": list(system.measures), "last_day": system.last_day,
        "ends_at": system.ends_at, "version": system.chain.version, "head": system.chain.head,
        "created_at": system.created_at, "updated_at": system.updated_at,
    }  # fmt: skip
    tx.write(_SAVE, values)


def keep_conflict(tx: Tx, owner: str, conflict: Conflict) -> None:
    """Keeps that a report did not agree with the books."""
    values = {
        "id": conflict.id, "owner": owner, "source": conflict.source,
        "source_id": conflict.source_id, "grant_id": conflict.grant_id,
        "fields": list(conflict.fields), "now": conflict.created_at,
    }  # fmt: skip
    tx.write(_CONFLICT, values)


def conflicts(tx: Tx, owner: str | None, after: UUID | None, limit: int) -> list[Conflict]:
    """What did not agree, newest first."""
    rows = tx.execute(_CONFLICTS, {"owner": owner, "after": after, "limit": limit})
    return [
        Conflict(r.id, r.source, r.source_id, r.grant_id, tuple(r.fields), r.created_at)
        for r in rows
    ]


def traffic(tx: Tx, code: str) -> Traffic:
    """What a system has exchanged so far, and its keys without their secrets."""
    row = tx.execute(_TRAFFIC, {"code": code}).one()
    keys = tuple(
        (r.name, tuple(r.scopes), r.created_at, r.revoked_at)
        for r in tx.execute(_KEYS, {"code": code})
    )
    return Traffic(row.accounts, row.conflicts, row.last_at, keys)


def sealed_iins(tx: Tx, recipients: Sequence[UUID]) -> dict[UUID, tuple[bytes, bytes]]:
    """(index, sealed IIN) of people, by id."""
    rows = tx.execute(_IINS, {"ids": list(recipients)})
    return {r.id: (bytes(r.iin_index), bytes(r.iin)) for r in rows}


def consented(tx: Tx, pairs: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], bool]:
    """Which (person, measure) were given a consent to the processing of data, and whether it
    stands still."""
    if not pairs:
        return {}
    values = {"ids": [p for p, _ in pairs], "measures": [m for _, m in pairs]}
    return {(r.recipient_id, r.measure): r.stands for r in tx.execute(_CONSENTED, values)}


def answers(tx: Tx, consents: Sequence[UUID]) -> dict[UUID, dict[str, str | None]]:
    """How both consents stand by now: "given", "refused", "withdrawn" or nothing."""
    if not consents:
        return {}
    rows = tx.execute(_ANSWERS, {"ids": list(consents)})
    return {r.id: {"data": r.data, "sms": r.sms} for r in rows}
