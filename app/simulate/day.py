"""The virtual days of one campaign: what happens is gathered as a gateway would, committed by the
real exchange, and what that lets go is handed to the simulated networks."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from app import rooms
from app.calendar import in_almaty
from app.clock import ManualClock
from app.conversation.arrivals import Came
from app.exchange import Batch, Committed, Exchange
from app.ledger import outages
from app.ledger.outbox import Message
from app.proactive.actions import offering
from app.proactive.actions.offering import Draft
from app.proactive.records import Offer
from app.proactive.rules import Refusal
from app.recipients import records as recipients
from app.recipients.records import NewConsent, NewRecipient
from app.recipients.rules import PhoneKind
from app.runtime import Runtime
from app.simulate import people, records
from app.simulate.campaign import Campaign
from app.simulate.events import Agenda, Event, What
from app.simulate.handsets import Handsets
from app.simulate.network import QUESTION, Mo, Network, Report
from app.simulate.people import Citizen
from app.simulate.times import WINDOW_S, Times
from smpp.messages import BindEvent, BindState, Inbound, Receipt, SubmitOutcome, SubmitResult

PROVIDER = "simulated"
AT_ONCE = 5_000  # people a transaction
MOST = 2_500  # events a transaction
IDLE_S = 180.0  # and so long a time at most
DUE_EVERY_S = 300.0  # what falls due is looked after together
BUSY = 1_200  # messages that leave a transaction while many wait
DUE_AFTER_S = 1.0
INHERIT_S = 31.0
DOUBTS_LAST_S = 3600.0
PATIENCE = timedelta(seconds=30)
TIDY_S = 3600.0
HELD_LOOK_S = 900.0
LAST_S = 7 * 86_400.0
SEGMENTS_EACH = 4  # of a citizen's whole conversation, about
Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much it is in all."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Every `of`-th citizen from the one with this `number`, and as large a share of every
    network's pace."""

    number: int = 0
    of: int = 1


WHOLE = Shard()


@dataclass(slots=True)
class Gathered:
    """What one transaction will be about."""

    now: float
    batch: Batch
    is_due: bool = False
    looks: bool = False


