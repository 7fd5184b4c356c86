"""What a campaign will be like, in figures: segments, money, time on the binds, peaks, the funnel.
Only what the seed decides is in them: no id and no second of the wall."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from app.simulate.campaign import Campaign
from app.simulate.network import QUESTION
from app.simulate.promises import WORDS
from app.simulate.tally import ALL, QUARTER_S, SERIES, Groups, Tally
from app.simulate.times import Times

CENTS: Final = 2
STEPS: Final = (
    "offered", "refused", "made", "sent", "received", "yes", "no", "unclear", "silent",
    "accepted", "declined", "expired", "undelivered", "withdrawn",
)  # fmt: skip

Figures = dict[str, Any]


def figures(campaign: Campaign, tally: Tally) -> Figures:
    """Everything, ready for JSON."""
    times = Times(campaign)
    return {
        "campaign": campaign.name,
        "service": campaign.service,
        "citizens": campaign.citizens,
        "seed": campaign.seed,
        "starts_at": _moment(times, 0.0),
        "promises": _promises(tally),
        "funnel": {
            ALL: _funnel(tally.funnel[ALL])[ALL],
            "by_language": _funnel(tally.funnel["by_language"]),
            "by_network": _funnel(tally.funnel["by_network"]),
        },
        "gates": dict(sorted(tally.gates.items())),
        "segments": _segments(campaign, tally),
        "cost": _cost(campaign, tally),
        "binds": _binds(campaign, tally),
        "last_offer_at": _moment(times, tally.last_question),
        "last_message_at": _moment(times, tally.last),
        "peaks": _peaks(times, tally),
        "quarters": _quarters(times, tally),
    }


def _promises(tally: Tally) -> Figures:
    return {
        "kept": not tally.breaches,
        "held": list(WORDS),
        "cases": tally.cases,
        "entries": tally.entries,
        "breaches": [
            {
                "promise": b.promise,
                "words": WORDS[b.promise],
                "times": b.times,
                "citizens": list(b.citizens),
            }
            for b in tally.breaches
        ],
    }


def _funnel(groups: Groups) -> Figures:
    return {name: {step: groups[name][step] for step in STEPS} for name in sorted(groups)}


def _segments(campaign: Campaign, tally: Tally) -> Figures:
    by_network = {n.name: sum(tally.segments[n.name].values()) for n in campaign.networks}
    by_kind: Counter[str] = Counter()
    for counted in tally.segments.values():
        by_kind.update(counted)
    total = sum(by_network.values())
    return {
        "total": total,
        "questions": by_kind[QUESTION],
        "others": total - by_kind[QUESTION],
        "by_network": by_network,
        "by_wording": dict(sorted(by_kind.items())),
        "refused": tally.refused,
    }


def _cost(campaign: Campaign, tally: Tally) -> Figures:
    """In tenge: what a network accepted is what it charges for."""
    by_network = {
        n.name: round(sum(tally.segments[n.name].values()) * n.price, CENTS)
        for n in campaign.networks
    }
    total = round(sum(by_network.values()), CENTS)
    per_citizen = round(total / campaign.citizens, CENTS)
    return {"total": total, "by_network": by_network, "per_citizen": per_citizen}


def _binds(campaign: Campaign, tally: Tally) -> Figures:
    """Hours that binds are busy sending, and how fast all binds of a network are together."""
    return {
        n.name: {
            "binds": n.binds,
            "segments_per_second": round(n.rate, 3),
            "busy_hours": round(tally.submits[n.name] / n.rate / 3600, 3),
            "bind_hours": round(tally.submits[n.name] / n.rate / 3600 * n.binds, 3),
        }
        for n in campaign.networks
    }


def _peaks(times: Times, tally: Tally) -> Figures:
    minutes: Counter[int] = Counter()
    for second, count in tally.replies.items():
        minutes[second // 60] += count
    return {
        "replies_per_second": _peak(times, tally.replies, 1),
        "replies_per_minute": _peak(times, minutes, 60),
        "segments_per_second": _peak(times, tally.sent_by_second, 1),
    }


def _peak(times: Times, counted: Mapping[int, int], width: int) -> Figures:
    """The most in one second or minute, and when that was first."""
    if not counted:
        return {"most": 0, "at": None}
    at, most = min(counted.items(), key=lambda one: (-one[1], one[0]))
    return {"most": most, "at": _moment(times, at * width)}


def _quarters(times: Times, tally: Tally) -> list[Figures]:
    """Every quarter of an hour from the first to the last in which anything happened."""
    whole = sorted({q for series in tally.quarters.values() for q in series})
    if not whole:
        return []
    return [
        {
            "from": _moment(times, q * QUARTER_S),
            **{name: tally.quarters[name][q] for name in SERIES},
        }
        for q in range(whole[0], whole[-1] + 1)
    ]


def _moment(times: Times, t: float | None) -> str | None:
    return None if t is None else f"{times.when(t):%Y-%m-%dT%H:%M:%SZ}"
