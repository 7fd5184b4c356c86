"""The gateway's second lane: claims what is due while the first lane commits what was heard.

A claim touches other rows than a receipt does, so the two share nothing but the ledger's own locks;
each lane's transaction waits for the disk while the other one computes.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import structlog

from app.exchange import Batch, Committed
from app.exchange.admission import Held
from app.gateway.links import Links
from app.gateway.looks import LOOK_S, Looks
from app.gateway.pacing import Pacing
from app.lanes import Lane
from app.ledger.failures import in_words

MOST = 400  # messages a claim
AT_LEAST = 20  # every LOOK_S, however crowded the networks are
PACED_S = 0.05  # between two looks whether a network's row is over
REST_S = 0.5  # after the ledger refused

log = structlog.get_logger("gateway")


class Claiming:
    """Claims for `links` by `commit`, and hands what was claimed to `submit`; `held` is why offers
    to a network may not leave now, `pacing` how many may."""

    def __init__(
        self,
        links: Links,
        commit: Callable[[Batch], Committed],
        submit: Callable[[Committed], None],
        held: Callable[[str], Held | None],
        pacing: Pacing,
    ) -> None:
        self._links = links
        self._commit = commit
        self._submit = submit
        self._held = held
        self._pacing = pacing
        self._told: dict[str, Held] = {}
        self._wake = asyncio.Event()
        self._looks = Looks()
        self._is_paced = False
        self._is_over = False
        self._lane = Lane()

    def wake(self) -> None:
        """There may be something to claim."""
        self._looks.ask()
        self._wake.set()

    def has_room(self) -> None:
        """There may be room for more, if more is there."""
        if not self._looks.rests:
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
                    async with asyncio.timeout(PACED_S if self._is_paced else LOOK_S):
                        await self._wake.wait()
                self._wake.clear()
                try:
                    self._keep_back()
                    await self._claim()
                except Exception as error:  # our own bugs too: the other lane must go on hearing
                    log.error("nothing-claimed", reason=in_words(error))
                    self._looks.ask()
                    await asyncio.sleep(REST_S)
        finally:
            await self._lane.end()

    def _keep_back(self) -> None:
        """What waits in links when their networks' hours are over goes back to the outbox."""
        networks = {link.bind.network for link in self._links.all()}
        held = {n: h for n in networks if (h := self._held(n)) is not None}
        if held != self._told:
            for network in sorted(networks):
                self._tell(network, held.get(network), self._told.get(network))
            self._told = held
        if held:
            self._links.recall(lambda network: network in held)

    def _tell(self, network: str, now: Held | None, before: Held | None) -> None:
        if now is not None and now != before:
            until = now.until.isoformat()
            log.info("offers-held", network=network, why=str(now.why), until=until)
        elif now is None and before is not None:
            log.info("offers-leave", network=network)

    async def _claim(self) -> None:
        """Claims what there is room for, where that is worth a look and no network is crowded."""
        loop = asyncio.get_running_loop()
        room, bulk, now = self._links.room(MOST), self._links.bulk_room(MOST), loop.time()
        if not self._looks.is_worth(room, bulk, now) or self._is_over:
            return
        least = AT_LEAST if self._looks.is_late(now) else 0
        paced, paced_bulk = (self._pacing.within(r, least, now) for r in (room, bulk))
        self._is_paced = not paced
        if not paced:
            return
        self._looks.begins(room, now)
        batch = Batch(room=paced, bulk=paced_bulk)
        done = await self._lane.do(partial(self._commit, batch))
        self._submit(done)
        networks = {link.bind.network for link in self._links.all()}
        self._looks.ends(done.found, paced_bulk, networks, has_more=done.has_more)
        if done.found:
            self._wake.set()
