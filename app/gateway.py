"""The gateway: joins the links to the networks with the ledger, in batches.

What arrives is gathered while the batch before it commits; after a commit the whole batch is
acknowledged and the answers leave from memory. No row is updated and nothing is decided here.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeVar
from uuid import UUID, uuid4

import structlog

from app.conversation.turns import Came
from app.exchange import Batch, Committed, Exchange
from app.ledger import liveness
from app.ledger.failures import FAILURES, in_words, is_down, is_race
from app.ledger.outbox import Message, Priority
from app.runtime import Runtime
from smpp.binds import Bind
from smpp.link import Link
from smpp.messages import (
    Acknowledgement,
    BindState,
    Heard,
    Inbound,
    Outbound,
    Receipt,
    SubmitResult,
)

ESME_ROK = 0x00000000
ESME_RX_T_APPN = 0x00000064  # SMPP 3.4, 5.1.3: temporary, the SMSC keeps the message
BATCH = 400
FULL = 20_000  # heard and not yet committed: beyond it the networks are told to keep theirs
HEARTBEAT_S = 0.25
INHERIT_S = 2.0
PATIENCE_S = 30.0
TIDY_EVERY = 10  # looks after dead gateways
TRIES = 3

T = TypeVar("T")

log = structlog.get_logger("gateway")


class Gateway:
    """Runs the links of `binds` until stopped. `id` names this process in claims."""

    def __init__(self, rt: Runtime, binds: Sequence[Bind], known: Sequence[str]) -> None:
        self.rt = rt
        self.id: UUID = uuid4()
        self.links = {bind.cid: Link(bind, self._heard, rt.clock) for bind in binds}
        self.binds = {bind.cid: bind for bind in binds}
        networks = sorted({*known, *(b.network for b in binds)})
        silent = frozenset(b.cid for b in binds if not b.receipts)
        deaf = frozenset(b.cid for b in binds if b.bind == "transmitter")
        self.exchange = Exchange(rt, self.id, networks, silent, deaf)
        self.inbox: list[Heard] = []
        self.unsent: list[UUID] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._ledger = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._heartbeat_at = 0.0
        self._tidy_in = TIDY_EVERY
        self._refused_at: dict[str, float] = {}

    # --- from the links ---------------------------------------------------------------------

    def _heard(self, item: Heard) -> None:
        if isinstance(item, Inbound | Receipt) and len(self.inbox) >= FULL:
            self._send_back([item.acknowledgement])
            return
        if isinstance(item, BindState):
            log.info("bind", cid=item.cid, event_=item.event, reason=item.reason)
        self.inbox.append(item)
        self._wake.set()

    def wake(self) -> None:
        """The outbox may have something for us; safe to call from the loop's own thread."""
        self._wake.set()

    # --- the loop ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Serves until `stop`; then drains: no new messages, the window is waited for, unbind."""
        self._holder = await self._in_thread(lambda: liveness.hold(self.rt.ledger, self.id))
        links = [asyncio.create_task(link.run()) for link in self.links.values()]
        keeper = asyncio.create_task(self._inherit())
        try:
            while not self._stopping:
                await self._turn()
            await self._drain()
        finally:
            # Whatever ended the loop, no bind may stay up behind a gateway that commits nothing.
            for task in (*links, keeper):
                task.cancel()
            await asyncio.gather(*links, keeper, return_exceptions=True)
            self._holder.release()
            self._ledger.shutdown()

    def stop(self) -> None:
        """Asks `run` to end."""
        self._stopping = True
        self._wake.set()

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(self._until_heartbeat()):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        await self._exchange(self._room())

    async def _exchange(self, room: Mapping[str, int]) -> None:
        mark = self.rt.clock()
        items, self.inbox = self.inbox[:BATCH], self.inbox[BATCH:]
        is_due = self._until_heartbeat() <= 0
        if not (items or room or is_due or self.unsent):
            return
        if self.inbox:
            self._wake.set()
        unsent, self.unsent = self.unsent, []
        batch = self._batch(items, unsent, room, mark if is_due and not self.inbox else None)
        if is_due:
            self._heartbeat_at = asyncio.get_running_loop().time() + HEARTBEAT_S
        await self._commit(items, batch)

    def _batch(
        self,
        items: Sequence[Heard],
        unsent: Sequence[UUID],
        room: Mapping[str, int],
        mark: datetime | None,
    ) -> Batch:
        drained = {cid for cid, link in self.links.items() if self._is_drained(link)}
        return Batch(
            inbound=[
                Came(i, self._connection(i.acknowledgement), i.cid not in drained)
                for i in items
                if isinstance(i, Inbound)
            ],
            receipts=[i for i in items if isinstance(i, Receipt)],
            results=[i for i in items if isinstance(i, SubmitResult)],
            states=[i for i in items if isinstance(i, BindState)],
            unsent=unsent,
            mark=mark,
            drained=sorted(drained),
            own=sorted(self.links),
            room=room,
        )

    async def _commit(self, items: Sequence[Heard], batch: Batch) -> None:
        try:
            done = await self._in_thread(lambda: self._try(batch))
        except Exception as error:  # our own bugs too: one batch must not silence a network
            log.error("batch-refused", reason=_reason(error), messages=len(items))
            if is_down(error) or not items:
                self._refuse(items, batch)
                await asyncio.sleep(0.5)
            else:
                await self._one_by_one(items, batch)
            return
        self._accept(items, done)

    def _try(self, batch: Batch) -> Committed:
        """Commits, again where another transaction was in the way (a race, a deadlock)."""
        for left in reversed(range(TRIES)):
            try:
                return self.exchange.commit(batch)
            except FAILURES as error:
                if not left or not is_race(error):
                    raise
        raise AssertionError("not reached")

    def _accept(self, items: Sequence[Heard], done: Committed) -> None:
        self._acknowledge(
            [i.acknowledgement for i in items if isinstance(i, Inbound | Receipt)], ESME_ROK
        )
        for cid, screen in done.screens:
            if cid in self.links:
                self.links[cid].submit(screen)
        for message in done.to_submit:
            self._submit(message)
        if done.to_submit:
            self._wake.set()
        for cid, wanted in done.wanted.items():
            self._obey(cid, wanted)

    def _refuse(self, items: Sequence[Heard], batch: Batch) -> None:
        """Nothing could be stored: the networks keep their messages, we keep our results."""
        self._send_back([i.acknowledgement for i in items if isinstance(i, Inbound | Receipt)])
        kept = [i for i in items if isinstance(i, SubmitResult | BindState)]
        self.inbox[:0] = kept
        self.unsent[:0] = batch.unsent

    async def _one_by_one(self, items: Sequence[Heard], batch: Batch) -> None:
        """One poisoned message never spoils its batch: each is tried alone, and the one that
        cannot be stored as what it is, is stored raw for review and acknowledged."""
        self.unsent[:0] = batch.unsent
        for item in items:
            try:
                done = await self._in_thread(
                    lambda one=item: self._try(self._batch([one], [], {}, None))  # type: ignore[misc]
                )
            except Exception as error:
                if is_down(error):
                    self._refuse([item], Batch())
                    continue
                log.error("poisoned", reason=_reason(error))
                await self._set_aside(item)
            else:
                self._accept([item], done)

    async def _set_aside(self, item: Heard) -> None:
        try:
            if isinstance(item, Inbound):
                await self._in_thread(lambda: self.exchange.set_aside(item))
            elif isinstance(item, SubmitResult):
                await self._in_thread(lambda: self.exchange.set_result_aside(item))
        except Exception as error:
            log.error("not-set-aside", reason=_reason(error))
            self._refuse([item], Batch())
            return
        if isinstance(item, Inbound | Receipt):
            self._acknowledge([item.acknowledgement], ESME_ROK)

    # --- to the links -----------------------------------------------------------------------

    def _submit(self, message: Message) -> None:
        link = self._link_for(message)
        if link is None:
            self.unsent.append(message.id)
            return
        link.submit(
            Outbound(
                id=str(message.id),
                phone=message.phone,
                text=message.body,
                reference=message.seq & 0xFFFF,
                validity_s=link.bind.validity_period,
            )
        )

    def _link_for(self, message: Message) -> Link | None:
        """A bound link of the message's network with the most room; without one, by prefix as
        the last resort (numbers are ported), else any that claims no prefixes, else any. A
        question goes only where receipts come from: without one its 24 hours never start."""
        is_question = message.priority is Priority.BULK
        bound = [
            k for k in self.links.values() if _may_send(k) and (k.bind.receipts or not is_question)
        ]
        own = [k for k in bound if k.bind.network == message.network]
        digits = message.phone.lstrip("+")
        by_prefix = [k for k in bound if any(digits.startswith(p) for p in k.bind.prefixes)]
        choice = own or by_prefix or [k for k in bound if not k.bind.prefixes] or bound
        return max(choice, key=lambda k: k.free, default=None)

    def _acknowledge(self, acknowledgements: Sequence[Acknowledgement], status: int) -> None:
        in_order = sorted(acknowledgements, key=lambda a: a.cid)
        for cid, group in groupby(in_order, key=lambda a: a.cid):
            if cid in self.links:
                self.links[cid].acknowledge_many(list(group), status)

    def _send_back(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """Tells networks to keep their messages. Until those have come again, nothing of theirs
        may be said to be heard: their binds drain anew."""
        now = asyncio.get_running_loop().time()
        for acknowledgement in acknowledgements:
            self._refused_at[acknowledgement.cid] = now
        self._acknowledge(acknowledgements, ESME_RX_T_APPN)

    def _obey(self, cid: str, wanted: str) -> None:
        link = self.links.get(cid)
        if link is not None and wanted == "suspended" and not link.is_suspended:
            link.suspend()
        elif link is not None and wanted == "running" and link.is_suspended:
            link.resume()

    # --- small facts ------------------------------------------------------------------------

    def _room(self) -> dict[str, int]:
        """How many messages each network's links would take now; networks without room are out."""
        room: dict[str, int] = {}
        for link in self.links.values():
            if _may_send(link) and link.free > 0:
                network = link.bind.network
                room[network] = min(BATCH, room.get(network, 0) + link.free)
        return room

    def _is_drained(self, link: Link) -> bool:
        """Bound, and nothing refused, for longer than the drain grace: what was stuck in the
        network has come."""
        if not link.is_bound or link.up_since is None or link.bind.bind == "transmitter":
            return False
        grace = self.rt.settings.sending.drain_grace
        refused_at = self._refused_at.get(link.bind.cid)
        if refused_at is not None and asyncio.get_running_loop().time() - refused_at < grace:
            return False
        up = self.rt.real_seconds((self.rt.clock() - link.up_since).total_seconds())
        return up >= grace

    def _connection(self, acknowledgement: Acknowledgement) -> str:
        return f"{self.id}:{acknowledgement.cid}:{acknowledgement.connection}"

    def _until_heartbeat(self) -> float:
        return self._heartbeat_at - asyncio.get_running_loop().time()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._ledger, work)

    async def _inherit(self) -> None:
        """Now and then looks after what dead gateways left claimed."""
        patience = self.rt.waiting(PATIENCE_S)
        while True:
            await asyncio.sleep(INHERIT_S)
            try:
                if await self._in_thread(lambda: self._inherit_now(patience)):
                    self._wake.set()
            except Exception as error:  # the next beat tries again
                log.error("not-inherited", reason=_reason(error))

    def _inherit_now(self, patience: timedelta) -> int:
        self._tidy_in -= 1
        if self._tidy_in <= 0:
            self._tidy_in = TIDY_EVERY
            self.exchange.tidy()
        self._holder.renew()
        return self.exchange.inherit(liveness.dead(self.rt.ledger, self.id), patience)

    async def _drain(self) -> None:
        """Lets the window empty and stores what the networks still answer."""
        stops = [asyncio.create_task(link.stop()) for link in self.links.values()]
        while not all(task.done() for task in stops):
            await asyncio.wait(stops, timeout=0.05)
            await self._exchange({})
        while self.inbox or self.unsent:
            before = len(self.inbox) + len(self.unsent)
            await self._exchange({})
            if len(self.inbox) + len(self.unsent) >= before:
                break


def _may_send(link: Link) -> bool:
    return link.is_bound and not link.is_suspended and link.bind.bind != "receiver"


def _reason(error: Exception) -> str:
    """In words where the ledger failed; else only the kind: a text may hold what was said."""
    return in_words(error) if isinstance(error, FAILURES) else type(error).__name__
