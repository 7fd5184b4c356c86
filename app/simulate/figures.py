"""What a campaign will be like, in figures: segments, money, time on the binds, peaks, the funnel.
Only what the seed decides is in them: no id and no second of the wall."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from app.proactive.rules import OUTCOMES
from app.simulate.day import Day
from app.simulate.network import QUESTION
from app.simulate.people import Citizen
from app.simulate.promises import WORDS, Court
from app.simulate.records import Ended
from app.simulate.times import Times

QUARTER_S: Final = 900
CENTS: Final = 2
STEPS: Final = (
    "offered", "refused", "made", "sent", "received", "yes", "no", "unclear", "silent",
    "accepted", "declined", "expired", "undelivered", "withdrawn",
)  # fmt: skip
SERIES: Final = ("sent", "received", "answered", "expired")

Figures = dict[str, Any]


def figures(court: Court) -> Figures:
    """Everything, ready for JSON."""
    day = court.day
    return {
        "campaign": day.campaign.name,
        "service": day.campaign.service,
        "citizens": day.campaign.citizens,
        "seed": day.campaign.seed,
        "starts_at": _moment(day.times, 0.0),
        "promises": _promises(court),
        "funnel": {
            "all": _funnel(court, lambda _: "all")["all"],
            "by_language": _funnel(court, lambda c: c.language or "unknown"),
            "by_network": _funnel(court, lambda c: c.home),
        },
        "gates": dict(sorted(day.gates.items())),
        "segments": _segments(day),
        "cost": _cost(day),
        "binds": _binds(day),
        "last_offer_at": _last(day, questions=True),
        "last_message_at": _last(day, questions=False),
        "peaks": _peaks(day),
        "quarters": _quarters(court),
    }


def _promises(court: Court) -> Figures:
    return {
        "kept": not court.breaches,
        "held": list(WORDS),
        "cases": len(court.ended),
        "entries": court.entries,
        "breaches": [
            {"promise": b.promise, "words": WORDS[b.promise], "times": b.times,
             "citizens": list(b.citizens)}
            for b in court.breaches
        ],
    }  # fmt: skip


def _funnel(court: Court, group: Callable[[Citizen], str]) -> Figures:
    found: dict[str, Counter[str]] = {}
    for citizen in court.day.citizens:
        counted = found.setdefault(group(citizen), Counter())
        counted["offered"] += 1
        counted["refused"] += citizen.gate is not None
        one = court.ended.get(citizen.number)
        if one is not None:
            counted.update(_steps(citizen, one))
    return {name: {step: found[name][step] for step in STEPS} for name in sorted(found)}


def _steps(citizen: Citizen, one: Ended) -> list[str]:
    """How far one offer came. `yes` and `no` are answers that counted; `unclear` wrote something,
    `silent` nothing that was an answer in time."""
    steps = ["made"]
    if one.sent_at is not None:
        steps.append("sent")
    if one.received_at is not None:
        steps.append("received")
        is_answered = one.state in ("accepted", "declined")
        if is_answered:
            steps.append("yes" if one.state == "accepted" else "no")
        elif one.state == "expired":
            steps.append("unclear" if one.unclear else "silent")
    if one.state in OUTCOMES:
        steps.append(one.state)
    return steps


def _segments(day: Day) -> Figures:
    by_network = {n.name: sum(n.counted.segments.values()) for n in day.networks.values()}
    by_kind: Counter[str] = Counter()
    for network in day.networks.values():
        by_kind.update(network.counted.segments)
    return {
        "total": sum(by_network.values()),
        "questions": by_kind[QUESTION],
        "others": sum(by_kind.values()) - by_kind[QUESTION],
        "by_network": by_network,
        "by_wording": dict(sorted(by_kind.items())),
        "refused": sum(n.counted.refused for n in day.networks.values()),
    }


def _cost(day: Day) -> Figures:
    """In tenge: what a network accepted is what it charges for."""
    by_network = {
        n.name: round(sum(n.counted.segments.values()) * n.plan.price, CENTS)
        for n in day.networks.values()
    }
    total = round(sum(by_network.values()), CENTS)
    per_offer = round(total / len(day.citizens), CENTS)
    return {"total": total, "by_network": by_network, "per_citizen": per_offer}


def _binds(day: Day) -> Figures:
    """Hours that binds are busy sending, and how fast all binds of a network are together."""
    return {
        n.name: {
            "binds": n.plan.binds,
            "segments_per_second": round(n.plan.rate, 3),
            "busy_hours": round(n.counted.submits / n.plan.rate / 3600, 3),
            "bind_hours": round(n.counted.submits / n.plan.rate / 3600 * n.plan.binds, 3),
        }
        for n in day.networks.values()
    }


def _last(day: Day, *, questions: bool) -> str | None:
    times = [
        n.counted.last_question if questions else n.counted.last for n in day.networks.values()
    ]
    known = [t for t in times if t is not None]
    return _moment(day.times, max(known)) if known else None


def _peaks(day: Day) -> Figures:
    submits: Counter[int] = Counter()
    for network in day.networks.values():
        submits.update(network.counted.by_second)
    minutes: Counter[int] = Counter()
    for second, count in day.replies.items():
        minutes[second // 60] += count
    return {
        "replies_per_second": _peak(day.times, day.replies, 1),
        "replies_per_minute": _peak(day.times, minutes, 60),
        "segments_per_second": _peak(day.times, submits, 1),
    }


def _peak(times: Times, counted: Mapping[int, int], width: int) -> Figures:
    """The most in one second or minute, and when that was first."""
    if not counted:
        return {"most": 0, "at": None}
    at, most = min(counted.items(), key=lambda one: (-one[1], one[0]))
    return {"most": most, "at": _moment(times, at * width)}


def _quarters(court: Court) -> list[Figures]:
    """What happened in every quarter of an hour from the first to the last in which anything
    did, by the ledger's own times."""
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
    whole = sorted({q for series in counted.values() for q in series})
    if not whole:
        return []
    return [
        {"from": _moment(times, q * QUARTER_S), **{n: counted[n][q] for n in SERIES}}
        for q in range(whole[0], whole[-1] + 1)
    ]


def _moment(times: Times, t: float) -> str:
    return f"{times.when(t):%Y-%m-%dT%H:%M:%SZ}"
