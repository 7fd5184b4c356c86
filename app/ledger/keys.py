"""API keys: made once, shown once, kept only as a hash. It knows names and scopes, no HTTP."""

import hashlib
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.ledger.engine import Row, Tx, sql
from app.ledger.ids import new_id

PREFIX = "jau_"
SECRET_OCTETS = 32
_SECRET = re.compile(r"jau_[A-Za-z0-9_-]{43}", re.ASCII)


class Scope(StrEnum):
    """What a key may be used for."""

    PROVIDER = "provider"
    AUDITOR = "auditor"
    REGISTRY = "registry"
    OPERATOR = "operator"
    EXCHANGE = "exchange"


class Kind(StrEnum):
    """Whom a key's offers reach: everyone; nobody but the simulator's handsets, for an integrator
    who tries things out; the phones of a team, for a pilot."""

    LIVE = "live"
    TEST = "test"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom offers made with a key may reach; `phones` are the indexes of a team's phones."""

    kind: Kind
    phones: frozenset[bytes] = frozenset()


LIVE = Reach(Kind.LIVE)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it may be shown: whose it is and what it opens, never the secret. `phones` are the
    indexes of a team's phones. `ends_at` is when its owner's agreement ends (214/НҚ, clause 10)."""

    id: UUID
    name: str
    provider: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    revoked_at: datetime | None
    kind: Kind = Kind.LIVE
    phones: frozenset[bytes] = frozenset()
    ends_at: datetime | None = None


class NameTaken(Exception):
    """There is or was a key of that name; names are never given twice, so that logs stay true."""


_ADD = sql(
    """INSERT INTO api_keys (id, name, provider, scopes, hash, created_at, kind, phones)
    VALUES (:id, :name, :provider, :scopes, :hash, :now, :kind, CAST(:phones AS bytea[]))
    ON CONFLICT (name) DO NOTHING RETURNING id"""
)
_COLUMNS = "id, name, provider, scopes, created_at, revoked_at, kind, phones"
_ALL = sql(f"SELECT {_COLUMNS} FROM api_keys ORDER BY id")
_REVOKE = sql(
    "UPDATE api_keys SET revoked_at = :now WHERE name = :name AND revoked_at IS NULL RETURNING id"
)
_FIND = sql(
    f"""SELECT {", ".join(f"k.{name.strip()}" for name in _COLUMNS.split(","))}, k.hash, s.ends_at
    FROM api_keys k LEFT JOIN wallet_systems s ON s.code = k.provider
    WHERE k.hash = ANY(CAST(:hashes AS bytea[])) AND k.revoked_at IS NULL"""
)


def add(
    tx: Tx,
    name: str,
    scopes: Sequence[Scope],
    now: datetime,
    provider: str | None = None,
    *,
    kind: Kind = Kind.LIVE,
    phones: Collection[bytes] = (),
) -> tuple[ApiKey, str]:
    """Makes a key and its secret, which cannot be had again; `provider` is `name` unless given,
    `phones` are the indexes of a team's phones.

    Raises NameTaken, and ValueError without a name or a scope."""
    if not name.strip() or not scopes:
        raise ValueError("a key needs a name and at least one scope")
    secret = PREFIX + secrets.token_urlsafe(SECRET_OCTETS)
    chosen = tuple(sorted({Scope(scope) for scope in scopes}))
    owner = provider or name
    key = ApiKey(new_id(now), name, owner, chosen, now, None, kind, frozenset(phones))
    values = {
        "id": key.id,
        "name": key.name,
        "provider": key.provider,
        "scopes": [str(scope) for scope in chosen],
        "hash": _hash(secret),
        "now": now,
        "kind": str(kind),
        "phones": sorted(key.phones),
    }
    if tx.execute(_ADD, values).one_or_none() is None:
        raise NameTaken(name)
    return key, secret


def every(tx: Tx) -> list[ApiKey]:
    """All keys, revoked ones too, oldest first."""
    return [_key(r) for r in tx.execute(_ALL)]


def revoke(tx: Tx, name: str, now: datetime) -> bool:
    """Ends a key at once. False: there is no such key, or it was revoked before."""
    return tx.execute(_REVOKE, {"name": name, "now": now}).one_or_none() is not None


def authenticate(tx: Tx, secret: str) -> ApiKey | None:
    """The key whose secret this is, unless it was revoked."""
    return authenticate_all(tx, [secret]).get(secret)


def authenticate_all(tx: Tx, secrets_shown: Collection[str]) -> dict[str, ApiKey]:
    """By secret, the keys whose secrets these are, unless they were revoked.

    A secret has 256 random bits, so a plain SHA-256 cannot be guessed back, and the database
    compares hashes only: how long it takes says nothing about a secret."""
    hashed = {_hash(s): s for s in secrets_shown if _SECRET.fullmatch(s) is not None}
    rows = tx.execute(_FIND, {"hashes": list(hashed)}) if hashed else ()
    return {hashed[bytes(row.hash)]: replace(_key(row), ends_at=row.ends_at) for row in rows}


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _key(r: Row) -> ApiKey:
    scopes = tuple(Scope(scope) for scope in r.scopes)
    phones = frozenset(bytes(phone) for phone in r.phones)
    return ApiKey(
        r.id, r.name, r.provider, scopes, r.created_at, r.revoked_at, Kind(r.kind), phones
    )
