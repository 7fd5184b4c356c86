"""Whether seals hold: their signatures, their order, their lists of cases. Pure, so that a case
file is judged by the same lines as the whole ledger.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from uuid import UUID

from app.ledger import merkle
from app.ledger.chain import Break
from app.ledger.seals import NOTHING_BEFORE, Leaf, Seal
from app.ledger.signing import is_signed, key_id

Keys = Mapping[str, bytes]
"""The public keys whose seals count, by their ids."""


def signature_faults(seal: Seal, keys: Keys) -> Iterator[str]:
    """What is wrong with one seal by itself."""
    facts = seal.facts
    if sha256(seal.body).digest() != seal.hash:
        yield "column hash or body: altered; the hash is not that of the body"
    if (facts.get("number"), facts.get("day")) != (seal.number, seal.day.isoformat()):
        yield (
            f"columns number, day: found {seal.number} and {seal.day}, "
            f"the body says {facts.get('number')} and {facts.get('day')}"
        )
    name = str(facts.get("key"))
    public = keys.get(name)
    if public is None:
        yield (
            f"signed with key {name}, which is not known here; expected of "
            f"{', '.join(sorted(keys)) or 'none'} (former public keys: JAUAP_OLD_SEAL_KEYS)"
        )
    elif facts.get("public_key") != public.hex() or key_id(public) != name:
        yield "column body: its public key is not the one it names"
    elif not is_signed(public, seal.body, seal.signature):
        yield "column signature or body: altered; the signature is not of this body"


@dataclass(slots=True)
class Row:
    """The row of seals so far: what the next one must follow from."""

    number: int = 0
    day: date | None = None
    hash: str = NOTHING_BEFORE

    def faults(self, seal: Seal) -> Iterator[str]:
        """What does not follow; then this seal is the one to follow from."""
        if seal.number != self.number + 1:
            yield f"seal {self.number + 1} is missing: the next one found is {seal.number}"
        elif seal.facts.get("previous") != self.hash:
            yield "the seal before it is not the one it was made after"
        if self.day is not None and seal.day <= self.day:
            yield f"found after the seal of {self.day}, expected a later day"
        elif self.day is not None and seal.number == self.number + 1:
            if seal.day != self.day + timedelta(days=1):
                yield f"found after the seal of {self.day}, expected the day after it"
        self.number, self.day, self.hash = seal.number, seal.day, seal.hash.hex()


@dataclass(slots=True)
class Tree:
    """The list of one seal's cases, leaf by leaf."""

    seal: Seal
    blocks: merkle.Blocks
    entries: int = 0

    @classmethod
    def of(cls, seal: Seal) -> "Tree":
        return cls(seal, merkle.Blocks())

    def add(self, leaf: Leaf) -> Iterator[str]:
        """The next leaf; says where the list has a gap."""
        if leaf.place != self.blocks.count:
            yield f"its list has no place {self.blocks.count}: the next one found is {leaf.place}"
        self.entries += leaf.seq - leaf.since
        self.blocks.add(leaf.hash)

    def faults(self) -> Iterator[str]:
        """What the whole list does not bear out."""
        facts, roots = self.seal.facts, self.blocks.close()
        if merkle.root(roots).hex() != facts.get("root"):
            yield "its list of cases (seal_leaves) is not the one that was signed"
        if self.blocks.count != facts.get("cases"):
            yield f"its list has {self.blocks.count} cases, expected {facts.get('cases')}"
        if b"".join(roots) != self.seal.blocks:
            yield "column blocks: altered; it is not what its list gives"


def leaf_break(
    case_id: UUID, leaf: Leaf, hash_found: bytes | None, before: int, day: date
) -> Iterator[Break]:
    """What does not hold between a leaf and the journal."""
    name = str(case_id)
    if hash_found is None:
        yield Break(name, leaf.seq, f"gone, though the seal of {day} covers it")
    elif hash_found != leaf.head:
        yield Break(name, leaf.seq, f"its hash is not the one that the seal of {day} covers")
    if leaf.since != before:
        what = f"the seal of {day} begins after entry {leaf.since}, expected after {before}"
        yield Break(name, leaf.seq, f"{what}: a leaf was altered or taken out")


def about(seal: Seal, what: str) -> Break:
    """A fault of a seal, with its place."""
    return Break("", 0, f"seal {seal.number} of {seal.day}: {what}")
