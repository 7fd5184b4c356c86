"""Receipts: matched with the segments they are about, and what they say of whole messages."""

from collections.abc import Sequence

from app.exchange.model import Memory
from app.ledger import outbox, segments
from app.ledger.segments import Hit, Proof, Standing
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.messages import Receipt


def take(rt: Runtime, memory: Memory, unit: Unit, receipts: Sequence[Receipt]) -> None:
    """Takes a batch of receipts; what matches nothing waits for its submit response."""
    if receipts:
        match(rt, memory, unit, [_proof(unit, r) for r in receipts])


def match(rt: Runtime, memory: Memory, unit: Unit, proofs: Sequence[Proof]) -> None:
    """Finds the segments, and lets the rooms hear how whole messages stand."""
    hits, orphans, ambiguous = segments.match(unit.tx, proofs)
    memory.ambiguous += ambiguous
    memory.orphans += len(orphans)
    segments.keep_orphans(unit.tx, orphans)
    record(rt, unit, hits)


def record(rt: Runtime, unit: Unit, hits: Sequence[Hit]) -> None:
    """Writes what receipts say to their segments, and closes what is whole."""
    standings = segments.record(unit.tx, hits)
    whole = [s for s in standings if s.delivered >= s.total or s.failed]
    outbox.close(
        unit.tx,
        [(s.outbox_id, "failed" if s.failed else "delivered", None) for s in whole],
        unit.now,
    )
    for name, room in rt.rooms.items():
        mine: list[Standing] = [s for s in whole if s.room == name]
        if mine:
            room.standing(unit, mine)


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
