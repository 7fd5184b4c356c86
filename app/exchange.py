"""One transaction of exchange with the networks: what came in is judged, what is due is claimed.

The gateway gathers a batch and calls `Exchange.commit` in a thread; only after it returns are
MOs acknowledged and messages submitted. It knows every room by its face and no room's rules.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.calendar import in_almaty
from app.conversation import turns
from app.conversation.records import keep, tidy
from app.conversation.rooms import Room
from app.conversation.turns import Came
from app.conversation.unasked import LoopGuard
from app.ledger import binds, outbox, segments
from app.ledger.binds import BindRow
from app.ledger.outbox import Doubtful, Message
from app.ledger.segments import Hit, Proof, Standing, Submitted
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.messages import (
    BindEvent,
    BindState,
    Inbound,
    Outbound,
    Receipt,
    SubmitOutcome,
    SubmitResult,
)

Take = Callable[[Runtime, Unit, Sequence[Came], LoopGuard], None]
"""What is done with a batch of MOs: conversation, or the acceptance mode of a new network."""

RETRY = {
    SubmitOutcome.RETRY_NOW: 1.0,
    SubmitOutcome.RETRY_LATER: 30.0,
    SubmitOutcome.OTHER_BIND: 1.0,
}  # seconds
LONGEST_RETRY = 1800.0
SHORT_RETRY = 5.0  # it is our link that failed, not the message
ATTEMPTS = 12
KEYS_KEPT_S = 86_400.0
ORPHANS_KEPT_S = 3 * 86_400.0
UNSENT_PAUSE_S = 1.0
FORGOTTEN_AFTER_S = 10.0
DOUBTS = 3  # a message that stays unknown so often breaks the link, or is never answered
EARLY_S = 300.0  # before its response; an older receipt is of another message with the same id
PARTS_WAIT_S = 600.0
PERMANENT = (SubmitOutcome.PERMANENT, SubmitOutcome.UNKNOWN_SUBSCRIBER)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one commit is about. `mark` is a time up to which everything heard is in this batch or
    an earlier one; `drained` and `own` are cids; `room` is how many messages the links of each
    network would take now."""

    inbound: Sequence[Came] = ()
    receipts: Sequence[Receipt] = ()
    results: Sequence[SubmitResult] = ()
    states: Sequence[BindState] = ()
    unsent: Sequence[UUID] = ()
    mark: datetime | None = None
    drained: Sequence[str] = ()
    own: Sequence[str] = ()
    room: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Committed:
    """What the gateway may do now that the batch is stored."""

    to_submit: Sequence[Message]
    screens: Sequence[tuple[str, Outbound]]
    wanted: Mapping[str, str]


@dataclass(slots=True)
class Sent:
    """The results of one message's segments so far, in memory until the last has come."""

    total: int
    results: list[SubmitResult] = field(default_factory=list)


