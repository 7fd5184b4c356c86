"""Carries calls of one endpoint out together, in one transaction: each is judged by itself, each
keeps its own answer under its own Idempotency-Key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.api import auth, idempotency, limits
from app.api.auth import Caller, Tokens
from app.api.checking import read_query
from app.api.problems import Problem
from app.api.routing import Call, Done, Endpoint, Sent, Told, call_of, encoded, read_sent
from app.clock import system_clock
from app.ledger import idempotency as records
from app.ledger.idempotency import Answer, Claim, Reused
from app.ledger.unit import Unit
from app.runtime import Runtime


class Spoilt(Exception):
    """These calls cannot go together: two of them bear one key."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A call that may be carried out; `claim` where it has an Idempotency-Key."""

    sent: Sent
    caller: Caller
    body: Any
    query: Any
    claim: Claim | None


def carry_out(
    rt: Runtime, tokens: Tokens | None, endpoint: Endpoint, batch: Sequence[Sent]
) -> list[Done | Problem]:
    """What became of each call, in order. Whatever is raised is for the caller to try alone."""
    known = auth.identify_all(rt, [sent.token for sent in batch], tokens, system_clock())
    callers = _within_limits(rt, [_admitted(endpoint, known[sent.token]) for sent in batch])
    found = [_ready(rt, endpoint, s, c) for s, c in zip(batch, callers, strict=True)]
    ready = [one for one in found if isinstance(one, _Ready)]
    done: dict[int, Done | Problem] = {}
    if ready:
        with rt.unit() as unit:
            done = _do(rt, unit, endpoint, ready)
    return [done[id(one)] if isinstance(one, _Ready) else one for one in found]


def _admitted(endpoint: Endpoint, caller: Caller | Problem) -> Caller | Problem:
    if isinstance(caller, Problem):
        return caller
    try:
        auth.admit(caller, endpoint.scopes)
    except Problem as problem:
        return problem
    return caller


def _within_limits(rt: Runtime, callers: Sequence[Caller | Problem]) -> list[Caller | Problem]:
    """Every call counts, whatever it says."""
    judged = iter(limits.judge(rt, [c for c in callers if isinstance(c, Caller)]))
    return [c if isinstance(c, Problem) else next(judged) or c for c in callers]


def _ready(
    rt: Runtime, endpoint: Endpoint, sent: Sent, caller: Caller | Problem
) -> _Ready | Problem:
    if isinstance(caller, Problem):
        return caller
    try:
        query = read_query(sent.query, endpoint.query)
        body = read_sent(endpoint, sent.raw)
        endpoint.before(rt, body)
    except Problem as problem:
        return problem
    claim = None
    if sent.idempotency_key is not None:
        mark = idempotency.fingerprint(rt.vault, endpoint.method, sent.address, body)
        claim = Claim(caller.owner, sent.idempotency_key, mark)
    return _Ready(sent, caller, body, query, claim)


def _do(
    rt: Runtime, unit: Unit, endpoint: Endpoint, may: Sequence[_Ready]
) -> dict[int, Done | Problem]:
    claims = [one.claim for one in may if one.claim is not None]
    if len({(c.owner, c.key) for c in claims}) < len(claims):
        raise Spoilt
    before = records.claim_all(unit.tx, claims, unit.now)
    done: dict[int, Done | Problem] = {}
    fresh: list[_Ready] = []
    for one in may:
        known = None if one.claim is None else before.get(one.claim)
        if known is None:
            fresh.append(one)
        elif isinstance(known, Reused):
            done[id(one)] = Problem("idempotency_reused")
        else:
            done[id(one)] = Done(known, True)
    calls: list[Call[Any, Any]] = [
        call_of(rt, unit, one.caller, one.body, one.query, one.sent) for one in fresh
    ]
    assert endpoint.many is not None
    kept: list[tuple[Claim, Answer]] = []
    freed: list[Claim] = []
    for one, told in zip(fresh, endpoint.many(calls), strict=True):
        done[id(one)] = told if isinstance(told, Problem) else Done(_answer(endpoint, one, told))
        if one.claim is None:
            continue
        if isinstance(told, Problem) and idempotency.is_passing(told):
            freed.append(one.claim)
        else:
            kept.append((one.claim, _answer(endpoint, one, told)))
    records.store_all(unit.tx, kept)
    records.give_up(unit.tx, freed)
    return done


def _answer(endpoint: Endpoint, one: _Ready, told: Told) -> Answer:
    return encoded(endpoint, told, one.sent.language)
