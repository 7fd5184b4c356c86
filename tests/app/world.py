"""A small world around one Exchange for the journeys and the promises: a register, a provider, a
network that hands out ids and receipts, one phone. It fakes no code of the house."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import msgspec
from msgspec import structs

from app import rooms
from app.clock import ManualClock
from app.conversation.turns import Came
from app.exchange import Batch, Exchange, Routes
from app.exchange.routes import Route
from app.ledger import journal
from app.ledger.engine import sql
from app.ledger.journal import Entry
from app.ledger.outbox import Message
from app.proactive.actions import offering, providing
from app.proactive.actions.offering import Made
from app.proactive.records import Offer, one
from app.recipients import actions as registers
from app.recipients.actions import RecipientRow
from app.recipients.records import NewConsent
from app.runtime import Runtime
from smpp import text
from smpp.messages import (
    Acknowledgement,
    BindEvent,
    BindState,
    Inbound,
    Outbound,
    Receipt,
    ReceiptState,
    SegmentOf,
    SubmitOutcome,
    SubmitResult,
    segment_reference,
)

PROVIDER = "labour"
SHORT_NUMBER = "1414"
PATIENCE = timedelta(seconds=30)
UCS2 = 8
_numbers = count(1)
# Worlds share a ledger; a message for a network that nobody knows would leave by any.
_networks: list[str] = []


@dataclass(frozen=True, slots=True)
class Mt:
    """One message as the network has it: an id a segment, empty where it was not accepted."""

    message: Message
    ids: tuple[str, ...]


@dataclass(slots=True)
class Network:
    """What becomes of submits: `answers` is the outcome of every segment, None holds the
    responses back until `release`."""

    name: str
    answers: SubmitOutcome | None = SubmitOutcome.ACCEPTED
    is_up: bool = True
    connection: int = 1
    held: list[SubmitResult] = field(default_factory=list)
    submitted: list[Message] = field(default_factory=list)
    ids: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def cid(self) -> str:
        return f"{self.name}-1"

    def submit(self, message: Message, now: datetime) -> tuple[Mt, list[SubmitResult]]:
        """The message with its ids, and the responses that come at once."""
        self.submitted.append(message)
        total = text.count(message.body, "udh16").segments
        took = self.answers in (SubmitOutcome.ACCEPTED, SubmitOutcome.UNKNOWN, None)
        ids = tuple(f"{self.name}{next(self.ids)}" if took else "" for _ in range(total))
        outcome = self.answers or SubmitOutcome.ACCEPTED
        results = [
            SubmitResult(
                self.cid, self.name, str(message.id), number, total,
                0 if outcome is SubmitOutcome.ACCEPTED else 8,
                smsc_id if outcome is SubmitOutcome.ACCEPTED else "",
                outcome, now, message.phone, segment_reference(message.umr or 0, number),
            )
            for number, smsc_id in enumerate(ids, start=1)
        ]  # fmt: skip
        if self.answers is None:
            self.held += results
            results = []
        return Mt(message, ids), results

    def release(self) -> list[SubmitResult]:
        """The responses held back so far."""
        results, self.held = self.held, []
        return results

    def acknowledgement(self) -> Acknowledgement:
        return Acknowledgement(self.cid, self.connection, 1, 5)


class World:
    """One phone and everyone who deals with it. Every deed ends when nothing is left to submit."""

    def __init__(self, rt: Runtime, clock: ManualClock) -> None:
        number = next(_numbers)
        self.rt = replace(rt, clock=clock)
        self.clock = clock
        self.phone = f"+7701{number:07}"
        self.network = Network(f"net{number}x")
        _networks.append(self.network.name)
        self.others: list[Network] = []
        self.people: dict[str, str] = {}
        self.mts: list[Mt] = []
        self.screens: list[Outbound] = []
        self.waiting: list[Inbound] = []
        self.last: list[Inbound] = []
        self.offers: list[UUID] = []
        self.drained = True
        self.exchange = self._exchange()
        self.bind(BindEvent.BOUND)

    def _exchange(self) -> Exchange:
        routes = Routes(tuple(Route(n.cid, n.name) for n in (self.network, *self.others)))
        return Exchange(self.rt, uuid4(), _networks, routes=routes)

    def open_network(self) -> Network:
        """One more network, that goes after those there are."""
        number = next(_numbers)
        network = Network(f"net{number}x")
        _networks.append(network.name)
        self.others.append(network)
        self.exchange = self._exchange()
        return network

    # --- the register and the provider ------------------------------------------------------

    def register(
        self,
        name: str,
        language: str | None,
        *,
        phone: str | None = None,
        network: str | None = None,
        consent_ends: timedelta | None = None,
    ) -> str:
        """Registers a person on the phone, with a consent; returns the IIN."""
        iin = self.people.setdefault(name, _iin(next(_numbers)))
        now = self.clock()
        ago = now - timedelta(days=30)
        row = RecipientRow(iin, phone or self.phone, language, network or self.network.name, ago)
        until = now + consent_ends if consent_ends else None
        with self.rt.unit() as unit:
            assert registers.register_recipients(unit, [row]).accepted == 1
            self.consents(unit, NewConsent(iin, "personal-data", "C-1", ago, until, None))
        return iin

    def consents(self, unit: Any, row: NewConsent) -> None:
        assert registers.register_consents(self.rt.rooms, unit, [row]).accepted == 1

    def revoke(self, name: str) -> None:
        """The register says that the consent is revoked as of now."""
        now = self.clock()
        row = NewConsent(
            self.people[name], "personal-data", "C-1", now - timedelta(days=30), None, now
        )
        with self.rt.unit() as unit:
            self.consents(unit, row)
        self.commit()

    def offer(self, service: str, name: str, accounts: Sequence[str] = ()) -> Made:
        """The provider offers a service; what was made of it."""
        values: dict[str, Any] = {"kin": self.people[name]}
        if accounts:
            values["accounts"] = list(accounts)
        draft = offering.Draft(service, self.people[name], uuid4().hex, values)
        with self.rt.unit() as unit:
            [made] = offering.make(self.rt, unit, PROVIDER, [draft])
        if isinstance(made, Offer):
            self.offers.append(made.id)
        self.commit()
        return made

    def withdraw(self, offer_id: UUID) -> None:
        with self.rt.unit() as unit:
            assert providing.withdraw(self.rt, unit, PROVIDER, offer_id, "қате") is not None
        self.commit()

    def report(self, offer_id: UUID, result: str) -> None:
        with self.rt.unit() as unit:
            assert providing.report(self.rt, unit, PROVIDER, offer_id, result, "себебі", None)
        self.commit()

    # --- the gateway ------------------------------------------------------------------------

    def commit(self, batch: Batch | None = None) -> None:
        """Commits a batch and everything that follows from it: submits and their responses."""
        batch = batch or Batch()
        while True:
            room = {n.name: 100 for n in (self.network, *self.others) if n.is_up}
            done = self.exchange.commit(replace(batch, room=room))
            self.screens += [screen for _, screen in done.screens]
            results = self.submit(done.to_submit)
            if not (done.to_submit or done.screens):
                return
            batch = Batch(results=results)

    def submit(self, messages: Sequence[Message]) -> list[SubmitResult]:
        """Submits messages, or finds that the link is down and gives them back."""
        results: list[SubmitResult] = []
        for message in messages:
            network = next((n for n in self.others if n.name == message.network), self.network)
            if not network.is_up:
                self.exchange.commit(Batch(unsent=[message.id]))
                continue
            mt, answers = network.submit(message, self.clock())
            self.mts.append(mt)
            results += answers
        return results

    def answer_late(self) -> None:
        """The responses that were held back come."""
        self.network.answers = SubmitOutcome.ACCEPTED
        self.commit(Batch(results=self.network.release()))

    def die(self) -> None:
        """The gateway is killed; another one starts and inherits what it left."""
        gone = self.exchange.gateway
        self.network.held.clear()
        self.network.connection += 1
        self.exchange = self._exchange()
        self.exchange.inherit([gone], PATIENCE)
        self.bind(BindEvent.BOUND)

    def bind(self, event: BindEvent) -> None:
        """The bind's state changes."""
        state = BindState(self.network.cid, self.network.name, event, self.clock())
        self.commit(Batch(states=[state]))

    def go_down(self) -> None:
        self.network.is_up = False
        self.drained = False
        self.bind(BindEvent.LOST)

    def come_back(self) -> None:
        """The bind is up again and the network hands over what it kept."""
        self.network.is_up = True
        self.network.connection += 1
        self.bind(BindEvent.BOUND)
        kept, self.waiting = self.waiting, []
        for message in kept:
            self.hear([structs.replace(message, received_at=self.clock())])

    def pass_time(self, by: timedelta) -> None:
        """Time passes; the gateway beats, what is due is swept."""
        self.clock.advance(by)
        self.drained = self.network.is_up
        self.beat()
        self.exchange.inherit([], PATIENCE)
        while rooms.sweep(self.rt):
            continue
        self.commit()

    def beat(self) -> None:
        """The gateway says up to when it has heard everything."""
        drained = [self.network.cid] if self.network.is_up and self.drained else []
        self.commit(Batch(mark=self.clock(), drained=drained))

    # --- the phone --------------------------------------------------------------------------

    def mo(self, words: str | None, raw: bytes | None = None, **more: Any) -> Inbound:
        """An MO from the phone as the link would hand it over."""
        octets = raw if raw is not None else (words or "").encode("utf-16-be", "surrogatepass")
        message = Inbound(
            self.network.cid, self.network.name, self.phone, SHORT_NUMBER, words, octets, UCS2,
            self.clock(), self.network.acknowledgement(),
        )  # fmt: skip
        return structs.replace(message, **more)

    def say(self, words: str, **more: Any) -> None:
        """The phone writes; while the network is down, the network keeps it."""
        self.hear([self.mo(words, **more)])

    def say_in_segments(self, words: str, order: Sequence[int]) -> None:
        """The phone writes a long message; its segments arrive in this order."""
        total = len(order)
        size = -(-len(words) // total)
        pieces = {n + 1: words[n * size : (n + 1) * size] for n in range(total)}
        self.hear([self.mo(pieces[n], segment=SegmentOf(7, total, n)) for n in order])

    def hear(self, messages: Sequence[Inbound]) -> None:
        if not self.network.is_up:
            self.waiting += messages
            return
        self.last = list(messages)
        for message in messages:
            self.commit(Batch(inbound=[self.came(message)]))

    def came(self, message: Inbound) -> Came:
        place = f"{self.exchange.gateway}:{self.network.cid}:{self.network.connection}"
        return Came(message, place, draining=not self.drained)

    def deliver_again(self) -> None:
        """The link was lost before our response, so the network delivers the last MO again."""
        self.bind(BindEvent.LOST)
        self.network.connection += 1
        self.drained = False
        self.bind(BindEvent.BOUND)
        self.hear(self.last)

    def receipts_of(
        self,
        mt: Mt,
        state: ReceiptState,
        segments: Sequence[int] = (),
        done_at: datetime | None = None,
    ) -> list[Receipt]:
        """Receipts for a message's segments, of all where none are named."""
        numbers = segments or range(1, len(mt.ids) + 1)
        ids = [mt.ids[n - 1] for n in numbers if mt.ids[n - 1]]
        return [
            Receipt(
                self.network.cid, self.network.name, mt.message.phone, (smsc_id,), state, "000",
                done_at, self.clock(), self.network.acknowledgement(),
            )
            for smsc_id in ids
        ]  # fmt: skip

    def receipt(self, state: ReceiptState, segments: Sequence[int] = (), of: int = -1) -> None:
        """Receipts come for the latest message, or another one of `mts`."""
        for one_receipt in self.receipts_of(self.mts[of], state, segments):
            self.commit(Batch(receipts=[one_receipt]))

    # --- what the ledger says ---------------------------------------------------------------

    def look(self, offer_id: UUID) -> Offer:
        with self.rt.ledger.begin() as tx:
            offer = one(tx, self.rt.vault, offer_id, PROVIDER)
        assert offer is not None
        return offer

    def journal(self, offer_id: UUID) -> list[Entry]:
        with self.rt.ledger.begin() as tx:
            return journal.of_case(tx, offer_id)

    def events(self, offer_id: UUID) -> list[str]:
        """What the provider was told of a case, in order."""
        query = "SELECT body FROM events WHERE case_id = :id ORDER BY sequence"
        return [msgspec.json.decode(r.body)["type"] for r in self.rows(query, id=offer_id)]

    def heard(self) -> list[str]:
        """Why messages of this world were kept beside any case, oldest first."""
        query = "SELECT why FROM heard WHERE network = :network ORDER BY id"
        return [r.why for r in self.rows(query, network=self.network.name)]

    def outbox(self, offer_id: UUID) -> list[str]:
        """The kinds of all messages of a case that were not taken back."""
        query = "SELECT kind FROM outbox WHERE case_id = :id AND state <> 'cancelled' ORDER BY seq"
        return [r.kind for r in self.rows(query, id=offer_id)]

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.rt.ledger.begin() as tx:
            return list(tx.execute(sql(query), values))


def _iin(number: int) -> str:
    """A number with a right control digit (Government resolution 565 of 11.06.2003)."""
    head = f"9001011{number:04}"
    digits = [int(c) for c in head]
    check = sum(d * (n + 1) for n, d in enumerate(digits)) % 11
    if check == 10:
        check = sum(d * ((n + 2) % 11 + 1) for n, d in enumerate(digits)) % 11
    return _iin(number + 5000) if check == 10 else f"{head}{check}"
