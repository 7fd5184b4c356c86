"""What waits to be submitted on one bind: cut into segments, in order per recipient, at its pace.

Pure: `now` is an argument and nothing is sent from here. One recipient's next message waits until
the one before it is answered, so that a refusal for the pace cannot turn two messages round; else
a lower rank goes first. What was in flight when the link broke goes alone the next time: what
breaks it then stands out, and the others go on. USSD screens go first, for somebody waits, and
never twice.
"""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from smpp import statuses
from smpp.binds import Bind
from smpp.messages import BULK_RANK, Outbound, SubmitOutcome
from smpp.pdu import SmFields
from smpp.submits import cut
from smpp.timers import Bucket, Throttle

MAX_REFUSALS: Final = 10  # for the pace; then the outbox decides, and the others go on
MOST_SUSPECTS: Final = 10_000
SCREEN_WAITS_S: Final = 20.0  # where the bind says nothing of USSD


class Job(Struct, frozen=True, eq=False):
    """One segment on its way: the `number`th of `total`; how often it was refused for the pace."""

    serial: int
    out: Outbound
    number: int
    total: int
    fields: SmFields
    refused: int = 0


@dataclass(slots=True)
class _Lane:
    """One recipient's messages: how many segments of the first are open, its rank or that of what
    waits behind it where that is more urgent, and those behind it."""

    open: int
    rank: int
    behind: deque[list[Job]] | None = None  # made when needed: most lanes have one message


