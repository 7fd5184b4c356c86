"""The table of offers: loaded under a lock, changed in memory, saved by compare-and-set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from app.conversation.window import VALIDITY
from app.ledger.encryption import Vault
from app.ledger.engine import Row, Tx, ids, of_all, sql
from app.ledger.journal import Chain
from app.ledger.unit import Unit
from app.proactive import open_offers
from app.proactive.rules import State


@dataclass(frozen=True, slots=True)
class Sealed:
    """What an offer holds of a person: the phone it was made to, the provider's values."""

    phone: str
    values: dict[str, Any]


@dataclass(slots=True)
class Secret:
    """`Sealed` under the vault's seal, opened when somebody looks: most batches never do."""

    vault: Vault
    octets: bytes
    context: bytes
    opened: Sealed | None = None

    @classmethod
    def of(cls, vault: Vault, offer_id: UUID, sealed: Sealed) -> "Secret":
        """Seals what an offer holds."""
        octets = vault.seal(msgspec.json.encode(sealed), offer_id.bytes)
        return cls(vault, octets, offer_id.bytes, sealed)

    def open(self) -> Sealed:
        """What is under the seal; raises VaultError."""
        if self.opened is None:
            plain = self.vault.open(self.octets, self.context)
            self.opened = msgspec.json.decode(plain, type=Sealed)
        return self.opened


@dataclass(slots=True)
class Offer:
    """An offer's row; `chain` is the end of its journal, whose version is the row's version."""

    id: UUID
    provider: str
    reference: str
    service: str
    recipient_id: UUID
    phone_index: bytes
    network: str | None
    language: str | None
    secret: Secret
    state: State
    chain: Chain
    created_at: datetime
    sent_at: datetime | None = None
    received_at: datetime | None = None
    deadline: datetime | None = None
    closed_at: datetime | None = None
    answered_by: str | None = None
    result: str | None = None
    loaded: tuple[State, int, datetime | None] = field(default=(State.MADE, 0, None))

    @property
    def falls_due(self) -> datetime | None:
        """When somebody has to look at it: as its window ends or, before that opens, as the
        network gives its question up."""
        if self.deadline is not None or self.sent_at is None:
            return self.deadline
        return self.sent_at + VALIDITY

    @property
    def to(self) -> tuple[bytes, str]:
        """Where its messages go: phone index and E.164."""
        return self.phone_index, self.secret.open().phone


_STATES = {str(state): state for state in State}  # to ask the enum takes ten times as long
_COLUMNS = """id, provider, reference, service, recipient_id, phone_index, network, language,
    facts, state, version, head, created_at, sent_at, received_at, deadline, closed_at,
    answered_by, result"""