@dataclass(slots=True)
class Day:
    """One run. `rt` is its runtime, with a clock that this moves and the campaign's hours."""

    campaign: Campaign
    shard: Shard
    rt: Runtime
    clock: ManualClock
    progress: Progress
    times: Times
    agenda: Agenda
    networks: dict[str, Network]
    handsets: Handsets
    citizens: list[Citizen]
    exchange: Exchange
    names: Mapping[str, str]  # of the service, by language
    replies: Counter[int] = field(default_factory=Counter)  # handed over, by second
    gates: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    now: float = 0.0
    tidied: float = 0.0
    is_behind: bool = False  # more waits than the links can take at once
    doubted: float = -math.inf  # when it was last unknown whether something had left
    told: int = 0

    # --- before the first offer ---------------------------------------------------------------

    def register(self) -> None:
        """The registers tell us of everybody; planned outages are announced."""
        ago = self.clock() - timedelta(days=30)
        for number, some in enumerate(_some(self.citizens)):
            self.progress("telling the registers", number * AT_ONCE, len(self.citizens))
            with self.rt.unit() as unit:
                with_phone = [c for c in some if c.fails != "phone_registered"]
                rows = [
                    NewRecipient(c.iin, c.phone, PhoneKind.MOBILE, c.language, c.network, ago)
                    for c in with_phone
                ]
                recipients.save(unit.tx, unit.vault, rows, unit.now)
                consents = [
                    NewConsent(c.iin, "personal-data", "C-1", ago, None, None)
                    for c in with_phone
                    if c.fails != "consent_given"
                ]
                recipients.save_consents(unit.tx, unit.vault, consents, unit.now)
                off = [c.phone for c in with_phone if c.fails == "phone_reachable"]
                index = [unit.vault.index("phone", phone) for phone in off]
                recipients.stop_phones(unit.tx, index, unit.now)
        self._announce()

    def _announce(self) -> None:
        with self.rt.unit() as unit:
            for one in self.campaign.outages:
                if one.planned:
                    outages.add(
                        unit.tx, one.network, one.starts_at, one.ends_at, "simulated", unit.now
                    )

    def plan(self) -> None:
        """Binds come up and go, and the provider proposes: all that is known beforehand."""
        for network in self.networks.values():
            self.agenda.add(0.0, What.STATE, (network, BindEvent.BOUND))
            for away in self.times.away[network.name]:
                if away.end > 0:
                    self.agenda.add(max(0.0, away.start), What.STATE, (network, BindEvent.LOST))
                    self.agenda.add(away.end, What.STATE, (network, BindEvent.BOUND))
        pace = self.campaign.offers_per_hour
        size = min(AT_ONCE, max(1, pace // 12)) if pace else AT_ONCE
        start = self.campaign.drain_grace + 1.0
        for number, some in enumerate(_some(self.citizens, size)):
            at = start + (number * size * 3600.0 / pace if pace else number * 0.001)
            self.agenda.add(at, What.PROPOSE, some)

    # --- the loop -----------------------------------------------------------------------------

    def run(self) -> None:
        """Until every offer has its outcome and nothing more is going to happen."""
        span = self._span()
        while True:
            taken = self.agenda.take(MOST, span if self.is_behind else IDLE_S)
            if not taken:
                if not self._go_on():
                    return
                continue
            self._happen(taken)

    def _span(self) -> float:
        rate = sum(n.rate for n in self.networks.values())
        return min(IDLE_S, max(1.0, BUSY * 2 / rate))

    def _go_on(self) -> bool:
        """Nothing is planned: whether there are offers without an outcome yet to look after."""
        with self.rt.ledger.begin() as tx:
            left = records.open_offers(tx)
        if left and self.now < LAST_S:
            self.agenda.add(self.now + 3600.0, What.DUE)
        return bool(left) and self.now < LAST_S

    def _happen(self, taken: Sequence[Event]) -> None:
        _, _, what, about = taken[0]
        self._move(taken[-1][0])
        if what is What.STATE:
            self._change(*about)
        elif what is What.PROPOSE:
            self._propose(about)
        else:
            gathered = self._gather(taken)
            self._commit(gathered)
            if gathered.is_due:
                self._sweep()
        self._tell()

    def _move(self, t: float) -> None:
        self.now = max(self.now, t)
        ahead = self.times.when(self.now) - self.clock()
        if ahead > timedelta(0):
            self.clock.advance(ahead)

    def _gather(self, taken: Sequence[Event]) -> Gathered:
        came: list[Came] = []
        receipts: list[Receipt] = []
        results: list[SubmitResult] = []
        unsent: list[UUID] = []
        found = Gathered(self.now, Batch())
        for t, _, what, about in taken:
            if what is What.RESULTS:
                results += about
                self._follow(about, t)
            elif what is What.RECEIPT:
                receipts.append(about.receipt)
                self._prove(about, t)
            elif what is What.MO:
                came.append(self._came(about, t))
            elif what is What.HANDSET:
                self.handsets.arrived(about.citizen, about.kind, t)
            elif what is What.UNSENT:
                unsent.append(about)
                self.agenda.add(t + 1.5, What.LOOK)
            else:
                found.is_due |= what is What.DUE
                found.looks = True
        found.batch = Batch(came, receipts, results, unsent=unsent)
        return found

    def _owner(self, phone: str) -> Citizen:
        return self.citizens[people.number_of(phone) // self.shard.of]

    def _follow(self, results: Sequence[SubmitResult], t: float) -> None:
        """What was not taken comes again; of what nobody knows, a receipt may tell."""
        outcome = results[0].outcome
        if outcome is SubmitOutcome.UNKNOWN:
            self.doubted = t
            self.agenda.add(t + INHERIT_S, What.DUE)
        elif outcome is not SubmitOutcome.ACCEPTED:
            self.agenda.add(t + 0.1, What.LOOK)
        citizen = self._owner(results[0].phone)
        if outcome is SubmitOutcome.ACCEPTED and citizen.proved_at is None:
            self.agenda.add(self._due(t + WINDOW_S), What.DUE)

    def _due(self, t: float) -> float:
        """When what falls due at `t` is looked after."""
        return (t // DUE_EVERY_S + 1) * DUE_EVERY_S + DUE_AFTER_S

    def _prove(self, report: Report, t: float) -> None:
        if report.of is None:
            return
        report.of.left.discard(report.receipt.message_ids[0])
        citizen = report.of.to
        if not report.of.left and citizen.proved_at is None:
            citizen.proved_at = t
            self.agenda.add(self._due(t + WINDOW_S), What.DUE)

    def _came(self, mo: Mo, t: float) -> Came:
        network, citizen = self.networks[mo.citizen.home], mo.citizen
        citizen.said.append((t, mo.meaning if mo.ussd is None else f"ussd-{mo.meaning}"))
        self.replies[int(t)] += 1
        if citizen.proved_at is None:
            self.agenda.add(self._due(t + WINDOW_S), What.DUE)
        message: Inbound = network.inbound(mo)
        place = f"{network.cid}:{network.connection}"
        return Came(message, place, not network.is_drained(t, self.campaign.drain_grace))

    # --- what the gateway does ----------------------------------------------------------------

    def _commit(self, gathered: Gathered) -> None:
        room = self._room() if gathered.looks else {}
        batch = replace(gathered.batch, room=room)
        if gathered.is_due:  # only the sweep asks up to when everything was heard
            drained = [
                n.cid
                for n in self.networks.values()
                if n.is_drained(self.now, self.campaign.drain_grace)
            ]
            batch = replace(batch, mark=self.clock(), drained=drained)
        done = self.exchange.commit(batch)
        self.commits += 1
        self._leave(done)
        if gathered.looks:
            self._look_again(room, done.to_submit)

    def _room(self) -> dict[str, int]:
        edge = self.times.next_edge(self.now)
        until = min(self.now + self._span(), edge)
        found = {
            n.name: n.room(self.now, until, strictly=until == edge) for n in self.networks.values()
        }
        return {name: room for name, room in found.items() if room > 0}

    def _leave(self, done: Committed) -> None:
        up = next((n for n in self.networks.values() if n.is_up), None)
        for message in done.to_submit:
            network = self.networks.get(message.network or "") or up
            if network is None or not network.is_up:
                self.agenda.add(self.now, What.UNSENT, message.id)
                continue
            citizen, is_question = self._owner(message.phone), message.kind == QUESTION
            if is_question and not citizen.asked_in:
                spoken = (tongue for tongue, name in self.names.items() if name in message.body)
                citizen.asked_in = "".join(spoken)
            network.submit(message, citizen, self.now, is_question=is_question)
        for cid, page in done.screens:
            citizen = self._owner(page.phone)
            if self.networks[citizen.home].is_up and cid:
                self.handsets.shown(citizen, page, self.now)

    def _look_again(self, room: dict[str, int], claimed: Sequence[Message]) -> None:
        """When the outbox is to be asked next: while links are full, as soon as they are not."""
        taken = Counter(m.network for m in claimed)
        self.is_behind = any(taken[name] >= most for name, most in room.items())
        if self.is_behind:
            self.agenda.add(self.now + self._span(), What.LOOK)
            return
        with self.rt.ledger.begin() as tx:
            due = records.next_due(tx)
        if due is None:
            return
        at = self.times.seconds(due)
        if at <= self.now:  # held back, or its link has no room
            at = min(self.times.next_edge(self.now), self.now + self._until_room())
        self.agenda.add(max(at, self.now + 0.001), What.LOOK)

    def _until_room(self) -> float:
        return (
            self._span()
            if any(n.free_at > self.now for n in self.networks.values())
            else HELD_LOOK_S
        )

    def _change(self, network: Network, event: BindEvent) -> None:
        """A bind comes up or is lost."""
        network.is_up = event is BindEvent.BOUND
        if network.is_up:
            network.connection += 1
            network.up_since = self.now
            network.free_at = max(network.free_at, self.now)
            self.agenda.add(self.now + 0.001, What.LOOK)
            self.agenda.add(self._due(self.now + self.campaign.drain_grace), What.DUE)
        state = BindState(network.cid, network.name, event, self.clock())
        self.exchange.commit(Batch(states=[state]))

    # --- what the provider and the worker do --------------------------------------------------

    def _propose(self, some: Sequence[Citizen]) -> None:
        drafts = [Draft(self.campaign.service, c.iin, f"{c.number:08}", {}) for c in some]
        with self.rt.unit() as unit:
            made = offering.make(self.rt, unit, PROVIDER, drafts)
        for citizen, one in zip(some, made, strict=True):
            if isinstance(one, Offer):
                citizen.offer = one.id
            else:
                citizen.gate = one.gate if isinstance(one, Refusal) else type(one).__name__.lower()
                self.gates[citizen.gate] += 1
        self.agenda.add(self.now + 0.5, What.LOOK)

    def _sweep(self) -> None:
        if self.now - self.doubted < DOUBTS_LAST_S:
            self.exchange.inherit([], PATIENCE)
        if self.now - self.tidied >= TIDY_S:
            self.tidied = self.now
            self.exchange.tidy()
            records.clean(self.rt.ledger)
        while rooms.sweep(self.rt):
            continue
        self.agenda.add(self.now + 0.001, What.LOOK)

    def _tell(self) -> None:
        """How far the run has come, by the segments that have left; nobody knows how many more
        will, so the bar waits at its end for the last of them."""
        done = sum(n.counted.submits for n in self.networks.values())
        if done > self.told:
            self.told, whole = done, SEGMENTS_EACH * len(self.citizens)
            words = f"{in_almaty(self.clock()):%d.%m %H:%M}, sending and hearing"
            self.progress(words, min(done, whole - 1), whole)


def _some(citizens: Sequence[Citizen], size: int = AT_ONCE) -> Iterator[Sequence[Citizen]]:
    for start in range(0, len(citizens), size):
        yield citizens[start : start + size]
