"""Which segment a receipt is about, and the receipts that came before their segment.

Ids repeat, change their spelling on the way and may mean nothing (SMPP 3.4, Appendix B; OsmoMSC
gives every message the same one). So a receipt is matched by the spellings of its id, the phone
and the network, within some days, newest first; where no id matches anything, by the
user_message_reference that it carries (5.3.2.17). Two messages that it could both be, by
different readings of the id, are an error to be counted, never a guess.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from app.ledger.engine import Asked, Row, Tx, sql
from app.ledger.segments import Hit, Proof, Submitted

NOT_FINAL = ("ENROUTE", "ACCEPTD", "UNKNOWN")


@dataclass(frozen=True, slots=True)
class Window:
    """Around a receipt's arrival: how much older its segment may be, and, where the receipt
    overtook the response, how much younger."""

    older: timedelta
    younger: timedelta


@dataclass(frozen=True, slots=True)
class Matched:
    """What became of a batch of receipts."""

    hits: Sequence[Hit]
    orphans: Sequence[Proof]
    ambiguous: Sequence[Proof]


class _Candidate(Struct, frozen=True):
    """A segment that a receipt may be about."""

    key: tuple[UUID, int, int]
    at: datetime
    total: int
    smsc_id: str
    umr: int | None
    is_open: bool

    @property
    def message(self) -> tuple[UUID, int]:
        return self.key[:2]


_OPEN = "(s.receipt IS NULL OR s.receipt IN ('ENROUTE', 'ACCEPTD', 'UNKNOWN'))"
_IN_TIME = """s.at BETWEEN t.received_at - CAST(:older AS interval)
            AND t.received_at + CAST(:younger AS interval)"""


def _plain(id: str) -> str:
    """Either side may have padded an id or changed its case, so besides its own spelling a
    segment's id goes by its plain one, which is among the spellings of a receipt's."""
    return f"ltrim(lower({id}), '0x')"


_OF_SEGMENT = f"""r.received_at >= :soonest
    AND (r.ids && ARRAY[t.smsc_id, {_plain("t.smsc_id")}] OR r.umr = t.umr)"""
_BETWEEN = "\x1f"  # ids; it separates units by its very name, and one that holds it is none


def _together(ids: Sequence[str]) -> str:
    return _BETWEEN.join(id for id in ids if id and _BETWEEN not in id)


# LATERAL and OFFSET: by the phone's index whatever the planner thinks of a table that it does not
# know yet; a new one it would read in whole.
_BY_ID = sql(
    f"""SELECT t.n, s.outbox_id, s.attempt, s.number, s.total, s.at, s.smsc_id, s.umr,
        s.is_open
    FROM (SELECT n, string_to_array(ids, chr(31)) AS ids, phone_index, network, received_at
        FROM unnest(CAST(:n AS int[]), CAST(:ids AS text[]), CAST(:phone AS bytea[]),
            CAST(:network AS text[]), CAST(:received AS timestamptz[]))
            AS t (n, ids, phone_index, network, received_at)) t
    CROSS JOIN LATERAL (
        SELECT s.*, {_OPEN} AS is_open, {_plain("s.smsc_id")} AS plain
        FROM segments s WHERE s.phone_index = t.phone_index OFFSET 0) s
    WHERE t.ids && ARRAY[s.smsc_id, s.plain] AND s.network = t.network AND {_IN_TIME}
    ORDER BY t.n, least(array_position(t.ids, s.smsc_id), array_position(t.ids, s.plain)),
        s.at DESC, s.number"""
)
_BY_REFERENCE = sql(
    f"""SELECT t.n, s.outbox_id, s.attempt, s.number, s.total, s.at, '' AS smsc_id,
        s.umr, true AS is_open
    FROM unnest(CAST(:n AS int[]), CAST(:umr AS smallint[]), CAST(:phone AS bytea[]),
        CAST(:network AS text[]), CAST(:received AS timestamptz[]))
        AS t (n, umr, phone_index, network, received_at)
    CROSS JOIN LATERAL (
        SELECT * FROM segments s WHERE s.phone_index = t.phone_index OFFSET 0) s
    WHERE s.umr = t.umr AND s.network = t.network AND s.outcome IN ('accepted', 'unknown')
        AND {_OPEN} AND {_IN_TIME}
    ORDER BY s.at DESC, s.number"""
)

_OTHERS = sql(
    f"""SELECT must_be_all(count(*), 0)
    FROM (SELECT string_to_array(ids, chr(31)) AS ids, smsc_id, umr, phone_index, network,
            received_at
        FROM unnest(CAST(:ids AS text[]), CAST(:smsc_id AS text[]), CAST(:umr AS smallint[]),
            CAST(:phone AS bytea[]), CAST(:network AS text[]), CAST(:received AS timestamptz[]))
            AS t (ids, smsc_id, umr, phone_index, network, received_at)) t
    CROSS JOIN LATERAL (
        SELECT FROM (SELECT * FROM segments s WHERE s.phone_index = t.phone_index OFFSET 0) s
        WHERE t.ids && ARRAY[s.smsc_id, {_plain("s.smsc_id")}] AND s.network = t.network
          AND {_OPEN} AND {_IN_TIME}
        UNION ALL
        SELECT FROM orphan_receipts r WHERE r.phone_index = t.phone_index AND {_OF_SEGMENT}
    ) other"""
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Receipts, and what was asked of the segments that they may be about."""

    proofs: Sequence[Proof]
    window: Window
    by_id: Asked | None


