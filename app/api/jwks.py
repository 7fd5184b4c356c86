"""The public keys of an issuer of tokens (JWKS, RFC 7517): fetched when needed, kept for a while,
fetched again when an unknown key is named or a known one does not fit. It believes no token; that
is for `tokens`.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.api.problems import unavailable

FRESH = timedelta(minutes=5)  # a key that its issuer took back is believed no longer than this
STANDING = timedelta(hours=1)  # unless the issuer does not answer: then its last keys stand so long
PAUSE = timedelta(seconds=30)  # between two fetches, whatever strangers write into their tokens;
BURST = 4  # so many come at once, so that a key changed just now is believed just now
RETRY = 5  # seconds until an issuer that did not answer is asked again
MOST_OCTETS = 256 * 1024
MOST_SECONDS = 5.0
RSA_DIGITS = 342  # base64url of 2048 bits (RFC 7518, section 3.3)

PUBLIC = ("kty", "n", "e", "crv", "x", "y")

Key = RSAKey | ECKey | OKPKey
Fetch = Callable[[], bytes]
_log = structlog.get_logger("api")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and the algorithms it may be used with: an algorithm never chooses its key's kind."""

    kid: str | None
    algorithms: frozenset[str]
    key: Key


KeyRing = tuple[PublicKey, ...]


class NoKeys(Exception):
    """The issuer did not answer with a JWKS."""


def read(raw: bytes) -> KeyRing:
    """The keys of a JWKS that can verify; others are passed over: symmetric ones, those for
    encryption, weak ones, kinds we do not know. Raises NoKeys where it is no JWKS."""
    try:
        found = msgspec.json.decode(raw, type=dict[str, Any]).get("keys")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NoKeys from None
    if not isinstance(found, list):
        raise NoKeys
    read = (_public_key(one) for one in found if isinstance(one, dict))
    return tuple(key for key in read if key is not None)


def _public_key(jwk: dict[str, Any]) -> PublicKey | None:
    kid, algorithm = jwk.get("kid"), jwk.get("alg")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or "verify" not in operations:
        return None
    try:
        kind = _kind(jwk)
        if kind is None:
            return None
        algorithms, key = kind
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    allowed = algorithms if algorithm is None else algorithms & {algorithm}
    return PublicKey(kid if isinstance(kid, str) else None, frozenset(allowed), key)


def _kind(jwk: dict[str, Any]) -> tuple[set[str], Key] | None:
    public: dict[str, Any] = {name: jwk[name] for name in PUBLIC if name in jwk}
    match public.get("kty"), public.get("crv"):
        case "RSA", None if len(public["n"]) >= RSA_DIGITS:
            return {"RS256"}, RSAKey.import_key(public)
        case "EC", "P-256":
            return {"ES256"}, ECKey.import_key(public)
        case "OKP", "Ed25519":
            return {"EdDSA", "Ed25519"}, OKPKey.import_key(public)  # RFC 8037 and RFC 9864
    return None


def over_http(url: str) -> Fetch:
    """Fetches a JWKS from its address. What it returns raises NoKeys."""

    def fetch() -> bytes:
        end, octets = time.monotonic() + MOST_SECONDS, b""
        try:
            with httpx.stream("GET", url, timeout=MOST_SECONDS) as answer:
                answer.raise_for_status()
                for chunk in answer.iter_bytes():
                    octets += chunk
                    if len(octets) > MOST_OCTETS or time.monotonic() > end:
                        raise NoKeys
        except httpx.HTTPError:
            raise NoKeys from None
        return octets

    return fetch


@dataclass(slots=True)
class Keys:
    """The keys of one issuer as every thread of the web process sees them."""

    fetch: Fetch
    ring: KeyRing | None = None
    fetched_at: datetime | None = None
    failed_at: datetime | None = None
    raw: bytes = b""
    spare: float = BURST
    spare_at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def at(self, now: datetime, kid: str | None, doubted: KeyRing | None = None) -> KeyRing:
        """The keys to believe at `now`, asked anew where `kid` is not among them, or where these
        are the `doubted` ones. Raises Problem (503) where no issuer has answered lately."""
        if self._is_due(now, kid, doubted):
            # Who has what they need does not wait for another thread that is fetching.
            if self.lock.acquire(blocking=doubted is not None or not self._is_known(kid)):
                try:
                    if self._is_due(now, kid, doubted):
                        self._ask(now)
                finally:
                    self.lock.release()
        if self.ring is None or self.fetched_at is None or now - self.fetched_at > STANDING:
            raise unavailable(RETRY)
        return self.ring

    def _is_known(self, kid: str | None) -> bool:
        return self.ring is not None and (kid is None or any(k.kid == kid for k in self.ring))

    def _is_due(self, now: datetime, kid: str | None, doubted: KeyRing | None) -> bool:
        if self.failed_at is not None and now - self.failed_at < timedelta(seconds=RETRY):
            return False
        is_fresh = self.fetched_at is not None and now - self.fetched_at < FRESH
        is_enough = self._is_known(kid) and (doubted is None or doubted is not self.ring)
        return not (is_fresh and is_enough) and self._left(now) >= 1

    def _left(self, now: datetime) -> float:
        """How many fetches may follow at once."""
        if self.spare_at is None:
            return self.spare
        return min(float(BURST), self.spare + (now - self.spare_at) / PAUSE)

    def _ask(self, now: datetime) -> None:
        self.spare, self.spare_at = self._left(now) - 1, now
        try:
            raw = self.fetch()
            if raw != self.raw or self.ring is None:  # else what was believed stays believed
                self.ring, self.raw = read(raw), raw
            self.fetched_at, self.failed_at = now, None
        except (NoKeys, OSError) as error:
            _log.warning("no keys of the issuer", error=type(error).__name__)
            self.failed_at = now
