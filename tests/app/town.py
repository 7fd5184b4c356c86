"""A gateway on real sockets with the simulator's network beside it: many phones, and whatever a
network may do wrong. Nothing is faked but the network."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import msgspec

from app.clock import system_clock
from app.gateway import Gateway
from app.gateway.keeping import Pace
from app.ledger import journal
from app.ledger.chain import verify
from app.ledger.engine import sql
from app.proactive.actions import offering
from app.proactive.records import Offer
from app.recipients import actions as registers
from app.recipients.actions import RecipientRow
from app.recipients.records import NewConsent
from app.recipients.rules import check_iin
from app.rooms import open_rooms
from app.runtime import Runtime
from smpp.binds import Bind
from smpp.simulator import Simulator

PROVIDER = "labour"
SERVICE = "birth-benefit"
ACCEPTED = "Келісім қабылданды"
PACE = Pace(inherit_s=0.1, patience_s=1.0)
_iins = (iin for n in count(1) if check_iin(iin := f"9002{n:08}") is None)


class GatewayTown:
    """`offers` by phone. Everything runs on one event loop; the clock is the machine's."""

    def __init__(self, rt: Runtime, simulator: Simulator, binds: Sequence[Bind]) -> None:
        self.rt = rt
        self.simulator = simulator
        self.binds = list(binds)
        self.gateway = self.make()
        self.offers: dict[str, UUID] = {}
        self._running: asyncio.Task[None] | None = None

    def make(self) -> Gateway:
        return Gateway(self.rt, self.binds, [b.network for b in self.binds], pace=PACE)

    def start(self) -> None:
        self._running = asyncio.create_task(self.gateway.run())

    async def stop(self) -> None:
        """Drains and ends."""
        self.gateway.stop()
        if self._running is not None:
            await self._running

    async def kill(self) -> None:
        """Ends it while its commit waits for the ledger: that fails, and nothing drains."""
        assert self._running is not None
        waits = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = :w"
        assert await asyncio.to_thread(self.rows, waits, w="Lock")
        self._running.cancel()
        await asyncio.wait((self._running,))

    async def until(self, reached: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Waits for a condition; the ledger is asked beside the loop."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not await asyncio.to_thread(reached):
            assert loop.time() < end, f"not in time: {what}"
            await asyncio.sleep(0.02)

    async def offer(self, phones: Sequence[str]) -> None:
        """Registers a person a phone and offers each the service."""
        self.offers |= await asyncio.to_thread(self._offer, phones)
        self.gateway.wake()

    def _offer(self, phones: Sequence[str]) -> dict[str, UUID]:
        now = self.rt.clock()
        people = {phone: next(_iins) for phone in phones}
        rows = [
            RecipientRow(iin, phone, "kk", None, now.replace(year=2020))
            for phone, iin in people.items()
        ]
        consents = [
            NewConsent(iin, "personal-data", "C-1", now.replace(year=2020), None, None)
            for iin in people.values()
        ]
        with self.rt.unit() as unit:
            registers.register_recipients(unit, rows)
            registers.register_consents(self.rt.rooms, unit, consents)
        drafts = [
            offering.Draft(SERVICE, iin, uuid4().hex, {"kin": "Алия"}) for iin in people.values()
        ]
        with self.rt.unit() as unit:
            made = offering.make(self.rt, unit, PROVIDER, drafts)
        offers = [offer for offer in made if isinstance(offer, Offer)]
        assert len(offers) == len(phones), made
        return dict(zip(phones, (offer.id for offer in offers), strict=True))

    # --- what came of it --------------------------------------------------------------------

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.rt.ledger.begin() as tx:
            return list(tx.execute(sql(query), values))

    def states(self) -> dict[str, int]:
        """How many offers are in which state."""
        found = self.rows("SELECT state, count(*) AS n FROM offers GROUP BY state")
        return {r.state: r.n for r in found}

    def all_are(self, state: str) -> bool:
        return self.states() == {state: len(self.offers)}

    def kinds(self, phone: str) -> list[tuple[str, str]]:
        """The journal of a phone's offer: (kind, wording of the message it is about)."""
        with self.rt.ledger.begin() as tx:
            entries = journal.of_case(tx, self.offers[phone])
        assert list(verify(entries)) == []
        facts = [msgspec.json.decode(e.body)["facts"] for e in entries]
        return [(e.kind, f.get("wording", "")) for e, f in zip(entries, facts, strict=True)]

    def unanswered(self) -> list[str]:
        """Phones whose offers still wait."""
        query = "SELECT id FROM offers WHERE state IN ('made', 'sent', 'awaiting')"
        waiting = {r.id for r in self.rows(query)}
        return [phone for phone, offer in self.offers.items() if offer in waiting]

    def confirmations(self, phone: str) -> int:
        """How often a phone was told that its yes was heard."""
        shown = [m.text or "" for m in self.simulator.handset(phone).messages]
        return sum(text.startswith(ACCEPTED) for text in shown)

    def assert_nothing_lost_or_doubled(self) -> None:
        """Every question and confirmation is on its handset once, or more often where the journal
        says that it was sent again; every offer has one outcome, told once."""
        for phone in self.offers:
            kinds = self.kinds(phone)
            again = [wording for kind, wording in kinds if kind == "message-sent-again"]
            shown = [m.text for m in self.simulator.handset(phone).messages]
            assert 1 <= shown.count(shown[0]) <= 1 + again.count("offer.ask"), (phone, kinds)
            most = 1 + len(again) - again.count("offer.ask")
            assert 1 <= self.confirmations(phone) <= most, (phone, shown, kinds)
        events = self.rows("SELECT case_id, count(*) AS n FROM events GROUP BY case_id")
        assert {r.case_id: r.n for r in events} == dict.fromkeys(self.offers.values(), 1)


@asynccontextmanager
async def town(
    rt: Runtime, *, simulator: type[Simulator] = Simulator, **changes: Any
) -> AsyncIterator[GatewayTown]:
    """A town whose network answers fast; `changes` are those of its bind. Two binds, one to send
    and one to hear, where `bind` is "apart"."""
    live = replace(rt, clock=system_clock, rooms={})
    open_rooms(live)
    network = simulator(clock=system_clock, seconds=lambda s: s * 0.01)
    await network.start()
    kind = changes.pop("bind", "transceiver")
    bind = Bind(
        cid="sim-1", network="sim", host="127.0.0.1", port=network.port, system_id="jauap",
        password="x", response_timeout=1, reconnect_delay=0.05, reconnect_delay_max=0.2,
    )  # fmt: skip
    bind = replace(bind, **changes)
    apart = [replace(bind, bind="transmitter"), replace(bind, cid="sim-2", bind="receiver")]
    made = GatewayTown(live, network, apart if kind == "apart" else [bind])
    made.start()
    try:
        yield made
    finally:
        await made.stop()
        await network.stop()
