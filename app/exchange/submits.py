"""What became of our submits: segments are appended, whole messages settled or given back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from uuid import UUID

from msgspec import ValidationError, convert

from app.exchange import elsewhere, receipts
from app.exchange.delivered import Delivered
from app.exchange.elsewhere import Refusal
from app.exchange.model import Memory, Sent
from app.exchange.routes import Routes
from app.exchange.telling import note, note_all, tell_failed, tell_returned
from app.ledger import doubts, matching, outbox, segments
from app.ledger.engine import Asked
from app.ledger.outbox import Message
from app.ledger.segments import Hit, Standing, Submitted
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.messages import SubmitOutcome, SubmitResult

RETRY = {
    SubmitOutcome.RETRY_NOW: 1.0,
    SubmitOutcome.RETRY_LATER: 30.0,
    SubmitOutcome.OTHER_BIND: 1.0,
}  # seconds
LONGEST_RETRY = 1800.0
SHORT_RETRY = 5.0  # it is our link that failed, not the message
ATTEMPTS = 12
UNSENT_PAUSE_S = 1.0

Settled = tuple[Message, Sequence[SubmitResult]]


@dataclass(slots=True)
class _Verdicts:
    """What is to be done about messages of which every segment was answered."""

    closed: list[tuple[UUID, str, str | None]] = field(default_factory=list)
    again: list[Message] = field(default_factory=list)
    pauses: dict[UUID, float] = field(default_factory=dict)
    halves: list[tuple[Message, Mapping[str, object]]] = field(default_factory=list)
    lost: list[tuple[Message, str]] = field(default_factory=list)
    doubtful: list[Message] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def of_outbox(results: Sequence[SubmitResult]) -> list[tuple[UUID, SubmitResult]]:
    """By their messages, without those of USSD screens, which leave once and are in no outbox."""
    return [(m, r) for r in results if (m := _id(r)) is not None]


def _id(result: SubmitResult) -> UUID | None:
    try:
        return convert(result.message_id, UUID)
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class Said:
    """Results whose segments have been appended, and whether receipts came before them, which is
    asked for."""

    results: Sequence[tuple[UUID, SubmitResult]]
    early: Asked | None
    has_late: bool

    @property
    def changes_segments(self) -> bool:
        """Whether older segments get a receipt or an id by them: by receipts that came first, or
        by late answers."""
        return self.has_late or (self.early is not None and bool(self.early.rows().all()))


def store(rt: Runtime, memory: Memory, unit: Unit, whole: Sequence[Delivered]) -> list[Standing]:
    """Stores messages with their receipts, and closes them; returns how they stand. Where not all
    of it is new to the ledger, or something else may be meant, the transaction fails as a race
    does, told by the server: nobody has to wait for that before the commit."""
    if not whole:
        return []
    delivered = [(d.message.id, "delivered", None) for d in whole]
    outbox.close(unit.tx, delivered, unit.now)  # messages are held before their segments
    rows = [_submitted(memory, unit, d.message.id, a) for d in whole for a in d.answers]
    came = [r for d in whole for r in d.receipts]
    proofs = [receipts.proof_of(r, row.phone_index) for r, row in zip(came, rows, strict=True)]
    hits = [
        Hit(proof, row.outbox_id, row.attempt, row.number, row.at, row.total)
        for proof, row in zip(proofs, rows, strict=True)
    ]
    segments.append_whole(unit.tx, rows, hits)
    matching.expect_no_others(unit.tx, rows, proofs, receipts.window(rt), _soonest(rt, rows))
    of = iter(hits)
    return [_standing(d, list(islice(of, len(d.answers)))) for d in whole]


def _standing(d: Delivered, hits: Sequence[Hit]) -> Standing:
    m, total = d.message, len(hits)
    return Standing(
        m.id, m.case_id, m.room, m.kind, d.network, total, total, 0,
        min(hit.submitted_at for hit in hits), max(hit.received_at for hit in hits),
        m.phone_index, is_news=d.is_news,
    )  # fmt: skip


def say(
    rt: Runtime,
    memory: Memory,
    unit: Unit,
    found: Sequence[tuple[UUID, SubmitResult]],
) -> Said:
    """Appends segments, and asks for receipts that came before them."""
    results = [one for one in found if not one[1].is_late]
    has_late = len(results) < len(found)
    rows = [_submitted(memory, unit, m, r) for m, r in results]
    if not rows:
        return Said(results, None, has_late)
    segments.append(unit.tx, rows)
    return Said(results, matching.ask_adopted(unit.tx, rows, _soonest(rt, rows)), has_late)


def _soonest(rt: Runtime, rows: Sequence[Submitted]) -> datetime:
    """Receipts that came before that are of other messages."""
    return min(r.at for r in rows) - rt.waiting(receipts.EARLY_S)


def take(rt: Runtime, memory: Memory, unit: Unit, routes: Routes, said: Said) -> list[UUID]:
    """Takes in receipts that came before their segments, and settles whole messages; returns the
    ids of messages of which every segment was answered."""
    early = matching.adopted(said.early) if said.early is not None else []
    if early:
        receipts.match(rt, unit, routes, early)
    finished: list[UUID] = []
    settled: list[Settled] = []
    for message_id, r in said.results:
        sent = memory.sent.setdefault(message_id, Sent(r.total))
        sent.results = [s for s in sent.results if s.segment != r.segment] + [r]
        if len(sent.results) == sent.total:
            finished.append(message_id)
            message = memory.claimed.get(message_id)
            if message is not None:
                settled.append((message, sent.results))
    _settle(rt, memory, unit, routes, settled)
    return finished


def take_late(
    rt: Runtime, memory: Memory, unit: Unit, gateway: UUID, routes: Routes,
    found: Sequence[SubmitResult],
) -> None:  # fmt: skip
    """Segments that were taken after all: a message of which that is now true of all is not sent
    again, and the journal says so."""
    late = [(m, r) for m, r in of_outbox([r for r in found if r.is_late])]
    if not late:
        return
    rows = segments.answered_late(unit.tx, [(m, r.segment, r.cid, r.smsc_id) for m, r in late])
    for message_id, r in late:
        sent = memory.sent.get(message_id)  # others of its segments are still awaited
        if sent is not None:
            sent.results = [r if s.segment == r.segment else s for s in sent.results]
    asked = matching.ask_adopted(unit.tx, rows, unit.now - rt.waiting(receipts.EARLY_S))
    early = matching.adopted(asked) if asked is not None else []
    if early:
        receipts.match(rt, unit, routes, early)
    taken = doubts.no_longer(unit.tx, gateway, [r.outbox_id for r in rows])
    note_all(rt, unit, "message-answered-late", taken)
    cids = {r.outbox_id: r.cid for r in rows}
    silent = [(m.id, "sent", cids[m.id]) for m in taken if not _is_told_of(routes, cids[m.id])]
    outbox.close(unit.tx, silent, unit.now)


def _is_told_of(routes: Routes, cid: str) -> bool:
    """Whether receipts will come for what a bind took."""
    return not routes.routes or any(r.cid == cid and r.has_receipts for r in routes.routes)


def _submitted(memory: Memory, unit: Unit, message_id: UUID, r: SubmitResult) -> Submitted:
    known = memory.claimed.get(message_id)
    return Submitted(
        message_id,
        known.attempts if known else 1,
        r.segment,
        r.total,
        r.cid,
        r.network,
        known.phone_index if known else unit.vault.index("phone", r.phone),
        r.smsc_id,
        r.status,
        r.outcome,
        r.at,
        r.user_message_reference,
    )


def _settle(
    rt: Runtime, memory: Memory, unit: Unit, routes: Routes, settled: Sequence[Settled]
) -> None:
    verdicts = _Verdicts()
    for message, results in settled:
        _judge(memory, routes, message, results, verdicts)
    outbox.close(unit.tx, verdicts.closed, unit.now)
    nowhere = elsewhere.try_next(rt, unit, routes, verdicts.refusals)
    outbox.close(unit.tx, [(m.id, "failed", None) for m in nowhere], unit.now)
    if verdicts.halves:
        note(rt, unit, "message-accepted-in-part", verdicts.halves)
    give_back(rt, unit, verdicts.again, verdicts.pauses)
    tell_failed(rt, unit, [*verdicts.lost, *((m, "unknown on every network") for m in nowhere)])
    note_all(rt, unit, "message-unknown", verdicts.doubtful)


def _judge(
    memory: Memory,
    routes: Routes,
    message: Message,
    results: Sequence[SubmitResult],
    verdicts: _Verdicts,
) -> None:
    """One segment decides for all: a message is whole or it is not there. Doubt goes first: a
    segment that nobody answered for may be on the handset, so it is not sent again blindly."""
    outcomes = {r.outcome for r in results}
    last = results[0]
    if outcomes == {SubmitOutcome.ACCEPTED}:
        if not _is_told_of(routes, last.cid):
            verdicts.closed.append((message.id, "sent", last.cid))
        return  # its receipts will close it
    if SubmitOutcome.UNKNOWN in outcomes:
        verdicts.closed.append((message.id, "unknown", last.cid))
        verdicts.doubtful.append(message)
    elif SubmitOutcome.PERMANENT in outcomes or _is_worn_out(memory, routes, message, results):
        verdicts.closed.append((message.id, "failed", last.cid))
        verdicts.lost.append((message, f"status {max(r.status for r in results)}"))
    elif SubmitOutcome.UNKNOWN_SUBSCRIBER in outcomes:
        status = max(r.status for r in results)
        verdicts.refusals.append((message, last.network, {"status": status}))
    else:
        verdicts.again.append(message)
        verdicts.pauses[message.id] = _pause(memory, routes, message, results)
        took = sum(r.outcome is SubmitOutcome.ACCEPTED for r in results)
        if took:
            verdicts.halves.append((message, {"accepted": took, "segments": len(results)}))


def give_back(
    rt: Runtime,
    unit: Unit,
    messages: Sequence[Message],
    pauses: Mapping[UUID, float] | None = None,
) -> None:
    """Gives messages that have not left, or not in whole, back to the outbox, to rest so many
    seconds (one unless `pauses` says otherwise); their rooms hear that nobody has seen them."""
    known = pauses or {}
    due = {m.id: unit.now + rt.waiting(known.get(m.id, UNSENT_PAUSE_S)) for m in messages}
    outbox.release(unit.tx, [(m.id, due[m.id], None) for m in messages])
    tell_returned(rt, unit, messages)


def _is_refused(
    memory: Memory, routes: Routes, message: Message, results: Sequence[SubmitResult]
) -> bool:
    """Whether it is the network that does not take the message, or each of its binds."""
    for r in results:
        if r.outcome is SubmitOutcome.RETRY_LATER:
            return True
        if r.outcome is SubmitOutcome.OTHER_BIND:
            return routes.are_exhausted(r.network, memory.avoid(message.id, r.cid))
    return False


def _is_worn_out(
    memory: Memory, routes: Routes, message: Message, results: Sequence[SubmitResult]
) -> bool:
    """A message the network itself refused so often will not be taken any more."""
    return message.attempts >= ATTEMPTS and _is_refused(memory, routes, message, results)


def _pause(
    memory: Memory, routes: Routes, message: Message, results: Sequence[SubmitResult]
) -> float:
    """How many seconds a refused message rests: twice as long each time, up to half an hour."""
    base = max(RETRY[r.outcome] for r in results if r.outcome in RETRY)
    is_refused = _is_refused(memory, routes, message, results)
    longest = LONGEST_RETRY if is_refused else SHORT_RETRY
    return float(min(base * 2 ** min(message.attempts - 1, 12), longest))