def ask(tx: Tx, proofs: Sequence[Proof], window: Window) -> Candidates:
    """Asks for the segments whose ids the receipts may mean."""
    named = [(n, p) for n, p in enumerate(proofs) if any(p.ids)]
    if not named:
        return Candidates(proofs, window, None)
    values = {"n": [n for n, _ in named], "ids": [_together(p.ids) for _, p in named]}
    asked = tx.ask(_BY_ID, values | _about([p for _, p in named], window))
    return Candidates(proofs, window, asked)


def expect_no_others(
    tx: Tx, rows: Sequence[Submitted], proofs: Sequence[Proof], window: Window, soonest: datetime
) -> None:
    """Fails the transaction, as a race does, where receipts have been stored with their segments,
    `rows`, and something else could be meant: other segments that the receipts may be about, or
    receipts that wait, of those that came not before `soonest`, for one of these."""
    of_segments = {
        "ids": [_together(p.ids) for p in proofs],
        "smsc_id": [r.smsc_id for r in rows],
        "umr": [r.umr for r in rows],
        "soonest": soonest,
    }
    tx.write(_OTHERS, of_segments | _about(proofs, window))


def match(tx: Tx, asked: Candidates) -> Matched:
    """Finds the segment of each receipt, in their order: the second of two receipts that could be
    of one segment is of the next."""
    proofs, window = asked.proofs, asked.window
    found = _gathered(asked.by_id.rows().all()) if asked.by_id is not None else {}
    found |= _by_reference(tx, proofs, [n for n in range(len(proofs)) if n not in found], window)
    taken: set[tuple[UUID, int, int]] = set()
    hits: list[Hit] = []
    ambiguous: list[Proof] = []
    for n, proof in enumerate(proofs):
        if n not in found:
            continue
        chosen = _choose(proof, found[n], taken)
        if chosen is None:
            ambiguous.append(proof)
            continue
        if proof.is_final:
            taken.add(chosen.key)
        hits.append(Hit(proof, *chosen.key, chosen.at, chosen.total))
    return Matched(hits, [p for n, p in enumerate(proofs) if n not in found], ambiguous)


def _choose(
    proof: Proof, found: Sequence[_Candidate], taken: set[tuple[UUID, int, int]]
) -> _Candidate | None:
    """None where the id, read in two ways, names two messages that both await a receipt."""
    if len(found) == 1:
        return found[0]
    if proof.umr is not None and any(c.umr == proof.umr for c in found):
        found = [c for c in found if c.umr == proof.umr]
    exact = {_number(c.smsc_id) for c in found if c.smsc_id in proof.ids}
    found = [c for c in found if c.smsc_id in proof.ids or _number(c.smsc_id) not in exact]
    waiting = [c for c in found if c.is_open and c.key not in taken]
    if not waiting:
        return found[0]  # it came twice: nothing changes
    if len({c.key[0] for c in waiting}) > 1 and len({_number(c.smsc_id) for c in waiting}) > 1:
        return None
    newest = max(waiting, key=lambda c: (c.at, c.key[1]))
    return min((c for c in waiting if c.message == newest.message), key=lambda c: c.key[2])


def _number(smsc_id: str) -> str:
    """What an id is without its case, leading zeros and a hexadecimal's "0x"."""
    return smsc_id.lower().lstrip("0x")


def _by_reference(
    tx: Tx, proofs: Sequence[Proof], unmatched: Sequence[int], window: Window
) -> dict[int, list[_Candidate]]:
    left = [(n, proofs[n]) for n in unmatched if proofs[n].umr is not None]
    if not left:
        return {}
    values = {"n": [n for n, _ in left], "umr": [p.umr for _, p in left]}
    return _gathered(tx.execute(_BY_REFERENCE, values | _about([p for _, p in left], window)).all())


