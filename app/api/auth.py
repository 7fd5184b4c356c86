"""Who calls: a system by its key, or a citizen by an access token. It decides nothing about what
they may do beyond their scopes.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.api.problems import Problem
from app.ledger import keys
from app.ledger.engine import Ledger
from app.ledger.keys import ApiKey

CITIZEN = "citizen"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="jauap"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls. `owner` keeps their idempotency keys apart; a system has a `provider`, a
    citizen an `iin`."""

    owner: str
    scopes: frozenset[str]
    provider: str = ""
    iin: str = ""

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


def identify(ledger: Ledger, token: str, tokens: Tokens | None, now: datetime) -> Caller:
    """The caller behind a token. `now` is real time, which is what issuers write into tokens.
    Raises Problem (401)."""
    caller = None
    if token.startswith(keys.PREFIX):
        with ledger.begin() as tx:
            caller = _system(keys.authenticate(tx, token))
    elif tokens is not None:  # their keys may have to be fetched: never inside a transaction
        caller = tokens.caller(token, now)
    if caller is None:
        raise unauthenticated()
    return caller


def _system(key: ApiKey | None) -> Caller | None:
    if key is None:
        return None
    return Caller(f"provider:{key.provider}", frozenset(key.scopes), key.provider)


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
