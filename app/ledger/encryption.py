"""Encryption at rest: seals IIN, phone and text, and indexes them without telling them.

Pure: it keeps no key on disk and writes nothing anywhere.
"""

import hmac
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_OCTETS = 32
NONCE_OCTETS = 12
INDEX_OCTETS = 16
_SHORTEST = 1 + NONCE_OCTETS + 16  # key id, nonce, tag
_KEY_IDS = range(256)


class VaultError(Exception):
    """What was sealed cannot be opened: altered, of another context, or of a key we do not have."""


class Vault:
    """Seals under `master`, opens under it and every key of `old` (their ids to 32 octets).

    The current key's id is one more than the oldest ids in `old`, so a rotation moves the former
    master into `old` under its id (0, then 1, …) and gives a new master. Indexes always come from
    key 0: a rotation must not lose a phone's row.
    """

    def __init__(self, master: bytes, old: Mapping[int, bytes] | None = None) -> None:
        keys = dict(old or {})
        self.key_id = max(keys, default=-1) + 1
        keys[self.key_id] = master
        if any(len(key) != KEY_OCTETS for key in keys.values()):
            raise ValueError("a key has 32 octets")
        if sorted(keys) != list(_KEY_IDS[: len(keys)]):
            raise ValueError("key ids run from 0 without a gap")
        self._ciphers = {key_id: AESGCM(_derived(key, b"seal")) for key_id, key in keys.items()}
        self._sealer = self._ciphers[self.key_id]
        self._prefix = bytes([self.key_id])
        self._index_key = _derived(keys[0], b"index")
        self._index_heads: dict[str, hmac.HMAC] = {}

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """key id (1 octet) + nonce (12) + ciphertext and tag; opens only in the same `context`."""
        nonce = os.urandom(NONCE_OCTETS)
        return self._prefix + nonce + self._sealer.encrypt(nonce, plaintext, context)

    def seal_many(self, plaintexts: Iterable[bytes], context: bytes) -> list[bytes]:
        """`seal` for a batch that shares one context."""
        return [self.seal(plaintext, context) for plaintext in plaintexts]

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plaintext of `sealed`; raises VaultError."""
        if len(sealed) < _SHORTEST:
            raise VaultError("too short to be sealed by us")
        cipher = self._ciphers.get(sealed[0])
        if cipher is None:
            raise VaultError(f"sealed with key {sealed[0]}, which we do not have")
        try:
            return cipher.decrypt(sealed[1 : 1 + NONCE_OCTETS], sealed[1 + NONCE_OCTETS :], context)
        except InvalidTag:
            raise VaultError("altered, or sealed in another context") from None

    def is_current(self, sealed: bytes) -> bool:
        """False when a rotation should reseal it."""
        return sealed[:1] == self._prefix

    def reseal(self, sealed: bytes, context: bytes) -> bytes:
        """The same plaintext under the current key; raises VaultError."""
        return sealed if self.is_current(sealed) else self.seal(self.open(sealed, context), context)

    def index(self, kind: str, value: str) -> bytes:
        """16 octets, equal for equal values of one kind ("phone", "iin"), telling nothing else."""
        head = self._index_heads.get(kind)
        if head is None:
            head = hmac.new(self._index_key, kind.encode() + b"\0", sha256)
            self._index_heads[kind] = head
        mac = head.copy()
        mac.update(value.encode())
        return mac.digest()[:INDEX_OCTETS]


def _derived(master: bytes, purpose: bytes) -> bytes:
    """A key for one purpose only (RFC 5869), so that no master key meets two algorithms."""
    return HKDF(algorithm=SHA256(), length=KEY_OCTETS, salt=None, info=b"jauap " + purpose).derive(
        master
    )
