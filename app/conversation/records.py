"""Questions, what was heard, and what phones prefer: the tables of conversation.

A phone has at most one open question, whatever room asks it (a unique index says so); the next
ones wait in the order they were made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.ledger.encryption import Vault
from app.ledger.engine import Row, Tx, sql
from app.ledger.ids import new_id
from smpp.messages import Inbound, SegmentOf


@dataclass(frozen=True, slots=True)
class Question:
    """What a phone is being asked: `asked` counts how often it was asked again."""

    case_id: UUID
    phone_index: bytes
    room: str
    dialog: str
    step: str
    asked: int


_ASK = sql(
    """INSERT INTO questions (case_id, phone_index, room, dialog, step, state)
    SELECT c, p, :room, :dialog, :step, 'waiting'
    FROM unnest(CAST(:cases AS uuid[]), CAST(:phones AS bytea[])) AS t (c, p)"""
)
# Phones are locked by an advisory lock, because the row that would be locked may not exist yet;
# by 1024 locks for all of them, so that a large batch fits into the server's lock table.
_LOCK = sql(
    """SELECT pg_advisory_xact_lock(14, k) FROM (
        SELECT DISTINCT hashtext(encode(p, 'hex')) & 1023 AS k
        FROM unnest(CAST(:phones AS bytea[])) AS t (p) ORDER BY k) locks"""
)
_OPEN_NEXT = sql(
    """UPDATE questions q SET state = 'open'
    FROM (SELECT DISTINCT ON (w.phone_index) w.case_id FROM questions w
          WHERE w.state = 'waiting' AND w.phone_index = ANY(CAST(:phones AS bytea[]))
            AND NOT EXISTS (SELECT 1 FROM questions o
                WHERE o.state = 'open' AND o.phone_index = w.phone_index)
          ORDER BY w.phone_index, w.seq) n
    WHERE q.case_id = n.case_id
    RETURNING q.case_id, q.phone_index, q.room, q.dialog, q.step, q.asked"""
)
_FORGET_HELP = sql(
    """UPDATE subscribers SET helped_at = NULL
    WHERE phone_index = ANY(CAST(:phones AS bytea[])) AND helped_at IS NOT NULL"""
)
_OPEN = sql(
    """SELECT case_id, phone_index, room, dialog, step, asked FROM questions
    WHERE state = 'open' AND phone_index = ANY(CAST(:phones AS bytea[]))"""
)
_CLOSE = sql("DELETE FROM questions WHERE case_id = ANY(CAST(:cases AS uuid[]))")
_ASKED = sql(
    """UPDATE questions q SET asked = t.asked
    FROM unnest(CAST(:cases AS uuid[]), CAST(:asked AS smallint[])) AS t (case_id, asked)
    WHERE q.case_id = t.case_id"""
)


def _question(r: Row) -> Question:
    return Question(r.case_id, bytes(r.phone_index), r.room, r.dialog, r.step, r.asked)


def ask(
    tx: Tx, room: str, dialog: str, step: str, cases: Sequence[tuple[UUID, bytes]]
) -> list[Question]:
    """Queues a question for each (case, phone index) and opens those whose phone is free."""
    phones = [p for _, p in cases]
    if not phones:
        return []
    tx.execute(_LOCK, {"phones": phones})
    tx.execute(
        _ASK,
        {
            "room": room,
            "dialog": dialog,
            "step": step,
            "cases": [c for c, _ in cases],
            "phones": phones,
        },
    )
    return open_next(tx, phones)


def open_next(tx: Tx, phones: Sequence[bytes]) -> list[Question]:
    """Opens the oldest waiting question of every free phone among `phones`; who is asked again
    may also be helped again."""
    opened = [_question(r) for r in tx.execute(_OPEN_NEXT, {"phones": list(phones)})]
    if opened:
        tx.execute(_FORGET_HELP, {"phones": [q.phone_index for q in opened]})
    return opened


def close(tx: Tx, cases: Sequence[tuple[UUID, bytes]]) -> list[Question]:
    """Closes the questions of (case, phone index) pairs and opens the next ones in turn."""
    if not cases:
        return []
    phones = [p for _, p in cases]
    tx.execute(_LOCK, {"phones": phones})
    tx.execute(_CLOSE, {"cases": [c for c, _ in cases]})
    return open_next(tx, phones)


def open_questions(tx: Tx, phones: Sequence[bytes]) -> dict[bytes, Question]:
    """The open question of each phone that has one."""
    if not phones:
        return {}
    found = [_question(r) for r in tx.execute(_OPEN, {"phones": list(phones)})]
    return {q.phone_index: q for q in found}


def asked_again(tx: Tx, counts: Sequence[tuple[UUID, int]]) -> None:
    """Notes how often questions were asked again."""
    if counts:
        tx.execute(_ASKED, {"cases": [c for c, _ in counts], "asked": [n for _, n in counts]})


# --- what was heard -------------------------------------------------------------------------

_KEYS = sql(
    """INSERT INTO mo_keys AS k (key, connection, received_at)
    SELECT DISTINCT ON (key) key, connection, :now
    FROM unnest(CAST(:keys AS bytea[]), CAST(:connections AS text[])) AS t (key, connection)
    ON CONFLICT (key) DO UPDATE SET connection = excluded.connection,
        received_at = excluded.received_at,
        before = k.connection, before_at = k.received_at
    RETURNING key, before, before_at"""
)
_HEARD = sql(
    """INSERT INTO heard (id, received_at, network, cid, phone_index, sender, octets,
        data_coding, why)
    VALUES (:id, :received_at, :network, :cid, :phone_index, :sender, :octets, :data_coding,
        :why)"""
)
_PART = sql(
    """INSERT INTO parts (network, sender_index, destination, reference, total, number, octets,
        text, data_coding, sender, cid, received_at)
    VALUES (:network, :sender_index, :destination, :reference, :total, :number, :octets,
        :text, :data_coding, :sender, :cid, :received_at)
    ON CONFLICT DO NOTHING"""
)
# Two gateways may take two segments at once; the second must see what the first stored.
_LOCK_PARTS = sql("SELECT pg_advisory_xact_lock(16, hashtext(:sender))")
_PARTS = sql(
    """SELECT number, octets, text, data_coding, received_at FROM parts
    WHERE network = :network AND sender_index = :sender_index AND destination = :destination
      AND reference = :reference AND total = :total ORDER BY number FOR UPDATE"""
)
_DROP_PARTS = sql(
    """DELETE FROM parts WHERE network = :network AND sender_index = :sender_index
      AND destination = :destination AND reference = :reference AND total = :total
    RETURNING *"""
)


def mo_key(vault: Vault, message: Inbound) -> bytes:
    """What makes a redelivered MO the same MO: network, both addresses, octets, the handset's
    reference and the segment's place. Keyed, or a dump would tell who wrote "1"."""
    parts = (
        message.network,
        message.sender,
        message.destination,
        message.raw.hex(),
        str(message.user_message_reference),
        str(message.segment),
    )
    return vault.index("mo", _octets("\0".join(parts)).hex())


