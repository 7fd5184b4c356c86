"""Questions: a phone has at most one open one, whatever room asks it (a unique index says so); the
next ones wait in the order they were made.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from app.ledger.engine import Asked, Row, Tx, sql
from app.ledger.ids import first_id


class Question(Struct, frozen=True):
    """What a phone is being asked: `asked` counts how often it was asked again; `is_last` says
    that nothing waited behind it when it was looked up."""

    case_id: UUID
    phone_index: bytes
    room: str
    dialog: str
    step: str
    asked: int
    is_last: bool = False


_ASK = sql(
    """INSERT INTO questions (case_id, phone_index, room, dialog, step, state)
    SELECT c, p, :room, :dialog, :step, 'waiting'
    FROM unnest(CAST(:cases AS uuid[]), CAST(:phones AS bytea[])) AS t (c, p)"""
)
# The first question of a phone that has none is open at once: to queue it and then to open it wrote
# a row and two index entries more.
_ASK_NOW = sql(
    """INSERT INTO questions (case_id, phone_index, room, dialog, step, state)
    SELECT c, p, :room, :dialog, :step, CASE WHEN nth > 1 OR EXISTS (
            SELECT FROM questions o WHERE o.state = 'open' AND o.phone_index = p)
        OR EXISTS (SELECT FROM questions w WHERE w.state = 'waiting' AND w.phone_index = p)
        THEN 'waiting' ELSE 'open' END
    FROM (SELECT c, p, place, row_number() OVER (PARTITION BY p ORDER BY place) AS nth
        FROM unnest(CAST(:cases AS uuid[]), CAST(:phones AS bytea[])) WITH ORDINALITY
            AS t (c, p, place)) asked
    ORDER BY place
    RETURNING state, case_id, phone_index, room, dialog, step, asked"""
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
_FREE = sql(
    """SELECT DISTINCT phone_index FROM questions w WHERE state = 'waiting' AND case_id < :before
      AND NOT EXISTS (SELECT 1 FROM questions o
          WHERE o.state = 'open' AND o.phone_index = w.phone_index)
    LIMIT :limit"""
)
_FORGET_HELP = sql(
    """UPDATE subscribers SET helped_at = NULL
    WHERE phone_index = ANY(CAST(:phones AS bytea[])) AND helped_at IS NOT NULL"""
)
_OPEN = sql(
    """SELECT case_id, phone_index, room, dialog, step, asked, NOT EXISTS (
        SELECT FROM questions w WHERE w.state = 'waiting' AND w.phone_index = q.phone_index)
    FROM questions q WHERE state = 'open' AND phone_index = ANY(CAST(:phones AS bytea[]))"""
)
# Who asked for more since then has it waiting behind our lock or before it: a race that is lost.
_NOTHING_WAITS = sql(
    """SELECT must_be_all((SELECT count(*) FROM questions
        WHERE state = 'waiting' AND phone_index = ANY(CAST(:phones AS bytea[]))), 0)"""
)
_CLOSE = sql("DELETE FROM questions WHERE case_id = ANY(CAST(:cases AS uuid[]))")
_FOLLOW_UP = sql(
    """UPDATE questions SET dialog = :dialog, step = :step, asked = 0
    WHERE case_id = ANY(CAST(:cases AS uuid[]))"""
)
_ASKED = sql(
    """UPDATE questions q SET asked = t.asked
    FROM unnest(CAST(:cases AS uuid[]), CAST(:asked AS smallint[])) AS t (case_id, asked)
    WHERE q.case_id = t.case_id"""
)


def _question(r: Row) -> Question:
    case_id, phone_index, *asked = r
    return Question(case_id, bytes(phone_index), *asked)


def ask(
    tx: Tx, room: str, dialog: str, step: str, cases: Sequence[tuple[UUID, bytes]]
) -> list[Question]:
    """Queues a question for each (case, phone index) and opens those whose phone is free; where
    others have waited longer, the oldest of them."""
    if not cases:
        return []
    tx.write(_LOCK, {"phones": [p for _, p in cases]})
    rows = tx.execute(_ASK_NOW, _queued(room, dialog, step, cases)).all()
    opened = [_question(r[1:]) for r in rows if r.state == "open"]
    if opened:
        tx.write(_FORGET_HELP, {"phones": [q.phone_index for q in opened]})
    behind = [bytes(r.phone_index) for r in rows if r.state == "waiting"]
    return opened + (open_next(tx, behind) if behind else [])


def wait(tx: Tx, room: str, dialog: str, step: str, cases: Sequence[tuple[UUID, bytes]]) -> None:
    """Queues a question for each (case, phone index) and opens none, so it holds no phone."""
    tx.write(_ASK, _queued(room, dialog, step, cases))


def _queued(
    room: str, dialog: str, step: str, cases: Sequence[tuple[UUID, bytes]]
) -> dict[str, object]:
    return {
        "room": room,
        "dialog": dialog,
        "step": step,
        "cases": [c for c, _ in cases],
        "phones": [p for _, p in cases],
    }


def open_free(tx: Tx, phones: Sequence[bytes]) -> list[Question]:
    """Opens the oldest waiting question of each of these phones that is free."""
    tx.write(_LOCK, {"phones": list(phones)})
    return open_next(tx, phones)


def free_phones(tx: Tx, before: datetime, limit: int) -> list[bytes]:
    """Phones that are free although something waits for them that came up before `before`."""
    found = tx.execute(_FREE, {"before": first_id(before), "limit": limit})
    return [bytes(r.phone_index) for r in found]


def open_next(tx: Tx, phones: Sequence[bytes]) -> list[Question]:
    """Opens the oldest waiting question of every free phone among `phones`; who is asked again
    may also be helped again."""
    opened = [_question(r) for r in tx.execute(_OPEN_NEXT, {"phones": list(phones)})]
    if opened:
        tx.write(_FORGET_HELP, {"phones": [q.phone_index for q in opened]})
    return opened


def close(
    tx: Tx, cases: Sequence[tuple[UUID, bytes]], last: Collection[UUID] = ()
) -> list[Question]:
    """Closes the questions of (case, phone index) pairs and opens the next ones in turn. Behind
    those that are `last` nothing waited, so that nobody makes a trip to look; where that has
    changed since, the transaction fails as a race, to be tried again."""
    if not cases:
        return []
    tx.write(_LOCK, {"phones": [p for _, p in cases]})
    tx.write(_CLOSE, {"cases": [c for c, _ in cases]})
    if done := [p for c, p in cases if c in last]:
        tx.write(_NOTHING_WAITS, {"phones": done})
    left = [p for c, p in cases if c not in last]
    return open_next(tx, left) if left else []


def follow_up(tx: Tx, cases: Sequence[UUID], dialog: str, step: str) -> None:
    """Puts another question of these cases in place of the one just answered: it stays the open
    one of its phone, before all that wait."""
    tx.write(_FOLLOW_UP, {"cases": list(cases), "dialog": dialog, "step": step})


def open_questions(tx: Tx, phones: Sequence[bytes]) -> dict[bytes, Question]:
    """The open question of each phone that has one."""
    return open_of(ask_open(tx, phones)) if phones else {}


def ask_open(tx: Tx, phones: Sequence[bytes]) -> Asked:
    """Asks for the open questions of phones, to be read by `open_of`."""
    return tx.ask(_OPEN, {"phones": list(phones)})


def open_of(asked: Asked) -> dict[bytes, Question]:
    """The open questions that were asked for, by phone."""
    found = (_question(r) for r in asked.rows())
    return {q.phone_index: q for q in found}


def asked_again(tx: Tx, counts: Sequence[tuple[UUID, int]]) -> None:
    """Notes how often questions were asked again."""
    if counts:
        tx.write(_ASKED, {"cases": [c for c, _ in counts], "asked": [n for _, n in counts]})
