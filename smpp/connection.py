"""One TCP connection of a bind: octets to its session and back, one write for each read.

It owns the transport and the timer, not the meaning: events go to the link, which also says what
to submit next.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final, cast

from smpp.binds import Bind
from smpp.counters import Counters
from smpp.dial import forget, quicken
from smpp.events import Bound, Event, Failed, Refused, Unbound
from smpp.session import Session

MOST_UNREAD: Final = 8 * 1024 * 1024  # octets the peer may leave unread

LIVELY_S: Final = 2.0
_HANG_UP_S: Final = 1.0  # a peer that reads no more does not keep us from closing
_ENDS: Final = (Refused, Failed, Unbound)
_LEAST_TICK_S: Final = 0.005

OnEvents = Callable[["Connection", list[Event], float], None]
Pump = Callable[[Session, float], float | None]
OnClosed = Callable[["Connection", str], None]


class Connection(asyncio.Protocol):
    """The protocol of one connection, from `start` to `closed`.

    `pump` submits what may go and says after how many seconds it wants to be called again.
    `on_closed` gets the reason in words, "" where an event has told it already.
    """

    def __init__(
        self,
        bind: Bind,
        number: int,
        on_events: OnEvents,
        pump: Pump,
        on_closed: OnClosed,
        counters: Counters,
        clock: Callable[[], datetime],
    ) -> None:
        self.number = number
        self.session = Session(bind, counters)
        self.bound_s = 0.0
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._on_events = on_events
        self._pump = pump
        self._on_closed = on_closed
        self._counters = counters
        self._clock = clock
        self._why = ""
        self._transport: asyncio.Transport | None = None
        self._bound_at: float | None = None
        self._step_s = min(bind.response_timeout, bind.enquire_link_interval) / 4
        self._moved = asyncio.Event()
        self._is_told = False
        self._is_started = False
        self._soon: asyncio.Handle | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def now(self) -> float:
        """The loop's seconds, by which its session lives."""
        return self._loop.time()

    @property
    def is_lively(self) -> bool:
        """Whether it is bound and something whole came just now."""
        return self.session.is_bound and self.now - self.session.heard_at <= LIVELY_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: the socket is open, TLS included; the bind waits for `start`."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one but in name
        quicken(transport)

    def start(self) -> bool:
        """Sends the bind. Only now, so that a certificate can be looked at before. False when
        the connection is gone already."""
        if self.closed.done() or self._transport is None:
            return False
        self._is_started = True
        self._transport.write(self.session.start(self._loop.time()))
        self._later("tick", self._step_s, self._tick)
        return True

    def data_received(self, data: bytes) -> None:
        """asyncio's: octets came."""
        if not self._is_started:
            self.abort()  # an SMSC says nothing before the bind
            return
        now = self._loop.time()
        counters = self._counters
        enquired = counters.elink_received_count
        events = self.session.receive_data(data, now)
        counters.last_received_pdu_at = at = self._clock()
        if counters.elink_received_count != enquired:
            counters.last_received_elink_at = at
        self._handle(events, now)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's: the connection is gone, whoever ended it."""
        for timer in self._timers.values():
            timer.cancel()
        if self._soon is not None:
            self._soon.cancel()
        if self._bound_at is not None:
            self.bound_s = self._loop.time() - self._bound_at
        words = f"the connection was lost: {exc}" if exc else "the network closed the connection"
        words = self._why or words
        self._on_closed(self, words if self._is_started and not self._is_told else "")
        self._moved.set()
        if not self.closed.done():
            self.closed.set_result(None)

    def flush(self) -> None:
        """Submits what may go, and writes all that has to be said at once."""
        if self._transport is None or self.closed.done():
            return
        wait_s = self._pump(self.session, self._loop.time())
        data = self.session.data_to_send()
        if data:
            self._transport.write(data)
            self._counters.last_sent_pdu_at = self._clock()
            if self._transport.get_write_buffer_size() > MOST_UNREAD:
                self._why = "the network does not read what we send"
                self._reset()
                return
        if wait_s is not None:
            self._later("pump", max(wait_s, 0.001), self.flush)
        self._moved.set()

    def flush_soon(self) -> None:
        """One `flush` for all that is done before the loop turns."""
        if self._soon is None:
            self._soon = self._loop.call_soon(self._flush_now)

    def flush_now(self) -> None:
        """The `flush` that is to come soon, if there is one."""
        if self._soon is not None:
            self._soon.cancel()
            self._flush_now()

    def unbind(self) -> None:
        """Asks the SMSC for the end; its timer or its answer closes the connection."""
        self.session.unbind(self._loop.time())
        self.flush()

    def abort(self) -> None:
        """Drops the connection without a word."""
        self._is_told = True
        self._reset()

    async def settled(self) -> None:
        """Returns when no response is awaited by either side, or the connection is gone."""
        while not self.closed.done() and (self.session.in_flight or self.session.owed):
            self._moved.clear()
            await self._moved.wait()

    def _flush_now(self) -> None:
        self._soon = None
        self.flush()

    def _tick(self) -> None:
        now = self._loop.time()
        enquired = self._counters.elink_count
        events = self.session.tick(now)
        if self._counters.elink_count != enquired:
            self._counters.last_sent_elink_at = self._clock()
        self._handle(events, now)
        # Deadlines that come later are set meanwhile, so look again soon enough for those too.
        pause = min(self._step_s, self.session.next_tick_at - now)
        self._later("tick", max(pause, _LEAST_TICK_S), self._tick)

    def _handle(self, events: list[Event], now: float) -> None:
        ends = is_dead = False
        for event in events:
            if isinstance(event, Bound):
                self._bound_at = now
            elif isinstance(event, Failed) and not event.status:
                self._is_told = is_dead = True
            elif isinstance(event, _ENDS):
                self._is_told = ends = True
        if events:
            self._on_events(self, events, now)
        self.flush()
        if is_dead:
            self._reset()
        elif ends and self._transport is not None:
            self._transport.close()
            self._later("abort", _HANG_UP_S, self._reset)

    def _reset(self) -> None:
        """Drops the connection so that nothing of it lives on, neither here nor, where it can
        still be told, at the peer: an old connection may take what belongs to the next."""
        if self._transport is not None:
            forget(self._transport)
            self._transport.abort()

    def _later(self, name: str, delay_s: float, call: Callable[[], None]) -> None:
        """One timer of each name; a new one replaces the old."""
        if name in self._timers:
            self._timers[name].cancel()
        if not self.closed.done():
            self._timers[name] = self._loop.call_later(delay_s, call)
