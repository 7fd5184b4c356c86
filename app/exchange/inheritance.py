"""What others left behind, and what nobody needs any more: the exchange's housekeeping."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from app.conversation.records import count_parts, forget_keys, take_stale
from app.exchange import receipts, submits
from app.exchange.model import Memory, Trailed
from app.exchange.routes import Routes
from app.exchange.telling import note_all, tell_failed
from app.ledger import doubts, matching, outbox, segments
from app.ledger.segments import Hit
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.messages import SubmitOutcome, SubmitResult

KEYS_KEPT_S = 86_400.0
ORPHANS_KEPT_S = 3 * 86_400.0
FORGOTTEN_AFTER_S = 10.0
DOUBTS = 3  # a message that stays unknown so often breaks the link, or is never answered
PARTS_WAIT_S = 600.0


def follow(
    rt: Runtime,
    memory: Memory,
    unit: Unit,
    gateway: UUID,
    routes: Routes,
    trails: Mapping[UUID, Sequence[Trailed]],
) -> int:
    """Takes over dead gateways' claims whose way is known by their trails: what never left goes
    back, what was answered is settled by its answer, only the rest is unknown. Receipts that were
    acknowledged and not stored are taken. Returns how many claims were taken over."""
    if not trails:
        return 0
    said = [one for trail in trails.values() for one in trail]
    received = [one for one in said if one.receipt is not None]
    doubts.hold(unit.tx, [one.result.message_id for one in received])
    taken = doubts.take_open(unit.tx, list(trails), gateway)
    messages = outbox.by_id(unit.tx, unit.vault, list(taken))
    told: dict[UUID, dict[int, SubmitResult]] = {m: {} for m in taken}
    for message_id, r in submits.of_outbox([one.result for one in said]):
        message = messages.get(message_id)
        if message is not None and r.at >= taken[message.id]:  # else of an earlier claim
            told[message.id][r.segment] = replace(r, phone=message.phone)
    memory.claimed |= messages
    results = [r for of_message in told.values() for r in _in_full(of_message)]
    appended = submits.say(rt, memory, unit, submits.of_outbox(results))
    _take_received(rt, unit, routes, received)
    submits.take(rt, memory, unit, routes, appended)
    stayed = [m for m in messages.values() if not told[m.id]]
    submits.give_back(rt, unit, stayed, {m.id: 0.0 for m in stayed})
    memory.forget(list(taken))
    return len(taken)


def _take_received(rt: Runtime, unit: Unit, routes: Routes, received: Sequence[Trailed]) -> None:
    """Receipts that were acknowledged: each goes to the segment it was acknowledged for, where that
    has none yet. Nothing else can be meant."""
    if not received:
        return
    said = [(UUID(t.result.message_id), t.result.segment, t.result.smsc_id) for t in received]
    waiting = segments.waiting(unit.tx, said)
    hits = [
        Hit(
            receipts.proof_of(t.receipt, s.phone_index),
            s.outbox_id, s.attempt, s.number, s.at, s.total,
        )
        for t, key in zip(received, said, strict=True)
        if t.receipt is not None and (s := waiting.get(key)) is not None
    ]  # fmt: skip
    receipts.record(rt, unit, routes, hits)


def _in_full(said: Mapping[int, SubmitResult]) -> list[SubmitResult]:
    """With those that never left, in a message of which some did."""
    first = next(iter(said.values()), None)
    if first is None:
        return []
    never = replace(
        first, outcome=SubmitOutcome.RETRY_NOW, status=0, smsc_id="", user_message_reference=None
    )
    return [said.get(n) or replace(never, segment=n) for n in range(1, first.total + 1)]


def inherit(rt: Runtime, gateway: UUID, dead: Sequence[UUID], patience: timedelta) -> int:
    """Settles the claims of dead gateways: what the networks had accepted waits for its
    receipts, the rest is unknown; after `patience` without a receipt it is sent again and
    the journal says so. Returns how many were found."""
    with rt.unit(gateway) as unit:
        left = doubts.take_over(unit.tx, dead, gateway, unit.now) if dead else []
        overdue = doubts.overdue(unit.tx, unit.now - patience)
        worn_out = [d for d in overdue if d.doubts >= DOUBTS]
        again = [d for d in overdue if d.doubts < DOUBTS]
        outbox.release(unit.tx, [(d.id, unit.now, None) for d in again])
        outbox.close(unit.tx, [(d.id, "failed", None) for d in worn_out], unit.now)
        note_all(rt, unit, "message-sent-again", again)
        tell_failed(rt, unit, [(d, "never answered") for d in worn_out])
        return len(left) + len(again)


def tidy(
    rt: Runtime, memory: Memory, gateway: UUID, routes: Routes, known_networks: Sequence[str]
) -> int:
    """Forgets keys of MOs too old to be redelivered, and hands long messages of which a
    segment never came to review as they are; returns how many segments those were."""
    wait = rt.waiting
    with rt.unit(is_again=True) as unit:  # as in `Exchange.inherit`
        outbox.free_of_unknown_networks(unit.tx, known_networks)
        forgotten = unit.now - wait(FORGOTTEN_AFTER_S)
        held = list(memory.claimed)
        doubts.doubt_forgotten(unit.tx, gateway, held, forgotten, unit.now)
        doubts.rest(unit.tx, gateway, held, unit.now - wait(receipts.MATCH_S), unit.now)
        orphans = unit.now - wait(ORPHANS_KEPT_S)
        late = matching.late_matches(unit.tx, receipts.window(rt), orphans)
        receipts.match(rt, unit, routes, late)
        memory.pending = count_parts(unit.tx)
        forget_keys(unit.tx, unit.now - wait(KEYS_KEPT_S))
        return take_stale(unit.tx, unit.vault, unit.now - wait(PARTS_WAIT_S))