def _about(proofs: Sequence[Proof], window: Window) -> dict[str, object]:
    return {
        "phone": [p.phone_index for p in proofs],
        "network": [p.network for p in proofs],
        "received": [p.received_at for p in proofs],
        "older": window.older,
        "younger": window.younger,
    }


def _gathered(rows: Sequence[Row]) -> dict[int, list[_Candidate]]:
    found: dict[int, list[_Candidate]] = {}
    for r in rows:
        key = (r.outbox_id, r.attempt, r.number)
        one = _Candidate(key, r.at, r.total, r.smsc_id, r.umr, r.is_open)
        found.setdefault(r.n, []).append(one)
    return found


# --- receipts that came before their segment ------------------------------------------------

_ORPHAN = sql(
    """INSERT INTO orphan_receipts
        (ids, umr, phone_index, network, cid, state, error, done_at, received_at)
    SELECT string_to_array(ids, chr(31)), umr, phone_index, network, cid, state, error, done_at,
        received_at
    FROM unnest(CAST(:ids AS text[]), CAST(:umr AS smallint[]), CAST(:phone AS bytea[]),
        CAST(:network AS text[]), CAST(:cid AS text[]), CAST(:state AS text[]),
        CAST(:error AS text[]), CAST(:done AS timestamptz[]), CAST(:received AS timestamptz[]))
        AS t (ids, umr, phone_index, network, cid, state, error, done_at, received_at)"""
)
_ADOPT = sql(
    f"""DELETE FROM orphan_receipts r
    USING unnest(CAST(:smsc_id AS text[]), CAST(:umr AS smallint[]), CAST(:phone AS bytea[]))
        AS t (smsc_id, umr, phone_index)
    WHERE r.phone_index = t.phone_index AND {_OF_SEGMENT}
    RETURNING r.*"""
)
_LATE = sql(
    f"""DELETE FROM orphan_receipts t WHERE EXISTS (
        SELECT 1 FROM segments s
        WHERE s.phone_index = t.phone_index AND s.network = t.network AND {_IN_TIME}
          AND (t.ids && ARRAY[s.smsc_id, {_plain("s.smsc_id")}]
            OR s.umr = t.umr AND {_OPEN}))
    RETURNING t.*"""
)
_FORGET_ORPHANS = sql("DELETE FROM orphan_receipts WHERE received_at < :before")


def keep_orphans(tx: Tx, orphans: Sequence[Proof]) -> None:
    """Stores receipts whose submit response has not come yet; the response will look for them."""
    if not orphans:
        return
    tx.write(
        _ORPHAN,
        {
            "ids": [_together(p.ids) for p in orphans],
            "umr": [p.umr for p in orphans],
            "phone": [p.phone_index for p in orphans],
            "network": [p.network for p in orphans],
            "cid": [p.cid for p in orphans],
            "state": [p.state for p in orphans],
            "error": [p.error for p in orphans],
            "done": [p.done_at for p in orphans],
            "received": [p.received_at for p in orphans],
        },
    )


def ask_adopted(tx: Tx, rows: Sequence[Submitted], soonest: datetime) -> Asked | None:
    """Takes receipts out that came before the responses in `rows`, but not before `soonest`, and
    waited for them; they are read by `adopted`."""
    named = [r for r in rows if r.smsc_id]
    if not named:
        return None
    values = {
        "smsc_id": [r.smsc_id for r in named],
        "umr": [r.umr for r in named],
        "phone": [r.phone_index for r in named],
        "soonest": soonest,
    }
    return tx.ask(_ADOPT, values)


def adopted(asked: Asked) -> list[Proof]:
    """The receipts that waited; final ones last."""
    return _adopted(asked.rows().all())


def late_matches(tx: Tx, window: Window, forget_before: datetime) -> list[Proof]:
    """Orphans whose segment has been stored since, by another gateway; those received before
    `forget_before` are forgotten, for no response comes that late."""
    found = tx.execute(_LATE, {"older": window.older, "younger": window.younger}).all()
    tx.write(_FORGET_ORPHANS, {"before": forget_before})
    return _adopted(found)


def _adopted(rows: Sequence[Row]) -> list[Proof]:
    proofs = [
        Proof(
            tuple(r.ids), bytes(r.phone_index), r.network, r.state, r.error, r.done_at,
            r.received_at, r.state not in NOT_FINAL, r.umr, r.cid,
        )
        for r in sorted(rows, key=lambda r: r.received_at)
    ]  # fmt: skip
    return sorted(proofs, key=lambda p: p.is_final)
