"""Server-sent events (WHATWG HTML, section 9.2): every stream of this process is fed by one reader
of the ledger's feed, which one subscription to Redis wakes. What is lost on the way costs a
second, for the reader also looks by itself; what a stream missed it is sent when it comes again.

An idle stream is a socket and a task that waits for its end: no timer, no query, no connection.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.clock import system_clock
from app.ledger import feed
from app.ledger.failures import FAILURES
from app.ledger.feed import Found, Item, Place
from app.runtime import FEED, Runtime, listen

HEARTBEAT_S = 15.0
LOOK_S = 1.0  # how often the feed is looked at although nobody woke us
UNSETTLED_S = 0.05  # the same while a transaction holds something back
READ = 500  # items at once
SLICE = 200  # heartbeats written before others may go on
MOST_WAITING = 1000  # chunks that a slow reader may lag behind
RECONNECT_MS = 2000
GOODBYE_S = 1.0
RESET = b'data: {"type":"reset"}\n\n'
_BEAT = b":\n\n"
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy in between must not wait for more
]
_log = structlog.get_logger("api")


def spelled(item: Item) -> bytes:
    """An item as an event; its JSON holds no line break."""
    return b"id: " + str(item.place).encode() + b"\ndata: " + item.body + b"\n\n"


@dataclass(slots=True, eq=False)
class Stream:
    """One open connection. While `replaying`, what comes live is kept for afterwards."""

    recipient_id: UUID
    place: Place
    send: Send
    task: "asyncio.Task[None]"
    is_reset: bool = False
    replaying: bool = True
    ending: bool = False
    kept: list[Item] = field(default_factory=list)
    waiting: list[bytes] = field(default_factory=list)
    writer: "asyncio.Task[None] | None" = None

    def tell(self, items: Sequence[Item]) -> None:
        """Sends what this stream does not have yet."""
        if self.replaying:
            self.kept += items
            return
        for item in items:
            if item.place > self.place:
                self.place = item.place
                self.put(spelled(item))

    def put(self, chunk: bytes) -> None:
        """Writes behind whatever is being written; a reader too slow to follow is let go."""
        self.waiting.append(chunk)
        if len(self.waiting) > MOST_WAITING:
            self.end()
        elif self.writer is None:
            self.writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        with suppress(OSError):
            while self.waiting and not self.ending:
                chunk = b"".join(self.waiting)
                self.waiting.clear()
                await self.send(_body(chunk))
        self.writer = None

    async def say_goodbye(self) -> None:
        """Ends the answer; whoever does not read is not waited for."""
        self.ending = True
        if self.writer is not None:
            await asyncio.wait([self.writer], timeout=GOODBYE_S)
        if self.writer is None:
            with suppress(OSError):
                await self.send(_body(b"".join(self.waiting), more=False))
        else:
            self.writer.cancel()

    def end(self) -> None:
        """Ends it as if all had been said; its reader comes again and goes on where it was."""
        if not self.ending:
            self.ending = True
            self.task.cancel()


def _body(chunk: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


@dataclass(slots=True, eq=False)
class Streams:
    """All streams of one web process. Everything here runs on its event loop."""

    rt: Runtime
    by_recipient: dict[UUID, set[Stream]] = field(default_factory=dict)
    count: int = 0
    closing: bool = False
    place: Place = feed.BEGINNING
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    following: "asyncio.Task[None] | None" = None
    beating: "asyncio.Task[None] | None" = None

    async def serve(self, stream: Stream, receive: Receive, expires: datetime | None) -> None:
        """Feeds a stream until its reader leaves, its token ends or the process does."""
        self.by_recipient.setdefault(stream.recipient_id, set()).add(stream)
        self.count += 1
        timer = None
        if expires is not None:
            left = max((expires - system_clock()).total_seconds(), 0)
            timer = asyncio.get_running_loop().call_later(min(left, 1e6), stream.end)
        stream.ending = self.closing
        try:
            await self._start()
            await self._replay(stream)
            while not stream.ending and (await receive())["type"] != "http.disconnect":
                continue
        except asyncio.CancelledError:
            if not stream.ending:
                raise
            stream.task.uncancel()
        except FAILURES as error:  # whoever listens comes again
            _log.warning("the feed cannot be read", error=type(error).__name__)
        finally:
            if timer is not None:
                timer.cancel()
            self._leave(stream)
        await stream.say_goodbye()

    def close(self) -> None:
        """Ends every stream; there will be no new ones."""
        self.closing = True
        if self.beating is not None:
            self.beating.cancel()
        self.woken.set()
        for streams in self.by_recipient.values():
            for stream in list(streams):
                stream.end()

    async def _start(self) -> None:
        """Begins to follow the feed, unless that goes on already. A stream replays only after it
        has begun, so that nothing falls between the two."""
        async with self.starting:
            if self.following is None or self.following.done():
                self.place = await asyncio.to_thread(self._settled)
                self.following = asyncio.create_task(self._follow())
            if self.beating is None or self.beating.done():
                self.beating = asyncio.create_task(self._beat())

    def _leave(self, stream: Stream) -> None:
        of_recipient = self.by_recipient[stream.recipient_id]
        of_recipient.discard(stream)
        self.count -= 1
        if not of_recipient:
            del self.by_recipient[stream.recipient_id]

    async def _replay(self, stream: Stream) -> None:
        """What was missed, from the ledger; then the place to come again from, though nothing may
        have happened; then what came meanwhile."""
        stream.put(f"retry: {RECONNECT_MS}\n\n".encode())
        if stream.is_reset:
            stream.put(RESET)
        while True:
            found = await asyncio.to_thread(self._read, stream.place, stream.recipient_id)
            for item in found.items:
                stream.put(spelled(item))
            stream.place = found.through
            if len(found.items) < READ:
                break
        stream.put(f"id: {stream.place}\n\n".encode())
        stream.replaying = False
        kept, stream.kept = stream.kept, []
        stream.tell(kept)

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
        for item in found.items:
            for stream in self.by_recipient.get(item.recipient_id, ()):
                stream.tell([item])
        if len(found.items) == READ:
            return 0.0
        return UNSETTLED_S if found.unsettled else LOOK_S

    async def _beat(self) -> None:
        """A comment now and then, so that nobody in between takes a stream for dead."""
        while self.count and not self.closing:
            await asyncio.sleep(HEARTBEAT_S)
            streams = [one for some in self.by_recipient.values() for one in some]
            for number, stream in enumerate(streams):
                stream.put(_BEAT)
                if number % SLICE == SLICE - 1:
                    await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Following:
    """Who follows, from which place on. `is_reset`: the place they named is none of this feed, so
    they must read everything anew."""

    recipient_id: UUID
    place: Place
    is_reset: bool
    expires: datetime | None


class Streaming(Response):
    """The answer that stays open."""

    def __init__(self, streams: Streams, following: Following) -> None:
        super().__init__()
        self.streams, self.following = streams, following

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
        task = asyncio.current_task()
        if scope["method"] == "HEAD" or task is None:
            await send(_body(b"", more=False))
            return
        who = self.following
        stream = Stream(who.recipient_id, who.place, send, task, who.is_reset)
        await self.streams.serve(stream, receive, who.expires)
