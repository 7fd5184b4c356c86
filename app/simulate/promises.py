"""The promises of DESIGN.md, held against a day that was lived: what the ledger says of every case
is compared with what the simulation knows to be true of every citizen."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from app.ledger import auditing, journal
from app.proactive.rules import OUTCOMES
from app.simulate import records
from app.simulate.day import Day
from app.simulate.people import Citizen
from app.simulate.records import Ended
from app.simulate.times import WINDOW_S

ENDINGS: Final = (
    "yes", "no", "stopped", "wrong_person", "lapsed", "not-delivered", "gate-failed",
    "consent-revoked", "withdrawn",
)  # fmt: skip
CLOSINGS: Final = ("offer.accepted", "offer.declined", "offer.expired", "common.stopped")
EVENTS: Final = tuple(f"offer.{state}" for state in OUTCOMES)
WORDS: Final = {
    "one-outcome": "an offer ends exactly once",
    "lapse": "no lapse without a receipt, nor earlier than 24 hours after the last segment's",
    "undelivered": "no offer is undelivered whose last segment was received",
    "outage": "nothing lapses while its network is away or has only just come back",
    "heard": "every answer that a network handed over is kept",
    "consent": "who said yes in time is accepted, who said no is declined, and nobody else is",
    "language": "everybody is asked in their own language, and in both where none is known",
    "closing": "one closing message to whom one is owed, none to others",
    "hand-over": "one event of its outcome to the provider",
    "hours": "no offer leaves in quiet hours, nor while its network is known to be away",
    "gates": "the gates refuse whom they must, and nobody else",
    "journal": "every case's chain holds, and ends where its own row does",
}
EXAMPLES: Final = 5
TOLD_EVERY: Final = 1_000
EPSILON_S: Final = 0.002


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise that was broken: how often, and of which citizens, by number, the first few."""

    promise: str
    times: int
    citizens: tuple[int, ...]

    def __str__(self) -> str:
        who = ", ".join(map(str, self.citizens))
        return (
            f"{self.promise}: {WORDS[self.promise]}: broken {self.times} times, by citizens {who}"
        )


@dataclass(slots=True)
class Court:
    """Gathers breaches, and what each case ended as."""

    day: Day
    times: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[int]] = field(default_factory=dict)
    ended: dict[int, Ended] = field(default_factory=dict)  # by the citizen's number
    entries: int = 0

    def breaks(self, promise: str, citizen: int) -> None:
        """Notes a breach; of a citizen and a promise each once."""
        some = self.examples.setdefault(promise, [])
        if citizen in some:
            return
        self.times[promise] += 1
        if len(some) < EXAMPLES:
            some.append(citizen)

    @property
    def breaches(self) -> list[Breach]:
        return [Breach(p, self.times[p], tuple(self.examples[p])) for p in WORDS if self.times[p]]


def hold(day: Day) -> Court:
    """Holds every promise against the whole day."""
    court = Court(day)
    _hours(court)
    _gates(court)
    _languages(court)
    by_offer = {c.offer: c for c in day.citizens if c.offer is not None}
    with day.rt.ledger.begin() as tx:
        heard = records.heard(tx)
        seen: set[int] = set()
        for one in records.ended(tx, ENDINGS, CLOSINGS, EVENTS):
            citizen = by_offer.get(one.id)
            if citizen is None:
                court.breaks("gates", -1)
                continue
            seen.add(citizen.number)
            if len(seen) % TOLD_EVERY == 0:
                day.progress("holding the promises", len(seen), 2 * len(by_offer))
            court.ended[citizen.number] = one
            for promise in _judge(day, citizen, one, heard):
                court.breaks(promise, citizen.number)
    for citizen in by_offer.values():
        if citizen.number not in seen:
            court.breaks("one-outcome", citizen.number)
    _journal(court, by_offer)
    return court


def _judge(day: Day, citizen: Citizen, one: Ended, heard: dict[bytes, int]) -> Iterator[str]:
    if one.state not in OUTCOMES or one.endings != 1 or one.closed_at is None:
        yield "one-outcome"
        return
    if one.outcomes != (f"offer.{one.state}",):
        yield "hand-over"
    if one.closings != _owed(one):
        yield "closing"
    if one.state == "expired":
        yield from _lapse(day, citizen, one)
    if one.state == "undelivered" and _was_received(day, citizen, one):
        yield "undelivered"
    if not _is_right(day, citizen, one):
        yield "consent"
    by_sms = sum(not meaning.startswith("ussd-") for _, meaning in citizen.said)
    index = day.rt.vault.index("phone", citizen.phone) if by_sms else b""
    if one.kept + heard.get(index, 0) < by_sms:
        yield "heard"


