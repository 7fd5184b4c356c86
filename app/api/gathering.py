"""Calls that come at once are carried out in one transaction, as the gateway does with messages: a
commit, a lookup of keys and a lookup of people serve them all. One that spoils the transaction is
found by carrying each out alone.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from app.api.problems import unavailable

S = TypeVar("S")
R = TypeVar("R")

MOST = 256  # calls in one transaction
THREADS = 2  # one commits while the other one thinks
MOST_WAITING = 2000  # calls; whoever comes then is asked to come again
RETRY = 1  # seconds


@dataclass(slots=True)
class _Waiting(Generic[S, R]):
    sent: S
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[R]"


@dataclass(slots=True, eq=False)
class Gatherer(Generic[S, R]):
    """Gathers what waits while a batch is under way. `many` never raises and answers in order."""

    many: Callable[[Sequence[S]], Sequence[R]]
    queue: "SimpleQueue[_Waiting[S, R]]" = field(default_factory=SimpleQueue)
    threads: list[threading.Thread] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def ask(self, sent: S) -> R:
        """The answer to one call. Raises Problem (503) where too many wait already."""
        if self.queue.qsize() >= MOST_WAITING:
            raise unavailable(RETRY)
        if len(self.threads) < THREADS:
            self._begin()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self.queue.put(_Waiting(sent, loop, future))
        return await future

    def _begin(self) -> None:
        with self.lock:
            while len(self.threads) < THREADS:
                thread = threading.Thread(target=self._work, name="gathering", daemon=True)
                self.threads.append(thread)
                thread.start()

    def _work(self) -> None:
        while True:
            batch = [self.queue.get()]
            with suppress(Empty):
                while len(batch) < MOST:
                    batch.append(self.queue.get_nowait())
            answers = self.many([one.sent for one in batch])
            loop = batch[0].loop
            try:
                loop.call_soon_threadsafe(_settle, batch, answers)
            except RuntimeError:  # the server has ended meanwhile, and its callers with it
                return


def _settle(batch: Sequence[_Waiting[S, R]], answers: Sequence[R]) -> None:
    for one, answer in zip(batch, answers, strict=True):
        if not one.future.done():  # who hung up waits no longer
            one.future.set_result(answer)
