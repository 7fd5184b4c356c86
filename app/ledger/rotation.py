"""Seals everything anew under another master key, while everybody goes on working.

A stale row is known by its first octet, so a rotation that was broken off goes on by itself. Rows
that somebody holds are passed over and found again by the next pass; nobody is ever waited for.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.ledger import keyring
from app.ledger.encryption import Vault, VaultError
from app.ledger.engine import Ledger, Row, Statement, Tx, sql

BATCH = 500
PASSES = 20
PAUSE_S = 0.1

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Sealed:
    """Sealed columns of a table: `key` names its rows, and they open in the `context`, a column or
    an expression over them that gives octets or an id."""

    table: str
    columns: tuple[str, ...]
    key: tuple[tuple[str, str], ...]
    context: str


_BY_ID = (("id", "uuid"),)

SEALED = (
    # Registers first: whoever reads a person learns that a rotation has begun.
    Sealed("recipients", ("iin", "phone"), _BY_ID, "iin_index"),
    Sealed("webhooks", ("secret",), _BY_ID, "id"),
    Sealed("outbox", ("phone", "body"), _BY_ID, "id"),
    Sealed("heard", ("sender", "octets"), _BY_ID, "id"),
    Sealed(
        "parts",
        ("octets", "text", "sender"),
        (("network", "text"), ("sender_index", "bytea"), ("destination", "text"),
         ("reference", "int"), ("total", "smallint"), ("number", "smallint")),
        "sender_index",
    ),
    Sealed("offers", ("facts",), _BY_ID, "id"),
    Sealed("wallet_notices", ("words",), _BY_ID, "id"),
    Sealed("wallet_consents", ("phone",), _BY_ID, "id"),
    Sealed(
        "upload_rows", ("proposal",), (("upload_id", "uuid"), ("number", "int")),
        "uuid_send(upload_id) || int4send(number)",
    ),
    Sealed("wallet_notices", ("words",), _BY_ID, "id"),
    Sealed("wallet_consents", ("phone",), _BY_ID, "id"),
    Sealed(
        "journal_evidence", ("sealed",), (("case_id", "uuid"), ("seq", "int")), "case_id"
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of a table were sealed anew."""

    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class Done:
    """What a rotation came to: the key that seals now, and what a former key still seals."""

    key: int
    tables: list[Rows]
    left: int


def rotate(
    ledger: Ledger,
    vault: Vault,
    now: datetime,
    progress: Progress = lambda table, rows: None,
    sealed: Sequence[Sealed] = SEALED,
) -> Done:
    """Seals under the configured key from now on, and everything older anew. Processes that run
    go along as soon as they meet a row of the new key; what they sealed with the former one
    meanwhile is found by another pass."""
    with ledger.begin() as tx:
        keyring.begin(tx, vault, now)
    totals = dict.fromkeys((one.table for one in sealed), 0)
    for _ in range(PASSES):
        for one in sealed:
            for rows in _pass(ledger, vault, one):
                totals[one.table] += rows
                progress(one.table, totals[one.table])
        if not left(ledger, vault, sealed):
            break
        time.sleep(PAUSE_S)  # somebody holds what is left, or sealed it just now
    tables = [Rows(table, rows) for table, rows in totals.items()]
    return Done(vault.key_id, tables, left(ledger, vault, sealed))


def left(ledger: Ledger, vault: Vault, sealed: Sequence[Sealed] = SEALED) -> int:
    """How many rows a key other than the vault's present one has sealed."""
    with ledger.begin() as tx:
        return sum(
            int(tx.execute(_count(one), {"key_id": vault.key_id}).scalar_one()) for one in sealed
        )


def is_stale(ledger: Ledger, vault: Vault) -> bool:
    """Is anything sealed with another key than the present one?"""
    return left(ledger, vault) > 0


def _pass(ledger: Ledger, vault: Vault, one: Sealed) -> Iterator[int]:
    """Once over the table, in the order of its key."""
    after: dict[str, object] = {}
    while True:
        with ledger.begin() as tx:
            rows = _stale(tx, vault, one, after)
            done = _save(tx, vault, one, rows) if rows else 0
        if not rows:
            return
        after = {f"after_{name}": getattr(rows[-1], name) for name, _ in one.key}
        yield done


def _stale(tx: Tx, vault: Vault, one: Sealed, after: Mapping[str, object]) -> list[Row]:
    names = ", ".join(name for name, _ in one.key)
    beyond = ", ".join(f"CAST(:after_{name} AS {kind})" for name, kind in one.key)
    statement = f"""SELECT {names}, {one.context} AS context, {", ".join(one.columns)}
        FROM {one.table} WHERE {_is_stale(one)}
        {f"AND ({names}) > ({beyond})" if after else ""}
        ORDER BY {names} LIMIT {BATCH} FOR UPDATE SKIP LOCKED"""
    return list(tx.execute(sql(statement), {"key_id": vault.key_id, **after}))


def _save(tx: Tx, vault: Vault, one: Sealed, rows: Sequence[Row]) -> int:
    """How many of them were sealed anew: what no key of ours opens stays as it is, and counted."""
    keys = [name for name, _ in one.key]
    fresh = [(r, a) for r in rows if (a := _anew(vault, one, r)) is not None]
    if not fresh:
        return 0
    values: dict[str, list[object]] = {k: [getattr(r, k) for r, _ in fresh] for k in keys}
    values |= {name: [a[i] for _, a in fresh] for i, name in enumerate(one.columns)}
    places = [f"CAST(:{name} AS {kind}[])" for name, kind in one.key]
    places += [f"CAST(:{name} AS bytea[])" for name in one.columns]
    tx.write(
        sql(
            f"UPDATE {one.table} o SET {', '.join(f'{c} = t.{c}' for c in one.columns)} "
            f"FROM unnest({', '.join(places)}) AS t ({', '.join([*keys, *one.columns])}) "
            f"WHERE {' AND '.join(f'o.{k} = t.{k}' for k in keys)}"
        ),
        values,
    )
    return len(fresh)


def _anew(vault: Vault, one: Sealed, row: Row) -> list[bytes | None] | None:
    context = row.context.bytes if isinstance(row.context, UUID) else bytes(row.context)
    sealed = [getattr(row, name) for name in one.columns]
    try:
        return [None if s is None else vault.reseal(bytes(s), context) for s in sealed]
    except VaultError:
        return None


def _is_stale(one: Sealed) -> str:
    return "(" + " OR ".join(f"get_byte({c}, 0) <> :key_id" for c in one.columns) + ")"


def _count(one: Sealed) -> Statement:
    return sql(f"SELECT count(*) FROM {one.table} WHERE {_is_stale(one)}")
