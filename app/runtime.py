"""What every entry into the house holds in its hands: settings, clock, ledger, vault, words, Redis.

Made once per process by `open_runtime`; it decides nothing. Redis is reached only for wake-ups
and jobs, and its absence delays them by a second at most.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import redis
from redis.exceptions import RedisError

from app import versions
from app.bell import Bell
from app.calendar import Calendar
from app.catalogue.loader import load as load_catalogue
from app.catalogue.model import Catalogue
from app.clock import Clock, ScaledClock, SteadyClock, system_clock
from app.conversation.rooms import Room
from app.conversation.sessions import Sessions
from app.ledger import binds
from app.ledger.encryption import Vault, derived
from app.ledger.engine import Ledger, by_index, sandbox_anchor
from app.ledger.keyring import WrongMasterKey, open_vault
from app.ledger.remembered import Remembered
from app.ledger.signing import SealKey
from app.ledger.unit import Unit
from app.settings import Environment, Settings
from app.versions import Versions
from dialogs.engine.wording import Words

__all__ = ["Runtime", "WrongMasterKey", "listen", "open_runtime"]

OUTBOX = "jauap:wake:outbox"
FEED = "jauap:wake:feed"
WRONG_BY = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Runtime:
    """Shared by the web, the gateway, the worker and the command line of one process."""

    settings: Settings
    ledger: Ledger
    vault: Vault
    words: Words
    catalogue: Catalogue
    calendar: Calendar
    clock: Clock
    real_seconds: Callable[[float], float]
    redis: redis.Redis
    bell: Bell
    sessions: Sessions
    seal_key: SealKey
    versions: Versions
    rooms: dict[str, Room] = field(default_factory=dict)
    remembered: Remembered = field(default_factory=Remembered)

    @contextmanager
    def unit(self, gateway: UUID | None = None, *, is_again: bool = False) -> Iterator[Unit]:
        """One transaction with what is to be written with it; the clock is asked once. What was
        gathered is written before the commit, and gateways are woken after it. `is_again` takes
        nothing for granted: it was lost to a race before, or nobody would try it again."""
        with self.ledger.begin() as tx:
            if gateway is not None:
                by_index(tx)
            in_force = self.versions.names
            unit = Unit(tx, self.clock(), self.vault, gateway, in_force, is_again, self.remembered)
            yield unit
            has_messages = bool(unit.outbox.messages)
            unit.write()
        for act in unit.after_commit:
            act()
        # Tells every gateway that the outbox has something for it, every web process that the feed
        # has. A lost wake-up costs a second, because they also look by themselves.
        if has_messages:
            self.bell.ring(OUTBOX)
        if unit.feed.is_written:
            self.bell.ring(FEED)

    def waiting(self, real_seconds: float) -> timedelta:
        """How much time passes by the clock in so many seconds of ours: pauses between tries are
        about machines, so a sandbox whose days last seconds must not shorten them."""
        return timedelta(seconds=real_seconds / self.real_seconds(1))

    def take(self, bucket: str, wanted: int, per_second: float, burst: float) -> tuple[int, float]:
        """Takes up to `wanted` tokens out of a bucket that fills again by `per_second` up to
        `burst`: how many were got, and in how many seconds there is one more. Without Redis all
        are got: a limit that cannot be counted holds nobody back."""
        try:
            got, wait_ms = self.redis.eval(
                _TAKE, 1, f"jauap:limit:{bucket}", wanted, per_second, burst
            )
        except RedisError:
            return wanted, 0.0
        return int(got), int(wait_ms) / 1000


# By Redis' own clock, so that all processes count by one.
_TAKE = """
local now = redis.call('TIME')
local at = now[1] + now[2] / 1000000
local wanted, rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = tonumber(kept[1]) or burst
left = math.min(burst, left + math.max(0, at - (tonumber(kept[2]) or at)) * rate)
local got = math.min(wanted, math.floor(left))
left = left - got
redis.call('HSET', KEYS[1], 'left', left, 'at', string.format('%.6f', at))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return {got, math.ceil(math.max(0, 1 - left) / rate * 1000)}
"""


def listen(
    rt: Runtime, woken: Callable[[], None], is_over: Callable[[], bool], channel: str = OUTBOX
) -> None:
    """Calls `woken` for every wake-up until `is_over`; Redis may go and come back meanwhile."""
    while not is_over():
        try:
            with rt.redis.pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]
                heard.subscribe(channel)
                woken()
                while not is_over():
                    if heard.get_message(timeout=0.5) is not None:
                        woken()
        except (RedisError, TypeError):  # redis-py asks a closed socket for its number: TypeError
            time.sleep(0.5)


def open_runtime(settings: Settings, ledger_url: str, redis_url: str) -> Runtime:
    """A runtime on servers that answer and a ledger that has been migrated.

    Raises LedgerDown, WrongMasterKey, CatalogueError or WordingError, each with its reason."""
    ledger = Ledger(ledger_url)
    ledger.check()
    clock, real_seconds = _clock(settings, ledger)
    given = (*settings.old_master_keys.values(), settings.master_key)
    vault = open_vault(ledger, given, clock(), settings.master_keys_now)
    words = Words.load()
    connection = redis.Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=5)
    catalogue = load_catalogue(Path(__file__).parent / "catalogue")
    return Runtime(
        settings=settings,
        ledger=ledger,
        vault=vault,
        words=words,
        catalogue=catalogue,
        calendar=Calendar(catalogue.swaps),
        clock=clock,
        real_seconds=real_seconds,
        redis=connection,
        bell=Bell(lambda channel: connection.publish(channel, b"")),
        sessions=Sessions(redis_url),
        seal_key=_seal_key(settings, vault),
        versions=versions.of(words, catalogue),
    )


def _seal_key(settings: Settings, vault: Vault) -> SealKey:
    """Where none is configured, the seals' key comes of the key that outlives rotations."""
    seed = settings.seal_key or derived(vault.index_key, "journal seals")
    return SealKey(seed, settings.old_seal_keys)


def _known(ledger: Ledger) -> datetime | None:
    """A time that has been: a machine whose clock was set back must not start before it. What is
    further ahead than clocks usually are wrong is no such thing, but a sandbox's fast clock."""
    with ledger.begin() as tx:
        marks = [row.heard_through for row in binds.every(tx) if row.heard_through is not None]
    latest = max(marks, default=None)
    return latest if latest is not None and latest - system_clock() < WRONG_BY else None


def _clock(settings: Settings, ledger: Ledger) -> tuple[Clock, Callable[[float], float]]:
    scale = settings.sandbox.time_scale
    if settings.environment is Environment.PRODUCTION or scale == 1:
        return SteadyClock(floor=_known(ledger)), float
    steady = SteadyClock()
    with ledger.begin() as tx:
        real, virtual = sandbox_anchor(tx, steady(), scale)
    clock = ScaledClock(real, virtual, scale, steady)
    return clock.now, clock.real_seconds
