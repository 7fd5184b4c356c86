"""The journal: every case is a hash chain of entries that are only appended (155/НҚ, clause 6).

An entry's hash covers the one before it and a canonical JSON body. What a person wrote is sealed
apart as evidence; the body carries only a salted digest of it, so that the words can be erased
one day and the chain still proves what they were.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from app.ledger.encryption import Vault
from app.ledger.engine import Tx, sql

GENESIS = bytes(32)
SALT = 16

_canonical = msgspec.json.Encoder(order="sorted")
_read = msgspec.json.Decoder()


@dataclass(slots=True)
class Chain:
    """The end of one case's chain; `version` is the number of entries so far."""

    case_id: UUID
    version: int = 0
    head: bytes = GENESIS


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is stored. `evidence` is sealed, or None where nothing personal was said."""

    case_id: UUID
    seq: int
    at: datetime
    kind: str
    body: bytes
    evidence: bytes | None
    hash: bytes


@dataclass(slots=True)
class Journal:
    """Gathers the entries of one transaction; `write` appends them in one statement."""

    vault: Vault
    entries: list[Entry] = field(default_factory=list)

    def append(
        self, chain: Chain, kind: str, at: datetime, said: bytes | None = None, /, **facts: Any
    ) -> Entry:
        """Adds an entry of `kind` that happened `at` (UTC) with `facts` that hold nothing
        personal; `said` is the octets a person sent, kept sealed."""
        evidence = None
        if said is not None:
            salt = secrets.token_bytes(SALT)
            facts["said"] = digest(salt, said)
            evidence = self.vault.seal(salt + said, chain.case_id.bytes)
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
        if self.entries:
            columns = zip(
                *(
                    (e.case_id, e.seq, e.at, e.kind, e.body, e.evidence, e.hash)
                    for e in self.entries
                ),
                strict=True,
            )
            names = ("case_id", "seq", "at", "kind", "body", "evidence", "hash")
            tx.execute(_INSERT, {n: list(c) for n, c in zip(names, columns, strict=True)})
            self.entries.clear()


def link(previous: bytes, body: bytes) -> bytes:
    """SHA-256 over the previous hash and the canonical body."""
    return hashlib.sha256(previous + body).digest()


def digest(salt: bytes, said: bytes) -> str:
    """The salted digest that stands for a person's words in the body."""
    return hashlib.sha256(salt + said).hexdigest()


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold, in words."""

    case_id: str
    seq: int
    what: str


def verify(entries: Sequence[Entry], vault: Vault | None = None) -> list[Break]:
    """Recomputes one case's chain, oldest entry first. With `vault`, what people said is compared
    with its digest too. An empty list: nothing was edited, cut out or swapped."""
    found: list[Break] = []
    previous = GENESIS
    for number, entry in enumerate(entries, start=1):
        found += [
            Break(str(entry.case_id), number, what)
            for what in _faults(entry, number, previous, vault)
        ]
        previous = entry.hash
    return found


def _faults(entry: Entry, number: int, previous: bytes, vault: Vault | None) -> Iterable[str]:
    body = _read.decode(entry.body)
    if entry.seq != number:
        yield f"entry {number} is missing: the next one found is {entry.seq}"
    if link(previous, entry.body) != entry.hash:
        yield "the hash does not follow from the entry before it and this one's body"
    if (body["case"], body["seq"], body["kind"]) != (str(entry.case_id), entry.seq, entry.kind):
        yield "the columns and the body name different entries"
    if datetime.fromisoformat(body["at"]) != entry.at:
        yield "the column and the body give different times"
    said = body["facts"].get("said")
    if vault is not None and entry.evidence is not None:
        opened = vault.open(entry.evidence, entry.case_id.bytes)
        if digest(opened[:SALT], opened[SALT:]) != said:
            yield "what was said does not match its digest"


_INSERT = sql(
    """INSERT INTO journal (case_id, seq, at, kind, body, evidence, hash)
    SELECT * FROM unnest(CAST(:case_id AS uuid[]), CAST(:seq AS int[]),
        CAST(:at AS timestamptz[]), CAST(:kind AS text[]), CAST(:body AS bytea[]),
        CAST(:evidence AS bytea[]), CAST(:hash AS bytea[]))"""
)
_OF_CASE = sql("SELECT * FROM journal WHERE case_id = :case_id ORDER BY seq")
_CASES = sql("SELECT DISTINCT case_id FROM journal ORDER BY case_id")


def of_case(tx: Tx, case_id: UUID) -> list[Entry]:
    """A case's entries, oldest first."""
    return [
        Entry(
            r.case_id,
            r.seq,
            r.at,
            r.kind,
            bytes(r.body),
            None if r.evidence is None else bytes(r.evidence),
            bytes(r.hash),
        )
        for r in tx.execute(_OF_CASE, {"case_id": case_id})
    ]


def cases(tx: Tx) -> list[UUID]:
    """Every case that has a journal."""
    return list(tx.execute(_CASES).scalars())
