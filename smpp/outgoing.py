"""What waits to be submitted on one bind: cut into segments, in order per recipient, at its pace.

Pure: `now` is an argument and nothing is sent from here. One recipient's next message waits until
the one before it is answered, so that a refusal for the pace cannot turn two messages round.
"""

from collections import deque
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from smpp import statuses, text, ussd
from smpp.binds import Bind
from smpp.messages import Outbound, SubmitOutcome
from smpp.pdu import SmFields, Tag
from smpp.timers import Bucket, Throttle

MAX_REFUSALS: Final = 10  # for the pace; then the outbox decides, and the others go on


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One segment on its way: the `number`th of `total`; how often it was refused for the pace."""

    serial: int
    out: Outbound
    number: int
    total: int
    fields: SmFields
    refused: int = 0


@dataclass(slots=True)
class _Lane:
    """One recipient's messages: how many segments of the first are open, and those behind it."""

    open: int
    behind: deque[list[Job]] = field(default_factory=deque)


class Outgoing:
    """The queue of one bind. Its jobs leave by `take`, and each comes back to `answered` once."""

    def __init__(self, bind: Bind, now: float) -> None:
        self.bind = bind
        self.queued = 0
        self._serial = 0
        self._ready: deque[Job] = deque()
        self._lanes: dict[str, _Lane] = {}
        self._bucket = Bucket(bind.throughput, now)
        # A bind that is told to slow down waits with the patience of one that cannot connect.
        self._throttle = Throttle(bind.reconnect_delay, bind.reconnect_delay_max)

    @property
    def is_paused(self) -> bool:
        """Whether the network told this bind to slow down and no probe has gone through yet."""
        return self._throttle.is_paused

    def add(self, out: Outbound) -> None:
        """Queues all segments of a message. Raises ValueError when it cannot be cut."""
        pieces = cut(self.bind, out)
        jobs = [
            Job(self._serial + number, out, number, len(pieces), fields)
            for number, fields in enumerate(pieces, 1)
        ]
        self._serial += len(jobs)
        self.queued += len(jobs)
        lane = self._lanes.get(out.phone)
        if lane is None:
            self._lanes[out.phone] = _Lane(len(jobs))
            self._ready.extend(jobs)
        else:
            lane.behind.append(jobs)

    def take(self, now: float) -> Job | None:
        """The next segment that may go now, counted as sent; None when none may."""
        if not self._throttle.may_send(now):
            return None
        if not self._ready:
            self._throttle.clear()  # the pause is over and there is nothing to probe with
            return None
        if not self._bucket.take(now):
            return None
        job = self._ready.popleft()
        self.queued -= 1
        self._throttle.sent(job)
        return job

    def wait_s(self, now: float) -> float | None:
        """After `take` gave None: how long until it may give one; None while time alone will
        not change that."""
        if self._throttle.is_paused:
            return self._throttle.wait_s(now)
        return self._bucket.wait_s() if self._ready else None

    def answered(
        self, job: Job, status: int | None, now: float, chance: float
    ) -> SubmitOutcome | None:
        """What a job's answer means; None when it is queued again because the network said to
        slow down. `status` None: no answer came. `chance` in [0, 1) jitters the pause."""
        if status is None:
            self._throttle.lost(job, now, chance)
            outcome = SubmitOutcome.UNKNOWN
        elif status in statuses.SLOW_DOWN:
            self._throttle.slowed(job, now, chance)
            if job.refused + 1 < MAX_REFUSALS:
                self._again(replace(job, refused=job.refused + 1))
                return None
            outcome = SubmitOutcome.RETRY_LATER
        else:
            self._throttle.went_through(job)
            outcome = statuses.outcome(status)
        self._settle(job)
        return outcome

    def drain(self) -> list[Job]:
        """Takes out all that is not sent, in order; what is in flight stays known."""
        unsent = list(self._ready)
        for job in self._ready:
            self._lanes[job.out.phone].open -= 1
        for phone in list(self._lanes):
            lane = self._lanes[phone]
            unsent += [job for jobs in lane.behind for job in jobs]
            lane.behind.clear()
            if not lane.open:
                del self._lanes[phone]
        self._ready.clear()
        self.queued = 0
        return sorted(unsent, key=lambda job: job.serial)

    def reset(self) -> None:
        """The connection is a new one: no pause of the old one holds."""
        self._throttle.clear()

    def _again(self, job: Job) -> None:
        """To the front, but behind what was refused before it and is older."""
        at = 0
        for waiting in self._ready:
            if not waiting.refused or waiting.serial > job.serial:
                break
            at += 1
        self._ready.insert(at, job)
        self.queued += 1

    def _settle(self, job: Job) -> None:
        lane = self._lanes[job.out.phone]
        lane.open -= 1
        if lane.open:
            return
        if lane.behind:
            jobs = lane.behind.popleft()
            lane.open = len(jobs)
            self._ready.extend(jobs)
        else:
            del self._lanes[job.out.phone]


def cut(bind: Bind, out: Outbound) -> list[SmFields]:
    """The submit_sm fields of a message's segments; USSD is one screen in one PDU. Raises
    ValueError for a text that is too long."""
    if out.ussd is not None:
        pieces = [text.Segment(0, *ussd.encode(out.text))]
    else:
        pieces = text.segments(out.text, out.reference, bind.long_message)
    reference = {Tag.USER_MESSAGE_REFERENCE: _reference(out)}
    tlvs = reference | (ussd.tlvs(out.ussd) if out.ussd is not None else {})
    validity = "" if out.ussd is not None else relative(out.validity_s, bind.validity_period)
    receipt = int(out.wants_receipt and bind.receipts and out.ussd is None)
    by_code = out.ussd is not None and bind.ussd is not None
    return [
        SmFields(
            source_ton=bind.source_addr_ton,
            source_npi=bind.source_addr_npi,
            source=bind.ussd.service_code if by_code and bind.ussd else bind.source_addr,
            dest_ton=bind.dest_addr_ton,
            dest_npi=bind.dest_addr_npi,
            dest=out.phone.removeprefix("+"),
            esm_class=piece.esm_class,
            validity=validity,
            registered_delivery=receipt,
            data_coding=piece.data_coding,
            short_message=piece.short_message,
            tlvs=tlvs | piece.tlvs,
        )
        for piece in pieces
    ]


@lru_cache(maxsize=256)
def relative(validity_s: int, most_s: int) -> str:
    """A relative validity_period (7.1.1.2), "000001000000000R" for a day; `most_s` where
    `validity_s` is 0 or more than that."""
    seconds = min(validity_s, most_s) if validity_s > 0 else most_s
    days, seconds = divmod(seconds, 86_400)
    months, days = divmod(days, 30)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"00{months:02}{days:02}{hours:02}{minutes:02}{seconds:02}000R"


def _reference(out: Outbound) -> bytes:
    # Some SMSCs keep only 8 bits of it; a USSD session's own reference goes back as it came.
    return (out.reference & (0xFF if out.ussd is None else 0xFFFF)).to_bytes(2, "big")
