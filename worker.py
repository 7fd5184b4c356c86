"""What goes on behind the conversation: the sweep of what is due, and RQ's jobs, which hand events
over to providers. A refused submit rests in the outbox until its time, so no job is needed for it.

Nothing is decided and nothing is remembered here: jobs hold only ids and call an action, and what
a lost job or a flushed Redis left undone is found again in the ledger within a second.
"""

import functools
import secrets
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

import redis
import structlog
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from app import rooms, webhooks
from app.calendar import local_date
from app.catalogue import retention as policy
from app.ledger import deliveries, retention, seals
from app.proactive.campaigns import actions as campaigning
from app.recipients import syncing
from app.runtime import Runtime

WEBHOOKS = "jauap-webhooks"

SWEEP_EVERY_S = 0.2
RECONCILE_EVERY_S = 1.0
CAMPAIGNS_EVERY_S = 0.5
SEAL_EVERY_S = 5.0
ERASE_EVERY_S = 60.0
# Long enough for what was begun before midnight to be committed; what is later is sealed later.
SEAL_GRACE_S = 10.0
REDIS_AGAIN_S = 0.5
# A provider that answers slowly keeps one of these busy and not the others.
MORE_FOR_WEBHOOKS = 3
# What is left in Redis of a job whose worker died; the ledger has long made another one.
JOB_TTL_S = 600

_log = structlog.get_logger("worker")


@dataclass(frozen=True, slots=True)
class House:
    """What a job finds around it: the runtime, and whether we are asked to stop."""

    rt: Runtime
    stop: threading.Event


HOUSE: ContextVar[House] = ContextVar("house")