_INSERT = sql(
    """INSERT INTO offers (id, provider, reference, service, recipient_id, phone_index, network,
        language, facts, state, version, head, created_at)
    SELECT id, :provider, reference, service, recipient_id, phone_index, network, language,
        facts, 'made', version, head, :now
    FROM unnest(CAST(:id AS uuid[]), CAST(:reference AS text[]), CAST(:service AS text[]),
        CAST(:recipient_id AS uuid[]), CAST(:phone_index AS bytea[]), CAST(:network AS text[]),
        CAST(:language AS text[]), CAST(:facts AS bytea[]), CAST(:version AS int[]),
        CAST(:head AS bytea[])) AS t (id, reference, service, recipient_id, phone_index, network,
            language, facts, version, head)
    ON CONFLICT DO NOTHING RETURNING id"""
)
_LOCKED = sql(
    f"SELECT {_COLUMNS} FROM offers WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE"
)
# What is asked of these phones, and nothing more: each row held without need is one that somebody
# else waits for, or holds.
_FORESEEN = sql(
    f"""SELECT {_COLUMNS} FROM offers WHERE id IN (
        SELECT case_id FROM questions
        WHERE state = 'open' AND phone_index = ANY(CAST(:phones AS bytea[])))
    ORDER BY id FOR UPDATE OF offers"""
)
_SAVE = of_all(
    """UPDATE offers o SET state = t.state, version = t.version, head = t.head,
        sent_at = t.sent_at, received_at = t.received_at, deadline = t.deadline,
        closed_at = t.closed_at, answered_by = t.answered_by, result = t.result,
        language = t.language, network = t.network
    FROM unnest(CAST(:id AS uuid[]), CAST(:from_state AS text[]), CAST(:from_version AS int[]),
        CAST(:state AS text[]), CAST(:version AS int[]), CAST(:head AS bytea[]),
        CAST(:sent_at AS timestamptz[]), CAST(:received_at AS timestamptz[]),
        CAST(:deadline AS timestamptz[]), CAST(:closed_at AS timestamptz[]),
        CAST(:answered_by AS text[]), CAST(:result AS text[]), CAST(:language AS text[]),
        CAST(:network AS text[]))
        AS t (id, from_state, from_version, state, version, head, sent_at, received_at, deadline,
              closed_at, answered_by, result, language, network)
    WHERE o.id = t.id AND o.state = t.from_state AND o.version = t.from_version"""
)
_DEADLINES = sql(
    """INSERT INTO offer_deadlines (offer_id, at)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:deadlines AS timestamptz[]))"""
)
_REFERENCES = sql(
    """SELECT reference FROM offers
    WHERE provider = :provider AND reference = ANY(CAST(:references AS text[]))"""
)
_MADE_SINCE = sql(
    """SELECT recipient_id AS one, NULL AS phone, count(*) AS made, min(created_at) AS since
    FROM offers WHERE recipient_id = ANY(CAST(:recipients AS uuid[])) AND created_at > :since
    GROUP BY recipient_id
    UNION ALL
    SELECT NULL, phone_index, count(*), min(created_at)
    FROM offers WHERE phone_index = ANY(CAST(:phones AS bytea[])) AND created_at > :since
    GROUP BY phone_index"""
)
_UNDECIDED_OF = sql(
    """SELECT id FROM offers WHERE recipient_id = :recipient
      AND state IN ('made', 'sent', 'awaiting', 'accepted')"""
)
_ONE = sql(f"SELECT {_COLUMNS} FROM offers WHERE id = :id AND provider = :provider")
_ANY_ONE = sql(f"SELECT {_COLUMNS} FROM offers WHERE id = :id")
_PAGE = sql(
    f"""SELECT {_COLUMNS} FROM offers WHERE provider = :provider
      AND (CAST(:reference AS text) IS NULL OR reference = :reference)
      AND (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:after AS uuid) IS NULL OR id < :after)
    ORDER BY id DESC LIMIT :limit"""
)
_OF_RECIPIENT = sql(
    f"""SELECT {_COLUMNS} FROM offers WHERE recipient_id = :recipient AND sent_at IS NOT NULL
      AND (CAST(:after AS uuid) IS NULL OR id < :after)
      AND (CAST(:since AS timestamptz) IS NULL OR EXISTS (
          SELECT FROM journal j WHERE j.case_id = offers.id AND j.at >= :since))
    ORDER BY id DESC LIMIT :limit"""
)
_LATEST_OF_RECIPIENTS = sql(
    f"""SELECT o.* FROM unnest(CAST(:recipients AS uuid[])) AS r (id) CROSS JOIN LATERAL (
        SELECT {_COLUMNS} FROM offers WHERE recipient_id = r.id AND sent_at IS NOT NULL
        ORDER BY id DESC LIMIT :limit) o"""
)
_OF_PHONES = sql(
    f"""SELECT o.* FROM unnest(CAST(:phones AS bytea[])) AS p (phone_index) CROSS JOIN LATERAL (
        SELECT {_COLUMNS} FROM offers WHERE phone_index = p.phone_index AND sent_at IS NOT NULL
          AND state NOT IN ('made', 'undelivered') AND coalesce(closed_at, :now) >= :since
        ORDER BY closed_at DESC NULLS FIRST, id DESC LIMIT :limit) o
    ORDER BY o.closed_at DESC NULLS FIRST, o.id DESC"""
)
_LATEST = sql(
    f"""SELECT o.* FROM unnest(CAST(:phones AS bytea[])) AS p (phone_index) CROSS JOIN LATERAL (
        SELECT {_COLUMNS} FROM offers WHERE phone_index = p.phone_index
          AND sent_at IS NOT NULL AND closed_at >= :since
        ORDER BY closed_at DESC, id DESC LIMIT 1) o"""
)