def _owed(one: Ended) -> int:
    """Closing messages: none by SMS after an answer on the handset's screen, none where nothing
    was ever proved to have arrived."""
    if one.state == "expired":
        return 1
    return int(one.state in ("accepted", "declined") and one.answered_by == "sms")


def _lapse(day: Day, citizen: Citizen, one: Ended) -> Iterator[str]:
    assert one.closed_at is not None
    closed = day.times.seconds(one.closed_at)
    told = min((t for t, _ in citizen.said), default=None)
    known = [t for t in (citizen.proved_at, told) if t is not None]
    proofs = [t for t in known if day.times.when(t) <= one.closed_at]
    since = citizen.asked_at
    is_early = since is None or closed + EPSILON_S < since + WINDOW_S
    if not proofs or one.deadline is None or one.closed_at < one.deadline or is_early:
        yield "lapse"
    grace = day.campaign.drain_grace
    away = day.times.away.get(one.network or "", [])
    if any(a.start <= closed < a.end + grace for a in away):
        yield "outage"


MEANS: Final = {
    "yes": "accepted", "no": "declined", "stop": "declined", "stranger": "undelivered",
    "ussd-yes": "accepted", "ussd-no": "declined",
}  # fmt: skip


def _is_right(day: Day, citizen: Citizen, one: Ended) -> bool:
    """Whether the outcome is what the citizen's own words, in time, call for."""
    assert one.closed_at is not None
    said = [(day.times.when(t), MEANS[m]) for t, m in citizen.said if m in MEANS]
    answers = {state for _, state in said}
    if one.state in ("accepted", "declined"):
        return bool(said) and said[0][1] == one.state
    if one.state == "expired":
        deadline = one.deadline or one.closed_at
        away = _away_at(day, citizen, deadline)
        return not any(at <= deadline or at <= away for at, _ in said)
    # Undelivered, or stopped at a gate: nobody's answer was lost by it.
    return "undelivered" in answers or not any(at <= one.closed_at for at, _ in said)


def _was_received(day: Day, citizen: Citizen, one: Ended) -> bool:
    """Whether we had been told so; who says that the number is not theirs has received it for
    somebody else."""
    assert one.closed_at is not None
    if any(meaning == "stranger" for _, meaning in citizen.said):
        return False
    return citizen.proved_at is not None and day.times.when(citizen.proved_at) <= one.closed_at


def _away_at(day: Day, citizen: Citizen, deadline: datetime) -> datetime:
    """Up to when an answer counts that was stuck while the network was away at the deadline; the
    deadline itself where it was not."""
    away = day.times.outage(citizen.home, day.times.seconds(deadline))
    return deadline if away is None else day.times.when(away.end + day.campaign.drain_grace)


def _languages(court: Court) -> None:
    for citizen in court.day.citizens:
        if citizen.asked_in not in ("", citizen.language or "kkru"):
            court.breaks("language", citizen.number)


def _hours(court: Court) -> None:
    """Every question's first octet is looked at where the network got it."""
    times = court.day.times
    for network in court.day.networks.values():
        for t, number in network.questions:
            if times.is_quiet(times.when(t)) or times.outage(network.name, t) is not None:
                court.breaks("hours", number)


def _gates(court: Court) -> None:
    for citizen in court.day.citizens:
        if citizen.gate != citizen.fails:
            court.breaks("gates", citizen.number)


def _journal(court: Court, by_offer: Mapping[UUID, Citizen]) -> None:
    """Every chain is recomputed, and every case's own row is compared with its end."""
    rt = court.day.rt
    with rt.ledger.begin() as tx:
        for case, entries in enumerate(journal.every_case(tx), start=1):
            court.entries += len(entries)
            if case % TOLD_EVERY == 0:
                court.day.progress(
                    "recomputing the chains", len(by_offer) + case, 2 * len(by_offer)
                )
            if journal.verify(entries):
                court.breaks("journal", _number(by_offer, entries[0].case_id))
        for _, row in auditing.heads(tx, None):
            court.breaks("journal", _number(by_offer, row.id))


def _number(by_offer: Mapping[UUID, Citizen], case_id: UUID) -> int:
    """The citizen of a case; -1 where it is nobody's."""
    citizen = by_offer.get(case_id)
    return -1 if citizen is None else citizen.number
