"""The table of notices: made in batches, loaded under a lock, saved by compare-and-set."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.ledger.encryption import Vault
from app.ledger.engine import Row, Tx, ids, of_all, sql
from app.ledger.journal import Chain


class Kind(StrEnum):
    """What a notice tells of: clause 4 (two kinds) and clause 7."""

    OFFER = "measure-offer"
    DATA = "personal-data-processing"
    DECISION = "decision"


class Sms(StrEnum):
    """Where the SMS of a notice stands; `withheld`: the phone takes none, or may get none."""

    NONE = "none"
    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    WITHHELD = "withheld"


@dataclass(slots=True)
class Notice:
    """A notice's row; `chain` is the end of its journal, `words` the sealed words of a provider.
    `served_at` is when the term was kept: the cabinet, or the SMS that left."""

    id: UUID
    provider: str
    reference: str
    kind: Kind
    measure: str
    recipient_id: UUID
    phone_index: bytes | None
    network: str | None
    language: str | None
    sms: Sms
    chain: Chain
    created_at: datetime
    counted_from: datetime
    deadline: datetime
    decision: str | None = None
    region: str | None = None
    words: bytes | None = None
    placed_at: datetime | None = None
    sms_sent_at: datetime | None = None
    sms_delivered_at: datetime | None = None
    served_at: datetime | None = None
    read_at: datetime | None = None
    closed_at: datetime | None = None
    loaded: int = field(default=0)


_FIXED = (
    ("id", "uuid"), ("reference", "text"), ("kind", "text"), ("measure", "text"),
    ("decision", "text"), ("recipient_id", "uuid"), ("phone_index", "bytea"), ("region", "text"),
    ("words", "bytea"), ("language", "text"), ("created_at", "timestamptz"),
    ("counted_from", "timestamptz"), ("deadline", "timestamptz"),
)  # fmt: skip
_MOVING = (
    ("network", "text"), ("sms", "text"), ("version", "int"), ("head", "bytea"),
    ("placed_at", "timestamptz"), ("sms_sent_at", "timestamptz"),
    ("sms_delivered_at", "timestamptz"), ("served_at", "timestamptz"),
    ("read_at", "timestamptz"), ("closed_at", "timestamptz"),
)  # fmt: skip


def _names(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in columns)


def _arrays(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in columns)


_COLUMNS = f"provider, {_names((*_FIXED, *_MOVING))}"
_INSERT = sql(
    f"""INSERT INTO wallet_notices ({_COLUMNS})
    SELECT :provider, t.* FROM unnest({_arrays((*_FIXED, *_MOVING))}) AS t
    ON CONFLICT DO NOTHING RETURNING id"""
)
_LOCKED = sql(
    f"""SELECT {_COLUMNS} FROM wallet_notices WHERE id = ANY(CAST(:ids AS uuid[]))
    ORDER BY id FOR UPDATE"""
)
_SAVE = of_all(
    f"""UPDATE wallet_notices o SET {", ".join(f"{n} = t.{n}" for n, _ in _MOVING)}
    FROM unnest(CAST(:id AS uuid[]), CAST(:loaded AS int[]), {_arrays(_MOVING)})
        AS t (id, loaded, {_names(_MOVING)})
    WHERE o.id = t.id AND o.version = t.loaded"""
)
_REFERENCES = sql(
    """SELECT kind, reference FROM wallet_notices
    WHERE provider = :provider AND reference = ANY(CAST(:references AS text[]))"""
)
_PAGE = sql(
    f"""SELECT {_COLUMNS} FROM wallet_notices
    WHERE (CAST(:provider AS text) IS NULL OR provider = :provider)
      AND (CAST(:kind AS text) IS NULL OR kind = :kind)
      AND (CAST(:reference AS text) IS NULL OR reference = :reference)
      AND (CAST(:id AS uuid) IS NULL OR id = :id)
      AND (CAST(:after AS uuid) IS NULL OR id < :after)
    ORDER BY id DESC LIMIT :limit"""
)
# Late ones and those that are about to be: each half reads its own small index.
_URGENT = sql(
    f"""SELECT * FROM (
        SELECT {_COLUMNS} FROM wallet_notices
        WHERE served_at IS NULL AND deadline < :horizon AND (:late OR deadline >= :now)
        UNION ALL
        SELECT {_COLUMNS} FROM wallet_notices WHERE served_at > deadline AND :late) n
    WHERE (CAST(:provider AS text) IS NULL OR provider = :provider)
      AND (CAST(:after AS uuid) IS NULL OR id < :after)
    ORDER BY id DESC LIMIT :limit"""
)
_INBOX = sql(
    f"""SELECT {_COLUMNS} FROM wallet_notices
    WHERE recipient_id = :recipient AND placed_at IS NOT NULL
      AND (CAST(:after AS uuid) IS NULL OR id < :after)
      AND (CAST(:since AS timestamptz) IS NULL OR placed_at >= :since OR read_at >= :since)
    ORDER BY id DESC LIMIT :limit"""
)
_TO_SAVE = sql(
    """SELECT id FROM wallet_notices
    WHERE served_at IS NULL AND placed_at IS NULL AND deadline < :horizon
    ORDER BY deadline LIMIT :limit FOR UPDATE SKIP LOCKED"""
)
# Of each measure the decision, else the last notice; what the phone's policy keeps off it is left
# out by whoever shows it.
_LATEST = sql(
    f"""SELECT DISTINCT ON (recipient_id, measure) {_COLUMNS} FROM wallet_notices
    WHERE recipient_id = ANY(CAST(:recipients AS uuid[])) AND created_at >= :since
      AND served_at IS NOT NULL
    ORDER BY recipient_id, measure, (kind = 'decision') DESC, id DESC"""
)
_UNHEARD = sql(
    """SELECT id FROM wallet_notices WHERE sms = 'sent' AND sms_sent_at < :before
    ORDER BY sms_sent_at LIMIT :limit FOR UPDATE SKIP LOCKED"""
)
_TERMS = sql(
    """SELECT count(*) FILTER (WHERE deadline >= :alarm) AS running,
        count(*) FILTER (WHERE deadline < :alarm AND deadline >= :now) AS soon,
        count(*) FILTER (WHERE deadline < :now) AS overdue,
        (SELECT count(*) FROM wallet_notices WHERE served_at > deadline) AS late
    FROM wallet_notices WHERE served_at IS NULL"""
)
_TOLD = sql(
    """SELECT DISTINCT ON (recipient_id) recipient_id, id FROM wallet_notices
    WHERE recipient_id = ANY(CAST(:recipients AS uuid[])) AND measure = :measure
      AND kind = 'measure-offer' AND served_at IS NOT NULL
    ORDER BY recipient_id, id DESC"""
)


def _notice(r: Row) -> Notice:
    return Notice(
        id=r.id, provider=r.provider, reference=r.reference, kind=Kind(r.kind), measure=r.measure,
        recipient_id=r.recipient_id,
        phone_index=None if r.phone_index is None else bytes(r.phone_index),
        network=r.network, language=r.language, sms=Sms(r.sms),
        chain=Chain(r.id, r.version, bytes(r.head)), created_at=r.created_at,
        counted_from=r.counted_from, deadline=r.deadline, decision=r.decision, region=r.region,
        words=None if r.words is None else bytes(r.words), placed_at=r.placed_at,
        sms_sent_at=r.sms_sent_at, sms_delivered_at=r.sms_delivered_at, served_at=r.served_at,
        read_at=r.read_at, closed_at=r.closed_at, loaded=r.version,
    )  # fmt: skip


def _moving(notices: Sequence[Notice]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "sms": [str(n.sms) for n in notices],
        "version": [n.chain.version for n in notices],
        "head": [n.chain.head for n in notices],
    }
    return values | {
        name: [getattr(n, name) for n in notices] for name, _ in _MOVING if name not in values
    }


def insert(tx: Tx, provider: str, notices: Sequence[Notice]) -> set[UUID]:
    """Stores new notices; returns the ids whose references were free."""
    if not notices:
        return set()
    fixed: dict[str, Any] = {n: [getattr(one, n) for one in notices] for n, _ in _FIXED}
    fixed["kind"] = [str(one.kind) for one in notices]
    values = fixed | _moving(notices) | {"provider": provider}
    return set(tx.execute(_INSERT, values).scalars())


def lock(tx: Tx, notice_ids: Sequence[UUID]) -> dict[UUID, Notice]:
    """Loads notices and holds their rows until the transaction ends."""
    if not notice_ids:
        return {}
    return {r.id: _notice(r) for r in tx.execute(_LOCKED, {"ids": ids(notice_ids)})}


def save(tx: Tx, notices: Sequence[Notice]) -> None:
    """Saves what changed by compare-and-set on the version (`of_all`)."""
    changed = [n for n in notices if n.chain.version != n.loaded]
    if not changed:
        return
    values = {"id": [n.id for n in changed], "loaded": [n.loaded for n in changed]}
    tx.write(_SAVE, values | _moving(changed) | {"expected": len(changed)})
    for notice in changed:
        notice.loaded = notice.chain.version


def known_references(tx: Tx, provider: str, references: Sequence[str]) -> set[tuple[str, str]]:
    """Which (kind, reference) of a provider are taken."""
    rows = tx.execute(_REFERENCES, {"provider": provider, "references": list(references)})
    return {(r.kind, r.reference) for r in rows}


def page(
    tx: Tx,
    provider: str | None,
    *,
    kind: str | None = None,
    reference: str | None = None,
    notice_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = 1,
) -> list[Notice]:
    """A provider's notices (None: everybody's), newest first."""
    values = {
        "provider": provider, "kind": kind, "reference": reference, "id": notice_id,
        "after": after, "limit": limit,
    }  # fmt: skip
    return [_notice(r) for r in tx.execute(_PAGE, values)]


def urgent(
    tx: Tx,
    provider: str | None,
    now: datetime,
    lead: timedelta = timedelta(0),
    *,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Notice]:
    """Without `lead`, notices whose term was broken: not served by now, or served after it. With
    it, those that are not served and whose term ends within it. Newest first."""
    values = {
        "provider": provider, "now": now, "horizon": now + lead, "late": not lead,
        "after": after, "limit": limit,
    }  # fmt: skip
    return [_notice(r) for r in tx.execute(_URGENT, values)]


def inbox(
    tx: Tx, recipient_id: UUID, after: UUID | None, since: datetime | None, limit: int
) -> list[Notice]:
    """What stands in a person's cabinet, newest first."""
    values = {"recipient": recipient_id, "after": after, "since": since, "limit": limit}
    return [_notice(r) for r in tx.execute(_INBOX, values)]