def _offer(vault: Vault, r: Row) -> Offer:
    (  # in the order of _COLUMNS; by name it would take three times as long
        offer_id, provider, reference, service, recipient_id, phone_index, network, language,
        facts, state, version, head, created_at, sent_at, received_at, deadline, closed_at,
        answered_by, result,
    ) = r  # fmt: skip
    stands = _STATES[state]
    offer = Offer(
        offer_id, provider, reference, service, recipient_id, bytes(phone_index), network,
        language, Secret(vault, bytes(facts), offer_id.bytes), stands,
        Chain(offer_id, version, bytes(head)), created_at, sent_at, received_at, deadline,
        closed_at, answered_by, result,
    )  # fmt: skip
    offer.loaded = (stands, version, offer.falls_due)
    return offer


def insert(tx: Tx, provider: str, offers: Sequence[Offer], now: datetime) -> set[UUID]:
    """Stores new offers; returns the ids that were free of a twin reference or open offer."""
    if not offers:
        return set()
    only = set(open_offers.take(tx, [_place(o) for o in offers]).rows().scalars())
    stored = _insert(tx, provider, [o for o in offers if o.id in only], now)
    open_offers.give_back(tx, [_place(o) for o in offers if o.id in only - stored])
    return stored


def _place(o: Offer) -> open_offers.Place:
    return o.id, o.recipient_id, o.service


def _insert(tx: Tx, provider: str, offers: Sequence[Offer], now: datetime) -> set[UUID]:
    found = tx.execute(
        _INSERT,
        {
            "provider": provider,
            "now": now,
            "id": [o.id for o in offers],
            "reference": [o.reference for o in offers],
            "service": [o.service for o in offers],
            "recipient_id": [o.recipient_id for o in offers],
            "phone_index": [o.phone_index for o in offers],
            "network": [o.network for o in offers],
            "language": [o.language for o in offers],
            "facts": [o.secret.octets for o in offers],
            "version": [o.chain.version for o in offers],
            "head": [o.chain.head for o in offers],
        },
    )
    return set(found.scalars())


_BY_ID = attrgetter("id.int")


def foresee(unit: Unit, phones: Sequence[bytes]) -> None:
    """Holds the offers that these phones are being asked about, in the trip that looks for their
    questions."""
    if phones:
        unit.foreseen.add(unit.tx.ask(_FORESEEN, {"phones": list(phones)}))


def hold(unit: Unit, offer_ids: Iterable[UUID]) -> None:
    """Holds offers that are to be loaded by `lock`, in the trip with what is asked next."""
    unit.foreseen.add(unit.tx.ask(_LOCKED, {"ids": ids(offer_ids)}))


def lock(unit: Unit, offer_ids: Sequence[UUID]) -> dict[UUID, Offer]:
    """Loads offers and holds their rows until the transaction ends."""
    if not offer_ids:
        return {}
    wanted = ids(offer_ids)
    unit.remembered.forget(wanted)
    rows = unit.foreseen.take(wanted)
    if len(rows) < len(wanted):
        there = {r.id for r in rows}
        left = [i for i in wanted if i not in there] if there else wanted
        rows = sorted([*rows, *unit.tx.execute(_LOCKED, {"ids": left})], key=_BY_ID)
    return {r.id: _offer(unit.vault, r) for r in rows}


def save(tx: Tx, offers: Sequence[Offer]) -> None:
    """Saves what changed, each row by compare-and-set on its state and version (`of_all`). When
    each falls due is noted for `falling_due`."""
    changed = [o for o in offers if (o.state, o.chain.version) != o.loaded[:2]]
    if not changed:
        return
    plain = ("sent_at", "received_at", "deadline", "closed_at", "answered_by", "result")
    values: dict[str, Any] = {n: [getattr(o, n) for o in changed] for n in plain}
    values |= {
        "id": [o.id for o in changed],
        "from_state": [str(o.loaded[0]) for o in changed],
        "from_version": [o.loaded[1] for o in changed],
        "state": [str(o.state) for o in changed],
        "version": [o.chain.version for o in changed],
        "head": [o.chain.head for o in changed],
        "language": [o.language for o in changed],
        "network": [o.network for o in changed],
    }
    tx.write(_SAVE, values | {"expected": len(changed)})
    ended = [_place(o) for o in changed if open_offers.ends(o.loaded[0], o.state)]
    open_offers.give_back(tx, ended)
    falling = [(o.id, o.falls_due) for o in changed if o.falls_due not in (None, o.loaded[2])]
    if falling:
        values = {"ids": [id for id, _ in falling], "deadlines": [at for _, at in falling]}
        tx.write(_DEADLINES, values)
    for offer in changed:
        offer.loaded = (offer.state, offer.chain.version, offer.falls_due)


