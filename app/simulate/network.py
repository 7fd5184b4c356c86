"""One simulated network: takes messages at its pace, answers, delivers, reports, or does not."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from random import Random

from app.ledger.outbox import Message
from app.simulate.campaign import NetworkPlan
from app.simulate.events import Agenda, What
from app.simulate.people import Citizen
from app.simulate.times import Times, ceil_minute, drawn
from smpp import text
from smpp.messages import (
    Acknowledgement,
    Inbound,
    Receipt,
    ReceiptState,
    SubmitOutcome,
    SubmitResult,
    Ussd,
    segment_reference,
)
from smpp.statuses import OUTCOMES

OK, THROTTLED, NO_SUCH_PHONE = 0x00, 0x58, 0x0B  # SMPP 3.4, 5.1.3
DELIVER_SM = 5
UCS2, ASCII = 8, 1
SHORT_NUMBER = "1414"
QUESTION = "offer.ask"
UNKNOWN_PHONE, ABSENT = "001", "027"  # of the mobile core
HELD_S = 20.0  # after an outage a network hands over what it kept within so long
BETWEEN_S = 0.4  # seconds between two segments on a handset


@dataclass(frozen=True, slots=True)
class Mo:
    """Something a citizen sent, handed over by their network. `meaning` is known to them alone."""

    citizen: Citizen
    words: str
    meaning: str
    at: float
    ussd: Ussd | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """A whole message on a handset."""

    citizen: Citizen
    kind: str


@dataclass(slots=True)
class Delivery:
    """Of a question: the segments of which no receipt has been handed over yet."""

    to: Citizen
    left: set[str]


@dataclass(frozen=True, slots=True)
class Report:
    """A receipt of one segment; `of` is known where it may prove that a question was received."""

    receipt: Receipt
    of: Delivery | None


@dataclass(slots=True)
class Counted:
    """What a network took: accepted segments by kind of message, and when it was submitted to."""

    segments: Counter[str] = field(default_factory=Counter)
    by_second: Counter[int] = field(default_factory=Counter)
    submits: int = 0
    refused: int = 0
    last_question: float | None = None
    last: float | None = None


@dataclass(slots=True)
class Network:
    """A network and the link to it. `free_at` is when the link has sent what it holds."""

    plan: NetworkPlan
    times: Times
    agenda: Agenda
    chance: Random
    rate: float  # segments a second
    free_at: float = 0.0
    is_up: bool = False
    up_since: float = 0.0
    connection: int = 0
    ids: int = 0
    mean: float = 2.0  # segments a message
    most: int = 4
    counted: Counted = field(default_factory=Counted)
    questions: list[tuple[float, int]] = field(default_factory=list)  # submitted at, to whom

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def cid(self) -> str:
        return f"{self.plan.name}-1"

    def room(self, now: float, until: float, *, strictly: bool) -> int:
        """How many messages the link would send from now until then, `strictly` none too many."""
        if not self.is_up:
            return 0
        seconds = until - max(now, self.free_at)
        return max(0, int(seconds * self.rate / (self.most if strictly else self.mean)))

    def submit(self, message: Message, to: Citizen, now: float, *, is_question: bool) -> None:
        """The link sends a message, segment by segment; what follows is planned."""
        total = segments_of(message.body)
        self.mean += (total - self.mean) * 0.01
        self.most = max(self.most, total)
        first = max(now, self.free_at) + 1 / self.rate
        last = first + (total - 1) / self.rate
        away = self.times.next_outage(self.name, first)
        if away is not None and away.start <= last:
            self.agenda.add(max(now, away.start), What.UNSENT, message.id)
            return
        self.free_at = last
        if is_question:
            self.questions.append((first, to.number))
            self.counted.last_question = last
        self._note(message, first, last, total)
        answered = last + drawn(self.plan.response, self.chance)
        if away is not None and away.start <= answered:
            self._leave_open(message, to, last, total, away.start)
        elif self.chance.random() < self.plan.throttled:
            self._answer(message, total, answered, THROTTLED)
        elif to.home != self.name:
            self._not_mine(message, to, last, total, answered)
        else:
            self._take(message, to, last, total, answered)

    def _note(self, message: Message, first: float, last: float, total: int) -> None:
        self.counted.submits += total
        self.counted.last = last
        step = (last - first) / max(1, total - 1)
        for number in range(total):
            self.counted.by_second[int(first + number * step)] += 1

    def _leave_open(
        self, message: Message, to: Citizen, sent: float, total: int, lost_at: float
    ) -> None:
        """The link is lost before the response: whether the network has it, nobody knows."""
        has_it = self.chance.random() < 0.5 and to.home == self.name
        if has_it:
            self._deliver(message, to, sent, total, self._ids(total), sent)
        self._answer(message, total, lost_at, None)

    def _not_mine(
        self, message: Message, to: Citizen, sent: float, total: int, answered: float
    ) -> None:
        """The number has been ported: some networks say so at once, others by a receipt."""
        if self.chance.random() < 0.5:
            self._answer(message, total, answered, NO_SUCH_PHONE)
            return
        ids = self._ids(total)
        self._answer(message, total, answered, OK, ids)
        at = answered + drawn(self.plan.receipt, self.chance)
        for one in ids:
            self._report(message, one, ReceiptState.UNDELIV, UNKNOWN_PHONE, at, at)

    def _take(
        self, message: Message, to: Citizen, sent: float, total: int, answered: float
    ) -> None:
        ids = self._ids(total)
        if self.chance.random() < self.plan.early_receipts:
            arrives = sent + 0.05
            answered = max(answered, arrives + 2.0)
        else:
            arrives = answered + drawn(self.plan.receipt, self.chance)
        self._answer(message, total, answered, OK, ids)
        self._deliver(message, to, arrives, total, ids, sent)

    def _deliver(
        self, message: Message, to: Citizen, arrives: float, total: int, ids: list[str], sent: float
    ) -> None:
        """The last segment arrives at `arrives`, or not at all."""
        plan, fate = self.plan, self.chance.random()
        if fate < plan.undelivered:
            for one in ids:
                self._report(message, one, ReceiptState.UNDELIV, ABSENT, arrives, arrives)
            return
        missing: set[int] = set()
        if fate < plan.undelivered + plan.lost:
            some = total > 1 and self.chance.random() < 0.5
            missing = {self.chance.randrange(total)} if some else set(range(total))
        else:
            self.agenda.add(arrives, What.HANDSET, Arrived(to, message.kind))
            if fate < plan.undelivered + plan.lost + plan.no_receipt:
                return
        late = self.chance.random() < plan.late_receipts
        of = Delivery(to, set(ids)) if message.kind == QUESTION else None
        for number, one in enumerate(ids):
            if number in missing:
                continue
            there = max(sent, arrives - BETWEEN_S * (total - 1 - number))
            told = there + 0.05 + self.chance.random()
            told += drawn(plan.late_by, self.chance) if late else 0.0
            self._report(message, one, ReceiptState.DELIVRD, "000", there, told, of)

    # --- what the link hears ------------------------------------------------------------------

    def _ids(self, total: int) -> list[str]:
        self.ids += total
        return [f"{self.name}{self.ids - n:x}" for n in reversed(range(total))]

    def _answer(
        self,
        message: Message,
        total: int,
        at: float,
        status: int | None,
        ids: list[str] | None = None,
    ) -> None:
        outcome = SubmitOutcome.UNKNOWN if status is None else OUTCOMES[status]
        if outcome is SubmitOutcome.ACCEPTED:
            self.counted.segments[message.kind] += total
        else:
            self.counted.refused += total
        when, base = self.times.when(at), message.umr or 0
        results = [
            SubmitResult(
                self.cid, self.name, str(message.id), number, total, status or 0,
                ids[number - 1] if ids else "", outcome, when, message.phone,
                segment_reference(base, number),
            )
            for number in range(1, total + 1)
        ]  # fmt: skip
        self.agenda.add(at, What.RESULTS, results)

    def _report(
        self, message: Message, smsc_id: str, state: ReceiptState, error: str,
        there: float, told: float, of: Delivery | None = None,
    ) -> None:  # fmt: skip
        told = self.held(told)
        arrives = self.times.when(told)
        done: datetime | None = None
        if self.plan.done_dates:
            done = min(ceil_minute(self.times.when(there)), arrives)
        receipt = Receipt(
            self.cid, self.name, message.phone, (smsc_id,), state, error, done, arrives,
            self.acknowledgement(),
        )  # fmt: skip
        self.agenda.add(told, What.RECEIPT, Report(receipt, of))
        if self.chance.random() < self.plan.duplicate_receipts:
            again = self.held(told + 1.0 + 30.0 * self.chance.random())
            twin = Receipt(
                self.cid, self.name, message.phone, (smsc_id,), state, error, done,
                self.times.when(again), self.acknowledgement(),
            )  # fmt: skip
            self.agenda.add(again, What.RECEIPT, Report(twin, None))

    def held(self, t: float) -> float:
        """`t`, or soon after the outage that it lies in."""
        away = self.times.outage(self.name, t)
        return t if away is None else away.end + 0.5 + HELD_S * self.chance.random()

    def write(self, citizen: Citizen, words: str, meaning: str, at: float) -> None:
        """A citizen sends an SMS at `at`."""
        there = self.held(at + drawn(self.plan.reply, self.chance))
        self.agenda.add(there, What.MO, Mo(citizen, words, meaning, there))

    def press(self, citizen: Citizen, words: str, meaning: str, at: float, ussd: Ussd) -> None:
        """A citizen dials or presses a key ; while the network is away nothing comes of it."""
        there = at + 0.2
        if self.times.outage(self.name, there) is None:
            self.agenda.add(there, What.MO, Mo(citizen, words, meaning, there, ussd))

    def inbound(self, mo: Mo) -> Inbound:
        """What the link makes of it."""
        if mo.ussd is not None:
            raw, coding = mo.words.encode("ascii"), ASCII
        else:
            raw, coding = mo.words.encode("utf-16-be"), UCS2
        return Inbound(
            self.cid, self.name, mo.citizen.phone, SHORT_NUMBER, mo.words, raw, coding,
            self.times.when(mo.at), self.acknowledgement(), ussd=mo.ussd,
            user_message_reference=mo.citizen.session if mo.ussd is not None else None,
        )  # fmt: skip

    def acknowledgement(self) -> Acknowledgement:
        return Acknowledgement(self.cid, self.connection, 1, DELIVER_SM)

    def is_drained(self, t: float, grace: float) -> bool:
        """Up for as long as what was stuck needs to come."""
        return self.is_up and t >= self.up_since + grace


@lru_cache(maxsize=1024)
def segments_of(body: str) -> int:
    """How many segments a text takes."""
    return text.count(body, "udh16").segments
