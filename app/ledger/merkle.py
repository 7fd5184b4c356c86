"""Merkle trees as in RFC 9162, section 2.1: one hash for a day's cases, and proofs that one case
is among them. Pure.

Leaf = SHA-256(0x00 + data), node = SHA-256(0x01 + left + right); a list of n splits at the largest
power of two below n. Hashes of whole blocks of leaves are kept, so that a proof reads one block
and not the day.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

BLOCK = 1024  # leaves; a power of two, so that every block but the last is a whole subtree
EMPTY = sha256(b"").digest()


def leaf(data: bytes) -> bytes:
    """The hash that stands for `data` in the tree."""
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (or over roots of blocks); of nothing: SHA-256 of nothing."""
    if not hashes:
        return EMPTY
    level = list(hashes)
    while len(level) > 1:
        # An odd one out moves up unchanged: the same tree as the recursive definition's.
        paired = [node(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def path(hashes: Sequence[bytes], place: int) -> list[bytes]:
    """The neighbours from leaf `place` up to the root, lowest first."""
    level, found = list(hashes), []
    while len(level) > 1:
        neighbour = place ^ 1
        if neighbour < len(level):
            found.append(level[neighbour])
        paired = [node(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = paired + level[len(paired) * 2 :]
        place //= 2
    return found


def path_of_block(blocks: Sequence[bytes], leaves: Sequence[bytes], place: int) -> list[bytes]:
    """`path` for leaf `place` of a day, from the day's block roots and the leaves of its block."""
    return path(leaves, place % BLOCK) + path(blocks, place // BLOCK)


def climb(leaf_hash: bytes, place: int, size: int, proof: Iterable[bytes]) -> bytes | None:
    """The root that `proof` leads to from leaf `place` of `size`; None where the proof cannot be
    one (RFC 9162, section 2.1.3.2)."""
    if not 0 <= place < size:
        return None
    here, last, found = place, size - 1, leaf_hash
    for neighbour in proof:
        if last == 0:
            return None
        if here % 2 or here == last:
            found = node(neighbour, found)
            while here % 2 == 0 and here:
                here, last = here // 2, last // 2
        else:
            found = node(found, neighbour)
        here, last = here // 2, last // 2
    return found if last == 0 else None


@dataclass(slots=True)
class Blocks:
    """Takes leaf hashes one by one and keeps only the roots of blocks: a million fit."""

    roots: list[bytes] = field(default_factory=list)
    count: int = 0
    _open: list[bytes] = field(default_factory=list)

    def add(self, leaf_hash: bytes) -> None:
        """One more leaf, at the end."""
        self.count += 1
        self._open.append(leaf_hash)
        if len(self._open) == BLOCK:
            self.roots.append(root(self._open))
            self._open.clear()

    def close(self) -> tuple[bytes, ...]:
        """The roots of all blocks; no leaf may be added after it."""
        if self._open:
            self.roots.append(root(self._open))
            self._open.clear()
        return tuple(self.roots)


def cut(blocks: bytes) -> list[bytes]:
    """Block roots as they are stored, one after another."""
    return list(_thirty_twos(blocks))


def _thirty_twos(octets: bytes) -> Iterator[bytes]:
    for start in range(0, len(octets), 32):
        yield octets[start : start + 32]
