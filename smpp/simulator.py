"""An SMSC with handsets on a real socket, for the sandbox, the demo and the tests.

It behaves as networks do: a receipt or reply counts as delivered by ESME_ROK alone and is sent
again otherwise. It serves people's waits by a scaled clock; the protocol's timers run in real time.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from smpp import addresses, deliver, handsets, text, ussd
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
from smpp.smsc import Delivery, Line

RETRY_S: Final = 0.2  # doubles up to RETRY_MAX_S
RETRY_MAX_S: Final = 5.0
ABORTED: Final = 129  # a Comverse-like gateway's word for a session that its side ended

_REFUSALS: Final = (Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN)


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong on purpose. `…_every` n spoils each n-th submit, `…_after` n the n-th and
    only that; 0 is never. `hex_ids`: hexadecimal ids in responses, decimal ones in receipts."""

    lose_receipts: bool = False
    receipt_delay_s: float = 0
    duplicate_receipts: bool = False
    throttle_every: int = 0
    no_response_every: int = 0
    hex_ids: bool = False
    unbind_after: int = 0
    cut_mid_pdu_after: int = 0


@dataclass(slots=True)
class Counts:
    """What has happened since the simulator was made; `submitted` counts segments."""

    submitted: int = 0
    throttled: int = 0
    receipts: int = 0
    receipts_delivered: int = 0
    mo: int = 0
    mo_delivered: int = 0
    redelivered: int = 0
    refused: int = 0


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
        faults: Faults = Faults(),
        short_code: str = "1414",
        system_id: str | None = None,
        password: str | None = None,
        response_timeout_s: float = 10,
        on_message: Callable[[Handset, Received], None] | None = None,
    ) -> None:
        self.port = port
        self.host = host
        self.faults = faults
        self.counts = Counts()
        self.handsets: dict[str, Handset] = {}
        self.on_message = on_message
        self._clock = clock
        self._seconds = seconds
        self._short_code = short_code
        self._system_id = system_id
        self._password = password
        self._response_timeout_s = response_timeout_s
        self._lines: list[Line] = []
        self._queue: deque[Delivery] = deque()
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
        lines = list(self._lines)
        for line in lines:
            line.close()
        for line in lines:
            await asyncio.wait([line.closed], timeout=1)
            line.drop()  # a peer that does not read would hold us for ever
            await line.closed

    def drop(self) -> None:
        """Cuts every connection at once."""
        for line in list(self._lines):
            line.drop()

    def unbind(self) -> None:
        """Sends unbind on every connection."""
        for line in list(self._lines):
            line.unbind()

    @property
    def is_bound(self) -> bool:
        """Whether some ESME would get what handsets send."""
        return any(line.receives for line in self._lines)

    @property
    def undelivered(self) -> int:
        """Receipts and messages that wait for an ESME, without those on their way to it."""
        return len(self._queue)

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
        self._enqueue(sent)
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
        self._lines.append(line)

    def may_bind(self, fields: BindFields) -> int:
        """The status for a bind; any will do where no system_id and password are set."""
        if self._system_id not in (None, fields.system_id):
            return Status.ESME_RINVSYSID
        if self._password not in (None, fields.password):
            return Status.ESME_RINVPASWD
        return Status.ESME_ROK

    def is_ready(self) -> None:
        """A line was bound or reads again."""
        self._pump()
        self._tell()

    def lost(self, line: Line, unanswered: list[Delivery]) -> None:
        """A connection is gone: what it had not acknowledged goes first on the next one."""
        self._lines.remove(line)
        for delivery in unanswered:
            if delivery.kind == "ussd":
                delivery.handset.ussd_session = None
        again = [delivery for delivery in unanswered if delivery.kind != "ussd"]
        self.counts.redelivered += len(again)
        self._queue.extendleft(reversed(again))
        self._pump()
        self._tell()

    def answered(self, delivery: Delivery, status: int) -> None:
        """A deliver_sm_resp: only ESME_ROK takes the message off our hands."""
        if status == Status.ESME_ROK:
            delivery.delivered_at = self._clock()
            self.counts.mo_delivered += delivery.kind == "mo"
            self.counts.receipts_delivered += delivery.kind == "receipt"
        elif status in _REFUSALS or delivery.kind == "ussd":
            delivery.refused_with = status
            self.counts.refused += 1
            if delivery.kind == "ussd":
                delivery.handset.ussd_session = None
        else:
            pause = min(RETRY_S * 2 ** min(delivery.attempts - 1, 10), RETRY_MAX_S)
            self.counts.redelivered += 1
            self._after(pause, self._enqueue, [delivery])
        self._pump()
        self._tell()

    def submitted(self, line: Line, order: Pdu) -> None:
        """A submit_sm or data_sm: a response, and what its handset makes of it."""
        self.counts.submitted += 1
        command = order.command | RESPONSE
        if self._is_nth(self.faults.throttle_every):
            self.counts.throttled += 1
            line.write(pack_resp(command, order.sequence, Status.ESME_RTHROTTLED))
            return
        try:
            fields = read_data_sm(order) if order.command == Command.DATA_SM else read_sm(order)
        except PeerError as error:
            line.write(pack_resp(command, order.sequence, error.status))
            return
        phone = addresses.phone(fields.dest, fields.dest_ton)
        if phone is None:
            line.write(pack_resp(command, order.sequence, Status.ESME_RINVDSTADR))
            return
        self._accept(line, order, fields, self.handset(phone))
        if self.counts.submitted == self.faults.unbind_after:
            line.unbind()
        self._tell()

    # What becomes of a submit.

    def _accept(self, line: Line, order: Pdu, fields: SmFields, handset: Handset) -> None:
        self._ids += 1
        id = f"{self._ids:08X}" if self.faults.hex_ids else str(self._ids)
        response = pack_resp(order.command | RESPONSE, order.sequence, Status.ESME_ROK, id)
        screen = ussd.read(fields)
        if screen is not None:
            self._respond(line, response)
            self._show(handset, screen, fields)
            return
        receipts = self._receipts(handset, fields)
        if handset.behaviour.receipt_first and receipts:
            self._deliver_before(line, receipts, response)
        else:
            self._respond(line, response)
            if self.faults.receipt_delay_s:
                self._after(self._seconds(self.faults.receipt_delay_s), self._enqueue, receipts)
            else:
                self._enqueue(receipts)
        if handset.behaviour.state is ReceiptState.DELIVRD:
            self._arrive(handset, fields)

    def _respond(self, line: Line, response: bytes) -> None:
        if self.counts.submitted == self.faults.cut_mid_pdu_after:
            line.write(response[: len(response) // 2])
            line.close()
        elif not self._is_nth(self.faults.no_response_every):
            line.write(response)

    def _deliver_before(self, line: Line, receipts: list[Delivery], response: bytes) -> None:
        """The receipt overtakes its response: on the same connection in the stream, on another
        by a moment."""
        if line.receives:
            for receipt in receipts:
                line.deliver(receipt)
            self._respond(line, response)
        else:
            self._enqueue(receipts)
            self._after(RETRY_S, self._respond, line, response)

    def _receipts(self, handset: Handset, fields: SmFields) -> list[Delivery]:
        state = handset.behaviour.state
        wanted = fields.registered_delivery & 0x03
        if not wanted or (wanted == 2 and state is ReceiptState.DELIVRD):
            return []
        if self.faults.lose_receipts:
            return []
        copies = handset.behaviour.receipts * (2 if self.faults.duplicate_receipts else 1)
        self.counts.receipts += copies
        receipt = deliver.receipt(handset, fields, str(self._ids), self._clock())
        return [Delivery("receipt", receipt, handset) for _ in range(copies)]

    def _arrive(self, handset: Handset, fields: SmFields) -> None:
        received = handset.take(text.read(fields, {}), self._clock())
        if received is None:
            return
        if self.on_message:
            self.on_message(handset, received)
        answer = handset.answer(received)
        if answer is not None:
            wait = self._seconds(handset.behaviour.answers_after_s)
            self._after(wait, self._reply, handset, answer)

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
        self._enqueue([delivery])
        return delivery

    # The way out.

    def _enqueue(self, deliveries: list[Delivery]) -> None:
        self._queue.extend(deliveries)
        self._pump()

    def _pump(self) -> None:
        while self._queue:
            line = next((line for line in reversed(self._lines) if line.may_deliver), None)
            if line is None:
                return
            line.deliver(self._queue.popleft())

    def _after(self, seconds: float, do: Callable[..., None], *args: object) -> None:
        assert self._loop is not None
        self._loop.call_later(seconds, do, *args)

    def _is_nth(self, every: int) -> bool:
        return every > 0 and self.counts.submitted % every == 0

    def _tell(self) -> None:
        for changed in self._changed:
            with contextlib.suppress(asyncio.InvalidStateError):
                changed.set_result(None)
        self._changed.clear()
