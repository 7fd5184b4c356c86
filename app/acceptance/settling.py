"""What became of answers that were under way when the process was killed: their receipts tell.

Their responses are lost, and so are the ids that the network gave them; but the messages of one
phone leave one after the other, so a receipt that is no other message's is the first one's of
which nobody knows. In the trial of a network such a guess costs nobody a day, and it keeps an
answer from being sent twice.
"""

from collections.abc import Mapping
from datetime import datetime

from app.acceptance.records import Doubt, Orphan, doubts, orphans
from app.exchange import Routes, receipts
from app.ledger import matching, outbox, segments
from app.ledger.segments import Submitted
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp import text
from smpp.binds import LongMessage

ACCEPTED = "accepted"


def settle(rt: Runtime, unit: Unit, modes: Mapping[str, LongMessage], before: datetime) -> int:
    """Gives receipts from before `before` to the doubtful answers that they must be about; how
    many answers have left by that."""
    waiting = doubts(unit.tx, unit.vault)
    if not waiting:
        return 0
    left = orphans(unit.tx, sorted({d.phone_index for d in waiting}), before)
    rows: list[Submitted] = []
    sent: list[Doubt] = []
    for doubt in waiting:
        total = _total(doubt, modes)
        missing = [n for n in range(1, total + 1) if doubt.known.get(n) != ACCEPTED]
        for number in missing:
            receipt = _next(left, doubt)
            if receipt is None:
                break
            rows.append(_submitted(doubt, number, total, receipt))
        else:
            sent.append(doubt)
    segments.append(unit.tx, rows)
    outbox.close(unit.tx, [(d.id, "sent", None) for d in sent], unit.now)
    asked = matching.ask_adopted(unit.tx, rows, min(r.at for r in rows)) if rows else None
    if asked is not None:
        receipts.match(rt, unit, Routes(), matching.adopted(asked))
    return len(sent)


def _next(left: list[Orphan], doubt: Doubt) -> Orphan | None:
    for place, one in enumerate(left):
        is_about = (one.phone_index, one.network) == (doubt.phone_index, doubt.network)
        if is_about and one.received_at >= doubt.claimed_at:
            return left.pop(place)
    return None


def _total(doubt: Doubt, modes: Mapping[str, LongMessage]) -> int:
    mode = modes.get(doubt.network, "udh16")
    found = text.count(doubt.body, mode).segments
    return 1 if mode == "payload" else found


def _submitted(doubt: Doubt, number: int, total: int, receipt: Orphan) -> Submitted:
    return Submitted(
        outbox_id=doubt.id,
        attempt=doubt.attempt,
        number=number,
        total=total,
        cid=receipt.cid or doubt.cid,
        network=doubt.network,
        phone_index=doubt.phone_index,
        smsc_id=receipt.id,
        status=0,
        outcome=ACCEPTED,
        at=doubt.claimed_at,
    )