def main(rt: Runtime) -> int:
    """Works until SIGTERM or SIGINT, finishes the job in hand and returns 0."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return run(rt, stop)


def run(rt: Runtime, stop: threading.Event) -> int:
    """Works in this thread, and in a few of its own, until `stop` is set; returns 0."""
    house, redis_outage = House(rt, stop), Outage("redis")
    threads = [
        threading.Thread(target=_beat, args=(house, "sweep", SWEEP_EVERY_S, sweep)),
        threading.Thread(target=_beat, args=(house, "campaigns", CAMPAIGNS_EVERY_S, offer)),
        threading.Thread(
            target=_beat, args=(house, "registers", rt.settings.registers.every, read)
        ),
        threading.Thread(target=_beat, args=(house, "reconcile", RECONCILE_EVERY_S, reconcile)),
        threading.Thread(target=_beat, args=(house, "seal", SEAL_EVERY_S, seal)),
        threading.Thread(target=_beat, args=(house, "erase", ERASE_EVERY_S, erase)),
    ]
    for _ in range(MORE_FOR_WEBHOOKS):
        threads.append(threading.Thread(target=_work, args=(house, redis_outage, (WEBHOOKS,))))
    for thread in threads:
        thread.start()
    try:
        _work(house, redis_outage, (WEBHOOKS,))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return 0


# Jobs. RQ finds them by name; arguments are ids.


def _job(act: Callable[..., None]) -> Callable[..., None]:
    """A job that fails has nothing to tell RQ, which would keep the error's text in Redis: the
    reconciler finds the work again."""

    @functools.wraps(act)
    def guarded(*ids: str) -> None:
        try:
            act(HOUSE.get(), *ids)
        except Exception as error:
            _log.error("job failed, will be found again", job=act.__name__, error=_kind(error))

    return guarded


@_job
def deliver(house: House, webhook_id: str) -> None:
    """Hands over what is due at one webhook."""
    webhooks.deliver(house.rt, UUID(webhook_id), house.stop.is_set)


# Beats: each asks the ledger what there is to do.


def sweep(house: House) -> None:
    """Closes what is due, batch after batch. Between two it rests as long as one took: thousands
    that fall due in one minute must not keep one reply waiting."""
    while not house.stop.is_set():
        begun = time.monotonic()
        if not rooms.sweep(house.rt):
            return
        house.stop.wait(time.monotonic() - begun)


def offer(house: House) -> None:
    """Makes the offers of campaigns, a few of each at a time."""
    while not house.stop.is_set() and campaigning.work(house.rt):
        continue


def read(house: House) -> None:
    """Reads what the state registers have new."""
    syncing.sync_all(house.rt, house.stop.is_set)


def reconcile(house: House) -> None:
    """Makes a job of everything that the ledger says is to be done and for which none waits."""
    rt = house.rt
    with rt.ledger.begin() as tx:
        waiting = deliveries.waiting(tx, rt.clock())
    _enqueue(rt, WEBHOOKS, "worker.deliver", [str(w) for w in waiting])


def seal(house: House) -> None:
    """Seals every day that is over; of several workers one does. The log keeps the hash where
    whoever could rewrite the ledger does not reach."""
    rt = house.rt
    late = seals.LOOK_BACK + rt.waiting(seals.SLOWEST_S)
    while not house.stop.is_set():
        with rt.ledger.begin() as tx:
            made = seals.make(tx, rt.seal_key, rt.clock() - rt.waiting(SEAL_GRACE_S), late)
        if made is None:
            return
        _log.info("day sealed", day=made.day, number=made.number, hash=made.hash.hex(":", 2))


def erase(house: House) -> None:
    """Erases, once a day, personal data whose term is over."""
    rt, now = house.rt, house.rt.clock()
    with retention.turn(rt.ledger, local_date(now)) as is_ours:
        if is_ours:
            terms = policy.on(policy.terms(), local_date(now))
            retention.run(rt.ledger, rt.vault, terms, now, is_stopped=house.stop.is_set)


def _enqueue(rt: Runtime, queue_name: str, job: str, subjects: Sequence[str]) -> None:
    if not subjects:
        return
    queue = Queue(queue_name, connection=rt.redis, serializer=JSONSerializer)
    queued = {job_id.rpartition("_")[0] for job_id in queue.get_job_ids()}
    for subject in subjects:
        if subject in queued:
            continue
        queue.enqueue(
            job,
            args=(subject,) if subject else (),
            job_id=f"{subject}_{secrets.token_hex(4)}",
            ttl=JOB_TTL_S,
            result_ttl=0,
            failure_ttl=JOB_TTL_S,
        )


def _beat(house: House, name: str, every_s: float, beat: Callable[[House], None]) -> None:
    outage = Outage(name)
    while not house.stop.is_set():
        try:
            beat(house)
        except Exception as error:
            outage.begins(error)
        else:
            outage.is_over()
        house.stop.wait(every_s)


@dataclass(slots=True)
class Outage:
    """Says once that something does not work, and once that it works again."""

    name: str
    since: float | None = None  # monotonic seconds

    def begins(self, error: Exception) -> None:
        if self.since is None:
            self.since = time.monotonic()
            _log.error("not working, trying on", what=self.name, error=_kind(error))

    def is_over(self) -> None:
        if self.since is not None:
            _log.info(
                "working again", what=self.name, after_s=round(time.monotonic() - self.since, 1)
            )
            self.since = None


def _kind(error: Exception) -> str:
    # Never its text: a driver may quote the row it stumbled over.
    return f"{type(error).__module__}.{type(error).__name__}"


# RQ.


class NoPenalty(BaseDeathPenalty):
    """Our jobs bound themselves; nobody throws an exception into a transaction from outside."""

    def setup_death_penalty(self) -> None:
        """Nothing to set."""

    def cancel_death_penalty(self) -> None:
        """Nothing to cancel."""


class Worker(SimpleWorker):
    """RQ's worker, in any thread, that stops when the house does and takes no orders by Redis."""

    death_penalty_class = NoPenalty
    max_connection_wait_time = 1.0
    stop: threading.Event

    @property
    def dequeue_timeout(self) -> int:
        return 1

    def _install_signal_handlers(self) -> None:
        return

    def subscribe(self) -> None:
        return

    def check_for_suspension(self, burst: bool) -> None:
        return

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Called between jobs without a `pipeline`: the moment to stop, or to start afresh."""
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
            return
        if self.stop.is_set():
            raise StopRequested
        try:
            super().heartbeat(timeout)
        except RedisError:
            raise StopRequested from None


def _work(house: House, outage: Outage, queues: Sequence[str]) -> None:
    """Takes jobs until told to stop; Redis may come and go meanwhile."""
    HOUSE.set(house)
    while not house.stop.is_set():
        try:
            with _connection(house.rt) as connection:
                worker = Worker(queues, connection=connection, serializer=JSONSerializer)
                worker.stop = house.stop
                outage.is_over()
                # RQ would tell of every attempt to reach Redis; we tell once.
                worker.work(logging_level="CRITICAL")
        except Exception as error:
            outage.begins(error)
        house.stop.wait(REDIS_AGAIN_S)


def _connection(rt: Runtime) -> "redis.Redis":
    # Its own pool: RQ sets its timeouts on the pool it is given.
    pool = rt.redis.connection_pool
    own = redis.ConnectionPool(connection_class=pool.connection_class, **pool.connection_kwargs)
    return redis.Redis.from_pool(own)
