"""Accepted messages of which no receipt comes are asked after, where a bind allows query_sm."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.exchange import receipts
from app.exchange.routes import Routes
from app.ledger import silences
from app.ledger.segments import Hit, Proof
from app.ledger.silences import Silent
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.messages import QueryResult

FIRST_S = 300.0  # after the response; then twice as long each time
MOST = 8  # times a segment is asked after: the last is after a day
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What `Link.query` is to be asked."""

    cid: str
    smsc_id: str
    token: Silent


def due(rt: Runtime, gateway: UUID, cids: Sequence[str]) -> list[Question]:
    """Which segments to ask after now, noted as asked; `cids` are the binds that allow it."""
    if not cids:
        return []
    with rt.unit(gateway) as unit:
        found = silences.ask(
            unit.tx,
            gateway,
            cids,
            unit.now,
            silences.Patience(rt.waiting(FIRST_S), MOST, AT_ONCE),
        )
    return [Question(s.cid, s.smsc_id, s) for s in found]


def take(rt: Runtime, unit: Unit, routes: Routes, results: Sequence[QueryResult]) -> None:
    """What networks answered is as good as a receipt; no answer, or one without a state, is
    nothing."""
    hits = [
        _hit(r.token, r)
        for r in results
        if isinstance(r.token, Silent) and r.status == 0 and r.state is not None
    ]
    if hits:
        receipts.record(rt, unit, routes, hits)


def _hit(asked: Silent, r: QueryResult) -> Hit:
    assert r.state is not None
    proof = Proof((r.smsc_id,), b"", r.network, r.state, r.error, r.done_at, r.at, r.state.is_final)
    return Hit(proof, asked.outbox_id, asked.attempt, asked.number, asked.at, asked.total)
