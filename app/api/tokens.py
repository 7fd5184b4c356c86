"""Citizens' access tokens (OIDC, RFC 9068): whose they are, or that they are not to be believed.

Which algorithm may go with which key is the key's to say, never the token's; `none` and symmetric
algorithms do not exist here. It logs no token and no claim.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from app import sandbox_issuer
from app.api.auth import CITIZEN, Caller
from app.api.jwks import KeyRing, Keys, over_http
from app.ledger.encryption import Vault
from app.recipients.rules import check_iin
from app.settings import Settings

SKEW = timedelta(seconds=60)  # how far the issuer's clock and ours may be apart
LONGEST = 8192  # characters
REMEMBERED = 20_000  # tokens whose signature need not be checked again
_LAST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")
S = TypeVar("S", bound=msgspec.Struct)
TYPES = frozenset({"at+jwt", "application/at+jwt", "jwt"})


def _registry() -> JWSRegistry:
    """The only algorithms there are. EdDSA means Ed25519: none of its other curves is used."""
    every = JWSRegistry.algorithms
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    registry.algorithms = {name: every[name] for name in ("RS256", "ES256", "Ed25519")}
    registry.algorithms["EdDSA"] = every["Ed25519"]
    registry.max_header_length = 2048
    return registry


_REGISTRY = _registry()


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str | None = None
    typ: str = "JWT"
    crit: Any = None


class _Claims(msgspec.Struct, frozen=True):
    """Times are seconds since 1970 (RFC 7519, section 4.1)."""

    iss: str
    aud: str | list[str]
    exp: float
    nbf: float | None = None
    iat: float | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whom we believe, and what their tokens must say: `audience` is our name there, `iin_claim`
    the claim that holds the IIN."""

    name: str
    audience: str
    iin_claim: str
    keys: Keys


@dataclass(frozen=True, slots=True)
class _Read:
    """What a token's signature was found to say. It is believed as long as `ring` is the one it
    was checked with, and only while its claims hold."""

    issuer: Issuer
    kid: str | None
    ring: KeyRing
    claims: _Claims
    caller: Caller


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Reads tokens of several issuers. `index` stands for an IIN where an IIN must not be kept.
    A signature is checked once and remembered; times, and which keys there are, are asked again
    for every call."""

    issuers: Mapping[str, Issuer]
    index: Callable[[str, str], bytes]
    read: dict[str, _Read] = field(default_factory=dict)

    def caller(self, token: str, now: datetime) -> Caller | None:
        """The citizen who holds the token at the real time `now`. None: it is not to be believed.
        Raises Problem (503) where the issuer's keys cannot be had."""
        known = self.read.get(token)
        if known is not None and known.ring is known.issuer.keys.at(now, known.kid):
            return known.caller if _hold(known.claims, known.issuer, now) else None
        issuer = self.issuers.get(_issuer_named_by(token))
        header = _header(token)
        if issuer is None or header is None:
            return None
        ring = issuer.keys.at(now, header.kid)
        payload = _signed(token, header, ring)
        if payload is None:  # an issuer may have changed a key and kept its name
            ring = issuer.keys.at(now, header.kid, doubted=ring)
            payload = _signed(token, header, ring)
        found = None if payload is None else _claimed(payload, issuer, now)
        if found is None:
            return None
        iin, claims = found
        owner = f"citizen:{self.index('iin', iin).hex()}"
        expires = datetime.fromtimestamp(min(claims.exp, _LAST), UTC) + SKEW
        caller = Caller(owner, frozenset({CITIZEN}), iin=iin, expires=expires)
        if len(self.read) >= REMEMBERED:
            self.read.clear()
        self.read[token] = _Read(issuer, header.kid, ring, claims, caller)
        return caller


def verified(token: str, issuer: Issuer, ring: KeyRing, now: datetime) -> str | None:
    """The IIN a token speaks for; None where its signature, header or claims do not hold."""
    found = _believed(token, issuer, ring, now)
    return None if found is None else found[0]


def _believed(
    token: str, issuer: Issuer, ring: KeyRing, now: datetime
) -> tuple[str, _Claims] | None:
    header = _header(token)
    payload = None if header is None else _signed(token, header, ring)
    return None if payload is None else _claimed(payload, issuer, now)


def _claimed(payload: dict[str, Any], issuer: Issuer, now: datetime) -> tuple[str, _Claims] | None:
    """Whose token it is, where its claims hold."""
    claims = _claims(payload)
    if claims is None or not _hold(claims, issuer, now):
        return None
    iin = payload.get(issuer.iin_claim)
    return (iin, claims) if isinstance(iin, str) and check_iin(iin) is None else None


def _signed(token: str, header: _Header, ring: KeyRing) -> dict[str, Any] | None:
    """The claims as they were signed by one of the keys that go with the token's algorithm."""
    for one in ring:
        if header.alg not in one.algorithms or header.kid not in (None, one.kid):
            continue
        try:
            found = jws.deserialize_compact(token, one.key, registry=_REGISTRY)
            return msgspec.json.decode(found.payload, type=dict[str, Any])
        except (JoseError, msgspec.DecodeError, ValueError, TypeError, RecursionError):
            continue
    return None


def _hold(claims: _Claims, issuer: Issuer, now: datetime) -> bool:
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    at, skew = now.timestamp(), SKEW.total_seconds()
    begun = all(moment is None or moment <= at + skew for moment in (claims.nbf, claims.iat))
    is_ours = claims.iss == issuer.name and issuer.audience in audiences
    return is_ours and begun and at < claims.exp + skew


def _header(token: str) -> _Header | None:
    """What a token says of itself. Extensions that must be understood (`crit`) are not."""
    if len(token) > LONGEST or token.count(".") != 2:
        return None
    header = _segment(token, 0, _Header)
    if header is None or header.crit is not None or header.typ.lower() not in TYPES:
        return None
    return header if header.alg in ALGORITHMS else None


def _segment(token: str, place: int, kind: type[S]) -> S | None:
    segment = token.split(".")[place]
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        return msgspec.json.decode(raw, type=kind)
    except (ValueError, RecursionError):  # base64, UTF-8 and JSON errors are all of them
        return None


def _issuer_named_by(token: str) -> str:
    """Who is said to have issued it: only tells where to look for the keys."""
    claims = _segment(token, 1, _Claims) if _header(token) is not None else None
    return "" if claims is None else claims.iss


def _claims(payload: dict[str, Any]) -> _Claims | None:
    try:
        return msgspec.convert(payload, type=_Claims)
    except msgspec.ValidationError:
        return None


def of_runtime(settings: Settings, vault: Vault) -> AccessTokens | None:
    """Reads the tokens of the configured issuer, and in the sandbox its own; None without any."""
    issuers: dict[str, Issuer] = {}
    if settings.is_sandbox:
        own = Keys(partial(sandbox_issuer.public_keys, settings.paths.data))
        issuers[sandbox_issuer.ISSUER] = Issuer(
            sandbox_issuer.ISSUER, sandbox_issuer.AUDIENCE, sandbox_issuer.IIN_CLAIM, own
        )
    oidc = settings.oidc
    if oidc.issuer and oidc.audience and oidc.jwks_url:
        keys = Keys(over_http(oidc.jwks_url))
        issuers[oidc.issuer] = Issuer(oidc.issuer, oidc.audience, oidc.iin_claim, keys)
    return AccessTokens(issuers, vault.index) if issuers else None
