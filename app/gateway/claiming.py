"""The gateway's second lane: claims what is due while the first lane commits what was heard.

A claim touches other rows than a receipt does, so the two share nothing but the ledger's own locks;
each lane's transaction waits for the disk while the other one computes.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog

from app.exchange import Batch, Committed
from app.gateway.links import Links
from app.ledger.failures import FAILURES, in_words

MOST = 400  # messages a claim
LOOK_S = 0.25  # a wake-up may be lost
REST_S = 0.5  # after the ledger refused

log = structlog.get_logger("gateway")


class Claiming:
    """Claims for `links` by `commit`, and hands what was claimed to `submit`."""

    def __init__(
        self,
        links: Links,
        commit: Callable[[Batch], Committed],
        submit: Callable[[Committed], None],
    ) -> None:
        self._links = links
        self._commit = commit
        self._submit = submit
        self._wake = asyncio.Event()
        self._is_over = False
        self._ledger = ThreadPoolExecutor(1, thread_name_prefix="claims")

    def wake(self) -> None:
        """There may be something to claim, or room for it."""
        self._wake.set()

    def stop(self) -> None:
        """Claims nothing more; `run` ends once what was claimed is handed over."""
        self._is_over = True
        self._wake.set()

    async def run(self) -> None:
        """Claims until `stop`."""
        try:
            while not self._is_over:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._wake.wait()
                self._wake.clear()
                await self._claim()
        finally:
            self._ledger.shutdown(wait=False)

    async def _claim(self) -> None:
        room = self._links.room(MOST)
        if not room or self._is_over:
            return
        try:
            loop = asyncio.get_running_loop()
            done = await loop.run_in_executor(self._ledger, self._commit, Batch(room=room))
        except Exception as error:  # our own bugs too: the other lane must go on hearing
            why = in_words(error) if isinstance(error, FAILURES) else type(error).__name__
            log.error("nothing-claimed", reason=why)
            await asyncio.sleep(REST_S)
            return
        self._submit(done)
        if done.to_submit:
            self._wake.set()
