"""USSD sessions in Redis: which page a handset was last shown, so that its next key has a meaning.

Nothing is decided by them and nothing personal is in them. A lost session is a fresh dial, so Redis
may be slow, flushed or away.
"""

import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import partial
from uuid import UUID

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.lanes import aside
from app.ledger.encryption import Vault

TTL_S = 180  # real seconds; networks end a session sooner
TIMEOUT_S = 0.25  # a key is waited for in the lane that commits everybody's replies
AWAY_S = 1.0  # after a failure, so long nothing is asked of Redis
PREFIX = "jauap:ussd:"


class View(StrEnum):
    """What a page is about."""

    LANGUAGE = "language"
    MENU = "menu"
    OFFERS = "offers"
    MEASURES = "measures"
    HELP = "help"
    CASE = "case"  # one question or fact
    CONFIRM = "confirm"  # asks once more whether `choice` is meant
    ANSWERED = "answered"  # the last page after an answer
    AFTER = "after"  # the last page where a question took no answer any more
    BYE = "bye"


LISTS = (View.OFFERS, View.MEASURES)


class Session(msgspec.Struct, frozen=True, array_like=True):
    """What a handset shows: a view, and which page of it. `case` is what it is about, `came_from`
    the list it was chosen in; `dialog` and `step` name the question or the answer that is shown,
    `choice` what is being confirmed; `shown` are the cases behind the digits of a list's page.
    `misses` counts wrong keys; where it `is_missed`, only that the last one was wrong is shown.
    `number` is the network's of the session, -1 where it names none: a key of another one, late or
    astray, means nothing on this page."""

    view: View
    language: str | None = None
    page: int = 0
    case: UUID | None = None
    came_from: View | None = None
    dialog: str = ""
    step: str = ""
    choice: str = ""
    shown: tuple[UUID, ...] = ()
    misses: int = 0
    is_missed: bool = False
    number: int = -1


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Session).decode


def key_of(vault: Vault, network: str, phone: str) -> bytes:
    """The session's key: a keyed index of network and phone, one session a handset at a time."""
    named = f"{network}\0{phone}".encode(errors="backslashreplace").decode()
    return vault.index("ussd", named)


class Sessions:
    """The sessions in the Redis at `url`. Every failure is a session that is not there."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),  # a connection may have grown stale
        )
        self._away_until = 0.0

    def load(self, keys: Sequence[bytes]) -> dict[bytes, Session]:
        """The sessions that are known, in one exchange with Redis."""
        if not keys or self._is_away():
            return {}
        try:
            found = aside(partial(self._redis.mget, [_name(key) for key in keys]))
        except RedisError:
            return self._failed()
        return {
            key: session
            for key, value in zip(keys, found, strict=True)
            if value is not None and (session := _read(value)) is not None
        }

    def save(self, sessions: Mapping[bytes, Session | None]) -> None:
        """Stores what handsets show now and forgets what is None, in one exchange with Redis."""
        if not sessions or self._is_away():
            return
        pipeline = self._redis.pipeline(transaction=False)
        for key, session in sessions.items():
            if session is None:
                pipeline.delete(_name(key))
            else:
                pipeline.set(_name(key), _encode(session), ex=TTL_S)
        try:
            aside(pipeline.execute)
        except RedisError:
            self._failed()

    def close(self) -> None:
        """Closes every connection."""
        self._redis.close()

    def _is_away(self) -> bool:
        return time.monotonic() < self._away_until

    def _failed(self) -> dict[bytes, Session]:
        self._away_until = time.monotonic() + AWAY_S
        return {}


def _name(key: bytes) -> str:
    return PREFIX + key.hex()


def _read(value: bytes | str) -> Session | None:
    """A session as another version of jauap may have left it, or None."""
    try:
        return _decode(value if isinstance(value, bytes) else value.encode())
    except msgspec.DecodeError:
        return None
