"""An SMSC with handsets on a real socket, for the sandbox, the demo and the tests.

It behaves as networks do: a receipt or reply counts as delivered by ESME_ROK alone and is sent
again otherwise. It serves people's waits by a scaled clock; the protocol's timers run in real time.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from smpp import addresses, deliver, handsets, text, ussd
from smpp.deliveries import Deliveries
from smpp.faults import NO_FAULTS, Counts, Faults, Trouble, is_nth
from smpp.handsets import Handset, Received
from smpp.messages import ReceiptState, Ussd, UssdOp
from smpp.pdu import (
    RESPONSE,
    BindFields,
    Command,
    Pdu,
    PeerError,
    SmFields,
    Status,
    pack_resp,
    read_data_sm,
    read_sm,
)
from smpp.query import NUMBERS, QueryAnswer, pack_query_resp, read_query
from smpp.smsc import Delivery, Line

ABORTED: Final = 129  # a Comverse-like gateway's word for a session that its side ended
REMEMBERED: Final = 10_000  # messages whose fate can be asked by query_sm
RESPONSE_LATER_S: Final = 0.2  # behind a receipt that goes by another connection

__all__ = ["Faults", "Simulator", "Trouble"]


class Simulator:
    """The SMSC. All methods belong to the event loop that ran `start`; `clock` gives aware UTC,
    `seconds` turns a person's seconds into the loop's. `faults` may be changed at any time."""

    def __init__(
        self,
        port: int = 0,
        *,
        clock: Callable[[], datetime],
        host: str = "127.0.0.1",
        seconds: Callable[[float], float] = float,
        faults: Faults = NO_FAULTS,
        short_code: str = "1414",
        system_id: str | None = None,
        password: str | None = None,
        response_timeout_s: float = 10,
        on_message: Callable[[Handset, Received], None] | None = None,
    ) -> None:
        self.port = port
        self.host = host
        self.counts = Counts()
        self.handsets: dict[str, Handset] = {}
        self.on_message = on_message
        self._clock = clock
        self._seconds = seconds
        self._short_code = short_code
        self._system_id = system_id
        self._password = password
        self._response_timeout_s = response_timeout_s
        self._out = Deliveries(self.counts, faults, clock, seconds, self._after)
        self._fates: dict[str, QueryAnswer] = {}
        # Counted from the time, so that a simulator started again does not use an id again, and so
        # long that an id read in the other base is nobody's.
        self._ids = int(clock().timestamp() * 1000)
        self._sessions = 0
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: list[asyncio.Future[None]] = []

    async def start(self) -> None:
        """Listens; `port` is then the true one and stays the same over later starts."""
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(
            lambda: Line(self, self._response_timeout_s), self.host, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stops listening and closes all connections; what is undelivered waits for a start."""
        if self._server:
            self._server.close()
            self._server = None
        lines = list(self._out.lines)
        for line in lines:
            line.close()
        for line in lines:
            await asyncio.wait([line.closed], timeout=1)
            line.drop()  # a peer that does not read would hold us for ever
            await line.closed

    def drop(self) -> None:
        """Cuts every connection at once."""
        for line in list(self._out.lines):
            line.drop()

    def unbind(self) -> None:
        """Sends unbind on every connection."""
        for line in list(self._out.lines):
            line.unbind()

    def fall_silent(self) -> None:
        """Leaves every connection open and says and hears nothing on it any more."""
        for line in list(self._out.lines):
            line.fall_silent()

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose from now on."""
        return self._out.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._out.faults = faults

    @property
    def is_bound(self) -> bool:
        """Whether some ESME would get what handsets send."""
        return any(line.receives for line in self._out.lines)

    @property
    def undelivered(self) -> int:
        """Receipts and messages that wait for an ESME, without those on their way to it."""
        return len(self._out.queue)

    def handset(self, phone: str) -> Handset:
        """The handset of an E.164 number; there is one for every number."""
        found = self.handsets.get(phone)
        if found is None:
            found = self.handsets[phone] = Handset(phone, handsets.behaviour(phone))
        return found

    def send(
        self,
        phone: str,
        written: str,
        *,
        segments: int | None = None,
        order: Sequence[int] | None = None,
    ) -> list[Delivery]:
        """An SMS from a handset: `segments` forces their number, `order` lists the numbers of
        those that leave, repeats allowed. Raises ValueError for a text too short to cut."""
        handset = self.handset(phone)
        pieces = handsets.cut(written, handset.next_reference(), segments)
        sent = [
            Delivery("mo", deliver.message(handset, self._short_code, pieces[n - 1]), handset)
            for n in order or range(1, len(pieces) + 1)
        ]
        handset.written.append(Received(phone, written, self._clock(), len(pieces)))
        self.counts.mo += len(sent)
        self._out.add(sent)
        return sent

    def dial(self, phone: str, code: str) -> Delivery:
        """A handset opens a USSD session, "*1414#"; an open one is over."""
        handset = self.handset(phone)
        self._sessions = self._sessions % 255 + 1
        handset.open_session(self._sessions)
        return self._unit(handset, UssdOp.PSSR_INDICATION, code)

    def key(self, phone: str, pressed: str) -> Delivery:
        """An answer to a USSD screen. Raises ValueError when no session is open."""
        handset = self.handset(phone)
        if handset.ussd_session is None:
            raise ValueError("no USSD session is open on this handset")
        return self._unit(handset, UssdOp.USSR_CONFIRM, pressed)

    def hang_up(self, phone: str) -> None:
        """The handset's owner ends the USSD session; the gateway says so in a vendor's word."""
        handset = self.handset(phone)
        if handset.ussd_session is not None:
            self._unit(handset, ABORTED, "")
            handset.ussd_session = None

    async def until(self, condition: Callable[[], bool], timeout_s: float = 5) -> None:
        """Waits till a condition about handsets or counts holds. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while not condition():
            changed = loop.create_future()
            self._changed.append(changed)
            await asyncio.wait_for(changed, deadline - loop.time())

    # What the lines tell.

    def opened(self, line: Line) -> None:
        """A connection is there."""
        self._out.lines.append(line)

    def may_bind(self, fields: BindFields) -> int:
        """The status for a bind; any will do where no system_id and password are set."""
        if self._system_id not in (None, fields.system_id):
            return Status.ESME_RINVSYSID
        if self._password not in (None, fields.password):
            return Status.ESME_RINVPASWD
        return Status.ESME_ROK

    def is_ready(self) -> None:
        """A line was bound or reads again."""
        self._out.pump()
        self._tell()

    def lost(self, line: Line, unanswered: list[Delivery]) -> None:
        """A connection is gone: what it had not acknowledged goes first on the next one."""
        self._out.lost(line, unanswered)
        self._tell()

    def answered(self, delivery: Delivery, status: int) -> None:
        """A deliver_sm_resp: only ESME_ROK takes the message off our hands."""
        self._out.answered(delivery, status)
        self._tell()

    def queried(self, line: Line, order: Pdu) -> None:
        """A query_sm: what has become of the message, or that nobody knows."""
        self.counts.queried += 1
        fate = None
        with contextlib.suppress(PeerError):
            fate = self._fates.get(read_query(order).message_id)
        if fate is None or self.faults.refuse_queries:
            line.write(pack_query_resp(order.sequence, Status.ESME_RQUERYFAIL, None))
        else:
            line.write(pack_query_resp(order.sequence, Status.ESME_ROK, fate))
        self._tell()

    def submitted(self, line: Line, order: Pdu) -> None:
        """A submit_sm or data_sm: a response, and what its handset makes of it."""
        self.counts.submitted += 1
        if is_nth(self.counts.submitted, self.faults.lose_submits_every):
            self.counts.lost += 1
        else:
            self._take(line, order)
        self._tell()

    # What becomes of a submit.

    def _take(self, line: Line, order: Pdu) -> None:
        refused = self._refusal()
        phone: str | None = None
        fields = SmFields()
        try:
            fields = read_data_sm(order) if order.command == Command.DATA_SM else read_sm(order)
            phone = addresses.phone(fields.dest, fields.dest_ton)
        except PeerError as error:
            refused = refused or error.status
        if refused or phone is None:
            status = refused or Status.ESME_RINVDSTADR
            line.write(pack_resp(order.command | RESPONSE, order.sequence, status))
            return
        self._accept(line, order, fields, self.handset(phone))

    def _refusal(self) -> int:
        if is_nth(self.counts.submitted, self.faults.throttle_every):
            self.counts.throttled += 1
            return Status.ESME_RTHROTTLED
        if is_nth(self.counts.submitted, self.faults.queue_full_every):
            self.counts.throttled += 1
            return Status.ESME_RMSGQFUL
        return Status.ESME_ROK

    def _accept(self, line: Line, order: Pdu, fields: SmFields, handset: Handset) -> None:
        self._ids += 1
        id = self._spelled()
        response = pack_resp(order.command | RESPONSE, order.sequence, Status.ESME_ROK, id)
        screen = ussd.read(fields)
        if screen is not None:
            self._respond(line, response)
            self._show(handset, screen, fields)
            return
        self._remember(id, handset)
        receipts = self._receipts(handset, fields, line)
        if handset.behaviour.receipt_first and receipts:
            self._deliver_before(line, receipts, response)
        else:
            self._respond(line, response)
            self._out.add(receipts)
        if handset.behaviour.state is ReceiptState.DELIVRD:
            self._arrive(handset, fields)

    def _spelled(self) -> str:
        """The id of the newest message, as its response has it."""
        match self.faults.ids:
            case "hex":
                return f"{self._ids:08X}"
            case "constant":
                return "msg_id_not_implemented"
            case "empty":
                return ""
            case _:
                return str(self._ids)

    def _remember(self, id: str, handset: Handset) -> None:
        state, at = handset.behaviour.state, f"{self._clock():%y%m%d%H%M%S}000+"
        self._fates[id] = QueryAnswer(id, at, NUMBERS[state], 0)
        if len(self._fates) > REMEMBERED:
            del self._fates[next(iter(self._fates))]

    def _respond(self, line: Line, response: bytes) -> None:
        self._out.carry("response", lambda: self._say(line, response))

    def _say(self, line: Line, response: bytes) -> None:
        self._out.reached("response", line, response)

    def _deliver_before(self, line: Line, receipts: list[Delivery], response: bytes) -> None:
        """The receipt overtakes its response: on the same connection in the stream, on another
        by a moment."""
        if line.receives:
            for receipt in receipts:
                line.deliver(receipt)
            self._respond(line, response)
        else:
            self._out.add(receipts)
            self._after(RESPONSE_LATER_S, lambda: self._respond(line, response))

    def _receipts(self, handset: Handset, fields: SmFields, line: Line) -> list[Delivery]:
        state = handset.behaviour.state
        wanted = fields.registered_delivery & 0x03
        if not wanted or (wanted == 2 and state is ReceiptState.DELIVRD):
            return []
        copies = handset.behaviour.receipts
        self.counts.receipts += copies
        receipt = deliver.receipt(handset, fields, str(self._ids), self._clock())
        return [Delivery("receipt", receipt, handset, origin=line) for _ in range(copies)]

    def _arrive(self, handset: Handset, fields: SmFields) -> None:
        received = handset.take(text.read(fields, {}), self._clock())
        if received is None:
            return
        if self.on_message:
            self.on_message(handset, received)
        answer = handset.answer(received)
        if answer is not None:
            wait = self._seconds(handset.behaviour.answers_after_s)
            self._after(wait, lambda: self._reply(handset, answer))

    def _reply(self, handset: Handset, answer: str) -> None:
        order = handset.behaviour.order
        self.send(handset.phone, answer, segments=len(order) or None, order=order)

    # USSD.

    def _show(self, handset: Handset, screen: Ussd, fields: SmFields) -> None:
        shown = text.read(fields, {}).text
        received = Received(handset.phone, shown, self._clock(), kind="ussd")
        handset.screens.append(received)
        if screen.op in (UssdOp.USSR_REQUEST, UssdOp.USSN_REQUEST) and handset.ussd_session is None:
            self._sessions = self._sessions % 255 + 1
            handset.open_session(self._sessions)
        if self.on_message:
            self.on_message(handset, received)
        if screen.op == UssdOp.USSN_REQUEST:
            self._unit(handset, UssdOp.USSN_CONFIRM, "")
        if screen.ends or screen.op in (UssdOp.PSSR_RESPONSE, UssdOp.PSSD_RESPONSE):
            handset.ussd_session = None

    def _unit(self, handset: Handset, op: int, written: str) -> Delivery:
        fields = deliver.ussd_unit(handset, self._short_code, op, written)
        delivery = Delivery("ussd", fields, handset)
        self._out.add([delivery])
        return delivery

    def _after(self, seconds: float, do: Callable[[], None]) -> None:
        assert self._loop is not None
        self._loop.call_later(seconds, do)

    def _tell(self) -> None:
        for changed in self._changed:
            with contextlib.suppress(asyncio.InvalidStateError):
                changed.set_result(None)
        self._changed.clear()