@dataclass(frozen=True, slots=True)
class SeenBefore:
    """Where and when the same octets from the same phone were last committed."""

    connection: str
    at: datetime


def seen_before(
    tx: Tx, messages: Sequence[tuple[bytes, str]], now: datetime
) -> dict[bytes, SeenBefore]:
    """Notes (key, connection) of every MO and tells which of the keys were known before."""
    if not messages:
        return {}
    found = tx.execute(
        _KEYS,
        {"keys": [k for k, _ in messages], "connections": [c for _, c in messages], "now": now},
    )
    return {bytes(r.key): SeenBefore(r.before, r.before_at) for r in found if r.before is not None}


def _octets(text: str) -> bytes:
    """Whatever was heard can be kept, half characters too."""
    return text.encode(errors="surrogatepass")


def _text(octets: bytes) -> str:
    return octets.decode(errors="surrogatepass")


def sender_index(vault: Vault, message: Inbound) -> bytes:
    """The index of who sent it: a phone's, or that of whatever else stood there."""
    return vault.index("phone", message.sender.encode(errors="backslashreplace").decode())


def keep(tx: Tx, vault: Vault, message: Inbound, why: str) -> UUID:
    """Stores an MO that belongs to no case, sealed, with the reason in one word."""
    row_id = new_id(message.received_at)
    tx.execute(
        _HEARD,
        {
            "id": row_id,
            "received_at": message.received_at,
            "network": message.network,
            "cid": message.cid,
            "phone_index": sender_index(vault, message),
            "sender": vault.seal(_octets(message.sender), row_id.bytes),
            "octets": vault.seal(message.raw, row_id.bytes),
            "data_coding": message.data_coding,
            "why": why,
        },
    )
    return row_id


def _key_of(vault: Vault, message: Inbound, segment: SegmentOf) -> dict[str, object]:
    return {
        "network": message.network,
        "sender_index": sender_index(vault, message),
        "destination": message.destination,
        "reference": segment.reference,
        "total": segment.total,
    }