def known_references(tx: Tx, provider: str, references: Sequence[str]) -> set[str]:
    """Which of a provider's references are taken."""
    values = {"provider": provider, "references": list(references)}
    return set(tx.execute(_REFERENCES, values).scalars())


def made_since(
    tx: Tx, recipients: Sequence[UUID], phones: Sequence[bytes], since: datetime
) -> dict[UUID | bytes, tuple[int, datetime]]:
    """How many offers were made since then, and when the first of them, by recipient and phone."""
    values = {"recipients": list(recipients), "phones": list(phones), "since": since}
    rows = tx.execute(_MADE_SINCE, values)
    return {r.one or bytes(r.phone): (r.made, r.since) for r in rows}


def undecided_of(tx: Tx, recipient: UUID) -> list[UUID]:
    """The offers of which a recipient is still to hear: open, or agreed to and not decided."""
    return list(tx.execute(_UNDECIDED_OF, {"recipient": recipient}).scalars())


def one(tx: Tx, vault: Vault, offer_id: UUID, provider: str | None) -> Offer | None:
    """An offer of a provider, or of any where `provider` is None (auditors)."""
    if provider is None:
        row = tx.execute(_ANY_ONE, {"id": offer_id}).one_or_none()
    else:
        row = tx.execute(_ONE, {"id": offer_id, "provider": provider}).one_or_none()
    return None if row is None else _offer(vault, row)


def page(
    tx: Tx,
    vault: Vault,
    provider: str,
    *,
    reference: str | None,
    state: str | None,
    after: UUID | None,
    limit: int,
) -> list[Offer]:
    """A provider's offers, newest first, after the offer `after`."""
    values = {
        "provider": provider,
        "reference": reference,
        "state": state,
        "after": after,
        "limit": limit,
    }
    return [_offer(vault, r) for r in tx.execute(_PAGE, values)]


def of_recipient(
    tx: Tx,
    vault: Vault,
    recipient_id: UUID,
    *,
    after: UUID | None,
    limit: int,
    since: datetime | None = None,
) -> list[Offer]:
    """The offers a person has been asked about, newest first; with `since`, only those to which
    something happened from then on."""
    values = {"recipient": recipient_id, "after": after, "limit": limit, "since": since}
    return [_offer(vault, r) for r in tx.execute(_OF_RECIPIENT, values)]


def latest_of_recipients(
    tx: Tx, vault: Vault, recipients: Sequence[UUID], limit: int
) -> dict[UUID, list[Offer]]:
    """The offers each of these people was last asked about, newest first, at most `limit` each."""
    found: dict[UUID, list[Offer]] = {}
    for row in tx.execute(_LATEST_OF_RECIPIENTS, {"recipients": list(recipients), "limit": limit}):
        found.setdefault(row.recipient_id, []).append(_offer(vault, row))
    return found


def of_phones(
    tx: Tx, vault: Vault, phones: Sequence[bytes], *, now: datetime, since: datetime, limit: int
) -> list[Offer]:
    """What phones have been asked, of each the first `limit`: open, then closed since, newest."""
    values = {"phones": list(phones), "now": now, "since": since, "limit": limit}
    return [_offer(vault, r) for r in tx.execute(_OF_PHONES, values)]


def latest_of_phones(
    tx: Tx, vault: Vault, phones: Sequence[bytes], since: datetime
) -> dict[bytes, Offer]:
    """The offer each phone was last asked about and that has been closed since `since`."""
    rows = tx.execute(_LATEST, {"phones": list(phones), "since": since})
    return {bytes(r.phone_index): _offer(vault, r) for r in rows}
