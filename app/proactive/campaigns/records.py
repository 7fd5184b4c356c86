"""The tables of uploads and campaigns: rows are staged sealed, taken a few at a time, and keep what
became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.ledger.encryption import Vault
from app.ledger.engine import Row, Tx, sql
from app.ledger.keys import Kind, Reach
from app.proactive.campaigns.rules import CampaignState


@dataclass(frozen=True, slots=True)
class Staged:
    """A row to be stored: `proposal` is its JSON, or `faults` says what is wrong with it."""

    number: int
    proposal: bytes | None
    faults: bytes | None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was taken in, and how many of its rows were wrong."""

    id: UUID
    rows: int
    wrong: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign's row; `reach` is that of the key it was made with."""

    id: UUID
    provider: str
    name: str
    upload_id: UUID
    state: CampaignState
    starts_at: datetime | None
    reach: Reach
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row."""

    number: int
    state: str
    gate: str | None = None
    clause: str | None = None
    offer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A row without an offer: its faults as JSON, or the gate that refused and its clause."""

    number: int
    faults: bytes
    gate: str | None
    clause: str | None


_UPLOAD = sql(
    """INSERT INTO uploads (id, provider, rows, wrong, created_at)
    VALUES (:id, :provider, :rows, :wrong, :now)"""
)
_STAGE = sql(
    """INSERT INTO upload_rows (upload_id, number, proposal, state, faults)
    SELECT :upload_id, number, proposal, CASE WHEN faults IS NULL THEN 'staged' ELSE 'wrong' END,
        faults
    FROM unnest(CAST(:numbers AS int[]), CAST(:proposals AS bytea[]), CAST(:faults AS bytea[]))
        AS t (number, proposal, faults)"""
)
_ONE_UPLOAD = sql(
    "SELECT id, rows, wrong, created_at FROM uploads WHERE id = :id AND provider = :provider"
)
_NOT_TAKEN = sql(
    """SELECT number, faults, gate, clause FROM upload_rows
    WHERE upload_id = :id AND state IN ('wrong', 'refused') AND number > :after
    ORDER BY number LIMIT :limit"""
)
_CAMPAIGN = """id, provider, name, upload_id, state, starts_at, kind, phones, created_at,
    finished_at"""
_ADD = sql(
    """INSERT INTO campaigns (id, provider, name, upload_id, state, starts_at, kind, phones,
        created_at)
    VALUES (:id, :provider, :name, :upload_id, :state, :starts_at, :kind,
        CAST(:phones AS bytea[]), :now)
    ON CONFLICT (upload_id) DO NOTHING RETURNING id"""
)
_ONE = sql(f"SELECT {_CAMPAIGN} FROM campaigns WHERE id = :id AND provider = :provider")
_LOCKED = sql(
    f"SELECT {_CAMPAIGN} FROM campaigns WHERE id = :id AND provider = :provider FOR UPDATE"
)
_PAGE = sql(
    f"""SELECT {_CAMPAIGN} FROM campaigns WHERE provider = :provider
      AND (CAST(:after AS uuid) IS NULL OR id < :after) ORDER BY id DESC LIMIT :limit"""
)
_SET = sql(
    """UPDATE campaigns SET state = :state, starts_at = :starts_at, finished_at = :finished_at
    WHERE id = :id"""
)
_LIVE = sql(
    f"""SELECT {_CAMPAIGN} FROM campaigns
    WHERE state = 'running' OR (state = 'scheduled' AND starts_at <= :now)
    ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1 OFFSET :skip"""
)
_TAKE = sql(
    """SELECT number, proposal FROM upload_rows
    WHERE upload_id = :id AND state = 'staged' AND number > :after ORDER BY number LIMIT :limit"""
)
_SETTLE = sql(
    """UPDATE upload_rows r SET state = t.state, gate = t.gate, clause = t.clause,
        offer_id = t.offer_id, proposal = NULL
    FROM unnest(CAST(:numbers AS int[]), CAST(:states AS text[]), CAST(:gates AS text[]),
        CAST(:clauses AS text[]), CAST(:offers AS uuid[])) AS t (number, state, gate, clause,
        offer_id)
    WHERE r.upload_id = :id AND r.number = t.number"""
)
_DROP = sql(
    """UPDATE upload_rows SET state = 'cancelled', proposal = NULL
    WHERE upload_id = :id AND state = 'staged'"""
)
_WAITING = sql(
    """SELECT o.id FROM upload_rows r JOIN offers o ON o.id = r.offer_id
    WHERE r.upload_id = :id AND r.state = 'made' AND o.state = 'made'"""
)
_COUNTS = sql(
    """SELECT state, gate, clause, count(*) AS many FROM upload_rows WHERE upload_id = :id
    GROUP BY state, gate, clause ORDER BY state, gate"""
)


def _context(upload_id: UUID, number: int) -> bytes:
    return upload_id.bytes + number.to_bytes(4, "big")