@dataclass(slots=True)
class Exchange:
    """The gateway's side of the ledger. `known_networks` are all that binds.toml names,
    `without_receipts` the cids of binds whose networks send none, `deaf` the transmitters."""

    rt: Runtime
    gateway: UUID
    known_networks: Sequence[str]
    without_receipts: frozenset[str] = frozenset()
    deaf: frozenset[str] = frozenset()
    take: Take = turns.take
    guard: LoopGuard = field(default_factory=LoopGuard)
    claimed: dict[UUID, Message] = field(default_factory=dict)
    sent: dict[UUID, Sent] = field(default_factory=dict)
    ambiguous: int = 0
    orphans: int = 0

    def commit(self, batch: Batch) -> Committed:
        """Stores a batch in one transaction. Raises what the ledger raises; nothing is then
        acknowledged, and the caller may try again, for memory changes only after the commit."""
        with self.rt.unit(self.gateway) as unit:
            finished = self._results(unit, batch.results)
            self._receipts(unit, batch.receipts)
            self.take(self.rt, unit, batch.inbound, self.guard)
            for state in batch.states:
                self._write_state(unit, state)
            self._return(unit, [self.claimed[m] for m in batch.unsent if m in self.claimed])
            claimed = self._claim(unit, batch)
            wanted: Mapping[str, str] = {}
            if batch.mark is not None:
                binds.heard(unit.tx, batch.drained, batch.mark)
                wanted = binds.wanted(unit.tx, batch.own)
        at_once = unit.outbox.at_once
        self._remember(batch, finished, [*at_once, *claimed])
        return Committed([*at_once, *claimed], unit.screens, wanted)

    def _remember(self, batch: Batch, finished: Sequence[UUID], fresh: Sequence[Message]) -> None:
        for message_id in (*finished, *batch.unsent):
            self.claimed.pop(message_id, None)
            self.sent.pop(message_id, None)
        for message in fresh:
            self.claimed[message.id] = message

    # --- what became of our submits -------------------------------------------------------

    def _results(self, unit: Unit, results: Sequence[SubmitResult]) -> list[UUID]:
        """Appends segments, takes in receipts that came before them, settles whole messages."""
        rows = [self._submitted(unit, r) for r in results]
        segments.append(unit.tx, rows)
        soonest = min((r.at for r in rows), default=unit.now) - self.rt.waiting(EARLY_S)
        early = [p for p in segments.adopt(unit.tx, rows) if p.received_at >= soonest]
        if early:
            self._match(unit, early)
        finished: list[UUID] = []
        settled: list[tuple[Message, Sequence[SubmitResult]]] = []
        for r in results:
            message_id = UUID(r.message_id)
            sent = self.sent.setdefault(message_id, Sent(r.total))
            sent.results = [s for s in sent.results if s.segment != r.segment] + [r]
            if len(sent.results) == sent.total:
                finished.append(message_id)
                message = self.claimed.get(message_id)
                if message is not None:
                    settled.append((message, sent.results))
        self._settle(unit, settled)
        return finished

    def _submitted(self, unit: Unit, r: SubmitResult) -> Submitted:
        message_id = UUID(r.message_id)
        known = self.claimed.get(message_id)
        index = known.phone_index if known else unit.vault.index("phone", r.phone)
        return Submitted(
            message_id,
            known.attempts if known else 1,
            r.segment,
            r.total,
            r.cid,
            r.network,
            index,
            r.smsc_id,
            r.status,
            r.outcome,
            r.at,
        )

    def _settle(
        self, unit: Unit, settled: Sequence[tuple[Message, Sequence[SubmitResult]]]
    ) -> None:
        closed: list[tuple[UUID, str, str | None]] = []
        again: list[Message] = []
        lost: list[tuple[Message, str]] = []
        doubtful: list[Message] = []
        pauses: dict[UUID, float] = {}
        for message, results in settled:
            outcomes = {r.outcome for r in results}
            if outcomes == {SubmitOutcome.ACCEPTED}:
                continue  # its receipts will close it
            if SubmitOutcome.UNKNOWN in outcomes:
                closed.append((message.id, "unknown", results[0].cid))
                doubtful.append(message)
            elif outcomes & set(PERMANENT) or _is_worn_out(message, outcomes):
                closed.append((message.id, "failed", results[0].cid))
                lost.append((message, f"status {max(r.status for r in results)}"))
            else:
                again.append(message)
                pauses[message.id] = _pause(message, outcomes)
        outbox.close(unit.tx, closed, unit.now)
        self._return(unit, again, pauses)
        self._tell_failed(unit, lost)
        self._tell_unknown(unit, doubtful)

    def _return(
        self, unit: Unit, messages: Sequence[Message], pauses: Mapping[UUID, float] | None = None
    ) -> None:
        """Gives messages that have not left back to the outbox, to rest so many seconds (one
        unless `pauses` says otherwise); their rooms hear that nobody has seen them."""
        known = pauses or {}
        due = {m.id: unit.now + self.rt.waiting(known.get(m.id, UNSENT_PAUSE_S)) for m in messages}
        outbox.release(unit.tx, [(m.id, due[m.id], None) for m in messages])
        for name, room in self.rt.rooms.items():
            mine = [(m.case_id, m.kind) for m in messages if m.room == name and m.case_id]
            if mine:
                room.returned(unit, [(case, kind) for case, kind in mine if case])

    def _tell_failed(self, unit: Unit, lost: Sequence[tuple[Message, str]]) -> None:
        for name, room in self.rt.rooms.items():
            mine = [(m.case_id, m.kind, why) for m, why in lost if m.room == name and m.case_id]
            if mine:
                room.failed(unit, [(case, kind, why) for case, kind, why in mine if case])

    def _tell_unknown(self, unit: Unit, doubtful: Sequence[Message]) -> None:
        for name, room in self.rt.rooms.items():
            mine = [
                (m.case_id, "message-unknown", {"message": m.id, "wording": m.kind})
                for m in doubtful
                if m.room == name and m.case_id
            ]
            if mine:
                room.noted(unit, [(case, kind, facts) for case, kind, facts in mine if case])

    # --- receipts ---------------------------------------------------------------------------

    def _receipts(self, unit: Unit, receipts: Sequence[Receipt]) -> None:
        if receipts:
            self._match(unit, [_proof(unit, r) for r in receipts])

    def _match(self, unit: Unit, proofs: Sequence[Proof]) -> None:
        hits, orphans, ambiguous = segments.match(unit.tx, proofs)
        self.ambiguous += ambiguous
        self.orphans += len(orphans)
        segments.keep_orphans(unit.tx, orphans)
        self._standings(unit, hits)

    def _standings(self, unit: Unit, hits: Sequence[Hit]) -> None:
        standings = segments.record(unit.tx, hits)
        whole = [s for s in standings if s.delivered >= s.total or s.failed]
        outbox.close(
            unit.tx,
            [(s.outbox_id, "failed" if s.failed else "delivered", None) for s in whole],
            unit.now,
        )
        for name, room in self.rt.rooms.items():
            mine: list[Standing] = [s for s in whole if s.room == name]
            if mine:
                room.standing(unit, mine)

    # --- what leaves now ---------------------------------------------------------------------

    def _claim(self, unit: Unit, batch: Batch) -> list[Message]:
        """Claims what is due: the intent is in the ledger before the first octet leaves. Rooms
        are asked once more whether each message may still go."""
        may_offer = self._may_offer(unit.now)
        messages: list[Message] = []
        left = sum(batch.room.values())
        for network, free in (*batch.room.items(), (None, left)):
            limit = min(free, left)
            if limit > 0:
                claimed = outbox.claim(
                    unit.tx,
                    unit.vault,
                    self.gateway,
                    unit.now,
                    network=network,
                    limit=limit,
                    bulk=may_offer,
                )
                messages += claimed
                left -= len(claimed)
        stopped: set[UUID] = set()
        for name, room in self.rt.rooms.items():
            mine = [m for m in messages if m.room == name]
            if mine:
                stopped |= room.submitting(unit, mine)
        outbox.cancel(unit.tx, sorted(stopped), unit.now)
        return [m for m in messages if m.id not in stopped]

    def _may_offer(self, now: datetime) -> bool:
        hours = self.rt.settings.sending.hours
        return hours is None or hours.start <= in_almaty(now).time() < hours.end

    def _write_state(self, unit: Unit, state: BindState) -> None:
        stands = BindEvent.BOUND if state.event in HEARING else state.event
        reason = state.reason or (str(state.event) if stands is not state.event else "")
        row = BindRow(
            state.cid, state.network, self.gateway, stands, reason, state.at,
            has_receipts=state.cid not in self.without_receipts,
            hears=state.cid not in self.deaf,
        )  # fmt: skip
        binds.write(unit.tx, row)

    def set_aside(self, message: Inbound) -> None:
        """Stores an MO raw, for review: it cannot be stored as what it is."""
        with self.rt.unit() as unit:
            keep(unit.tx, unit.vault, message, "poisoned")

    def set_result_aside(self, result: SubmitResult) -> None:
        """A response that cannot be stored leaves its message unknown, for a receipt to settle."""
        message_id = UUID(result.message_id)
        with self.rt.unit() as unit:
            outbox.close(unit.tx, [(message_id, "unknown", result.cid)], unit.now)
        self.claimed.pop(message_id, None)
        self.sent.pop(message_id, None)

    # --- what others left behind --------------------------------------------------------------

    def inherit(self, dead: Sequence[UUID], patience: timedelta) -> int:
        """Settles the claims of dead gateways: what the networks had accepted waits for its
        receipts, the rest is unknown; after `patience` without a receipt it is sent again and
        the journal says so. Returns how many were found."""
        with self.rt.unit(self.gateway) as unit:
            doubts = outbox.doubt(unit.tx, dead, unit.now) if dead else []
            accepted = segments.accepted(unit.tx, [d.id for d in doubts])
            outbox.close(unit.tx, [(i, "sent", None) for i in accepted], unit.now)
            overdue = outbox.overdue_doubts(unit.tx, unit.now - patience)
            worn_out = [d for d in overdue if d.attempts >= DOUBTS]
            again = [d for d in overdue if d.attempts < DOUBTS]
            outbox.release(unit.tx, [(d.id, unit.now, None) for d in again])
            outbox.close(unit.tx, [(d.id, "failed", None) for d in worn_out], unit.now)
            for name, room in self.rt.rooms.items():
                _note_again(unit, room, [d for d in again if d.room == name])
                _note_failed(unit, room, [d for d in worn_out if d.room == name])
            return len(doubts) + len(again)

    def tidy(self) -> int:
        """Forgets keys of MOs too old to be redelivered, and hands long messages of which a
        segment never came to review as they are; returns how many segments those were."""
        with self.rt.unit() as unit:
            forget = unit.now - self.rt.waiting(KEYS_KEPT_S)
            late = unit.now - self.rt.waiting(PARTS_WAIT_S)
            outbox.free_of_unknown_networks(unit.tx, self.known_networks)
            forgotten = unit.now - self.rt.waiting(FORGOTTEN_AFTER_S)
            outbox.doubt_forgotten(unit.tx, self.gateway, list(self.claimed), forgotten, unit.now)
            orphans = unit.now - self.rt.waiting(ORPHANS_KEPT_S)
            self._match(unit, segments.late_matches(unit.tx, orphans))
            return tidy(unit.tx, unit.vault, forget, late)


