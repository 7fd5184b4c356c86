"""The keys that sign seals: Ed25519 (RFC 8032). Pure; where a key comes from is the settings'."""

from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_OCTETS = 32


def key_id(public: bytes) -> str:
    """The short name of a public key: the first 16 hex digits of its SHA-256."""
    return sha256(public).hexdigest()[:16]


def is_signed(public: bytes, body: bytes, signature: bytes) -> bool:
    """Is `signature` of `body` by the holder of `public`? Octets that are no key: no."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, body)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class SealKey:
    """Signs with `seed` (32 octets), and knows the public keys of its forerunners."""

    seed: bytes = field(repr=False)
    former: tuple[bytes, ...] = ()

    @property
    def public(self) -> bytes:
        """The public key, 32 octets."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()

    @property
    def known(self) -> dict[str, bytes]:
        """Every public key whose seals count, by its id."""
        return {key_id(public): public for public in (*self.former, self.public)}

    def sign(self, body: bytes) -> bytes:
        """64 octets."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(body)
