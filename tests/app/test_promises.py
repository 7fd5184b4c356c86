"""Promise 1 to 5 under random orders of everything that can happen to one phone: replies, receipts,
time, outages, crashes, withdrawals. A model of the world says what must have come of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs

from app.clock import ManualClock
from app.exchange import Batch
from app.ledger.engine import Ledger, Tx
from app.proactive.actions.replying import HASTE
from app.proactive.records import Offer
from app.proactive.rules import OPEN, OUTCOMES, WINDOW, State
from app.runtime import Runtime
from smpp.messages import Inbound, ReceiptState, SubmitOutcome
from tests.app.journey import passed
from tests.app.journey_steps import Play
from tests.app.world import Mt, World
from tests.conftest import NOON

YES, NO = ("иә", "да", "1", "келісемін"), ("жоқ", "нет", "2", "бас тартамын")
UNCLEAR = ("ок", "да нет", "жарайды", "кто это?", "")
WORDS = st.sampled_from(YES * 2 + NO * 2 + UNCLEAR)
SERVICES = st.sampled_from(["birth-benefit", "childcare-benefit", "large-family-benefit"])
PAUSES = st.sampled_from(["1s", "31s", "20m", "12h", "23h"])
LENGTHS = {
    "1s": timedelta(seconds=1),
    "31s": timedelta(seconds=31),
    "20m": timedelta(minutes=20),
    "12h": timedelta(hours=12),
    "23h": timedelta(hours=23),
}
CLOSING = {
    State.ACCEPTED: "offer.accepted",
    State.DECLINED: "offer.declined",
    State.EXPIRED: "offer.expired",
}
EXAMPLES, STEPS = 140, 20


class Torn(Exception):
    """The process dies before the commit."""


class TornLedger(Ledger):
    """A ledger whose transaction never commits."""

    def __init__(self, real: Ledger) -> None:
        self.url, self.pool = real.url, real.pool

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        with super().begin() as tx:
            yield tx
            tx.wait()
            raise Torn


@dataclass(slots=True)
class Seen:
    """What the model remembers of one offer: its first outcome, and when its segments came."""

    outcome: State | None = None
    answered: State | None = None
    received: dict[str, datetime] = field(default_factory=dict)


class Promises(RuleBasedStateMachine):
    """One phone, two people, three services, one network."""

    rt: Runtime

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.rt, ManualClock(NOON))
        self.world.register("Айгүл", "kk")
        self.world.register("Данияр", None)
        self.seen: dict[UUID, Seen] = {}
        self.receipts: dict[str, datetime] = {}
        self.marked = NOON
        self.kept_words: list[tuple[datetime, str]] = []

    # --- what can happen ----------------------------------------------------------------------

    @initialize(service=SERVICES, pause=st.sampled_from(["", "31s", "20m"]))
    def someone_has_been_asked(self, service: str, pause: str) -> None:
        self.the_provider_offers(service, "Айгүл")
        self.arrive(LENGTHS.get(pause))

    @rule(service=SERVICES, name=st.sampled_from(["Айгүл", "Данияр"]))
    def the_provider_offers(self, service: str, name: str) -> None:
        made = self.world.offer(service, name)
        if isinstance(made, Offer):
            self.seen[made.id] = Seen()

    @rule(word=WORDS)
    def the_phone_writes(self, word: str) -> None:
        if not self.world.network.is_up:
            self.world.say(word)
            return
        message = self.world.mo(word)
        self.expecting_its_answer(message, lambda: self.world.hear([message]))

    @precondition(lambda self: self.world.last and self.world.network.is_up)
    @rule()
    def the_network_delivers_the_last_reply_again(self) -> None:
        before = self.states()
        self.world.deliver_again()
        assert self.answers(before) == []

    @precondition(lambda self: self.world.network.is_up)
    @rule(word=WORDS)
    def the_gateway_dies_before_the_commit(self, word: str) -> None:
        message = self.world.mo(word)
        whole, before = self.world.exchange, self.states()
        torn = replace(self.world.rt, ledger=TornLedger(self.world.rt.ledger))
        self.world.exchange = replace(whole, rt=torn)
        with pytest.raises(Torn):
            self.world.hear([message])
        self.world.exchange = whole
        assert self.states() == before
        self.world.die()
        again = self.world.mo(word)
        self.expecting_its_answer(again, lambda: self.world.hear([again]))

    @precondition(lambda self: self.world.network.is_up)
    @rule(word=WORDS)
    def the_gateway_dies_after_the_commit(self, word: str) -> None:
        message = self.world.mo(word)
        self.expecting_its_answer(message, lambda: self.commit_and_die(message))
        before = self.states()
        self.world.hear([self.world.mo(word)])
        assert self.answers(before) == []

    def commit_and_die(self, message: Inbound) -> None:
        batch = Batch(
            inbound=[self.world.came(message)],
            room={self.world.network.name: 100},
        )
        self.world.exchange.commit(batch)
        self.world.die()

    @rule()
    def the_gateway_is_killed(self) -> None:
        if self.world.network.is_up:
            self.world.die()

    @rule(data=st.data(), state=st.sampled_from(["DELIVRD"] * 6 + ["UNDELIV", "ACCEPTD"]))
    def a_receipt_comes(self, data: st.DataObject, state: str) -> None:
        sent = [mt for mt in self.world.mts if any(mt.ids)]
        if not sent or not self.world.network.is_up:
            return
        mt = data.draw(st.sampled_from(sent[-4:]))
        number = data.draw(st.integers(1, len(mt.ids)))
        came = self.world.receipts_of(mt, ReceiptState(state), [number])
        if ReceiptState(state) is ReceiptState.DELIVRD:
            self.receipts.setdefault(mt.ids[number - 1], self.world.clock())
        self.world.commit(Batch(receipts=came))

    @rule(pause=st.sampled_from(["", "", "31s"]))
    def the_latest_question_arrives(self, pause: str) -> None:
        self.arrive(LENGTHS.get(pause))

    def arrive(self, pause: timedelta | None) -> None:
        """The latest question's segments are received one by one, the last one first."""
        questions = [m for m in self.world.mts if m.message.kind == "offer.ask" and all(m.ids)]
        for number in reversed(range(len(questions[-1].ids) if questions else 0)):
            if not self.world.network.is_up:
                return
            self.receipts.setdefault(questions[-1].ids[number], self.world.clock())
            came = self.world.receipts_of(questions[-1], ReceiptState.DELIVRD, [number + 1])
            self.world.commit(Batch(receipts=came))
            if pause and number:
                self.pass_time(pause)

    @rule(pause=PAUSES)
    def time_passes(self, pause: str) -> None:
        self.pass_time(LENGTHS[pause])

    @rule(past=st.sampled_from([0, 0, 0, -1, 1]), word=st.sampled_from(YES + NO))
    def the_phone_writes_around_the_deadline(self, past: int, word: str) -> None:
        """A microsecond before it, at it, a microsecond after it; `pass_time` sweeps before."""
        ahead = [o.deadline for o in self.open() if o.deadline is not None]
        if ahead and min(ahead) > self.world.clock():
            self.pass_time(min(ahead) - self.world.clock() + timedelta(microseconds=past))
            self.the_phone_writes(word)

    @rule(word=WORDS)
    def the_network_is_down_over_the_deadline(self, word: str) -> None:
        ahead = [o.deadline for o in self.open() if o.deadline is not None]
        if ahead and min(ahead) > self.world.clock() and self.world.network.is_up:
            self.world.go_down()
            self.the_phone_writes(word)
            self.pass_time(min(ahead) - self.world.clock() + timedelta(minutes=1))
            self.the_network_comes_back()

    @rule(how=st.sampled_from([SubmitOutcome.ACCEPTED, SubmitOutcome.UNKNOWN, None]))
    def the_network_responds(self, how: SubmitOutcome | None) -> None:
        if self.world.network.is_up:
            self.world.answer_late()
            self.world.network.answers = how

    @rule()
    def the_network_goes_down(self) -> None:
        if self.world.network.is_up:
            self.world.go_down()

    @rule()
    def the_network_comes_back(self) -> None:
        if not self.world.network.is_up:
            kept, self.world.waiting = self.world.waiting, []
            self.world.come_back()
            for message in kept:
                late = structs.replace(message, received_at=self.world.clock())
                self.expecting_its_answer(late, lambda one=late: self.world.hear([one]))

    @rule(data=st.data(), really=st.integers(0, 2))
    def the_provider_withdraws(self, data: st.DataObject, really: int) -> None:
        found = self.open()
        if found and not really:
            self.world.withdraw(data.draw(st.sampled_from(found)).id)

    # --- what must have come of it --------------------------------------------------------------

    def pass_time(self, by: timedelta) -> None:
        self.world.pass_time(by)
        if self.world.network.is_up:
            self.marked = self.world.clock()

    def offers(self) -> list[Offer]:
        return [self.world.look(i) for i in self.seen]

    def open(self) -> list[Offer]:
        return [o for o in self.offers() if o.state in OPEN]

    def states(self) -> dict[UUID, State]:
        return {o.id: o.state for o in self.offers()}

    def answers(self, before: dict[UUID, State]) -> list[State]:
        """What was answered since `before`."""
        now = self.states()
        plain = (State.ACCEPTED, State.DECLINED)
        return [now[i] for i in now if now[i] != before[i] and now[i] in plain]

    def answered_lately(self) -> bool:
        since = self.world.clock() - HASTE
        ended = [o.closed_at for o in self.offers() if o.answered_by is not None]
        return any(at is not None and at >= since for at in ended)

    def expecting_its_answer(self, message: Inbound, hear: object) -> None:
        """A plain answer in time answers the one question that was asked, and nothing else does.
        The same word to another question over another connection may be a redelivery, and one
        shortly after another answer, to what no receipt proves to be there, its repetition."""
        asked = [o for o in self.open() if o.state is not State.MADE]
        assert len(asked) <= 1
        before, copies = self.states(), self.world.heard().count("redelivered")
        is_hasty = bool(asked) and asked[0].state is State.SENT and self.answered_lately()
        hear()  # type: ignore[operator]
        answers = self.answers(before)
        expected = plain(message.text)
        in_time = asked and (
            asked[0].deadline is None
            or message.received_at <= asked[0].deadline
            or not self.world.drained
        )
        if expected is None or not in_time or is_hasty:
            assert answers == []
        elif self.world.heard().count("redelivered") == copies:
            assert answers == [expected]
            assert self.world.look(asked[0].id).state is expected
        else:
            assert answers == []

    @invariant()
    def an_outcome_stays(self) -> None:
        for offer in self.offers():
            seen = self.seen[offer.id]
            if seen.outcome is None and offer.state in OUTCOMES:
                seen.outcome = offer.state
            if seen.outcome is not None:
                assert offer.state is seen.outcome

    @invariant()
    def nothing_lapses_early_or_while_the_network_is_held(self) -> None:
        for offer in self.offers():
            if offer.state is State.EXPIRED:
                assert offer.deadline is not None and offer.closed_at is not None
                assert offer.deadline < offer.closed_at <= self.marked

    @invariant()
    def the_window_opens_with_the_last_segment(self) -> None:
        for offer in self.offers():
            if offer.state in (State.AWAITING, State.EXPIRED):
                proofs = self.whole_receipts(offer.id) + self.replies(offer.id)
                assert offer.received_at in proofs
                assert offer.deadline == offer.received_at + WINDOW

    def whole_receipts(self, offer_id: UUID) -> list[datetime]:
        """When each copy of the question was received in whole."""
        copies = [m for m in self.world.mts if is_question(m, offer_id)]
        return [
            max(self.receipts[i] for i in mt.ids)
            for mt in copies
            if all(i in self.receipts for i in mt.ids)
        ]

    def replies(self, offer_id: UUID) -> list[datetime]:
        """When words reached us that answered the question without deciding it."""
        entries = self.world.journal(offer_id)
        facts = [json.loads(e.body)["facts"] for e in entries if e.kind.startswith("heard-")]
        return [datetime.fromisoformat(f["received_at"]) for f in facts]

    def teardown(self) -> None:
        try:
            for offer in self.offers():
                self.check_case(offer)
            self.check_repeats()
        finally:
            super().teardown()

    def check_case(self, offer: Offer) -> None:
        """One hand-over, one closing message, a journal that holds and tells the same."""
        passed(Play(self.world), offer)
        outcomes = [f"offer.{offer.state}"] if offer.state in OUTCOMES else []
        assert self.world.events(offer.id) == outcomes
        kinds = self.world.outbox(offer.id)
        assert sum(kinds.count(kind) for kind in CLOSING.values()) == (offer.state in CLOSING)
        if offer.state in CLOSING:
            assert kinds.count(CLOSING[offer.state]) == 1

    def check_repeats(self) -> None:
        """Nothing leaves twice unless the journal of its case says so."""
        times: dict[UUID, int] = {}
        for mt in self.world.mts:
            times[mt.message.id] = times.get(mt.message.id, 0) + 1
        for mt in self.world.mts:
            if times[mt.message.id] > 1 and mt.message.case_id is not None:
                kinds = [e.kind for e in self.world.journal(mt.message.case_id)]
                assert kinds.count("message-sent-again") >= times[mt.message.id] - 1


def plain(words: str | None) -> State | None:
    if words in YES:
        return State.ACCEPTED
    return State.DECLINED if words in NO else None


def is_question(mt: Mt, offer_id: UUID) -> bool:
    return mt.message.case_id == offer_id and mt.message.kind == "offer.ask"


def test_whatever_happens_in_whatever_order_the_promises_hold(rt: Runtime) -> None:
    Promises.rt = rt
    run_state_machine_as_test(
        Promises,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.generate],  # shrinking takes minutes, and thirty steps can be read
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
