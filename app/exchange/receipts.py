"""Receipts: matched with the segments they are about, and what they say of whole messages."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import structlog

from app.exchange import elsewhere
from app.exchange.model import Memory
from app.exchange.routes import Routes
from app.ledger import matching, outbox, segments
from app.ledger.matching import Candidates, Matched, Window
from app.ledger.segments import Hit, Proof, Standing
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.messages import Receipt

MATCH_S = 3 * 86_400.0  # a receipt is of no older message: ids are used again
EARLY_S = 300.0  # before its response; an older receipt is of another message with the same id

log = structlog.get_logger("receipts")


def window(rt: Runtime) -> Window:
    """How far a receipt and its segment may lie apart."""
    return Window(rt.waiting(MATCH_S), rt.waiting(EARLY_S))


def ask(rt: Runtime, unit: Unit, receipts: Sequence[Receipt]) -> Candidates:
    """Asks which segments a batch of receipts may be about."""
    proofs = [proof_of(r, unit.vault.index("phone", r.phone)) for r in receipts]
    return matching.ask(unit.tx, proofs, window(rt))


def take(
    rt: Runtime,
    memory: Memory,
    unit: Unit,
    routes: Routes,
    asked: Candidates,
    delivered: Sequence[Standing] = (),
) -> list[UUID | None]:
    """Takes a batch of receipts; what matches nothing waits for its submit response. `delivered`
    are messages that were stored with theirs. Returns the messages that those which were asked
    for are about, in their order."""
    if not (asked.proofs or delivered):
        return []
    matched = _match(rt, unit, routes, asked, delivered)
    unit.after_commit.append(partial(_count, memory, matched))
    about = {id(hit.proof): hit.outbox_id for hit in matched.hits}
    return [about.get(id(proof)) for proof in asked.proofs]


def _count(memory: Memory, matched: Matched) -> None:
    memory.orphans.update(p.cid for p in matched.orphans)
    memory.ambiguous.update(p.cid for p in matched.ambiguous)
    for cid, times in Counter(p.cid for p in matched.ambiguous).items():
        log.error("ambiguous-receipts", cid=cid, receipts=times, expected="message_id set")


def match(rt: Runtime, unit: Unit, routes: Routes, proofs: Sequence[Proof]) -> Matched:
    """Finds the segments, and lets the rooms hear how whole messages stand. What matches nothing,
    or more than it may, is kept until something tells."""
    return _match(rt, unit, routes, matching.ask(unit.tx, proofs, window(rt)))


def _match(
    rt: Runtime,
    unit: Unit,
    routes: Routes,
    asked: Candidates,
    delivered: Sequence[Standing] = (),
) -> Matched:
    matched = matching.match(unit.tx, asked)
    matching.keep_orphans(unit.tx, [*matched.orphans, *matched.ambiguous])
    record(rt, unit, routes, matched.hits, delivered)
    return matched


def record(
    rt: Runtime,
    unit: Unit,
    routes: Routes,
    hits: Sequence[Hit],
    delivered: Sequence[Standing] = (),
) -> None:
    """Writes what receipts say to their segments, and closes what is whole; a message to a phone
    that its network does not know goes to the next network. Rooms hear of those, and of what was
    `delivered` and closed already."""
    standings = segments.record(unit.tx, hits)
    done = [s for s in standings if s.delivered >= s.total or s.failed]
    settled = elsewhere.after_receipts(rt, unit, routes, done)
    whole = [*delivered, *settled]
    elsewhere.learn_from_receipts(unit, whole)
    outbox.close(
        unit.tx,
        [(s.outbox_id, "failed" if s.failed else "delivered", None) for s in settled],
        unit.now,
    )
    for name, room in rt.rooms.items():
        mine: list[Standing] = [s for s in whole if s.room == name]
        if mine:
            room.standing(unit, mine)


def proof_of(r: Receipt, phone_index: bytes) -> Proof:
    """The receipt as the ledger needs it."""
    reference = r.user_message_reference
    return Proof(
        r.message_ids,
        phone_index,
        r.network,
        r.state,
        r.error,
        r.done_at,
        r.received_at,
        r.state.is_final,
        None if reference is None else reference & 0xFF,  # some SMSCs cut it to an octet
        r.cid,
    )