def latest(tx: Tx, recipients: Sequence[UUID], since: datetime) -> list[Notice]:
    """What these people were told of each measure since then: the latest decision, else the latest
    notice."""
    if not recipients:
        return []
    values = {"recipients": list(recipients), "since": since}
    return [_notice(r) for r in tx.execute(_LATEST, values)]


def to_save(tx: Tx, horizon: datetime, limit: int) -> list[UUID]:
    """Notices whose term ends before `horizon` and that have reached nobody yet."""
    return list(tx.execute(_TO_SAVE, {"horizon": horizon, "limit": limit}).scalars())


def unheard(tx: Tx, before: datetime, limit: int) -> list[UUID]:
    """Notices whose SMS left before then and of which no receipt came."""
    return list(tx.execute(_UNHEARD, {"before": before, "limit": limit}).scalars())


def told(tx: Tx, measure: str, recipients: Sequence[UUID]) -> dict[UUID, UUID]:
    """By recipient, the latest notice that told them of the measure (clause 8)."""
    if not recipients:
        return {}
    values = {"measure": measure, "recipients": list(recipients)}
    return {r.recipient_id: r.id for r in tx.execute(_TOLD, values)}


def count_terms(tx: Tx, now: datetime, alarm: datetime) -> dict[str, int]:
    """How many notices are not served: with time left, due before `alarm`, overdue; and how many
    were served late."""
    row = tx.execute(_TERMS, {"now": now, "alarm": alarm}).one()
    return {
        "running": row.running, "due-soon": row.soon, "overdue": row.overdue, "late": row.late
    }  # fmt: skip


def seal_words(vault: Vault, notice_id: UUID, words: str | None) -> bytes | None:
    """A provider's words as they are kept."""
    return None if words is None else vault.seal(words.encode(), notice_id.bytes)


def open_words(vault: Vault, notice: Notice) -> str | None:
    """A provider's words; None where there were none, or their term is over."""
    if notice.words is None:
        return None
    return vault.open(notice.words, notice.id.bytes).decode() or None
