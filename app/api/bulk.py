"""Calls with hundreds or thousands of rows are carried out one at a time, in the order they came:
each takes a processor and tens of megabytes while it lasts, and both belong to people's answers
first. A bounded number waits, as octets; whoever comes then is asked to come again.
"""

import asyncio
import contextvars
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from time import perf_counter
from typing import TypeVar

from app.api.limits import too_many
from app.api.problems import unavailable

R = TypeVar("R")

LARGE = 32 * 1024  # octets of a body, some 400 offers
MOST = 16  # calls that wait or are carried out, of at most 1 MiB each
MOST_OF_ONE = 12  # of one key, so that no key keeps the others out
FIRST_GUESS_S = 2.0  # how long a call takes, before any has been carried out
RECENT = 0.3  # weight of the last call in the average
PATIENCE_S = 30.0  # nobody waits longer for a turn: callers and proxies hang up after a minute
RETRY = 1  # seconds; another process, or this one started again, takes it then


@dataclass(slots=True, eq=False)
class Bulk:
    """The one thread of a process for such calls. `inside` counts them by key, `took` is how many
    seconds one has taken of late."""

    inside: Counter[str] = field(default_factory=Counter)
    took: float = FIRST_GUESS_S
    is_closing: bool = False
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="bulk")
    )

    async def ask(self, key_id: str, run: Callable[[], R]) -> R:
        """What `run` returns, once its turn has come. Raises Problem: 429 where too many calls of
        this key wait already, 503 where too many wait at all or for too long, or the server is
        stopping."""
        before = self.inside.total()
        if self.inside[key_id] >= MOST_OF_ONE:
            raise too_many(before * self.took)
        if before >= MOST or before * self.took > PATIENCE_S:
            raise unavailable(max(1, ceil(before * self.took)))
        self.inside[key_id] += 1
        try:
            # Names in the log are those of the call, not of whoever started the thread.
            context = contextvars.copy_context()
            turn = partial(context.run, self._carry_out, run, perf_counter())
            return await asyncio.get_running_loop().run_in_executor(self._thread, turn)
        finally:
            self.inside[key_id] -= 1
            if not self.inside[key_id]:
                del self.inside[key_id]

    def _carry_out(self, run: Callable[[], R], asked: float) -> R:
        begun = perf_counter()
        if self.is_closing:
            raise unavailable(RETRY)
        if begun - asked > PATIENCE_S:
            raise unavailable(max(1, ceil(self.took)))
        try:
            return run()
        finally:
            self.took += (perf_counter() - begun - self.took) * RECENT

    def close(self) -> None:
        """Whoever waits is told to come again; what is being carried out is carried out."""
        self.is_closing = True