class Outgoing:
    """The queue of one bind. Its jobs leave by `take`, and each comes back to `answered` once."""

    def __init__(self, bind: Bind, now: float) -> None:
        self.bind = bind
        self.late: list[Job] = []  # USSD screens that nobody waits for any more
        self._serial = 0
        self._waiting: Counter[int] = Counter()  # segments by rank
        self._ready: dict[int, deque[Job]] = {rank: deque() for rank in range(BULK_RANK + 1)}
        self._screens: deque[tuple[Job, float]] = deque()  # with their deadlines
        self._lanes: dict[str, _Lane] = {}
        self._in_flight = 0
        self._suspects: dict[tuple[str, int], None] = {}  # Outbound.id and segment, oldest first
        self._alone: Job | None = None
        self._bucket = Bucket(bind.throughput, now)
        # A bind that is told to slow down waits with the patience of one that cannot connect.
        self._throttle = Throttle(bind.reconnect_delay, bind.reconnect_delay_max)

    @property
    def queued(self) -> int:
        """Segments that wait."""
        return self._waiting.total()

    @property
    def queued_urgent(self) -> int:
        """Those among them that go before any bulk."""
        return self._waiting.total() - self._waiting[BULK_RANK]

    @property
    def is_paused(self) -> bool:
        """Whether the network told this bind to slow down and no probe has gone through yet."""
        return self._throttle.is_paused

    def add(self, out: Outbound, now: float) -> int:
        """Queues all segments of a message; how many. Raises ValueError when it cannot be cut."""
        pieces = cut(self.bind, out)
        jobs = [
            Job(self._serial + number, out, number, len(pieces), fields)
            for number, fields in enumerate(pieces, 1)
        ]
        self._serial += len(jobs)
        self._waiting[out.rank] += len(jobs)
        if out.ussd is not None:
            patience = self.bind.ussd.timeout if self.bind.ussd is not None else SCREEN_WAITS_S
            self._screens.append((jobs[0], now + patience))
            return 1
        lane = self._lanes.get(out.phone)
        if lane is None:
            self._lanes[out.phone] = _Lane(len(jobs), out.rank)
            self._ready[out.rank].extend(jobs)
        else:
            lane.behind = lane.behind or deque()
            lane.behind.append(jobs)
            self._hasten(out.phone, lane, out.rank)
        return len(jobs)

    def _hasten(self, phone: str, lane: _Lane, rank: int) -> None:
        """What waits before a more urgent message of the same recipient is as urgent."""
        if rank >= lane.rank:
            return
        before = self._ready[lane.rank]
        own = [job for job in before if job.out.phone == phone]
        if own:
            self._ready[lane.rank] = deque(job for job in before if job.out.phone != phone)
            self._ready[rank].extend(own)
        lane.rank = rank

    def take(self, now: float) -> Job | None:
        """The next segment that may go now, counted as sent; None when none may."""
        if self._screens:
            self._drop_late(now)
        if not self._throttle.may_send(now):
            return None
        job = self._next()
        if job is None:
            self._throttle.clear()  # the pause is over and there is nothing to probe with
            return None
        if (self._suspects and self._must_wait(job)) or not self._bucket.take(now):
            return None
        if self._screens:
            self._screens.popleft()
        else:
            self._ready[self._lanes[job.out.phone].rank].popleft()
        self._waiting[job.out.rank] -= 1
        self._in_flight += 1
        if self._suspects and _key(job) in self._suspects:
            self._alone = job
        self._throttle.sent(job)
        return job

    def wait_s(self, now: float) -> float | None:
        """After `take` gave None: how long until it may give one; None while time alone will
        not change that."""
        if self._throttle.is_paused:
            return self._throttle.wait_s(now)
        job = self._next()
        return None if job is None or self._must_wait(job) else self._bucket.wait_s()

    def answered(
        self, job: Job, status: int | None, now: float, chance: float
    ) -> SubmitOutcome | None:
        """What a job's answer means; None when it is queued again because the network said to
        slow down. `status` None: no answer came. `chance` in [0, 1) jitters the pause."""
        self._in_flight -= 1
        if job is self._alone:
            self._alone = None
        if status is None:
            self._throttle.lost(job, now, chance)
            outcome = SubmitOutcome.UNKNOWN
        elif status in statuses.SLOW_DOWN:
            self._throttle.slowed(job, now, chance)
            if job.out.ussd is None and job.refused + 1 < MAX_REFUSALS:
                self._again(replace(job, refused=job.refused + 1))
                return None
            outcome = SubmitOutcome.RETRY_LATER
        else:
            self._throttle.went_through(job)
            outcome = statuses.outcome(status)
        if self._suspects and status is not None:
            self._suspects.pop(_key(job), None)
        if job.out.ussd is None:
            self._settle(job)
        return outcome

    def suspect(self, job: Job) -> None:
        """The link broke while this was in flight: the next time it goes alone."""
        if job.out.ussd is None:
            self._suspects[_key(job)] = None
            if len(self._suspects) > MOST_SUSPECTS:
                del self._suspects[next(iter(self._suspects))]

    def drain(self) -> list[Job]:
        """Takes out all that is not sent, in order; what is in flight stays known."""
        ready = [job for jobs in self._ready.values() for job in jobs]
        unsent = [*ready, *(job for job, _ in self._screens)]
        self._screens.clear()
        for job in ready:
            self._lanes[job.out.phone].open -= 1
        for phone in list(self._lanes):
            lane = self._lanes[phone]
            unsent += [job for jobs in lane.behind or () for job in jobs]
            lane.behind = None
            if not lane.open:
                del self._lanes[phone]
        for jobs in self._ready.values():
            jobs.clear()
        self._waiting.clear()
        return sorted(unsent, key=lambda job: job.serial)

    def recall(self) -> list[Job]:
        """Takes out the bulk of which nothing has been sent and behind which nothing waits."""
        waiting = Counter(job.out.phone for job in self._ready[BULK_RANK])
        recalled = {
            phone
            for phone, many in waiting.items()
            if many == self._lanes[phone].open and not self._lanes[phone].behind
        }
        jobs = [
            job
            for job in self._ready[BULK_RANK]
            if job.out.phone in recalled and waiting[job.out.phone] == job.total
        ]
        taken = {job.out.phone for job in jobs}
        left = [job for job in self._ready[BULK_RANK] if job.out.phone not in taken]
        self._ready[BULK_RANK] = deque(left)
        for phone in taken:
            del self._lanes[phone]
        self._waiting[BULK_RANK] -= len(jobs)
        return jobs

    def reset(self) -> None:
        """The connection is a new one: no pause of the old one holds."""
        self._throttle.clear()

    def _next(self) -> Job | None:
        if self._screens:
            return self._screens[0][0]
        return next((jobs[0] for jobs in self._ready.values() if jobs), None)

    def _must_wait(self, job: Job) -> bool:
        """Whether something else has to be answered first: a suspect is alone in flight."""
        if self._alone is not None:
            return True
        return bool(self._in_flight and _key(job) in self._suspects)

    def _drop_late(self, now: float) -> None:
        while self._screens and self._screens[0][1] <= now:
            self.late.append(self._screens.popleft()[0])
            self._waiting[self.late[-1].out.rank] -= 1

    def _again(self, job: Job) -> None:
        """To the front, but behind what was refused before it and is older."""
        at = 0
        ready = self._ready[self._lanes[job.out.phone].rank]
        for waiting in ready:
            if not waiting.refused or waiting.serial > job.serial:
                break
            at += 1
        ready.insert(at, job)
        self._waiting[job.out.rank] += 1

    def _settle(self, job: Job) -> None:
        lane = self._lanes[job.out.phone]
        lane.open -= 1
        if lane.open:
            return
        if lane.behind:
            jobs = lane.behind.popleft()
            lane.open = len(jobs)
            lane.rank = min(group[0].out.rank for group in (jobs, *lane.behind))
            self._ready[lane.rank].extend(jobs)
        else:
            del self._lanes[job.out.phone]


def _key(job: Job) -> tuple[str, int]:
    return job.out.id, job.number
