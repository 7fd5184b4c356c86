"""What was counted of a day, or of several shards of one campaign put together: sums only, so that
shards can be added up, and nothing that differs from run to run."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from app.proactive.rules import OUTCOMES
from app.simulate.people import Citizen
from app.simulate.promises import EXAMPLES, Breach, Court
from app.simulate.records import Ended

QUARTER_S: Final = 900
SERIES: Final = ("sent", "received", "answered", "expired")
ALL: Final = "all"

Groups = dict[str, Counter[str]]


@dataclass(slots=True)
class Tally:
    """Counts of citizens by step and group, of segments by network and wording, of what happened
    by second since the start; `last` and `last_question` are when the last one left."""

    funnel: dict[str, Groups] = field(default_factory=dict)
    gates: Counter[str] = field(default_factory=Counter)
    segments: Groups = field(default_factory=dict)
    submits: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    sent_by_second: Counter[int] = field(default_factory=Counter)
    replies: Counter[int] = field(default_factory=Counter)
    quarters: dict[str, Counter[int]] = field(default_factory=dict)
    last: float | None = None
    last_question: float | None = None
    cases: int = 0
    entries: int = 0
    breaches: list[Breach] = field(default_factory=list)


def of(court: Court) -> Tally:
    """What was counted of one day."""
    day = court.day
    tally = Tally(gates=day.gates, replies=day.replies, entries=court.entries)
    tally.cases, tally.breaches = len(court.ended), court.breaches
    tally.funnel = {
        ALL: _funnel(court, lambda _: ALL),
        "by_language": _funnel(court, lambda c: c.language or "unknown"),
        "by_network": _funnel(court, lambda c: c.home),
    }
    for network in day.networks.values():
        counted = network.counted
        tally.segments[network.name] = counted.segments
        tally.submits[network.name] = counted.submits
        tally.refused += counted.refused
        tally.sent_by_second.update(counted.by_second)
        tally.last = _later(tally.last, counted.last)
        tally.last_question = _later(tally.last_question, counted.last_question)
    tally.quarters = _quarters(court)
    return tally


def added(tallies: Iterable[Tally]) -> Tally:
    """Several shards as one."""
    whole = Tally()
    for one in tallies:
        for name, groups in one.funnel.items():
            _add(whole.funnel.setdefault(name, {}), groups)
        _add(whole.segments, one.segments)
        whole.gates.update(one.gates)
        whole.submits.update(one.submits)
        whole.refused += one.refused
        whole.sent_by_second.update(one.sent_by_second)
        whole.replies.update(one.replies)
        for series, counted in one.quarters.items():
            whole.quarters.setdefault(series, Counter()).update(counted)
        whole.last = _later(whole.last, one.last)
        whole.last_question = _later(whole.last_question, one.last_question)
        whole.cases += one.cases
        whole.entries += one.entries
        whole.breaches = list(_breaches([*whole.breaches, *one.breaches]))
    return whole


def _add(whole: Groups, more: Groups) -> None:
    for name, counted in more.items():
        whole.setdefault(name, Counter()).update(counted)


def _later(one: float | None, other: float | None) -> float | None:
    return max((t for t in (one, other) if t is not None), default=None)


def _breaches(found: Iterable[Breach]) -> Iterator[Breach]:
    """Those of one promise as one."""
    by_promise: dict[str, list[Breach]] = {}
    for one in found:
        by_promise.setdefault(one.promise, []).append(one)
    for promise, some in by_promise.items():
        citizens = sorted(c for one in some for c in one.citizens)[:EXAMPLES]
        yield Breach(promise, sum(one.times for one in some), tuple(citizens))


def _funnel(court: Court, group: Callable[[Citizen], str]) -> Groups:
    found: Groups = {}
    for citizen in court.day.citizens:
        counted = found.setdefault(group(citizen), Counter())
        counted["offered"] += 1
        counted["refused"] += citizen.gate is not None
        one = court.ended.get(citizen.number)
        if one is not None:
            counted.update(_steps(one))
    return found


def _steps(one: Ended) -> list[str]:
    """How far one offer came. `yes` and `no` are answers that counted; `unclear` wrote something,
    `silent` nothing that was an answer in time."""
    steps = ["made"]
    if one.sent_at is not None:
        steps.append("sent")
    if one.received_at is not None:
        steps.append("received")
        if one.state in ("accepted", "declined"):
            steps.append("yes" if one.state == "accepted" else "no")
        elif one.state == "expired":
            steps.append("unclear" if one.unclear else "silent")
    if one.state in OUTCOMES:
        steps.append(one.state)
    return steps


def _quarters(court: Court) -> dict[str, Counter[int]]:
    """What happened in every quarter of an hour since the start, by the ledger's own times."""
    times = court.day.times
    counted: dict[str, Counter[int]] = {name: Counter() for name in SERIES}
    for one in court.ended.values():
        is_answered = one.state in ("accepted", "declined")
        for name, at in (
            ("sent", one.sent_at),
            ("received", one.received_at),
            ("answered", one.closed_at if is_answered else None),
            ("expired", one.closed_at if one.state == "expired" else None),
        ):
            if at is not None:
                counted[name][int(times.seconds(at) // QUARTER_S)] += 1
    return counted
