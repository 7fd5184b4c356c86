"""A small scripted SMSC on a real socket, and a link to it, for the tests of smpp.link."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random

from smpp.binds import Bind
from smpp.link import Link
from smpp.messages import (
    BindEvent,
    BindState,
    Heard,
    Outbound,
    SubmitResult,
)
from smpp.pdu import (
    RESPONSE,
    Command,
    Frames,
    Pdu,
    PeerError,
    SmFields,
    pack_resp,
    pack_sm,
    read_sm,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
RECEIPT = (
    b"id:77 sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 "
    b"stat:DELIVRD err:000 text:"
)
MO = SmFields(source_ton=1, source="77010000101", dest="1414", short_message=b"1")

Answer = Callable[["Smsc", Pdu], None]


@dataclass
class Smsc:
    """A message centre of one connection at a time. `answers` maps a command to what it does."""

    answers: dict[int, Answer] = field(default_factory=dict)
    heard: list[Pdu] = field(default_factory=list)
    connections: int = 0
    is_deaf: bool = False
    port: int = 0
    ids: int = 0
    writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writer = writer
        frames = Frames()
        try:
            while data := await reader.read(65_536):
                for pdu in frames.feed(data):
                    self.heard.append(pdu)
                    if not self.is_deaf:
                        self.answers.get(pdu.command, ok)(self, pdu)
        except (ConnectionError, PeerError):
            pass  # gone, or no SMPP: a message centre closes
        finally:
            writer.close()

    def write(self, data: bytes) -> None:
        assert self.writer is not None
        self.writer.write(data)

    def drop(self) -> None:
        assert self.writer is not None
        self.writer.transport.abort()

    def deliver(self, fields: SmFields, sequence: int = 1) -> None:
        self.write(pack_sm(Command.DELIVER_SM, sequence, fields))

    def of(self, command: int) -> list[Pdu]:
        return [pdu for pdu in self.heard if pdu.command == command]

    def submitted(self) -> list[SmFields]:
        return [read_sm(pdu) for pdu in self.of(Command.SUBMIT_SM)]


def ok(smsc: Smsc, pdu: Pdu) -> None:
    if pdu.command == Command.SUBMIT_SM:
        smsc.ids += 1
        smsc.write(pack_resp(Command.SUBMIT_SM_RESP, pdu.sequence, 0, f"id-{smsc.ids}"))
    elif not pdu.command & RESPONSE:
        smsc.write(pack_resp(pdu.command | RESPONSE, pdu.sequence, 0, "SMSC"))


def silence(smsc: Smsc, pdu: Pdu) -> None:
    """Takes the PDU and says nothing."""


def status(*codes: int) -> Answer:
    """Answers with these statuses, one after the other, and then well."""
    left = list(codes)

    def answer(smsc: Smsc, pdu: Pdu) -> None:
        if left:
            smsc.write(pack_resp(pdu.command | RESPONSE, pdu.sequence, left.pop(0)))
        else:
            ok(smsc, pdu)

    return answer


@dataclass
class Line:
    """A link, its SMSC and all that the link said."""

    link: Link
    smsc: Smsc
    said: list[Heard]

    @property
    def results(self) -> list[SubmitResult]:
        return [one for one in self.said if isinstance(one, SubmitResult)]

    @property
    def states(self) -> list[BindState]:
        return [one for one in self.said if isinstance(one, BindState)]

    @property
    def events(self) -> list[BindEvent]:
        return [state.event for state in self.states]

    async def until(self, true: Callable[[], object], within_s: float = 5) -> None:
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.002)


@asynccontextmanager
async def line(bind: Bind | None = None, **answers: Answer) -> AsyncIterator[Line]:
    smsc = Smsc({Command[name.upper()]: answer for name, answer in answers.items()})
    async with opened(smsc, bind or quick()) as made:
        await made.until(lambda: made.link.is_bound)
        yield made


@asynccontextmanager
async def opened(smsc: Smsc, bind: Bind, tls: ssl.SSLContext | None = None) -> AsyncIterator[Line]:
    server = await asyncio.start_server(smsc.serve, "127.0.0.1", 0, ssl=tls)
    smsc.port = server.sockets[0].getsockname()[1]
    said: list[Heard] = []
    link = Link(replace(bind, port=smsc.port), said.append, lambda: NOON, jitter=Random(1))
    running = asyncio.create_task(link.run())
    try:
        yield Line(link, smsc, said)
    finally:
        await link.stop(drain_s=0)
        await running
        server.close()
        await server.wait_closed()


def quick(**changed: object) -> Bind:
    bind = Bind("kcell-1", "kcell", "127.0.0.1", 0, "jauap", "secret")
    bind = replace(bind, reconnect_delay=0.02, reconnect_delay_max=0.1, response_timeout=0.3)
    return replace(bind, **changed)  # type: ignore[arg-type]


def text(n: int, phone: str = "", words: str = "Иә?") -> Outbound:
    return Outbound(f"m-{n}", phone or f"+7701000{n:04}", words, n, 3600)
