"""The gateway: joins the links to the networks with the ledger, in batches.

What arrives gathers while the batch before it commits, receipts a little longer; after a commit
the whole batch is acknowledged (receipts on which nothing depends before it) and the answers leave
from memory. No row is updated and nothing is decided here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

import structlog

from app.conversation.turns import Came
from app.exchange import Batch, Committed, Exchange, Routes
from app.gateway import events
from app.gateway.acknowledging import Acknowledging
from app.gateway.claiming import Claiming
from app.gateway.counting import counted
from app.gateway.draining import Draining
from app.gateway.inbox import Inbox, Kinds
from app.gateway.keeping import PACE, Keeping, Pace, trails
from app.gateway.links import Links, outbound
from app.gateway.pacing import Pacing
from app.gateway.trail import Trail
from app.lanes import Lane
from app.ledger import binds as bind_rows
from app.ledger import liveness
from app.ledger.binds import Counters
from app.ledger.failures import in_words, is_down
from app.ledger.outbox import Message
from app.runtime import Runtime
from dialogs.engine import understanding
from smpp.binds import Bind
from smpp.messages import (
    DELIVERIES,
    Acknowledgement,
    BindState,
    Heard,
    Inbound,
    Receipt,
    SubmitResult,
    is_owed,
    owed,
)

ESME_ROK = 0x00000000
ESME_RX_T_APPN = 0x00000064  # SMPP 3.4, 5.1.3: temporary, the SMSC keeps the message
BATCH = 400
FULL = 20_000  # heard and not yet committed: beyond it the networks are told to keep theirs
HEARTBEAT_S = 0.25
COUNT_S = 1.0

log = structlog.get_logger("gateway")


class Gateway:
    """Runs the links of `binds` until stopped. `id` names this process in claims; `known` are the
    networks of all gateways, `every` their binds, where they are not all ours."""

    def __init__(
        self,
        rt: Runtime,
        binds: Sequence[Bind],
        known: Sequence[str],
        every: Sequence[Bind] = (),
        pace: Pace = PACE,
    ) -> None:
        self.rt = rt
        self.pace = pace
        self.id: UUID = uuid4()
        self.trail = Trail(trails(rt), self.id)
        self.links = Links(binds, self._heard, rt.clock, self.trail.write)
        self.exchange = Exchange(rt, self.id, known)
        self.pacing = Pacing()
        self.claiming = Claiming(
            self.links, self._try, self._leave, self.exchange.held, self.pacing
        )
        self._know(binds, known, every)
        self.inbox = Inbox()
        self.acknowledging = Acknowledging(
            self.inbox, self.trail, self.exchange.awaits_receipt, self._acknowledge, self._heard
        )
        self.unsent: list[UUID] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._lane = Lane()
        self._heartbeat_at = 0.0
        self._count_at = 0.0
        self._draining = Draining(rt)
        self._batches = 0
        self._told_read: dict[str, datetime] = {}

    def _know(self, binds: Sequence[Bind], known: Sequence[str], every: Sequence[Bind]) -> None:
        """What the exchange must know of binds.toml; it changes between two commits."""
        self._every = [*(every or binds)]
        self._named = frozenset(b.cid for b in self._every)
        self.exchange.known_networks = sorted({*known, *(b.network for b in self._every)})
        self.exchange.without_receipts = frozenset(b.cid for b in binds if not b.receipts)
        self.exchange.deaf = frozenset(b.cid for b in binds if b.bind == "transmitter")
        self.exchange.routes = Routes.of(self._every)

    async def reload(self, binds: Sequence[Bind], every: Sequence[Bind]) -> Mapping[str, str]:
        """Takes another binds.toml: `binds` are ours of `every`. New ones start, removed ones
        drain and stop, changed ones restart; the others notice nothing. Returns what was done."""
        self._know(binds, [], every)
        done = self.links.change(binds)
        for cid, what in done.items():
            log.info("bind-changed", cid=cid, change=what)
        await self.links.changed()
        self._wake.set()
        await self._lane.do(self._forget_unnamed)
        return done

    def _forget_unnamed(self) -> None:
        """What binds.toml no longer names must hold no offer back."""
        with self.rt.unit() as unit:
            bind_rows.forget_all_but(unit.tx, sorted(self._named))

    # --- from the links ---------------------------------------------------------------------

    def _heard(self, item: Heard) -> None:
        if isinstance(item, DELIVERIES) and len(self.inbox) >= FULL:
            self._send_back(owed([item]))
            return
        if isinstance(item, BindState):
            log.info("bind", cid=item.cid, event_=item.event, reason=item.reason)
        elif isinstance(item, SubmitResult):
            self.trail.write_soon(item)
            self.claiming.has_room()
            self.acknowledging.note(item)
            if self._may_wait(item):
                self.inbox.keep(item)
                return
        elif isinstance(item, Receipt) and self.acknowledging.takes(item):
            return
        self.inbox.add(item)
        self._wake.set()

    def _may_wait(self, response: SubmitResult) -> bool:
        """Only what an heir would find in our trail, and where receipts come."""
        has_receipts = response.cid not in self.exchange.without_receipts
        return has_receipts and self.trail.is_kept and self.inbox.may_keep(response)

    def wake(self) -> None:
        """The outbox may have something for us; safe to call from the loop's own thread."""
        self.claiming.wake()

    # --- the loop ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Serves until `stop`; then drains: no new messages, the window is waited for, unbind."""
        holder = await self._lane.do(lambda: liveness.hold(self.rt.ledger, self.id))
        self.trail.start()  # now that nobody takes it for a dead one's
        parts = (self.rt, self.id, self.pace, self.links, self.exchange, holder)
        keeping = Keeping(*parts, self._lane.do, self.claiming.wake)
        await keeping.look()  # before anything new: what a killed one left is older
        await asyncio.to_thread(understanding.prepare)
        self.links.start()
        keeper = asyncio.create_task(keeping.run())
        claiming = asyncio.create_task(self.claiming.run())
        try:
            while not self._stopping:
                await self._turn()
            self.claiming.stop()
            await claiming
            await self._drain()
        finally:
            keeper.cancel()
            self.claiming.stop()
            await asyncio.gather(keeper, claiming, return_exceptions=True)
            await self.links.end()
            await self._lane.end()  # first: what still runs there would take the lock again
            holder.release()

    def stop(self) -> None:
        """Asks `run` to end."""
        self._stopping = True
        self._wake.set()

    async def _turn(self) -> None:
        ripe_at = self.inbox.ripe_at
        due_at = self._heartbeat_at if ripe_at is None else min(self._heartbeat_at, ripe_at)
        try:
            async with asyncio.timeout_at(due_at):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        await self._exchange()

    async def _exchange(self) -> None:
        mark = self.rt.clock()
        now = asyncio.get_running_loop().time()
        is_due = now >= self._heartbeat_at
        is_whole = is_due or self._stopping
        if is_whole:
            self.inbox.let_go(everything=self._stopping or not self.trail.is_kept)
        items = self.inbox.take(BATCH, now, None if is_whole else self.pacing.full)
        if not (items or is_due or self.unsent):
            return
        if self.inbox.has_more:
            self._wake.set()
        unsent, self.unsent = self.unsent, []
        batch = self._batch(items, unsent, mark if is_due and self.inbox.is_heard else None)
        if is_due:
            self._heartbeat_at = now + HEARTBEAT_S
        await self._commit(items, batch)
        self.trail.trim(self._in_trail)

    def _batch(
        self,
        items: Sequence[Heard],
        unsent: Sequence[UUID],
        mark: datetime | None,
    ) -> Batch:
        now, draining = asyncio.get_running_loop().time(), self._draining
        drained = {k.bind.cid for k in self.links.all() if draining.is_drained(k, now)}
        live = frozenset(self._place(*one) for one in self.links.live())
        heard = Kinds.of(items)
        return Batch(
            inbound=[
                Came(i, self._came_by(i), i.cid not in drained, live=live) for i in heard.inbound
            ],
            receipts=heard.receipts,
            results=heard.results,
            states=[i for i in heard.states if i.cid in self._named],
            queried=heard.queried,
            unsent=unsent,
            mark=mark,
            drained=sorted(drained),
            own=self.links.cids,
            counted=self._count_now() if mark is not None else {},
            read=self._read_since(),
        )

    async def _commit(self, items: Sequence[Heard], batch: Batch) -> None:
        self.pacing.begins(asyncio.get_running_loop().time())
        try:
            done = await self._lane.do(lambda: self._try(batch, items))
        except Exception as error:  # our own bugs too: one batch must not silence a network
            log.error("batch-refused", reason=in_words(error), messages=len(items))
            if is_down(error) or not items:
                self._refuse(items, batch)
                await asyncio.sleep(0.5)
            else:
                await self._one_by_one(items, batch)
            return
        self._told_read |= batch.read
        self._accept(items, done)

    def _try(self, batch: Batch, items: Sequence[Heard] = ()) -> Committed:
        done = self.exchange.commit(batch)
        events.tell(items, done.receipts_of)
        return done

    def _accept(self, items: Sequence[Heard], done: Committed) -> None:
        self._batches += 1
        heard = Kinds.of(items)
        receipts = zip(heard.receipts, done.receipts_of, strict=True)
        self.inbox.overtaken |= {r.phone for r, about in receipts if about is None}
        self._acknowledge(owed(items), done.at if heard.inbound else None)
        self.pacing.committed(items, self.inbox.items, asyncio.get_running_loop().time())
        self.claiming.has_room()
        for cid, screen in done.screens:
            link = self.links.get(cid)
            if link is not None:
                link.submit(screen)
        self._leave(done)
        for cid, wanted in done.wanted.items():
            self.links.obey(cid, wanted)

    def _refuse(self, items: Sequence[Heard], batch: Batch) -> None:
        """Nothing could be stored: the networks keep their messages, we keep our results."""
        self._send_back(owed(items))
        self.inbox.put_back([i for i in items if not is_owed(i)])
        self.unsent[:0] = batch.unsent

    async def _one_by_one(self, items: Sequence[Heard], batch: Batch) -> None:
        """One poisoned message never spoils its batch: each is tried alone, and the one that
        cannot be stored as what it is, is stored raw for review and acknowledged."""
        self.unsent[:0] = batch.unsent
        for item in items:
            try:
                batch = self._batch([item], [], None)
                done = await self._lane.do(partial(self._try, batch, [item]))
            except Exception as error:
                if is_down(error):
                    self._refuse([item], Batch())
                    continue
                log.error("poisoned", reason=in_words(error))
                await self._set_aside(item)
            else:
                self._accept([item], done)

    async def _set_aside(self, item: Heard) -> None:
        try:
            if isinstance(item, Inbound):
                await self._lane.do(lambda: self.exchange.set_aside(item))
            elif isinstance(item, SubmitResult):
                await self._lane.do(lambda: self.exchange.set_result_aside(item))
        except Exception as error:
            log.error("not-set-aside", reason=in_words(error))
            self._refuse([item], Batch())
            return
        self._acknowledge(owed([item]))

    # --- to the links -----------------------------------------------------------------------

    def _leave(self, done: Committed) -> None:
        for message in done.to_submit:
            self._submit(message)
        self.links.flush()
        if self.unsent:
            self._wake.set()

    def _submit(self, message: Message) -> None:
        avoided = self.exchange.memory.avoided.get(message.id, ())
        link = self.links.choose(message, avoided)
        if link is None:
            self.unsent.append(message.id)
        else:
            self.pacing.left(link.bind.network, link.submit(outbound(message, link)))

    def _acknowledge(
        self, acknowledgements: Sequence[Acknowledgement], mark: datetime | None = None
    ) -> None:
        self.links.acknowledge(acknowledgements, ESME_ROK, mark)

    def _send_back(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        """Tells networks to keep their messages. Until those have come again, nothing of theirs
        may be said to be heard: their binds drain anew."""
        self._draining.refuse(acknowledgements, asyncio.get_running_loop().time())
        self.links.acknowledge(acknowledgements, ESME_RX_T_APPN)

    def _in_trail(self) -> set[str]:
        """The messages of which an heir must read."""
        return {*map(str, self.exchange.memory.claimed), *self.inbox.received()}

    # --- small facts ------------------------------------------------------------------------

    def _count_now(self) -> dict[str, Counters]:
        """Once a second, what has been counted of every bind."""
        now = asyncio.get_running_loop().time()
        if now < self._count_at:
            return {}
        self._count_at = now + COUNT_S
        own: dict[str, Counters] = {
            cid: {
                "refused_mo_count": self._draining.refused[cid],
                "reassembly_pending": self.exchange.memory.pending.get(cid, 0),
                "batch_count": self._batches,
            }
            for cid in self.links.cids
        }
        return counted(self.links, self.exchange, own)

    def _read_since(self) -> dict[str, datetime]:
        """What networks have read of our answers since the last commit, by connection."""
        marks = {self._place(*p): at for p, at in self.links.read().items()}
        told = self._told_read = {p: at for p, at in self._told_read.items() if p in marks}
        return {p: a for p, a in marks.items() if isinstance(a, datetime) and told.get(p) != a}

    def _came_by(self, item: Inbound) -> str:
        return self._place(item.acknowledgement.cid, item.acknowledgement.connection)

    def _place(self, cid: str, connection: int) -> str:
        return f"{self.id}:{cid}:{connection}"

    async def _drain(self) -> None:
        """Lets the window empty and stores what the networks still answer."""
        stops = self.links.stop()
        while not all(task.done() for task in stops):
            await asyncio.wait(stops, timeout=0.05)
            await self._exchange()
        while self.inbox or self.unsent:
            before = len(self.inbox) + len(self.unsent)
            await self._exchange()
            if len(self.inbox) + len(self.unsent) >= before:
                return
        self.trail.close()
