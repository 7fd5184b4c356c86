"""The SMSC's end of one connection: binds, keeps the window of deliver_sm, answers housekeeping.

I/O for the simulator only. What a submit_sm leads to is the simulator's business.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol

from msgspec.structs import replace

from smpp.handsets import Handset
from smpp.pdu import (
    RESPONSE,
    BindFields,
    Command,
    Frames,
    Pdu,
    PeerError,
    SmFields,
    Status,
    pack,
    pack_resp,
    pack_sm,
    read_bind,
)
from smpp.tlv import Tag

WINDOW: Final = 50  # deliver_sm on their way to one ESME

_BINDS: Final = (Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER)
_SUBMITS: Final = (Command.SUBMIT_SM, Command.DATA_SM)


@dataclass(slots=True, eq=False)
class Delivery:
    """A deliver_sm or data_sm until an ESME took it: `delivered_at` is set by ESME_ROK alone.
    `origin` is the connection by which a receipt's message was submitted."""

    kind: Literal["mo", "receipt", "ussd"]
    fields: SmFields
    handset: Handset
    command: Command = Command.DELIVER_SM
    origin: "Line | None" = None
    attempts: int = 0
    delivered_at: datetime | None = None
    refused_with: int = 0


class Centre(Protocol):
    """What a line needs to ask or tell the centre behind it."""

    def opened(self, line: "Line") -> None: ...
    def may_bind(self, fields: BindFields) -> int: ...
    def submitted(self, line: "Line", order: Pdu) -> None: ...
    def queried(self, line: "Line", order: Pdu) -> None: ...
    def answered(self, delivery: Delivery, status: int) -> None: ...
    def is_ready(self) -> None: ...
    def lost(self, line: "Line", unanswered: list[Delivery]) -> None: ...


class Line(asyncio.Protocol):
    """One ESME's connection. It never blocks: what it writes is gathered until the next tick."""

    def __init__(self, centre: Centre, response_timeout_s: float) -> None:
        self.bound: int | None = None
        self.closed = asyncio.get_running_loop().create_future()
        self._centre = centre
        self._timeout_s = response_timeout_s
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._out: list[bytes] = []
        self._sequence = 0
        self._waiting: dict[int, tuple[Delivery, float]] = {}
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._silent = False

    @property
    def may_deliver(self) -> bool:
        """Bound to receive, reading, and with room in its window."""
        return self.receives and not (self._paused or self._silent) and len(self._waiting) < WINDOW

    @property
    def receives(self) -> bool:
        """Bound as a receiver or transceiver."""
        return self.bound in (Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._centre.opened(self)
        self._timer = self._loop.call_later(self._timeout_s / 2, self._look_for_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self.bound = None
        self._transport = None
        if self._timer:
            self._timer.cancel()
        unanswered = [delivery for delivery, _ in self._waiting.values()]
        self._waiting.clear()
        self._centre.lost(self, unanswered)
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._centre.is_ready()

    def data_received(self, data: bytes) -> None:
        if self._silent:
            return
        found: list[Pdu] = []
        error: PeerError | None = None
        try:
            self._frames.feed_into(found, data)
        except PeerError as framing:
            error = framing
        for one in found:
            self._take(one)
        if error:
            self.write(pack_resp(Command.GENERIC_NACK, 0, error.status))
            self.close()

    def write(self, octets: bytes) -> None:
        """Sends octets with the others of this tick."""
        if self._silent:
            return
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(octets)

    def deliver(self, delivery: Delivery) -> None:
        """Sends a deliver_sm and remembers it until its answer."""
        self.write(self.expect(delivery))

    def expect(self, delivery: Delivery) -> bytes:
        """The octets of a deliver_sm or data_sm, which is remembered until its answer."""
        self._sequence += 1
        delivery.attempts += 1
        self._waiting[self._sequence] = delivery, self._loop.time()
        return pack_delivery(delivery, self._sequence)

    def fall_silent(self) -> None:
        """Half open from now on: what is written goes out, and nothing is said or heard after."""
        self._flush()
        self._silent = True

    def unbind(self) -> None:
        """Asks the ESME to go; its unbind_resp closes the connection."""
        self._sequence += 1
        self.bound = None
        self.write(pack(Command.UNBIND, self._sequence))

    def close(self) -> None:
        """Closes the connection behind what is written."""
        self._flush()
        if self._transport:
            self._transport.close()

    def drop(self) -> None:
        """Cuts the connection at once, as a network does that falls over."""
        self._out.clear()
        if self._transport:
            self._transport.abort()

    def _flush(self) -> None:
        if self._transport and self._out:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _take(self, pdu: Pdu) -> None:
        match pdu.command:
            case Command.DELIVER_SM_RESP | Command.DATA_SM_RESP:
                self._answered(pdu)
            case Command.QUERY_SM:
                self._centre.queried(self, pdu)
            case command if command in _SUBMITS:
                self._submit(pdu)
            case command if command in _BINDS:
                self._bind(pdu)
            case Command.ENQUIRE_LINK:
                self.write(pack_resp(Command.ENQUIRE_LINK_RESP, pdu.sequence))
            case Command.UNBIND:
                self.bound = None
                self.write(pack_resp(Command.UNBIND_RESP, pdu.sequence))
            case Command.UNBIND_RESP:
                self.close()
            case command if command & RESPONSE:
                pass  # enquire_link_resp, generic_nack: the timer sends again what is unanswered
            case _:
                refusal = pack_resp(Command.GENERIC_NACK, pdu.sequence, Status.ESME_RINVCMDID)
                self.write(refusal)

    def _answered(self, pdu: Pdu) -> None:
        found = self._waiting.pop(pdu.sequence, None)
        if found:
            self._centre.answered(found[0], pdu.status)

    def _submit(self, pdu: Pdu) -> None:
        if self.bound in (Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER):
            self._centre.submitted(self, pdu)
        else:
            refusal = pack_resp(pdu.command | RESPONSE, pdu.sequence, Status.ESME_RINVBNDSTS)
            self.write(refusal)

    def _bind(self, pdu: Pdu) -> None:
        try:
            status = self._centre.may_bind(read_bind(pdu))
        except PeerError as error:
            status = error.status
        if self.bound is not None:
            status = Status.ESME_RALYBND
        elif status == Status.ESME_ROK:
            self.bound = pdu.command
        name = "simulator" if status == Status.ESME_ROK else None
        self.write(pack_resp(pdu.command | RESPONSE, pdu.sequence, status, name))
        self._centre.is_ready()

    def _look_for_late(self) -> None:
        oldest = self._loop.time() - self._timeout_s
        late = [number for number, (_, sent) in self._waiting.items() if sent <= oldest]
        for number in late:
            delivery, _ = self._waiting.pop(number)
            self._centre.answered(delivery, Status.ESME_RX_T_APPN)
        self._timer = self._loop.call_later(self._timeout_s / 2, self._look_for_late)


def pack_delivery(delivery: Delivery, sequence: int) -> bytes:
    """A deliver_sm, or a data_sm, whose text is in message_payload."""
    fields = delivery.fields
    if delivery.command is Command.DATA_SM:
        payload = {**fields.tlvs, int(Tag.MESSAGE_PAYLOAD): fields.short_message}
        fields = replace(fields, short_message=b"", tlvs=payload)
    return pack_sm(delivery.command, sequence, fields)
