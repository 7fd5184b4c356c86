"""A case's chain of entries, and what does not hold in it. Pure: it reads what it is given.

hash = SHA-256(the hash before it + body); body is canonical JSON (keys sorted, UTF-8, no spaces),
and names its case, number, time and kind once more, so that no column can be changed alone.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.ledger.encryption import Vault, VaultError

GENESIS = bytes(32)
SALT = 16
ERASED = "erased"
"""The kind of the entry that says what a policy of retention erased from its case."""

_read = msgspec.json.Decoder()


@dataclass(slots=True)
class Chain:
    """The end of one case's chain; `version` is the number of entries so far."""

    case_id: UUID
    version: int = 0
    head: bytes = GENESIS


class Entry(Struct, frozen=True):
    """One entry as it is stored. `evidence` is sealed, or None where nothing personal was said
    or it has been erased."""

    case_id: UUID
    seq: int
    at: datetime
    kind: str
    body: bytes
    evidence: bytes | None
    hash: bytes


@dataclass(frozen=True, slots=True)
class Break:
    """Where something does not hold, in words. `seq` is 0 where it is about no single entry."""

    case_id: str
    seq: int
    what: str

    def __str__(self) -> str:
        place = f"case {self.case_id}" if self.case_id else "the seals"
        return f"{place}{f' entry {self.seq}' if self.seq else ''}: {self.what}"


def link(previous: bytes, body: bytes) -> bytes:
    """SHA-256 over the previous hash and the canonical body."""
    return hashlib.sha256(previous + body).digest()


def digest(salt: bytes, said: bytes) -> str:
    """The salted digest that stands for a person's words in the body."""
    return hashlib.sha256(salt + said).hexdigest()


def verify(
    entries: Sequence[Entry], vault: Vault | None = None, head: bytes | None = None
) -> list[Break]:
    """Recomputes one case's chain, oldest entry first. With `vault`, what people said is compared
    with its digest too; `head` is the last hash as somebody else has it. An empty list: nothing
    was edited, cut out or swapped."""
    found: list[Break] = []
    previous, expected = GENESIS, 1
    erased = _erased(entries)
    for place, entry in enumerate(entries):
        following = entries[place + 1] if place + 1 < len(entries) else None
        whats = list(_order(entry, expected))
        if not whats:  # after a gap nothing can follow from what is not there
            whats += _hash_faults(entry, previous, following, head)
        whats += _column_faults(entry)
        whats += _evidence_faults(entry, vault, erased)
        found += [Break(str(entry.case_id), entry.seq, what) for what in whats]
        previous = _trusted(entry, previous, following)
        expected = entry.seq + 1
    return found


def _order(entry: Entry, expected: int) -> Iterator[str]:
    if entry.seq > expected:
        missing = f"entry {expected} is" if entry.seq == expected + 1 else "entries before it are"
        yield f"{missing} missing: expected number {expected}, found {entry.seq}"
    elif entry.seq < expected:
        yield f"column seq: found {entry.seq}, expected {expected}"


def _hash_faults(
    entry: Entry, previous: bytes, following: Entry | None, head: bytes | None
) -> Iterator[str]:
    computed = link(previous, entry.body)
    if computed == entry.hash:
        return
    if following is not None and link(computed, following.body) == following.hash:
        yield "column hash: altered; the next entry follows from the right one"
    elif following is None and head == computed:
        yield "column hash: altered; the case's own row has the right one"
    elif _follows(entry, following) or (following is None and head == entry.hash):
        yield "column body: altered; its hash is not the one written when it was appended"
    else:
        yield "columns body, hash: the hash does not follow from the entry before it and this body"


def _follows(entry: Entry, following: Entry | None) -> bool:
    return following is not None and link(entry.hash, following.body) == following.hash


def _trusted(entry: Entry, previous: bytes, following: Entry | None) -> bytes:
    """The hash to go on from, so that one altered entry is told of once."""
    computed = link(previous, entry.body)
    is_right = following is not None and link(computed, following.body) == following.hash
    return computed if is_right else entry.hash


def body_of(entry: Entry) -> dict[str, Any] | None:
    """What the body says; None where it is no body of ours."""
    try:
        body = _read.decode(entry.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return body if isinstance(body, dict) and isinstance(body.get("facts"), dict) else None


def _column_faults(entry: Entry) -> Iterator[str]:
    body = body_of(entry)
    if body is None:
        yield "column body: found something else, expected JSON with case, seq, at, kind and facts"
        return
    columns = (
        ("case_id", str(entry.case_id), body.get("case")),
        ("seq", entry.seq, body.get("seq")),
        ("kind", entry.kind, body.get("kind")),
        ("at", _instant(entry.at), body.get("at")),
    )
    for name, stored, said in columns:
        if stored != said:
            yield f"column {name}: found {stored}, the body says {said}"


def _instant(at: datetime) -> str:
    return str(msgspec.json.decode(msgspec.json.encode(at.astimezone(UTC))))


def _erased(entries: Iterable[Entry]) -> set[int]:
    """The numbers of entries whose words a policy of retention has erased since."""
    found: set[int] = set()
    for entry in entries:
        if entry.kind == ERASED:
            facts = (body_of(entry) or {"facts": {}})["facts"]
            found |= set(facts.get("entries") or ())
    return found


def _evidence_faults(entry: Entry, vault: Vault | None, erased: set[int]) -> Iterator[str]:
    said = (body_of(entry) or {"facts": {}})["facts"].get("said")
    if vault is None:
        return
    if entry.evidence is None:
        if said is not None and entry.seq not in erased:
            yield "what was said is gone, and no entry of the case says that it was erased"
        return
    if said is None:
        yield "table journal_evidence: found words of an entry that has none"
        return
    try:
        opened = vault.open(entry.evidence, entry.case_id.bytes)
    except VaultError as error:
        yield f"table journal_evidence, column sealed: {error}"
        return
    if digest(opened[:SALT], opened[SALT:]) != said:
        yield "what was said does not match its digest"
