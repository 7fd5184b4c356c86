"""The case file: one case with its chain, its seals and the way from one to the other, so that an
authorised body can check it by itself (155/НҚ, clause 6; 292/НҚ, clause 14).
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from app.ledger import journal, seals
from app.ledger.chain import GENESIS, SALT, Entry
from app.ledger.encryption import Vault
from app.ledger.engine import Tx
from app.ledger.seals import Leaf, Seal

FORMAT = "jauap-case-1"


class Said(Struct, frozen=True):
    """What a person wrote, in hex: `digest` in the body is SHA-256(salt + octets)."""

    salt: str
    octets: str


class CaseEntry(Struct, frozen=True):
    """One entry: hash = SHA-256(hash before it + body). `body` is the text that was hashed, and
    `facts` is taken from it; only an auditor is shown what was `said`."""

    seq: int
    at: datetime
    kind: str
    facts: dict[str, Any]
    body: str
    hash: str
    said: Said | None


class CaseSeal(Struct, frozen=True):
    """A day's seal that covers entries `since` + 1 to `seq`. `body` is the text that was signed
    (Ed25519) and names root, key and the seal before it. The leaf is SHA-256(0x00 + case id +
    `since` + `seq` (4 octets each) + `head`); `path` leads from it, at `place`, to the root
    (RFC 9162, section 2.1.3)."""

    number: int
    day: str
    body: str
    hash: str
    signature: str
    since: int
    seq: int
    head: str
    place: int
    path: list[str]


class CaseFile(Struct, frozen=True):
    """Everything about one case. `offer` is what it is about, for reading; the proof lies in the
    entries and the seals. The chain begins with 32 zero octets and ends in `head`."""

    format: str
    case: str
    exported_at: datetime
    offer: dict[str, Any] | None
    entries: list[CaseEntry]
    head: str
    seals: list[CaseSeal]


def case_file(
    tx: Tx,
    vault: Vault,
    case_id: UUID,
    now: datetime,
    *,
    offer: dict[str, Any] | None = None,
    with_said: bool = False,
) -> CaseFile | None:
    """The file of one case as of `now`; None where there is no such case. What people said is in
    it only `with_said`."""
    entries = journal.of_case(tx, case_id)
    if not entries:
        return None
    return CaseFile(
        format=FORMAT,
        case=str(case_id),
        exported_at=now.astimezone(UTC),
        offer=offer,
        entries=[shown(entry, vault if with_said else None) for entry in entries],
        head=entries[-1].hash.hex() if entries else GENESIS.hex(),
        seals=seals_of(tx, case_id),
    )


def shown(entry: Entry, vault: Vault | None) -> CaseEntry:
    """An entry as a case file has it; what was said only with `vault`."""
    said = None
    if vault is not None and entry.evidence is not None:
        opened = vault.open(entry.evidence, entry.case_id.bytes)
        said = Said(opened[:SALT].hex(), opened[SALT:].hex())
    facts = msgspec.json.decode(entry.body)["facts"]
    at = entry.at.astimezone(UTC)
    return CaseEntry(entry.seq, at, entry.kind, facts, entry.body.decode(), entry.hash.hex(), said)


def seals_of(tx: Tx, case_id: UUID) -> list[CaseSeal]:
    """Every seal that covers something of a case, each with the way from the case to its root."""
    leaves = seals.of_case(tx, case_id)
    known = seals.some(tx, [leaf.number for leaf in leaves])
    return [_seal(tx, known[leaf.number], leaf) for leaf in leaves if leaf.number in known]


def _seal(tx: Tx, seal: Seal, leaf: Leaf) -> CaseSeal:
    return CaseSeal(
        number=seal.number,
        day=seal.day.isoformat(),
        body=seal.body.decode(),
        hash=seal.hash.hex(),
        signature=seal.signature.hex(),
        since=leaf.since,
        seq=leaf.seq,
        head=leaf.head.hex(),
        place=leaf.place,
        path=[step.hex() for step in seals.proof(tx, seal, leaf.place)],
    )
