"""The table of the two consents: one conversation a row, loaded under a lock, saved by
compare-and-set on state and version."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.ledger.encryption import Vault
from app.ledger.engine import Row, Tx, ids, of_all, sql
from app.ledger.journal import Chain
from app.wallet.rules.asking import AskingState as State

GIVEN, REFUSED = "given", "refused"


@dataclass(slots=True)
class Consent:
    """The asking for both consents to a measure; `data` and `sms` are "given", "refused" or None.
    `asked_at`, `received_at` and `deadline` belong to the question that is open now. Without a
    phone it is asked in the cabinet alone: `phone_index` and `phone` are empty."""

    id: UUID
    notice_id: UUID
    provider: str
    reference: str
    measure: str
    recipient_id: UUID
    phone_index: bytes
    phone: str
    network: str | None
    language: str | None
    state: State
    chain: Chain
    created_at: datetime
    asked_at: datetime | None = None
    received_at: datetime | None = None
    deadline: datetime | None = None
    closed_at: datetime | None = None
    data: str | None = None
    data_at: datetime | None = None
    data_withdrawn_at: datetime | None = None
    sms: str | None = None
    sms_at: datetime | None = None
    sms_withdrawn_at: datetime | None = None
    loaded: tuple[State, int] = field(default=(State.MADE, 0))

    @property
    def has_phone(self) -> bool:
        return bool(self.phone_index)

    @property
    def stands(self) -> tuple[bool, bool]:
        """Whether the consents to data and to SMS are given and not withdrawn."""
        return (
            self.data == GIVEN and self.data_withdrawn_at is None,
            self.sms == GIVEN and self.sms_withdrawn_at is None,
        )


_FIXED = (
    ("id", "uuid"), ("notice_id", "uuid"), ("provider", "text"), ("reference", "text"),
    ("measure", "text"), ("recipient_id", "uuid"), ("phone_index", "bytea"), ("phone", "bytea"),
    ("created_at", "timestamptz"),
)  # fmt: skip
_MOVING = (
    ("network", "text"), ("language", "text"), ("state", "text"), ("version", "int"),
    ("head", "bytea"), ("asked_at", "timestamptz"), ("received_at", "timestamptz"),
    ("deadline", "timestamptz"), ("closed_at", "timestamptz"), ("data", "text"),
    ("data_at", "timestamptz"), ("data_withdrawn_at", "timestamptz"), ("sms", "text"),
    ("sms_at", "timestamptz"), ("sms_withdrawn_at", "timestamptz"),
)  # fmt: skip


def _names(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in columns)


def _arrays(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in columns)


_COLUMNS = _names((*_FIXED, *_MOVING))
_OPEN = "state IN ('made', 'sent', 'awaiting', 'second')"
_INSERT = sql(
    f"""INSERT INTO wallet_consents ({_COLUMNS})
    SELECT * FROM unnest({_arrays((*_FIXED, *_MOVING))})"""
)
_LOCKED = sql(
    f"""SELECT {_COLUMNS} FROM wallet_consents WHERE id = ANY(CAST(:ids AS uuid[]))
    ORDER BY id FOR UPDATE"""
)
_SAVE = of_all(
    f"""UPDATE wallet_consents o SET {", ".join(f"{n} = t.{n}" for n, _ in _MOVING)}
    FROM unnest(CAST(:id AS uuid[]), CAST(:from_state AS text[]), CAST(:from_version AS int[]),
        {_arrays(_MOVING)}) AS t (id, from_state, from_version, {_names(_MOVING)})
    WHERE o.id = t.id AND o.state = t.from_state AND o.version = t.from_version"""
)
_OPEN_PAIRS = sql(
    f"""SELECT recipient_id, measure FROM wallet_consents
    WHERE recipient_id = ANY(CAST(:recipients AS uuid[])) AND {_OPEN}"""
)
_SMS_REFUSED = sql(
    """SELECT recipient_id, measure FROM (
        SELECT DISTINCT ON (recipient_id, measure) recipient_id, measure, sms, sms_withdrawn_at
        FROM wallet_consents
        WHERE recipient_id = ANY(CAST(:recipients AS uuid[])) AND sms IS NOT NULL
        ORDER BY recipient_id, measure, sms_at DESC) latest
    WHERE sms = 'refused' OR sms_withdrawn_at IS NOT NULL"""
)
_OF_RECIPIENT = sql(
    """SELECT id FROM wallet_consents WHERE recipient_id = ANY(CAST(:recipients AS uuid[]))
      AND (CAST(:after AS uuid) IS NULL OR id < :after)
    ORDER BY id DESC LIMIT :limit"""
)
_STANDING = sql(
    """SELECT id FROM wallet_consents
    CROSS JOIN (SELECT coalesce(CAST(:since AS timestamptz), 'infinity') AS since) s
    WHERE recipient_id = ANY(CAST(:recipients AS uuid[]))
      AND ((data = 'given' AND coalesce(data_withdrawn_at, 'infinity') >= since)
        OR (sms = 'given' AND coalesce(sms_withdrawn_at, 'infinity') >= since)) ORDER BY id"""
)
_OF_PHONES = sql(
    f"""SELECT c.id FROM unnest(CAST(:phones AS bytea[])) AS p (phone_index)
    CROSS JOIN LATERAL (
        SELECT id FROM wallet_consents
        WHERE phone_index = p.phone_index AND phone_index <> ''
          AND ((state IN ('sent', 'awaiting', 'second')) OR closed_at >= :since)
        ORDER BY ({_OPEN}) DESC, id DESC LIMIT :limit) c
    ORDER BY c.id"""
)
_LATEST_CLOSED = sql(
    """SELECT DISTINCT ON (phone_index) phone_index, id FROM wallet_consents
    WHERE phone_index = ANY(CAST(:phones AS bytea[])) AND phone_index <> ''
      AND closed_at >= :since
    ORDER BY phone_index, closed_at DESC"""
)
_READ = sql(
    f"SELECT {_COLUMNS} FROM wallet_consents WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id DESC"
)
_OF_NOTICES = sql(
    f"SELECT {_COLUMNS} FROM wallet_consents WHERE notice_id = ANY(CAST(:ids AS uuid[]))"
)
# As an offer lapses: strictly after its deadline, beyond what its network has handed over, and not
# while a long reply that began in time waits for its last segment. What nobody proved to have
# received ends a message's day in the network after it was asked.
_DUE = sql(
    f"""SELECT o.id FROM wallet_consents o
    CROSS JOIN LATERAL (SELECT coalesce(o.deadline,
        o.asked_at + CAST(:validity AS interval)) AS at) e
    WHERE o.closed_at IS NULL AND coalesce(o.deadline, o.asked_at) < :now AND e.at < :now
      AND {_OPEN}
      AND (phone_index = '' OR e.at < coalesce(
          (SELECT h.through FROM unnest(CAST(:networks AS text[]),
              CAST(:through AS timestamptz[])) AS h (network, through)
           WHERE h.network = o.network), :slowest))
      AND NOT EXISTS (SELECT 1 FROM parts p
          WHERE p.sender_index = o.phone_index AND p.received_at <= e.at)
    ORDER BY e.at LIMIT :limit FOR UPDATE OF o SKIP LOCKED"""
)


def _consent(vault: Vault, r: Row) -> Consent:
    state = State(r.state)
    return Consent(
        id=r.id, notice_id=r.notice_id, provider=r.provider, reference=r.reference,
        measure=r.measure, recipient_id=r.recipient_id, phone_index=bytes(r.phone_index),
        phone=vault.open(bytes(r.phone), r.id.bytes).decode(), network=r.network,
        language=r.language, state=state, chain=Chain(r.id, r.version, bytes(r.head)),
        created_at=r.created_at, asked_at=r.asked_at, received_at=r.received_at,
        deadline=r.deadline, closed_at=r.closed_at, data=r.data, data_at=r.data_at,
        data_withdrawn_at=r.data_withdrawn_at, sms=r.sms, sms_at=r.sms_at,
        sms_withdrawn_at=r.sms_withdrawn_at, loaded=(state, r.version),
    )  # fmt: skip


def _moving(consents: Sequence[Consent]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "state": [str(c.state) for c in consents],
        "version": [c.chain.version for c in consents],
        "head": [c.chain.head for c in consents],
    }
    return values | {
        name: [getattr(c, name) for c in consents] for name, _ in _MOVING if name not in values
    }


def insert(tx: Tx, vault: Vault, consents: Sequence[Consent]) -> None:
    """Stores new askings."""
    if not consents:
        return
    values: dict[str, Any] = {n: [getattr(c, n) for c in consents] for n, _ in _FIXED}
    values["phone"] = [vault.seal(c.phone.encode(), c.id.bytes) for c in consents]
    tx.write(_INSERT, values | _moving(consents))
    for one in consents:
        one.loaded = (one.state, one.chain.version)


def lock(tx: Tx, vault: Vault, consent_ids: Sequence[UUID]) -> dict[UUID, Consent]:
    """Loads askings and holds their rows until the transaction ends."""
    if not consent_ids:
        return {}
    rows = tx.execute(_LOCKED, {"ids": ids(consent_ids)})
    return {r.id: _consent(vault, r) for r in rows}


def some(tx: Tx, vault: Vault, consent_ids: Sequence[UUID]) -> list[Consent]:
    """Askings for a look, newest first."""
    if not consent_ids:
        return []
    return [_consent(vault, r) for r in tx.execute(_READ, {"ids": list(consent_ids)})]


def of_notices(tx: Tx, vault: Vault, notice_ids: Sequence[UUID]) -> dict[UUID, Consent]:
    """The askings that belong to these notices, by notice."""
    rows = tx.execute(_OF_NOTICES, {"ids": list(notice_ids)})
    return {r.notice_id: _consent(vault, r) for r in rows}


def save(tx: Tx, consents: Sequence[Consent]) -> None:
    """Saves what changed by compare-and-set on state and version (`of_all`)."""
    changed = [c for c in consents if (c.state, c.chain.version) != c.loaded]
    if not changed:
        return
    values: dict[str, Any] = {
        "id": [c.id for c in changed],
        "from_state": [str(c.loaded[0]) for c in changed],
        "from_version": [c.loaded[1] for c in changed],
    }
    tx.write(_SAVE, values | _moving(changed) | {"expected": len(changed)})
    for one in changed:
        one.loaded = (one.state, one.chain.version)


def open_pairs(tx: Tx, recipients: Sequence[UUID]) -> set[tuple[UUID, str]]:
    """(recipient, measure) pairs that are being asked."""
    rows = tx.execute(_OPEN_PAIRS, {"recipients": list(recipients)})
    return {(r.recipient_id, r.measure) for r in rows}


def sms_refused(tx: Tx, recipients: Sequence[UUID]) -> frozenset[tuple[UUID, str]]:
    """(recipient, measure) pairs whose last word on SMS was a refusal, or a consent withdrawn."""
    if not recipients:
        return frozenset()
    rows = tx.execute(_SMS_REFUSED, {"recipients": list(recipients)})
    return frozenset((r.recipient_id, r.measure) for r in rows)


def of_recipients(
    tx: Tx, recipients: Sequence[UUID], *, after: UUID | None = None, limit: int = 100
) -> list[UUID]:
    """The askings of these people, newest first."""
    values = {"recipients": list(recipients), "after": after, "limit": limit}
    return list(tx.execute(_OF_RECIPIENT, values).scalars())


def standing(
    tx: Tx, recipients: Sequence[UUID], withdrawn_since: datetime | None = None
) -> list[UUID]:
    """Those of them in which a consent stands, or did until a moment that is not before
    `withdrawn_since`."""
    values = {"recipients": list(recipients), "since": withdrawn_since}
    return list(tx.execute(_STANDING, values).scalars())


def of_phones(tx: Tx, phones: Sequence[bytes], since: datetime, limit: int) -> list[UUID]:
    """Askings that phones may look at, of each at most `limit`: what is open, what closed since."""
    values = {"phones": list(phones), "since": since, "limit": limit}
    return list(tx.execute(_OF_PHONES, values).scalars())


def latest_closed(tx: Tx, phones: Sequence[bytes], since: datetime) -> dict[bytes, UUID]:
    """The asking that closed last on each phone, if it did since then."""
    if not phones:
        return {}
    rows = tx.execute(_LATEST_CLOSED, {"phones": list(phones), "since": since})
    return {bytes(r.phone_index): r.id for r in rows}


def due(
    tx: Tx, now: datetime, validity: timedelta, heard_through: dict[str, datetime], limit: int
) -> list[UUID]:
    """Askings whose open question is over, oldest first; those on phones only as far as their
    networks have handed over what they heard."""
    values = {
        "now": now,
        "validity": validity,
        "slowest": min(heard_through.values(), default=datetime.min.replace(tzinfo=now.tzinfo)),
        "networks": list(heard_through),
        "through": list(heard_through.values()),
        "limit": limit,
    }
    return list(tx.execute(_DUE, values).scalars())
