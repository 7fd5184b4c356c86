"""What became of our submits: segments are appended, whole messages settled or given back."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.exchange import receipts
from app.exchange.model import Memory, Sent
from app.exchange.telling import note_all, tell_failed, tell_returned
from app.ledger import outbox, segments
from app.ledger.outbox import Message
from app.ledger.segments import Submitted
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
EARLY_S = 300.0  # before its response; an older receipt is of another message with the same id
PERMANENT = (SubmitOutcome.PERMANENT, SubmitOutcome.UNKNOWN_SUBSCRIBER)

Settled = tuple[Message, Sequence[SubmitResult]]


def of_outbox(results: Sequence[SubmitResult]) -> list[SubmitResult]:
    """Without those of USSD screens, which leave once and are in no outbox."""
    return [r for r in results if _id(r) is not None]


def _id(result: SubmitResult) -> UUID | None:
    try:
        return UUID(result.message_id)
    except ValueError:
        return None


def take(rt: Runtime, memory: Memory, unit: Unit, found: Sequence[SubmitResult]) -> list[UUID]:
    """Appends segments, takes in receipts that came before them, settles whole messages; returns
    the ids of messages of which every segment was answered."""
    results = of_outbox(found)
    rows = [_submitted(memory, unit, r) for r in results]
    segments.append(unit.tx, rows)
    soonest = min((r.at for r in rows), default=unit.now) - rt.waiting(EARLY_S)
    early = [p for p in segments.adopt(unit.tx, rows) if p.received_at >= soonest]
    if early:
        receipts.match(rt, memory, unit, early)
    finished: list[UUID] = []
    settled: list[Settled] = []
    for r in results:
        message_id = UUID(r.message_id)
        sent = memory.sent.setdefault(message_id, Sent(r.total))
        sent.results = [s for s in sent.results if s.segment != r.segment] + [r]
        if len(sent.results) == sent.total:
            finished.append(message_id)
            message = memory.claimed.get(message_id)
            if message is not None:
                settled.append((message, sent.results))
    _settle(rt, unit, settled)
    return finished


def _submitted(memory: Memory, unit: Unit, r: SubmitResult) -> Submitted:
    message_id = UUID(r.message_id)
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
    )


def _settle(rt: Runtime, unit: Unit, settled: Sequence[Settled]) -> None:
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
    give_back(rt, unit, again, pauses)
    tell_failed(rt, unit, lost)
    note_all(rt, unit, "message-unknown", doubtful)


def give_back(
    rt: Runtime,
    unit: Unit,
    messages: Sequence[Message],
    pauses: Mapping[UUID, float] | None = None,
) -> None:
    """Gives messages that have not left back to the outbox, to rest so many seconds (one
    unless `pauses` says otherwise); their rooms hear that nobody has seen them."""
    known = pauses or {}
    wait = rt.waiting
    due = {m.id: unit.now + wait(known.get(m.id, UNSENT_PAUSE_S)) for m in messages}
    outbox.release(unit.tx, [(m.id, due[m.id], None) for m in messages])
    tell_returned(rt, unit, messages)


def _is_worn_out(message: Message, outcomes: set[SubmitOutcome]) -> bool:
    """A message the network itself refused so often will not be taken any more."""
    return SubmitOutcome.RETRY_LATER in outcomes and message.attempts >= ATTEMPTS


def _pause(message: Message, outcomes: set[SubmitOutcome]) -> float:
    """How many seconds a refused message rests: twice as long each time, up to half an hour."""
    base = max(RETRY[o] for o in outcomes if o in RETRY)
    longest = LONGEST_RETRY if SubmitOutcome.RETRY_LATER in outcomes else SHORT_RETRY
    return float(min(base * 2 ** min(message.attempts - 1, 12), longest))
