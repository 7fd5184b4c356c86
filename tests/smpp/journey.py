"""A plain ESME for the simulator's tests: it binds, submits, and answers deliver_sm as told."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Self

from smpp import pdu, receipts, text
from smpp.binds import Bind
from smpp.faults import NO_FAULTS, Faults
from smpp.messages import ReceiptState
from smpp.pdu import Command, Pdu, SmFields
from smpp.simulator import Simulator

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
QUESTION = "Келісесіз бе? Иә – 1, жоқ – 2. Мерзімі: 24 сағат. 1414"
DAY_IN_S = 0.02
BIND = Bind("k-1", "kcell", "127.0.0.1", 2775, "jauap", "secret")


def sped_up(seconds: float) -> float:
    return seconds * DAY_IN_S / 86_400


class Esme:
    """One connection. `answers` is asked for the status of each deliver_sm; None: no answer."""

    def __init__(self, port: int) -> None:
        self.heard: list[Pdu] = []
        self.delivered: list[SmFields] = []
        self.answers: Callable[[SmFields], int | None] = lambda fields: 0
        self.is_over = False
        self._port = port
        self._sequence = 0

    async def connect(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._task = asyncio.ensure_future(self._read())
        return self

    async def bind(self, command: int = Command.BIND_TRANSCEIVER, password: str = "secret") -> Pdu:
        fields = pdu.BindFields("jauap", password)
        return await self.asked(pdu.pack_bind(command, self.next(), fields))

    def next(self) -> int:
        self._sequence += 1
        return self._sequence

    def write(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def asked(self, octets: bytes) -> Pdu:
        """Sends a PDU and waits for the response with its sequence_number."""
        self.write(octets)
        return await self.response(self._sequence)

    async def response(self, sequence: int) -> Pdu:
        async with asyncio.timeout(5):
            while True:
                for one in self.heard:
                    if one.command & pdu.RESPONSE and one.sequence == sequence:
                        return one
                await asyncio.sleep(0.001)

    def submit(self, phone: str, written: str = QUESTION, registered: int = 1) -> None:
        for segment in text.segments(written, self._sequence, "udh16"):
            fields = SmFields(
                source_ton=3,
                source="1414",
                dest_ton=1,
                dest_npi=1,
                dest=phone.removeprefix("+"),
                esm_class=segment.esm_class,
                registered_delivery=registered,
                data_coding=segment.data_coding,
                short_message=segment.short_message,
                tlvs=segment.tlvs,
            )
            self.write(pdu.pack_sm(Command.SUBMIT_SM, self.next(), fields))

    async def close(self) -> None:
        self._writer.close()
        await asyncio.wait([self._task])

    async def _read(self) -> None:
        frames = pdu.Frames()
        try:
            while data := await self._reader.read(65_536):
                for one in frames.feed(data):
                    self.heard.append(one)
                    if one.command in (Command.DELIVER_SM, Command.DATA_SM):
                        self._answer(one)
        except ConnectionError:
            pass
        self.is_over = True
        self._writer.close()

    def _answer(self, one: Pdu) -> None:
        by_data_sm = one.command == Command.DATA_SM
        fields = pdu.read_data_sm(one) if by_data_sm else pdu.read_sm(one)
        self.delivered.append(fields)
        status = self.answers(fields)
        if status is not None:
            self.write(pdu.pack_resp(one.command | pdu.RESPONSE, one.sequence, status, ""))


def journey(
    script: Callable[[Simulator, Esme], Awaitable[None]],
    *,
    faults: Faults = NO_FAULTS,
    response_timeout_s: float = 10,
) -> None:
    """Runs a script against a started simulator and an ESME bound to it."""

    async def play() -> None:
        smsc = Simulator(
            clock=lambda: AT,
            seconds=sped_up,
            faults=faults,
            system_id="jauap",
            password="secret",
            response_timeout_s=response_timeout_s,
        )
        await smsc.start()
        esme = await Esme(smsc.port).connect()
        assert (await esme.bind()).status == 0
        await script(smsc, esme)
        await esme.close()
        await smsc.stop()

    asyncio.run(play())


def replies(esme: Esme) -> list[str | None]:
    return [text.read(one, {}).text for one in esme.delivered if receipts.read(one, BIND) is None]


def states(esme: Esme) -> list[ReceiptState]:
    return [one.state for fields in esme.delivered if (one := receipts.read(fields, BIND))]


def commands(esme: Esme) -> list[int]:
    return [one.command for one in esme.heard]
