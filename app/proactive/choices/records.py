"""The table of account choices: the question that follows a yes, until it has its one end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ledger.engine import Row, Tx, sql


@dataclass(slots=True)
class Choice:
    """The question which account, asked after the yes to an offer. `outcome` is "listed", "other"
    or "none" once it has ended, `chosen` the id of the choice that was made."""

    offer_id: UUID
    asked_at: datetime
    received_at: datetime | None = None
    deadline: datetime | None = None
    closed_at: datetime | None = None
    outcome: str | None = None
    chosen: str | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


_COLUMNS = "offer_id, asked_at, received_at, deadline, closed_at, outcome, chosen"
_INSERT = sql(
    """INSERT INTO account_choices (offer_id, asked_at)
    SELECT id, :now FROM unnest(CAST(:ids AS uuid[])) AS t (id)"""
)
_LOCKED = sql(
    f"""SELECT {_COLUMNS} FROM account_choices
    WHERE offer_id = ANY(CAST(:ids AS uuid[])) ORDER BY offer_id FOR UPDATE"""
)
_READ = sql(f"SELECT {_COLUMNS} FROM account_choices WHERE offer_id = ANY(CAST(:ids AS uuid[]))")
_SAVE = sql(
    """UPDATE account_choices c SET received_at = t.received_at, deadline = t.deadline,
        closed_at = t.closed_at, outcome = t.outcome, chosen = t.chosen
    FROM unnest(CAST(:ids AS uuid[]), CAST(:received_at AS timestamptz[]),
        CAST(:deadline AS timestamptz[]), CAST(:closed_at AS timestamptz[]),
        CAST(:outcome AS text[]), CAST(:chosen AS text[]))
        AS t (offer_id, received_at, deadline, closed_at, outcome, chosen)
    WHERE c.offer_id = t.offer_id AND c.closed_at IS NULL"""
)
_ANSWERED = sql(
    """SELECT DISTINCT o.phone_index FROM offers o LEFT JOIN account_choices c ON c.offer_id = o.id
    WHERE o.phone_index = ANY(CAST(:phones AS bytea[])) AND o.answered_by IS NOT NULL
      AND greatest(o.closed_at, c.closed_at) >= :since"""
)
# As an offer lapses: strictly after its deadline, beyond what its network has handed over, and not
# while a long reply that began in time waits for its last segment. What nobody proved to have
# received ends a message's day in the network after it was asked.
_DUE = sql(
    """SELECT c.offer_id FROM account_choices c JOIN offers o ON o.id = c.offer_id
    CROSS JOIN LATERAL (
        SELECT coalesce(c.deadline, c.asked_at + CAST(:validity AS interval)) AS at) e
    WHERE c.closed_at IS NULL AND e.at < :now
      AND e.at < coalesce(
          (SELECT h.through FROM unnest(CAST(:networks AS text[]),
              CAST(:through AS timestamptz[])) AS h (network, through)
           WHERE h.network = o.network), :slowest)
      AND NOT EXISTS (SELECT 1 FROM parts p
          WHERE p.sender_index = o.phone_index AND p.received_at <= e.at)
    ORDER BY e.at LIMIT :limit"""
)


def _choice(r: Row) -> Choice:
    return Choice(
        r.offer_id, r.asked_at, r.received_at, r.deadline, r.closed_at, r.outcome, r.chosen
    )


def begin(tx: Tx, offer_ids: Sequence[UUID], now: datetime) -> None:
    """The question is asked after the yes to each of these offers."""
    tx.write(_INSERT, {"ids": list(offer_ids), "now": now})


def lock(tx: Tx, offer_ids: Sequence[UUID]) -> dict[UUID, Choice]:
    """The choices of these offers, held until the transaction ends. Lock the offers first."""
    if not offer_ids:
        return {}
    return {r.offer_id: _choice(r) for r in tx.execute(_LOCKED, {"ids": list(offer_ids)})}


def of_offers(tx: Tx, offer_ids: Sequence[UUID]) -> dict[UUID, Choice]:
    """The choices of these offers, for a look."""
    if not offer_ids:
        return {}
    return {r.offer_id: _choice(r) for r in tx.execute(_READ, {"ids": list(offer_ids)})}


def save(tx: Tx, choices: Sequence[Choice]) -> None:
    """Saves open choices as they now are; one that has ended is never written again."""
    if not choices:
        return
    tx.write(
        _SAVE,
        {
            "ids": [c.offer_id for c in choices],
            "received_at": [c.received_at for c in choices],
            "deadline": [c.deadline for c in choices],
            "closed_at": [c.closed_at for c in choices],
            "outcome": [c.outcome for c in choices],
            "chosen": [c.chosen for c in choices],
        },
    )


def phones_that_answered(tx: Tx, phones: Sequence[bytes], since: datetime) -> set[bytes]:
    """Those of the phones on which an offer or its account was answered since `since`."""
    if not phones:
        return set()
    found = tx.execute(_ANSWERED, {"phones": list(phones), "since": since})
    return {bytes(phone) for phone in found.scalars()}


def due(
    tx: Tx, now: datetime, validity_s: float, heard_through: dict[str, datetime], limit: int
) -> list[UUID]:
    """Offers whose question which account is over, oldest first; `validity_s` seconds after asking
    where no receipt came."""
    if not heard_through:
        return []
    values = {
        "now": now,
        "validity": f"{validity_s} seconds",
        "slowest": min(heard_through.values()),
        "networks": list(heard_through),
        "through": list(heard_through.values()),
        "limit": limit,
    }
    return list(tx.execute(_DUE, values).scalars())
