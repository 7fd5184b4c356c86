"""Work that waits, on an event loop's own thread: while it waits, the loop goes on.

The ledger's code is written as it is read, one step after the other, and so it is in every process.
In a gateway threads would do, but an interpreter computes for one of them at a time, and each takes
it from the others in the middle of a step. Here a piece of work gives way only where it waits, for
PostgreSQL or for whatever is done `aside`; between two waits nobody else is at work.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from greenlet import getcurrent, greenlet

READABLE: Final = 1
WRITABLE: Final = 2

T = TypeVar("T")


class _Work(greenlet):
    """A piece of work in a lane: what it switches to its parent is awaited there."""


def in_lane() -> bool:
    """Whether what runs now is work in a lane."""
    return type(getcurrent()) is _Work


def wait_for(awaitable: Awaitable[T]) -> T:
    """In a lane: what it gives, when it does; the loop goes on meanwhile."""
    parent = getcurrent().parent
    assert parent is not None
    result: T = parent.switch(awaitable)
    return result


def wait_until(socket: int, wanted: int) -> int:
    """In a lane: waits until a socket is READABLE or WRITABLE, whichever is `wanted`; which it
    is."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[int] = loop.create_future()
    if wanted & READABLE:
        loop.add_reader(socket, _settle, ready, READABLE)
    if wanted & WRITABLE:
        loop.add_writer(socket, _settle, ready, WRITABLE)
    try:
        return wait_for(ready)
    finally:
        if wanted & READABLE:
            loop.remove_reader(socket)
        if wanted & WRITABLE:
            loop.remove_writer(socket)


def _settle(ready: "asyncio.Future[int]", how: int) -> None:
    if not ready.done():
        ready.set_result(how)


def aside(work: Callable[[], T]) -> T:
    """What `work` returns. In a lane it is done by a thread: it may take its time with something
    that does not give way."""
    if not in_lane():
        return work()
    return wait_for(asyncio.get_running_loop().run_in_executor(None, work))


class Lane:
    """Does one piece of work after the other, in the order in which they were given. Belongs to the
    loop that runs."""

    def __init__(self) -> None:
        self._last: asyncio.Future[None] | None = None  # done once nothing is left to do
        self._is_over = False

    async def do(self, work: Callable[[], T]) -> T:
        """What `work` returns, or raises. Whoever no longer waits for it stops nothing that has
        begun: what has been said to PostgreSQL is also heard. Raises RuntimeError after `end`."""
        if self._is_over:
            raise RuntimeError("found work for a lane that has ended")
        loop = asyncio.get_running_loop()
        before, self._last = self._last, loop.create_future()
        done = partial(_done, self._last)
        if before is not None and not before.done():
            try:
                await asyncio.wait((before,))
            except asyncio.CancelledError:
                before.add_done_callback(done)
                raise
        doing = loop.create_task(_do(work))
        doing.add_done_callback(done)
        return await asyncio.shield(doing)

    async def end(self) -> None:
        """Waits until nothing is left to do; no more is done then."""
        while self._last is not None and not self._last.done():
            await asyncio.wait((self._last,))
        self._is_over = True


def _done(turn: "asyncio.Future[None]", _: object) -> None:
    turn.set_result(None)


async def _do(work: Callable[[], T]) -> T:
    doing = _Work(work)
    asked = doing.switch()
    while not doing.dead:
        try:
            answer = await asked
        except BaseException as error:  # a cancelled task too: the work is to leave all in order
            asked = doing.throw(error)
        else:
            asked = doing.switch(answer)
    result: T = asked
    return result
