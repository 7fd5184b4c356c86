"""The links of one gateway: started, changed and stopped while it runs, and chosen for messages."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import groupby

from app.ledger.outbox import Message, Priority
from smpp.binds import Bind
from smpp.link import Link
from smpp.messages import Acknowledgement, Heard, Outbound, SubmitResult

CONNECTIONS = 1_000_000  # more than a link makes


class Links:
    """Links by cid. `heard` gets what they say, `sending` what is about to leave by them; all
    methods belong to the loop's thread."""

    def __init__(
        self,
        binds: Sequence[Bind],
        heard: Callable[[Heard], None],
        clock: Callable[[], datetime],
        sending: Callable[[Sequence[SubmitResult]], None],
    ) -> None:
        self._heard = heard
        self._clock = clock
        self._tell_sending = sending
        self._made = 0
        self._by_cid = {bind.cid: self._link(bind) for bind in binds}
        self._wanted = {bind.cid: bind for bind in binds}
        self._leaving: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changing: dict[str, asyncio.Task[None]] = {}
        self._is_open = True

    def _link(self, bind: Bind) -> Link:
        # Two links of one bind never number a connection alike: what the old one heard is never
        # acknowledged to the new one.
        self._made += 1
        numbered = self._made * CONNECTIONS
        return Link(
            bind, self._heard, self._clock, connections=numbered, sending=self._tell_sending
        )

    @property
    def cids(self) -> list[str]:
        return sorted(self._by_cid)

    def all(self) -> list[Link]:
        """Every link, those that drain for good too."""
        return list(self._by_cid.values())

    @property
    def _sending(self) -> list[Link]:
        return [k for cid, k in self._by_cid.items() if may_send(k) and cid not in self._leaving]

    def get(self, cid: str) -> Link | None:
        return self._by_cid.get(cid)

    def start(self) -> None:
        """Every link begins to connect."""
        for cid in self._by_cid:
            self._run(cid)

    def _run(self, cid: str) -> None:
        self._tasks[cid] = asyncio.create_task(self._by_cid[cid].run())

    def change(self, binds: Sequence[Bind]) -> Mapping[str, str]:
        """Makes `binds` the wanted ones; by cid, what is done: started, stopped or restarted.
        A bind that stays as it is keeps its connection; a changed one drains before it is made
        anew, so that the network never has two of it."""
        self._wanted = {bind.cid: bind for bind in binds}
        done: dict[str, str] = {}
        for cid in dict.fromkeys([*self._by_cid, *self._wanted]):
            link, bind = self._by_cid.get(cid), self._wanted.get(cid)
            if link is not None and link.bind == bind and cid not in self._changing:
                continue
            done[cid] = "started" if link is None else "restarted" if bind else "stopped"
            before = self._changing.get(cid)
            self._changing[cid] = asyncio.create_task(self._replace(cid, before))
        return done

    async def _replace(self, cid: str, before: "asyncio.Task[None] | None") -> None:
        """Brings one cid to what is wanted of it by then. The old link stays known while it
        drains, for what it hears is still to be acknowledged by it."""
        if before is not None:
            await asyncio.wait((before,))
        old, bind = self._by_cid.get(cid), self._wanted.get(cid)
        if old is not None and old.bind != bind:
            self._leaving.add(cid)
            await old.stop()
            with suppress(asyncio.CancelledError):
                await self._tasks.pop(cid)
            del self._by_cid[cid]
            self._leaving.discard(cid)
        if bind is not None and cid not in self._by_cid and self._is_open:
            self._by_cid[cid] = self._link(bind)
            self._run(cid)

    async def changed(self) -> None:
        """Waits until every change has been carried out."""
        while self._changing:
            await asyncio.wait(self._changing.values())
            done = [cid for cid, task in self._changing.items() if task.done()]
            for cid in done:
                del self._changing[cid]

    def stop(self) -> list[asyncio.Task[None]]:
        """Every link takes no more, drains and unbinds; the tasks that do so."""
        self._is_open = False
        stops = [asyncio.create_task(link.stop()) for link in self._by_cid.values()]
        return [*stops, *self._changing.values()]

    async def end(self) -> None:
        """Whatever ended the loop, no bind may stay up behind a gateway that commits nothing."""
        self._is_open = False
        tasks = [*self._changing.values(), *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def choose(self, message: Message, avoided: Collection[str] = ()) -> Link | None:
        """A bound link of the message's network with the most room; without one, by prefix as
        the last resort (numbers are ported), else any that claims no prefixes, else any. A
        question goes only where receipts come from: without one its 24 hours never start. A bind
        that would not take the message is asked again only if there is no other, and a network
        that does not know the phone never."""
        is_question = message.priority is Priority.BULK
        bound = [
            k
            for k in self._sending
            if (k.bind.receipts or not is_question) and k.bind.network not in message.refused
        ]
        if len(bound) <= 1:
            return bound[0] if bound else None
        own = [k for k in bound if k.bind.network == message.network]
        digits = message.phone.lstrip("+")
        by_prefix = [k for k in bound if any(digits.startswith(p) for p in k.bind.prefixes)]
        choice = own or by_prefix or [k for k in bound if not k.bind.prefixes] or bound
        willing = [k for k in choice if k.bind.cid not in avoided] or choice
        return max(willing, key=lambda k: k.free if is_question else k.free_urgent, default=None)

    def room(self, most: int) -> dict[str, int]:
        """How many messages each network's links would take now, offers aside: those never fill
        the place of what goes before them."""
        room: dict[str, int] = {}
        for link in self._sending:
            if link.free_urgent:
                network = link.bind.network
                room[network] = min(most, room.get(network, 0) + link.free_urgent)
        return room

    def bulk_room(self, most: int) -> dict[str, int]:
        """How many offers. A link whose window is full and has as much waiting behind it takes no
        more: claims are worth making by the window."""
        room: dict[str, int] = {}
        for link in self._sending:
            if link.free >= link.bind.window:
                network = link.bind.network
                room[network] = min(most, room.get(network, 0) + link.free)
        return room

    def recall(self, held: Callable[[str], bool]) -> None:
        """Offers that wait in links of held networks go back: they may not leave now."""
        for link in self._by_cid.values():
            if link.queued and held(link.bind.network):
                link.recall()

    def live(self) -> set[tuple[str, int]]:
        """The connections that certainly stand: (cid, number)."""
        return {(k.bind.cid, n) for k in self.all() if (n := k.connection) is not None}

    def read(self) -> dict[tuple[str, int], object]:
        """By (cid, number) of connections, the last mark that their networks have read."""
        return {(k.bind.cid, k.read[0]): k.read[1] for k in self.all() if k.read is not None}

    def acknowledge(
        self, acknowledgements: Sequence[Acknowledgement], status: int, mark: object = None
    ) -> None:
        """Answers what came, each on its own connection, and marks how far that goes."""
        in_order = sorted(acknowledgements, key=lambda a: a.cid)
        for cid, group in groupby(in_order, key=lambda a: a.cid):
            if cid in self._by_cid:
                self._by_cid[cid].acknowledge(list(group), status, mark)

    def flush(self) -> None:
        """What was submitted and acknowledged leaves now: until the loop turns, a lane may compute
        for some milliseconds."""
        for link in self._by_cid.values():
            link.flush()

    def obey(self, cid: str, wanted: str) -> None:
        """An engineer suspends or resumes a bind."""
        link = self._by_cid.get(cid)
        if link is not None and wanted == "suspended" and not link.is_suspended:
            link.suspend()
        elif link is not None and wanted == "running" and link.is_suspended:
            link.resume()


def may_send(link: Link) -> bool:
    """Bound, not suspended, and no receiver."""
    return link.is_bound and not link.is_suspended and link.bind.bind != "receiver"


def outbound(message: Message, link: Link) -> Outbound:
    """The message as a link submits it; its references are the same whenever it is sent again."""
    by_seq = message.seq & 0xFFFF  # written before phones had counters
    return Outbound(
        id=str(message.id),
        phone=message.phone,
        text=message.body,
        reference=by_seq if message.reference is None else message.reference,
        validity_s=link.bind.validity_period,
        user_message_reference=message.umr,
        rank=int(message.priority),
    )
