"""What every entry into the house holds in its hands: settings, clock, ledger, vault, words, Redis.

Made once per process by `open_runtime`; it decides nothing. Redis is reached only for wake-ups
and jobs, and its absence delays them by a second at most.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import redis
from redis.exceptions import RedisError

from app.calendar import Calendar
from app.catalogue.loader import load as load_catalogue
from app.catalogue.model import Catalogue
from app.clock import Clock, ScaledClock, system_clock
from app.conversation.rooms import Room
from app.ledger.encryption import Vault, VaultError
from app.ledger.engine import Ledger, canary, sandbox_anchor
from app.ledger.unit import Unit
from app.settings import Environment, Settings
from dialogs.engine.wording import Words

OUTBOX = "jauap:wake:outbox"
CANARY = b"jauap"


class WrongMasterKey(Exception):
    """The master key does not open this ledger."""


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
    rooms: dict[str, Room] = field(default_factory=dict)

    @contextmanager
    def unit(self, gateway: UUID | None = None) -> Iterator[Unit]:
        """One transaction with what is to be written with it; the clock is asked once. What was
        gathered is written before the commit, and gateways are woken after it."""
        with self.ledger.begin() as tx:
            unit = Unit(tx, self.clock(), self.vault, gateway)
            yield unit
            has_messages = bool(unit.outbox.messages)
            unit.write()
        if has_messages:
            self.wake()

    def waiting(self, real_seconds: float) -> timedelta:
        """How much time passes by the clock in so many seconds of ours: pauses between tries are
        about machines, so a sandbox whose days last seconds must not shorten them."""
        return timedelta(seconds=real_seconds / self.real_seconds(1))

    def wake(self) -> None:
        """Tells every gateway that the outbox has something for it. A lost wake-up costs a
        second, because gateways also look by themselves."""
        try:
            self.redis.publish(OUTBOX, b"")
        except RedisError:
            return


def listen(rt: Runtime, woken: Callable[[], None], is_over: Callable[[], bool]) -> None:
    """Calls `woken` for every wake-up until `is_over`; Redis may go and come back meanwhile."""
    while not is_over():
        try:
            with rt.redis.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
                channel.subscribe(OUTBOX)
                woken()
                while not is_over():
                    if channel.get_message(timeout=0.5) is not None:
                        woken()
        except (RedisError, TypeError):  # redis-py asks a closed socket for its number: TypeError
            time.sleep(0.5)


def open_runtime(settings: Settings, ledger_url: str, redis_url: str) -> Runtime:
    """A runtime on servers that answer and a ledger that has been migrated.

    Raises LedgerDown, WrongMasterKey, CatalogueError or WordingError, each with its reason."""
    ledger = Ledger(ledger_url)
    ledger.check()
    vault = Vault(settings.master_key, settings.old_master_keys)
    _check_vault(ledger, vault)
    clock, real_seconds = _clock(settings, ledger)
    catalogue = load_catalogue(Path(__file__).parent / "catalogue")
    return Runtime(
        settings=settings,
        ledger=ledger,
        vault=vault,
        words=Words.load(),
        catalogue=catalogue,
        calendar=Calendar(catalogue.swaps),
        clock=clock,
        real_seconds=real_seconds,
        redis=redis.Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=5),
    )


def _check_vault(ledger: Ledger, vault: Vault) -> None:
    with ledger.begin() as tx:
        sealed = canary(tx, vault.seal(CANARY, b"canary"))
    try:
        vault.open(sealed, b"canary")
    except VaultError:
        raise WrongMasterKey(
            "the master key does not open this ledger: found another key than the one it was "
            "sealed with, expected the same JAUAP_MASTER_KEY as before"
        ) from None


def _clock(settings: Settings, ledger: Ledger) -> tuple[Clock, Callable[[float], float]]:
    scale = settings.sandbox.time_scale
    if settings.environment is Environment.PRODUCTION or scale == 1:
        return system_clock, float
    with ledger.begin() as tx:
        real, virtual = sandbox_anchor(tx, system_clock(), scale)
    clock = ScaledClock(real, virtual, scale)
    return clock.now, clock.real_seconds