def stage(tx: Tx, vault: Vault, upload_id: UUID, rows: Sequence[Staged]) -> None:
    """Stores rows of an upload."""
    tx.write(
        _STAGE,
        {
            "upload_id": upload_id,
            "numbers": [r.number for r in rows],
            "proposals": [
                None if r.proposal is None
                else vault.seal(r.proposal, _context(upload_id, r.number))
                for r in rows
            ],
            "faults": [r.faults for r in rows],
        },
    )  # fmt: skip


def add_upload(tx: Tx, provider: str, upload: Upload) -> None:
    """Stores an upload whose rows were staged."""
    tx.write(
        _UPLOAD,
        {
            "id": upload.id,
            "provider": provider,
            "rows": upload.rows,
            "wrong": upload.wrong,
            "now": upload.created_at,
        },
    )


def upload(tx: Tx, provider: str, upload_id: UUID) -> Upload | None:
    """An upload of this provider."""
    r = tx.execute(_ONE_UPLOAD, {"id": upload_id, "provider": provider}).one_or_none()
    return None if r is None else Upload(r.id, r.rows, r.wrong, r.created_at)


def not_taken(tx: Tx, upload_id: UUID, after: int, limit: int) -> list[NotTaken]:
    """Rows of which no offer came, with what stood in the way."""
    found = tx.execute(_NOT_TAKEN, {"id": upload_id, "after": after, "limit": limit})
    return [NotTaken(r.number, bytes(r.faults or b"[]"), r.gate, r.clause) for r in found]


def _campaign(r: Row) -> Campaign:
    reach = Reach(Kind(r.kind), frozenset(bytes(phone) for phone in r.phones))
    return Campaign(
        r.id, r.provider, r.name, r.upload_id, CampaignState(r.state), r.starts_at, reach,
        r.created_at, r.finished_at,
    )  # fmt: skip


def add(tx: Tx, campaign: Campaign) -> bool:
    """Stores a campaign. False: its upload has one already."""
    values: dict[str, Any] = {
        "id": campaign.id,
        "provider": campaign.provider,
        "name": campaign.name,
        "upload_id": campaign.upload_id,
        "state": str(campaign.state),
        "starts_at": campaign.starts_at,
        "kind": str(campaign.reach.kind),
        "phones": sorted(campaign.reach.phones),
        "now": campaign.created_at,
    }
    return tx.execute(_ADD, values).one_or_none() is not None


def one(tx: Tx, provider: str, campaign_id: UUID, *, lock: bool = False) -> Campaign | None:
    """A campaign of this provider."""
    values = {"id": campaign_id, "provider": provider}
    r = tx.execute(_LOCKED if lock else _ONE, values).one_or_none()
    return None if r is None else _campaign(r)


def page(tx: Tx, provider: str, after: UUID | None, limit: int) -> list[Campaign]:
    """A provider's campaigns, newest first."""
    found = tx.execute(_PAGE, {"provider": provider, "after": after, "limit": limit})
    return [_campaign(r) for r in found]


def live(tx: Tx, now: datetime, skip: int) -> Campaign | None:
    """A campaign that runs or is due to, locked; the first `skip` of them are passed over."""
    r = tx.execute(_LIVE, {"now": now, "skip": skip}).one_or_none()
    return None if r is None else _campaign(r)


def save(tx: Tx, campaign: Campaign) -> None:
    """Saves a campaign's state and times; its row is locked."""
    tx.write(
        _SET,
        {
            "id": campaign.id,
            "state": str(campaign.state),
            "starts_at": campaign.starts_at,
            "finished_at": campaign.finished_at,
        },
    )


def staged(
    tx: Tx, vault: Vault, upload_id: UUID, after: int, limit: int
) -> list[tuple[int, bytes]]:
    """Rows that wait to be offered, by number: (number, the proposal's JSON)."""
    found = tx.execute(_TAKE, {"id": upload_id, "after": after, "limit": limit})
    return [(r.number, vault.open(bytes(r.proposal), _context(upload_id, r.number))) for r in found]


def settle(tx: Tx, upload_id: UUID, outcomes: Sequence[Outcome]) -> None:
    """Writes what became of rows; what stood in them is forgotten."""
    if outcomes:
        tx.write(
            _SETTLE,
            {
                "id": upload_id,
                "numbers": [o.number for o in outcomes],
                "states": [o.state for o in outcomes],
                "gates": [o.gate for o in outcomes],
                "clauses": [o.clause for o in outcomes],
                "offers": [o.offer_id for o in outcomes],
            },
        )


def drop_staged(tx: Tx, upload_id: UUID) -> None:
    """Cancels what was not offered yet."""
    tx.write(_DROP, {"id": upload_id})


def not_sent(tx: Tx, upload_id: UUID) -> list[UUID]:
    """The campaign's offers that have not left."""
    return list(tx.execute(_WAITING, {"id": upload_id}).scalars())


def counts(tx: Tx, upload_id: UUID) -> list[tuple[str, str | None, str | None, int]]:
    """How many rows there are by (state, gate, clause)."""
    return [(r.state, r.gate, r.clause, r.many) for r in tx.execute(_COUNTS, {"id": upload_id})]
