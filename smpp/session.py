"""One ESME session without I/O (SMPP 3.4, clause 2): octets and seconds in, events and octets out.

Nothing here opens a socket, reads a clock or knows what a message says. Whatever the peer sends,
`receive_data` raises nothing: what SMPP does not allow is answered as SMPP says, and only a
command_length that cannot be true ends the session.
"""

from collections.abc import Callable, Mapping
from typing import Final

from smpp import statuses
from smpp.binds import Bind, BindType
from smpp.counters import Counters
from smpp.events import (
    Answered,
    Bound,
    Delivered,
    Event,
    Failed,
    Late,
    Queried,
    Refused,
    Unbound,
)
from smpp.marks import Marks
from smpp.overdue import Overdue, Waiting, expired
from smpp.pdu import (
    INTERFACE_VERSION,
    MAX_SEQUENCE,
    RESPONSE,
    BindFields,
    Command,
    Frames,
    Pdu,
    PeerError,
    SmFields,
    Status,
    describe,
    pack,
    pack_bind,
    pack_resp,
    pack_sm,
    read_c_string_resp,
    read_data_sm,
    read_sm,
)
from smpp.query import QueryFields, pack_query, read_query_resp
from smpp.states import BOUND, TRANSITIONS, State, Step
from smpp.timers import Alive, Due
from smpp.tlv import bound_version

_BINDS: Final[Mapping[BindType, Command]] = {
    "transmitter": Command.BIND_TRANSMITTER,
    "receiver": Command.BIND_RECEIVER,
    "transceiver": Command.BIND_TRANSCEIVER,
}
_VERSIONS: Final = {"3.4": INTERFACE_VERSION, "3.3": 0x33}
MOST_OWED: Final = 50_000  # deliveries held at once; beyond that the network keeps them for us
LARGE: Final = 1_024  # octets; what is larger is counted by its octets as well
MOST_OCTETS_OWED: Final = 64 * 1024 * 1024
_MAY_SUBMIT: Final = frozenset({State.BOUND_TX, State.BOUND_TRX})
_MAY_HEAR: Final = frozenset({State.BOUND_RX, State.BOUND_TRX, State.UNBINDING})


