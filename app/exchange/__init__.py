"""One transaction of exchange with the networks: what came in is judged, what is due is claimed.

The gateway gathers a batch and calls `Exchange.commit` in a lane; only after it returns are
MOs acknowledged and messages submitted. It knows every room by its face and no room's rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from app.conversation import turns
from app.conversation.records import keep, read
from app.conversation.unasked import LoopGuard
from app.exchange import claims, delivered, elsewhere, inheritance, queries, receipts, submits
from app.exchange.admission import Held
from app.exchange.claims import Claimed
from app.exchange.delivered import Delivered
from app.exchange.model import Batch, Committed, Memory, Take, Trailed
from app.exchange.queries import Question
from app.exchange.routes import Routes
from app.ledger import binds, outbox
from app.ledger.binds import BindRow
from app.ledger.failures import tried
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.messages import BindEvent, BindState, Inbound, SubmitResult

__all__ = ["Batch", "Committed", "Exchange", "Routes", "Take", "Trailed"]

# A throttled or suspended bind still hears; only what ends hearing changes the state.
HEARING = (BindEvent.BOUND, BindEvent.THROTTLED, BindEvent.RESUMED, BindEvent.SUSPENDED)


@dataclass(slots=True)
class Exchange:
    """The gateway's side of the ledger. `known_networks` are all that binds.toml names,
    `without_receipts` the cids of binds whose networks send none, `deaf` the transmitters;
    `routes` are the binds of all gateways by which a phone may be tried."""

    rt: Runtime
    gateway: UUID
    known_networks: Sequence[str]
    without_receipts: frozenset[str] = frozenset()
    deaf: frozenset[str] = frozenset()
    take: Take = turns.take
    guard: LoopGuard = field(default_factory=LoopGuard)
    memory: Memory = field(default_factory=Memory)
    routes: Routes = field(default_factory=Routes)

    def commit(self, batch: Batch) -> Committed:
        """Stores a batch in one transaction, and tries again where another was in the way (a race,
        a deadlock) or what was taken for granted is otherwise. Raises what the ledger raises;
        nothing is then acknowledged, and the caller may try again, for memory changes only after
        the commit, but for what keeps offers back."""
        return tried(lambda is_again: self.once(batch, is_again=is_again))

    def once(self, batch: Batch, *, is_again: bool) -> Committed:
        """The same without another try; `is_again` takes nothing for granted."""
        rt, memory = self.rt, self.memory
        with rt.unit(self.gateway, is_again=is_again) as unit:
            finished, receipts_of = self._take_answers(unit, batch)
            queries.take(rt, unit, self.routes, batch.queried)
            elsewhere.learn_from_replies(unit, batch.inbound)
            read(unit.tx, batch.read)
            self.take(rt, unit, batch.inbound, self.guard)
            for state in batch.states:
                self._write_state(unit, state)
            unsent = [memory.claimed[m] for m in batch.unsent if m in memory.claimed]
            submits.give_back(rt, unit, unsent)
            claimed = Claimed()
            if batch.room or batch.mark is not None:
                claimed = claims.look(rt, memory, unit, self.gateway, batch)
            wanted: Mapping[str, str] = {}
            if batch.mark is not None:
                binds.heard(unit.tx, batch.drained, batch.mark)
                wanted = binds.wanted(unit.tx, batch.own)
            binds.count(unit.tx, batch.counted)
        fresh = [*unit.outbox.leaving(), *claimed.messages]
        memory.forget([*finished, *batch.unsent])
        memory.claimed.update({m.id: m for m in fresh})
        return Committed(
            fresh, unit.screens, wanted, receipts_of, unit.now, claimed.found, claimed.has_more
        )

    def _take_answers(self, unit: Unit, batch: Batch) -> tuple[list[UUID], Sequence[UUID | None]]:
        """What networks say of our messages: those of which every segment was answered, and those
        that the receipts are about, in their order."""
        rt, memory = self.rt, self.memory
        answers, window = submits.of_outbox(batch.results), receipts.window(rt)
        known = {} if unit.is_again else memory.claimed
        whole, others = delivered.find(known, answers, batch.receipts, window)
        plain: list[Delivered] = []
        rest: list[Delivered] = []
        for one in whole:
            (plain if one.is_plain else rest).append(one)
        if plain:
            unit.tx.meanwhile(lambda: submits.store(rt, memory, unit, plain))
        standings = submits.store(rt, memory, unit, rest)
        stored = {d.message.id for d in whole}
        said = submits.say(rt, memory, unit, [one for one in answers if one[0] not in stored])
        asked = receipts.ask(rt, unit, others)
        finished = [*stored, *submits.take(rt, memory, unit, self.routes, said)]
        submits.take_late(rt, memory, unit, self.gateway, self.routes, batch.results)
        if said.changes_segments:  # of which nothing was known when it was asked
            asked = receipts.ask(rt, unit, others)
        taken = receipts.take(rt, memory, unit, self.routes, asked, standings)
        about = {id(r): m for r, m in zip(others, taken, strict=True)}
        about |= {id(r): d.message.id for d in whole for r in d.receipts}
        return finished, [about[id(r)] for r in batch.receipts]

    def _write_state(self, unit: Unit, state: BindState) -> None:
        stands = BindEvent.BOUND if state.event in HEARING else state.event
        reason = state.reason or (str(state.event) if stands is not state.event else "")
        row = BindRow(
            state.cid, state.network, self.gateway, stands, reason, state.at,
            has_receipts=state.cid not in self.without_receipts,
            hears=state.cid not in self.deaf,
        )  # fmt: skip
        binds.write(unit.tx, row)

    def held(self, network: str) -> Held | None:
        """Why offers to a network may not leave now, by what the last commit looked up."""
        return self.memory.admission.held(network, self.rt.clock())

    def awaits_receipt(self, response: SubmitResult) -> bool:
        """Whether anything depends on a receipt of the message that this is the response to: of
        one that is not known here it may."""
        found = submits.of_outbox([response])
        message = self.memory.claimed.get(found[0][0]) if found else None
        if message is None or message.room is None:
            return message is None
        room = self.rt.rooms.get(message.room)
        return room is None or room.awaits_receipt(message.kind)

    def set_aside(self, message: Inbound) -> None:
        """Stores an MO raw, for review: it cannot be stored as what it is."""
        with self.rt.unit() as unit:
            keep(unit.tx, unit.vault, message, "poisoned")

    def set_result_aside(self, result: SubmitResult) -> None:
        """A response that cannot be stored leaves its message unknown, for a receipt to settle."""
        for message_id, r in submits.of_outbox([result]):
            with self.rt.unit() as unit:
                outbox.close(unit.tx, [(message_id, "unknown", r.cid)], unit.now)
            self.memory.forget([message_id])

    def inherit(
        self,
        dead: Sequence[UUID],
        patience: timedelta,
        trails: Mapping[UUID, Sequence[Trailed]] | None = None,
    ) -> int:
        """Settles what dead gateways left and what stayed unknown too long; how many. `trails` are
        what is known of their submits beside the ledger."""
        # Nobody tries these at once again, so they take nothing for granted.
        with self.rt.unit(self.gateway, is_again=True) as unit:
            known = inheritance.follow(
                self.rt, self.memory, unit, self.gateway, self.routes, trails or {}
            )
        return known + inheritance.inherit(self.rt, self.gateway, dead, patience)

    def tidy(self) -> int:
        """Housekeeping; returns how many segments of long MOs went to review."""
        known = self.known_networks
        return inheritance.tidy(self.rt, self.memory, self.gateway, self.routes, known)

    def ask_after(self, cids: Sequence[str]) -> list[Question]:
        """What to ask by query_sm on these binds, noted as asked."""
        return queries.due(self.rt, self.gateway, cids)
