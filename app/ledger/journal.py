"""The journal: every case is a hash chain of entries that are only appended (155/НҚ, clause 6).

An entry's hash covers the one before it and a canonical JSON body. What a person wrote is sealed
apart as evidence; the body carries only a salted digest of it, so that the words can be erased
one day and the chain still proves what they were.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from app.ledger.chain import GENESIS, SALT, Break, Chain, Entry, digest, link, verify
from app.ledger.encryption import Vault
from app.ledger.engine import Row, Tx, sql

__all__ = ["GENESIS", "SALT", "Break", "Chain", "Entry", "Journal", "digest", "link", "verify"]

AT_ONCE = 2_000

_canonical = msgspec.json.Encoder(order="sorted")


@dataclass(slots=True)
class Journal:
    """Gathers the entries of one transaction; `write` appends them in one statement."""

    vault: Vault
    entries: list[Entry] = field(default_factory=list)
    in_force: Mapping[str, str] = field(default_factory=dict)

    def append(
        self, chain: Chain, kind: str, at: datetime, said: bytes | None = None, /, **facts: Any
    ) -> Entry:
        """Adds an entry of `kind` that happened `at` (UTC) with `facts` that hold nothing
        personal; `said` is the octets a person sent, kept sealed. The first entry of a case, and
        every one of somebody's words, names the wordings, rules and acts that were in force."""
        evidence = None
        if said is not None:
            salt = secrets.token_bytes(SALT)
            facts["said"] = digest(salt, said)
            evidence = self.vault.seal(salt + said, chain.case_id.bytes)
        if self.in_force and (said is not None or not chain.version):
            facts["in_force"] = self.in_force
        body = _canonical.encode(
            {
                "case": chain.case_id,
                "seq": chain.version + 1,
                "at": at.astimezone(UTC),
                "kind": kind,
                "facts": facts,
            }
        )
        entry = Entry(
            chain.case_id, chain.version + 1, at, kind, body, evidence, link(chain.head, body)
        )
        chain.version, chain.head = entry.seq, entry.hash
        self.entries.append(entry)
        return entry

    def write(self, tx: Tx) -> None:
        """Appends what was gathered; a second writer of the same case is refused by the key."""
        if not self.entries:
            return
        rows = [(e.case_id, e.seq, e.at, e.kind, e.body, e.hash) for e in self.entries]
        tx.write(_INSERT, _columns(("case_id", "seq", "at", "kind", "body", "hash"), rows))
        said = [(e.case_id, e.seq, e.evidence) for e in self.entries if e.evidence is not None]
        if said:
            tx.write(_INSERT_EVIDENCE, _columns(("case_id", "seq", "sealed"), said))
        self.entries.clear()


def _columns(names: tuple[str, ...], rows: list[Any]) -> dict[str, list[Any]]:
    columns = zip(*rows, strict=True)
    return {n: list(c) for n, c in zip(names, columns, strict=True)}


_INSERT = sql(
    """INSERT INTO journal (case_id, seq, at, kind, body, hash)
    SELECT * FROM unnest(CAST(:case_id AS uuid[]), CAST(:seq AS int[]),
        CAST(:at AS timestamptz[]), CAST(:kind AS text[]), CAST(:body AS bytea[]),
        CAST(:hash AS bytea[]))"""
)
_INSERT_EVIDENCE = sql(
    """INSERT INTO journal_evidence (case_id, seq, sealed)
    SELECT * FROM unnest(CAST(:case_id AS uuid[]), CAST(:seq AS int[]),
        CAST(:sealed AS bytea[]))"""
)
_ENTRIES = """SELECT j.case_id, j.seq, j.at, j.kind, j.body, j.hash, e.sealed FROM journal j
    LEFT JOIN journal_evidence e ON e.case_id = j.case_id AND e.seq = j.seq"""
_OF_CASE = sql(f"{_ENTRIES} WHERE j.case_id = :case_id ORDER BY j.seq")
_ALL = sql(f"{_ENTRIES} ORDER BY j.case_id, j.seq")
_CASES = sql("SELECT DISTINCT case_id FROM journal ORDER BY case_id")
# The planner's guess, for a progress bar: counting them would read all of them once more.
_ABOUT = sql("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'journal'::regclass")


def _entry(r: Row) -> Entry:
    evidence = None if r.sealed is None else bytes(r.sealed)
    return Entry(r.case_id, r.seq, r.at, r.kind, bytes(r.body), evidence, bytes(r.hash))


def of_case(tx: Tx, case_id: UUID) -> list[Entry]:
    """A case's entries, oldest first."""
    return [_entry(r) for r in tx.execute(_OF_CASE, {"case_id": case_id})]


def cases(tx: Tx) -> list[UUID]:
    """Every case that has a journal."""
    return list(tx.execute(_CASES).scalars())


def every_case(tx: Tx) -> Iterator[list[Entry]]:
    """The entries of one case after another, read by a cursor: any number of them fits."""
    gathered: list[Entry] = []
    for row in tx.stream(_ALL, at_once=AT_ONCE):
        entry = _entry(row)
        if gathered and gathered[0].case_id != entry.case_id:
            yield gathered
            gathered = []
        gathered.append(entry)
    if gathered:
        yield gathered


def about_how_many(tx: Tx) -> int:
    """Roughly how many entries there are."""
    return int(tx.execute(_ABOUT).scalar_one())
