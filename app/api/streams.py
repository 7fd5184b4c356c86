"""Server-sent events (WHATWG HTML, section 9.2): every stream of this process is fed by one reader
of the ledger's feed, which one subscription to Redis wakes. What is lost on the way costs a
second, for the reader also looks by itself; what a stream missed it is sent when it comes again.

An idle stream is its socket and one small object: no task, no timer, no query, no connection of its
own.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from uuid import UUID

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.lasting import LINE, HandOver, Successor
from app.clock import system_clock
from app.ledger import feed
from app.ledger.failures import FAILURES
from app.ledger.feed import Found, Item, Place
from app.runtime import FEED, Runtime, listen

HEARTBEAT_S = 15.0
SLOTS = 15  # into which the streams are spread over a heartbeat
LOOK_S = 1.0  # how often the feed is looked at although nobody woke us
UNSETTLED_S = 0.05  # the same while a transaction holds something back
READ = 500  # items at once
SLICE = 2000  # streams looked at before others may go on
MOST_WAITING = 1000  # chunks that a slow reader may lag behind
RECONNECT_MS = 2000
GOODBYE_S = 1.0
RESET = b'data: {"type":"reset"}\n\n'
_BEAT = b":\n\n"
_LAST = b"0\r\n\r\n"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy in between must not wait for more
    (b"connection", b"close"),  # nothing follows on it
]
_log = structlog.get_logger("api")


def spelled(item: Item) -> bytes:
    """An item as an event; its JSON holds no line break."""
    return b"id: " + str(item.place).encode() + b"\ndata: " + item.body + b"\n\n"


@dataclass(slots=True, eq=False)
class Stream(Successor):
    """One open connection. While `replaying`, what comes live is kept for afterwards; `ends` is
    when its token does, as a timestamp, and `slot` the beat of every heartbeat that is its own."""

    streams: "Streams"
    recipient_id: UUID
    place: Place
    ends: float | None
    slot: int
    kept: list[Item] | None = field(default_factory=list)
    waiting: list[bytes] = field(default_factory=list)
    transport: asyncio.Transport | None = None
    connections: set[object] | None = None
    is_paused: bool = False
    ending: bool = False

    def begin(self, connections: set[object], is_paused: bool) -> None:
        self.connections, self.is_paused = connections, is_paused

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one but in name

    def tell(self, items: Sequence[Item]) -> None:
        """Sends what this stream does not have yet."""
        if self.kept is not None:
            self.kept += items
            return
        for item in items:
            if item.place > self.place:
                self.place = item.place
                self.put(spelled(item))

    def put(self, chunk: bytes) -> None:
        """Writes, or waits behind what its reader has not taken yet; a reader too slow to follow
        is let go."""
        if self.ending or self.transport is None:
            return
        if not self.is_paused:
            self.transport.write(_chunk(chunk))
            return
        self.waiting.append(chunk)
        if len(self.waiting) > MOST_WAITING:
            self.shutdown()

    def pause_writing(self) -> None:
        self.is_paused = True

    def resume_writing(self) -> None:
        self.is_paused = False
        if self.waiting:
            chunk = b"".join(self.waiting)
            self.waiting.clear()
            self.put(chunk)

    def shutdown(self) -> None:
        """Ends the answer as if all had been said; its reader comes again and goes on where it
        was. Whoever does not read is not waited for."""
        if self.ending:
            return
        self.ending = True
        if self.transport is None:
            return
        if self.is_paused:
            self.transport.abort()
            return
        self.transport.write(_LAST)
        self.transport.close()
        asyncio.get_running_loop().call_later(GOODBYE_S, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ending = True
        if self.connections is not None:
            self.connections.discard(self)
        self.streams.leave(self)


def _chunk(octets: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(octets), octets)


@dataclass(slots=True, eq=False)
class Streams:
    """All streams of one web process. Everything here runs on its event loop."""

    rt: Runtime
    by_recipient: dict[UUID, tuple[Stream, ...]] = field(default_factory=dict)
    count: int = 0
    opened: int = 0
    closing: bool = False
    place: Place = feed.BEGINNING
    latest: Place = feed.BEGINNING  # nothing behind it has been handed out, or passed over
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    following: "asyncio.Task[None] | None" = None
    beating: "asyncio.Task[None] | None" = None

    async def open(self, who: "Following", hand_over: HandOver) -> None:
        """Takes a connection over whose answer has begun, and tells what was missed. It is fed
        until its reader leaves, its token ends or the process does."""
        ends = None if who.expires is None else who.expires.timestamp()
        stream = Stream(self, who.recipient_id, who.found.through, ends, self.opened % SLOTS)
        if not hand_over(stream):
            return
        self.opened += 1
        self.count += 1
        others = self.by_recipient.get(stream.recipient_id, ())
        self.by_recipient[stream.recipient_id] = (*others, stream)
        if self.closing:
            stream.shutdown()
        stream.put(f"retry: {RECONNECT_MS}\n\n".encode())
        if who.is_reset:
            stream.put(RESET)
        for item in who.found.items:
            stream.put(spelled(item))
        is_whole = len(who.found.items) < READ and self._tells_from(who.found.through)
        try:
            if not is_whole:
                await self._start()
                await self._replay(stream)
            self._go_on(stream)
        except FAILURES as error:  # whoever listens comes again
            _log.warning("the feed cannot be read", error=type(error).__name__)
            stream.shutdown()

    def _tells_from(self, place: Place) -> bool:
        """Has nothing behind this place been handed out yet, and will all of it be?"""
        return _goes_on(self.following) and _goes_on(self.beating) and self.latest <= place

    def leave(self, stream: Stream) -> None:
        """The connection is gone."""
        of_recipient = self.by_recipient[stream.recipient_id]
        left = tuple(one for one in of_recipient if one is not stream)
        self.count -= 1
        if left:
            self.by_recipient[stream.recipient_id] = left
        else:
            del self.by_recipient[stream.recipient_id]

    def close(self) -> None:
        """Ends every stream; there will be no new ones."""
        self.closing = True
        if self.beating is not None:
            self.beating.cancel()
        self.woken.set()
        for stream in self._every():
            stream.shutdown()

    def _every(self) -> list[Stream]:
        return [one for some in self.by_recipient.values() for one in some]

    async def _start(self) -> None:
        """Begins to follow the feed, unless that goes on already. A stream replays only after it
        has begun, so that nothing falls between the two."""
        async with self.starting:
            if not _goes_on(self.following):
                self.place = self.latest = await asyncio.to_thread(self._settled)
                self.following = asyncio.create_task(self._follow())
            if not _goes_on(self.beating):
                self.beating = asyncio.create_task(self._beat())

    async def _replay(self, stream: Stream) -> None:
        """What was missed, from the ledger."""
        while not stream.ending:
            found = await asyncio.to_thread(self._read, stream.place, stream.recipient_id)
            for item in found.items:
                stream.put(spelled(item))
            stream.place = found.through
            if len(found.items) < READ:
                break

    @staticmethod
    def _go_on(stream: Stream) -> None:
        """The place to come again from, though nothing may have happened; then what came while
        what was missed was told."""
        stream.put(f"id: {stream.place}\n\n".encode())
        kept, stream.kept = stream.kept, None
        stream.tell(kept or ())

    def _read(self, place: Place, recipient_id: UUID | None = None) -> Found:
        with self.rt.ledger.begin() as tx:
            return feed.after(tx, place, READ, recipient_id)

    def _settled(self) -> Place:
        with self.rt.ledger.begin() as tx:
            return feed.settled(tx)

    async def _follow(self) -> None:
        """Reads on in the feed while anybody listens, and hands everyone what is theirs."""
        loop, over = asyncio.get_running_loop(), threading.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop may have ended meanwhile
                loop.call_soon_threadsafe(self.woken.set)

        ear = threading.Thread(
            target=listen, args=(self.rt, wake, over.is_set, FEED), name="feed", daemon=True
        )
        ear.start()
        try:
            while self.count and not self.closing:
                pause = await self._look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.woken.wait(), pause)
                self.woken.clear()
        finally:
            over.set()

    async def _look(self) -> float:
        """Reads once; how many seconds to wait for a wake-up."""
        try:
            found = await asyncio.to_thread(self._read, self.place)
        except FAILURES as error:
            _log.warning("the feed cannot be read", error=type(error).__name__)
            return LOOK_S
        self.place = found.through
        if found.items:
            self.latest = found.items[-1].place
        for item in found.items:
            for stream in self.by_recipient.get(item.recipient_id, ()):
                stream.tell([item])
        if len(found.items) == READ:
            return 0.0
        return UNSETTLED_S if found.unsettled else LOOK_S

    async def _beat(self) -> None:
        """A comment now and then, so that nobody in between takes a stream for dead; each has its
        slot, so that they do not all come at once. Who came with a token leaves with it."""
        slot = 0
        while self.count and not self.closing:
            await asyncio.sleep(HEARTBEAT_S / SLOTS)
            slot, now = (slot + 1) % SLOTS, system_clock().timestamp()
            for number, stream in enumerate(self._every(), start=1):
                if stream.ends is not None and stream.ends <= now:
                    stream.shutdown()
                elif stream.slot == slot:
                    stream.put(_BEAT)
                if number % SLICE == 0:
                    await asyncio.sleep(0)


def _goes_on(task: "asyncio.Task[None] | None") -> bool:
    return task is not None and not task.done()


@dataclass(frozen=True, slots=True)
class Following:
    """Who follows, and what they missed. `is_reset`: the place they named is none of this feed, so
    they must read everything anew."""

    recipient_id: UUID
    found: Found
    is_reset: bool
    expires: datetime | None


class Streaming(Response):
    """The answer that stays open."""

    def __init__(self, streams: Streams, following: Following) -> None:
        super().__init__()
        self.streams, self.following = streams, following

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        await self.streams.open(self.following, scope["extensions"][LINE]["hand_over"])