def add_part(tx: Tx, vault: Vault, message: Inbound, segment: SegmentOf) -> list[Inbound] | None:
    """Stores one segment of a long MO; once all have come, removes and returns them in order.
    Segments meet across the binds of a network. Handsets use a reference again, so a segment that
    is there already and says something else belongs to an older message: the two never mix."""
    key = _key_of(vault, message, segment)
    context = sender_index(vault, message)
    tx.execute(_LOCK_PARTS, {"sender": context.hex()})
    text = message.text
    if any(
        r.number == segment.number and vault.open(bytes(r.octets), context) != message.raw
        for r in tx.execute(_PARTS, key)
    ):
        _set_aside(tx, vault, tx.execute(_DROP_PARTS, key).all())
    tx.execute(
        _PART,
        key
        | {
            "number": segment.number,
            "octets": vault.seal(message.raw, context),
            "text": None if text is None else vault.seal(_octets(text), context),
            "data_coding": message.data_coding,
            "sender": vault.seal(_octets(message.sender), context),
            "cid": message.cid,
            "received_at": message.received_at,
        },
    )
    rows = tx.execute(_PARTS, key).all()
    if len(rows) < segment.total:
        return None
    tx.execute(_DROP_PARTS, key)
    return [
        replace(
            message,
            raw=vault.open(bytes(r.octets), context),
            text=None if r.text is None else _text(vault.open(bytes(r.text), context)),
            data_coding=r.data_coding,
            received_at=r.received_at,
            segment=SegmentOf(segment.reference, segment.total, r.number),
        )
        for r in rows
    ]


_FORGET_KEYS = sql("DELETE FROM mo_keys WHERE received_at < :before")
_STALE_PARTS = sql(
    """DELETE FROM parts p USING (
        SELECT network, sender_index, destination, reference, total FROM parts
        GROUP BY network, sender_index, destination, reference, total
        HAVING max(received_at) < :before) s
    WHERE (p.network, p.sender_index, p.destination, p.reference, p.total)
        = (s.network, s.sender_index, s.destination, s.reference, s.total)
    RETURNING p.*"""
)


def tidy(tx: Tx, vault: Vault, keys_before: datetime, parts_before: datetime) -> int:
    """Forgets old keys; moves segments whose message never became whole to `heard`, for review."""
    tx.execute(_FORGET_KEYS, {"before": keys_before})
    stale = tx.execute(_STALE_PARTS, {"before": parts_before}).all()
    _set_aside(tx, vault, stale)
    return len(stale)


def _set_aside(tx: Tx, vault: Vault, parts: Sequence[Row]) -> None:
    for r in parts:
        index = bytes(r.sender_index)
        row_id = new_id(r.received_at)
        octets = vault.open(bytes(r.octets), index)
        sender = vault.open(bytes(r.sender), index)
        tx.execute(
            _HEARD,
            {
                "id": row_id,
                "received_at": r.received_at,
                "network": r.network,
                "cid": r.cid,
                "phone_index": index,
                "sender": vault.seal(sender, row_id.bytes),
                "octets": vault.seal(octets, row_id.bytes),
                "data_coding": r.data_coding,
                "why": "part-missing",
            },
        )


# --- what phones prefer ---------------------------------------------------------------------

_LANGUAGES = sql(
    """SELECT phone_index, language, helped_at FROM subscribers
    WHERE phone_index = ANY(CAST(:phones AS bytea[]))"""
)
_SPEAKS = sql(
    """INSERT INTO subscribers (phone_index, language)
    SELECT * FROM unnest(CAST(:phones AS bytea[]), CAST(:languages AS text[]))
    ON CONFLICT (phone_index) DO UPDATE SET language = excluded.language
        WHERE subscribers.language IS DISTINCT FROM excluded.language"""
)
_HELPED = sql(
    """INSERT INTO subscribers (phone_index, helped_at)
    SELECT p, :now FROM unnest(CAST(:phones AS bytea[])) AS t (p)
    ON CONFLICT (phone_index) DO UPDATE SET helped_at = excluded.helped_at"""
)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """What is known of a phone: the language it last chose, when it was last given help."""

    language: str | None
    helped_at: datetime | None


def subscribers(tx: Tx, phones: Sequence[bytes]) -> dict[bytes, Subscriber]:
    """What phones prefer, for those that ever wrote."""
    found = tx.execute(_LANGUAGES, {"phones": list(phones)})
    return {bytes(r.phone_index): Subscriber(r.language, r.helped_at) for r in found}


def speaks(tx: Tx, choices: dict[bytes, str]) -> None:
    """Remembers the language phones answered in (52, clause 16: a recorded choice)."""
    if choices:
        tx.execute(_SPEAKS, {"phones": list(choices), "languages": list(choices.values())})


def helped(tx: Tx, phones: Sequence[bytes], now: datetime) -> None:
    """Remembers that these phones were told how to answer; they are not told again soon."""
    if phones:
        tx.execute(_HELPED, {"phones": list(phones), "now": now})
