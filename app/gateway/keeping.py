"""What a gateway looks after beside its own traffic: what dead ones left, what stayed unknown."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from app.exchange import Exchange
from app.gateway import trail
from app.gateway.links import Links
from app.lanes import aside
from app.ledger import liveness
from app.ledger.failures import in_words
from app.ledger.liveness import Holder
from app.runtime import Runtime

TIDY_EVERY = 10  # looks after dead gateways

log = structlog.get_logger("gateway")


@dataclass(frozen=True, slots=True)
class Pace:
    """Real seconds: between two looks after what others left and what stayed unknown, and how long
    a message without an answer waits for its receipt before it is sent again."""

    inherit_s: float = 2.0
    patience_s: float = 30.0


PACE = Pace()


@dataclass(slots=True)
class Keeping:
    """Looks after others' claims for the gateway `id`, whose life `holder` proves. `do` runs what
    waits for the ledger in a lane; `found` is called when there is something to send."""

    rt: Runtime
    id: UUID
    pace: Pace
    links: Links
    exchange: Exchange
    holder: Holder
    do: Callable[[Callable[[], Any]], Awaitable[Any]]
    found: Callable[[], None]
    tidy_in: int = TIDY_EVERY

    async def run(self) -> None:
        """Looks now and then, until cancelled."""
        while True:
            await asyncio.sleep(self.pace.inherit_s)
            await self.look()

    async def look(self) -> None:
        """One look; what fails is tried again by the next."""
        patience = self.rt.waiting(self.pace.patience_s)
        try:
            if await self.do(lambda: self._inherit(patience)):
                self.found()
            if self.tidy_in == TIDY_EVERY:
                await self._ask_after()
        except Exception as error:
            log.error("not-inherited", reason=in_words(error))

    async def _ask_after(self) -> None:
        """Asks by query_sm, where a bind allows it, what became of messages without a receipt."""
        able = [k.bind.cid for k in self.links.all() if k.is_bound and k.bind.query]
        for asked in await self.do(lambda: self.exchange.ask_after(able)):
            link = self.links.get(asked.cid)
            if link is not None:
                link.query(asked.smsc_id, token=asked.token)

    def _inherit(self, patience: timedelta) -> int:
        self.tidy_in -= 1
        if self.tidy_in <= 0:
            self.tidy_in = TIDY_EVERY
            self.exchange.tidy()
        # Whoever lost their lock with us, as PostgreSQL restarted, has until the next look.
        was_lost = self.holder.renew()
        folder = trails(self.rt)
        left = trail.left(folder)
        dead = () if was_lost else liveness.dead(self.rt.ledger, self.id, left)
        seen = {one: trail.mark_of(folder, one) for one in dead}
        read = {one: aside(partial(trail.read, folder, one)) for one in dead}
        known = {one: found for one, found in read.items() if found is not None}
        done = self.exchange.inherit(dead, patience, known)
        trail.forget(folder, seen)
        return done


def trails(rt: Runtime) -> Path:
    """Where the gateways of this machine keep their trails."""
    return rt.settings.paths.data / "gateways"
