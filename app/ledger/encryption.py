"""Encryption at rest: seals IIN, phone and text, and indexes them without telling them.

Pure: it keeps no key on disk and writes nothing anywhere.
"""

import hmac
import os
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_OCTETS = 32
NONCE_OCTETS = 12
INDEX_OCTETS = 16
MOST_PHONES = 4096  # whose index is remembered
_SHORTEST = 1 + NONCE_OCTETS + 16  # key id, nonce, tag
_KEY_IDS = range(256)


class VaultError(Exception):
    """What was sealed cannot be opened: altered, of another context, or of a key we do not have."""


class Vault:
    """Seals under one key and opens under every key it has (their ids to 32 octets); `newest` is
    the id of the configured one.

    Without more, `master` seals and has the id after those of `old`. `sealing` names another key
    to seal under: a rotation's new key opens before it seals. A value of a newer key than ours
    tells that the rotation has begun, so we seal under it from then on; a value of a key we do
    not have makes us ask `learn` for the keys as they are now. Indexes come from `index_key`, by
    default from key 0: it outlives every rotation, or a phone's row would be lost.
    """

    def __init__(
        self,
        master: bytes,
        old: Mapping[int, bytes] | None = None,
        *,
        key_id: int | None = None,
        sealing: int | None = None,
        index_key: bytes | None = None,
        learn: Callable[[], Mapping[int, bytes]] | None = None,
    ) -> None:
        keys = dict(old or {})
        newest = max(keys, default=-1) + 1 if key_id is None else key_id
        keys[newest] = master
        if index_key is None and 0 not in keys:
            raise ValueError("without an index key, key 0 is needed")
        self.index_key = index_key or _derived(keys[0], b"index")
        self._ciphers: dict[int, AESGCM] = {}
        self._learn = learn
        self.newest = newest
        self.take(keys)
        self.seal_under(newest if sealing is None else sealing)
        self._index_heads: dict[str, hmac.HMAC] = {}
        self._phones: dict[str, bytes] = {}  # their indexes: a turn asks for one five times

    def take(self, keys: Mapping[int, bytes]) -> None:
        """Opens what these keys sealed as well from now on."""
        if any(len(key) != KEY_OCTETS for key in keys.values()):
            raise ValueError("a key has 32 octets")
        if any(key_id not in _KEY_IDS for key_id in keys):
            raise ValueError("key ids run from 0 to 255")
        ciphers = {key_id: AESGCM(_derived(key, b"seal")) for key_id, key in keys.items()}
        self._ciphers = self._ciphers | ciphers

    def seal_under(self, key_id: int) -> None:
        """Seals under this key from now on; KeyError where it is not here."""
        self._sealer = (bytes([key_id]), self._ciphers[key_id])

    @property
    def key_id(self) -> int:
        """The id of the key that seals."""
        return self._sealer[0][0]

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """key id (1 octet) + nonce (12) + ciphertext and tag; opens only in the same `context`."""
        nonce = os.urandom(NONCE_OCTETS)
        prefix, cipher = self._sealer
        return prefix + nonce + cipher.encrypt(nonce, plaintext, context)

    def seal_each(self, said: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """`seal` for a batch of plaintexts, each with its context."""
        noise = os.urandom(NONCE_OCTETS * len(said))
        prefix, cipher = self._sealer
        sealed: list[bytes] = []
        for n, (plaintext, context) in enumerate(said):
            nonce = noise[n * NONCE_OCTETS : (n + 1) * NONCE_OCTETS]
            sealed.append(prefix + nonce + cipher.encrypt(nonce, plaintext, context))
        return sealed

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plaintext of `sealed`; raises VaultError."""
        if len(sealed) < _SHORTEST:
            raise VaultError("too short to be sealed by us")
        cipher = self._ciphers.get(sealed[0]) or self._learned(sealed[0])
        try:
            plain = cipher.decrypt(
                sealed[1 : 1 + NONCE_OCTETS], sealed[1 + NONCE_OCTETS :], context
            )
        except InvalidTag:
            raise VaultError("altered, or sealed in another context") from None
        if sealed[0] > self._sealer[0][0]:
            self.seal_under(sealed[0])
        return plain

    def _learned(self, key_id: int) -> AESGCM:
        if self._learn is not None:
            self.take(self._learn())
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise VaultError(f"sealed with key {key_id}, which we do not have")
        return cipher

    def opens(self, sealed: bytes, context: bytes) -> bool:
        """Is it ours, unaltered and of this context?"""
        try:
            self.open(sealed, context)
        except VaultError:
            return False
        return True

    def is_current(self, sealed: bytes) -> bool:
        """False when a rotation should reseal it."""
        return sealed[:1] == self._sealer[0]

    def reseal(self, sealed: bytes, context: bytes) -> bytes:
        """The same plaintext under the current key; raises VaultError."""
        return sealed if self.is_current(sealed) else self.seal(self.open(sealed, context), context)

    def index(self, kind: str, value: str) -> bytes:
        """16 octets, equal for equal values of one kind ("phone", "iin"), telling nothing else."""
        if kind != "phone":
            return self._index(kind, value)
        known = self._phones.get(value)
        if known is None:
            if len(self._phones) >= MOST_PHONES:
                self._phones.clear()
            known = self._phones[value] = self._index(kind, value)
        return known

    def _index(self, kind: str, value: str) -> bytes:
        head = self._index_heads.get(kind)
        if head is None:
            head = hmac.new(self.index_key, kind.encode() + b"\0", sha256)
            self._index_heads[kind] = head
        mac = head.copy()
        mac.update(value.encode())
        return mac.digest()[:INDEX_OCTETS]


def derived(master: bytes, purpose: str) -> bytes:
    """32 octets for one purpose, from a key that is used for others too."""
    return _derived(master, purpose.encode())


def _derived(master: bytes, purpose: bytes) -> bytes:
    """A key for one purpose only (RFC 5869), so that no master key meets two algorithms."""
    return HKDF(algorithm=SHA256(), length=KEY_OCTETS, salt=None, info=b"jauap " + purpose).derive(
        master
    )
