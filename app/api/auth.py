"""Who calls: a system by its key, or a citizen by an access token. It decides nothing about what
they may do beyond their scopes.
"""

import base64
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from app.api.problems import Problem, Refused
from app.ledger import keys
from app.ledger.encryption import Vault, VaultError
from app.ledger.keys import LIVE, ApiKey, Reach
from app.runtime import Runtime

CITIZEN = "citizen"
FOLLOWER = "events"  # what a ticket is good for
TICKET = "jat_"
_TICKETS = b"tickets"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="jauap"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls. `owner` keeps their idempotency keys apart; a system has a `provider`, a
    citizen an `iin`; `expires` is the real time at which a token ends, `reach` whom offers made
    with a key may reach."""

    owner: str
    scopes: frozenset[str]
    provider: str = ""
    iin: str = ""
    expires: datetime | None = None
    key_id: str = ""
    reach: Reach = LIVE

    def may(self, scope: str) -> bool:
        """True where the caller has the scope."""
        return scope in self.scopes


class Tokens(Protocol):
    """Reads citizens' access tokens (OIDC) at the real time `now`. None: the token is not to be
    believed."""

    def caller(self, token: str, now: datetime) -> Caller | None: ...


def bearer(header: str | None) -> str:
    """The token of an Authorization header. Raises Problem (401) where there is none."""
    scheme, _, token = (header or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise unauthenticated()
    return token


def identify(rt: Runtime, token: str, tokens: Tokens | None, now: datetime) -> Caller:
    """The caller behind a token. `now` is real time, which is what issuers write into tokens.
    Raises Problem (401)."""
    found = identify_all(rt, [token], tokens, now)[token]
    if isinstance(found, Problem):
        raise found
    return found


def identify_all(
    rt: Runtime, shown: Collection[str], tokens: Tokens | None, now: datetime
) -> dict[str, Caller | Problem]:
    """By token, the caller behind it or why there is none."""
    systems = {token for token in shown if token.startswith(keys.PREFIX)}
    known: dict[str, ApiKey] = {}
    if systems:
        with rt.ledger.begin() as tx:
            known = keys.authenticate_all(tx, systems)
    callers: dict[str, Caller | Problem] = {}
    for token in shown:
        if token in systems:
            callers[token] = _system(rt, known[token]) if token in known else unauthenticated()
        elif token not in callers:  # their keys may have to be fetched: never in a transaction
            callers[token] = _citizen(rt, token, tokens, now)
    return callers


def _citizen(rt: Runtime, token: str, tokens: Tokens | None, now: datetime) -> Caller | Problem:
    if token.startswith(TICKET):
        return _holder(rt.vault, token, now) or unauthenticated()
    try:
        caller = None if tokens is None else tokens.caller(token, now)
    except Problem as problem:
        return problem
    return caller or unauthenticated()


def _system(rt: Runtime, key: ApiKey) -> Caller | Problem:
    if key.ends_at is not None and key.ends_at <= rt.clock():
        ended = Refused("agreement", "214:10", "gate.agreement.ended")
        return Problem("agreement", refused=ended)
    return Caller(
        f"provider:{key.provider}", frozenset(key.scopes), key.provider,
        key_id=str(key.id), reach=Reach(key.kind, key.phones),
    )  # fmt: skip


def ticket(vault: Vault, caller: Caller) -> str:
    """What a browser's EventSource, which sends no headers, may show instead of the citizen's
    token: sealed, good for their events alone, and no longer than the token."""
    expires = None if caller.expires is None else caller.expires.timestamp()
    sealed = vault.seal(msgspec.json.encode((caller.iin, expires)), _TICKETS)
    return TICKET + base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _holder(vault: Vault, shown: str, now: datetime) -> Caller | None:
    spelled = shown.removeprefix(TICKET)
    try:
        sealed = base64.b64decode(spelled + "=" * (-len(spelled) % 4), b"-_", validate=True)
        kept: tuple[str, float | None] = msgspec.json.decode(
            vault.open(sealed, _TICKETS), type=tuple[str, float | None]
        )
    except (ValueError, VaultError, msgspec.DecodeError):
        return None
    iin, ends = kept
    expires = None if ends is None else datetime.fromtimestamp(ends, UTC)
    if expires is not None and expires <= now:
        return None
    owner = f"citizen:{vault.index('iin', iin).hex()}"
    return Caller(owner, frozenset({FOLLOWER}), iin=iin, expires=expires)


def admit(caller: Caller, scopes: tuple[str, ...]) -> None:
    """Raises Problem (403) unless the caller has one of the scopes."""
    if not any(caller.may(scope) for scope in scopes):
        challenge = f'{_CHALLENGE["WWW-Authenticate"]}, error="insufficient_scope"'
        raise Problem(
            "forbidden", headers={"WWW-Authenticate": challenge}, scopes=", ".join(scopes)
        )


def unauthenticated() -> Problem:
    """401 with the challenge that RFC 6750 asks for."""
    return Problem("unauthenticated", headers=_CHALLENGE)
