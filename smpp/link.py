"""A bind on a real socket: connects, binds, comes back, submits at the network's pace, hears.

Everything that happens is told to `heard`, on the event loop's thread. It decides nothing about
offers and keeps nothing: what it could not send it gives back, what it does not know it says.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from random import Random
from typing import Final

from smpp import incoming, submits, telling
from smpp.binds import Bind
from smpp.connection import Connection
from smpp.counters import Counters
from smpp.dial import DialError, dial
from smpp.events import Answered, Bound, Delivered, Event, Failed, Late, Queried, Refused, Unbound
from smpp.messages import (
    Acknowledgement,
    BindEvent,
    Heard,
    Outbound,
    SubmitOutcome,
    SubmitResult,
)
from smpp.outgoing import Job, Outgoing
from smpp.pdu import Command, SmFields, Status, describe
from smpp.query import QueryFields
from smpp.session import Session
from smpp.telling import Query
from smpp.timers import Backoff

_log: Final = logging.getLogger(__name__)


class Link:
    """One bind for as long as it is wanted. All methods are called on the loop's thread."""

    def __init__(
        self,
        bind: Bind,
        heard: Callable[[Heard], None],
        clock: Callable[[], datetime],
        *,
        jitter: Random | None = None,
        connections: int = 0,
        sending: Callable[[Sequence[SubmitResult]], None] | None = None,
    ) -> None:
        """`connections` is a number above which this link numbers its own: two links that are made
        one after the other for one bind must not name a connection alike. `sending` gets segments,
        each as the UNKNOWN that it is until its answer comes, before their first octet leaves."""
        self.bind = bind
        self.up_since: datetime | None = None
        self.is_suspended = False
        self.counters = Counters()
        self._heard = heard
        self._sending = sending
        self._tell = telling.Teller(bind, heard, clock)
        self._clock = clock
        self._jitter = jitter or Random()
        self._outgoing = Outgoing(bind, 0.0)
        self._queries: deque[Query] = deque()
        self._connection: Connection | None = None
        self._connections = connections
        self._read: tuple[int, object] | None = None
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._running = False

    @property
    def is_bound(self) -> bool:
        """Whether the bind stands now."""
        return self._connection is not None and self._connection.session.is_bound

    @property
    def connection(self) -> int | None:
        """The number of the connection that has certainly lived a moment ago."""
        if self._connection is None or not self._connection.is_lively:
            return None
        return self._connection.number

    @property
    def read(self) -> tuple[int, object] | None:
        """The last connection on which the network has read a mark, and that mark."""
        connection = self._connection
        if connection is not None and connection.session.marks.read is not None:
            self._read = connection.number, connection.session.marks.read
        return self._read

    @property
    def free(self) -> int:
        """How many more segments it would take now: 0 when they could not go soon."""
        if not self._may_submit or self._outgoing.is_paused:
            return 0
        return max(0, 2 * self.bind.window - self._outgoing.queued)

    @property
    def free_urgent(self) -> int:
        """The same for segments that go before the bulk that waits."""
        if not self._may_submit or self._outgoing.is_paused:
            return 0
        return max(0, 2 * self.bind.window - self._outgoing.queued_urgent)

    @property
    def queued(self) -> int:
        """Segments that wait here."""
        return self._outgoing.queued

    def recall(self) -> None:
        """Gives back the bulk of which nothing has left, as RETRY_NOW."""
        for job in self._outgoing.recall():
            self._tell.result(job, SubmitOutcome.RETRY_NOW, was_sent=False)

    async def run(self) -> None:
        """Connects and binds again and again until `stop`; cancelling it drops the connection."""
        self._running = True
        backoff = Backoff(self.bind.reconnect_delay, self.bind.reconnect_delay_max)
        loop = asyncio.get_running_loop()
        try:
            while not self._stopping.is_set():
                pause = backoff.pause_s(self._jitter.random()) if backoff.failures else 0.0
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
                if self._stopping.is_set():
                    break
                bound_s = await self._connect_once(loop)
                if bound_s > pause:  # it lasted: a bind that falls at once does not count
                    backoff = backoff.succeeded()
                backoff = backoff.failed()
        finally:
            self._drop()
            self._running = False
            self._tell.state(BindEvent.STOPPED)
            self._stopped.set()

    def submit(self, out: Outbound) -> int:
        """Queues a message; one SubmitResult per segment follows, at once RETRY_NOW when the bind
        cannot send (`free` is 0 then) and PERMANENT when the text cannot be cut. Returns how many
        segments are to leave."""
        if self.bind.bind == "receiver":
            return self._give_back(out, SubmitOutcome.OTHER_BIND)
        if not self._may_submit or self._connection is None:
            return self._give_back(out, SubmitOutcome.RETRY_NOW)
        try:
            queued = self._outgoing.add(out, self._connection.now)
        except ValueError as error:
            _log.error("%s: a message cannot be sent: %s", self.bind.cid, type(error).__name__)
            return self._give_back(out, SubmitOutcome.PERMANENT)
        self._connection.flush_soon()
        return queued

    def query(
        self, message_id_on_smsc: str, source: str | None = None, token: object = None
    ) -> None:
        """Asks by query_sm what became of a message; one QueryResult with `token` follows, at
        once and without a status when the bind cannot send. `source` is the address that the
        message was submitted with; None: the bind's. Raises ValueError where the bind has not
        `query = true`, and for an id that SMPP cannot carry."""
        if not self.bind.query:
            raise ValueError(f"{self.bind.cid}: query_sm only with query = true in its bind")
        if not message_id_on_smsc or not message_id_on_smsc.isascii() or len(source or "") > 20:
            raise ValueError(f"{self.bind.cid}: query_sm needs the id and source of a submit")
        by = (self.bind.source_addr_ton, self.bind.source_addr_npi)
        address = self.bind.source_addr if source is None else source
        asked = Query(QueryFields(message_id_on_smsc, *by, address), token)
        if not self._may_submit or self._connection is None or self.bind.bind == "receiver":
            self._tell.query(Queried(asked, None))
            return
        self._queries.append(asked)
        self._connection.flush_soon()

    def acknowledge(
        self, acks: Iterable[Acknowledgement], status: int = 0, mark: object = None
    ) -> None:
        """Answers what came by this connection, in one write; says nothing when the connection is
        gone. `mark` names all up to here for `read`."""
        connection = self._connection
        if connection is None:
            return
        for ack in acks:
            if ack.connection == connection.number:
                connection.session.acknowledge(ack.command, ack.sequence, status)
        if mark is not None:
            connection.session.marks.say(mark)
        connection.flush_soon()

    def flush(self) -> None:
        """What was submitted and acknowledged leaves now, before the loop turns."""
        if self._connection is not None:
            self._connection.flush_now()

    def suspend(self) -> None:
        """Sends nothing more, gives back what waits, and goes on hearing."""
        if not self.is_suspended:
            self.is_suspended = True
            self._tell.state(BindEvent.SUSPENDED)
            self._give_back_unsent()

    def resume(self) -> None:
        """Sends again."""
        if self.is_suspended:
            self.is_suspended = False
            self._tell.state(BindEvent.RESUMED)
            if self._connection is not None:
                self._connection.flush_soon()

    async def stop(self, drain_s: float = 10) -> None:
        """Takes no more submits, waits up to `drain_s` seconds for open responses of both sides,
        unbinds and closes. Returns when `run` has ended."""
        self._stopping.set()
        self._give_back_unsent()
        connection = self._connection
        if connection is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(connection.settled(), drain_s)
            if self.is_bound:
                connection.unbind()
                await asyncio.wait((connection.closed,), timeout=self.bind.response_timeout)
            connection.abort()
        if self._running:
            await self._stopped.wait()

    @property
    def _may_submit(self) -> bool:
        return self.is_bound and not self.is_suspended and not self._stopping.is_set()

    async def _connect_once(self, loop: asyncio.AbstractEventLoop) -> float:
        """One connection from its opening to its end; how long it was bound, in seconds."""
        self._tell.state(BindEvent.CONNECTING, f"{self.bind.host}:{self.bind.port}")
        self._connections += 1
        calls = (self._on_events, self._pump, self._on_closed, self.counters, self._clock)
        make = partial(Connection, self.bind, self._connections, *calls)
        dialling = loop.create_task(dial(self.bind, make))
        stopping = loop.create_task(self._stopping.wait())
        try:
            await asyncio.wait((dialling, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not dialling.done():
                return 0.0
            connection = dialling.result()
        except DialError as error:
            self._tell.state(BindEvent.LOST, str(error))
            return 0.0
        finally:
            stopping.cancel()
            dialling.cancel()
        self._connection = connection
        self.counters.connected_count += 1
        self.counters.connected_at = self._clock()
        if not connection.start():
            self._tell.state(BindEvent.LOST, "the network closed the connection before the bind")
        if self._stopping.is_set():
            connection.abort()
        await asyncio.wait((connection.closed,))
        return connection.bound_s

    def _on_events(self, connection: Connection, events: list[Event], now: float) -> None:
        arrival = incoming.Arrival(self.bind, connection.number, self._clock())
        for event in events:
            if isinstance(event, Delivered):
                if event.command == Command.DATA_SM:
                    self.counters.data_sm_count += 1
                else:
                    self.counters.deliver_sm_count += 1
                self._heard(incoming.read(event, arrival))
            elif isinstance(event, Answered):
                self._on_answer(event, now, arrival.at)
            elif isinstance(event, Late):
                self._tell.late(event)
            elif isinstance(event, Queried):
                self._tell.query(event)
            else:
                self._on_change(event)

    def _on_change(self, event: Bound | Refused | Unbound | Failed) -> None:
        match event:
            case Bound():
                self._outgoing.reset()
                self.up_since = self.counters.bound_at = self._clock()
                self.counters.bound_count += 1
                self._tell.state(BindEvent.BOUND, telling.who(event))
            case Refused():
                self.counters.bind_refused_count += 1
                self._tell.state(BindEvent.REFUSED, event.reason, event.status)
            case Failed():
                self.up_since = None
                self._tell.state(BindEvent.LOST, event.reason, event.status)
            case Unbound():
                self.up_since = None
                words = "the network unbound us" if event.by_peer else "we unbound"
                self._tell.state(BindEvent.UNBOUND, words)

    def _on_answer(self, event: Answered, now: float, at: datetime) -> None:
        job = event.token
        assert isinstance(job, Job)
        before = self._outgoing.is_paused
        self.counters.answered(event.status)
        chance = self._jitter.random() if event.status != Status.ESME_ROK else 0.0
        outcome = self._outgoing.answered(job, event.status, now, chance)
        if before or event.status:
            self._say_pace(before, event.status or 0)
        if outcome is not None:
            self._tell.result(job, outcome, event.status or 0, event.message_id, at=at)
        elif not self._may_submit:
            self._give_back_unsent()

    def _pump(self, session: Session, now: float) -> float | None:
        """Submits what may go; when to try again if only time is in the way."""
        if not self._may_submit:
            return None
        while self._queries and session.can_query:
            asked = self._queries.popleft()
            session.query(asked.fields, asked, now)
            self.counters.query_sm_count += 1
        before = self._outgoing.is_paused
        went: list[Job] = []
        wait_s = self._submit_due(session, now, before, went)
        if went and self._sending is not None:
            at = self._clock()
            self._sending([self._tell.doubt(job, at) for job in went if job.out.ussd is None])
        return wait_s

    def _submit_due(
        self, session: Session, now: float, was_paused: bool, went: list[Job]
    ) -> float | None:
        while session.can_submit:
            job = self._outgoing.take(now)
            if self._outgoing.late:
                self._tell_late()
            if job is None:
                self._say_pace(was_paused)
                return self._outgoing.wait_s(now)
            try:
                if job.out.ussd is None:
                    session.submit(job.fields, job, now)
                else:
                    session.submit(job.fields, job, now, submits.command(self.bind, job.out))
                self.counters.submit_sm_request_count += 1
                went.append(job)
            except ValueError as error:
                _log.error("%s: a segment cannot be packed: %s", self.bind.cid, error)
                self._outgoing.answered(job, int(Status.ESME_RINVMSGLEN), now, 0.0)
                self._tell.result(job, SubmitOutcome.PERMANENT)
        return None

    def _on_closed(self, connection: Connection, words: str) -> None:
        """The transport is gone; `words` is empty when its end was told already."""
        self._read = self.read
        self._connection = None
        self.up_since = None
        if words:
            self._tell.state(BindEvent.LOST, words)
        self.counters.disconnected_count += 1
        self.counters.disconnected_at = self._clock()
        in_flight = connection.session.in_flight
        for event in connection.session.close():
            if isinstance(event, Answered) and isinstance(event.token, Job):
                self._lose(event.token, is_alone=in_flight == 1)
            elif isinstance(event, Queried):
                self._tell.query(event)
        self._give_back_unsent()

    def _lose(self, job: Job, *, is_alone: bool) -> None:
        """The link broke while this was in flight."""
        self.counters.answered(None)
        outcome = self._outgoing.answered(job, None, 0.0, self._jitter.random())
        self._outgoing.suspect(job)
        if outcome is not None:
            self._tell.result(job, outcome, broke_link=is_alone)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.abort()

    def _give_back_unsent(self) -> None:
        for job in self._outgoing.drain():
            self._tell.result(job, SubmitOutcome.RETRY_NOW, was_sent=False)
        while self._queries:
            self._tell.query(Queried(self._queries.popleft(), None))

    def _tell_late(self) -> None:
        for job in self._outgoing.late:
            self._tell.result(job, SubmitOutcome.PERMANENT, was_sent=False)
        self._outgoing.late.clear()

    def _give_back(self, out: Outbound, outcome: SubmitOutcome) -> int:
        self._tell.result(Job(0, out, 1, 1, SmFields()), outcome)
        return 0

    def _say_pace(self, was_paused: bool, status: int = 0) -> None:
        if self._outgoing.is_paused and not was_paused:
            self._tell.state(BindEvent.THROTTLED, describe(status), status)
        elif was_paused and not self._outgoing.is_paused:
            self._tell.state(BindEvent.RESUMED, "the network takes messages again")