def _note_again(unit: Unit, room: Room, again: Sequence[Doubtful]) -> None:
    notes = [
        (d.case_id, "message-sent-again", {"message": d.id, "wording": d.kind})
        for d in again
        if d.case_id
    ]
    if notes:
        room.noted(unit, notes)


def _note_failed(unit: Unit, room: Room, worn_out: Sequence[Doubtful]) -> None:
    lost = [(d.case_id, d.kind, "never answered") for d in worn_out if d.case_id]
    if lost:
        room.failed(unit, lost)


def _is_worn_out(message: Message, outcomes: set[SubmitOutcome]) -> bool:
    """A message the network itself refused so often will not be taken any more."""
    return SubmitOutcome.RETRY_LATER in outcomes and message.attempts >= ATTEMPTS


def _pause(message: Message, outcomes: set[SubmitOutcome]) -> float:
    """How many seconds a refused message rests: twice as long each time, up to half an hour."""
    base = max(RETRY[o] for o in outcomes if o in RETRY)
    longest = LONGEST_RETRY if SubmitOutcome.RETRY_LATER in outcomes else SHORT_RETRY
    return float(min(base * 2 ** min(message.attempts - 1, 12), longest))


def _proof(unit: Unit, r: Receipt) -> Proof:
    return Proof(
        r.message_ids,
        unit.vault.index("phone", r.phone),
        r.network,
        r.state,
        r.error,
        r.done_at,
        r.received_at,
        r.state.is_final,
    )


# A throttled or suspended bind still hears; only what ends hearing changes the state.
HEARING = (BindEvent.BOUND, BindEvent.THROTTLED, BindEvent.RESUMED, BindEvent.SUSPENDED)
