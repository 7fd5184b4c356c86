"""A network does not know the phone: the next one is tried, for the number may have been ported.

Every network is asked once, the recorded one first; which refused is in the journal. The network
that answers is remembered for the phone and goes first the next time.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.conversation.records import answered_on
from app.conversation.turns import Came
from app.exchange.routes import Routes
from app.exchange.telling import note, tell_returned
from app.ledger import outbox
from app.ledger.outbox import Message, Priority
from app.ledger.segments import Standing
from app.ledger.unit import Unit
from app.runtime import Runtime
from smpp.receipt_errors import is_unknown_subscriber

Refusal = tuple[Message, str, Mapping[str, object]]
"""A message, the network that does not know its phone, and what it said."""


def try_next(rt: Runtime, unit: Unit, routes: Routes, refusals: Sequence[Refusal]) -> list[Message]:
    """Gives refused messages to their next network; returns those that none is left for."""
    if not refusals:
        return []
    said = [(m, {"network": network, **facts}) for m, network, facts in refusals]
    note(rt, unit, "network-refused", said)
    moves: list[tuple[UUID, str, str]] = []
    lost: list[Message] = []
    for message, network, _ in refusals:
        after = routes.elsewhere(
            message.phone,
            (*message.refused, network),
            is_question=message.priority is Priority.BULK,
        )
        if after is None:
            lost.append(message)
        else:
            moves.append((message.id, network, after))
    moved = set(outbox.try_elsewhere(unit.tx, moves, unit.now))
    tell_returned(rt, unit, [m for m, *_ in refusals if m.id in moved])
    return lost


def after_receipts(
    rt: Runtime, unit: Unit, routes: Routes, standings: Sequence[Standing]
) -> list[Standing]:
    """Tries the next network for messages of which no segment arrived and every failed one says
    that the phone is unknown; returns the standings that remain as they are."""
    unknown = {s.outbox_id: s for s in standings if _says_unknown(s)}
    messages = outbox.by_id(unit.tx, unit.vault, list(unknown))
    refusals: list[Refusal] = [
        (m, unknown[m.id].network, {"receipt": unknown[m.id].errors[0]}) for m in messages.values()
    ]
    lost = {m.id for m in try_next(rt, unit, routes, refusals)}
    return [s for s in standings if s.outbox_id not in unknown or s.outbox_id in lost]


def _says_unknown(s: Standing) -> bool:
    return bool(s.failed) and not s.delivered and all(map(_is_unknown, s.errors))


def _is_unknown(error: str) -> bool:
    state, _, code = error.partition(" ")
    return is_unknown_subscriber(state, code)


def learn_from_receipts(unit: Unit, standings: Sequence[Standing]) -> None:
    """A message arrived by another network than was recorded: that one is the phone's."""
    answered_on(
        unit.tx,
        {s.phone_index: s.network for s in standings if s.is_news and s.delivered >= s.total},
    )


def learn_from_replies(unit: Unit, came: Sequence[Came]) -> None:
    """A phone wrote: the network it wrote by is its own."""
    answered_on(
        unit.tx,
        {
            unit.vault.index("phone", c.message.sender): c.message.network
            for c in came
            if c.message.from_phone
        },
    )
