"""What a whole ledger is asked when it is verified: where the journal, the seals and the cases' own
rows do not say the same. It only reads.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from app.ledger.engine import Row, Tx, sql

AT_ONCE = 5_000

_SNAPSHOT = sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_CASE_TABLES = sql(
    """SELECT c.table_name FROM information_schema.columns c
    WHERE c.table_schema = 'public' AND c.column_name = ANY(CAST(:names AS text[]))
      AND EXISTS (SELECT FROM information_schema.columns h WHERE h.table_schema = 'public'
          AND h.table_name = c.table_name AND h.column_name = 'head' AND h.data_type = 'bytea')
      AND EXISTS (SELECT FROM information_schema.columns i WHERE i.table_schema = 'public'
          AND i.table_name = c.table_name AND i.column_name = 'id' AND i.data_type = 'uuid')
    GROUP BY c.table_name HAVING count(*) = cardinality(CAST(:names AS text[]))
    ORDER BY c.table_name"""
)
_HEADS = """SELECT t.id, t.version, t.head, j.seq, j.hash FROM {table} t
    LEFT JOIN LATERAL (SELECT seq, hash FROM journal WHERE case_id = t.id
                       ORDER BY seq DESC LIMIT 1) j ON true
    WHERE (CAST(:case_id AS uuid) IS NULL OR t.id = :case_id)
      AND (j.seq IS DISTINCT FROM t.version OR j.hash IS DISTINCT FROM t.head)
    ORDER BY t.id"""
_HEAD_OF = "SELECT head FROM {table} WHERE id = :case_id"
STATED = tuple("state service created_at received_at deadline closed_at answered_by".split())
_STATED = "SELECT id, {names} FROM {table} WHERE id = ANY(CAST(:ids AS uuid[]))"
_SEALED = sql(
    """SELECT l.number, l.place, l.case_id, l.since, l.seq, l.head, j.hash,
        lag(l.seq, 1, 0) OVER (PARTITION BY l.case_id ORDER BY l.number) AS before
    FROM seal_leaves l LEFT JOIN journal j ON j.case_id = l.case_id AND j.seq = l.seq
    WHERE CAST(:case_id AS uuid) IS NULL OR l.case_id = :case_id
    ORDER BY l.number, l.place"""
)
_UNSEALED = sql(
    """SELECT j.case_id, min(j.seq) AS seq, min(j.at) AS at FROM journal j
    LEFT JOIN LATERAL (SELECT l.seq FROM seal_leaves l WHERE l.case_id = j.case_id
                       ORDER BY l.seq DESC LIMIT 1) s ON true
    WHERE j.at < :until AND j.seq > coalesce(s.seq, 0)
      AND (CAST(:case_id AS uuid) IS NULL OR j.case_id = :case_id)
    GROUP BY j.case_id ORDER BY j.case_id"""
)

_OF_PHONE = """SELECT t.id FROM {table} t WHERE t.phone_index = :phone
    AND EXISTS (SELECT FROM journal j WHERE j.case_id = t.id
                AND j.at >= :begins AND j.at < :ends)"""


def snapshot(tx: Tx) -> None:
    """All that follows sees the ledger as it is now, however long it takes."""
    tx.write(_SNAPSHOT)


def case_tables(tx: Tx, *more: str) -> list[str]:
    """Tables whose rows carry the end of their case's chain (columns id, version and head) and
    have these columns as well."""
    names = ["id", "version", "head", *more]
    return list(tx.execute(_CASE_TABLES, {"names": names}).scalars())


def heads(tx: Tx, case_id: UUID | None) -> Iterator[tuple[str, Row]]:
    """(table, row) of cases whose own row and journal do not end alike: id, version, head of the
    row, seq and hash of the last entry (None: there is none)."""
    for table in case_tables(tx):
        statement = sql(_HEADS.format(table=table))
        yield from ((table, r) for r in tx.execute(statement, {"case_id": case_id}))


def head_of(tx: Tx, case_id: UUID) -> bytes | None:
    """The last hash of a case as its own row has it."""
    for table in case_tables(tx):
        found = tx.execute(
            sql(_HEAD_OF.format(table=table)), {"case_id": case_id}
        ).scalar_one_or_none()
        if found is not None:
            return bytes(found)
    return None


def stated(tx: Tx, case_ids: Sequence[UUID]) -> Iterator[tuple[str, Row]]:
    """(table, row) of cases whose row says how they stand: id and the columns of STATED."""
    for table in case_tables(tx, *STATED):
        statement = sql(_STATED.format(table=table, names=", ".join(STATED)))
        yield from ((table, r) for r in tx.execute(statement, {"ids": list(case_ids)}))


def of_phone(tx: Tx, phone_index: bytes, begins: datetime, ends: datetime) -> list[UUID]:
    """Cases of a phone with which something happened in [begins, ends), oldest first."""
    values = {"phone": phone_index, "begins": begins, "ends": ends}
    found: list[UUID] = []
    for table in case_tables(tx, "phone_index"):
        found += tx.execute(sql(_OF_PHONE.format(table=table)), values).scalars()
    return sorted(found)


def sealed(tx: Tx, case_id: UUID | None) -> Iterator[Row]:
    """Every leaf with the hash of its entry (None: it is gone) and the `seq` of the case's leaf
    before it (0: it is the first)."""
    return tx.stream(_SEALED, {"case_id": case_id}, at_once=AT_ONCE)


def unsealed(tx: Tx, until: datetime, case_id: UUID | None) -> Sequence[Row]:
    """Cases with an entry from before `until` that no seal covers: case_id, its seq and time."""
    return list(tx.execute(_UNSEALED, {"until": until, "case_id": case_id}))