class Session:
    """What one connection is from its bind to its end; times are monotonic seconds.

    Everything that is to be written gathers in `data_to_send`. A token is whatever the caller
    wants back with the answer to its submit.
    """

    def __init__(self, bind: Bind, counters: Counters | None = None) -> None:
        self.bind = bind
        self.counters = counters or Counters()
        self.state = State.OPEN
        self.owed = 0  # deliveries that have no response yet
        self._frames = Frames()
        self._out: list[bytes] = []
        self._sequence = 0
        self._window: Waiting = {}
        self._overdue = Overdue()
        self._asked: Waiting = {}  # query_sm
        self._large: dict[int, int] = {}  # octets of the large ones among the owed, by sequence
        self._large_octets = 0
        self._alive = Alive(bind.enquire_link_interval, bind.response_timeout, 0.0)
        self._awaited: tuple[int, float] | None = None  # bind or unbind: sequence, deadline
        self.marks = Marks()  # of what was acknowledged

    @property
    def is_bound(self) -> bool:
        """Whether the bind stands; False while unbinding."""
        return self.state in BOUND

    @property
    def heard_at(self) -> float:
        """When the last whole PDU came."""
        return self._alive.heard_at

    @property
    def in_flight(self) -> int:
        """How many submits await their response."""
        return len(self._window)

    @property
    def can_query(self) -> bool:
        """Whether one more query_sm may go: as many at once as submits."""
        return self.state in _MAY_SUBMIT and len(self._asked) < self.bind.window

    @property
    def can_submit(self) -> bool:
        """Whether the state and the window let one more submit out."""
        return self.state in _MAY_SUBMIT and len(self._window) < self.bind.window

    def start(self, now: float) -> bytes:
        """The bind PDU (4.1) of a fresh connection. Raises ValueError in any other state."""
        self._step(Step.BIND)
        self._alive = self._alive.heard(now)
        sequence = self._next_sequence()
        self._awaited = (sequence, now + self.bind.response_timeout)
        bind = self.bind
        by_address = (bind.source_addr_ton, bind.source_addr_npi, bind.address_range)
        fields = BindFields(
            *(bind.system_id, bind.password, bind.system_type),
            _VERSIONS[bind.interface_version],
            *(by_address if bind.address_range else (0, 0, "")),
        )
        self._out.append(pack_bind(_BINDS[bind.bind], sequence, fields))
        return self.data_to_send()

    def submit(
        self, fields: SmFields, token: object, now: float, command: Command = Command.SUBMIT_SM
    ) -> int:
        """Sends a submit_sm (or data_sm) and returns its sequence number. Raises ValueError when
        `can_submit` is False or the fields cannot be packed; nothing is sent then."""
        if not self.can_submit:
            raise ValueError(f"no submit while {self.state} with {self.in_flight} in flight")
        sequence = self._next_sequence()
        self._out.append(pack_sm(command, sequence, fields))
        self._window[sequence] = (token, now + self.bind.response_timeout)
        self.marks.ask(sequence)
        return sequence

    def query(self, fields: QueryFields, token: object, now: float) -> int:
        """Sends a query_sm and returns its sequence number; Queried follows. Raises ValueError
        when `can_query` is False or the fields cannot be packed; nothing is sent then."""
        if not self.can_query:
            raise ValueError(f"no query_sm while {self.state} with {len(self._asked)} open")
        sequence = self._next_sequence()
        self._out.append(pack_query(sequence, fields))
        self._asked[sequence] = (token, now + self.bind.response_timeout)
        self.marks.ask(sequence)
        return sequence

    def acknowledge(self, command: int, sequence: int, status: int = 0) -> None:
        """Answers a Delivered; does nothing once the session has ended."""
        if self.state in _MAY_HEAR:
            self.owed = max(0, self.owed - 1)
            if self._large:
                self._large_octets -= self._large.pop(sequence, 0)
            self._out.append(pack_resp(command | RESPONSE, sequence, status, ""))

    def unbind(self, now: float) -> None:
        """Asks for the end (4.2); Unbound or Failed follows. Does nothing unless bound."""
        if self.is_bound:
            self._step(Step.UNBIND)
            sequence = self._next_sequence()
            self._awaited = (sequence, now + self.bind.response_timeout)
            self._out.append(pack(Command.UNBIND, sequence))

    def close(self) -> list[Event]:
        """The connection is gone: what was in flight ends as Answered without a status."""
        if self.state is not State.CLOSED:
            self._step(Step.CLOSE)
        lost: list[Event] = [Answered(token, None) for token, _ in self._window.values()]
        lost += [Queried(token, None) for token, _ in self._asked.values()]
        for waiting in (self._window, self._asked, self._large, self._out):
            waiting.clear()
        return lost

    def data_to_send(self) -> bytes:
        """All that has to be written by now, once."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        """What `data`, however it was chunked, makes happen; never raises."""
        events: list[Event] = []
        if self.state is State.CLOSED:
            return events
        pdus: list[Pdu] = []
        broken: PeerError | None = None
        try:
            self._frames.feed_into(pdus, data)
        except PeerError as error:
            broken = error
        if pdus:  # whole ones: octets that complete none may be a stream that lost its framing
            self._alive = self._alive.heard(now)
        for pdu in pdus:
            if pdu.command & RESPONSE:
                self.marks.answered(pdu.sequence)
            _HANDLERS.get(pdu.command, Session._unknown)(self, pdu, events)
        if broken is not None:
            self._out.append(pack(Command.GENERIC_NACK, 0, broken.status))
            self._fail(broken.status, str(broken), events)
        return events

    def tick(self, now: float) -> list[Event]:
        """What the passing of time makes happen: timeouts, an enquire_link, the end."""
        events: list[Event] = []
        if self.state is State.CLOSED:
            return events
        self._expire(now, events)
        if self._awaited is not None and now >= self._awaited[1]:
            asked = "unbind" if self.state is State.UNBINDING else "bind"
            self._fail(0, f"no response to {asked} within {self._seconds}", events)
            return events
        self._alive, due = self._alive.tick(now)
        if due is Due.ENQUIRE or (due is Due.NOTHING and self.is_bound and self.marks.is_unasked):
            self.counters.elink_count += 1
            sequence = self._next_sequence()
            self.marks.ask(sequence)
            self._out.append(pack(Command.ENQUIRE_LINK, sequence))
        elif due is Due.DEAD:
            self._fail(0, f"nothing heard for {self._seconds} after enquire_link", events)
        return events

    @property
    def next_tick_at(self) -> float:
        """When `tick` will have something to do if nothing else happens before."""
        due = self._alive.due_at
        if self._awaited is not None:
            due = min(due, self._awaited[1])
        for waiting in (self._window, self._asked):
            for _, deadline in waiting.values():
                due = min(due, deadline)
                break
        return due

    @property
    def _seconds(self) -> str:
        return f"{self.bind.response_timeout:g} s"

    def _deliver(self, pdu: Pdu, events: list[Event]) -> None:
        if self.state not in _MAY_HEAR:
            self._refuse(pdu, Status.ESME_RINVBNDSTS)
            return
        if self.owed >= MOST_OWED or self._large_octets >= MOST_OCTETS_OWED:
            self._refuse(pdu, Status.ESME_RX_T_APPN)
            return
        try:
            fields = read_data_sm(pdu) if pdu.command == Command.DATA_SM else read_sm(pdu)
        except PeerError as error:
            self._refuse(pdu, error.status)
            return
        self.owed += 1
        if len(pdu.body) > LARGE:
            self._large_octets += len(pdu.body) - self._large.get(pdu.sequence, 0)
            self._large[pdu.sequence] = len(pdu.body)
        events.append(Delivered(pdu.command, pdu.sequence, fields))

    def _refuse(self, pdu: Pdu, status: int) -> None:
        self.counters.refused_pdu_count += 1
        self._out.append(pack_resp(pdu.command | RESPONSE, pdu.sequence, status, ""))

    def _answer(self, pdu: Pdu, events: list[Event]) -> None:
        """What is repeated or was never asked for says nothing; late, only that it was taken."""
        awaited = self._window.pop(pdu.sequence, None)
        if awaited is not None:
            events.append(Answered(awaited[0], pdu.status, read_c_string_resp(pdu)))
            return
        token = self._overdue.take(pdu.sequence)
        if token is not None and pdu.status == Status.ESME_ROK:
            events.append(Late(token, read_c_string_resp(pdu)))

    def _told(self, pdu: Pdu, events: list[Event]) -> None:
        awaited = self._asked.pop(pdu.sequence, None)
        if awaited is not None:
            events.append(Queried(awaited[0], pdu.status, read_query_resp(pdu)))

    def _nack(self, pdu: Pdu, events: list[Event]) -> None:
        """Its sequence_number may be 0 or nonsense; what it meant is then left to the timers."""
        self.counters.generic_nack_count += 1
        if self.state is State.BINDING:
            self._bind_refused(pdu.status or Status.ESME_RBINDFAIL, events)
        elif pdu.sequence in self._window:
            token, _ = self._window.pop(pdu.sequence)
            # A nack that says "no error" says nothing: the message may have been taken.
            events.append(Answered(token, pdu.status or None))
        elif pdu.sequence in self._asked:
            token, _ = self._asked.pop(pdu.sequence)
            events.append(Queried(token, pdu.status or None))
        elif self._is_awaited(pdu, State.UNBINDING):
            self._end(events, by_peer=False)

    def _bind_response(self, pdu: Pdu, events: list[Event]) -> None:
        """Some SMSCs answer bind_receiver with another bind's response: the sequence decides."""
        if not self._is_awaited(pdu, State.BINDING):
            return
        if pdu.status != Status.ESME_ROK:
            self._bind_refused(pdu.status, events)
            return
        self._awaited = None
        self._step(Step(self.bind.bind))
        events.append(Bound(read_c_string_resp(pdu), bound_version(pdu.body)))

    def _bind_refused(self, status: int, events: list[Event]) -> None:
        self._awaited = None
        self._step(Step.REFUSED)
        events.append(Refused(status, statuses.why_refused(status)))

    def _enquired(self, pdu: Pdu, events: list[Event]) -> None:
        self.counters.elink_received_count += 1
        self._out.append(pack(Command.ENQUIRE_LINK_RESP, pdu.sequence))

    def _unbind_asked(self, pdu: Pdu, events: list[Event]) -> None:
        self._out.append(pack(Command.UNBIND_RESP, pdu.sequence))
        if (self.state, Step.UNBOUND) in TRANSITIONS:
            self._end(events, by_peer=True)

    def _unbind_response(self, pdu: Pdu, events: list[Event]) -> None:
        if self._is_awaited(pdu, State.UNBINDING):
            self._end(events, by_peer=False)

    def _outbind(self, pdu: Pdu, events: list[Event]) -> None:
        """We always come by ourselves: on our own connection an outbind means nothing."""
        self._decline(Command.GENERIC_NACK, pdu, Status.ESME_RINVBNDSTS)

    def _not_ours(self, pdu: Pdu, events: list[Event]) -> None:
        """What only an ESME may ask of an SMSC: submit_sm, query_sm, a bind ..."""
        self._decline(pdu.command | RESPONSE, pdu, Status.ESME_RINVCMDID)

    def _unknown(self, pdu: Pdu, events: list[Event]) -> None:
        self._decline(Command.GENERIC_NACK, pdu, Status.ESME_RINVCMDID)

    def _decline(self, command: int, pdu: Pdu, status: int) -> None:
        self.counters.refused_pdu_count += 1
        self._out.append(pack(command, pdu.sequence, status))

    def _alerted(self, pdu: Pdu, events: list[Event]) -> None:
        """A handset is reachable again (4.12.1): it has no response, and the outbox needs none."""
        self.counters.alert_notification_count += 1

    def _ignore(self, pdu: Pdu, events: list[Event]) -> None:
        """Nothing to do: responses that we never wait for."""

    def _is_awaited(self, pdu: Pdu, state: State) -> bool:
        return (
            self.state is state and self._awaited is not None and self._awaited[0] == pdu.sequence
        )

    def _expire(self, now: float, events: list[Event]) -> None:
        late = expired(self._window, now)
        self._overdue.add(late)
        events += [Answered(token, None) for token in late.values()]
        events += [Queried(token, None) for token in expired(self._asked, now).values()]

    def _end(self, events: list[Event], *, by_peer: bool) -> None:
        self._awaited = None
        self._step(Step.UNBOUND)
        events.append(Unbound(by_peer))

    def _fail(self, status: int, reason: str, events: list[Event]) -> None:
        self._step(Step.CLOSE)
        words = f"{reason}: {describe(status)}" if status else reason
        events.append(Failed(status, words))

    def _step(self, step: Step) -> None:
        after = TRANSITIONS.get((self.state, step))
        if after is None:
            raise ValueError(f"no {step} while {self.state}")
        self.state = after

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % MAX_SEQUENCE + 1
        while self._sequence in self._window or self._sequence in self._asked:
            self._sequence = self._sequence % MAX_SEQUENCE + 1
        return self._sequence


_HANDLERS: Final[Mapping[int, Callable[[Session, Pdu, list[Event]], None]]] = {
    **{command: Session._ignore for command in Command if command & RESPONSE},
    **{command: Session._not_ours for command in Command if not command & RESPONSE},
    **dict.fromkeys((command | RESPONSE for command in _BINDS.values()), Session._bind_response),
    Command.ALERT_NOTIFICATION: Session._alerted,
    Command.DATA_SM: Session._deliver,
    Command.DATA_SM_RESP: Session._answer,
    Command.DELIVER_SM: Session._deliver,
    Command.ENQUIRE_LINK: Session._enquired,
    Command.GENERIC_NACK: Session._nack,
    Command.OUTBIND: Session._outbind,
    Command.QUERY_SM_RESP: Session._told,
    Command.SUBMIT_SM_RESP: Session._answer,
    Command.UNBIND: Session._unbind_asked,
    Command.UNBIND_RESP: Session._unbind_response,
}
